/* SPDX-License-Identifier: MIT */
/* The detector: windows, decisions and calibration put together. */
#include "edge_asd.h"

static const edge_asd_decisions_config config = {
    EDGE_ASD_SAMPLE_RATE,  EDGE_ASD_N_FFT,
    EDGE_ASD_HOP_LENGTH,   EDGE_ASD_WINDOW_FRAMES,
    EDGE_ASD_WINDOW_HOP,   EDGE_ASD_SCORE_WINDOW_FRAMES,
    EDGE_ASD_INTERVAL_FRAMES,
};

static bool same(const char *a, const char *b) {
    while (*a != 0 && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

uint32_t edge_asd_find_section(const char *name) {
    uint32_t section = 0;
    while (section < EDGE_ASD_SECTIONS && !same(edge_asd_sections[section].name, name)) {
        section++;
    }
    return section;
}

bool edge_asd_init(edge_asd_detector *d, uint32_t section) {
    if (section >= EDGE_ASD_SECTIONS) {
        return false;
    }
    edge_asd_windows_init(&d->windows, section);
    d->threshold = edge_asd_sections[section].threshold;
    return edge_asd_decisions_init(&d->decisions, &config, d->ring, EDGE_ASD_SCORE_RING, d->queue, EDGE_ASD_QUEUE);
}

void edge_asd_set_threshold(edge_asd_detector *d, int32_t threshold) { d->threshold = threshold; }

/* What was heard may fill the queue: decisions that nobody takes are lost, the oldest first. */
static void hear(edge_asd_detector *d, const int16_t *pcm, size_t count) {
    while (count > 0) {
        const size_t heard = edge_asd_decisions_hear(&d->decisions, pcm, count);
        edge_asd_decision lost;
        if (heard == 0 && !edge_asd_next(d, &lost)) {
            return;
        }
        pcm += heard;
        count -= heard;
    }
}

size_t edge_asd_push(edge_asd_detector *d, const int16_t *pcm, size_t count) {
    size_t used = d->windows.stream == NULL ? count : 0;
    uint32_t ready = 0;
    while (used < count && ready == 0) {
        int32_t scores[EDGE_ASD_WINDOWS_AT_ONCE];
        const size_t taken = edge_asd_windows_push(&d->windows, pcm + used, count - used, scores, &ready);
        hear(d, pcm + used, taken);
        for (uint32_t i = 0; i < ready; i++) {
            edge_asd_decisions_score(&d->decisions, scores[i]);
        }
        used += taken;
    }
    return used;
}

bool edge_asd_next(edge_asd_detector *d, edge_asd_decision *decision) {
    return edge_asd_decisions_next(&d->decisions, d->threshold, decision);
}

void edge_asd_finish(edge_asd_detector *d) {
    int32_t scores[EDGE_ASD_WINDOWS_AT_ONCE];
    const uint32_t ready = edge_asd_windows_finish(&d->windows, scores);
    for (uint32_t i = 0; i < ready; i++) {
        edge_asd_decisions_score(&d->decisions, scores[i]);
    }
    edge_asd_decisions_finish(&d->decisions);
}

bool edge_asd_is_dead(const edge_asd_detector *d) { return edge_asd_decisions_is_dead(&d->decisions); }
