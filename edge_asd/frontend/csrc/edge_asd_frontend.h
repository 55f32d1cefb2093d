/* Sound to log-mel spectrogram in integers: number 1 of the front end's arithmetic.
 *
 * int16 PCM goes in, decibels in Q15.16 come out, one frame every hop. The same bits as the
 * specification in fixed_point.py, on every processor. No heap, no floating point, no library
 * but memcpy and memmove; about 200 bytes of stack.
 *
 *     static uint64_t memory[EDGE_ASD_FRONTEND_BYTES(1024) / sizeof(uint64_t)];
 *     int32_t frame[128];
 *     edge_asd_frontend *frontend = edge_asd_frontend_init(memory, sizeof memory, &tables);
 *     while (count > 0) {
 *         bool ready;
 *         size_t used = edge_asd_frontend_push(frontend, pcm, count, frame, &ready);
 *         if (ready) { ... frame[0 .. n_mels - 1] ... }
 *         pcm += used;
 *         count -= used;
 *     }
 */
#ifndef EDGE_ASD_FRONTEND_H
#define EDGE_ASD_FRONTEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Number of the arithmetic; a bundle names the number it was evaluated with. */
#define EDGE_ASD_FRONTEND_NUMBER 1

/* Largest supported specification. */
#define EDGE_ASD_FRONTEND_MAX_FFT 2048
#define EDGE_ASD_FRONTEND_MAX_MELS 128

/* A complex number, or a cosine and sine. */
typedef struct {
    int32_t re;
    int32_t im;
} edge_asd_complex;

/* Constants of one specification, made by tables.py; n = n_fft. They stay where they are (flash)
 * and must outlive the front end. */
typedef struct {
    uint16_t n_fft;                       /* frame length: 512, 1024 or 2048 samples */
    uint16_t hop_length;                  /* 1 to n_fft samples */
    uint16_t n_mels;                      /* 1 to 128 bands */
    int32_t db_per_log2;                  /* 10 log10(2), Q2.29 */
    int32_t floor_log2;                   /* log2 of the smallest mel power, Q15.16 */
    const int32_t *window;                /* [n/2 + 1] first half of the periodic Hann window, Q0.31 */
    const edge_asd_complex *twiddles;     /* [n/8 - 1][3] cos, sin of 4 pi r k / n, k >= 1, r = 1 .. 3, Q0.30 */
    const edge_asd_complex *odd_twiddles; /* [n/8] cos, sin of 2 pi k / n, k = 1, 3, .. n/4 - 1, Q0.30 */
    const uint32_t *rising;               /* [n/2] weight of each bin in the band that rises there, Q0.22 */
    const uint16_t *segment_bins;         /* [n_mels + 1] bins between neighbouring band edges; they add to n/2 - 1 */
    const int32_t *offset;                /* [n_mels] added to a band's log2, Q15.16 */
    const uint16_t *log2;                 /* [65] log2(1 + i/64), Q0.16; the last entry, 1.0, wraps to 0 */
} edge_asd_frontend_tables;

/* A running front end, in memory the caller owns. */
typedef struct edge_asd_frontend edge_asd_frontend;

/* Bytes a front end keeps from call to call, and bytes it uses within a call, as constants for static memory. */
#define EDGE_ASD_FRONTEND_STATE_BYTES(n_fft) (24U + 2U * (size_t)(n_fft))
#define EDGE_ASD_FRONTEND_WORK_BYTES(n_fft) (4U * (size_t)(n_fft))

/* Bytes of both. */
#define EDGE_ASD_FRONTEND_BYTES(n_fft) (EDGE_ASD_FRONTEND_STATE_BYTES(n_fft) + EDGE_ASD_FRONTEND_WORK_BYTES(n_fft))

/* Bytes a front end with these tables needs; 0 if their specification is not supported. */
size_t edge_asd_frontend_size(const edge_asd_frontend_tables *tables);

/* Start a front end in `memory`, which must be aligned to a pointer and at least
 * edge_asd_frontend_size(tables) long. NULL if it is not, or if the tables are not supported. */
edge_asd_frontend *edge_asd_frontend_init(void *memory, size_t bytes, const edge_asd_frontend_tables *tables);

/* The same with what is used within a call apart: in `work`, aligned to 4, the caller may keep whatever it
 * wants between two calls of edge_asd_frontend_push. `memory` needs EDGE_ASD_FRONTEND_STATE_BYTES, `work`
 * EDGE_ASD_FRONTEND_WORK_BYTES. */
edge_asd_frontend *edge_asd_frontend_init_apart(void *memory, size_t bytes, void *work, size_t work_bytes,
                                                const edge_asd_frontend_tables *tables);

/* Forget all samples: the next frame starts with the next sample. */
void edge_asd_frontend_reset(edge_asd_frontend *frontend);

/* Take samples (int16, mono, 32768 is full scale) until a frame is complete or all are taken.
 *
 * Returns how many of the `count` samples were taken; call again with the rest. Sets *ready to
 * whether `frame` [n_mels] was written: 10 log10 of the mel power of PCM scaled to [-1, 1), dB in
 * Q15.16, from -156.54 dB to less than +50 dB. The first frame is complete after n_fft samples, each
 * further one after hop_length more; nothing is padded. Never overflows or saturates. */
size_t edge_asd_frontend_push(edge_asd_frontend *frontend, const int16_t *pcm, size_t count, int32_t *frame,
                              bool *ready);

/* Quantise log-mel values for an int8 model:
 * q = clamp(zero_point + floor((db * multiplier + 2^31) / 2^32)) to -128 .. 127.
 *
 * `db` [count] is Q15.16, `multiplier` is round(2^16 / scale) for a scale in dB, `zero_point` is
 * -128 to 127. Returns how many values were clamped. */
size_t edge_asd_quantise_input(const int32_t *db, size_t count, int32_t multiplier, int32_t zero_point, int8_t *q);

#ifdef __cplusplus
}
#endif

#endif
