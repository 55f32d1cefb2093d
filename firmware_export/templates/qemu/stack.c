/* SPDX-License-Identifier: MIT */
/* hostio.h's peak of the stack: what is below was painted; how far down is the paint gone? */
#include "hostio.h"
#include "machine.h"

uint32_t *stack_begun;

uint32_t hostio_stack_peak(void) {
    const volatile uint32_t *p = stack_bottom + 1;
    while (p < stack_begun && *p == PAINT) {
        p++;
    }
    return (uint32_t)((const volatile char *)stack_begun - (const volatile char *)p);
}
