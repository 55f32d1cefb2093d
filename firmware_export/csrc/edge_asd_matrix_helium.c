/* SPDX-License-Identifier: MIT */
/* Int8 matrices with Helium: sixteen columns of a row in one instruction, and four rows rounded together. */
#include "edge_asd_helium.h"
#include "edge_asd_matrix_kernels.h"

#if EDGE_ASD_KERNELS == EDGE_ASD_HELIUM

#include <string.h>

typedef struct {
    int32_t row[4];
} sums;

/* Sums of four rows over `blocks` of 16 columns, and the stream behind them:
 *     for each block: for i = 0 .. 3: row[i] += dot(16 weights of the row, 16 inputs) */
static inline const int8_t *four_rows(const int8_t *w, const int8_t *x, uint32_t blocks, sums *s) {
    register int32_t a __asm__("r4") = 0;
    register int32_t b __asm__("r6") = 0;
    register int32_t c __asm__("r8") = 0;
    register int32_t d __asm__("r10") = 0;
    __asm__ volatile(
        "dls lr, %[blocks]\n"
        "1:\n"
        "vldrb.u8 q0, [%[x]], #16\n"
        "vldrb.u8 q1, [%[w]], #16\n"
        "vldrb.u8 q2, [%[w]], #16\n"
        "vmlava.s8 %[a], q0, q1\n"
        "vldrb.u8 q1, [%[w]], #16\n"
        "vmlava.s8 %[b], q0, q2\n"
        "vldrb.u8 q2, [%[w]], #16\n"
        "vmlava.s8 %[c], q0, q1\n"
        "vmlava.s8 %[d], q0, q2\n"
        "le lr, 1b\n"
        : [w] "+r"(w), [x] "+r"(x), [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+r"(d)
        : [blocks] "r"(blocks)
        : "lr", "q0", "q1", "q2", "memory");
    s->row[0] = a;
    s->row[1] = b;
    s->row[2] = c;
    s->row[3] = d;
    return w;
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

void edge_asd_matrix_quick(const edge_asd_matrix *m, const int8_t *x, size_t x_stride, uint32_t vectors, size_t start,
                           size_t ring, int8_t *y, size_t y_stride, void *scratch) {
    const uint32_t blocks = (m->columns + 15U) / 16;
    for (uint32_t v = 0; v < vectors; v++, y += y_stride) {
        const edge_asd_pieces pieces = edge_asd_pieces_of(x, start + v * x_stride, ring, m->columns);
        const int8_t *input = in_one_piece(pieces, x, m->columns, scratch);
        const int8_t *stream = (const int8_t *)m->stream;
        for (int8_t *to = y; to < y + m->rows; to += 4) {
            sums s;
            stream = four_rows(stream, input, blocks, &s);
            const int32_t *constants = (const int32_t *)(const void *)stream; /* 4 biases, multipliers, shifts */
            const int32x4_t sum = vaddq_s32(vld1q_s32(s.row), vld1q_s32(constants));
            edge_asd_store_rounded(sum, constants + 4, m->twice != 0, m->zero_point, m->low, m->high, to);
            stream += 12 * sizeof *constants;
        }
    }
}

#else
typedef int edge_asd_matrix_helium_is_not_for_this_processor;
#endif
