/* SPDX-License-Identifier: MIT */
/* Hears that a machine sounds wrong: int16 PCM in, decisions out.
 *
 *     static edge_asd_detector detector;                     // all memory there is
 *     edge_asd_init(&detector, edge_asd_find_section("00"));
 *     while (count > 0) {                                    // samples from a microphone, mono
 *         size_t used = edge_asd_push(&detector, pcm, count);
 *         edge_asd_decision decision;
 *         while (edge_asd_next(&detector, &decision)) {
 *             if (decision.anomaly) { ... }
 *         }
 *         pcm += used;
 *         count -= used;
 *     }
 *
 * What it decides is what `edge-asd monitor` and `edge-asd evaluate` decide on the same samples, integer for integer.
 * No heap, no floating point. Not to be called from several threads at once; the work of a hop
 * (EDGE_ASD_HOP_LENGTH samples) is done in the call that completes it: call it from the main loop, not from an interrupt. */
#ifndef EDGE_ASD_H
#define EDGE_ASD_H

#include "edge_asd_calibration.h"
#include "edge_asd_decisions.h"
#include "edge_asd_windows.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Time between two decisions; may be set to another one when the library is compiled. */
#if !defined(EDGE_ASD_INTERVAL_FRAMES)
#define EDGE_ASD_INTERVAL_FRAMES EDGE_ASD_SECOND_FRAMES
#endif

#define EDGE_ASD_SCORE_RING \
    EDGE_ASD_WINDOWS_PER_SCORE(EDGE_ASD_WINDOW_FRAMES, EDGE_ASD_WINDOW_HOP, EDGE_ASD_SCORE_WINDOW_FRAMES)
#define EDGE_ASD_QUEUE                                                                                       \
    EDGE_ASD_WAITING(EDGE_ASD_SAMPLE_RATE, EDGE_ASD_HOP_LENGTH, EDGE_ASD_WINDOW_HOP, EDGE_ASD_INTERVAL_FRAMES, \
                     EDGE_ASD_WINDOWS_AT_ONCE)

/* Samples of sound until the first decision. */
#define EDGE_ASD_FIRST_SAMPLES \
    (EDGE_ASD_N_FFT + (EDGE_ASD_WINDOW_FRAMES + (EDGE_ASD_SCORE_RING - 1U) * EDGE_ASD_WINDOW_HOP - 1U) * EDGE_ASD_HOP_LENGTH)

/* Score spans in so many seconds of calibration, with room for one more. */
#define EDGE_ASD_SPANS(seconds)                                                                             \
    ((size_t)((uint64_t)(seconds) * EDGE_ASD_SAMPLE_RATE /                                                  \
              ((uint64_t)EDGE_ASD_SPAN_STEP * EDGE_ASD_WINDOW_HOP * EDGE_ASD_HOP_LENGTH)) + \
     2U)

#if EDGE_ASD_INTERVAL_FRAMES < 1
#error "EDGE_ASD_INTERVAL_FRAMES is at least 1: frames between two decisions."
#endif

typedef struct {
    edge_asd_windows windows;
    int32_t threshold; /* Q15.16 */
    edge_asd_decisions decisions;
    edge_asd_waiting queue[EDGE_ASD_QUEUE];
    int32_t ring[EDGE_ASD_SCORE_RING];
} edge_asd_detector;

/* Place of a section in edge_asd_sections, by its name such as "00"; EDGE_ASD_SECTIONS if there is none. */
uint32_t edge_asd_find_section(const char *name);

/* Start with no sample, for one section; also how to switch to another. False if there is no such section. */
bool edge_asd_init(edge_asd_detector *detector, uint32_t section);

/* Decide by another threshold than edge_asd_sections', such as one of edge_asd_calibrate_end; until edge_asd_init. */
void edge_asd_set_threshold(edge_asd_detector *detector, int32_t threshold);

/* Take samples until a decision may have been made, or all are taken; all of them, and nothing comes of it, where the
 * detector was not started. Returns how many of the `count` samples were
 * taken: take the decisions with edge_asd_next, and call again with the rest. Decisions that are not taken are lost when
 * there is no room for more, the oldest first. */
size_t edge_asd_push(edge_asd_detector *detector, const int16_t *pcm, size_t count);

/* Take the next decision; false where there is none. The first falls when a score's span has been heard
 * (EDGE_ASD_FIRST_SAMPLES samples); none is made on dead sound. */
bool edge_asd_next(edge_asd_detector *detector, edge_asd_decision *decision);

/* The sound ends here: edge_asd_next gives what waited for more of it. Start anew with edge_asd_init. */
void edge_asd_finish(edge_asd_detector *detector);

/* The input is dead now: muted, unplugged. */
bool edge_asd_is_dead(const edge_asd_detector *detector);

/* Fit the section's threshold on healthy sound, instead of deciding.
 *
 *     static int32_t spans[EDGE_ASD_SPANS(600)];             // ten minutes
 *     edge_asd_calibrate_begin(&detector, &calibration, spans, sizeof spans / sizeof *spans);
 *     for each recording: edge_asd_calibrate_push(&detector, &calibration, pcm, count) ... and
 *                         edge_asd_calibrate_recorded(&detector, &calibration)
 *     if (edge_asd_calibrate_end(&detector, &calibration, 900000) == EDGE_ASD_CALIBRATION_OK) ... detector.threshold
 *
 * The integer that `edge-asd calibrate` gives for the same recordings. Ends with the detector started anew. */
void edge_asd_calibrate_begin(edge_asd_detector *detector, edge_asd_calibration *calibration, int32_t *spans,
                              size_t capacity);
edge_asd_calibration_status edge_asd_calibrate_push(edge_asd_detector *detector, edge_asd_calibration *calibration,
                                                    const int16_t *pcm, size_t count);
edge_asd_calibration_status edge_asd_calibrate_recorded(edge_asd_detector *detector,
                                                        edge_asd_calibration *calibration);
edge_asd_calibration_status edge_asd_calibrate_end(edge_asd_detector *detector, edge_asd_calibration *calibration,
                                                   uint32_t quantile_millionths);

/* Compute the bundle's golden vectors here: 0, or how many values differ. Uses the detector's memory: init it anew. */
uint32_t edge_asd_selftest(edge_asd_detector *detector);

#ifdef __cplusplus
}
#endif

#endif
