/* SPDX-License-Identifier: MIT */
/* ADD with a constant, such as an offset for each channel. */
#ifndef EDGE_ASD_ADD_CONSTANT_H
#define EDGE_ASD_ADD_CONSTANT_H

#include "edge_asd_add.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    edge_asd_add_params add;
    const int8_t *constant;    /* one of the inputs of `add`; the other one is x */
    int32_t constant_is_first; /* 1: it is a; 0: it is b */
} edge_asd_add_constant_params;

/* y holds as many values as the longer input, and may be x if that is it. */
void edge_asd_add_constant(const edge_asd_add_constant_params *p, const int8_t *x, int8_t *y);

#ifdef __cplusplus
}
#endif

#endif
