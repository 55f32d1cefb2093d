/* SPDX-License-Identifier: MIT */
/* From a 32-bit sum to steps of the next tensor: the two roundings of TFLite.
 *
 * The ratio of scales is multiplier * 2^(shift - 31), 2^30 <= multiplier < 2^31. */
#ifndef EDGE_ASD_REQUANTISE_H
#define EDGE_ASD_REQUANTISE_H

#include <stdbool.h>
#include <stdint.h>

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

/* floor(sum * ratio + 1/2); -31 <= shift <= 30, and the result fits 32 bits. */
static inline int32_t edge_asd_rounded_once(int32_t sum, int32_t multiplier, int32_t shift) {
    if (shift <= -2) { /* the low word cannot change the floor */
        return (edge_asd_high_word(sum, multiplier) + (1 << (uint32_t)(-2 - shift))) >> (uint32_t)(-1 - shift);
    }
    const uint32_t right = (uint32_t)(31 - shift);
    return (int32_t)(((int64_t)sum * multiplier + ((int64_t)1 << (right - 1))) >> right);
}

/* Rounded to a multiple of 2^shift first, halves up, and then to a whole number, halves away from zero;
 * -31 <= shift <= 30, and sum * 2^shift fits 32 bits. */
static inline int32_t edge_asd_rounded_twice(int32_t sum, int32_t multiplier, int32_t shift) {
    if (shift > 0) {
        sum = (int32_t)((uint32_t)sum << (uint32_t)shift);
    }
    const int32_t high = (int32_t)(((int64_t)sum * multiplier + ((int64_t)1 << 30)) >> 31);
    if (shift >= 0) {
        return high;
    }
    const int64_t half = (int64_t)1 << (uint32_t)(-shift - 1);
    return (int32_t)((high + half - (high < 0)) >> (uint32_t)-shift);
}

static inline int32_t edge_asd_requantise(int32_t sum, int32_t multiplier, int32_t shift, bool twice) {
    return twice ? edge_asd_rounded_twice(sum, multiplier, shift) : edge_asd_rounded_once(sum, multiplier, shift);
}

static inline int32_t edge_asd_limit(int32_t value, int32_t low, int32_t high) {
    return value < low ? low : (value > high ? high : value);
}

#endif
