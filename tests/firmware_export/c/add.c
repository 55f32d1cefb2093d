/* SPDX-License-Identifier: MIT */
/* ADD of input.bin (parameters, 65,536 values of each input) to output.bin (the count of instructions, the sums). */
#include "edge_asd_add.h"
#include "hostio.h"

#define VALUES 65536

static edge_asd_add_params parameters;
static int8_t a[VALUES];
static int8_t b[VALUES];

int main(void) {
    const int input = hostio_open_to_read("input.bin");
    const int output = hostio_open_to_write("output.bin");
    if (hostio_read(input, &parameters, sizeof parameters) != sizeof parameters || hostio_read(input, a, VALUES) != VALUES ||
        hostio_read(input, b, VALUES) != VALUES) {
        return 1;
    }
    hostio_count_start();
    edge_asd_add(&parameters, a, b, a);
    const uint32_t count = hostio_count();
    if (hostio_write(output, &count, sizeof count) != 0 || hostio_write(output, a, VALUES) != 0) {
        return 1;
    }
    hostio_close(output);
    return 0;
}
