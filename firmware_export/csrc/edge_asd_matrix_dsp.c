/* SPDX-License-Identifier: MIT */
/* Int8 matrices on Cortex-M4, M7 and M33: three instructions for four weights.
 *
 * A word of weights holds two halfwords 256 h + l (firmware_export/matrix.py). Inputs are prepared as pairs u = x_h - 127
 * and y = 256 x_l - u, so that SMLAD(word, u) + SMLAD(its two l, y) is 256 times the four products, less a constant
 * that the bias holds. The high word of 256 sum * multiplier is all that rounding needs:
 *
 *     once:  SSAT((high(sum * multiplier) + addend) >> shift)
 *     twice: SSAT((round(high(sum/128 * multiplier)) + addend + (sum >> 31)) >> shift)
 *
 * Twice behind a ReLU is once with another addend (firmware_export/matrix.py).
 *
 * The loops are in assembly because they use all fourteen registers; above each stands what it does, in C. */
#include "edge_asd_matrix_kernels.h"

#include <stdbool.h>

#if EDGE_ASD_KERNELS == EDGE_ASD_DSP

static inline uint32_t signed_odd_bytes(uint32_t x) {
    uint32_t y;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(y) : "r"(x));
    return y;
}

static inline uint32_t even_bytes(uint32_t x) {
    uint32_t y;
    __asm__("uxtb16 %0, %1" : "=r"(y) : "r"(x));
    return y;
}

static inline uint32_t subtract_halves(uint32_t x, uint32_t y) {
    uint32_t z;
    __asm__("ssub16 %0, %1, %2" : "=r"(z) : "r"(x), "r"(y));
    return z;
}

/* Four inputs, packed, to their pair of words {u, y}, `stride` words apart. */
static inline void prepare(uint32_t x, uint32_t *to, size_t stride) {
    const uint32_t u = subtract_halves(signed_odd_bytes(x), 0x007F007FU);
    to[0] = u;
    to[stride] = subtract_halves(even_bytes(x) << 8, u);
}

static inline uint32_t word_at(const int8_t *x) {
    uint32_t word;
    __builtin_memcpy(&word, x, sizeof word);
    return word;
}

/* What fills up the last 8 columns; it meets weights of 0. */
static inline size_t whole(size_t columns) { return (columns + 7) / 8 * 8; }

/* A vector of whole eights of columns. */
static void prepare_one(const int8_t *x, size_t columns, uint32_t *to) {
    for (const int8_t *end = x + columns; x < end; x += 8, to += 4) {
        prepare(word_at(x), to, 1);
        prepare(word_at(x + 4), to + 2, 1);
    }
}

/* Four such vectors, `stride` values apart. */
static void prepare_four(const int8_t *x0, size_t stride, size_t columns, uint32_t *to) {
    const int8_t *x1 = x0 + stride, *x2 = x1 + stride, *x3 = x2 + stride;
    for (const int8_t *end = x0 + columns; x0 < end; x0 += 4, x1 += 4, x2 += 4, x3 += 4, to += 8) {
        prepare(word_at(x0), to, 4);
        prepare(word_at(x1), to + 1, 4);
        prepare(word_at(x2), to + 2, 4);
        prepare(word_at(x3), to + 3, 4);
    }
}

/* A vector of any length, anywhere in a ring; its words lie `together` vectors apart. */
static void prepare_any(edge_asd_pieces pieces, const int8_t *x, size_t columns, uint32_t *to, size_t together) {
    for (size_t column = 0; column < whole(columns); column += 4, to += 2 * together) {
        uint32_t word = 0;
        if (column + 4 <= pieces.count) {
            word = word_at(pieces.first + column);
        } else if (column >= pieces.count && column + 4 <= columns) {
            word = word_at(x + (column - pieces.count));
        } else {
            for (size_t i = column; i < column + 4 && i < columns; i++) {
                const int8_t value = i < pieces.count ? pieces.first[i] : x[i - pieces.count];
                word |= (uint32_t)(uint8_t)value << (8 * (i - column));
            }
        }
        prepare(word, to, together);
    }
}

/* What the assembly reads; the order matters. */
typedef struct {
    const uint32_t *stream;
    const uint32_t *stream_end;
    const uint32_t *x;
    const uint32_t *x_end;
    size_t entry; /* bytes into the unrolled loop */
    int8_t *y[4];
} job;

/* acc -> one output; the row's {bias, multiplier, addend, shift} are in the four registers named. */
#define ROUND_ONCE(acc, bias, multiplier, addend, shift, free) \
    "add " acc ", " acc ", " bias "\n" \
    "smmla " acc ", " acc ", " multiplier ", " addend "\n" \
    "asr " acc ", " acc ", " shift "\n" \
    "ssat " acc ", #8, " acc "\n"
