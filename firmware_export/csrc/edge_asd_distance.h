/* SPDX-License-Identifier: MIT */
/* How far features are from what a section sounds like.
 * The same integers as edge_asd/distance/distance.py: steps 7 to 10 of the distance's arithmetic, number 1. */
#ifndef EDGE_ASD_DISTANCE_H
#define EDGE_ASD_DISTANCE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Number of the arithmetic, that of edge_asd_features.h with it. */
#define EDGE_ASD_DISTANCE_NUMBER 1

/* Directions in which healthy sound of the machine varies. A bundle's reader refuses those for which a projection could
 * reach 2^28. */
typedef struct {
    const int16_t *rows;        /* [count][features], -32767 to 32767 */
    const int32_t *multipliers; /* [count], Q0.32: from products of rows and Q8.7 features to dB in Q14 */
    uint32_t count;             /* 0 to 64 */
    uint32_t features;          /* 2 to 256, even */
} edge_asd_directions;

/* What a section sounds like in one domain. */
typedef struct {
    const int16_t *mean; /* [features], dB in Q8.7, -20096 to 6528 */
    int64_t normaliser;  /* the distance that counts as 1: dB^2 in Q16, 1 to 2^40 - 1 */
} edge_asd_centre;

/* Rows times what the second centre's mean is less than the first's: `offsets` [directions->count]. With them one set of
 * products does for both centres. `difference` [features] is working memory. */
void edge_asd_distance_offsets(const edge_asd_directions *directions, const edge_asd_centre *centres,
                               int16_t *difference, int64_t *offsets);

/* The score, Q15.16, never negative and saturated at 2^31 - 1, of features `x` [features] by the nearest of one or two
 * `centres`. `offsets` [directions->count] is read where there are two; `difference` [features] is working memory. */
int32_t edge_asd_distance_score(const edge_asd_directions *directions, const edge_asd_centre *centres, uint32_t count,
                                const int64_t *offsets, const int16_t *x, int16_t *difference);

#ifdef __cplusplus
}
#endif

#endif
