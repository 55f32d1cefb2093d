/* SPDX-License-Identifier: MIT */
/* Fused convolutions, row by row. */
#include "edge_asd_block.h"

#include <string.h>

static size_t aligned(size_t bytes) { return (bytes + 7) / 8 * 8; }

/* The rows that a filter sees, with their borders: row r of the widened tensor lies in slot r % filter_height. */
typedef struct {
    int8_t *slots;
    int8_t *blank; /* a row outside the tensor */
    size_t row_bytes;
    uint32_t next; /* row to be computed next */
} row_ring;

static void widen_to(const edge_asd_block_params *p, row_ring *ring, uint32_t end, const int8_t *x, uint32_t first,
                     void *scratch) {
    const edge_asd_depthwise_params *d = p->depthwise;
    for (; ring->next < end; ring->next++) {
        int8_t *to = ring->slots + ring->next % d->filter_height * ring->row_bytes + (size_t)d->left * d->channels;
        if (p->widen != NULL) {
            edge_asd_convolution_row(p->widen, x, first, ring->next, to, scratch);
        } else {
            const size_t bytes = (size_t)d->in_width * d->channels;
            uint32_t row = first + ring->next;
            row -= row >= d->in_height ? d->in_height : 0;
            memcpy(to, x + row * bytes, bytes);
        }
    }
}

void edge_asd_block(const edge_asd_block_params *p, const int8_t *x, size_t start, int8_t *y, void *scratch) {
    const edge_asd_depthwise_params *d = p->depthwise;
    const size_t wide = (size_t)d->out_width * d->outputs;
    const size_t in_row = p->widen != NULL ? (size_t)p->widen->in_width * p->widen->channels
                                           : (size_t)d->in_width * d->channels;
    const size_t out_row = p->project != NULL ? (size_t)p->project->out_width * p->project->matrix.rows : wide;
    row_ring ring;
    ring.row_bytes = aligned((size_t)(d->left + d->in_width + d->right) * d->channels);
    ring.slots = (int8_t *)scratch;
    ring.blank = ring.slots + d->filter_height * ring.row_bytes;
    ring.next = 0;
    int8_t *narrow = ring.blank + ring.row_bytes;
    void *rest = narrow + (p->project != NULL ? aligned(wide) : 0);
    memset(ring.slots, d->padding, (size_t)(d->filter_height + 1) * ring.row_bytes);

    for (uint32_t row = 0; row < d->out_height; row++, y += out_row) {
        const int32_t top = (int32_t)(row * d->stride_height) - d->top;
        const int8_t *rows[EDGE_ASD_BLOCK_MAX_FILTER];
        const uint32_t bottom = (uint32_t)(top + d->filter_height);
        widen_to(p, &ring, bottom < d->in_height ? bottom : d->in_height, x, (uint32_t)(start / in_row), rest);
        for (int32_t i = 0; i < d->filter_height; i++) {
            const int32_t r = top + i;
            rows[i] = r < 0 || r >= d->in_height ? ring.blank
                                                 : ring.slots + (uint32_t)r % d->filter_height * ring.row_bytes;
        }
        int8_t *const deep = p->project == NULL ? y : narrow;
        d->row(d, rows, deep);
        edge_asd_trace(d->tensor, deep, wide);
        if (p->project != NULL) {
            edge_asd_convolution_row(p->project, narrow, 0, 0, y, rest);
        }
        if (p->add != NULL) {
            const int8_t *input = x + row * out_row;
            edge_asd_add_values(p->add, p->input_first ? input : y, p->input_first ? y : input, y, (int32_t)out_row);
            edge_asd_trace(p->sum_tensor, y, out_row);
        }
    }
}
