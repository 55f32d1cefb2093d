/* SPDX-License-Identifier: MIT */
/* Int8 matrices: the portable kernel, and what all kernels share. */
#include "edge_asd_matrix.h"

#include <string.h>

#include "edge_asd_matrix_kernels.h"
#include "edge_asd_requantise.h"

/* Four rows at a time share the input. Bytes without sign, 128 too large each, because Cortex-M0+ reads only those
 * with an offset in the instruction; `correction` = 128 times the sum of the inputs puts that right. */
static const uint32_t *four_rows(const uint32_t *stream, const uint8_t *x, uint32_t columns, uint32_t sums[4]) {
    const uint8_t *w = (const uint8_t *)stream;
    uint32_t sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
    for (const uint8_t *end = x + columns; x < end; x++, w += 4) {
        const uint32_t value = *x;
        sum0 += value * w[0];
        sum1 += value * w[1];
        sum2 += value * w[2];
        sum3 += value * w[3];
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
    return stream + columns;
}

static void portable(const edge_asd_matrix *m, const uint8_t *x, uint32_t correction, int8_t *y) {
    const uint32_t *stream = m->stream;
    for (uint32_t row = 0; row < m->rows; row += 4) {
        uint32_t sums[4];
        stream = four_rows(stream, x, m->columns, sums);
        for (uint32_t i = 0; i < 4; i++, stream += 3) {
            if (row + i < m->rows) {
                const int32_t sum = (int32_t)(sums[i] - correction + stream[0]);
                const int32_t value =
                    edge_asd_requantise(sum, (int32_t)stream[1], (int32_t)stream[2], m->twice != 0) + m->zero_point;
                y[row + i] = (int8_t)edge_asd_limit(value, m->low, m->high);
            }
        }
    }
}

/* x + 128 as bytes without sign; adds them up. */
static uint32_t shifted(const int8_t *x, size_t count, uint8_t *to) {
    uint32_t sum = 0;
    for (const int8_t *end = x + count; x < end; x++, to++) {
        const uint32_t value = (uint8_t)*x ^ 0x80U;
        *to = (uint8_t)value;
        sum += value;
    }
    return sum;
}

void edge_asd_matrix_times(const edge_asd_matrix *m, const int8_t *x, size_t x_stride, uint32_t vectors, size_t start,
                           size_t ring, int8_t *y, size_t y_stride, void *scratch) {
#if EDGE_ASD_KERNELS != EDGE_ASD_PORTABLE
    if (m->quick) {
        edge_asd_matrix_quick(m, x, x_stride, vectors, start, ring, y, y_stride, scratch);
        return;
    }
#endif
    for (uint32_t v = 0; v < vectors; v++, y += y_stride) {
        const edge_asd_pieces pieces = edge_asd_pieces_of(x, start + v * x_stride, ring, m->columns);
        uint8_t *bytes = (uint8_t *)scratch;
        uint32_t sum = shifted(pieces.first, pieces.count, bytes);
        sum += shifted(x, m->columns - pieces.count, bytes + pieces.count);
        portable(m, bytes, 128 * sum, y);
    }
}
