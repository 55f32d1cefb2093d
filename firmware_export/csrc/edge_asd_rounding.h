/* SPDX-License-Identifier: MIT */
/* The roundings that int8 networks are defined by. Right shifts of negative values are arithmetic. */
#ifndef EDGE_ASD_ROUNDING_H
#define EDGE_ASD_ROUNDING_H

#include <stdbool.h>
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

/* A ratio of scales is multiplier * 2^(shift - 31). */

/* floor(a b / 2^32); b is not negative. Cortex-M0+ has no long multiplication. */
static inline int32_t edge_asd_high_word(int32_t a, int32_t b) {
#if defined(__ARM_ARCH_6M__)
    const int32_t a1 = a >> 16, b1 = b >> 16;
    const uint32_t a0 = (uint32_t)a & 0xFFFFU, b0 = (uint32_t)b & 0xFFFFU;
    const int32_t middle = a1 * (int32_t)b0 + (int32_t)((a0 * b0) >> 16);
    return a1 * b1 + (middle >> 16) + (int32_t)((((uint32_t)middle & 0xFFFFU) + a0 * (uint32_t)b1) >> 16);
#else
    return (int32_t)(((int64_t)a * b) >> 32);
#endif
}

/* Rounded to a whole number, halves away from zero; -31 <= shift <= 30, and the result fits 32 bits. */
static inline int32_t edge_asd_rescale_once(int32_t sum, int32_t multiplier, int32_t shift) {
    if (shift <= -2) {
        /* Below zero the product less one decides: its high word is one less where the low word is 0. */
        const uint32_t low = (uint32_t)sum * (uint32_t)multiplier, right = (uint32_t)(-1 - shift);
        const int32_t high = edge_asd_high_word(sum, multiplier) - (sum < 0 && low == 0 ? 1 : 0);
        return (high + (int32_t)(1U << (right - 1))) >> right;
    }
    const uint32_t right = (uint32_t)(31 - shift);
    return (int32_t)(((int64_t)sum * multiplier - (sum < 0) + ((int64_t)1 << (right - 1))) >> right);
}

/* Rounded to a multiple of 2^shift first, halves up, and then to a whole number, halves away from zero;
 * -31 <= shift <= 30, and sum * 2^shift fits 32 bits. */
static inline int32_t edge_asd_rescale_twice(int32_t sum, int32_t multiplier, int32_t shift) {
    if (shift > 0) {
        sum = (int32_t)((uint32_t)sum << (uint32_t)shift);
    }
    /* floor((sum * multiplier + 2^30) / 2^31), from the two words of the product */
    const uint32_t low = (uint32_t)sum * (uint32_t)multiplier;
    const int32_t high = (int32_t)(2U * (uint32_t)edge_asd_high_word(sum, multiplier) + (low >> 31)) +
                         (int32_t)((low >> 30) & 1U);
    return shift >= 0 ? high : edge_asd_rounding_shift(high, -shift);
}

static inline int32_t edge_asd_rescale(int32_t sum, int32_t multiplier, int32_t shift, bool twice) {
    return twice ? edge_asd_rescale_twice(sum, multiplier, shift) : edge_asd_rescale_once(sum, multiplier, shift);
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
