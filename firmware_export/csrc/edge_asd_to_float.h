/* SPDX-License-Identifier: MIT */
/* DEQUANTIZE at a model's end: int8 to float32, as a table of bit patterns. */
#ifndef EDGE_ASD_TO_FLOAT_H
#define EDGE_ASD_TO_FLOAT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int32_t count;         /* values of the tensor */
    const uint32_t *table; /* [256] the float32 of -128 .. 127 */
} edge_asd_to_float_params;

void edge_asd_to_float(const edge_asd_to_float_params *p, const int8_t *x, float *y);

#ifdef __cplusplus
}
#endif

#endif