#define ROUND_TWICE(acc, bias, multiplier, addend, shift, free) \
    "add " acc ", " bias ", " acc ", asr #7\n" \
    "smmlar " free ", " acc ", " multiplier ", " addend "\n" \
    "add " acc ", " free ", " acc ", asr #31\n" \
    "asr " acc ", " acc ", " shift "\n" \
    "ssat " acc ", #8, " acc "\n"

/* Eight columns of four rows: r2 - r5 are their sums, r0 the stream, r1 the inputs. */
#define FOUR_ROWS(u, y) \
    "ldmia.w r0!, {r6, r7, r8, r9}\n" \
    "smlad r2, r6, " u ", r2\n" \
    "smlad r3, r7, " u ", r3\n" \
    "smlad r4, r8, " u ", r4\n" \
    "smlad r5, r9, " u ", r5\n" \
    "sxtb16 r6, r6\n" \
    "sxtb16 r7, r7\n" \
    "sxtb16 r8, r8\n" \
    "sxtb16 r9, r9\n" \
    "smlad r2, r6, " y ", r2\n" \
    "smlad r3, r7, " y ", r3\n" \
    "smlad r4, r8, " y ", r4\n" \
    "smlad r5, r9, " y ", r5\n"
#define EIGHT_COLUMNS "ldmia.w r1!, {r10, r11, r12, lr}\n" FOUR_ROWS("r10", "r11") FOUR_ROWS("r12", "lr")
#define EIGHT_COLUMNS_BYTES (27 * 4)

/* for each group of 4 rows:
 *     sum[0 .. 3] = 0
 *     for each 4 columns, with their u and y:
 *         for i = 0 .. 3: word = *stream++, sum[i] += dual(word, u) + dual(low bytes of word, y)
 *     for i = 0 .. 3: *y++ = rounded(sum[i], {bias, multiplier, addend, shift} = *stream++)
 */
#define ROWS_FUNCTION(name, ROUND) \
    EDGE_ASD_NAKED static void name(job *j __attribute__((unused))) { \
        __asm__ volatile( \
            "push {r4-r11, lr}\n" \
            "sub sp, #20\n" \
            "ldmia.w r0, {r1, r2, r3, r4, r5, r6}\n" /* stream, stream_end, x, x_end, entry, y[0] */ \
            "str r2, [sp, #0]\n" \
            "str r3, [sp, #4]\n" \
            "str r4, [sp, #8]\n" \
            "str r6, [sp, #12]\n" \
            "adr r7, 2f\n" \
            "add r7, r5\n" \
            "orr r7, #1\n" \
            "str r7, [sp, #16]\n" \
            "mov r0, r1\n" \
            "1:\n" \
            "ldr r1, [sp, #4]\n" \
            "mov r2, #0\n" \
            "mov r3, r2\n" \
            "mov r4, r2\n" \
            "mov r5, r2\n" \
            "ldr pc, [sp, #16]\n" \
            ".balign 4\n" \
            "2:\n" EIGHT_COLUMNS EIGHT_COLUMNS EIGHT_COLUMNS EIGHT_COLUMNS \
            "ldr r6, [sp, #8]\n" \
            "cmp r1, r6\n" \
            "bne 2b\n" \
            "ldmia.w r0!, {r6, r7, r8, r9, r10, r11, r12, lr}\n" \
            ROUND("r2", "r6", "r7", "r8", "r9", "r1") \
            ROUND("r3", "r10", "r11", "r12", "lr", "r1") \
            "ldmia.w r0!, {r6, r7, r8, r9, r10, r11, r12, lr}\n" \
            ROUND("r4", "r6", "r7", "r8", "r9", "r1") \
            ROUND("r5", "r10", "r11", "r12", "lr", "r1") \
            "ldr r1, [sp, #12]\n" \
            "strb r2, [r1], #1\n" \
            "strb r3, [r1], #1\n" \
            "strb r4, [r1], #1\n" \
            "strb r5, [r1], #1\n" \
            "str r1, [sp, #12]\n" \
            "ldr r1, [sp, #0]\n" \
            "cmp r0, r1\n" \
            "bne 1b\n" \
            "add sp, #20\n" \
            "pop {r4-r11, pc}\n"); \
    }

