/* The front end over LANES frames at a time; included once for each instruction set, after the
 * products of edge_asd_frontend_batch.c. Step by step as edge_asd_frontend.c and fixed_point.py. */

INLINE TARGET vector K(splat)(int32_t x) { return x - (vector){0}; }

/* mask ? a : b, where each lane of mask is all ones or all zeros */
INLINE TARGET vector K(choose)(vector mask, vector a, vector b) { return (a & mask) | (b & ~mask); }

INLINE TARGET vector K(halve)(vector x) { return (x + 1) >> 1; }

INLINE TARGET complexes K(quarter)(complexes z) {
    z.re = (z.re + 2) >> 2;
    z.im = (z.im + 2) >> 2;
    return z;
}

/* Bits in use of each lane, taken as uint32. */
INLINE TARGET vector K(bits)(words x) {
    vector n = {0};
    for (int step = 16; step > 0; step >>= 1) {
        const vector more = (vector)((x >> step) != 0);
        n += more & step;
        x = (words)K(choose)(more, (vector)(x >> step), (vector)x);
    }
    return n + (vector)x;
}

/* LANES rows of LANES lanes become columns. */
INLINE TARGET void K(transpose)(vector *rows) {
    for (int round = 1; round < LANES; round *= 2) {
        vector next[LANES];
        for (int i = 0; i < LANES / 2; i++) {
            next[2 * i] = SHUFFLE(rows[i], rows[i + LANES / 2], INTERLEAVE_LOW);
            next[2 * i + 1] = SHUFFLE(rows[i], rows[i + LANES / 2], INTERLEAVE_HIGH);
        }
        for (int i = 0; i < LANES; i++) {
            rows[i] = next[i];
        }
    }
}

/* Pairs of samples of `valid` frames, one frame a lane (the last one repeated): pairs [n/2].
 * Returns the left shift that each frame allows. */
static TARGET vector K(gather)(vector *pairs, const int16_t *pcm, uint32_t n, size_t hop, size_t valid) {
    shorts used = {0};
    for (uint32_t i = 0; i < n / 2; i += LANES, pairs += LANES) {
        for (size_t lane = 0; lane < LANES; lane++) {
            memcpy(&pairs[lane], pcm + (lane < valid ? lane : valid - 1) * hop + 2 * i, sizeof(vector));
        }
        K(transpose)(pairs);
        for (int lane = 0; lane < LANES; lane++) {
            const shorts x = (shorts)pairs[lane];
            used |= x ^ (x >> 15);
        }
    }
    const words both = (words)used;
    return 15 - K(bits)((both | both >> 16) & 0xFFFF);
}

INLINE TARGET complexes K(windowed)(vector pair, vector shift, int32_t w0, int32_t w1) {
    complexes z;
    z.re = K(mul)((vector)((words)pair << 16 << (words)shift), K(splat)(w0));
    z.im = K(mul)((vector)(((words)pair & 0xFFFF0000U) << (words)shift), K(splat)(w1));
    return z;
}

INLINE TARGET vector K(magnitudes)(complexes z) {
    return (z.re ^ (vector)(z.re < 0)) | (z.im ^ (vector)(z.im < 0));
}

static TARGET vector K(window)(complexes *z, const vector *pairs, const int32_t *w, uint32_t points, vector shift) {
    const bool radix2 = (points & 0xAAAA) != 0;
    const vector *late_pairs = pairs + points / 2;
    const int32_t *late_w = w + points;
    vector used = {0};
    uint32_t place = 0;
    for (uint32_t i = 0; i < points / 2; i++) {
        const complexes a = K(windowed)(pairs[i], shift, w[2 * i], w[2 * i + 1]);
        const complexes b = K(windowed)(late_pairs[i], shift, late_w[0], late_w[-1]);
        late_w -= 2;
        if (radix2) {
            z[place].re = a.re + b.re;
            z[place].im = a.im + b.im;
            z[place + 1].re = a.re - b.re;
            z[place + 1].im = a.im - b.im;
            used |= K(magnitudes)(z[place]) | K(magnitudes)(z[place + 1]);
        } else {
            z[place] = a;
            z[place + 2] = b;
            used |= K(magnitudes)(a) | K(magnitudes)(b);
        }
        uint32_t digit = points / 4;
        while ((place & (3 * digit)) == 3 * digit && digit > 0) {
            place ^= 3 * digit;
            digit /= 4;
        }
        place += digit;
    }
    return 30 - K(bits)((words)used);
}

