/* SPDX-License-Identifier: MIT */
/* hostio.h's files through semihosting, the way into main and the ways out of the program. */
#include "hostio.h"
#include "machine.h"

#define SYS_OPEN 0x01
#define SYS_CLOSE 0x02
#define SYS_WRITE0 0x04
#define SYS_WRITE 0x05
#define SYS_READ 0x06
#define SYS_EXIT_EXTENDED 0x20
#define EXIT_NORMALLY 0x20026

/* Exit statuses that running.py explains. */
#define STACK_OVERFLOW 124
#define FAULT 125

/* The last word of the stack: gone when the stack has run over. */
#define SENTINEL 0x57ACE4DDU

static void leave(int status) {
    const uint32_t block[2] = {EXIT_NORMALLY,
                               (uint32_t)(stack_bottom[0] == SENTINEL ? status : STACK_OVERFLOW)};
    for (;;) {
        machine_call_host(SYS_EXIT_EXTENDED, block);
    }
}

static size_t length_of(const char *text) {
    size_t n = 0;
    while (text[n] != 0) {
        n++;
    }
    return n;
}

static int open_file(const char *name, uint32_t mode) {
    const uint32_t block[3] = {(uint32_t)name, mode, length_of(name)};
    return machine_call_host(SYS_OPEN, block);
}

int hostio_open_to_read(const char *name) { return open_file(name, 1); }
int hostio_open_to_write(const char *name) { return open_file(name, 5); }

void hostio_close(int file) {
    const uint32_t block[1] = {(uint32_t)file};
    machine_call_host(SYS_CLOSE, block);
}

size_t hostio_read(int file, void *data, size_t size) {
    const uint32_t block[3] = {(uint32_t)file, (uint32_t)data, size};
    return size - (size_t)machine_call_host(SYS_READ, block); /* the host says how much is missing */
}

int hostio_write(int file, const void *data, size_t size) {
    const uint32_t block[3] = {(uint32_t)file, (uint32_t)data, size};
    return machine_call_host(SYS_WRITE, block);
}

void machine_begin(void) {
    const uint32_t *from = data_load;
    for (uint32_t *to = data_start; to < data_end;) {
        *to++ = *from++;
    }
    for (uint32_t *to = bss_start; to < bss_end;) {
        *to++ = 0;
    }
    stack_bottom[0] = SENTINEL;
    counting_start();
    leave(main());
}

static char *append(char *to, const char *text, uint32_t number) {
    while (*text != 0) {
        *to++ = *text++;
    }
    for (int shift = 28; shift >= 0; shift -= 4) {
        *to++ = "0123456789abcdef"[number >> shift & 15];
    }
    return to;
}

void machine_overflow(void) { leave(STACK_OVERFLOW); }

void machine_fault(uint32_t address, uint32_t caller, uint32_t cause) {
    char message[128];
    char *end = append(message, "fault at 0x", address);
    end = append(end, ", called from 0x", caller);
    end = append(end, ", cause 0x", cause);
    end[0] = '\n';
    end[1] = 0;
    machine_call_host(SYS_WRITE0, message);
    leave(FAULT);
}
