/* SPDX-License-Identifier: MIT */
/* Frames of decibels in, what a span of them is described by out: each band's level, and how unsteady it is.
 * The same integers as edge_asd/distance/blocks.py and features.py: steps 1 to 6 of number 1 of the arithmetic.
 *
 * A span is cut into blocks of frames; each block keeps three sums for each band, and where a block ends, the last
 * `blocks` of them make the features of the span that ends there. */
#ifndef EDGE_ASD_FEATURES_H
#define EDGE_ASD_FEATURES_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Sums of blocks, a ring: the one that fills, and those before it; and in a last row those of the span, of all blocks
 * that are full. The arrays are the caller's. */
typedef struct {
    uint64_t *power;      /* [blocks + 1][bands] of powers, with power_bits fractional bits */
    int64_t *square;      /* [blocks + 1][bands] of squared dB, Q16 */
    int32_t *level;       /* [blocks + 1][bands] of dB, Q8.8 */
    const uint16_t *log2; /* [65] table of edge_asd_frontend_tables */
    uint32_t bands;       /* 1 to 128 */
    uint32_t frames;      /* of a block */
    uint32_t blocks;      /* of a span */
    int32_t power_bits;   /* 45 less the bits of a span's frames */
    int32_t log2_span;    /* log2 of a span's frames, Q15.16 */
    uint32_t block;       /* that fills */
    uint32_t filled;      /* frames in it */
    uint32_t missing;     /* blocks until a span is whole; 0 from then on */
} edge_asd_features;

/* Start with no frame. `frames` and `blocks` are at least 1, and their product at most 32768; the arrays must outlive
 * the structure. */
void edge_asd_features_init(edge_asd_features *features, uint32_t bands, uint32_t frames, uint32_t blocks,
                            uint64_t *power, int64_t *square, int32_t *level, const uint16_t *log2);

/* Add a frame `db` [bands] of the front end, Q15.16. True where a span ends with it: take its features then, before the
 * next frame. */
bool edge_asd_features_push(edge_asd_features *features, const int32_t *db);

/* Features of the span that has just ended: `x` [2 * bands], dB in Q8.7, the levels of all bands and then their
 * unsteadinesses; from -20096 to 6528. */
void edge_asd_features_of_span(const edge_asd_features *features, int16_t *x);

#ifdef __cplusplus
}
#endif

#endif
