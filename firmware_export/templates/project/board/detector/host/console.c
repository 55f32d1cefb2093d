/* SPDX-License-Identifier: MIT */
/* console.h on a computer. */
#include "console.h"

#include <inttypes.h>
#include <stdio.h>

void console_print(const char *text) { printf("%s", text); }
void console_print_number(int32_t number) { printf("%" PRId32, number); }
