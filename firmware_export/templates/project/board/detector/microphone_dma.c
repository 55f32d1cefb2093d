/* SPDX-License-Identifier: MIT */
/* Listens to a microphone: DMA fills one half of a buffer while the main loop hears the other. The interrupt handler only
 * counts; all work is done in the main loop. */
#include "console.h"
#include "edge_asd.h"
#include "microphone.h"

/* One half: the samples from one call of a model to the next, so that each half costs the same work; without a model a
 * hop, whose work is never much. */
#define HALF ((size_t)EDGE_ASD_HOP_LENGTH * EDGE_ASD_WORK_HOPS)

static int16_t buffer[2 * HALF];
static volatile uint32_t filled; /* halves so far; written by the handler alone */
static edge_asd_detector detector;

void microphone_half_filled(void) { filled++; }

static void hear(const int16_t *pcm, size_t count) {
    edge_asd_decision decision;
    while (count > 0) {
        const size_t used = edge_asd_push(&detector, pcm, count);
        while (edge_asd_next(&detector, &decision)) {
            console_print(decision.anomaly ? "ANOMALY, score " : "normal, score ");
            console_print_number(decision.score);
            console_print("\n");
        }
        pcm += used;
        count -= used;
    }
}

int main(void) {
    uint32_t taken = 0;    /* halves, heard or lost */
    uint32_t overruns = 0; /* halves that DMA wrote over before they were heard, or meanwhile */
    edge_asd_init(&detector, 0);
    microphone_start(buffer, 2 * HALF);
    while (microphone_wait()) {
        while (taken != filled) {
            const uint32_t late = filled - taken - 1;
            if (late > 0) { /* go on with the newest; a gap is heard as a click */
                overruns += late;
                taken += late;
            }
            hear(buffer + (taken & 1U) * HALF, HALF);
            if (filled - taken > 1) { /* DMA has begun to write this half again */
                overruns++;
            }
            taken++;
        }
    }
    console_print("Overruns: ");
    console_print_number((int32_t)overruns);
    console_print("\n");
    return 0;
}
