/* SPDX-License-Identifier: MIT */
/* ADD, as edge_asd_add.h says; no step of it overflows for any int8 inputs. */
#include "edge_asd_add.h"

#include <stdbool.h>

#include "edge_asd_rounding.h"

/* The loop without bounds and the one with them are functions of their own: together they would compete for
 * registers, of which each needs all. */
#if defined(__GNUC__)
#define INLINED __attribute__((always_inline)) static inline
#define SEPARATE __attribute__((noinline)) static
#else
#define INLINED static inline
#define SEPARATE static
#endif

/* 1 for a negative number, so that halves are rounded away from zero. */
INLINED int32_t less(int32_t x) { return x < 0 ? 1 : 0; }

/* Whatever is constant has a name here, so that the loop keeps it in a register: y could overwrite *p. */
INLINED void add_values(const edge_asd_add_params *p, const int8_t *a, const int8_t *b, int8_t *y, int32_t count,
                        bool bounded) {
    const int32_t offset_a = p->offset_a;
    const int32_t offset_b = p->offset_b;
    const int32_t multiplier_b = p->multiplier_b;
    const int32_t shift_b = p->shift_b;
    const int32_t half_b = (int32_t)((uint32_t)1 << (shift_b - 1));
    const int32_t multiplier = p->multiplier;
    /* The output's zero point is added together with the half, and 8 bits earlier, where every one of them fits. */
    const int32_t late_shift = p->shift - 8;
    const int32_t offset = p->zero_point * ((int32_t)1 << late_shift) + ((int32_t)1 << (late_shift - 1));
    const int32_t low = p->low;
    const int32_t high = p->high;
    for (const int8_t *end = y + count; y < end;) {
        const int32_t scaled_b = edge_asd_high_product(*b++ * (1 << 21) + offset_b, multiplier_b);
        const int32_t rounded_b = (scaled_b + half_b - less(scaled_b)) >> shift_b;
        const int32_t sum = *a++ * (1 << 20) + offset_a + 2 * rounded_b;
        const int32_t scaled = edge_asd_high_product(sum, multiplier);
        const int32_t output = (((scaled - less(scaled)) >> 8) + offset) >> late_shift;
        *y++ = (int8_t)(bounded ? edge_asd_clamp(output, low, high) : edge_asd_saturate(output));
    }
}

SEPARATE void add_bounded(const edge_asd_add_params *p, const int8_t *a, const int8_t *b, int8_t *y, int32_t count) {
    add_values(p, a, b, y, count, true);
}

SEPARATE void add_unbounded(const edge_asd_add_params *p, const int8_t *a, const int8_t *b, int8_t *y, int32_t count) {
    add_values(p, a, b, y, count, false);
}

void edge_asd_add_values(const edge_asd_add_params *p, const int8_t *a, const int8_t *b, int8_t *y, int32_t count) {
    if (p->low == -128 && p->high == 127) {
        add_unbounded(p, a, b, y, count);
    } else {
        add_bounded(p, a, b, y, count);
    }
}

void edge_asd_add(const edge_asd_add_params *p, const int8_t *a, const int8_t *b, int8_t *y) {
    const int32_t run = edge_asd_clamp(p->count_a, 0, p->count_b); /* the shorter one */
    const int32_t count = p->count_a + p->count_b - run;
    for (int32_t done = 0; done < count; done += run) {
        edge_asd_add_values(p, a, b, y, run);
        a += p->count_a == count ? run : 0;
        b += p->count_b == count ? run : 0;
        y += run;
    }
}
