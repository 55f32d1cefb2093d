/* SPDX-License-Identifier: MIT */
/* Int8 weights times int8 vectors, to int8: fully connected layers, and all convolutions but depthwise ones. */
#ifndef EDGE_ASD_MATRIX_H
#define EDGE_ASD_MATRIX_H

#include "edge_asd_target.h"

#ifdef __cplusplus
extern "C" {
#endif

struct edge_asd_matrix;

/* y[v][r] for `vectors` vectors x[v][c], which lie `x_stride` and `y_stride` values apart.
 *
 * A vector may lie in a ring: x[v] starts at value `start` + v * `x_stride` of the ring's `ring` values and goes on
 * at its beginning. Without a ring, `ring` is 0 and so is `start`. */
typedef void edge_asd_matrix_function(const struct edge_asd_matrix *m, const int8_t *x, size_t x_stride,
                                      uint32_t vectors, size_t start, size_t ring, int8_t *y, size_t y_stride,
                                      void *scratch);

/* Made by firmware_export/matrix.py, which describes the order of the stream for each kernel. */
typedef struct edge_asd_matrix {
    const uint32_t *stream;          /* weights and the constants of each row */
    edge_asd_matrix_function *times; /* the kernel whose order they are in */
    uint16_t rows;
    uint16_t columns;
    int16_t zero_point; /* of the output */
    int16_t low;        /* the activation function's range, -128 to 127 */
    int16_t high;
    uint8_t twice;      /* round twice, else once */
    uint8_t quads;      /* the scratch is for four vectors */
} edge_asd_matrix;

/* Bytes of scratch for so many columns; 8-byte aligned. */
#define EDGE_ASD_MATRIX_SCRATCH(columns, quads) ((((size_t)(columns) + 15) / 16 * 16) * ((quads) ? 8U : 2U))

/* The kernels, each for one order of the stream; all that no matrix names are left out by the linker. */
edge_asd_matrix_function edge_asd_matrix_portable;
#if EDGE_ASD_KERNELS == EDGE_ASD_DSP
edge_asd_matrix_function edge_asd_matrix_rows_once; /* one vector at a time */
edge_asd_matrix_function edge_asd_matrix_rows_twice;
edge_asd_matrix_function edge_asd_matrix_quads_once; /* four */
edge_asd_matrix_function edge_asd_matrix_quads_twice;
#elif EDGE_ASD_KERNELS == EDGE_ASD_HELIUM
edge_asd_matrix_function edge_asd_matrix_helium;
#endif

#ifdef __cplusplus
}
#endif

#endif
