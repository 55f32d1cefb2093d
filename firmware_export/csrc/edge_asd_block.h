/* SPDX-License-Identifier: MIT */
/* A convolution, a depthwise convolution, a pointwise convolution and the sum with the block's input, as in
 * MobileNetV2's inverted residuals, row by row: of the widened tensor only the rows exist that a filter sees.
 *
 * Everything but the depthwise convolution may be missing. */
#ifndef EDGE_ASD_BLOCK_H
#define EDGE_ASD_BLOCK_H

#include "edge_asd_add.h"
#include "edge_asd_convolution.h"
#include "edge_asd_depthwise.h"

#ifdef __cplusplus
extern "C" {
#endif

#define EDGE_ASD_BLOCK_MAX_FILTER 16 /* rows of a depthwise filter */

typedef struct {
    const edge_asd_convolution_params *widen;    /* or NULL */
    const edge_asd_depthwise_params *depthwise;
    const edge_asd_convolution_params *project;  /* pointwise, or NULL */
    const edge_asd_add_params *add;              /* or NULL */
    uint8_t input_first;                         /* the sum's first operand is the block's input */
    int16_t sum_tensor;                          /* for traces */
} edge_asd_block_params;

/* x and y must not overlap. `start` is the value of `x` at which the input's first row starts (a ring of rows).
 * `scratch` as firmware_export/blocks.py computes it. */
void edge_asd_block(const edge_asd_block_params *p, const int8_t *x, size_t start, int8_t *y, void *scratch);

#ifdef __cplusplus
}
#endif

#endif
