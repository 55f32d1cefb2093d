/* The front end for one stream, frame by frame: the C of fixed_point.py, where each bound is proven. */
#include "edge_asd_frontend.h"

#include <string.h>

#include "edge_asd_frontend_ops.h"

/* Each loop has its own function: inlined into one, they would compete for registers. */
#if defined(__GNUC__)
#define SEPARATE __attribute__((noinline))
#else
#define SEPARATE
#endif

struct edge_asd_frontend {
    const edge_asd_frontend_tables *tables;
    uint32_t filled;         /* samples in the history, below n_fft between two calls */
    edge_asd_complex work[]; /* [n_fft/2], then the history: int16 [n_fft] */
};

typedef char edge_asd_header_fits[offsetof(struct edge_asd_frontend, work) <= EDGE_ASD_FRONTEND_BYTES(0) ? 1 : -1];

static int16_t *history_of(edge_asd_frontend *f) { return (int16_t *)(f->work + f->tables->n_fft / 2); }

size_t edge_asd_frontend_size(const edge_asd_frontend_tables *t) {
    const uint32_t n = t->n_fft;
    if ((n != 512 && n != 1024 && n != EDGE_ASD_FRONTEND_MAX_FFT) || t->hop_length < 1 || t->hop_length > n ||
        t->n_mels < 1 || t->n_mels > EDGE_ASD_FRONTEND_MAX_MELS) {
        return 0;
    }
    return EDGE_ASD_FRONTEND_BYTES(n);
}

edge_asd_frontend *edge_asd_frontend_init(void *memory, size_t bytes, const edge_asd_frontend_tables *tables) {
    const size_t needed = edge_asd_frontend_size(tables);
    if (memory == NULL || needed == 0 || bytes < needed || (uintptr_t)memory % sizeof(void *) != 0) {
        return NULL;
    }
    edge_asd_frontend *f = memory;
    f->tables = tables;
    f->filled = 0;
    return f;
}

void edge_asd_frontend_reset(edge_asd_frontend *f) { f->filled = 0; }

/* Step 1: how far left the frame can be shifted. */
SEPARATE static uint32_t block_shift(const int16_t *x, uint32_t n) {
    uint32_t used = 0;
    for (const int16_t *end = x + n; x < end; x += 4) {
        used |= edge_asd_magnitude(x[0]);
        used |= edge_asd_magnitude(x[1]);
        used |= edge_asd_magnitude(x[2]);
        used |= edge_asd_magnitude(x[3]);
    }
    return 15 - edge_asd_bits(used);
}

/* Two samples << shift as Q0.31, times the window; ORs one's-complement magnitudes into *used. */
static inline edge_asd_complex windowed(const int16_t *x, uint32_t shift, int32_t w0, int32_t w1, uint32_t *used) {
    edge_asd_complex z;
    z.re = edge_asd_mul(edge_asd_shift_left(x[0], shift), w0);
    z.im = edge_asd_mul(edge_asd_shift_left(x[1], shift), w1);
    *used |= edge_asd_magnitude(z.re);
    *used |= edge_asd_magnitude(z.im);
    return z;
}

/* Step 2 up to the window's product, in the order in which the transform reads: digits of base 4
 * reversed, and for M = 2 * 4^n a last digit of base 2. Returns the bits of the largest product. */
SEPARATE static uint32_t window(edge_asd_complex *z, const int16_t *x, const int32_t *w, uint32_t n, uint32_t shift) {
    const uint32_t half = n / 2, quarter = n / 8;      /* quarter of the transform */
    const int32_t *w_late = w + half;                  /* the window is symmetric: it runs backwards there */
    const uint32_t late = (n & 0x5555) != 0 ? 1 : 2;   /* where sample n/2 goes */
    uint32_t used = 0;
    uint32_t place = 0;
    for (const int32_t *w_end = w_late; w < w_end;) {
        edge_asd_complex *to = z + place;
        for (const edge_asd_complex *end = to + half; to < end; to += quarter) {
            to[0] = windowed(x, shift, w[0], w[1], &used);
            to[late] = windowed(x + half, shift, w_late[0], w_late[-1], &used);
            x += 2;
            w += 2;
            w_late -= 2;
        }
        /* add one to the reversed number, whose first digit was the loop above */
        uint32_t digit = quarter / 4;
        while ((place & (3 * digit)) == 3 * digit && digit > 0) {
            place ^= 3 * digit;
            digit /= 4;
        }
        place += digit;
    }
    return edge_asd_bits(used);
}

