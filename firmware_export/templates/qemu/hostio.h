/* SPDX-License-Identifier: MIT */
/* What a test program may ask of its surroundings: files, instruction counts, the stack's use. On an
 * emulated microcontroller through semihosting.c, counting.c and stack.c; elsewhere through stdio.c. */
#ifndef HOSTIO_H
#define HOSTIO_H

#include <stddef.h>
#include <stdint.h>

/* Handle of a file in the folder the program runs in, or -1. */
int hostio_open_to_read(const char *name);
int hostio_open_to_write(const char *name);

/* Bytes read, less than `size` only at the end of the file. A call costs about the same for any size. */
size_t hostio_read(int file, void *data, size_t size);

/* 0 when all bytes were written. */
int hostio_write(int file, const void *data, size_t size);

void hostio_close(int file);

/* Instructions executed since hostio_count_start, exact up to a thousand million; the two calls
 * themselves count as none. 0 where instructions are not counted: on the host, and on a board that
 * was not told to count. */
void hostio_count_start(void);
uint32_t hostio_count(void);

/* Bytes of stack used below the caller of hostio_stack_start since then, the largest ever; 0 on the
 * host. A region may be counted and watched at once, with the count inside:
 * stack_start, count_start, ..., count, stack_peak. */
void hostio_stack_start(void);
uint32_t hostio_stack_peak(void);

#endif
