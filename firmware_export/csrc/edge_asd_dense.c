/* SPDX-License-Identifier: MIT */
/* A fully connected layer. */
#include "edge_asd_dense.h"

void edge_asd_dense_from_ring(const edge_asd_dense_params *p, const int8_t *x, size_t hop, size_t start, size_t ring,
                              int8_t *y, void *scratch) {
    const edge_asd_matrix *m = &p->matrix;
    m->times(m, x, hop, p->vectors, start, ring, y, m->rows, scratch);
    edge_asd_trace(p->tensor, y, (size_t)p->vectors * m->rows);
}

void edge_asd_dense(const edge_asd_dense_params *p, const int8_t *x, int8_t *y, void *scratch) {
    edge_asd_dense_from_ring(p, x, p->matrix.columns, 0, 0, y, scratch);
}
