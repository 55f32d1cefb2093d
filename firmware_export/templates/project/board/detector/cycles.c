/* SPDX-License-Identifier: MIT */
/* Counts the cycles that a hop takes on a Cortex-M3 or larger, by the counter of its debug unit (DWT). QEMU has no such
 * counter: it reads 0 there, and this program says so. Interrupts that fall into a hop count as part of it. */
#include "console.h"
#include "edge_asd.h"

#define DEMCR (*(volatile uint32_t *)0xE000EDFCU)
#define DWT_CTRL (*(volatile uint32_t *)0xE0001000U)
#define DWT_CYCCNT (*(volatile uint32_t *)0xE0001004U)
#define DWT_LAR (*(volatile uint32_t *)0xE0001FB0U)

#define HOPS 64U

static edge_asd_detector detector;

static void start_counter(void) {
    DEMCR |= 1U << 24; /* the debug unit on */
#if defined(__ARM_ARCH_7EM__)
    DWT_LAR = 0xC5ACCE55U; /* a Cortex-M7 locks it */
#endif
    DWT_CYCCNT = 0;
    DWT_CTRL |= 1U;
}

/* Noise of about a tenth of full scale. */
static int16_t noise(void) {
    static uint32_t state = 1;
    state = state * 1664525U + 1013904223U;
    return (int16_t)((int32_t)(state >> 16) / 8 - 4096);
}

/* Cycles for one hop of samples. */
static uint32_t count_hop(void) {
    int16_t pcm[EDGE_ASD_HOP_LENGTH];
    edge_asd_decision decision;
    for (size_t i = 0; i < EDGE_ASD_HOP_LENGTH; i++) {
        pcm[i] = noise();
    }
    const uint32_t begun = DWT_CYCCNT;
    for (size_t used = 0; used < EDGE_ASD_HOP_LENGTH;) {
        used += edge_asd_push(&detector, pcm + used, EDGE_ASD_HOP_LENGTH - used);
        while (edge_asd_next(&detector, &decision)) {
        }
    }
    return DWT_CYCCNT - begun;
}

int main(void) {
    uint64_t sum = 0;
    uint32_t most = 0;
    start_counter();
    edge_asd_init(&detector, 0);
    for (uint32_t i = 0; i < EDGE_ASD_FIRST_FRAMES + EDGE_ASD_N_FFT / EDGE_ASD_HOP_LENGTH; i++) {
        count_hop(); /* until windows are scored */
    }
    for (uint32_t i = 0; i < HOPS; i++) {
        const uint32_t cycles = count_hop();
        sum += cycles;
        most = cycles > most ? cycles : most;
    }
    if (most == 0) {
        console_print("The cycle counter stands still: QEMU and some processors have none.\n");
        return 1;
    }
    console_print("Cycles of a hop, mean: ");
    console_print_number((int32_t)(sum / HOPS));
    console_print(", most: ");
    console_print_number((int32_t)most);
    console_print("\n");
    return 0;
}
