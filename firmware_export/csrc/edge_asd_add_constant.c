/* SPDX-License-Identifier: MIT */
/* ADD with a constant. */
#include "edge_asd_add_constant.h"

void edge_asd_add_constant(const edge_asd_add_constant_params *p, const int8_t *x, int8_t *y) {
    if (p->constant_is_first != 0) {
        edge_asd_add(&p->add, p->constant, x, y);
    } else {
        edge_asd_add(&p->add, x, p->constant, y);
    }
}