/* Four columns of two rows for four vectors: r2 - r5 are the sums of the first row, r6 - r9 of the second. */
#define PAIR_U(op, s2, s3, s4, s5, s6, s7, s8, s9) \
    "ldrd r12, lr, [r1], #8\n" \
    op " r2, r10, r12" s2 "\n" \
    op " r3, r10, lr" s3 "\n" \
    op " r6, r11, r12" s6 "\n" \
    op " r7, r11, lr" s7 "\n" \
    "ldrd r12, lr, [r1], #8\n" \
    op " r4, r10, r12" s4 "\n" \
    op " r5, r10, lr" s5 "\n" \
    op " r8, r11, r12" s8 "\n" \
    op " r9, r11, lr" s9 "\n"
#define ADDING(op) PAIR_U(op, ", r2", ", r3", ", r4", ", r5", ", r6", ", r7", ", r8", ", r9")
#define STARTING PAIR_U("smuad", "", "", "", "", "", "", "", "")
#define LOW_BYTES "sxtb16 r10, r10\nsxtb16 r11, r11\n"
#define FIRST_COLUMNS "ldrd r10, r11, [r0], #8\n" STARTING LOW_BYTES ADDING("smlad")
#define MORE_COLUMNS_BYTES (23 * 4)
#define MORE_COLUMNS "ldrd r10, r11, [r0], #8\n" ADDING("smlad") LOW_BYTES ADDING("smlad")

/* for each pair of rows:
 *     sum[0 .. 1][0 .. 3] = 0
 *     for each 4 columns, with u and y of the four vectors:
 *         words = *stream++ of both rows
 *         sum[i][v] += dual(words[i], u[v]) + dual(low bytes of words[i], y[v])
 *     for each row i and vector v: *y[v]++ = rounded(sum[i][v], constants of the row = *stream++)
 */
#define PAIRS_FUNCTION(name, ROUND) \
    EDGE_ASD_NAKED static void name(job *j __attribute__((unused))) { \
        __asm__ volatile( \
            "push {r4-r11, lr}\n" \
            "sub sp, #36\n" \
            "ldmia.w r0, {r1, r2, r3, r4, r5, r6, r7, r8, r9}\n" /* stream .. x_end, entry, y[0 .. 3] */ \
            "adr r10, 2f\n" \
            "add r10, r5\n" \
            "orr r10, #1\n" \
            "str r10, [sp, #28]\n" \
            "mov r0, r1\n" \
            "str r2, [sp, #0]\n" \
            "str r3, [sp, #4]\n" \
            "str r4, [sp, #8]\n" \
            "add r1, sp, #12\n" \
            "stmia.w r1, {r6, r7, r8, r9}\n" \
            "1:\n" \
            "ldr r1, [sp, #4]\n" \
            FIRST_COLUMNS MORE_COLUMNS \
            "ldr pc, [sp, #28]\n" \
            ".balign 4\n" \
            "2:\n" MORE_COLUMNS MORE_COLUMNS MORE_COLUMNS MORE_COLUMNS \
            "ldr r12, [sp, #8]\n" \
            "cmp r1, r12\n" \
            "bne 2b\n" \
            "ldmia.w r0!, {r10, r11, r12, lr}\n" \
            ROUND("r2", "r10", "r11", "r12", "lr", "r1") \
            ROUND("r3", "r10", "r11", "r12", "lr", "r1") \
            ROUND("r4", "r10", "r11", "r12", "lr", "r1") \
            ROUND("r5", "r10", "r11", "r12", "lr", "r1") \
            "ldmia.w r0!, {r10, r11, r12, lr}\n" \
            ROUND("r6", "r10", "r11", "r12", "lr", "r1") \
            ROUND("r7", "r10", "r11", "r12", "lr", "r1") \
            ROUND("r8", "r10", "r11", "r12", "lr", "r1") \
            ROUND("r9", "r10", "r11", "r12", "lr", "r1") \
            "add r1, sp, #12\n" \
            "ldmia.w r1, {r10, r11, r12, lr}\n" \
            "strb r2, [r10], #1\n" \
            "strb r6, [r10], #1\n" \
            "strb r3, [r11], #1\n" \
            "strb r7, [r11], #1\n" \
            "strb r4, [r12], #1\n" \
            "strb r8, [r12], #1\n" \
            "strb r5, [lr], #1\n" \
            "strb r9, [lr], #1\n" \
            "stmia.w r1, {r10, r11, r12, lr}\n" \
            "ldr r1, [sp, #0]\n" \
            "cmp r0, r1\n" \
            "bne 1b\n" \
            "add sp, #36\n" \
            "pop {r4-r11, pc}\n"); \
    }

ROWS_FUNCTION(rows_once, ROUND_ONCE)
ROWS_FUNCTION(rows_twice, ROUND_TWICE)
PAIRS_FUNCTION(pairs_once, ROUND_ONCE)
PAIRS_FUNCTION(pairs_twice, ROUND_TWICE)

