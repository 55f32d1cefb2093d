/* SPDX-License-Identifier: MIT */
/* Sound in, window scores out: front end, ring of features, model and score of one bundle (edge_asd_bundle.h). */
#ifndef EDGE_ASD_WINDOWS_H
#define EDGE_ASD_WINDOWS_H

#include "edge_asd_bundle.h"
#include "edge_asd_frontend.h"
#include "edge_asd_network.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Frames in memory: those of all windows that are scored together. */
#define EDGE_ASD_RING_FRAMES (EDGE_ASD_WINDOW_FRAMES + (EDGE_ASD_NETWORK_WINDOWS - 1U) * EDGE_ASD_WINDOW_HOP)

/* What is scored in one call, and when first; and hops of sound from one call that scores to the next. */
#define EDGE_ASD_WINDOWS_AT_ONCE EDGE_ASD_NETWORK_WINDOWS
#define EDGE_ASD_FIRST_FRAMES EDGE_ASD_RING_FRAMES
#define EDGE_ASD_WORK_HOPS (EDGE_ASD_WINDOW_HOP * EDGE_ASD_NETWORK_WINDOWS)

#define EDGE_ASD_MAX(a, b) ((a) > (b) ? (a) : (b))

/* What is used within a call only: the front end's working memory and a frame, then the model's activations. */
#define EDGE_ASD_WORK_BYTES                                                              \
    EDGE_ASD_MAX(EDGE_ASD_FRONTEND_WORK_BYTES(EDGE_ASD_N_FFT) + 4U * EDGE_ASD_N_MELS, \
                 EDGE_ASD_NETWORK_ARENA)

typedef struct {
    uint64_t work[(EDGE_ASD_WORK_BYTES + 7U) / 8U];
    uint64_t frontend[(EDGE_ASD_FRONTEND_STATE_BYTES(EDGE_ASD_N_FFT) + 7U) / 8U];
#if EDGE_ASD_SCORES_FEATURES
    int32_t features[EDGE_ASD_RING_FRAMES * EDGE_ASD_N_MELS]; /* dB in Q15.16 */
#endif
    int8_t inputs[EDGE_ASD_RING_FRAMES * EDGE_ASD_N_MELS]; /* the same for the model */
    edge_asd_frontend *stream;
    uint32_t section;
    uint32_t next;      /* frame of the ring to be written */
    uint32_t missing;   /* frames until the next windows are complete */
    uint32_t saturated; /* input values that were cut off at -128 or 127 so far */
} edge_asd_windows;

/* Start with no sample, for a section of edge_asd_sections. */
void edge_asd_windows_init(edge_asd_windows *w, uint32_t section);

/* Take samples until windows are complete or all are taken.
 *
 * Returns how many of the `count` samples were taken; call again with the rest. Sets *ready to how many scores were
 * written to `scores` [EDGE_ASD_NETWORK_WINDOWS], Q15.16: none, or that many. */
size_t edge_asd_windows_push(edge_asd_windows *w, const int16_t *pcm, size_t count, int32_t *scores, uint32_t *ready);

/* The sound ends here: score the windows that wait for others to be scored with. Returns how many. */
uint32_t edge_asd_windows_finish(edge_asd_windows *w, int32_t *scores);

#ifdef __cplusplus
}
#endif

#endif
