/* What a board must do for the proofs, as numbers for results.bin (uint32 each): see test_qemu.py. */
#include <string.h>

#include "hostio.h"
#if defined(__ARM_FEATURE_MVE)
#include <arm_mve.h>
#endif

#define FRAME 1008 /* aligned: the compiler adds nothing */
#define LENGTH 67

/* The instructions counted of a region of exactly 2 * turns + 1 instructions; turns >= 1. */
uint32_t counted(uint32_t turns);
/* And of none. */
uint32_t counted_none(void);

#if defined(__riscv)
__asm__(
    ".text\n.globl counted\n"
    "counted: addi sp, sp, -16\n sw ra, 0(sp)\n sw s0, 4(sp)\n mv s0, a0\n call hostio_count_start\n"
    "mv a0, s0\n 1: addi a0, a0, -1\n bnez a0, 1b\n call hostio_count\n"
    "lw ra, 0(sp)\n lw s0, 4(sp)\n addi sp, sp, 16\n ret\n"
    ".globl counted_none\n"
    "counted_none: addi sp, sp, -16\n sw ra, 0(sp)\n call hostio_count_start\n call hostio_count\n"
    "lw ra, 0(sp)\n addi sp, sp, 16\n ret\n");
#elif defined(__arm__)
__asm__(
    ".syntax unified\n.text\n.thumb\n.globl counted\n.thumb_func\n"
    "counted: push {r4, lr}\n mov r4, r0\n bl hostio_count_start\n"
    "mov r0, r4\n 1: subs r0, #1\n bne 1b\n bl hostio_count\n pop {r4, pc}\n"
    ".globl counted_none\n.thumb_func\n"
    "counted_none: push {r4, lr}\n bl hostio_count_start\n bl hostio_count\n pop {r4, pc}\n");
#else
uint32_t counted(uint32_t turns) {
    (void)turns;
    hostio_count_start();
    return hostio_count();
}
uint32_t counted_none(void) { return counted(1); }
#endif

__attribute__((noinline)) static int framed(int seed) {
    volatile uint8_t bytes[FRAME];
    for (int i = 0; i < FRAME; i++) {
        bytes[i] = (uint8_t)(i * seed);
    }
    return bytes[FRAME - 1];
}

static int features(void) {
    int found = 0;
#if defined(__ARM_FEATURE_DSP)
    found |= 1;
#endif
#if defined(__ARM_FEATURE_MVE)
    found |= 2;
#endif
    return found;
}

/* A dot product, the last vector of which is not full. */
static int32_t dot(const int8_t *a, const int8_t *b) {
    int32_t sum = 0;
#if defined(__ARM_FEATURE_MVE)
    for (int i = 0; i < LENGTH; i += 16) {
        const mve_pred16_t valid = vctp8q((uint32_t)(LENGTH - i));
        sum = vmladavaq_p_s8(sum, vldrbq_z_s8(a + i, valid), vldrbq_z_s8(b + i, valid), valid);
    }
#else
    for (int i = 0; i < LENGTH; i++) {
        sum += a[i] * b[i];
    }
#endif
    return sum;
}

static volatile uint32_t initialised = 12345;
static volatile uint32_t zero[100];
static volatile int64_t dividend = -987654321987654LL;
static volatile int64_t divisor = 1234567LL;
static volatile uint32_t size = 37;
static uint32_t results[64];

int main(void) {
    const int output = hostio_open_to_write("results.bin");
    const int lengths = hostio_open_to_read("turns.bin");
    uint32_t n = 0;
    uint32_t turns;
    results[n++] = counted_none();
    while (hostio_read(lengths, &turns, sizeof turns) == sizeof turns) {
        results[n++] = counted(turns);
    }
    hostio_stack_start();
    results[n++] = hostio_stack_peak();
    hostio_stack_start();
    framed(3);
    results[n++] = hostio_stack_peak();
    results[n++] = (uint32_t)features();

    int8_t a[LENGTH];
    int8_t b[LENGTH];
    for (int i = 0; i < LENGTH; i++) {
        a[i] = (int8_t)(i * 7 % 251 - 120);
        b[i] = (int8_t)(i * 11 % 239 - 119);
    }
    results[n++] = (uint32_t)dot(a, b);
    results[n++] = initialised;
    results[n++] = zero[0] | zero[99];
    results[n++] = (uint32_t)(dividend / divisor >> 8);
    results[n++] = (uint32_t)(dividend % divisor);
    memset(a, 9, size);
    memmove(a + 3, a, size);
    memcpy(b, a, size);
    results[n++] = (uint32_t)(b[36] + a[39] + a[40] + b[37]);
    hostio_close(lengths);
    return hostio_write(output, results, n * sizeof *results);
}