/* The activation's range, where it is not all of int8. */
static void limit(const edge_asd_matrix *m, int8_t *y) {
    for (const int8_t *end = y + m->rows; y < end; y++) {
        *y = (int8_t)(*y < m->low ? m->low : *y > m->high ? m->high : *y);
    }
}

typedef void kernel(job *j);

static job job_of(const edge_asd_matrix *m, uint32_t together, void *scratch) {
    const size_t eights = whole(m->columns) / 8;
    job j;
    j.x = (uint32_t *)scratch;
    j.x_end = j.x + 4 * eights * together;
    j.stream = m->stream;
    j.stream_end = m->stream + m->rows * (2 * eights + 4);
    if (together == 1) {
        j.entry = (0U - eights) % 4 * EIGHT_COLUMNS_BYTES;
    } else { /* the first eight columns stand before the loop of twice eight */
        j.entry = eights == 1 ? 4 * MORE_COLUMNS_BYTES : (eights - 1) % 2 * 2 * MORE_COLUMNS_BYTES;
    }
    return j;
}

static inline bool has_range(const edge_asd_matrix *m) { return m->low != -128 || m->high != 127; }

static void rows(const edge_asd_matrix *m, const int8_t *x, size_t x_stride, uint32_t vectors, size_t start,
                 size_t ring, int8_t *y, size_t y_stride, void *scratch, kernel *run) {
    const size_t columns = m->columns;
    job j = job_of(m, 1, scratch);
    for (uint32_t v = 0; v < vectors; v++, y += y_stride) {
        if (ring == 0 && columns % 8 == 0) {
            prepare_one(x + v * x_stride, columns, (uint32_t *)scratch);
        } else {
            prepare_any(edge_asd_pieces_of(x, start + v * x_stride, ring, columns), x, columns, (uint32_t *)scratch,
                        1);
        }
        j.y[0] = y;
        run(&j);
        if (has_range(m)) {
            limit(m, y);
        }
    }
}

static void quads(const edge_asd_matrix *m, const int8_t *x, size_t x_stride, uint32_t vectors, size_t start,
                  size_t ring, int8_t *y, size_t y_stride, void *scratch, kernel *run) {
    const size_t columns = m->columns;
    job j = job_of(m, 4, scratch);
    for (uint32_t v = 0; v < vectors; v += 4) {
        const bool straight = ring == 0 && columns % 8 == 0 && v + 4 <= vectors;
        if (straight) {
            prepare_four(x + v * x_stride, x_stride, columns, (uint32_t *)scratch);
        }
        for (uint32_t i = 0; i < 4; i++) {
            const size_t at = v + i < vectors ? v + i : vectors - 1; /* the last one fills up four */
            j.y[i] = y + at * y_stride;
            if (!straight) {
                prepare_any(edge_asd_pieces_of(x, start + at * x_stride, ring, columns), x, columns,
                            (uint32_t *)scratch + i, 4);
            }
        }
        run(&j);
        for (uint32_t i = v; has_range(m) && i < v + 4 && i < vectors; i++) {
            limit(m, y + i * y_stride);
        }
    }
}

void edge_asd_matrix_rows_once(const edge_asd_matrix *m, const int8_t *x, size_t x_stride, uint32_t vectors,
                               size_t start, size_t ring, int8_t *y, size_t y_stride, void *scratch) {
    rows(m, x, x_stride, vectors, start, ring, y, y_stride, scratch, rows_once);
}

void edge_asd_matrix_rows_twice(const edge_asd_matrix *m, const int8_t *x, size_t x_stride, uint32_t vectors,
                                size_t start, size_t ring, int8_t *y, size_t y_stride, void *scratch) {
    rows(m, x, x_stride, vectors, start, ring, y, y_stride, scratch, rows_twice);
}

void edge_asd_matrix_quads_once(const edge_asd_matrix *m, const int8_t *x, size_t x_stride, uint32_t vectors,
                                size_t start, size_t ring, int8_t *y, size_t y_stride, void *scratch) {
    quads(m, x, x_stride, vectors, start, ring, y, y_stride, scratch, pairs_once);
}

void edge_asd_matrix_quads_twice(const edge_asd_matrix *m, const int8_t *x, size_t x_stride, uint32_t vectors,
                                 size_t start, size_t ring, int8_t *y, size_t y_stride, void *scratch) {
    quads(m, x, x_stride, vectors, start, ring, y, y_stride, scratch, pairs_twice);
}

#else
typedef int edge_asd_matrix_dsp_is_not_for_this_processor;
#endif