INLINE TARGET complexes K(rotate)(complexes z, edge_asd_complex w) {
    const vector c = K(splat)(w.re), s = K(splat)(w.im);
    complexes y;
    y.re = K(mul)(z.re, c) + K(mul)(z.im, s);
    y.im = K(mul)(z.im, c) + K(mul_negated)(z.re, s);
    return y;
}

INLINE TARGET void K(butterfly)(complexes *z, uint32_t length, complexes z0, complexes z1, complexes z2, complexes z3) {
    const vector sum_re = z0.re + z2.re, sum_im = z0.im + z2.im;
    const vector dif_re = z0.re - z2.re, dif_im = z0.im - z2.im;
    const vector sum13_re = z1.re + z3.re, sum13_im = z1.im + z3.im;
    const vector dif13_re = z1.re - z3.re, dif13_im = z1.im - z3.im;
    z[0].re = sum_re + sum13_re;
    z[0].im = sum_im + sum13_im;
    z[length].re = dif_re + dif13_im;
    z[length].im = dif_im - dif13_re;
    z[2 * length].re = sum_re - sum13_re;
    z[2 * length].im = sum_im - sum13_im;
    z[3 * length].re = dif_re - dif13_im;
    z[3 * length].im = dif_im + dif13_re;
}

/* `step`: distance between the twiddles of two neighbouring k. */
static TARGET void K(radix4)(complexes *z, uint32_t points, uint32_t length, const edge_asd_complex *twiddles,
                             uint32_t step) {
    for (const complexes *end = z + points; z < end; z += 3 * length) {
        K(butterfly)(z, length, K(quarter)(z[0]), K(quarter)(z[length]), K(quarter)(z[2 * length]),
                     K(quarter)(z[3 * length]));
        z++;
        const edge_asd_complex *w = twiddles + step - 3;
        for (uint32_t k = 1; k < length; k++, z++, w += step) {
            K(butterfly)(z, length, K(quarter)(z[0]), K(rotate)(z[length], w[0]), K(rotate)(z[2 * length], w[1]),
                         K(rotate)(z[3 * length], w[2]));
        }
    }
}

/* Quarter by quarter, so that all stages but the last work in the nearest cache. */
static TARGET void K(transform)(complexes *z, uint32_t points, vector up, const edge_asd_complex *twiddles) {
    const uint32_t quarter = points / 4;
    for (complexes *block = z; block < z + points; block += quarter) {
        for (uint32_t i = 0; i < quarter; i++) {
            block[i].re = block[i].re << up;
            block[i].im = block[i].im << up;
        }
        for (uint32_t length = (points & 0xAAAA) != 0 ? 2 : 1; length < quarter; length *= 4) {
            K(radix4)(block, quarter, length, twiddles, 3 * (points / (4 * length)));
        }
    }
    K(radix4)(z, points, quarter, twiddles, 3);
}

static TARGET void K(power)(complexes *z, uint32_t points, uint32_t first, const edge_asd_complex *twiddle,
                            uint32_t step) {
    complexes *low = z + first, *high = z + points - first;
    for (; low < high; low += 2, high -= 2, twiddle += step) {
        const complexes a = *low, b = *high;
        const edge_asd_complex w = {2 * twiddle->re, 2 * twiddle->im};
        complexes odd;
        odd.re = a.im + b.im;
        odd.im = b.re - a.re;
        odd = K(rotate)(odd, w);
        const vector re = K(halve)(a.re + b.re), im = K(halve)(a.im - b.im);
        low->power = K(squares)(re + odd.re, im + odd.im);
        high->power = K(squares)(re - odd.re, im - odd.im);
    }
}

