/* SPDX-License-Identifier: MIT */
/* Convolutions as products of a matrix with patches of the input. */
#include "edge_asd_convolution.h"

#include <string.h>

#define PATCHES 4

/* Copy what a filter at one place sees. */
static void gather(const edge_asd_convolution_params *p, const int8_t *x, uint32_t first, int32_t y0, int32_t x0,
                   int8_t *patch) {
    const size_t channels = p->channels, width = p->filter_width * channels;
    for (int32_t i = y0; i < y0 + p->filter_height; i++, patch += width) {
        if (i < 0 || i >= p->in_height) {
            memset(patch, p->padding, width);
            continue;
        }
        uint32_t row = first + (uint32_t)i;
        row -= row >= p->in_height ? p->in_height : 0;
        const int8_t *from = x + row * p->in_width * channels;
        if (x0 >= 0 && x0 + p->filter_width <= p->in_width) {
            memcpy(patch, from + (size_t)x0 * channels, width);
            continue;
        }
        int8_t *to = patch;
        for (int32_t j = x0; j < x0 + p->filter_width; j++, to += channels) {
            if (j < 0 || j >= p->in_width) {
                memset(to, p->padding, channels);
            } else {
                memcpy(to, from + (size_t)j * channels, channels);
            }
        }
    }
}

static int is_pointwise(const edge_asd_convolution_params *p) {
    return p->filter_height == 1 && p->filter_width == 1 && p->stride_height == 1 && p->stride_width == 1;
}

void edge_asd_convolution_row(const edge_asd_convolution_params *p, const int8_t *x, uint32_t first, uint32_t row,
                              int8_t *y, void *scratch) {
    const edge_asd_matrix *m = &p->matrix;
    const size_t outputs = m->rows;
    if (is_pointwise(p)) {
        uint32_t from = first + row;
        from -= from >= p->in_height ? p->in_height : 0;
        m->times(m, x + from * (size_t)p->in_width * p->channels, p->channels, p->out_width, 0, 0, y,
                              outputs, scratch);
    } else {
        int8_t *patches = (int8_t *)scratch + EDGE_ASD_MATRIX_SCRATCH(m->columns, m->quads);
        const int32_t y0 = (int32_t)(row * p->stride_height) - p->top;
        for (uint32_t column = 0; column < p->out_width; column += PATCHES) {
            const uint32_t end = column + PATCHES < p->out_width ? column + PATCHES : p->out_width;
            const uint32_t count = end - column;
            for (uint32_t i = 0; i < count; i++) {
                const int32_t x0 = (int32_t)((column + i) * p->stride_width) - p->left;
                gather(p, x, first, y0, x0, patches + i * (size_t)m->columns);
            }
            m->times(m, patches, m->columns, count, 0, 0, y + column * outputs, outputs, scratch);
        }
    }
    edge_asd_trace(p->tensor, y, p->out_width * outputs);
}

void edge_asd_convolution(const edge_asd_convolution_params *p, const int8_t *x, size_t start, int8_t *y,
                          void *scratch) {
    const uint32_t first = (uint32_t)(start / ((size_t)p->in_width * p->channels));
    for (uint32_t row = 0; row < p->out_height; row++, y += (size_t)p->out_width * p->matrix.rows) {
        edge_asd_convolution_row(p, x, first, row, y, scratch);
    }
}
