/* SPDX-License-Identifier: MIT */
/* The dead-input rule sample by sample: the C of DeadLine in edge_asd/audio/health.py. */
#include "edge_asd_health.h"

#include <string.h>

/* A place is flat where the suffix, the longest end of the sound whose samples differ by at most 2,
 * is as long as the window. The suffix holds three neighbouring values at most, and a new sample
 * cuts it behind the last sample of each value that it is apart from. So it is enough to know where
 * each value was last, and which sample followed: that may become the suffix's first. */

#define SPREAD 2
#define STRIDE 8 /* less than any window */
#define MOST 0x100000
#define NO_SAMPLE 0x10000 /* apart from every sample */
#define QUIET 8           /* samples that are told at once not to be at full scale */
#define CLIPPED_OF 1000   /* one sample in so many may be at full scale */

static bool apart(int32_t a, int32_t b) { return (uint32_t)(a - b + SPREAD) > 2 * SPREAD; }

static uint32_t slot(int32_t value) { return (uint32_t)value & 3; }

bool edge_asd_dead_line_init(edge_asd_dead_line *l, uint32_t sample_rate) {
    if (sample_rate < 1000 || sample_rate > 1000000) {
        return false;
    }
    const uint32_t half = sample_rate / 2;
    l->count = 0;
    l->line.start = 0;
    l->line.stop = 0;
    l->window = sample_rate / 100;
    l->click = sample_rate / 2000;
    l->least = half + (sample_rate & half & 1); /* a half rounds to even, as in Python */
    l->line_value = 0;
    l->first = 0;
    l->first_value = NO_SAMPLE;
    l->low = NO_SAMPLE;
    l->high = NO_SAMPLE;
    l->value = NO_SAMPLE;
    for (uint32_t i = 0; i < 4; i++) {
        l->last[i] = -1;
        l->after[i] = 0;
    }
    l->is_line = false;
    l->is_silent = true;
    return true;
}

bool edge_asd_dead_line_is_dead(const edge_asd_dead_line *l) {
    return l->is_line && l->line.stop - l->line.start >= l->least;
}

/* Ends the line; returns whether it was dead. */
static bool end_line(edge_asd_dead_line *l, edge_asd_stretch *stretch) {
    const bool dead = edge_asd_dead_line_is_dead(l);
    if (dead) {
        *stretch = l->line;
    }
    l->is_line = false;
    return dead;
}

/* A sample apart from the one before: it alone is the suffix. */
static void restart(edge_asd_dead_line *l, int32_t value, int32_t i) {
    l->is_silent = i == 0 && l->value == NO_SAMPLE; /* the very first */
    l->first = i;
    l->first_value = value;
    l->low = value;
    l->high = value;
    l->value = value;
    l->last[slot(value)] = i;
}

/* The suffix begins at i: how far it may be told at once that it begins again. Where it does at the
 * end of a stride, all before does not matter, since no suffix grows to a window within a stride. */
static int32_t skip(const int16_t *pcm, int32_t i, int32_t n) {
    while (n - i > STRIDE && apart(pcm[i + STRIDE - 1], pcm[i + STRIDE])) {
        i += STRIDE;
    }
    return i;
}

/* Cut the suffix behind every value that `value` is apart from. */
static void cut(edge_asd_dead_line *l, int32_t value) {
    const int32_t low = l->low, high = l->high;
    for (int32_t u = low; u <= high; u++) {
        if (apart(u, value) && l->last[slot(u)] >= l->first) {
            l->first = l->last[slot(u)] + 1;
            l->first_value = l->after[slot(u)];
        }
    }
    l->low = value;
    l->high = value;
    for (int32_t u = low; u <= high; u++) {
        if (l->last[slot(u)] >= l->first) {
            l->low = u < l->low ? u : l->low;
            l->high = u > l->high ? u : l->high;
        }
    }
    l->is_silent = false;
}

/* The places up to before `stop` are flat, from where the suffix is a window long. `from`: the first of
 * them that is new. Returns whether a dead stretch has ended. */
