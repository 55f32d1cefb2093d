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

/* Behind it lie n_fft samples, the history. */
struct edge_asd_frontend {
    const edge_asd_frontend_tables *tables;
    edge_asd_complex *work; /* [n_fft/2] */
    uint32_t filled;        /* samples in the history, below n_fft between two calls */
};

typedef char edge_asd_header_fits[sizeof(struct edge_asd_frontend) <= EDGE_ASD_FRONTEND_BYTES(0) ? 1 : -1];

static int16_t *history_of(edge_asd_frontend *f) { return (int16_t *)(void *)(f + 1); }

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
    if (memory == NULL || needed == 0 || bytes < needed) {
        return NULL;
    }
    uint8_t *work = (uint8_t *)memory + EDGE_ASD_FRONTEND_STATE_BYTES(tables->n_fft);
    return edge_asd_frontend_init_apart(memory, bytes, work, bytes, tables);
}

edge_asd_frontend *edge_asd_frontend_init_apart(void *memory, size_t bytes, void *work, size_t work_bytes,
                                                const edge_asd_frontend_tables *tables) {
    if (memory == NULL || work == NULL || edge_asd_frontend_size(tables) == 0 ||
        bytes < EDGE_ASD_FRONTEND_STATE_BYTES(tables->n_fft) || work_bytes < EDGE_ASD_FRONTEND_WORK_BYTES(tables->n_fft) ||
        (uintptr_t)memory % sizeof(void *) != 0 || (uintptr_t)work % sizeof(int32_t) != 0) {
        return NULL;
    }
    edge_asd_frontend *f = (edge_asd_frontend *)memory;
    f->tables = tables;
    f->work = (edge_asd_complex *)work;
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

/* Two samples << shift as Q0.31, times the window. */
static inline edge_asd_complex windowed(const int16_t *x, uint32_t shift, int32_t w0, int32_t w1) {
    edge_asd_complex z;
    z.re = edge_asd_mul(edge_asd_shift_left(x[0], shift), w0);
    z.im = edge_asd_mul(edge_asd_shift_left(x[1], shift), w1);
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

/* Whether the transform of `points` starts with a radix-2 stage: they are 2 * 4^n. */
static inline bool starts_with_radix2(uint32_t points) { return (points & 0xAAAA) != 0; }

/* Step 2 up to the last shift, in the order in which the transform reads: digits of base 4
 * reversed, and for M = 2 * 4^n a last digit of base 2. Returns that shift. */
SEPARATE static uint32_t window(edge_asd_complex *z, const int16_t *x, const int32_t *w, uint32_t n, uint32_t shift) {
    const bool radix2 = starts_with_radix2(n / 2);
    const uint32_t quarter = n / 8;      /* of the transform */
    const int16_t *x_late = x + n / 2;
    const int32_t *w_late = w + n / 2;   /* the window is symmetric: it runs backwards there */
    uint32_t used = 0;
    uint32_t place = 0;
    for (const int32_t *w_end = w_late; w < w_end;) {
        edge_asd_complex *to = z + place;
        for (const int32_t *w_four = w + 8; w < w_four; w += 2, w_late -= 2, x += 2, x_late += 2, to += quarter) {
            edge_asd_complex a = windowed(x, shift, w[0], w[1]);
            edge_asd_complex b = windowed(x_late, shift, w_late[0], w_late[-1]);
            if (radix2) {
                const edge_asd_complex sum = add(a, b);
                b = subtract(a, b);
                a = sum;
                to[1] = b;
            } else {
                to[2] = b;
            }
            to[0] = a;
            used |= edge_asd_magnitude(a.re) | edge_asd_magnitude(a.im);
            used |= edge_asd_magnitude(b.re) | edge_asd_magnitude(b.im);
        }
        /* add one to the reversed number, whose first digit was the loop above */
        uint32_t digit = quarter / 4;
        while ((place & (3 * digit)) == 3 * digit && digit > 0) {
            place ^= 3 * digit;
            digit /= 4;
        }
        place += digit;
    }
    return 30 - edge_asd_bits(used);
}

/* End of step 2. */
SEPARATE static void shift_up(edge_asd_complex *z, uint32_t points, uint32_t shift) {
    for (const edge_asd_complex *end = z + points; z < end; z += 2) {
        z[0].re = edge_asd_shift_left(z[0].re, shift);
        z[0].im = edge_asd_shift_left(z[0].im, shift);
        z[1].re = edge_asd_shift_left(z[1].re, shift);
        z[1].im = edge_asd_shift_left(z[1].im, shift);
    }
}

/* z exp(-j angle) w / 2^32, with w = cos, sin of the angle: a quarter for Q0.30, half for Q0.31 */
static inline edge_asd_complex rotate(const edge_asd_complex z, const edge_asd_complex w) {
    edge_asd_complex y;
    y.re = edge_asd_mul_add(edge_asd_mul(z.re, w.re), z.im, w.im);
    y.im = edge_asd_mul_subtract(edge_asd_mul(z.im, w.re), z.re, w.im);
    return y;
}

static inline edge_asd_complex quarter_of(edge_asd_complex z) {
    z.re = edge_asd_quarter(z.re);
    z.im = edge_asd_quarter(z.im);
    return z;
}

/* Step 3: one radix-4 stage on transforms of `length` points. */
SEPARATE static void radix4(edge_asd_complex *z, uint32_t points, uint32_t length, const edge_asd_complex *twiddles) {
    const uint32_t step = 3 * (points / (4 * length));
    for (const edge_asd_complex *end = z + points; z < end; z += 3 * length) {
        edge_asd_complex z0 = quarter_of(z[0]), z2 = quarter_of(z[2 * length]);
        edge_asd_complex sum = add(z0, z2), difference = subtract(z0, z2);
        edge_asd_complex z1 = quarter_of(z[length]), z3 = quarter_of(z[3 * length]);
        edge_asd_complex sum13 = add(z1, z3), difference13 = subtract(z1, z3);
        z[0] = add(sum, sum13);
        z[2 * length] = subtract(sum, sum13);
        z[length] = subtract_j(difference, difference13);
        z[3 * length] = add_j(difference, difference13);
        z++;
        const edge_asd_complex *w = twiddles + step - 3;
        for (uint32_t k = 1; k < length; k++) {
            z0 = quarter_of(z[0]);
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

/* Steps 4 and 5 for bins first, first + 2 .. and their mirror images: powers replace z. */
SEPARATE static void power(edge_asd_complex *z, uint32_t points, uint32_t first, const edge_asd_complex *twiddle,
                           uint32_t step) {
    edge_asd_complex *low = z + first;
    edge_asd_complex *high = z + points - first;
    for (; low < high; low += 2, high -= 2, twiddle += step) {
        const edge_asd_complex a = *low, b = *high;
        edge_asd_complex w = *twiddle, odd;
        w.re *= 2;
        w.im *= 2;
        odd.re = a.im + b.im;
        odd.im = b.re - a.re;
        odd = rotate(odd, w);
        const int32_t re = edge_asd_halve(a.re + b.re), im = edge_asd_halve(a.im - b.im);
        *low = power_of(re + odd.re, im + odd.im);
        *high = power_of(re - odd.re, im - odd.im);
    }
}

/* Steps 6 to 8. */
SEPARATE static void mel_decibels(const edge_asd_complex *p, const edge_asd_frontend_tables *t, uint32_t shift,
                                  int32_t *frame) {
    const uint32_t *weight = t->rising + 1;
    const int32_t scaling = (int32_t)shift * 131072; /* the shifts scaled the power by 4^shift */
    uint64_t before = 0;                             /* the rising part of the band that now falls */
    p++;
    for (uint32_t m = 0; m <= t->n_mels; m++) {
        uint64_t rising = 0, rising_high = 0; /* 86 bits, in two words */
        uint32_t total = 0, total_high = 0;   /* 64 bits; GCC does better with the carry spelled out */
        for (const edge_asd_complex *end = p + t->segment_bins[m]; p < end; p++, weight++) {
            const uint32_t low = (uint32_t)p->re, high = (uint32_t)p->im;
            total += low;
            total_high += high + (total < low);
            rising += (uint64_t)low * *weight;
            rising_high += (uint64_t)high * *weight;
        }
        rising = (rising_high << 10) + (rising >> 22);
        if (m > 0) {
            const uint64_t falling = ((uint64_t)total_high << 32 | total) - rising;
            frame[m - 1] = edge_asd_decibels(t, before + falling, t->offset[m - 1] - scaling);
        }
        before = rising;
    }
}

static void log_mel(edge_asd_frontend *f, int32_t *frame) {
    const edge_asd_frontend_tables *t = f->tables;
    edge_asd_complex *z = f->work;
    const uint32_t points = t->n_fft / 2;
    uint32_t shift = block_shift(history_of(f), t->n_fft);
    const uint32_t up = window(z, history_of(f), t->window, t->n_fft, 16 + shift);
    shift_up(z, points, up);
    shift += up;
    for (uint32_t length = starts_with_radix2(points) ? 2 : 1; length < points; length *= 4) {
        radix4(z, points, length, t->twiddles);
    }
    power(z, points, 2, t->twiddles, 3);
    power(z, points, 1, t->odd_twiddles, 1);
    z[points / 2] = power_of(z[points / 2].re, z[points / 2].im);
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
