/* SPDX-License-Identifier: MIT */
/* console.h through semihosting: QEMU and debug probes print it. */
#include "console.h"
#include "hostio.h"

void console_print(const char *text) {
    static int console = -1;
    size_t length = 0;
    if (console < 0) {
        console = hostio_open_to_write(":tt"); /* standard output */
    }
    while (text[length] != 0) {
        length++;
    }
    hostio_write(console, text, length);
}

void console_print_number(int32_t number) {
    char text[12];
    char *at = text + sizeof text - 1;
    uint32_t rest = number < 0 ? 0U - (uint32_t)number : (uint32_t)number;
    *at = 0;
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0) {
        *--at = '-';
    }
    console_print(at);
}
