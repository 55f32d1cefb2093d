/* SPDX-License-Identifier: MIT */
/* Sound to scores. */
#include "edge_asd_windows.h"

#include "edge_asd_score.h"
#include "edge_asd_target.h"

EDGE_ASD_CHECK(frontend_number, EDGE_ASD_FRONTEND_NUMBER == EDGE_ASD_BUNDLE_FRONTEND_NUMBER);
EDGE_ASD_CHECK(score_number, EDGE_ASD_SCORE_NUMBER == EDGE_ASD_BUNDLE_SCORE_NUMBER);
EDGE_ASD_CHECK(distance_number, EDGE_ASD_DISTANCE_NUMBER == EDGE_ASD_BUNDLE_DISTANCE_NUMBER);
EDGE_ASD_CHECK(bands, EDGE_ASD_BANDS == EDGE_ASD_N_MELS);
EDGE_ASD_CHECK(sections, EDGE_ASD_CENTRED_SECTIONS == EDGE_ASD_SECTIONS);
EDGE_ASD_CHECK(span, EDGE_ASD_BLOCK_FRAMES * EDGE_ASD_BLOCKS == EDGE_ASD_WINDOW_FRAMES);
EDGE_ASD_CHECK(block, EDGE_ASD_BLOCK_FRAMES == EDGE_ASD_WINDOW_HOP);
EDGE_ASD_CHECK(room, 8U * EDGE_ASD_N_MELS <= EDGE_ASD_FRONTEND_WORK_BYTES(EDGE_ASD_N_FFT));

/* Features [2 * EDGE_ASD_N_MELS], and behind them as many differences, where the front end works during its calls. */
static int16_t *features_of(edge_asd_windows *w) { return (int16_t *)(void *)w->work; }

void edge_asd_windows_init(edge_asd_windows *w, uint32_t section) {
    const edge_asd_section_centres *const of = edge_asd_distance_centres + section;
    w->stream = edge_asd_frontend_init_apart(w->frontend, sizeof w->frontend, w->work, sizeof w->work,
                                             &edge_asd_tables);
    w->section = section;
    edge_asd_features_init(&w->features, EDGE_ASD_N_MELS, EDGE_ASD_BLOCK_FRAMES, EDGE_ASD_BLOCKS, w->power, w->square,
                           w->level, edge_asd_tables.log2);
    if (of->count > 1) {
        edge_asd_distance_offsets(&edge_asd_distance_directions, of->centres, features_of(w), w->offsets);
    }
}

static int32_t score_of(edge_asd_windows *w) {
    const edge_asd_section_centres *const of = edge_asd_distance_centres + w->section;
    int16_t *const x = features_of(w);
    edge_asd_features_of_span(&w->features, x);
    return edge_asd_distance_score(&edge_asd_distance_directions, of->centres, of->count, w->offsets, x,
                                   x + 2U * EDGE_ASD_N_MELS);
}

size_t edge_asd_windows_push(edge_asd_windows *w, const int16_t *pcm, size_t count, int32_t *scores, uint32_t *ready) {
    int32_t *const frame = (int32_t *)(void *)((uint8_t *)w->work + EDGE_ASD_FRONTEND_WORK_BYTES(EDGE_ASD_N_FFT));
    size_t used = 0;
    *ready = 0;
    while (used < count && *ready == 0) {
        bool is_frame;
        used += edge_asd_frontend_push(w->stream, pcm + used, count - used, frame, &is_frame);
        if (is_frame && edge_asd_features_push(&w->features, frame)) {
            scores[0] = score_of(w);
            *ready = 1;
        }
    }
    return used;
}

uint32_t edge_asd_windows_finish(edge_asd_windows *w, int32_t *scores) {
    (void)w;
    (void)scores;
    return 0;
}
