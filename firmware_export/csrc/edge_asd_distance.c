/* SPDX-License-Identifier: MIT */
/* Distance and score: the C of edge_asd/distance/distance.py. */
#include "edge_asd_distance.h"

#include "edge_asd_target.h"

/* Two products of neighbouring int16; in what is multiplied here, no two of them reach 2^31 together. */
static inline int64_t add_two(int64_t sum, const int16_t *a, const int16_t *b) {
#if EDGE_ASD_KERNELS == EDGE_ASD_PORTABLE
    return sum + (a[0] * b[0] + a[1] * b[1]);
#else
    uint32_t x, y;
    __builtin_memcpy(&x, a, sizeof x);
    __builtin_memcpy(&y, b, sizeof y);
    __asm__("smlald %Q0, %R0, %1, %2" : "+r"(sum) : "r"(x), "r"(y));
    return sum;
#endif
}

static inline int64_t add_eight(int64_t sum, const int16_t *a, const int16_t *b) {
    sum = add_two(sum, a, b);
    sum = add_two(sum, a + 2, b + 2);
    sum = add_two(sum, a + 4, b + 4);
    return add_two(sum, a + 6, b + 6);
}

/* Sum of products; `count` is even. */
static int64_t multiply(const int16_t *a, const int16_t *b, uint32_t count) {
    int64_t sum = 0;
    for (; count >= 16; count -= 16, a += 16, b += 16) {
        sum = add_eight(sum, a, b);
        sum = add_eight(sum, a + 8, b + 8);
    }
    for (; count > 0; count -= 2, a += 2, b += 2) {
        sum = add_two(sum, a, b);
    }
    return sum;
}

/* Returns the sum of squares, below 2^38. All values lie within -20096 and 6528, so that differences fit. */
static int64_t subtract(const int16_t *x, const int16_t *y, uint32_t count, int16_t *difference) {
    int64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        const int32_t d = x[i] - y[i];
        difference[i] = (int16_t)d;
        sum += d * d;
    }
    return sum;
}

void edge_asd_distance_offsets(const edge_asd_directions *directions, const edge_asd_centre *centres,
                               int16_t *difference, int64_t *offsets) {
    const uint32_t n = directions->features;
    const int16_t *row = directions->rows;
    (void)subtract(centres[0].mean, centres[1].mean, n, difference);
    for (uint32_t k = 0; k < directions->count; k++, row += n) {
        offsets[k] = multiply(row, difference, n);
    }
}

/* What a projection, in dB, Q14, takes off a distance. `products` is below 2^38, the multiplier below 2^25. */
static int64_t explained(int64_t products, int32_t multiplier) {
    const int32_t z = (int32_t)((products * multiplier + ((int64_t)1 << 31)) >> 32);
    return (int64_t)z * z;
}

int32_t edge_asd_distance_score(const edge_asd_directions *directions, const edge_asd_centre *centres, uint32_t count,
                                const int64_t *offsets, const int16_t *x, int16_t *difference) {
    const uint32_t n = directions->features;
    const int16_t *row = directions->rows;
    int64_t distance[2] = {0, 0}; /* dB^2 in Q28 */
    for (uint32_t i = count; i-- > 0;) { /* the first centre's difference last: it is multiplied */
        distance[i] = subtract(x, centres[i].mean, n, difference) * (1 << 14);
    }
    for (uint32_t k = 0; k < directions->count; k++, row += n) {
        const int64_t products = multiply(row, difference, n);
        distance[0] -= explained(products, directions->multipliers[k]);
        if (count > 1) {
            distance[1] -= explained(products + offsets[k], directions->multipliers[k]);
        }
    }
    uint64_t least = INT32_MAX;
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t normaliser = (uint64_t)centres[i].normaliser;
        const uint64_t whole = distance[i] > 0 ? (uint64_t)distance[i] * 16 : 0;
        const uint64_t score = (whole + normaliser / 2) / normaliser;
        least = score < least ? score : least;
    }
    return (int32_t)least;
}
