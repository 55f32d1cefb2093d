/* input.bin (int16 PCM) through the batch front end to output.bin (int32 frames): once for each
 * instruction set that this processor has, in the order of edge_asd_instructions. */
#include "edge_asd_frontend_batch.h"
#include "edge_asd_tables.h"
#include "hostio.h"

#define MOST_SAMPLES (48U << 20)
#define BLOCK 256

static int16_t pcm[MOST_SAMPLES];
static int32_t frames[BLOCK * EDGE_ASD_FRONTEND_MAX_MELS];
static uint8_t memory[1 << 19];

int main(void) {
    const edge_asd_frontend_tables *t = &edge_asd_tables;
    const int input = hostio_open_to_read("input.bin");
    const int output = hostio_open_to_write("output.bin");
    if (input < 0 || output < 0 || edge_asd_frontend_batch_size(t) > sizeof memory) {
        return 1;
    }
    const size_t count = hostio_read(input, pcm, sizeof pcm) / sizeof *pcm;
    const size_t total = count < t->n_fft ? 0 : 1 + (count - t->n_fft) / t->hop_length;
    for (int set = EDGE_ASD_PLAIN; set <= EDGE_ASD_AVX512; set++) {
        if (!edge_asd_frontend_batch_supports((edge_asd_instructions)set)) {
            continue;
        }
        for (size_t first = 0; first < total; first += BLOCK) {
            const size_t n = total - first < BLOCK ? total - first : BLOCK;
            edge_asd_frontend_batch(t, pcm + first * t->hop_length, n, frames, memory, (edge_asd_instructions)set);
            if (hostio_write(output, frames, n * t->n_mels * sizeof *frames) != 0) {
                return 2;
            }
        }
    }
    return 0;
}
