/* SPDX-License-Identifier: MIT */
/* Decisions on a stream: the C of edge_asd/monitor/engine.py without its model. */
#include "edge_asd_decisions.h"

/* A decision enters the queue when the sound is heard to its end. The lines and dead stretches known
 * then are all that can lie in its span, because each line is told one window after its start: of
 * the dead stretches that have ended only the last counts, as the others end before it, and of the
 * lines only the one that goes on. While that may yet be dead, the decision is open. So all open
 * decisions end in the same line and share its fate, and they are the newest in the queue. */

static uint64_t samples_of(const edge_asd_decisions_config *c, uint64_t frames) {
    return c->n_fft + (frames - 1) * c->hop_length;
}

static bool is_in(uint32_t value, uint32_t least, uint32_t most) { return least <= value && value <= most; }

bool edge_asd_decisions_init(edge_asd_decisions *d, const edge_asd_decisions_config *c, int32_t *ring,
                             size_t ring_length, edge_asd_waiting *queue, size_t queue_length) {
    if (!is_in(c->sample_rate, 8000, 48000) || !is_in(c->n_fft, 512, 2048) || !is_in(c->hop_length, 1, c->n_fft) ||
        !is_in(c->window_frames, 1, 32768) || !is_in(c->window_hop, 1, c->window_frames) ||
        !is_in(c->score_window_frames, c->window_frames, 1000000) || !is_in(c->interval_frames, 1, 1U << 31) ||
        queue_length < 1) {
        return false;
    }
    const uint32_t windows = EDGE_ASD_WINDOWS_PER_SCORE(c->window_frames, c->window_hop, c->score_window_frames);
    if (ring_length < windows) {
        return false;
    }
    (void)edge_asd_dead_line_init(&d->line, c->sample_rate);
    edge_asd_rolling_init(&d->rolling, ring, windows);
    d->config = c;
    d->queue = queue;
    d->capacity = queue_length < UINT32_MAX / 2 ? (uint32_t)queue_length : UINT32_MAX / 2;
    d->head = 0;
    d->used = 0;
    d->scored = 0;
    d->open = 0;
    d->phase = 0;
    d->window_end = samples_of(c, c->window_frames);
    d->next_end = samples_of(c, c->window_frames + (uint64_t)(windows - 1) * c->window_hop);
    d->open_start = 0;
    d->dead_stop = 0;
    d->withheld = 0;
    d->clipped = 0;
    return true;
}

/* The decision `place` after the oldest. */
static edge_asd_waiting *waiting(const edge_asd_decisions *d, uint32_t place) {
    const uint32_t i = d->head + place;
    return d->queue + (i < d->capacity ? i : i - d->capacity);
}

/* The line in which decisions are open has ended, or is dead. */
static void close_open(edge_asd_decisions *d, bool dead) {
    for (; d->open > 0; d->open--) {
        edge_asd_waiting *const w = waiting(d, d->used - d->open);
        w->withheld = w->withheld || dead;
    }
}

/* The sound has been heard to the end of the next decision. */
static void add(edge_asd_decisions *d) {
    const edge_asd_decisions_config *c = d->config;
    edge_asd_waiting *const w = waiting(d, d->used);
    const bool dead = edge_asd_dead_line_is_dead(&d->line);
    const uint64_t span = samples_of(c, c->score_window_frames);
    w->end = d->next_end;
    w->score = 0;
    w->withheld = dead || (d->dead_stop > 0 && d->dead_stop + span > w->end);
    d->used++;
    if (d->line.is_line && !dead) {
        d->open++;
        d->open_start = d->line.line.start;
    }
    /* Decisions fall on the first window at or after each interval. */
    uint32_t windows = 1;
    if (c->interval_frames > c->window_hop) {
        windows = (c->interval_frames - d->phase + c->window_hop - 1) / c->window_hop;
        d->phase += windows * c->window_hop - c->interval_frames;
    }
    d->next_end += (uint64_t)windows * c->window_hop * c->hop_length;
}

size_t edge_asd_decisions_hear(edge_asd_decisions *d, const int16_t *pcm, size_t count) {
    size_t taken = 0;
    while (taken < count) {
        const uint64_t room = d->next_end - d->line.count - (d->used == d->capacity ? 1 : 0);
        const size_t part = room < count - taken ? (size_t)room : count - taken;
        if (part == 0) {
            break;
        }
        edge_asd_stretch dead = {0, 0};
        bool ended;
        taken += edge_asd_dead_line_push(&d->line, pcm + taken, part, &dead, &ended);
        if (ended) {
            d->dead_stop = dead.stop;
        }
        if (ended && dead.start == d->open_start) {
            close_open(d, true);
        } else if (!d->line.is_line || d->line.line.start != d->open_start) {
            close_open(d, false);
        } else if (edge_asd_dead_line_is_dead(&d->line)) {
            close_open(d, true);
        }
        if (d->line.count == d->next_end) {
            add(d);
        }
    }
    d->clipped += edge_asd_count_clipped(pcm, taken);
    return taken;
}

bool edge_asd_decisions_score(edge_asd_decisions *d, int32_t window_score) {
    const edge_asd_decisions_config *c = d->config;
    if (d->line.count < d->window_end) {
        return false;
    }
    edge_asd_rolling_push(&d->rolling, window_score);
    edge_asd_waiting *const w = waiting(d, d->scored);
    if (d->scored < d->used && w->end == d->window_end) {
        w->score = edge_asd_rolling_mean(&d->rolling);
        d->scored++;
    }
    d->window_end += (uint64_t)c->window_hop * c->hop_length;
    return true;
}

bool edge_asd_decisions_next(edge_asd_decisions *d, int32_t threshold, edge_asd_decision *decision) {
    while (d->scored > 0 && d->used > d->open) {
        const edge_asd_waiting *const w = waiting(d, 0);
        d->head = d->head + 1 < d->capacity ? d->head + 1 : 0;
        d->used--;
        d->scored--;
        if (!w->withheld) {
            decision->end = w->end;
            decision->score = w->score;
            decision->anomaly = w->score > threshold;
            return true;
        }
        d->withheld++;
    }
    return false;
}

void edge_asd_decisions_finish(edge_asd_decisions *d) { close_open(d, false); }

bool edge_asd_decisions_is_dead(const edge_asd_decisions *d) { return edge_asd_dead_line_is_dead(&d->line); }
