/* SPDX-License-Identifier: MIT */
/* Scores: the C of scores.py, autoencoder.py and section_id.py in edge_asd/detectors. */
#include "edge_asd_score.h"

#include <string.h>

#define OUTPUT_SHIFT 8 /* from the 24 fractional bits of an output to the 16 of a score */
#define LINE_BITS 24   /* of Q1.30 that lie below the 64 lines of a logarithm */
#define LOG2_E 1549082005
#define LN_2 744261118

uint64_t edge_asd_squared_error(uint64_t sum, const int32_t *db, const int8_t *output, size_t count,
                                int32_t multiplier, int32_t zero_point) {
    /* y = floor(((q - z) m + 2^7) / 2^8), with m in two parts so that 32 bits suffice:
     * |q - z| < 2^8, and m / 2^8 < 2^23. */
    const int32_t high = multiplier >> OUTPUT_SHIFT, low = multiplier & ((1 << OUTPUT_SHIFT) - 1);
    const int32_t high_offset = -zero_point * high;
    const int32_t low_offset = (1 << (OUTPUT_SHIFT - 1)) - zero_point * low;
    for (const int32_t *end = db + count; db < end; db++, output++) {
        const int32_t y = *output * high + high_offset + ((*output * low + low_offset) >> OUTPUT_SHIFT);
        const int32_t difference = *db - y;
        sum += (uint64_t)((int64_t)difference * difference);
    }
    return sum;
}

int32_t edge_asd_mean_squared_error(uint64_t sum, uint32_t values) {
    /* Q32 to Q16 rounds half up: floor((sum + n 2^15) / (n 2^16)), with the power of two first. */
    const uint64_t mean = ((sum + ((uint64_t)values << 15)) >> 16) / values;
    return mean < INT32_MAX ? (int32_t)mean : INT32_MAX;
}

int32_t edge_asd_log2(uint64_t value, const uint16_t *log2) {
#if defined(__GNUC__)
    const int32_t zeros = __builtin_clzll(value);
    const int32_t whole = 63 - zeros;
    value <<= zeros;
#else
    int32_t whole = 63;
    for (int32_t step = 32; step > 0; step >>= 1) {
        if ((value >> (64 - step)) == 0) {
            value <<= step;
            whole -= step;
        }
    }
#endif
    const uint32_t word = (uint32_t)(value >> 32);        /* leading one at bit 31 */
    const uint16_t *line = log2 + ((word >> 25) & 63);    /* 6 bits choose the line */
    const uint32_t fraction = (word >> 9) & 0xFFFF;       /* 16 bits the place on it */
    const uint32_t slope = (uint16_t)(line[1] - line[0]); /* 1.0, the last, has wrapped to 0 */
    return whole * 65536 + line[0] + (int32_t)((slope * fraction + (1U << 15)) >> 16);
}

uint32_t edge_asd_exp2(int64_t exponent, const uint16_t *log2) {
    const uint32_t fraction = (uint32_t)exponent & 0xFFFF;
    const int64_t halvings = -(exponent >> 16);
    if (halvings > 31) {
        return 0;
    }
    uint32_t line = 0; /* the last that begins at or below the fraction */
    for (uint32_t step = 32; step > 0; step >>= 1) {
        line += log2[line + step] <= fraction ? step : 0;
    }
    const uint32_t slope = (uint16_t)(log2[line + 1] - log2[line]);
    const uint32_t place = (uint32_t)(((uint64_t)(fraction - log2[line]) << LINE_BITS) / slope);
    const uint32_t mantissa = (1U << 30) + (line << LINE_BITS) + place; /* below 2^31 */
    return (mantissa + ((1U << halvings) >> 1)) >> halvings;
}

/* The logit's distance from its section's own: at most 255 * 2^31 in Q24, so that Q16 fits. */
static int32_t distance(int8_t logit, int8_t own, int32_t multiplier) {
    const int64_t wide = (int64_t)(logit - own) * multiplier;
    return (int32_t)((wide + (1 << (OUTPUT_SHIFT - 1))) >> OUTPUT_SHIFT);
}

int32_t edge_asd_log_odds(const int8_t *logits, uint32_t classes, uint32_t own, int32_t multiplier,
                          const uint16_t *log2) {
    int32_t largest = INT32_MIN;
    for (uint32_t j = 0; j < classes; j++) {
        const int32_t d = distance(logits[j], logits[own], multiplier);
        largest = j != own && d > largest ? d : largest;
    }
    uint64_t total = 0; /* 2^30, that of the largest, to 63 * 2^30 */
    for (uint32_t j = 0; j < classes; j++) {
        if (j != own) {
            const int64_t below = (int64_t)distance(logits[j], logits[own], multiplier) - largest;
            const int64_t exponent = (below * LOG2_E + (1 << 29)) >> 30;
            total += edge_asd_exp2(exponent, log2);
        }
    }
    const int64_t rest = edge_asd_log2(total, log2) - 30 * 65536;
    /* At most 255 * 2^31 / 2^8 and the logarithm of 63. */
    return largest + (int32_t)((rest * LN_2 + (1 << 29)) >> 30);
}

int32_t edge_asd_mean_score(int64_t sum, uint32_t count) {
    const int64_t half_up = sum + count / 2;
    /* The floor of a negative quotient is the complement of that of the complement. */
    const uint64_t sign = half_up < 0 ? UINT64_MAX : 0;
    return (int32_t)(uint32_t)((((uint64_t)half_up ^ sign) / count) ^ sign);
}

void edge_asd_rolling_init(edge_asd_rolling_score *r, int32_t *ring, uint32_t windows) {
    r->ring = ring;
    r->windows = windows;
    r->place = 0;
    r->is_full = false;
    r->sum = 0;
    memset(ring, 0, windows * sizeof *ring);
}

void edge_asd_rolling_push(edge_asd_rolling_score *r, int32_t score) {
    r->sum += (int64_t)score - r->ring[r->place];
    r->ring[r->place] = score;
    r->place++;
    if (r->place == r->windows) {
        r->place = 0;
        r->is_full = true;
    }
}

int32_t edge_asd_rolling_mean(const edge_asd_rolling_score *r) { return edge_asd_mean_score(r->sum, r->windows); }
