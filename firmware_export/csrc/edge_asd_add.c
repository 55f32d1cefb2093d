/* SPDX-License-Identifier: MIT */
/* ADD, as edge_asd_add.h says; no step of it overflows for any int8 inputs. */
#include "edge_asd_add.h"

#include <stdbool.h>

#include "edge_asd_rounding.h"

#if defined(__GNUC__)
#define INLINED __attribute__((always_inline)) static inline
#else
#define INLINED static inline
#endif

/* x / 2^shift, rounded, halves away from zero; `half` is 2^(shift - 1), and |x| is below 2^30. */
INLINED int32_t shifted(int32_t x, int32_t half, int32_t shift) { return (x + half - (x < 0 ? 1 : 0)) >> shift; }

/* Whatever is constant has a name here, so that the loop keeps it in a register: y could overwrite *p. */
INLINED void add_values(const edge_asd_add_params *p, const int8_t *a, const int8_t *b, int8_t *y, int32_t count,
                        bool bounded) {
    const int32_t offset_a = p->offset_a;
    const int32_t offset_b = p->offset_b;
    const int32_t multiplier_b = p->multiplier_b;
    const int32_t shift_b = p->shift_b;
    const int32_t half_b = (int32_t)((uint32_t)1 << (shift_b - 1));
    const int32_t multiplier = p->multiplier;
    const int32_t shift = p->shift;
    const int32_t half = (int32_t)((uint32_t)1 << (shift - 1));
    const int32_t zero_point = p->zero_point;
    const int32_t low = p->low;
    const int32_t high = p->high;
    for (int8_t *end = y + count; y < end;) {
        const int32_t scaled_b = edge_asd_high_product(*b++ * (1 << 21) + offset_b, multiplier_b);
        const int32_t sum = *a++ * (1 << 20) + offset_a + 2 * shifted(scaled_b, half_b, shift_b);
        const int32_t output = shifted(edge_asd_high_product(sum, multiplier), half, shift) + zero_point;
        *y++ = (int8_t)(bounded ? edge_asd_clamp(output, low, high) : edge_asd_saturate(output));
    }
}

void edge_asd_add_values(const edge_asd_add_params *p, const int8_t *a, const int8_t *b, int8_t *y, int32_t count) {
    if (p->low == -128 && p->high == 127) {
        add_values(p, a, b, y, count, false);
    } else {
        add_values(p, a, b, y, count, true);
    }
}

void edge_asd_add(const edge_asd_add_params *p, const int8_t *a, const int8_t *b, int8_t *y) {
    const int32_t run = edge_asd_clamp(p->count_a, 0, p->count_b);
    const int32_t count = p->count_a + p->count_b - run;
    for (int32_t done = 0; done < count; done += run) {
        edge_asd_add_values(p, a, b, y, run);
        a += p->count_a == count ? run : 0;
        b += p->count_b == count ? run : 0;
        y += run;
    }
}
