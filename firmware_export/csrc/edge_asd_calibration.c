/* SPDX-License-Identifier: MIT */
/* Calibration on the device: the C of calibration.py, healthy_sound.py and thresholds.py in edge_asd. */
#include "edge_asd_calibration.h"

#include "edge_asd_score.h"

bool edge_asd_calibration_begin(edge_asd_calibration *c, uint32_t sample_rate, uint32_t windows_per_score,
                                uint32_t span_step, uint64_t score_samples, int32_t *spans, size_t capacity) {
    if (!edge_asd_dead_line_init(&c->line, sample_rate) || windows_per_score < 1 ||
        span_step < windows_per_score || score_samples < 1 || capacity > EDGE_ASD_CALIBRATION_MOST) {
        return false;
    }
    c->spans = spans;
    c->capacity = (uint32_t)capacity;
    c->count = 0;
    c->kept = 0;
    c->rate = sample_rate;
    c->windows = windows_per_score;
    c->step = span_step;
    c->least = score_samples;
    edge_asd_calibration_start(c);
    return true;
}

void edge_asd_calibration_start(edge_asd_calibration *c) {
    (void)edge_asd_dead_line_init(&c->line, c->rate);
    c->count = c->kept;
    c->window = 0;
    c->sum = 0;
    c->clipped = 0;
    c->status = EDGE_ASD_CALIBRATION_OK;
}

edge_asd_calibration_status edge_asd_calibration_hear(edge_asd_calibration *c, const int16_t *pcm, size_t count) {
    c->clipped += edge_asd_count_clipped(pcm, count);
    while (count > 0) {
        edge_asd_stretch dead;
        bool ended;
        const size_t used = edge_asd_dead_line_push(&c->line, pcm, count, &dead, &ended);
        if (ended || edge_asd_dead_line_is_dead(&c->line)) {
            c->status = EDGE_ASD_CALIBRATION_DEAD;
        }
        pcm += used;
        count -= used;
    }
    return c->status;
}

bool edge_asd_calibration_is_full(const edge_asd_calibration *c) { return c->count == c->capacity; }

edge_asd_calibration_status edge_asd_calibration_score(edge_asd_calibration *c, int32_t window_score) {
    c->window++;
    if (c->window <= c->windows) {
        c->sum += window_score;
    }
    if (c->window == c->windows) {
        if (c->count < c->capacity) {
            c->spans[c->count] = edge_asd_mean_score(c->sum, c->windows);
            c->count++;
        } else if (c->status == EDGE_ASD_CALIBRATION_OK) {
            c->status = EDGE_ASD_CALIBRATION_FULL;
        }
    }
    if (c->window == c->step) {
        c->window = 0;
        c->sum = 0;
    }
    return c->status;
}

edge_asd_calibration_status edge_asd_calibration_end(edge_asd_calibration *c) {
    edge_asd_calibration_status status = c->status;
    if (c->line.count < c->least) {
        status = EDGE_ASD_CALIBRATION_SHORT;
    } else if (c->line.is_silent) {
        status = EDGE_ASD_CALIBRATION_DEAD;
    } else if (status != EDGE_ASD_CALIBRATION_DEAD && edge_asd_is_clipped(c->clipped, c->line.count)) {
        status = EDGE_ASD_CALIBRATION_CLIPPED;
    }
    if (status == EDGE_ASD_CALIBRATION_OK) {
        c->kept = c->count;
    }
    edge_asd_calibration_start(c);
    return status;
}

/* Let values[at] sink to its place in the heap of `count` values, whose largest is on top. */
static void sink(int32_t *values, uint32_t at, uint32_t count) {
    const int32_t value = values[at];
    for (uint32_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && values[child + 1] > values[child]) {
            child++;
        }
        if (values[child] <= value) {
            break;
        }
        values[at] = values[child];
        at = child;
    }
    values[at] = value;
}

/* Heap sort: in place, without recursion, as quick for any order. */
static void sort(int32_t *values, uint32_t count) {
    for (uint32_t i = count / 2; i > 0; i--) {
        sink(values, i - 1, count);
    }
    for (uint32_t n = count; n > 1; n--) {
        const int32_t largest = values[0];
        values[0] = values[n - 1];
        values[n - 1] = largest;
        sink(values, 0, n - 1);
    }
}

edge_asd_calibration_status edge_asd_calibration_threshold(edge_asd_calibration *c, uint32_t quantile_millionths,
                                                           int32_t *threshold) {
    if (quantile_millionths < 1 || quantile_millionths > 1000000) {
        return EDGE_ASD_CALIBRATION_QUANTILE;
    }
    if (c->kept == 0) {
        return EDGE_ASD_CALIBRATION_NONE;
    }
    sort(c->spans, c->kept);
    /* At least q n - n / 10^9 scores lie at or below the threshold. In 10^-9ths that is a whole number,
     * which 10^9 divides for no n below 10^9: 1000 q - 1 ends in 999. So it never is a whole number of
     * scores, and is further from one than floating point errs for n up to 10^6. */
    const uint64_t wanted = (uint64_t)c->kept * (UINT64_C(1000) * quantile_millionths - 1);
    *threshold = c->spans[wanted / 1000000000]; /* the floor, as places count from 0 */
    return EDGE_ASD_CALIBRATION_OK;
}
