/* SPDX-License-Identifier: MIT */
/* The bundle's golden vectors, computed on this device. Linked in only where it is called. */
#include "edge_asd.h"
#include "edge_asd_golden.h"
#include "edge_asd_score.h"

/* FNV-1a of integers, lowest byte first. */
static uint32_t hashed(uint32_t hash, uint32_t value, uint32_t bytes) {
    for (uint32_t i = 0; i < bytes; i++, value >>= 8) {
        hash = (hash ^ (value & 0xFFU)) * 16777619U;
    }
    return hash;
}

/* Features and model inputs of all frames. */
static uint32_t wrong_features(edge_asd_windows *w) {
    int32_t *frame = (int32_t *)(void *)((uint8_t *)w->work + EDGE_ASD_FRONTEND_WORK_BYTES(EDGE_ASD_N_FFT));
    uint32_t features = 2166136261U, inputs = 2166136261U;
    for (size_t used = 0; used < EDGE_ASD_GOLDEN_SAMPLES;) {
        bool ready;
        used += edge_asd_frontend_push(w->stream, edge_asd_golden_pcm + used, EDGE_ASD_GOLDEN_SAMPLES - used, frame,
                                       &ready);
        for (uint32_t i = 0; ready && i < EDGE_ASD_N_MELS; i++) {
            int8_t q;
            edge_asd_quantise_input(frame + i, 1, EDGE_ASD_INPUT_MULTIPLIER, EDGE_ASD_INPUT_ZERO_POINT, &q);
            features = hashed(features, (uint32_t)frame[i], 4);
            inputs = hashed(inputs, (uint8_t)q, 1);
        }
    }
    return (features != EDGE_ASD_GOLDEN_FEATURES ? 1U : 0U) + (inputs != EDGE_ASD_GOLDEN_INPUTS ? 1U : 0U);
}

uint32_t edge_asd_selftest(edge_asd_detector *d) {
    edge_asd_windows *w = &d->windows;
    edge_asd_windows_init(w, EDGE_ASD_GOLDEN_SECTION);
    uint32_t wrong = wrong_features(w), window = 0;
    edge_asd_windows_init(w, EDGE_ASD_GOLDEN_SECTION);
    int64_t sum = 0;
    for (size_t used = 0; window < EDGE_ASD_GOLDEN_WINDOWS;) {
        int32_t scores[EDGE_ASD_NETWORK_WINDOWS];
        uint32_t ready;
        if (used < EDGE_ASD_GOLDEN_SAMPLES) {
            used += edge_asd_windows_push(w, edge_asd_golden_pcm + used, EDGE_ASD_GOLDEN_SAMPLES - used, scores,
                                          &ready);
        } else {
            ready = edge_asd_windows_finish(w, scores);
            if (ready == 0) {
                return wrong + EDGE_ASD_GOLDEN_WINDOWS - window;
            }
        }
        for (uint32_t i = 0; i < ready && window < EDGE_ASD_GOLDEN_WINDOWS; i++, window++) {
            wrong += scores[i] != edge_asd_golden_scores[window] ? 1U : 0U;
            sum += scores[i];
        }
    }
    return wrong + (edge_asd_mean_score(sum, EDGE_ASD_GOLDEN_WINDOWS) != EDGE_ASD_GOLDEN_SCORE ? 1U : 0U);
}
