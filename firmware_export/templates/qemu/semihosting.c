/* hostio.h for ARM semihosting, and the entry point: QEMU's mps2 and mps3 boards. */
#include "hostio.h"

#define SYS_OPEN 0x01
#define SYS_CLOSE 0x02
#define SYS_WRITE 0x05
#define SYS_READ 0x06
#define SYS_EXIT_EXTENDED 0x20
#define EXIT_NORMALLY 0x20026

#define CPACR (*(volatile uint32_t *)0xE000ED88)
#define SYSTICK_CONTROL (*(volatile uint32_t *)0xE000E010)
#define SYSTICK_RELOAD (*(volatile uint32_t *)0xE000E014)
#define SYSTICK_VALUE (*(volatile uint32_t *)0xE000E018)

extern uint32_t data_start[], data_end[], data_load[], bss_start[], bss_end[], stack_top[];
int main(void);

static int call_host(int operation, const void *argument) {
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static void leave(int status) {
    const uint32_t block[2] = {EXIT_NORMALLY, (uint32_t)status};
    for (;;) {
        call_host(SYS_EXIT_EXTENDED, block);
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
    return call_host(SYS_OPEN, block);
}

int hostio_open_to_read(const char *name) { return open_file(name, 1); }
int hostio_open_to_write(const char *name) { return open_file(name, 5); }

void hostio_close(int file) {
    const uint32_t block[1] = {(uint32_t)file};
    call_host(SYS_CLOSE, block);
}

size_t hostio_read(int file, void *data, size_t size) {
    const uint32_t block[3] = {(uint32_t)file, (uint32_t)data, size};
    return size - (size_t)call_host(SYS_READ, block); /* the host says how much is missing */
}

int hostio_write(int file, const void *data, size_t size) {
    const uint32_t block[3] = {(uint32_t)file, (uint32_t)data, size};
    return call_host(SYS_WRITE, block);
}

void hostio_count_start(void) {
    SYSTICK_CONTROL = 0;
    SYSTICK_RELOAD = 0xFFFFFF;
    SYSTICK_VALUE = 0;
    SYSTICK_CONTROL = 5; /* processor clock, no interrupt */
}

/* With shift=6 an instruction takes 64 ns, and the 25 MHz clock ticks every 40 ns. */
uint32_t hostio_count(void) { return (uint32_t)((uint64_t)(0xFFFFFF - SYSTICK_VALUE) * 40 / 64); }

void reset(void);
void reset(void) {
    CPACR |= 0xFU << 20; /* floating-point unit on, where there is one */
    __asm__ volatile("dsb\n isb" ::: "memory");
    const uint32_t *from = data_load;
    for (uint32_t *to = data_start; to < data_end;) {
        *to++ = *from++;
    }
    for (uint32_t *to = bss_start; to < bss_end;) {
        *to++ = 0;
    }
    leave(main());
}

static void fault(void) { leave(125); }

__attribute__((section(".vectors"), used)) static void (*const vectors[16])(void) = {
    (void (*)(void))stack_top, reset, fault, fault, fault, fault, fault, fault,
    fault, fault, fault, fault, fault, fault, fault, fault,
};
