/* SPDX-License-Identifier: MIT */
/* QUANTIZE at a model's start: float32 to int8, by comparing bit patterns; nothing is computed in floating point. */
#ifndef EDGE_ASD_FROM_FLOAT_H
#define EDGE_ASD_FROM_FLOAT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int32_t count; /* values of the tensor */
    /* [255] For each of -127 .. 127 the smallest float32 that becomes it or more; of a float's bit pattern b, as an
     * int32, this is b itself for positive ones and b ^ 0x7FFFFFFF for negative ones, which orders them. */
    const int32_t *thresholds;
} edge_asd_from_float_params;

/* Infinities become -128 and 127; so do values that are not a number, by their sign. */
void edge_asd_from_float(const edge_asd_from_float_params *p, const float *x, int8_t *y);

#ifdef __cplusplus
}
#endif

#endif
