/* input.bin (int16 PCM) and scores.bin (int32, one a window) through the decisions that config.bin
 * (edge_asd_decisions_config, then the threshold) describes, to decisions.bin (end, score, anomaly; uint32
 * each), block after block of up to a hop; the instructions of each block's sound to counts.bin (uint32). */
#include "edge_asd_decisions.h"
#include "hostio.h"

static int32_t ring[1024];
static edge_asd_waiting queue[1024];
static edge_asd_decisions decisions;
static int16_t pcm[2048];

static int take(int output, int32_t threshold) {
    edge_asd_decision decision;
    while (edge_asd_decisions_next(&decisions, threshold, &decision)) {
        const uint32_t row[3] = {(uint32_t)decision.end, (uint32_t)decision.score, decision.anomaly ? 1 : 0};
        if (hostio_write(output, row, sizeof row) != 0) {
            return 1;
        }
    }
    return 0;
}

int main(void) {
    static edge_asd_decisions_config config;
    int32_t threshold = 0;
    const int setting = hostio_open_to_read("config.bin");
    const int input = hostio_open_to_read("input.bin");
    const int scores = hostio_open_to_read("scores.bin");
    const int output = hostio_open_to_write("decisions.bin");
    const int counts = hostio_open_to_write("counts.bin");
    if (setting < 0 || input < 0 || scores < 0 || output < 0 || counts < 0 ||
        hostio_read(setting, &config, sizeof config) != sizeof config ||
        hostio_read(setting, &threshold, sizeof threshold) != sizeof threshold ||
        !edge_asd_decisions_init(&decisions, &config, ring, sizeof ring / sizeof *ring, queue,
                                 sizeof queue / sizeof *queue)) {
        return 1;
    }
    for (;;) {
        const uint64_t left = decisions.window_end - decisions.line.count;
        const size_t most = left < config.hop_length ? (size_t)left : config.hop_length;
        const size_t count = hostio_read(input, pcm, most * sizeof *pcm) / sizeof *pcm;
        if (count == 0) {
            break;
        }
        hostio_count_start();
        const size_t used = edge_asd_decisions_hear(&decisions, pcm, count);
        const uint32_t instructions = hostio_count();
        int32_t score = 0;
        if (used != count || hostio_write(counts, &instructions, sizeof instructions) != 0) {
            return 2;
        }
        if (decisions.line.count == decisions.window_end &&
            (hostio_read(scores, &score, sizeof score) != sizeof score ||
             !edge_asd_decisions_score(&decisions, score))) {
            return 3;
        }
        if (take(output, threshold) != 0) {
            return 4;
        }
    }
    edge_asd_decisions_finish(&decisions);
    return take(output, threshold);
}
