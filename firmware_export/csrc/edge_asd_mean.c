/* SPDX-License-Identifier: MIT */
/* MEAN, one value of the output after the other. */
#include "edge_asd_mean.h"

#include "edge_asd_rounding.h"

/* Add `count` values at equal distances. */
static int32_t sum_of(const int8_t *x, int32_t count, int32_t distance) {
    int32_t sum = 0;
    for (; count > 0; count--) {
        sum += *x;
        x += distance;
    }
    return sum;
}

void edge_asd_mean(const edge_asd_mean_params *p, const int8_t *x, int8_t *y) {
    const int32_t row = p->kept * p->inner;
    for (int32_t outer = 0; outer < p->outer; outer++) {
        for (int32_t kept = 0; kept < p->kept; kept++) {
            const int8_t *values = x + kept * p->inner;
            int32_t sum = p->offset;
            if (p->inner == 1) {
                sum += sum_of(values, p->reduced, row);
            } else {
                for (int32_t i = 0; i < p->reduced; i++) {
                    sum += sum_of(values + i * row, p->inner, 1);
                }
            }
            const int32_t mean = edge_asd_rescale_twice(sum, p->multiplier, p->shift) + p->zero_point;
            *y++ = (int8_t)edge_asd_clamp(mean, -128, 127);
        }
        x += p->reduced * row;
    }
}
