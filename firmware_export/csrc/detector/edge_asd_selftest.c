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

/* The golden sound from sample `at` of EDGE_ASD_GOLDEN_HEARD on, over which it is repeated; `count` samples of it lie in
 * one piece. */
static const int16_t *heard(size_t at, size_t *count) {
    const size_t place = at % EDGE_ASD_GOLDEN_SAMPLES;
    *count = EDGE_ASD_GOLDEN_SAMPLES - place;
    if (*count > EDGE_ASD_GOLDEN_HEARD - at) {
        *count = EDGE_ASD_GOLDEN_HEARD - at;
    }
    return edge_asd_golden_pcm + place;
}

/* Features of all frames, and what a model is given of them. */
static uint32_t wrong_features(edge_asd_windows *w) {
    int32_t *frame = (int32_t *)(void *)((uint8_t *)w->work + EDGE_ASD_FRONTEND_WORK_BYTES(EDGE_ASD_N_FFT));
    uint32_t features = 2166136261U;
#if defined(EDGE_ASD_GOLDEN_INPUTS)
    uint32_t inputs = 2166136261U;
#endif
    for (size_t used = 0; used < EDGE_ASD_GOLDEN_HEARD;) {
        bool ready;
        size_t count;
        const int16_t *const pcm = heard(used, &count);
        used += edge_asd_frontend_push(w->stream, pcm, count, frame, &ready);
        for (uint32_t i = 0; ready && i < EDGE_ASD_N_MELS; i++) {
            features = hashed(features, (uint32_t)frame[i], 4);
#if defined(EDGE_ASD_GOLDEN_INPUTS)
            int8_t q;
            edge_asd_quantise_input(frame + i, 1, EDGE_ASD_INPUT_MULTIPLIER, EDGE_ASD_INPUT_ZERO_POINT, &q);
            inputs = hashed(inputs, (uint8_t)q, 1);
#endif
        }
    }
    uint32_t wrong = features != EDGE_ASD_GOLDEN_FEATURES ? 1U : 0U;
#if defined(EDGE_ASD_GOLDEN_INPUTS)
    wrong += inputs != EDGE_ASD_GOLDEN_INPUTS ? 1U : 0U;
#endif
    return wrong;
}

uint32_t edge_asd_selftest(edge_asd_detector *d) {
    edge_asd_windows *w = &d->windows;
    edge_asd_windows_init(w, EDGE_ASD_GOLDEN_SECTION);
    uint32_t wrong = wrong_features(w), window = 0;
    edge_asd_windows_init(w, EDGE_ASD_GOLDEN_SECTION);
    int64_t sum = 0;
    for (size_t used = 0; window < EDGE_ASD_GOLDEN_WINDOWS;) {
        int32_t scores[EDGE_ASD_WINDOWS_AT_ONCE];
        uint32_t ready;
        if (used < EDGE_ASD_GOLDEN_HEARD) {
            size_t count;
            const int16_t *const pcm = heard(used, &count);
            used += edge_asd_windows_push(w, pcm, count, scores, &ready);
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
