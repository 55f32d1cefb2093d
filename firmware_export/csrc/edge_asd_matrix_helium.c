/* SPDX-License-Identifier: MIT */
/* Int8 matrices with Helium: sixteen columns of a row in one instruction, and four rows rounded together. */
#include "edge_asd_matrix_kernels.h"
#include "edge_asd_helium.h"

#if EDGE_ASD_KERNELS == EDGE_ASD_HELIUM

#include <string.h>

/* Sums of four rows over `blocks` of 16 columns; moves the stream behind them:
 *     for each block: for i = 0 .. 3: sum[i] += dot(16 weights of the row, 16 inputs) */
static inline int32x4_t four_rows(const int8_t **stream, const int8_t *x, uint32_t blocks) {
    const int8_t *w = *stream;
    int32x4_t sum;
    __asm__ volatile(
        "mov r4, #0\n"
        "mov r6, #0\n"
        "mov r8, #0\n"
        "mov r10, #0\n"
        "dls lr, %[blocks]\n"
        "1:\n"
        "vldrb.u8 q0, [%[x]], #16\n"
        "vldrb.u8 q1, [%[w]], #16\n"
        "vldrb.u8 q2, [%[w]], #16\n"
        "vmlava.s8 r4, q0, q1\n"
        "vldrb.u8 q1, [%[w]], #16\n"
        "vmlava.s8 r6, q0, q2\n"
        "vldrb.u8 q2, [%[w]], #16\n"
        "vmlava.s8 r8, q0, q1\n"
        "vmlava.s8 r10, q0, q2\n"
        "le lr, 1b\n"
        "vmov %q[sum][2], %q[sum][0], r4, r8\n"
        "vmov %q[sum][3], %q[sum][1], r6, r10\n"
        : [w] "+r"(w), [x] "+r"(x), [sum] "=&w"(sum)
        : [blocks] "r"(blocks)
        : "r4", "r6", "r8", "r10", "lr", "q0", "q1", "q2", "memory");
    *stream = w;
    return sum;
}

/* A vector in a ring, in one piece and filled up with zeros to whole blocks. */
static const int8_t *in_one_piece(edge_asd_pieces pieces, const int8_t *x, size_t columns, void *scratch) {
    if (pieces.count == columns && columns % 16 == 0) {
        return pieces.first;
    }
    int8_t *to = (int8_t *)scratch;
    memcpy(to, pieces.first, pieces.count);
    memcpy(to + pieces.count, x, columns - pieces.count);
    memset(to + columns, 0, (0U - columns) % 16);
    return to;
}

void edge_asd_matrix_helium(const edge_asd_matrix *m, const int8_t *x, size_t x_stride, uint32_t vectors, size_t start,
                           size_t ring, int8_t *y, size_t y_stride, void *scratch) {
    const uint32_t blocks = (m->columns + 15U) / 16;
    const edge_asd_output output = edge_asd_output_of(m->zero_point, m->low, m->high);
    const size_t rows = m->rows;
    const bool twice = m->twice != 0;
    for (uint32_t v = 0; v < vectors; v++, y += y_stride) {
        const edge_asd_pieces pieces = edge_asd_pieces_of(x, start + v * x_stride, ring, m->columns);
        const int8_t *input = in_one_piece(pieces, x, m->columns, scratch);
        const int8_t *stream = (const int8_t *)m->stream;
        int8_t *to = y;
        for (const int8_t *end = y + rows; to < end; to += 4) {
            const int32x4_t sum = four_rows(&stream, input, blocks);
            const int32_t *constants = (const int32_t *)(const void *)stream; /* 4 biases, multipliers, shifts */
            edge_asd_store_rounded(vaddq_s32(sum, vld1q_s32(constants)), constants + 4, twice, &output, to);
            stream += 12 * sizeof *constants;
        }
    }
}

#else
typedef int edge_asd_matrix_helium_is_not_for_this_processor;
#endif