static int32_t rescale(int32_t x, uint32_t up, uint32_t down, int32_t rounding) {
    return (edge_asd_shift_left(x, up) + rounding) >> down;
}

/* End of step 2, and the radix-2 stage where there is one. */
SEPARATE static void scale(edge_asd_complex *z, uint32_t points, uint32_t up, uint32_t down) {
    const int32_t rounding = (int32_t)((1U << down) >> 1);
    const bool radix2 = (points & 0xAAAA) != 0;
    for (const edge_asd_complex *end = z + points; z < end; z += 2) {
        edge_asd_complex a = z[0], b = z[1];
        a.re = rescale(a.re, up, down, rounding);
        a.im = rescale(a.im, up, down, rounding);
        b.re = rescale(b.re, up, down, rounding);
        b.im = rescale(b.im, up, down, rounding);
        if (radix2) {
            z[0].re = a.re + b.re;
            z[0].im = a.im + b.im;
            z[1].re = a.re - b.re;
            z[1].im = a.im - b.im;
        } else {
            z[0] = a;
            z[1] = b;
        }
    }
}

/* z exp(-j angle) / 2, with w = cos, sin of the angle */
static inline edge_asd_complex rotate(const edge_asd_complex z, const edge_asd_complex w) {
    edge_asd_complex y;
    y.re = edge_asd_mul_add(edge_asd_mul(z.re, w.re), z.im, w.im);
    y.im = edge_asd_mul_subtract(edge_asd_mul(z.im, w.re), z.re, w.im);
    return y;
}

static inline edge_asd_complex halve(edge_asd_complex z) {
    z.re = edge_asd_halve(z.re);
    z.im = edge_asd_halve(z.im);
    return z;
}

static inline edge_asd_complex add(edge_asd_complex a, const edge_asd_complex b) {
    a.re += b.re;
    a.im += b.im;
    return a;
}

static inline edge_asd_complex subtract(edge_asd_complex a, const edge_asd_complex b) {
    a.re -= b.re;
    a.im -= b.im;
    return a;
}

/* a + j b */
static inline edge_asd_complex add_j(edge_asd_complex a, const edge_asd_complex b) {
    a.re -= b.im;
    a.im += b.re;
    return a;
}

/* a - j b */
static inline edge_asd_complex subtract_j(edge_asd_complex a, const edge_asd_complex b) {
    a.re += b.im;
    a.im -= b.re;
    return a;
}

/* Step 3: one radix-4 stage on transforms of `length` points. */
SEPARATE static void radix4(edge_asd_complex *z, uint32_t points, uint32_t length, const edge_asd_complex *twiddles) {
    const uint32_t step = 3 * (points / (4 * length));
    for (const edge_asd_complex *end = z + points; z < end; z += 3 * length) {
        edge_asd_complex z0 = halve(z[0]), z2 = halve(z[2 * length]);
        edge_asd_complex sum = add(z0, z2), difference = subtract(z0, z2);
        edge_asd_complex z1 = halve(z[length]), z3 = halve(z[3 * length]);
        edge_asd_complex sum13 = add(z1, z3), difference13 = subtract(z1, z3);
        z[0] = add(sum, sum13);
        z[2 * length] = subtract(sum, sum13);
        z[length] = subtract_j(difference, difference13);
        z[3 * length] = add_j(difference, difference13);
        z++;
        const edge_asd_complex *w = twiddles + step - 3;
        for (uint32_t k = 1; k < length; k++) {
            z0 = halve(z[0]);
            z2 = rotate(z[2 * length], w[1]);
            sum = add(z0, z2);
            difference = subtract(z0, z2);
            z1 = rotate(z[length], w[0]);
            z3 = rotate(z[3 * length], w[2]);
            w += step;
            sum13 = add(z1, z3);
            difference13 = subtract(z1, z3);
            z[0] = add(sum, sum13);
            z[2 * length] = subtract(sum, sum13);
            z[length] = subtract_j(difference, difference13);
            z[3 * length] = add_j(difference, difference13);
            z++;
        }
    }
}

static edge_asd_complex power_of(int32_t re, int32_t im) {
    const uint64_t square = (uint64_t)((int64_t)re * re + (int64_t)im * im);
    edge_asd_complex words; /* low and high word */
    words.re = (int32_t)(uint32_t)square;
    words.im = (int32_t)(uint32_t)(square >> 32);
    return words;
}