/* `lines` [64]: value and slope << 16 of each straight line of log2. */
INLINE TARGET vector K(decibels)(const edge_asd_frontend_tables *t, const int32_t *lines, wide energy, vector offset) {
    const vector high = K(high_words)(energy), low = K(low_words)(energy);
    const vector large = high != 0;
    const vector silent = (high | low) == 0;
    words word = (words)(K(choose)(large, high, low) - silent); /* never 0 */
    const vector zeros = 32 - K(bits)(word);
    word = word << (words)zeros | ((words)(low & large) >> 1) >> (words)(31 - zeros);
    const words line = (words)K(lookup)(lines, (vector)(word >> 25 & 63));
    const words rise = ((line >> 16) * (word >> 9 & 0xFFFF) + (1U << 15)) >> 16;
    vector log2 = (vector)((line & 0xFFFF) + rise) + offset + 31 * 65536 + (large & (32 * 65536)) - (zeros << 16);
    const vector floor = K(splat)(t->floor_log2);
    log2 = K(choose)((log2 > floor) & ~silent, log2, floor);
    return K(mul)(log2 << 3, K(splat)(t->db_per_log2));
}

static TARGET void K(mel_decibels)(const complexes *p, const edge_asd_frontend_tables *t, const int32_t *lines,
                                   vector shift, vector *bands) {
    const uint32_t *weight = t->rising + 1;
    const vector scaling = shift << 17;
    wide before = {{{0}, {0}}};
    p++;
    for (uint32_t m = 0; m <= t->n_mels; m++) {
        wide rising = {{{0}, {0}}}, high = rising, total = rising;
        for (const complexes *end = p + t->segment_bins[m]; p < end; p++, weight++) {
            const vector w = K(splat)((int32_t)*weight);
            for (int i = 0; i < 2; i++) {
                const longs power = p->power.half[i];
                total.half[i] += power;
                rising.half[i] += K(weigh)(power, w);
                high.half[i] += K(weigh)(power >> 32, w);
            }
        }
        for (int i = 0; i < 2; i++) {
            rising.half[i] = (high.half[i] << 10) + (rising.half[i] >> 22);
            before.half[i] += total.half[i] - rising.half[i];
        }
        if (m > 0) {
            bands[m - 1] = K(decibels)(t, lines, before, t->offset[m - 1] - scaling);
        }
        before = rising;
    }
}

/* From one band a row to one frame a row. */
static TARGET void K(scatter)(vector *bands, uint32_t n_mels, size_t valid, int32_t *out) {
    for (uint32_t m = 0; m < n_mels; m += LANES) {
        const size_t bytes = (n_mels - m < LANES ? n_mels - m : LANES) * sizeof *out;
        K(transpose)(bands + m);
        for (size_t lane = 0; lane < valid; lane++) {
            memcpy(out + lane * n_mels + m, &bands[m + lane], bytes);
        }
    }
}

static TARGET void K(batch)(const edge_asd_frontend_tables *t, const int16_t *pcm, size_t frames, int32_t *out,
                            void *memory) {
    const uint32_t points = t->n_fft / 2;
    complexes *z = memory;
    vector *pairs = (vector *)(z + points);
    vector *bands = pairs + points;
    int32_t *lines = (int32_t *)(bands + t->n_mels + LANES);
    for (int i = 0; i < 64; i++) {
        lines[i] = (int32_t)((uint32_t)t->log2[i] | (uint32_t)(uint16_t)(t->log2[i + 1] - t->log2[i]) << 16);
    }
    for (size_t first = 0; first < frames; first += LANES) {
        const size_t valid = frames - first < LANES ? frames - first : LANES;
        vector shift = K(gather)(pairs, pcm + first * t->hop_length, t->n_fft, t->hop_length, valid);
        const vector up = K(window)(z, pairs, t->window, points, shift);
        K(transform)(z, points, up, t->twiddles);
        shift += up;
        K(power)(z, points, 2, t->twiddles, 3);
        K(power)(z, points, 1, t->odd_twiddles, 1);
        z[points / 2].power = K(squares)(z[points / 2].re, z[points / 2].im);
        K(mel_decibels)(z, t, lines, shift, bands);
        K(scatter)(bands, t->n_mels, valid, out + first * t->n_mels);
    }
}

#undef vector
#undef words
#undef shorts
#undef longs
#undef wide
#undef complexes
#undef INTERLEAVE_LOW
#undef INTERLEAVE_HIGH
#undef TARGET
#undef LANES
#undef K
