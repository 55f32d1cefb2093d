/* SPDX-License-Identifier: MIT */
/* RESHAPE, and one input of CONCATENATION: values move, none changes. */
#ifndef EDGE_ASD_COPY_H
#define EDGE_ASD_COPY_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int32_t blocks; /* of the input */
    int32_t bytes;  /* of a block */
    int32_t offset; /* place of the first block in the output, in bytes */
    int32_t pitch;  /* from one block to the next in the output, in bytes */
} edge_asd_copy_params;

/* Copy every block of x to its place in y; the rest of y stays. y may be x only if nothing moves (RESHAPE). */
void edge_asd_copy(const edge_asd_copy_params *p, const int8_t *x, int8_t *y);

#ifdef __cplusplus
}
#endif

#endif
