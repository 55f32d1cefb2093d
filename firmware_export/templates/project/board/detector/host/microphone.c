/* SPDX-License-Identifier: MIT */
/* microphone.h on a computer: DMA that plays a sine, and comes too early once, so that a half is lost. */
#include "microphone.h"

#include "edge_asd.h"

#define SECONDS 15U
#define EARLY 5U /* the half after which another follows at once */

/* A sine of a sixteenth of the sample rate. */
static const int16_t sine[16] = {0,  1148,  2121,  2772,  3000,  2772,  2121,  1148,
                                 0, -1148, -2121, -2772, -3000, -2772, -2121, -1148};

static int16_t *memory;
static size_t half;
static uint32_t halves;
static uint32_t phase;

static void transfer(void) {
    for (size_t i = 0; i < half; i++) {
        memory[(halves & 1U) * half + i] = sine[phase++ & 15U];
    }
    halves++;
    microphone_half_filled();
}

void microphone_start(int16_t *buffer, size_t samples) {
    memory = buffer;
    half = samples / 2;
}

bool microphone_wait(void) {
    if ((uint64_t)halves * half > (uint64_t)SECONDS * EDGE_ASD_SAMPLE_RATE) {
        return false;
    }
    transfer();
    if (halves == EARLY) {
        transfer();
    }
    return true;
}
