/* SPDX-License-Identifier: MIT */
/* WAV files. Whatever a header says is checked before it is believed. */
#include "wav_file.h"

#include <string.h>

#define MOST_CHANNELS 64
#define PCM 1U
#define EXTENSIBLE 0xFFFEU

static uint32_t number(const uint8_t *bytes, unsigned count) {
    uint32_t value = 0;
    while (count > 0) {
        value = value << 8 | bytes[--count];
    }
    return value;
}

static bool skip(FILE *file, uint32_t count) {
    uint8_t bytes[512];
    while (count > 0) {
        const size_t part = count < sizeof bytes ? count : sizeof bytes;
        if (fread(bytes, 1, part, file) != part) {
            return false;
        }
        count -= (uint32_t)part;
    }
    return true;
}

/* The chunk "fmt ", of which `size` bytes are there. */
static const char *read_format(wav_file *wav, uint32_t size, uint32_t rate) {
    uint8_t format[40] = {0};
    const uint32_t known = size < sizeof format ? size : (uint32_t)sizeof format;
    if (size < 16 || fread(format, 1, known, wav->file) != known || !skip(wav->file, size - known)) {
        return "its header is cut off";
    }
    uint32_t tag = number(format, 2);
    if (tag == EXTENSIBLE && size >= 40) {
        tag = number(format + 24, 2);
    }
    if (tag != PCM || number(format + 14, 2) != 16) {
        return "it is not 16-bit PCM; convert it, for instance: ffmpeg -i IN.wav -c:a pcm_s16le OUT.wav";
    }
    const uint32_t channels = number(format + 2, 2);
    if (channels < 1 || channels > MOST_CHANNELS || number(format + 12, 2) != 2 * channels) {
        return "its header tells an impossible number of channels";
    }
    if (number(format + 4, 4) != rate) {
        return "its sample rate is another than the detector's; convert it: ffmpeg -i IN.wav -ac 1 -ar RATE OUT.wav";
    }
    wav->frame_bytes = 2 * channels;
    return NULL;
}

static const char *read_header(wav_file *wav, uint32_t rate) {
    uint8_t header[12];
    if (fread(header, 1, 12, wav->file) != 12 || memcmp(header, "RIFF", 4) != 0 || memcmp(header + 8, "WAVE", 4) != 0) {
        return "it is no WAV file";
    }
    while (fread(header, 1, 8, wav->file) == 8) {
        const uint32_t size = number(header + 4, 4);
        if (memcmp(header, "data", 4) == 0) {
            if (wav->frame_bytes == 0) {
                return "its sound comes before its format";
            }
            wav->left = size;
            wav->endless = size == 0 || size == UINT32_MAX; /* as programs write that did not know the length */
            return wav->endless || size % wav->frame_bytes == 0 ? NULL : "its sound is no whole number of samples";
        }
        if (memcmp(header, "fmt ", 4) == 0) {
            const char *wrong = read_format(wav, size, rate);
            if (wrong != NULL) {
                return wrong;
            }
        } else if (!skip(wav->file, size)) {
            break;
        }
        if (size % 2 == 1 && !skip(wav->file, 1)) { /* chunks begin at even places */
            break;
        }
    }
    return "it holds no sound";
}

const char *wav_open(wav_file *wav, const char *path, uint32_t rate) {
    memset(wav, 0, sizeof *wav);
    wav->file = fopen(path, "rb");
    if (wav->file == NULL) {
        return "it cannot be opened";
    }
    const char *wrong = read_header(wav, rate);
    if (wrong != NULL) {
        fclose(wav->file);
    }
    return wrong;
}

size_t wav_read(wav_file *wav, int16_t *pcm, size_t count) {
    uint8_t frame[2 * MOST_CHANNELS];
    for (size_t i = 0; i < count; i++) {
        if (!wav->endless && wav->left == 0) {
            return i;
        }
        if (fread(frame, 1, wav->frame_bytes, wav->file) != wav->frame_bytes) {
            wav->cut_off = !wav->endless;
            return i;
        }
        const int32_t value = (int32_t)number(frame, 2);
        pcm[i] = (int16_t)(value < 32768 ? value : value - 65536);
        wav->left -= wav->endless ? 0 : wav->frame_bytes;
    }
    return count;
}

const char *wav_close(wav_file *wav) {
    const bool failed = ferror(wav->file) != 0;
    fclose(wav->file);
    return failed ? "it cannot be read" : wav->cut_off ? "it is cut off: its header tells more sound" : NULL;
}
