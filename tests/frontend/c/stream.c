/* input.bin (int16 PCM) through the streaming front end to output.bin (int32 frames) and, quantised
 * for an input scale of 0.7 dB, to quantised.bin (int8 frames); the instructions of the pushes that
 * completed a frame to counts.bin (uint32 each). */
#include "edge_asd_frontend.h"
#include "edge_asd_tables.h"
#include "hostio.h"

static uint64_t memory[EDGE_ASD_FRONTEND_BYTES(EDGE_ASD_FRONTEND_MAX_FFT) / sizeof(uint64_t)];
static int16_t pcm[4096];
static int32_t frame[EDGE_ASD_FRONTEND_MAX_MELS];
static int8_t quantised[EDGE_ASD_FRONTEND_MAX_MELS];

int main(void) {
    const int input = hostio_open_to_read("input.bin");
    const int output = hostio_open_to_write("output.bin");
    const int bytes = hostio_open_to_write("quantised.bin");
    const int counts = hostio_open_to_write("counts.bin");
    edge_asd_frontend *frontend = edge_asd_frontend_init(memory, sizeof memory, &edge_asd_tables);
    if (input < 0 || output < 0 || bytes < 0 || counts < 0 || frontend == NULL) {
        return 1;
    }
    for (;;) {
        size_t count = hostio_read(input, pcm, sizeof pcm) / sizeof *pcm;
        const int16_t *next = pcm;
        if (count == 0) {
            return 0;
        }
        while (count > 0) {
            bool ready;
            hostio_count_start();
            const size_t used = edge_asd_frontend_push(frontend, next, count, frame, &ready);
            const uint32_t instructions = hostio_count();
            next += used;
            count -= used;
            if (!ready) {
                continue;
            }
            edge_asd_quantise_input(frame, edge_asd_tables.n_mels, 93623, -10, quantised);
            if (hostio_write(output, frame, edge_asd_tables.n_mels * sizeof *frame) != 0 ||
                hostio_write(bytes, quantised, edge_asd_tables.n_mels) != 0 ||
                hostio_write(counts, &instructions, sizeof instructions) != 0) {
                return 2;
            }
        }
    }
}
