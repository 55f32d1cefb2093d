/* SPDX-License-Identifier: MIT */
/* SOFTMAX in fixed point: one division for each row, by Newton's method. */
#include "edge_asd_softmax.h"

#include "edge_asd_rounding.h"

/* 1 / (1 + x) for x in [0, 1), both Q0.31. */
static int32_t reciprocal(int32_t x) {
    const int32_t half_denominator = (int32_t)(((int64_t)x + INT32_MAX + 1) / 2); /* (1 + x) / 2, Q0.31 */
    /* Its reciprocal, Q2.29, from 48/17 - 32/17 of it on. */
    int32_t estimate = 1515870810 + edge_asd_doubled_high_product(half_denominator, -1010580540);
    for (int32_t i = 0; i < 3; i++) {
        const int32_t error = ((int32_t)1 << 29) - edge_asd_doubled_high_product(half_denominator, estimate);
        estimate += edge_asd_doubled_high_product(estimate, error) * 4;
    }
    return estimate >= (int32_t)1 << 30 ? INT32_MAX : estimate * 2;
}

static void softmax_row(const edge_asd_softmax_params *p, const int8_t *x, int8_t *y) {
    int32_t largest = -128;
    for (int32_t i = 0; i < p->depth; i++) {
        largest = x[i] > largest ? x[i] : largest;
    }
    uint32_t sum = 0; /* Q12.19: 1 to 4095 */
    for (int32_t i = 0; i < p->depth; i++) {
        const int32_t distance = largest - x[i];
        if (distance < p->distances) {
            sum += ((uint32_t)p->exponential[distance] + 2048U) >> 12;
        }
    }
    int32_t shift = 0;
    for (; sum < (uint32_t)1 << 31; shift++) {
        sum <<= 1;
    }
    const int32_t share = reciprocal((int32_t)(sum - ((uint32_t)1 << 31)));
    const int32_t exponent = 12 - shift + 31 - 8;
    for (int32_t i = 0; i < p->depth; i++) {
        const int32_t distance = largest - x[i];
        int32_t output = 0;
        if (distance < p->distances && exponent < 32) {
            const int32_t part = edge_asd_doubled_high_product(share, p->exponential[distance]);
            output = edge_asd_rounding_shift(part, exponent);
        }
        y[i] = (int8_t)(output > 255 ? 127 : output - 128);
    }
}

void edge_asd_softmax(const edge_asd_softmax_params *p, const int8_t *x, int8_t *y) {
    for (int32_t row = 0; row < p->rows; row++) {
        softmax_row(p, x, y);
        x += p->depth;
        y += p->depth;
    }
}
