/* SPDX-License-Identifier: MIT */
/* Features of a span: the C of blocks.py and features.py in edge_asd/distance. */
#include "edge_asd_features.h"

#include "edge_asd_score.h"
#include "edge_asd_target.h"

#include <string.h>

#define LOG2_PER_DB 43541      /* log2(10) / 10, Q0.17 */
#define DB_PER_LOG2 1616142483 /* 10 log10(2), Q2.29 */
#define FLOOR (-20037)         /* the front end's, rounded to Q8.7 */
#define POWER_BITS 45          /* less the bits of a span's frames: fractional bits of powers */

/* 2^(i/64) in Q1.16, and by how much the next one is greater, in Q1.32. */
static const int32_t lines[64][2] = {
    {65536, 714 << 16}, {66250, 721 << 16}, {66971, 729 << 16}, {67700, 738 << 16},
    {68438, 745 << 16}, {69183, 753 << 16}, {69936, 762 << 16}, {70698, 770 << 16},
    {71468, 778 << 16}, {72246, 786 << 16}, {73032, 796 << 16}, {73828, 804 << 16},
    {74632, 812 << 16}, {75444, 822 << 16}, {76266, 830 << 16}, {77096, 840 << 16},
    {77936, 849 << 16}, {78785, 857 << 16}, {79642, 868 << 16}, {80510, 876 << 16},
    {81386, 887 << 16}, {82273, 896 << 16}, {83169, 905 << 16}, {84074, 916 << 16},
    {84990, 925 << 16}, {85915, 936 << 16}, {86851, 945 << 16}, {87796, 956 << 16},
    {88752, 967 << 16}, {89719, 977 << 16}, {90696, 988 << 16}, {91684, 998 << 16},
    {92682, 1009 << 16}, {93691, 1020 << 16}, {94711, 1032 << 16}, {95743, 1042 << 16},
    {96785, 1054 << 16}, {97839, 1066 << 16}, {98905, 1077 << 16}, {99982, 1088 << 16},
    {101070, 1101 << 16}, {102171, 1112 << 16}, {103283, 1125 << 16}, {104408, 1137 << 16},
    {105545, 1149 << 16}, {106694, 1162 << 16}, {107856, 1175 << 16}, {109031, 1187 << 16},
    {110218, 1200 << 16}, {111418, 1213 << 16}, {112631, 1227 << 16}, {113858, 1240 << 16},
    {115098, 1253 << 16}, {116351, 1267 << 16}, {117618, 1281 << 16}, {118899, 1295 << 16},
    {120194, 1308 << 16}, {121502, 1323 << 16}, {122825, 1338 << 16}, {124163, 1352 << 16},
    {125515, 1367 << 16}, {126882, 1381 << 16}, {128263, 1397 << 16}, {129660, 1412 << 16},
};

void edge_asd_features_init(edge_asd_features *f, uint32_t bands, uint32_t frames, uint32_t blocks, uint64_t *power,
                            int64_t *square, int32_t *level, const uint16_t *log2) {
    f->power = power;
    f->square = square;
    f->level = level;
    f->log2 = log2;
    f->bands = bands;
    f->frames = frames;
    f->blocks = blocks;
    f->power_bits = POWER_BITS;
    for (uint32_t span = frames * blocks; span > 0; span >>= 1) {
        f->power_bits--;
    }
    f->log2_span = edge_asd_log2((uint64_t)frames * blocks, log2);
    f->block = 0;
    f->filled = 0;
    f->missing = blocks;
    const size_t all = ((size_t)blocks + 1) * bands;
    memset(power, 0, all * sizeof *power);
    memset(square, 0, all * sizeof *square);
    memset(level, 0, all * sizeof *level);
}

/* The block that is to fill leaves the span: its frames are those of a span ago. */
static void leave_span(edge_asd_features *f) {
    const size_t first = (size_t)f->block * f->bands, span = (size_t)f->blocks * f->bands;
    uint64_t *power = f->power + first, *all_power = f->power + span;
    int64_t *square = f->square + first, *all_square = f->square + span;
    int32_t *level = f->level + first, *all_level = f->level + span;
    for (uint32_t i = 0; i < f->bands; i++) {
        all_power[i] -= power[i];
        power[i] = 0;
        all_square[i] -= square[i];
        square[i] = 0;
        all_level[i] -= level[i];
        level[i] = 0;
    }
}

/* The block that is full joins it. */
static void join_span(edge_asd_features *f) {
    const size_t first = (size_t)f->block * f->bands, span = (size_t)f->blocks * f->bands;
    const uint64_t *power = f->power + first;
    const int64_t *square = f->square + first;
    const int32_t *level = f->level + first;
    uint64_t *all_power = f->power + span;
    int64_t *all_square = f->square + span;
    int32_t *all_level = f->level + span;
    for (uint32_t i = 0; i < f->bands; i++) {
        all_power[i] += power[i];
        all_square[i] += square[i];
        all_level[i] += level[i];
    }
}

