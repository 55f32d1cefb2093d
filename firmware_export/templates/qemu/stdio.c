/* SPDX-License-Identifier: MIT */
/* hostio.h for a system with a C library. */
#include <stdio.h>

#include "hostio.h"

static FILE *files[8];

static int open_file(const char *name, const char *mode) {
    for (int i = 0; i < 8; i++) {
        if (files[i] == NULL) {
            files[i] = fopen(name, mode);
            return files[i] == NULL ? -1 : i;
        }
    }
    return -1;
}

int hostio_open_to_read(const char *name) { return open_file(name, "rb"); }
int hostio_open_to_write(const char *name) { return open_file(name, "wb"); }

void hostio_close(int file) {
    fclose(files[file]);
    files[file] = NULL;
}

size_t hostio_read(int file, void *data, size_t size) { return fread(data, 1, size, files[file]); }

int hostio_write(int file, const void *data, size_t size) {
    return fwrite(data, 1, size, files[file]) == size ? 0 : -1;
}

void hostio_count_start(void) {}
uint32_t hostio_count(void) { return 0; }

void hostio_stack_start(void) {}
uint32_t hostio_stack_peak(void) { return 0; }
