/* SPDX-License-Identifier: MIT */
/* Rounding four sums at once. Internal. */
#ifndef EDGE_ASD_HELIUM_H
#define EDGE_ASD_HELIUM_H

#include "edge_asd_target.h"

#if EDGE_ASD_KERNELS == EDGE_ASD_HELIUM

#include <arm_mve.h>
#include <stdbool.h>

/* The output's zero point and range. */
typedef struct {
    int32_t zero_point;
    int32x4_t low;
    int32x4_t high;
} edge_asd_output;

static inline edge_asd_output edge_asd_output_of(int32_t zero_point, int32_t low, int32_t high) {
    edge_asd_output output;
    output.zero_point = zero_point;
    output.low = vdupq_n_s32(low);
    output.high = vdupq_n_s32(high);
    return output;
}

/* Round, limit and store; `constants` holds 4 multipliers and 4 shifts, less than 0 to the right. Once: the high word of
 * 256 sum * multiplier is enough, because its low word cannot change the floor. Twice: halves away from zero are halves
 * up for a value that is one less where it is negative. */
static inline void edge_asd_store_rounded(int32x4_t sum, const int32_t *constants, bool twice,
                                          const edge_asd_output *output, int8_t *y) {
    const int32x4_t multiplier = vld1q_s32(constants), shift = vld1q_s32(constants + 4);
    int32x4_t value;
    if (twice) {
        value = vqrdmulhq_s32(sum, multiplier);
        value = vaddq_s32(value, vshrq_n_s32(value, 31));
    } else {
        value = vmulhq_s32(vshlq_n_s32(sum, 8), multiplier);
    }
    value = vaddq_n_s32(vrshlq_s32(value, shift), output->zero_point);
    vstrbq_s32(y, vminq_s32(vmaxq_s32(value, output->low), output->high));
}

#endif

#endif
