/* Fuzzing: any bytes are a specification, PCM and the sizes of its pieces; the streaming and all
 * batch implementations must give the same frames, within their range.
 *
 * For libFuzzer; with FUZZ_FRAMES defined, a program that makes inputs of its own for that many
 * frames. Stops with a trap where something is wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge_asd_frontend_batch.h"
#include "fuzz_tables.h"

#define MOST_SAMPLES 20000
#define MOST_FRAMES 200

static uint64_t frames_done;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
    if (!condition) {
        __builtin_trap();
    }
}

static void report(void) { printf("%llu frames\n", (unsigned long long)frames_done); }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static bool started;
    if (!started) {
        started = true;
        atexit(report);
    }
    if (size < 4) {
        return 0;
    }
    const edge_asd_frontend_tables *t = fuzz_tables[data[0] % FUZZ_TABLES];
    const size_t piece = 1 + data[1] * 16U + data[2];
    const int8_t shift = (int8_t)(data[3] % 16);
    data += 4;
    size -= 4;

    /* Exact allocations, so that the address sanitizer sees a step outside. */
    size_t count = size / 2 < MOST_SAMPLES ? size / 2 : MOST_SAMPLES;
    const size_t longest = t->n_fft + (MOST_FRAMES - 1) * (size_t)t->hop_length;
    count = count < longest ? count : longest;
    int16_t *pcm = malloc(count * sizeof *pcm + 1);
    require(pcm != NULL);
    if (count > 0) {
        memcpy(pcm, data, count * sizeof *pcm);
    }
    for (size_t i = 0; i < count; i++) {
        pcm[i] = (int16_t)(pcm[i] >> shift);
    }

    const size_t total = count < t->n_fft ? 0 : 1 + (count - t->n_fft) / t->hop_length;
    int32_t *streamed = malloc(total * t->n_mels * sizeof *streamed + 1);
    const size_t state_size = edge_asd_frontend_size(t);
    void *state = malloc(state_size);
    require(streamed != NULL && state != NULL);
    edge_asd_frontend *frontend = edge_asd_frontend_init(state, state_size, t);
    require(frontend != NULL);
    size_t row = 0;
    for (size_t first = 0; first < count;) {
        bool ready;
        const size_t offered = count - first < piece ? count - first : piece;
        first += edge_asd_frontend_push(frontend, pcm + first, offered, streamed + row * t->n_mels, &ready);
        row += ready;
    }
    require(row == total);
    for (size_t i = 0; i < total * t->n_mels; i++) {
        require(streamed[i] > -157 * 65536 && streamed[i] < 50 * 65536);
    }

    int32_t *batch = malloc(total * t->n_mels * sizeof *batch + 1);
    void *memory = malloc(edge_asd_frontend_batch_size(t));
    require(batch != NULL && memory != NULL);
    for (int set = EDGE_ASD_PLAIN; set <= EDGE_ASD_AVX512; set++) {
        if (edge_asd_frontend_batch_supports((edge_asd_instructions)set)) {
            edge_asd_frontend_batch(t, pcm, total, batch, memory, (edge_asd_instructions)set);
            require(memcmp(batch, streamed, total * t->n_mels * sizeof *batch) == 0);
        }
    }
    frames_done += total;
    free(memory);
    free(batch);
    free(state);
    free(streamed);
    free(pcm);
    return 0;
}

#ifdef FUZZ_FRAMES
static uint32_t seed = 2463534242U;

static uint32_t random_bits(void) {
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed;
}

int main(void) {
    static uint8_t input[4 + 2 * MOST_SAMPLES];
    while (frames_done < FUZZ_FRAMES) {
        /* Runs of one byte pair, of random bytes and of small steps. */
        size_t size = 4 + random_bits() % (sizeof input - 4);
        for (size_t i = 0; i < size;) {
            const uint32_t kind = random_bits() % 4, value = random_bits();
            size_t end = i + 1 + random_bits() % 3000;
            end = end < size ? end : size;
            for (size_t k = 0; i < end; i++, k++) {
                input[i] = (uint8_t)(kind == 0   ? value >> (8 * (i % 2))
                                     : kind == 1 ? random_bits()
                                     : kind == 2 ? k * value >> 16
                                                 : 0);
            }
        }
        for (size_t i = 0; i < 4; i++) {
            input[i] = (uint8_t)random_bits();
        }
        LLVMFuzzerTestOneInput(input, size);
    }
    return 0;
}
#endif
