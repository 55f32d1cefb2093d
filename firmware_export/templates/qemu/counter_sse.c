/* SPDX-License-Identifier: MIT */
/* The counter of SSE-300 boards: the system counter, 64 bits upward. */
#include "machine.h"

#define CONTROL (*(volatile uint32_t *)(COUNTER_BASE + 0))
#define LOW (*(volatile uint32_t *)(COUNTER_BASE + 8))
#define HIGH (*(volatile uint32_t *)(COUNTER_BASE + 12))

void counter_start(void) { CONTROL = 1; }

/* The high word is read on both sides of the low one; the low one tells which of them goes with it, without
 * a branch, so that every call takes the same instructions. */
uint64_t counter_ticks(void) {
    const uint32_t before = HIGH;
    const uint32_t low = LOW;
    const uint32_t after = HIGH;
    return (uint64_t)(after - ((after - before) & low >> 31)) << 32 | low;
}
