/* SPDX-License-Identifier: MIT */
/* Runs the exported model on windows from a file.
 *
 * windows.bin: calls one after another, each of EDGE_ASD_NETWORK_WINDOWS windows. Writes outputs.bin, and figures.bin:
 * instructions of the first call, its stack, and bytes of memory that it needs besides the library's own. With
 * EDGE_ASD_TRACE also traces.bin, a checksum and a count for each tensor, and values.bin, as far as there is room. */
#include "edge_asd_network.h"
#include "hostio.h"
#if defined(EDGE_ASD_TRACE)
#include "trace.h"
static uint64_t room[TRACE_ROOM / 8 + 1];
#endif

static uint64_t arena[(EDGE_ASD_NETWORK_ARENA + 7U) / 8U];
static edge_asd_network_input windows[EDGE_ASD_NETWORK_WINDOWS * EDGE_ASD_NETWORK_INPUTS];

int main(void) {
    const int in = hostio_open_to_read("windows.bin"), out = hostio_open_to_write("outputs.bin");
    uint32_t figures[3] = {0, 0, sizeof arena + sizeof windows};
    uint32_t calls = 0;
#if defined(EDGE_ASD_TRACE)
    trace_start(room, TRACE_ROOM);
#endif
    for (; hostio_read(in, windows, sizeof windows) == sizeof windows; calls++) {
        hostio_stack_start();
        hostio_count_start();
        const edge_asd_network_output *y = edge_asd_network_run(windows, EDGE_ASD_NETWORK_INPUTS, 0, 0, arena);
        const uint32_t count = hostio_count(), stack = hostio_stack_peak();
        if (calls == 0) {
            figures[0] = count;
        }
        figures[1] = stack > figures[1] ? stack : figures[1];
        hostio_write(out, y, sizeof *y * EDGE_ASD_NETWORK_WINDOWS * EDGE_ASD_NETWORK_OUTPUTS);
    }
    const int numbers = hostio_open_to_write("figures.bin");
    hostio_write(numbers, figures, sizeof figures);
#if defined(EDGE_ASD_TRACE)
    const int traces = hostio_open_to_write("traces.bin");
    hostio_write(traces, trace_tensors(), TRACE_TENSORS * sizeof(trace_tensor));
    const int values = hostio_open_to_write("values.bin");
    hostio_write(values, room, trace_used());
#endif
    return 0;
}
