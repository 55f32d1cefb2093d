/* SPDX-License-Identifier: MIT */
/* A depthwise convolution: each channel has filters of its own. */
#ifndef EDGE_ASD_DEPTHWISE_H
#define EDGE_ASD_DEPTHWISE_H

#include "edge_asd_target.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Tensors are [height][width][channels]. The stream, made by firmware_export/depthwise.py, holds for each 4 output
 * channels: 4 sums to start from; for each place of the filter 2 words, of channels 0 and 2 and of 1 and 3, weights as
 * halfwords; 4 x {multiplier, addend, shift}. Where `quick` is set, sums, weights and constants are those of the DSP
 * kernel: twice the weights, and an addend that rounds and adds the zero point. */
typedef struct {
    const uint32_t *stream;
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
    uint8_t quick;
    uint8_t twice;
    int16_t padding; /* the input's zero point */
    int16_t zero_point;
    int16_t low;
    int16_t high;
    int16_t tensor; /* of the model, for traces */
} edge_asd_depthwise_params;

/* Compute one row [out_width][outputs] from filter_height rows [left + in_width + right][channels]. */
void edge_asd_depthwise_row(const edge_asd_depthwise_params *p, const int8_t *const *rows, int8_t *y);

#ifdef __cplusplus
}
#endif

#endif
