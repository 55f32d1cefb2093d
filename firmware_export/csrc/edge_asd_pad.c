/* SPDX-License-Identifier: MIT */
/* PAD, from the first value of the output to the last. */
#include "edge_asd_pad.h"

#include <string.h>

/* Write `count` zeros; return the place after them. */
static int8_t *zeros(const edge_asd_pad_params *p, int8_t *y, int32_t count) {
    memset(y, (int)p->zero_point, (size_t)count);
    return y + count;
}

void edge_asd_pad(const edge_asd_pad_params *p, const int8_t *x, int8_t *y) {
    const int32_t pixel = p->before + p->channels + p->after;
    const int32_t row = (p->left + p->width + p->right) * pixel;
    /* Whole rows of the input stay together unless channels come between them. */
    const int32_t run = pixel == p->channels ? p->width * p->channels : p->channels;
    const int32_t runs = pixel == p->channels ? 1 : p->width;
    y = zeros(p, y, p->top * row);
    for (int32_t i = 0; i < p->height; i++) {
        y = zeros(p, y, p->left * pixel);
        for (int32_t j = 0; j < runs; j++) {
            y = zeros(p, y, p->before);
            memcpy(y, x, (size_t)run);
            x += run;
            y = zeros(p, y + run, p->after);
        }
        y = zeros(p, y, p->right * pixel);
    }
    (void)zeros(p, y, p->bottom * row);
}
