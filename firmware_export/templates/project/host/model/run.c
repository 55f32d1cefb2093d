/* SPDX-License-Identifier: MIT */
/* Runs the model on a computer: windows come in on standard input, one after the other, as raw values of the model's
 * type; its outputs go to standard output in the same way. Exit status: 0, or 1 on errors.
 *
 *     run < inputs.bin > outputs.bin */
#include "edge_asd_network.h"

#include <stdio.h>

static edge_asd_network_input inputs[EDGE_ASD_NETWORK_WINDOWS * EDGE_ASD_NETWORK_INPUTS];
static uint64_t arena[(EDGE_ASD_NETWORK_ARENA + 7U) / 8U];

int main(void) {
    const size_t window = sizeof inputs / EDGE_ASD_NETWORK_WINDOWS;
    size_t bytes;
    while ((bytes = fread(inputs, 1, sizeof inputs, stdin)) > 0) {
        if (bytes % window != 0) {
            fprintf(stderr, "The input is no whole number of windows of %lu bytes.\n", (unsigned long)window);
            return 1;
        }
        const edge_asd_network_output *outputs = edge_asd_network_run(inputs, EDGE_ASD_NETWORK_INPUTS, 0, 0, arena);
        const size_t count = bytes / window * EDGE_ASD_NETWORK_OUTPUTS;
        if (fwrite(outputs, sizeof *outputs, count, stdout) != count) {
            break;
        }
    }
    if (ferror(stdin) || ferror(stdout) || fflush(stdout) != 0) {
        fprintf(stderr, "Reading or writing failed.\n");
        return 1;
    }
    return 0;
}
