/* SPDX-License-Identifier: MIT */
/* Sound to window scores. */
#include "edge_asd_windows.h"

#include "edge_asd_score.h"

EDGE_ASD_CHECK(frontend_number, EDGE_ASD_FRONTEND_NUMBER == EDGE_ASD_BUNDLE_FRONTEND_NUMBER);
EDGE_ASD_CHECK(score_number, EDGE_ASD_SCORE_NUMBER == EDGE_ASD_BUNDLE_SCORE_NUMBER);
EDGE_ASD_CHECK(model_input, EDGE_ASD_NETWORK_INPUTS == EDGE_ASD_WINDOW_FRAMES * EDGE_ASD_N_MELS);
EDGE_ASD_CHECK(model_rows, EDGE_ASD_N_MELS % EDGE_ASD_NETWORK_ROW == 0);
EDGE_ASD_CHECK(int8, sizeof(edge_asd_network_input) == 1 && sizeof(edge_asd_network_output) == 1);

void edge_asd_windows_init(edge_asd_windows *w, uint32_t section) {
    w->stream = edge_asd_frontend_init_apart(w->frontend, sizeof w->frontend, w->work, sizeof w->work,
                                             &edge_asd_tables);
    w->section = section;
    w->next = 0;
    w->missing = EDGE_ASD_RING_FRAMES;
    w->saturated = 0;
}

#if EDGE_ASD_SCORES_FEATURES
static int32_t score_of(const edge_asd_windows *w, uint32_t first, const int8_t *output) {
    uint64_t sum = 0;
    for (uint32_t frame = 0; frame < EDGE_ASD_WINDOW_FRAMES; frame++, first++, output += EDGE_ASD_N_MELS) {
        first -= first >= EDGE_ASD_RING_FRAMES ? EDGE_ASD_RING_FRAMES : 0;
        sum = edge_asd_squared_error(sum, w->features + first * EDGE_ASD_N_MELS, output, EDGE_ASD_N_MELS,
                                     EDGE_ASD_OUTPUT_MULTIPLIER, EDGE_ASD_OUTPUT_ZERO_POINT);
    }
    return edge_asd_mean_squared_error(sum, EDGE_ASD_NETWORK_INPUTS);
}
#else
static int32_t score_of(const edge_asd_windows *w, uint32_t first, const int8_t *output) {
    (void)first;
    return edge_asd_log_odds(output, EDGE_ASD_NETWORK_OUTPUTS, edge_asd_sections[w->section].output,
                             EDGE_ASD_OUTPUT_MULTIPLIER, edge_asd_tables.log2);
}
#endif

/* Score the first `count` windows of the ring, whose oldest frame is `next`. */
static void score_all(edge_asd_windows *w, uint32_t count, int32_t *scores) {
    const int8_t *output =
        edge_asd_network_run(w->inputs, (size_t)EDGE_ASD_WINDOW_HOP * EDGE_ASD_N_MELS,
                             (size_t)w->next * EDGE_ASD_N_MELS, sizeof w->inputs, w->work);
    for (uint32_t i = 0; i < count; i++, output += EDGE_ASD_NETWORK_OUTPUTS) {
        scores[i] = score_of(w, (w->next + i * EDGE_ASD_WINDOW_HOP) % EDGE_ASD_RING_FRAMES, output);
    }
}

size_t edge_asd_windows_push(edge_asd_windows *w, const int16_t *pcm, size_t count, int32_t *scores, uint32_t *ready) {
    size_t used = 0;
    *ready = 0;
    while (used < count && *ready == 0) {
#if EDGE_ASD_SCORES_FEATURES
        int32_t *frame = w->features + w->next * EDGE_ASD_N_MELS;
#else
        int32_t *frame = (int32_t *)(void *)((uint8_t *)w->work + EDGE_ASD_FRONTEND_WORK_BYTES(EDGE_ASD_N_FFT));
#endif
        bool is_frame;
        used += edge_asd_frontend_push(w->stream, pcm + used, count - used, frame, &is_frame);
        if (is_frame) {
            w->saturated += (uint32_t)edge_asd_quantise_input(frame, EDGE_ASD_N_MELS, EDGE_ASD_INPUT_MULTIPLIER,
                                                              EDGE_ASD_INPUT_ZERO_POINT,
                                                              w->inputs + w->next * EDGE_ASD_N_MELS);
            w->next = w->next + 1 == EDGE_ASD_RING_FRAMES ? 0 : w->next + 1;
            w->missing--;
            if (w->missing == 0) {
                score_all(w, EDGE_ASD_NETWORK_WINDOWS, scores);
                *ready = EDGE_ASD_NETWORK_WINDOWS;
                w->missing = EDGE_ASD_NETWORK_WINDOWS * EDGE_ASD_WINDOW_HOP;
            }
        }
    }
    return used;
}

uint32_t edge_asd_windows_finish(edge_asd_windows *w, int32_t *scores) {
    /* Windows whose last frame is there. With fewer frames than the ring's, the oldest is not `next`: write on. */
    const uint32_t missing = (w->missing + EDGE_ASD_WINDOW_HOP - 1U) / EDGE_ASD_WINDOW_HOP;
    const uint32_t count = missing < EDGE_ASD_NETWORK_WINDOWS ? EDGE_ASD_NETWORK_WINDOWS - missing : 0;
    if (count > 0) {
        w->next = (w->next + w->missing) % EDGE_ASD_RING_FRAMES;
        score_all(w, count, scores);
        w->next = (w->next + EDGE_ASD_RING_FRAMES - w->missing) % EDGE_ASD_RING_FRAMES;
    }
    return count;
}
