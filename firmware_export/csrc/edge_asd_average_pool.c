/* SPDX-License-Identifier: MIT */
/* AVERAGE_POOL_2D, one value of the output after the other. */
#include "edge_asd_average_pool.h"

#include "edge_asd_rounding.h"

void edge_asd_average_pool(const edge_asd_average_pool_params *p, const int8_t *x, int8_t *y) {
    const int32_t row = p->width * p->channels;
    for (int32_t i = 0; i < p->out_height; i++) {
        const int32_t above = i * p->stride_height - p->top;
        const int32_t first_row = above > 0 ? above : 0;
        const int32_t below = above + p->filter_height;
        const int32_t rows = (below < p->height ? below : p->height) - first_row;
        for (int32_t j = 0; j < p->out_width; j++) {
            const int32_t before = j * p->stride_width - p->left;
            const int32_t first_column = before > 0 ? before : 0;
            const int32_t after = before + p->filter_width;
            const int32_t columns = (after < p->width ? after : p->width) - first_column;
            const int8_t *window = x + first_row * row + first_column * p->channels;
            const int32_t count = rows * columns;
            for (int32_t channel = 0; channel < p->channels; channel++) {
                const int8_t *value = window + channel;
                int32_t sum = 0;
                for (int32_t r = 0; r < rows; r++) {
                    for (int32_t c = 0; c < columns; c++) {
                        sum += *value;
                        value += p->channels;
                    }
                    value += row - columns * p->channels;
                }
                const int32_t mean = (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
                *y++ = (int8_t)edge_asd_clamp(mean, p->low, p->high);
            }
        }
    }
}
