/* SPDX-License-Identifier: MIT */
/* Computes the features of sound.bin, int16 PCM, to features.bin, int32. */
#include "edge_asd_frontend.h"
#include "edge_asd_tables.h"
#include "hostio.h"

static uint64_t memory[EDGE_ASD_FRONTEND_BYTES(EDGE_ASD_FRONTEND_MAX_FFT) / 8];
static int16_t block[1000];
static int32_t frame[EDGE_ASD_FRONTEND_MAX_MELS];

int main(void) {
    const int in = hostio_open_to_read("sound.bin"), out = hostio_open_to_write("features.bin");
    edge_asd_frontend *frontend = edge_asd_frontend_init(memory, sizeof memory, &edge_asd_tables);
    if (frontend == NULL) {
        return 1;
    }
    size_t bytes;
    while ((bytes = hostio_read(in, block, sizeof block)) > 0) {
        for (size_t used = 0; used < bytes / 2;) {
            bool ready;
            used += edge_asd_frontend_push(frontend, block + used, bytes / 2 - used, frame, &ready);
            if (ready) {
                hostio_write(out, frame, edge_asd_tables.n_mels * sizeof *frame);
            }
        }
    }
    return 0;
}
