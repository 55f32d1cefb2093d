/* SPDX-License-Identifier: MIT */
/* hostio.h's instruction counts from the board's counter: INSTRUCTIONS_PER_512_TICKS is exact for
 * every board, and the error of reading whole ticks is less than half an instruction. */
#include "hostio.h"
#include "machine.h"

/* Every call must cost the same as the one that was measured. */
#define ALIKE __attribute__((noipa))

static uint64_t begun;
static uint32_t own;      /* instructions that the two calls cost */
static uint32_t counting; /* all ones, or 0 where instructions do not drive the counter */

ALIKE void hostio_count_start(void) { begun = counter_ticks(); }

ALIKE uint32_t hostio_count(void) {
    const uint64_t ticks = counter_ticks() - begun;
    return ((uint32_t)((ticks * INSTRUCTIONS_PER_512_TICKS + 256) >> 9) - own) & counting;
}

static ALIKE uint32_t count_of(uint32_t turns) {
    hostio_count_start();
    machine_spin(turns);
    return hostio_count();
}

void counting_start(void) {
    counter_start();
    counting = 0xFFFFFFFFU;
    hostio_count_start();
    own = hostio_count();
    const uint32_t short_one = count_of(1);
    if (count_of(1001) - short_one != 2000 || count_of(101) - short_one != 200) {
        counting = 0;
    }
}
