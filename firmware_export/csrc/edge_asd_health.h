/* SPDX-License-Identifier: MIT */
/* Sound that is none: the dead-input rule and the clipped samples of edge_asd/audio/health.py.
 *
 * A flat place is the last sample of 10 ms whose samples differ by at most 2. A line goes on from
 * one flat place to the next if at most half a millisecond of other samples lies between the flat
 * stretches, and the line goes on where it was, to within 2. A line of at least half a second is
 * dead: a muted or unplugged input.
 *
 *     edge_asd_dead_line line;
 *     edge_asd_dead_line_init(&line, 16000);
 *     while (count > 0) {
 *         edge_asd_stretch dead;
 *         bool ended;
 *         size_t used = edge_asd_dead_line_push(&line, pcm, count, &dead, &ended);
 *         if (ended) { ... samples dead.start to before dead.stop were dead ... }
 *         pcm += used;
 *         count -= used;
 *     }
 *
 * Places are samples since the start, in 64 bits: they last for longer than any machine. */
#ifndef EDGE_ASD_HEALTH_H
#define EDGE_ASD_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Samples from start to before stop. */
typedef struct {
    uint64_t start;
    uint64_t stop;
} edge_asd_stretch;

/* What was heard, without a sample of it. To be read: count, is_line, line, is_silent. */
typedef struct {
    uint64_t count;        /* samples heard */
    edge_asd_stretch line; /* where is_line: what the next sample may still continue, dead or not */
    uint32_t window;       /* samples that are flat or not: 10 ms */
    uint32_t click;        /* samples that may lie between two flat stretches: half a millisecond */
    uint32_t least;        /* length from which a line is dead: half a second */
    int32_t line_value;    /* the line's last sample */
    /* The suffix: the longest end of the sound whose samples differ by at most 2. Its three values at
     * most differ in their last two bits. Indices count from the next sample, which has 0. */
    int32_t first;       /* index of its first sample, at least -window */
    int32_t first_value; /* of that sample, while the suffix is no longer than the window */
    int32_t low;         /* its least value, or one that has left it */
    int32_t high;        /* its greatest value, or one that has left it */
    int32_t value;       /* its last sample */
    int32_t last[4];     /* index of a value's last sample; before `first`: it has none */
    int16_t after[4];    /* the sample that followed it */
    bool is_line;
    bool is_silent; /* all samples heard so far differ by at most 2, however few they are */
} edge_asd_dead_line;

/* Start with no sample heard; false if `sample_rate` is not 1000 to 1,000,000 Hz. */
bool edge_asd_dead_line_init(edge_asd_dead_line *line, uint32_t sample_rate);

/* Take samples until a dead stretch has ended or all are taken, 2^20 at most.
 *
 * Returns how many of the `count` samples were taken; call again with the rest. Sets *ended to
 * whether a dead stretch has ended, and only then writes it to `stretch`. Each stretch is told once,
 * in order, window + click samples after its last one at the latest. Ordinary sound takes about two
 * instructions a sample, a line about fifteen. */
size_t edge_asd_dead_line_push(edge_asd_dead_line *line, const int16_t *pcm, size_t count, edge_asd_stretch *stretch,
                               bool *ended);

/* The input is dead now. */
bool edge_asd_dead_line_is_dead(const edge_asd_dead_line *line);

/* How many of `count` samples are at full scale, -32768 or 32767. */
size_t edge_asd_count_clipped(const int16_t *pcm, size_t count);

/* Whether `samples` samples of which `clipped` are at full scale are too clipped to be learnt from:
 * more than 0.1 % of them. */
bool edge_asd_is_clipped(uint64_t clipped, uint64_t samples);

#ifdef __cplusplus
}
#endif

#endif
