/* SPDX-License-Identifier: MIT */
/* What the matrix kernels share. Internal. */
#ifndef EDGE_ASD_MATRIX_KERNELS_H
#define EDGE_ASD_MATRIX_KERNELS_H

#include "edge_asd_matrix.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A vector in a ring: `count` values from `first` on, the rest from the ring's beginning. */
typedef struct {
    const int8_t *first;
    size_t count;
} edge_asd_pieces;

static inline edge_asd_pieces edge_asd_pieces_of(const int8_t *x, size_t start, size_t ring, size_t columns) {
    edge_asd_pieces pieces;
    if (ring != 0 && start >= ring) {
        start -= ring;
    }
    pieces.first = x + start;
    pieces.count = ring != 0 && start + columns > ring ? ring - start : columns;
    return pieces;
}

#ifdef __cplusplus
}
#endif

#endif
