/* SPDX-License-Identifier: MIT */
/* The roundings that int8 networks are defined by. Right shifts of negative values are arithmetic. */
#ifndef EDGE_ASD_ROUNDING_H
#define EDGE_ASD_ROUNDING_H

#include <stdint.h>

/* a * b / 2^32, rounded, halves up. */
static inline int32_t edge_asd_high_product(int32_t a, int32_t b) {
#if defined(__GNUC__) && defined(__ARM_FEATURE_DSP) && defined(__thumb__)
    int32_t high;
    __asm__("smmulr %0, %1, %2" : "=r"(high) : "r"(a), "r"(b));
    return high;
#else
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 31)) >> 32);
#endif
}

/* a * b / 2^31, rounded, halves up; a and b are not both -2^31. */
static inline int32_t edge_asd_doubled_high_product(int32_t a, int32_t b) {
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 30)) >> 31);
}

/* x / 2^shift, rounded, halves away from zero; shift is 0 to 31. */
static inline int32_t edge_asd_rounding_shift(int32_t x, int32_t shift) {
    const int32_t mask = (int32_t)(((uint32_t)1 << shift) - 1U);
    const int32_t half = (mask >> 1) + (x < 0 ? 1 : 0);
    return (x >> shift) + ((x & mask) > half ? 1 : 0);
}

/* x * multiplier * 2^(shift - 31), rounded twice as above; shift is -31 to 30, and x * 2^shift fits 32 bits. */
static inline int32_t edge_asd_rescale_twice(int32_t x, int32_t multiplier, int32_t shift) {
    if (shift > 0) {
        return edge_asd_doubled_high_product(x * ((int32_t)1 << shift), multiplier);
    }
    return edge_asd_rounding_shift(edge_asd_doubled_high_product(x, multiplier), -shift);
}

/* The nearest of low .. high. */
static inline int32_t edge_asd_clamp(int32_t x, int32_t low, int32_t high) {
    return x < low ? low : x > high ? high : x;
}

/* The nearest of -128 .. 127. */
static inline int32_t edge_asd_saturate(int32_t x) {
#if defined(__GNUC__) && defined(__ARM_FEATURE_SAT) && defined(__thumb__)
    int32_t nearest;
    __asm__("ssat %0, #8, %1" : "=r"(nearest) : "r"(x));
    return nearest;
#else
    return edge_asd_clamp(x, -128, 127);
#endif
}

#endif