/* A frame to the sums of its block. */
#if EDGE_ASD_KERNELS == EDGE_ASD_PORTABLE
static void add(uint64_t *power, int64_t *square, int32_t *level, const int32_t *db, uint32_t bands,
                int32_t power_bits) {
    for (const int32_t *end = db + bands; db < end; db++, power++, square++, level++) {
        const int32_t x = (*db + 128) >> 8;
        *square += (int64_t)x * x;
        *level += x;
        const int32_t exponent = x * LOG2_PER_DB;                           /* Q6.25, |exponent| < 2^31 */
        const int32_t *const line = lines[((uint32_t)exponent >> 19) & 63]; /* 6 bits choose the line */
        const uint32_t place = ((uint32_t)exponent >> 3) & 0xFFFF;          /* 16 bits the place on it */
        const uint32_t risen = ((uint32_t)(line[1] >> 16) * place + (1U << 15)) >> 16;
        const uint32_t mantissa = ((uint32_t)line[0] + risen) << 14; /* Q1.30 */
        const int32_t down = 30 - power_bits - (exponent >> 25);
        if (down <= 0) {
            *power += (uint64_t)mantissa * (1U << -down);
        } else if (down < 32) {
            *power += ((mantissa >> (down - 1)) + 1) >> 1;
        }
    }
}
#else
/* The same; the carry of a shift is the last bit that falls out, and rounds. */
static void add(uint64_t *power, int64_t *square, int32_t *level, const int32_t *db, uint32_t bands,
                int32_t power_bits) {
    int32_t x, exponent, y, low, high;
    __asm__ volatile(
        "1:\n"
        "ldr %[x], [%[db]], #4\n"
        "ldrd %[low], %[high], [%[square]]\n"
        "add %[x], %[x], #128\n"
        "asr %[x], %[x], #8\n"
        "mul %[exponent], %[x], %[log2_per_db]\n"
        "smlal %[low], %[high], %[x], %[x]\n"
        "ldr %[y], [%[level]]\n"
        "strd %[low], %[high], [%[square]], #8\n"
        "add %[y], %[y], %[x]\n"
        "str %[y], [%[level]], #4\n"
        "ubfx %[x], %[exponent], #19, #6\n"
        "add %[x], %[lines], %[x], lsl #3\n"
        "ldrd %[low], %[high], [%[x]]\n"
        "ubfx %[y], %[exponent], #3, #16\n"
        "smmlar %[y], %[y], %[high], %[low]\n"
        "ldrd %[low], %[high], [%[power]]\n"
        "lsl %[y], %[y], #14\n"
        "subs %[x], %[bits], %[exponent], asr #25\n"
        "ble 2f\n"
        "lsrs %[y], %[y], %[x]\n"
        "adcs %[low], %[low], %[y]\n"
        "adc %[high], %[high], #0\n"
        "strd %[low], %[high], [%[power]], #8\n"
        "cmp %[db], %[end]\n"
        "bne 1b\n"
        "b 3f\n"
        "2:\n"
        "rsb %[x], %[x], #0\n"
        "mov %[exponent], #1\n"
        "lsl %[exponent], %[exponent], %[x]\n"
        "umlal %[low], %[high], %[y], %[exponent]\n"
        "strd %[low], %[high], [%[power]], #8\n"
        "cmp %[db], %[end]\n"
        "bne 1b\n"
        "3:\n"
        : [power] "+r"(power), [square] "+r"(square), [level] "+r"(level), [db] "+r"(db), [x] "=&r"(x),
          [exponent] "=&r"(exponent), [y] "=&r"(y), [low] "=&r"(low), [high] "=&r"(high)
        : [end] "r"(db + bands), [lines] "r"(lines), [log2_per_db] "r"(LOG2_PER_DB), [bits] "r"(30 - power_bits)
        : "cc", "memory");
}
#endif

bool edge_asd_features_push(edge_asd_features *f, const int32_t *db) {
    const size_t first = (size_t)f->block * f->bands;
    if (f->filled == 0) {
        leave_span(f);
    }
    add(f->power + first, f->square + first, f->level + first, db, f->bands, f->power_bits);
    f->filled++;
    if (f->filled < f->frames) {
        return false;
    }
    join_span(f);
    f->filled = 0;
    f->block = f->block + 1 == f->blocks ? 0 : f->block + 1;
    f->missing -= f->missing > 0 ? 1 : 0;
    return f->missing == 0;
}

void edge_asd_features_of_span(const edge_asd_features *f, int16_t *x) {
    const uint32_t bands = f->bands;
    const size_t span = (size_t)f->blocks * bands;
    const int64_t n = (int64_t)f->frames * f->blocks;
    const int32_t log2_power = f->power_bits * 65536 + f->log2_span;
    const int32_t log2_variance = 16 * 65536 + 2 * f->log2_span;
    for (uint32_t band = 0; band < bands; band++) {
        const uint64_t power = f->power[span + band];
        const int64_t square = f->square[span + band], level = f->level[span + band];
        int32_t db = FLOOR; /* Q8.7 */
        if (power != 0) {
            const int32_t log2 = edge_asd_log2(power, f->log2) - log2_power;
            const int32_t exact = (int32_t)(((int64_t)log2 * DB_PER_LOG2 + (1 << 28)) >> 29);
            const int32_t rounded = (exact + 256) >> 9;
            db = rounded > FLOOR ? rounded : FLOOR;
        }
        x[band] = (int16_t)db;
        /* n^2 times the variance and the least that is told apart: positive, below 2^62 */
        const int64_t variance = n * square - level * level + n * n;
        const int32_t log2 = edge_asd_log2((uint64_t)variance, f->log2) - log2_variance;
        x[bands + band] = (int16_t)(((int64_t)log2 * DB_PER_LOG2 + ((int64_t)1 << 38)) >> 39);
    }
}
