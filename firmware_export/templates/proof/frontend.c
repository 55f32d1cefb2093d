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
    const size_t memory_bytes = EDGE_ASD_FRONTEND_BYTES(edge_asd_tables.n_fft) + edge_asd_tables.n_mels * sizeof *frame;
    uint32_t figures[3] = {0, 0, (uint32_t)memory_bytes};
    size_t bytes;
    hostio_stack_start();
    while ((bytes = hostio_read(in, block, sizeof block)) > 0) {
        for (size_t used = 0; used < bytes / 2;) {
            bool ready;
            used += edge_asd_frontend_push(frontend, block + used, bytes / 2 - used, frame, &ready);
            if (ready) {
                hostio_write(out, frame, edge_asd_tables.n_mels * sizeof *frame);
            }
        }
    }
    figures[1] = hostio_stack_peak();
    edge_asd_frontend_reset(frontend);
    bool ready = false;
    while (!ready) { /* the first frame, up to its last sample */
        edge_asd_frontend_push(frontend, block, 1, frame, &ready);
    }
    hostio_count_start();
    for (size_t left = edge_asd_tables.hop_length; left > 0;) {
        left -= edge_asd_frontend_push(frontend, block, left < 500 ? left : 500, frame, &ready);
    }
    figures[0] = hostio_count();
    hostio_write(hostio_open_to_write("figures.bin"), figures, sizeof figures);
    return 0;
}
