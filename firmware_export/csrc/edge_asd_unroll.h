/* SPDX-License-Identifier: MIT */
/* A window out of a ring, for models whose first operation wants it in one piece. */
#ifndef EDGE_ASD_UNROLL_H
#define EDGE_ASD_UNROLL_H

#include <stddef.h>
#include <string.h>

/* Copy `count` values of `size` bytes, from value `start` of a ring of `ring` values on; ring 0: there is none. */
static inline void edge_asd_unroll(const void *x, size_t start, size_t ring, size_t count, size_t size, void *to) {
    const size_t first = ring != 0 && start + count > ring ? ring - start : count;
    memcpy(to, (const char *)x + start * size, first * size);
    memcpy((char *)to + first * size, x, (count - first) * size);
}

#endif
