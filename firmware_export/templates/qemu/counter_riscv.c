/* SPDX-License-Identifier: MIT */
/* The counter of RISC-V: mcycle, which in QEMU holds the nanoseconds that instructions take. (What minstret
 * holds there depends on QEMU's version.) */
#include "machine.h"

__asm__(".option arch, +zicsr");

void counter_start(void) {}

/* The high word is read on both sides of the low one; the low one tells which of them goes with it, without
 * a branch, so that every call takes the same instructions. */
uint64_t counter_ticks(void) {
    uint32_t before, low, after;
    __asm__ volatile("csrr %0, mcycleh" : "=r"(before));
    __asm__ volatile("csrr %0, mcycle" : "=r"(low));
    __asm__ volatile("csrr %0, mcycleh" : "=r"(after));
    return (uint64_t)(after - ((after - before) & low >> 31)) << 32 | low;
}
