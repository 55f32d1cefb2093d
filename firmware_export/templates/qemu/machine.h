/* SPDX-License-Identifier: MIT */
/* Between the parts of a board's support: what a processor (cortex_m.c, riscv.c) and its counter
 * (counter_*.c) give to semihosting.c, counting.c and stack.c. */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdint.h>

/* From sections.ld. */
extern uint32_t stack_bottom[], stack_top[], data_start[], data_end[], data_load[], bss_start[], bss_end[];

int main(void);

/* One semihosting operation. */
int machine_call_host(int operation, const void *argument);

/* Run 2 * `turns` instructions and a fixed number more; turns >= 1. */
void machine_spin(uint32_t turns);

/* The processor's hostio_stack_start notes its caller's stack pointer and paints all words below it
 * but the last, which is semihosting.c's. It is assembly, since C might keep something there itself. */
extern uint32_t *stack_begun;
#define PAINT 0xA5C35AE7
#define TEXT(x) TEXT_OF(x)
#define TEXT_OF(x) #x

/* A clock that only moves forward, by the virtual time that instructions take. */
void counter_start(void);
uint64_t counter_ticks(void);

/* Called by the processor's entry point, with a stack and nothing else ready. */
void machine_begin(void);

/* Called with a sound stack where the processor cannot go on. */
void machine_fault(uint32_t address, uint32_t caller, uint32_t cause);
void machine_overflow(void);

/* Called once before main. */
void counting_start(void);

#endif
