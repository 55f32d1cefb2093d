/* SPDX-License-Identifier: MIT */
/* RELU, RELU6, and QUANTIZE from one scale to another: any function of a single int8 value, as a table. */
#ifndef EDGE_ASD_LOOKUP_H
#define EDGE_ASD_LOOKUP_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int32_t count;       /* values of the tensor */
    const int8_t *table; /* [256] the output for -128 .. 127 */
} edge_asd_lookup_params;

/* y may be x. */
void edge_asd_lookup(const edge_asd_lookup_params *p, const int8_t *x, int8_t *y);

#ifdef __cplusplus
}
#endif

#endif
