/* SPDX-License-Identifier: MIT */
/* WAV files of 16-bit PCM, read as a stream: their first channel. */
#ifndef WAV_FILE_H
#define WAV_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct {
    FILE *file;
    uint32_t frame_bytes; /* of one sample of every channel */
    uint32_t left;        /* bytes of sound that are still to be read */
    bool endless;         /* the header does not tell the length: read to the end of the file */
    bool cut_off;         /* the file ended before its sound did */
} wav_file;

/* Open a file whose samples must come at `rate` Hz. NULL, or what is wrong with it; then nothing is open. */
const char *wav_open(wav_file *wav, const char *path, uint32_t rate);

/* Read up to `count` samples; fewer only at the end. */
size_t wav_read(wav_file *wav, int16_t *pcm, size_t count);

/* NULL, or what was wrong with the sound. */
const char *wav_close(wav_file *wav);

#endif
