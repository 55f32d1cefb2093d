/* SPDX-License-Identifier: MIT */
#ifndef TRACE_H
#define TRACE_H

#include <stddef.h>
#include <stdint.h>

#define TRACE_TENSORS 4096

typedef struct {
    uint32_t crc;   /* of all bytes since trace_start, as zlib's crc32 */
    uint32_t bytes; /* how many */
} trace_tensor;

/* Forget everything; keep values, each run behind its tensor's number and its length, while `memory` has room. */
void trace_start(void *memory, size_t bytes);

const trace_tensor *trace_tensors(void); /* [TRACE_TENSORS] */

size_t trace_used(void); /* bytes of memory */

#endif
