/* SPDX-License-Identifier: MIT */
/* Runs a network on every record of input.bin: {hop, start}, values. All memory has exactly the size that the network
 * asks for; on a board what lies around it must stay as it was, and on the host AddressSanitizer watches. */
#include "edge_asd_network.h"
#include "hostio.h"
#include "trace.h"

#include <string.h>

#define ALIGNED __attribute__((aligned(8)))

#if defined(__SANITIZE_ADDRESS__)
static edge_asd_network_input input[INPUT_VALUES];
static uint8_t arena[EDGE_ASD_NETWORK_ARENA] ALIGNED;
static void guard(void) {}
static int is_untouched(void) { return 1; }
#else
#define GUARD 64
static struct {
    uint8_t before[GUARD];
    uint8_t arena[EDGE_ASD_NETWORK_ARENA] ALIGNED;
    uint8_t after[GUARD];
    edge_asd_network_input input[INPUT_VALUES];
} memory;
#define input memory.input
#define arena memory.arena
static void guard(void) {
    memset(memory.before, 0x5A, GUARD);
    memset(memory.after, 0x5A, GUARD);
}
static int is_untouched(void) {
    for (size_t i = 0; i < GUARD; i++) {
        if (memory.before[i] != 0x5A || memory.after[i] != 0x5A) {
            return 0;
        }
    }
    return 1;
}
#endif

int main(void) {
    static uint32_t counts[256];
    uint32_t head[2], count = 0;
    const int f = hostio_open_to_read("input.bin"), o = hostio_open_to_write("output.bin");
    guard();
    while (hostio_read(f, head, sizeof head) == sizeof head) {
        if (hostio_read(f, input, sizeof input) != sizeof input || count == 256) {
            return 2;
        }
        memset(arena, (int)count, sizeof arena); /* whatever lay there before must not matter */
        trace_start(NULL, 0);
        hostio_count_start();
        const edge_asd_network_output *y = edge_asd_network_run(input, head[0], head[1], INPUT_VALUES, arena);
        counts[count++] = hostio_count();
        hostio_write(o, y, sizeof *y * EDGE_ASD_NETWORK_OUTPUTS * EDGE_ASD_NETWORK_WINDOWS);
        hostio_write(o, trace_tensors(), TENSORS * sizeof(trace_tensor));
    }
    const int c = hostio_open_to_write("counts.bin");
    hostio_write(c, counts, count * sizeof *counts);
    return is_untouched() ? 0 : 3;
}
