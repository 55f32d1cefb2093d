/* SPDX-License-Identifier: MIT */
/* A 32-bit RISC-V after reset, in machine mode. */
#include "hostio.h"
#include "machine.h"

/* Instructions on the registers of control and status, which an rv32imc of today does not name. */
__asm__(".option arch, +zicsr");

/* The three instructions that mean semihosting must not be compressed and must lie in one page. */
__attribute__((noinline)) int machine_call_host(int operation, const void *argument) {
    register int a0 __asm__("a0") = operation;
    register const void *a1 __asm__("a1") = argument;
    __asm__ volatile(
        ".option push\n .option norvc\n .balign 16\n"
        "slli x0, x0, 0x1f\n ebreak\n srai x0, x0, 7\n"
        ".option pop"
        : "+r"(a0)
        : "r"(a1)
        : "memory");
    return a0;
}

__attribute__((naked, noinline)) void machine_spin(uint32_t turns) {
    (void)turns;
    __asm__ volatile("1: addi a0, a0, -1\n bnez a0, 1b\n ret");
}

__attribute__((naked)) void hostio_stack_start(void) {
    __asm__ volatile(
        "la a0, stack_begun\n sw sp, 0(a0)\n la a0, stack_bottom\n li a1, " TEXT(PAINT) "\n"
        "1: addi a0, a0, 4\n bgeu a0, sp, 2f\n sw a1, 0(a0)\n j 1b\n 2: ret");
}

void trap(void);
__attribute__((naked, aligned(4))) void trap(void) {
    __asm__ volatile("la sp, stack_top\n csrr a0, mepc\n mv a1, ra\n csrr a2, mcause\n tail machine_fault");
}

void reset(void);
__attribute__((naked, section(".vectors"))) void reset(void) {
    __asm__ volatile(
        ".option push\n .option norelax\n la gp, __global_pointer$\n .option pop\n"
        "la sp, stack_top\n"
        "la t0, trap\n csrw mtvec, t0\n"
        "tail machine_begin");
}
