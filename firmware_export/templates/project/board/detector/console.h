/* SPDX-License-Identifier: MIT */
/* Where the examples print: qemu/console.c, host/console.c, or your board's serial port. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdint.h>

void console_print(const char *text);
void console_print_number(int32_t number);

#endif
