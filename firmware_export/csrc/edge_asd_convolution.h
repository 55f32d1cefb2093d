/* SPDX-License-Identifier: MIT */
/* A convolution, computed row by row of its output. */
#ifndef EDGE_ASD_CONVOLUTION_H
#define EDGE_ASD_CONVOLUTION_H

#include "edge_asd_matrix.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Tensors are [height][width][channels]; the matrix has a row for each output channel and a column for each value
 * of a patch, [filter_height][filter_width][channels]. */
typedef struct {
    edge_asd_matrix matrix;
    uint16_t in_height;
    uint16_t in_width;
    uint16_t channels; /* of the input */
    uint16_t out_height;
    uint16_t out_width;
    uint8_t filter_height;
    uint8_t filter_width;
    uint8_t stride_height;
    uint8_t stride_width;
    uint8_t top; /* rows of padding above the input */
    uint8_t left;
    int16_t padding; /* the input's zero point: what lies outside it */
    int16_t tensor;  /* of the model, for traces */
} edge_asd_convolution_params;

/* Compute one row [out_width][rows of the matrix]. The input's first row is row `first` of `x`, and its last one lies
 * before it: rows may lie in a ring. `scratch` as firmware_export/layers.py computes it. */
void edge_asd_convolution_row(const edge_asd_convolution_params *p, const int8_t *x, uint32_t first, uint32_t row,
                              int8_t *y, void *scratch);

/* Compute all rows; `start` is the value at which the input's first row starts. */
void edge_asd_convolution(const edge_asd_convolution_params *p, const int8_t *x, size_t start, int8_t *y,
                          void *scratch);

#ifdef __cplusplus
}
#endif

#endif
