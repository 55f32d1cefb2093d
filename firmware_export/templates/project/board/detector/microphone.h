/* SPDX-License-Identifier: MIT */
/* Between microphone_dma.c and your microcontroller's I2S or PDM peripheral. host/microphone.c plays the part on a
 * computer. */
#ifndef MICROPHONE_H
#define MICROPHONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Yours: record at EDGE_ASD_SAMPLE_RATE Hz into `buffer` [samples], over and over (circular DMA), and have the interrupts
 * for "half transfer" and "transfer complete" call microphone_half_filled. Samples are 16 bits, mono; of a microphone
 * that delivers 24 bits in 32-bit slots, let DMA write the upper 16. */
void microphone_start(int16_t *buffer, size_t samples);

/* Yours: sleep until the next interrupt (__WFI). False ends the program, which a device never wants. */
bool microphone_wait(void);

/* Of microphone_dma.c, for the interrupt handler: one more half of the buffer has been filled. */
void microphone_half_filled(void);

#endif
