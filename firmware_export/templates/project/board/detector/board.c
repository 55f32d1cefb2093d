/* SPDX-License-Identifier: MIT */
/* Proves on a board that the detector computes what it computed when it was evaluated. Runs in QEMU; for a board of
 * your own, bring its start-up code and a console.h. */
#include "console.h"
#include "edge_asd.h"

static edge_asd_detector detector;

int main(void) {
    const uint32_t wrong = edge_asd_selftest(&detector);
    if (wrong != 0) {
        console_print("Self-test failed, values that differ: ");
        console_print_number((int32_t)wrong);
        console_print("\n");
        return 1;
    }
    console_print("Self-test passed.\n");
    return 0;
}
