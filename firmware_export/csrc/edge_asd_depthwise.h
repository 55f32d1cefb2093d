/* SPDX-License-Identifier: MIT */
/* A depthwise convolution: each channel has filters of its own. */
#ifndef EDGE_ASD_DEPTHWISE_H
#define EDGE_ASD_DEPTHWISE_H

#include "edge_asd_target.h"

#ifdef __cplusplus
extern "C" {
#endif

struct edge_asd_depthwise_params;

/* Compute one row [out_width][outputs] from filter_height rows [left + in_width + right][channels]. */
typedef void edge_asd_depthwise_function(const struct edge_asd_depthwise_params *p, const int8_t *const *rows,
                                         int8_t *y);

/* Tensors are [height][width][channels]. The stream, made by firmware_export/depthwise.py, holds for each 4 output
 * channels: 4 sums to start from; for each place of the filter 2 words, of channels 0 and 2 and of 1 and 3, weights as
 * halfwords; 4 x {multiplier, addend, shift}. Sums, weights and constants are those of the kernel. */
typedef struct edge_asd_depthwise_params {
    const uint32_t *stream;
    edge_asd_depthwise_function *row; /* the kernel */
    uint16_t in_height;
    uint16_t in_width;
    uint16_t channels; /* of the input */
    uint16_t out_height;
    uint16_t out_width;
    uint16_t outputs; /* channels of the output, a multiple of those of the input */
    uint8_t filter_height;
    uint8_t filter_width;
    uint8_t stride_height;
    uint8_t stride_width;
    uint8_t top;  /* rows of padding above the input */
    uint8_t left; /* columns before it */
    uint8_t right;
    uint8_t twice;
    int16_t padding; /* the input's zero point */
    int16_t zero_point;
    int16_t low;
    int16_t high;
    int16_t tensor; /* of the model, for traces */
} edge_asd_depthwise_params;

/* The kernels; the second is this processor's own, for 3 x 3 filters, one for each channel. */
edge_asd_depthwise_function edge_asd_depthwise_portable;
#if EDGE_ASD_KERNELS != EDGE_ASD_PORTABLE
edge_asd_depthwise_function edge_asd_depthwise_quick;
#endif
#if EDGE_ASD_KERNELS == EDGE_ASD_DSP
edge_asd_depthwise_function edge_asd_depthwise_quick_behind_relu; /* where negative values all become -128 */
#endif

#ifdef __cplusplus
}
#endif

#endif
