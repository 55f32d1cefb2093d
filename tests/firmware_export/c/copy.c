/* input.bin to output.bin, as much as fits in memory at a time. */
#include "hostio.h"

static uint8_t buffer[2 << 20];

int main(void) {
    const int input = hostio_open_to_read("input.bin");
    const int output = hostio_open_to_write("output.bin");
    if (input < 0 || output < 0 || hostio_open_to_read("nothing.bin") != -1) {
        return 1;
    }
    for (;;) {
        const size_t size = hostio_read(input, buffer, sizeof buffer);
        if (hostio_write(output, buffer, size) != 0) {
            return 2;
        }
        if (size < sizeof buffer) {
            return 0;
        }
    }
}