/* Steps 4 and 5 for bins first, first + 2 .. last and their mirror images: powers replace z. */
SEPARATE static void power(edge_asd_complex *z, uint32_t points, uint32_t first, uint32_t last, const edge_asd_complex *w,
                  uint32_t step) {
    edge_asd_complex *low = z + first;
    edge_asd_complex *high = z + points - first;
    for (const edge_asd_complex *end = z + last; low <= end; low += 2, high -= 2, w += step) {
        const edge_asd_complex a = *low, b = *high;
        edge_asd_complex odd;
        odd.re = a.im + b.im;
        odd.im = b.re - a.re;
        odd = rotate(odd, *w);
        const int32_t re = edge_asd_halve(a.re + b.re), im = edge_asd_halve(a.im - b.im);
        *high = power_of(re - odd.re, im - odd.im);
        *low = power_of(re + odd.re, im + odd.im); /* last: where both meet, this one counts */
    }
}

/* Steps 6 to 8. */
SEPARATE static void mel_decibels(const edge_asd_complex *p, const edge_asd_frontend_tables *t, int32_t shift, int32_t *frame) {
    const uint16_t *weight = t->rising + 1;
    uint64_t before = 0; /* the rising part of the band that now falls */
    p++;
    for (uint32_t m = 0; m <= t->n_mels; m++) {
        uint64_t rising = 0, rising_high = 0, total = 0; /* 80 bits of rising, in two words */
        for (const edge_asd_complex *end = p + t->segment_bins[m]; p < end; p++, weight++) {
            const uint32_t low = (uint32_t)p->re, high = (uint32_t)p->im;
            total += (uint64_t)high << 32 | low;
            rising += (uint64_t)low * *weight;
            rising_high += (uint64_t)high * *weight;
        }
        rising = (rising_high << 16) + (rising >> 16);
        if (m > 0) {
            frame[m - 1] = edge_asd_decibels(t, before + (total - rising), t->offset[m - 1] - shift * 131072);
        }
        before = rising;
    }
}

static void log_mel(edge_asd_frontend *f, int32_t *frame) {
    const edge_asd_frontend_tables *t = f->tables;
    edge_asd_complex *z = f->work;
    const uint32_t points = t->n_fft / 2;
    const uint32_t first_shift = block_shift(history_of(f), t->n_fft);
    const uint32_t bits = window(z, history_of(f), t->window, t->n_fft, 16 + first_shift);
    const int32_t shift = (int32_t)(first_shift + 30 - bits);
    const uint32_t down = bits > t->input_bits ? bits - t->input_bits : 0;
    scale(z, points, down + t->input_bits - bits, down);
    for (uint32_t length = (points & 0xAAAA) != 0 ? 2 : 1; length < points; length *= 4) {
        radix4(z, points, length, t->twiddles);
    }
    power(z, points, 2, points / 2 - 2, t->twiddles, 3);
    power(z, points, 1, points / 2 - 1, t->odd_twiddles, 1);
    power(z, points, points / 2, points / 2, t->odd_twiddles + points / 4, 1);
    mel_decibels(z, t, shift, frame);
}

size_t edge_asd_frontend_push(edge_asd_frontend *f, const int16_t *pcm, size_t count, int32_t *frame, bool *ready) {
    const uint32_t n = f->tables->n_fft, hop = f->tables->hop_length;
    int16_t *history = history_of(f);
    const size_t used = count < n - f->filled ? count : n - f->filled;
    if (used > 0) {
        memcpy(history + f->filled, pcm, used * sizeof *pcm);
    }
    f->filled += (uint32_t)used;
    *ready = f->filled == n;
    if (*ready) {
        log_mel(f, frame);
        memmove(history, history + hop, (n - hop) * sizeof *history);
        f->filled = n - hop;
    }
    return used;
}

size_t edge_asd_quantise_input(const int32_t *db, size_t count, int32_t multiplier, int32_t zero_point, int8_t *q) {
    size_t clamped = 0;
    for (size_t i = 0; i < count; i++) {
        const int32_t value = zero_point + edge_asd_mul(db[i], multiplier);
        const int32_t low = value < -128 ? -128 : value;
        const int32_t kept = low > 127 ? 127 : low;
        clamped += kept != value;
        q[i] = (int8_t)kept;
    }
    return clamped;
}
