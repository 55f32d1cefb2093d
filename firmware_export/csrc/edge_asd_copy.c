/* SPDX-License-Identifier: MIT */
/* Blocks of bytes, copied to places at equal distances. */
#include "edge_asd_copy.h"

#include <string.h>

void edge_asd_copy(const edge_asd_copy_params *p, const int8_t *x, int8_t *y) {
    if (x == y) {
        return;
    }
    y += p->offset;
    for (int32_t i = 0; i < p->blocks; i++) {
        memcpy(y, x, (size_t)p->bytes);
        x += p->bytes;
        y += p->pitch;
    }
}
