/* SPDX-License-Identifier: MIT */
/* Window scores and sound in, decisions out: the decision part of edge_asd/monitor/engine.py.
 *
 * A decision is made every interval on the mean of the last window scores, but none whose span holds
 * part of a dead stretch (edge_asd_health.h). While the input may yet turn out to be dead, for half a
 * second at most, decisions wait.
 *
 *     static const edge_asd_decisions_config config = {16000, 1024, 512, 5, 1, 311, 31};
 *     static int32_t ring[EDGE_ASD_WINDOWS_PER_SCORE(5, 1, 311)];
 *     static edge_asd_waiting queue[EDGE_ASD_WAITING(16000, 512, 1, 31, 1)];
 *     static edge_asd_decisions decisions;
 *     edge_asd_decisions_init(&decisions, &config, ring, sizeof ring / sizeof *ring,
 *                             queue, sizeof queue / sizeof *queue);
 *     ... for the samples that the front end has taken:
 *     edge_asd_decisions_hear(&decisions, pcm, used);
 *     ... and then, where they completed a window:
 *     edge_asd_decisions_score(&decisions, window_score);
 *     ... and then, in any case:
 *     edge_asd_decision decision;
 *     while (edge_asd_decisions_next(&decisions, threshold, &decision)) { ... }
 *
 * Windows may be scored later, several together: `queue` must be as long as that takes. */
#ifndef EDGE_ASD_DECISIONS_H
#define EDGE_ASD_DECISIONS_H

#include "edge_asd_health.h"
#include "edge_asd_score.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a bundle says of frames, windows and scores, and how often to decide. */
typedef struct {
    uint32_t sample_rate;         /* 8000 to 48000 Hz */
    uint32_t n_fft;               /* samples of a frame, 512 to 2048 */
    uint32_t hop_length;          /* samples from one frame to the next, 1 to n_fft */
    uint32_t window_frames;       /* of a window, 1 to 32768 */
    uint32_t window_hop;          /* frames from one window to the next, 1 to window_frames */
    uint32_t score_window_frames; /* that a score spans, window_frames to 1,000,000 */
    uint32_t interval_frames;     /* between two decisions, 1 to 2^31 */
} edge_asd_decisions_config;

/* Windows in one score: length of the ring of window scores. */
#define EDGE_ASD_WINDOWS_PER_SCORE(window_frames, window_hop, score_window_frames) \
    (1U + ((score_window_frames) - (window_frames)) / (window_hop))

/* Fewest samples from one decision to the next: decisions fall on windows. */
#define EDGE_ASD_DECISION_HOP(hop_length, window_hop, interval_frames)                                       \
    ((hop_length) * (window_hop) *                                                                           \
     ((interval_frames) > (window_hop) ? (uint64_t)((interval_frames) / (window_hop)) : (uint64_t)1))

/* Length of the queue where up to `windows` windows have been heard and not scored: 1 where each is
 * scored before more is heard.
 *
 * A decision waits while its end lies in a line that is not dead, from its first flat place on. Such a
 * line has at most least - 1 samples, least = sample_rate / 2 or half a sample more, and is followed by
 * less than window + click samples before it ends; its first flat place is its sample `window`. So the
 * ends lie among least + click - 1 samples in a row at most, which is less than
 * sample_rate / 2 + sample_rate / 2000 + 1. To them come the decisions whose windows are not scored,
 * which wait for that. */
#define EDGE_ASD_WAITING(sample_rate, hop_length, window_hop, interval_frames, windows) \
    ((size_t)(((sample_rate) / 2U + (sample_rate) / 2000U) /                            \
              EDGE_ASD_DECISION_HOP(hop_length, window_hop, interval_frames)) +         \
     1U + (windows))

/* The verdict on the sound that ends before sample `end`. */
typedef struct {
    uint64_t end;  /* end of the last frame scored, samples since the start */
    int32_t score; /* Q15.16 */
    bool anomaly;  /* the score is greater than the threshold */
} edge_asd_decision;

/* A decision that waits. */
typedef struct {
    uint64_t end;
    int32_t score;
    bool withheld; /* its span holds part of a dead stretch */
} edge_asd_waiting;

/* To be read: withheld, clipped, line.count. */
typedef struct {
    edge_asd_dead_line line;
    edge_asd_rolling_score rolling;
    const edge_asd_decisions_config *config;
    edge_asd_waiting *queue;  /* a ring, oldest decision first; then, in it: */
    uint32_t capacity;        /* its length */
    uint32_t head;            /* place of the oldest */
    uint32_t used;            /* decisions in it */
    uint32_t scored;          /* of these, from the oldest on, that have their score */
    uint32_t open;            /* of these, from the newest on, that end in a line that may yet be dead */
    uint32_t phase;           /* frames of the next decision's end after the interval that it belongs to */
    uint64_t next_end;        /* end of the next decision that is not in the queue */
    uint64_t window_end;      /* end of the next window to be scored */
    uint64_t open_start;      /* start of the line that those end in */
    uint64_t dead_stop;       /* stop of the last dead stretch that has ended; 0: none has */
    uint64_t withheld;        /* decisions that were not made because of dead stretches */
    uint64_t clipped;         /* samples heard at full scale */
} edge_asd_decisions;

/* Start with nothing heard. False if `config` is out of its ranges, `ring` is shorter than its score
 * or `queue` is empty; all three must outlive `decisions`. */
bool edge_asd_decisions_init(edge_asd_decisions *decisions, const edge_asd_decisions_config *config, int32_t *ring,
                             size_t ring_length, edge_asd_waiting *queue, size_t queue_length);

/* Take samples. Returns how many: all `count` unless the queue is full. Then score windows and take
 * decisions, and call again with the rest. */
size_t edge_asd_decisions_hear(edge_asd_decisions *decisions, const int16_t *pcm, size_t count);

/* Take the next window's score; false, and nothing is taken, where its sound has not been heard. */
bool edge_asd_decisions_score(edge_asd_decisions *decisions, int32_t window_score);

/* Take the next decision that no longer has to wait; false where there is none. */
bool edge_asd_decisions_next(edge_asd_decisions *decisions, int32_t threshold, edge_asd_decision *decision);

/* The sound ends here: decisions that wait for more of it wait no longer. */
void edge_asd_decisions_finish(edge_asd_decisions *decisions);

/* The input is dead now. */
bool edge_asd_decisions_is_dead(const edge_asd_decisions *decisions);

#ifdef __cplusplus
}
#endif

#endif