static bool extend(edge_asd_dead_line *l, int32_t from, int32_t stop, edge_asd_stretch *stretch) {
    bool ended = false;
    /* After a flat place the line goes on; else the suffix has just grown to a window. */
    if (!l->is_line || l->line.stop != l->count + (uint32_t)from) {
        const uint64_t start = l->count + (uint64_t)(int64_t)l->first;
        if (l->is_line && (start > l->line.stop + l->click || apart(l->first_value, l->line_value))) {
            ended = end_line(l, stretch);
        }
        if (!l->is_line) {
            l->line.start = start;
            l->is_line = true;
        }
    }
    l->line.stop = l->count + (uint32_t)stop;
    l->line_value = l->value;
    return ended;
}

/* Sample i is near the one before, so the suffix grows: by it, and by those after it that bring no value
 * below or above it. Returns where those end. */
static int32_t grow(edge_asd_dead_line *l, const int16_t *pcm, int32_t i, int32_t n) {
    int32_t value = pcm[i], before = l->value;
    l->after[slot(before)] = (int16_t)value;
    if (value > l->low + SPREAD || value < l->high - SPREAD) {
        cut(l, value);
    }
    l->low = value < l->low ? value : l->low;
    l->high = value > l->high ? value : l->high;
    const int32_t low = l->low;
    const uint32_t spread = (uint32_t)(l->high - low);
    do {
        l->after[slot(before)] = (int16_t)value;
        l->last[slot(value)] = i;
        before = value;
        i++;
    } while (i < n && (uint32_t)((value = pcm[i]) - low) <= spread);
    l->value = before;
    return i;
}

/* `index`, counted from the sample after `used` more; no less than `least`. */
static int32_t moved(int32_t index, int32_t used, int32_t least) {
    return index - used > least ? index - used : least;
}

size_t edge_asd_dead_line_push(edge_asd_dead_line *l, const int16_t *pcm, size_t count, edge_asd_stretch *stretch,
                               bool *ended) {
    const int32_t n = (int32_t)(count < MOST ? count : MOST);
    int32_t i = 0;
    bool over = false;
    while (i < n && !over) {
        if (apart(pcm[i], l->value)) {
            i = skip(pcm, i, n);
            restart(l, pcm[i], i);
            i++;
        } else {
            const int32_t from = i;
            i = grow(l, pcm, i, n);
            over = (uint32_t)(i - l->first) >= l->window && extend(l, from, i, stretch);
        }
    }
    /* The window alone can tell a flat place, so that older samples may all be as old as it. */
    const int32_t oldest = -(int32_t)l->window;
    l->first = moved(l->first, i, oldest);
    for (uint32_t k = 0; k < 4; k++) {
        l->last[k] = moved(l->last[k], i, oldest - 1);
    }
    l->count += (uint32_t)i;
    if (l->is_line && l->count - l->line.stop >= l->window + l->click) {
        over = end_line(l, stretch);
    }
    *ended = over;
    return (size_t)i;
}

#if !defined(__ARM_ARCH) || defined(__ARM_FEATURE_UNALIGNED)
/* A bit 15 or 31 is set where the two highest bits of a sample of the pair differ: it is above half of full scale. */
static uint32_t loud(const int16_t *pair) {
    uint32_t word;
    memcpy(&word, pair, sizeof word);
    return word ^ (word << 1);
}

static bool is_quiet(const int16_t *pcm) {
    return ((loud(pcm) | loud(pcm + 2) | loud(pcm + 4) | loud(pcm + 6)) & 0x80008000U) == 0;
}
#else
/* A Cortex-M0+ reads words only where they are aligned: it would gain little. */
static bool is_quiet(const int16_t *pcm) {
    (void)pcm;
    return false;
}
#endif

size_t edge_asd_count_clipped(const int16_t *pcm, size_t count) {
    uint32_t clipped = 0;
    while (count > 0) {
        size_t part = count < QUIET ? count : QUIET;
        count -= part;
        if (part == QUIET && is_quiet(pcm)) {
            pcm += QUIET;
            continue;
        }
        for (; part > 0; part--, pcm++) {
            const int32_t value = *pcm;
            clipped += ((uint32_t)(value ^ -(value < 0)) + 1) >> 15; /* 32767 for both ends */
        }
    }
    return clipped;
}

bool edge_asd_is_clipped(uint64_t clipped, uint64_t samples) { return clipped * CLIPPED_OF > samples; }
