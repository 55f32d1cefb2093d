/* SPDX-License-Identifier: MIT */
/* ADD: the sum of two int8 tensors, each with a scale of its own.
 *
 * a is the input with the larger scale, which needs no multiplier of its own:
 *
 *     sum    = (a << 20) + offset_a + 2 * round(high((b << 21) + offset_b, multiplier_b), shift_b)
 *     output = clamp(round(high(sum, multiplier), shift) + zero_point)
 *
 * where high(x, m) is x * m / 2^32, rounded halves up, and round(x, s) is x / 2^s, rounded halves away from zero. */
#ifndef EDGE_ASD_ADD_H
#define EDGE_ASD_ADD_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int32_t count_a;      /* values of a, and of b; the shorter one is repeated, */
    int32_t count_b;      /* and the longer is a whole multiple of it */
    int32_t offset_a;     /* -2^20 times its zero point */
    int32_t offset_b;     /* -2^21 times its zero point */
    int32_t multiplier_b; /* 0 to 2^31 - 1 */
    int32_t shift_b;      /* 1 to 31 */
    int32_t multiplier;   /* 0 to 2^31 - 1 */
    int32_t shift;        /* 9 to 31 */
    int32_t zero_point;   /* of the output, -128 to 127 */
    int32_t low;          /* bounds of the output: -128 and 127, or those of an activation */
    int32_t high;
} edge_asd_add_params;

/* Add whole tensors. y holds as many values as the longer input, and may be that input. */
void edge_asd_add(const edge_asd_add_params *p, const int8_t *a, const int8_t *b, int8_t *y);

/* Add `count` values, whatever count_a and count_b are. y may be a or b. */
void edge_asd_add_values(const edge_asd_add_params *p, const int8_t *a, const int8_t *b, int8_t *y, int32_t count);

#ifdef __cplusplus
}
#endif

#endif
