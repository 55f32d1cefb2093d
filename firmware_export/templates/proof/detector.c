/* SPDX-License-Identifier: MIT */
/* Runs the exported detector on sound from a file.
 *
 * sound.bin: the section's place, the samples of a block, and then blocks of int16 PCM. Writes decisions.bin, one
 * {end, score, anomaly} for each, and figures.bin: instructions a hop, stack, bytes of the detector, whether the
 * self-test passed, the decisions that were withheld, and the instructions a hop of the front end alone. */
#include "edge_asd.h"
#include "hostio.h"

static edge_asd_detector detector;
static int16_t block[1 << 16];

/* Instructions are counted over so many hops, from when the model runs on each; without one, over a score's span. */
#if defined(EDGE_ASD_NETWORK_MACS)
#define COUNTED ((EDGE_ASD_NETWORK_MACS < 1000000U ? 8U : 1U) * EDGE_ASD_WORK_HOPS)
#else
#define COUNTED EDGE_ASD_WINDOW_FRAMES
#endif

static void write_decisions(int out) {
    edge_asd_decision decision;
    while (edge_asd_next(&detector, &decision)) {
        const int64_t row[3] = {(int64_t)decision.end, decision.score, decision.anomaly};
        hostio_write(out, row, sizeof row);
    }
}

static void push(int out, const int16_t *pcm, size_t count) {
    while (count > 0) {
        const size_t used = edge_asd_push(&detector, pcm, count);
        write_decisions(out);
        pcm += used;
        count -= used;
    }
}

static void push_to_detector(const int16_t *pcm) { edge_asd_push(&detector, pcm, EDGE_ASD_HOP_LENGTH); }

static void push_to_frontend(const int16_t *pcm) {
    static int32_t frame[EDGE_ASD_N_MELS];
    for (size_t used = 0; used < EDGE_ASD_HOP_LENGTH;) {
        bool ready;
        used += edge_asd_frontend_push(detector.windows.stream, pcm + used, EDGE_ASD_HOP_LENGTH - used, frame, &ready);
    }
}

/* Instructions for a hop, on the sound of the first block over and over. */
static uint32_t instructions(uint32_t samples, void (*push_hop)(const int16_t *pcm)) {
    const uint32_t hops = samples / EDGE_ASD_HOP_LENGTH;
    if (hops == 0) {
        return 0;
    }
    uint32_t hop = 0;
    for (uint32_t i = 0; i < EDGE_ASD_FIRST_FRAMES + EDGE_ASD_N_FFT / EDGE_ASD_HOP_LENGTH; i++, hop++) {
        push_hop(block + hop % hops * EDGE_ASD_HOP_LENGTH);
    }
    hostio_count_start();
    for (uint32_t i = 0; i < COUNTED; i++, hop++) {
        push_hop(block + hop % hops * EDGE_ASD_HOP_LENGTH);
    }
    return hostio_count() / COUNTED;
}

int main(void) {
    const int in = hostio_open_to_read("sound.bin"), out = hostio_open_to_write("decisions.bin");
    uint32_t head[2], figures[6] = {0, 0, sizeof detector, 0, 0, 0};
    if (hostio_read(in, head, sizeof head) != sizeof head || head[1] == 0 || head[1] > sizeof block / sizeof *block) {
        return 1;
    }
    hostio_stack_start();
    figures[3] = edge_asd_selftest(&detector);
    if (!edge_asd_init(&detector, head[0])) {
        return 1;
    }
    size_t bytes;
    while ((bytes = hostio_read(in, block, head[1] * sizeof *block)) > 0) {
        push(out, block, bytes / sizeof *block);
    }
    edge_asd_finish(&detector);
    write_decisions(out);
    figures[4] = (uint32_t)detector.decisions.withheld;
    figures[1] = hostio_stack_peak();
    edge_asd_init(&detector, head[0]);
    figures[0] = instructions(head[1], push_to_detector);
    edge_asd_init(&detector, head[0]);
    figures[5] = instructions(head[1], push_to_frontend);
    const int numbers = hostio_open_to_write("figures.bin");
    hostio_write(numbers, figures, sizeof figures);
    return 0;
}
