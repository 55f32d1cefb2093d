/* SPDX-License-Identifier: MIT */
/* A Cortex-M after reset, from the M0+ (whose code runs on an M3 here) to the M55. */
#include "hostio.h"
#include "machine.h"

#define CCR (*(volatile uint32_t *)0xE000ED14)
#define CFSR (*(volatile uint32_t *)0xE000ED28)
#define CPACR (*(volatile uint32_t *)0xE000ED88)
#define UNALIGN_TRP (1U << 3)

int machine_call_host(int operation, const void *argument) {
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

__attribute__((naked, noinline)) void machine_spin(uint32_t turns) {
    (void)turns;
    __asm__ volatile(".syntax unified\n 1: subs r0, #1\n bne 1b\n bx lr");
}

__attribute__((naked)) void hostio_stack_start(void) {
    __asm__ volatile(
        ".syntax unified\n mov r0, sp\n ldr r1, =stack_begun\n str r0, [r1]\n"
        "ldr r1, =stack_bottom\n adds r1, #4\n ldr r2, =" TEXT(PAINT) "\n b 2f\n"
        "1: stm r1!, {r2}\n 2: cmp r1, r0\n blo 1b\n bx lr\n .ltorg");
}

void reset(void);
void reset(void) {
    CPACR |= 0xFU << 20; /* floating-point unit and Helium on, where there are any */
#if defined(__ARM_ARCH_6M__)
    CCR |= UNALIGN_TRP; /* as on a real M0+ */
#endif
    __asm__ volatile("dsb\n isb" ::: "memory");
    machine_begin();
}

/* The processor has stored r0-r3, r12, lr, pc and the status. */
void report_fault(const uint32_t *frame);
__attribute__((used)) void report_fault(const uint32_t *frame) {
    if (frame < stack_bottom) {
        machine_overflow();
    }
    machine_fault(frame[6], frame[5], CFSR);
}

static __attribute__((naked)) void fault(void) {
    __asm__ volatile("mov r0, sp\n ldr r1, =stack_top\n mov sp, r1\n ldr r1, =report_fault\n bx r1\n .ltorg");
}

__attribute__((section(".vectors"), used)) static void (*const vectors[16])(void) = {
    (void (*)(void))stack_top, reset, fault, fault, fault, fault, fault, fault,
    fault, fault, fault, fault, fault, fault, fault, fault,
};
