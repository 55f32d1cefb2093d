/* Arithmetic that the front end's two C implementations share. Internal: include the .h with the
 * contract instead.
 *
 * Shifting a negative number right must be arithmetic, and converting to a narrower signed type
 * must wrap: C99 leaves both to the compiler, and every compiler does so. */
#ifndef EDGE_ASD_FRONTEND_OPS_H
#define EDGE_ASD_FRONTEND_OPS_H

#include "edge_asd_frontend.h"

/* x * 2^n for values whose result fits; defined for negative x too. */
static inline int32_t edge_asd_shift_left(int32_t x, uint32_t n) { return (int32_t)((uint32_t)x << n); }

#if defined(__GNUC__) && defined(__ARM_FEATURE_DSP) && !defined(__aarch64__) && __ARM_ARCH >= 6
/* floor((a b + 2^31) / 2^32) */
static inline int32_t edge_asd_mul(int32_t a, int32_t b) {
    int32_t result;
    __asm__("smmulr %0, %1, %2" : "=r"(result) : "r"(a), "r"(b));
    return result;
}

/* sum + floor((a b + 2^31) / 2^32) */
static inline int32_t edge_asd_mul_add(int32_t sum, int32_t a, int32_t b) {
    __asm__("smmlar %0, %1, %2, %0" : "+r"(sum) : "r"(a), "r"(b));
    return sum;
}

/* sum + floor((2^31 - a b) / 2^32) */
static inline int32_t edge_asd_mul_subtract(int32_t sum, int32_t a, int32_t b) {
    __asm__("smmlsr %0, %1, %2, %0" : "+r"(sum) : "r"(a), "r"(b));
    return sum;
}
#else
static inline int32_t edge_asd_mul(int32_t a, int32_t b) {
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 31)) >> 32);
}

static inline int32_t edge_asd_mul_add(int32_t sum, int32_t a, int32_t b) { return sum + edge_asd_mul(a, b); }

static inline int32_t edge_asd_mul_subtract(int32_t sum, int32_t a, int32_t b) {
    return sum + (int32_t)((((int64_t)1 << 31) - (int64_t)a * b) >> 32);
}
#endif

/* floor((x + 1) / 2), x < 2^31 - 1 */
static inline int32_t edge_asd_halve(int32_t x) { return (x + 1) >> 1; }

/* floor((x + 2) / 4), x < 2^31 - 2 */
static inline int32_t edge_asd_quarter(int32_t x) { return (x + 2) >> 2; }

/* |x|, less one if x is negative: enough to count bits, and it always fits. */
static inline uint32_t edge_asd_magnitude(int32_t x) { return (uint32_t)(x ^ -(x < 0)); }

/* Leading zeros of a 32-bit word that is not 0. */
static inline uint32_t edge_asd_leading_zeros(uint32_t x) {
#if defined(__GNUC__)
    return (uint32_t)__builtin_clz(x);
#else
    uint32_t n = 0;
    for (uint32_t step = 16; step > 0; step >>= 1) {
        if ((x >> (32 - step)) == 0) {
            n += step;
            x <<= step;
        }
    }
    return n;
#endif
}

/* Bits in use: 0 for 0. */
static inline uint32_t edge_asd_bits(uint32_t x) { return x == 0 ? 0 : 32 - edge_asd_leading_zeros(x); }

/* Mel energy to decibels in Q15.16; `offset` is the band's. */
static inline int32_t edge_asd_decibels(const edge_asd_frontend_tables *t, uint64_t energy, int32_t offset) {
    uint32_t word = (uint32_t)(energy >> 32);
    uint32_t rest = (uint32_t)energy;
    int32_t log2 = 63 * 65536;
    if (word == 0) {
        word = rest;
        rest = 0;
        log2 = 31 * 65536;
    }
    int32_t result = t->floor_log2;
    if (word != 0) {
        const uint32_t zeros = edge_asd_leading_zeros(word);
        word = (word << zeros) | ((rest >> 1) >> (31 - zeros)); /* leading one at bit 31 */
        const uint16_t *line = t->log2 + ((word >> 25) & 63);   /* 6 bits choose the line */
        const uint32_t fraction = (word >> 9) & 0xFFFF;         /* 16 bits the place on it */
        const uint32_t slope = (uint16_t)(line[1] - line[0]);   /* <= 1466, so slope * fraction < 2^27 */
        log2 += line[0] + (int32_t)((slope * fraction + (1U << 15)) >> 16) + offset;
        log2 -= edge_asd_shift_left((int32_t)zeros, 16);
        if (log2 > result) {
            result = log2;
        }
    }
    /* |result| < 2^23, so eight times it fits: Q15.16 * 2^3 times Q2.29, high word */
    return edge_asd_mul(edge_asd_shift_left(result, 3), t->db_per_log2);
}

#endif
