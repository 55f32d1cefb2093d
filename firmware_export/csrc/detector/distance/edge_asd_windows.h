/* SPDX-License-Identifier: MIT */
/* Sound in, scores out: front end, features and distance of one bundle (edge_asd_bundle.h). A window is the whole span
 * of a score; there is one for each block. */
#ifndef EDGE_ASD_WINDOWS_H
#define EDGE_ASD_WINDOWS_H

#include "edge_asd_bundle.h"
#include "edge_asd_distance_model.h"
#include "edge_asd_features.h"
#include "edge_asd_frontend.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is scored in one call, and when first; and hops of sound from one call that works to the next. */
#define EDGE_ASD_WINDOWS_AT_ONCE 1U
#define EDGE_ASD_FIRST_FRAMES EDGE_ASD_WINDOW_FRAMES
#define EDGE_ASD_WORK_HOPS 1U

/* What is used within a call only: the front end's working memory, where features are put, too; and a frame. */
#define EDGE_ASD_WORK_BYTES (EDGE_ASD_FRONTEND_WORK_BYTES(EDGE_ASD_N_FFT) + 4U * EDGE_ASD_N_MELS)

#define EDGE_ASD_SUMS ((EDGE_ASD_BLOCKS + 1U) * EDGE_ASD_N_MELS)

typedef struct {
    uint64_t work[(EDGE_ASD_WORK_BYTES + 7U) / 8U];
    uint64_t frontend[(EDGE_ASD_FRONTEND_STATE_BYTES(EDGE_ASD_N_FFT) + 7U) / 8U];
    uint64_t power[EDGE_ASD_SUMS];
    int64_t square[EDGE_ASD_SUMS];
    int32_t level[EDGE_ASD_SUMS];
    int64_t offsets[EDGE_ASD_DIRECTIONS + 1U]; /* there may be no direction */
    edge_asd_features features;
    edge_asd_frontend *stream;
    uint32_t section;
} edge_asd_windows;

/* Start with no sample, for a section of edge_asd_sections. */
void edge_asd_windows_init(edge_asd_windows *w, uint32_t section);

/* Take samples until a span is complete or all are taken.
 *
 * Returns how many of the `count` samples were taken; call again with the rest. Sets *ready to how many scores were
 * written to `scores` [1], Q15.16: none or one. */
size_t edge_asd_windows_push(edge_asd_windows *w, const int16_t *pcm, size_t count, int32_t *scores, uint32_t *ready);

/* The sound ends here. No score waits for more: returns 0. */
uint32_t edge_asd_windows_finish(edge_asd_windows *w, int32_t *scores);

#ifdef __cplusplus
}
#endif

#endif
