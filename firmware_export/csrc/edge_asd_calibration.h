/* SPDX-License-Identifier: MIT */
/* A section's threshold from recordings of the healthy machine: the integer that `edge-asd calibrate`
 * gives for the same recordings, all of one domain.
 *
 *     static int32_t spans[600];  ... one for each span_step windows
 *     edge_asd_calibration_begin(&calibration, 16000, windows_per_score, span_step, score_samples, spans, 600);
 *     ... for each recording, which starts with the front end reset:
 *     edge_asd_calibration_start(&calibration);
 *     ... for the samples that the front end has taken, and the windows that they completed:
 *     edge_asd_calibration_hear(&calibration, pcm, used);
 *     edge_asd_calibration_score(&calibration, window_score);
 *     ... and at its end:
 *     status = edge_asd_calibration_end(&calibration);
 *     ... and after the last:
 *     status = edge_asd_calibration_threshold(&calibration, 900000, &threshold);
 *
 * A recording that was refused plays no part, as if it had been taken out of the folder. */
#ifndef EDGE_ASD_CALIBRATION_H
#define EDGE_ASD_CALIBRATION_H

#include "edge_asd_health.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Most score spans that a threshold can rest on. */
#define EDGE_ASD_CALIBRATION_MOST 1000000

typedef enum {
    EDGE_ASD_CALIBRATION_OK = 0,
    EDGE_ASD_CALIBRATION_SHORT = 1,    /* the recording is shorter than one score spans */
    EDGE_ASD_CALIBRATION_DEAD = 2,     /* it is silent, or dead somewhere: a muted or unplugged input */
    EDGE_ASD_CALIBRATION_CLIPPED = 3,  /* more than 0.1 % of it is at full scale: turn the gain down */
    EDGE_ASD_CALIBRATION_FULL = 4,     /* it has more score spans than there is memory left for */
    EDGE_ASD_CALIBRATION_NONE = 5,     /* no score span to fit a threshold on */
    EDGE_ASD_CALIBRATION_QUANTILE = 6, /* the quantile is out of its range */
} edge_asd_calibration_status;

/* To be read: count, the number of score spans so far. */
typedef struct {
    int32_t *spans;     /* [capacity] scores, the caller's */
    uint32_t capacity;  /* spans that there is room for */
    uint32_t count;     /* spans that are there */
    uint32_t kept;      /* of these, from earlier recordings */
    uint32_t rate;      /* Hz */
    uint32_t windows;   /* of one span */
    uint32_t step;      /* windows from one span to the next */
    uint32_t window;    /* windows since the span began */
    int64_t sum;        /* of their scores */
    uint64_t least;     /* samples of the shortest recording */
    uint64_t clipped;   /* samples of the recording at full scale */
    edge_asd_dead_line line;
    edge_asd_calibration_status status; /* of the recording so far: OK, DEAD or FULL */
} edge_asd_calibration;

/* Start with no recording. `sample_rate` is in Hz; a score spans `windows_per_score` windows and
 * `score_samples` samples, both at least 1; a further span begins `span_step` windows after the one before, no fewer than
 * windows_per_score. `spans` [capacity] holds the score of each span, up to
 * EDGE_ASD_CALIBRATION_MOST of them. False if a number is out of its range. */
bool edge_asd_calibration_begin(edge_asd_calibration *calibration, uint32_t sample_rate, uint32_t windows_per_score,
                                uint32_t span_step, uint64_t score_samples, int32_t *spans, size_t capacity);

/* A recording starts; one that has not ended is dropped. */
void edge_asd_calibration_start(edge_asd_calibration *calibration);

/* Its next samples. Returns OK, or DEAD or FULL as soon as the recording is sure to be refused. */
edge_asd_calibration_status edge_asd_calibration_hear(edge_asd_calibration *calibration, const int16_t *pcm,
                                                      size_t count);

/* The score of its next window. Returns as `hear` does. */
edge_asd_calibration_status edge_asd_calibration_score(edge_asd_calibration *calibration, int32_t window_score);

/* There is no room for a further span: time to end the recording. */
bool edge_asd_calibration_is_full(const edge_asd_calibration *calibration);

/* The recording ends. Windows that are left over count in no span. Returns OK, or SHORT, DEAD, CLIPPED
 * or FULL where it was refused and its spans dropped. */
edge_asd_calibration_status edge_asd_calibration_end(edge_asd_calibration *calibration);

/* The threshold: the smallest score for which at least this quantile of the spans, 1 to 1,000,000
 * millionths, lies at or below it. Sorts the spans; further recordings may follow. Returns OK, or NONE
 * or QUANTILE and leaves *threshold alone. */
edge_asd_calibration_status edge_asd_calibration_threshold(edge_asd_calibration *calibration,
                                                           uint32_t quantile_millionths, int32_t *threshold);

#ifdef __cplusplus
}
#endif

#endif
