/* SPDX-License-Identifier: MIT */
/* The counter of the boards with a CMSDK timer, which counts 32 bits downward. */
#include "machine.h"

#define CONTROL (*(volatile uint32_t *)(COUNTER_BASE + 0))
#define VALUE (*(volatile uint32_t *)(COUNTER_BASE + 4))
#define RELOAD (*(volatile uint32_t *)(COUNTER_BASE + 8))

static uint32_t last;
static uint64_t ticks;

void counter_start(void) {
    RELOAD = 0xFFFFFFFFU;
    VALUE = 0xFFFFFFFFU;
    CONTROL = 1;
    last = VALUE;
}

uint64_t counter_ticks(void) {
    const uint32_t value = VALUE;
    ticks += last - value;
    last = value;
    return ticks;
}
