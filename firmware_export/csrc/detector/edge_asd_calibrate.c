/* SPDX-License-Identifier: MIT */
/* A threshold on site, computed by the detector itself. */
#include "edge_asd.h"

void edge_asd_calibrate_begin(edge_asd_detector *d, edge_asd_calibration *calibration, int32_t *spans,
                              size_t capacity) {
    edge_asd_windows_init(&d->windows, d->windows.section);
    edge_asd_calibration_begin(calibration, EDGE_ASD_SAMPLE_RATE, EDGE_ASD_SCORE_RING, EDGE_ASD_SPAN_STEP,
                               EDGE_ASD_SCORE_SAMPLES, spans, capacity);
    edge_asd_calibration_start(calibration);
}

edge_asd_calibration_status edge_asd_calibrate_push(edge_asd_detector *d, edge_asd_calibration *calibration,
                                                    const int16_t *pcm, size_t count) {
    edge_asd_calibration_status status = EDGE_ASD_CALIBRATION_OK;
    while (count > 0) {
        int32_t scores[EDGE_ASD_WINDOWS_AT_ONCE];
        uint32_t ready;
        const size_t used = edge_asd_windows_push(&d->windows, pcm, count, scores, &ready);
        status = edge_asd_calibration_hear(calibration, pcm, used);
        for (uint32_t i = 0; i < ready; i++) {
            status = edge_asd_calibration_score(calibration, scores[i]);
        }
        pcm += used;
        count -= used;
    }
    return status;
}

edge_asd_calibration_status edge_asd_calibrate_recorded(edge_asd_detector *d, edge_asd_calibration *calibration) {
    int32_t scores[EDGE_ASD_WINDOWS_AT_ONCE];
    const uint32_t ready = edge_asd_windows_finish(&d->windows, scores);
    for (uint32_t i = 0; i < ready; i++) {
        edge_asd_calibration_score(calibration, scores[i]);
    }
    const edge_asd_calibration_status status = edge_asd_calibration_end(calibration);
    edge_asd_windows_init(&d->windows, d->windows.section);
    edge_asd_calibration_start(calibration);
    return status;
}

edge_asd_calibration_status edge_asd_calibrate_end(edge_asd_detector *d, edge_asd_calibration *calibration,
                                                   uint32_t quantile_millionths) {
    int32_t threshold = d->threshold;
    const edge_asd_calibration_status status =
        edge_asd_calibration_threshold(calibration, quantile_millionths, &threshold);
    edge_asd_init(d, d->windows.section);
    edge_asd_set_threshold(d, threshold);
    return status;
}
