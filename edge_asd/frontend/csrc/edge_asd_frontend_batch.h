/* Whole clips at once, for the host: the same bits as edge_asd_frontend.h, many frames in parallel.
 * Firmware does not need it. */
#ifndef EDGE_ASD_FRONTEND_BATCH_H
#define EDGE_ASD_FRONTEND_BATCH_H

#include "edge_asd_frontend.h"

/* The instruction sets that edge_asd_frontend_batch can use. */
typedef enum {
    EDGE_ASD_PLAIN = 0,  /* frame by frame, any processor */
    EDGE_ASD_NEON = 1,   /* 4 frames in parallel */
    EDGE_ASD_AVX2 = 2,   /* 8 */
    EDGE_ASD_AVX512 = 3, /* 16 */
} edge_asd_instructions;

/* Whether this processor, and this build, can run them. */
bool edge_asd_frontend_batch_supports(edge_asd_instructions instructions);

/* Bytes of working memory that edge_asd_frontend_batch needs. */
size_t edge_asd_frontend_batch_size(const edge_asd_frontend_tables *tables);

/* Compute `frames` frames: frame i starts at pcm[i * hop_length] and is written to
 * out[i * n_mels]. `memory` has edge_asd_frontend_batch_size(tables) bytes and any alignment;
 * `instructions` must be supported, and the tables valid (edge_asd_frontend_size is not 0). */
void edge_asd_frontend_batch(const edge_asd_frontend_tables *tables, const int16_t *pcm, size_t frames, int32_t *out,
                             void *memory, edge_asd_instructions instructions);

#endif
