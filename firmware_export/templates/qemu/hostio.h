/* Files and the exit of a test program: on an emulated microcontroller through semihosting
 * (semihosting.c), elsewhere through the C library (stdio.c). */
#ifndef HOSTIO_H
#define HOSTIO_H

#include <stddef.h>
#include <stdint.h>

/* Handle of a file in the folder the program runs in, or -1. */
int hostio_open_to_read(const char *name);
int hostio_open_to_write(const char *name);

/* Bytes read, less than `size` only at the end of the file. */
size_t hostio_read(int file, void *data, size_t size);

/* 0 when all bytes were written. */
int hostio_write(int file, const void *data, size_t size);

void hostio_close(int file);

/* Instructions executed since hostio_count_start, on a microcontroller emulated with -icount
 * shift=6 and fewer than 10 million of them; 0 elsewhere. */
void hostio_count_start(void);
uint32_t hostio_count(void);

#endif
