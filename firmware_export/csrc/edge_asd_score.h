/* SPDX-License-Identifier: MIT */
/* Anomaly scores in Q15.16: of a window from the model's outputs, and the mean of several windows.
 * The same integers as edge_asd/detectors: number 1 of the score's arithmetic. */
#ifndef EDGE_ASD_SCORE_H
#define EDGE_ASD_SCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Number of the arithmetic; a bundle names the number it was evaluated with. */
#define EDGE_ASD_SCORE_NUMBER 1

/* --- The autoencoder: mean squared reconstruction error, dB^2 */

/* `sum` and the squared differences of `count` more values, in Q32. Start with 0 and give the values
 * of a window in any pieces, such as frame by frame.
 *
 * `db` [count] are features in Q15.16, `output` [count] the model's output for them, which stands for
 * (output - zero_point) * multiplier / 2^24 dB; `multiplier` is 1 to 2^31 - 1, `zero_point` -128 to
 * 127. A bundle's reader refuses models where the sum over a window could reach 2^63, so that no
 * difference reaches 2^30. */
uint64_t edge_asd_squared_error(uint64_t sum, const int32_t *db, const int8_t *output, size_t count,
                                int32_t multiplier, int32_t zero_point);

/* The window's score, of `values` >= 1 values with this `sum` < 2^63: never negative, saturated at
 * 2^31 - 1. */
int32_t edge_asd_mean_squared_error(uint64_t sum, uint32_t values);

/* --- The section classifier: log-odds that a window is not its section's, nat */

/* log((1 - p) / p) for p the softmax of the logits at `own`.
 *
 * `logits` [classes] stand for logits * multiplier / 2^24 nat; `classes` is 2 to 64, `own` less,
 * `multiplier` 1 to 2^31 - 1; `log2` [65] is the table of edge_asd_frontend_tables. */
int32_t edge_asd_log_odds(const int8_t *logits, uint32_t classes, uint32_t own, int32_t multiplier,
                          const uint16_t *log2);

/* Its two functions, the C of edge_asd/frontend/logarithm.py: base-2 logarithm in Q15.16 of a value
 * that is not 0, and 2^exponent in Q1.30 for an exponent in Q15.16, at most 0. */
int32_t edge_asd_log2(uint64_t value, const uint16_t *log2);
uint32_t edge_asd_exp2(int64_t exponent, const uint16_t *log2);

/* --- The mean of several windows: a clip's score, or a stream's */

/* Mean of `count` >= 1 window scores that add up to `sum`: floor((sum + count / 2) / count). */
int32_t edge_asd_mean_score(int64_t sum, uint32_t count);

/* The last window scores of a stream. */
typedef struct {
    int32_t *ring;    /* [windows], the caller's */
    uint32_t windows; /* of one score */
    uint32_t place;   /* in the ring, of the oldest score */
    bool is_full;     /* so many windows have been scored: there is a mean */
    int64_t sum;
} edge_asd_rolling_score;

/* Start with no window; `ring` [windows], windows >= 1, must outlive the structure. */
void edge_asd_rolling_init(edge_asd_rolling_score *rolling, int32_t *ring, uint32_t windows);

/* Add a window's score. */
void edge_asd_rolling_push(edge_asd_rolling_score *rolling, int32_t score);

/* Mean of the last `windows` scores, where is_full. */
int32_t edge_asd_rolling_mean(const edge_asd_rolling_score *rolling);

#ifdef __cplusplus
}
#endif

#endif
