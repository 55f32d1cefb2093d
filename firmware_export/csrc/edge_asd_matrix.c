/* SPDX-License-Identifier: MIT */
/* Int8 matrices: the portable kernel, and what all kernels share. */
#include "edge_asd_matrix.h"

#include <string.h>

#include "edge_asd_matrix_kernels.h"
#include "edge_asd_rounding.h"

/* Sums of four rows, which share the input:
 *
 *     for each column: for i = 0 .. 3: sums[i] += x[column] * stream byte[i]
 *
 * Bytes without sign, 128 too large each, because Cortex-M0+ reads only those with an offset in the instruction. Returns
 * the stream behind them. The assembly needs more registers than GCC leaves where it optimises for size. */
#if defined(__GNUC__) && defined(__ARM_ARCH_6M__) && !defined(__OPTIMIZE_SIZE__)
#define BYTE(i, sum)                  \
    "ldrb %[byte], [%[w], #" i "]\n" \
    "muls %[byte], %[value]\n"      \
    "add " sum ", %[byte]\n"
#define COLUMN(i, w0, w1, w2, w3)                   \
    "ldrb %[value], [%[x], #" i "]\n" BYTE(w0, "%[a]") \
    BYTE(w1, "%[b]") BYTE(w2, "%[c]") BYTE(w3, "%[d]")
__attribute__((noinline)) static const uint32_t *four_rows(const uint32_t *stream, const uint8_t *x, uint32_t columns,
                                                           uint32_t sums[4]) {
    const uint8_t *w = (const uint8_t *)stream, *const fours = x + columns / 4 * 4, *const end = x + columns;
    uint32_t a = 0, b = 0, c = 0, d = 0, value, byte;
    if (x < fours) {
        __asm__ volatile(".syntax unified\n"
                         "1:\n" COLUMN("0", "0", "1", "2", "3") COLUMN("1", "4", "5", "6", "7")
                             COLUMN("2", "8", "9", "10", "11") COLUMN("3", "12", "13", "14", "15")
                         "adds %[x], #4\n"
                         "adds %[w], #16\n"
                         "cmp %[x], %[fours]\n"
                         "bne 1b\n"
                         : [w] "+l"(w), [x] "+l"(x), [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+r"(d),
                           [value] "=&l"(value), [byte] "=&l"(byte) /* r7 is left to a frame pointer */
                         : [fours] "r"(fours)
                         : "cc", "memory");
    }
    for (; x < end; x++, w += 4) {
        a += (uint32_t)*x * w[0];
        b += (uint32_t)*x * w[1];
        c += (uint32_t)*x * w[2];
        d += (uint32_t)*x * w[3];
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
    return stream + columns;
}
#undef BYTE
#else
#define COLUMN(i)                    \
    do {                             \
        const uint32_t value = x[i]; \
        a += value * w[4 * i];       \
        b += value * w[4 * i + 1];   \
        c += value * w[4 * i + 2];   \
        d += value * w[4 * i + 3];   \
    } while (0)
#if defined(__GNUC__)
__attribute__((noinline)) /* inlined, it would compete for registers */
#endif
#if defined(__riscv) && !defined(__clang__)
__attribute__((optimize("no-schedule-insns"))) /* which would load all sixteen bytes first */
#endif
static const uint32_t *four_rows(const uint32_t *stream, const uint8_t *x, uint32_t columns, uint32_t sums[4]) {
    const uint8_t *w = (const uint8_t *)stream, *const end = x + columns;
    uint32_t a = 0, b = 0, c = 0, d = 0;
    for (const uint8_t *fours = x + columns / 4 * 4; x < fours; x += 4, w += 16) {
        COLUMN(0);
        COLUMN(1);
        COLUMN(2);
        COLUMN(3);
    }
    for (; x < end; x++, w += 4) {
        COLUMN(0);
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
    return stream + columns;
}
#endif
#undef COLUMN

static void multiply(const edge_asd_matrix *m, const uint8_t *x, uint32_t correction, int8_t *y) {
    const uint32_t *stream = m->stream;
    const uint32_t columns = m->columns;
    const int32_t zero_point = m->zero_point, low = m->low, high = m->high;
    const bool twice = m->twice != 0;
    for (int32_t left = m->rows; left > 0; left -= 4, y += 4) {
        uint32_t sums[4];
        stream = four_rows(stream, x, columns, sums);
        const int32_t count = left < 4 ? left : 4;
        for (int32_t i = 0; i < count; i++, stream += 3) {
            const int32_t sum = (int32_t)(sums[i] - correction + stream[0]);
            const int32_t value = edge_asd_rescale(sum, (int32_t)stream[1], (int32_t)stream[2], twice) + zero_point;
            y[i] = (int8_t)edge_asd_clamp(value, low, high);
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

void edge_asd_matrix_portable(const edge_asd_matrix *m, const int8_t *x, size_t x_stride, uint32_t vectors,
                              size_t start, size_t ring, int8_t *y, size_t y_stride, void *scratch) {
    for (uint32_t v = 0; v < vectors; v++, y += y_stride) {
        const edge_asd_pieces pieces = edge_asd_pieces_of(x, start + v * x_stride, ring, m->columns);
        uint8_t *bytes = (uint8_t *)scratch;
        uint32_t sum = shifted(pieces.first, pieces.count, bytes);
        sum += shifted(x, m->columns - pieces.count, bytes + pieces.count);
        multiply(m, bytes, 128 * sum, y);
    }
}
