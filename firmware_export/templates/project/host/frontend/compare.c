/* SPDX-License-Identifier: MIT */
/* Computes the features of the golden sound and compares them: how the front end is called, and proof that it is right
 * on this processor. Exit status: 0 all values are equal, 1 some differ. */
#include "edge_asd_frontend.h"
#include "edge_asd_golden_features.h"
#include "edge_asd_tables.h"

#include <stdio.h>

#define N_FFT_MOST EDGE_ASD_FRONTEND_MAX_FFT

static uint64_t memory[(EDGE_ASD_FRONTEND_BYTES(N_FFT_MOST) + 7U) / 8U];

int main(void) {
    edge_asd_frontend *frontend = edge_asd_frontend_init(memory, sizeof memory, &edge_asd_tables);
    int32_t frame[EDGE_ASD_N_MELS];
    unsigned long frames = 0, wrong = 0;
    if (frontend == NULL) {
        printf("The front end does not take these tables.\n");
        return 1;
    }
    for (size_t used = 0; used < EDGE_ASD_GOLDEN_SAMPLES;) {
        bool ready;
        used += edge_asd_frontend_push(frontend, edge_asd_golden_pcm + used, EDGE_ASD_GOLDEN_SAMPLES - used, frame,
                                       &ready);
        if (ready && frames < EDGE_ASD_GOLDEN_FRAMES) {
            for (size_t i = 0; i < EDGE_ASD_N_MELS; i++) {
                wrong += frame[i] != edge_asd_golden_features[frames * EDGE_ASD_N_MELS + i] ? 1UL : 0UL;
            }
            frames++;
        }
    }
    wrong += (EDGE_ASD_GOLDEN_FRAMES - frames) * EDGE_ASD_N_MELS;
    printf("%lu frames of %u values: %lu differ.\n", frames, EDGE_ASD_N_MELS, wrong);
    return wrong == 0 ? 0 : 1;
}
