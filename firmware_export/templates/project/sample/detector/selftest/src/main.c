/* SPDX-License-Identifier: MIT */
/* Computes the golden vectors on this board, and the cycles of a hop. */
#include <edge_asd.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>

static edge_asd_detector detector;
static int16_t pcm[EDGE_ASD_HOP_LENGTH];

int main(void) {
    uint32_t most = 0;
    const uint32_t wrong = edge_asd_selftest(&detector);
    if (wrong != 0) {
        printk("Self-test failed: %u values differ.\n", (unsigned)wrong);
        return 1;
    }
    printk("Self-test passed.\n");
    edge_asd_init(&detector, 0);
    for (uint32_t hop = 0; hop < EDGE_ASD_RING_FRAMES + 8U; hop++) {
        for (uint32_t i = 0; i < EDGE_ASD_HOP_LENGTH; i++) {
            pcm[i] = (int16_t)(i % 97U * 50U);
        }
        const uint32_t begun = k_cycle_get_32();
        for (size_t used = 0; used < EDGE_ASD_HOP_LENGTH;) {
            used += edge_asd_push(&detector, pcm + used, EDGE_ASD_HOP_LENGTH - used);
        }
        const uint32_t cycles = k_cycle_get_32() - begun;
        most = cycles > most ? cycles : most;
    }
    printk("A hop takes up to %u cycles of the system's clock.\n", (unsigned)most);
    return 0;
}
