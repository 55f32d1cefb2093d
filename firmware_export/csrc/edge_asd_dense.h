/* SPDX-License-Identifier: MIT */
/* A fully connected layer. */
#ifndef EDGE_ASD_DENSE_H
#define EDGE_ASD_DENSE_H

#include "edge_asd_matrix.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    edge_asd_matrix matrix;
    uint8_t vectors; /* computed together, as hops of a detector are */
    int16_t tensor;  /* of the model, for traces */
} edge_asd_dense_params;

/* y [vectors][rows] from x [vectors][columns]; scratch is EDGE_ASD_MATRIX_SCRATCH. */
void edge_asd_dense(const edge_asd_dense_params *p, const int8_t *x, int8_t *y, void *scratch);

/* The same from vectors that lie `hop` values apart in a ring of `ring` values, the first one at `start`. */
void edge_asd_dense_from_ring(const edge_asd_dense_params *p, const int8_t *x, size_t hop, size_t start, size_t ring,
                              int8_t *y, void *scratch);

#ifdef __cplusplus
}
#endif

#endif
