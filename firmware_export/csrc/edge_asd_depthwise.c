/* SPDX-License-Identifier: MIT */
/* Depthwise convolutions: the portable kernel. */
#include "edge_asd_depthwise.h"

#include "edge_asd_rounding.h"

/* Adds the products of four channels that lie at x[0], x[a], x[b], x[c]; returns the stream behind the weights. */
static inline const uint32_t *add_places(const edge_asd_depthwise_params *p, const uint32_t *stream,
                                         const int8_t *const *rows, const size_t channel[4], int32_t sum[4]) {
    const size_t a = channel[1] - channel[0], b = channel[2] - channel[0], c = channel[3] - channel[0];
    const size_t channels = p->channels;
    int32_t sum0 = sum[0], sum1 = sum[1], sum2 = sum[2], sum3 = sum[3];
    for (uint32_t row = 0; row < p->filter_height; row++) {
        const int8_t *x = rows[row] + channel[0];
        for (uint32_t column = 0; column < p->filter_width; column++, x += channels, stream += 2) {
            const int16_t *w = (const int16_t *)(const void *)stream; /* channels 0, 2, 1, 3 */
            sum0 += x[0] * w[0];
            sum2 += x[b] * w[1];
            sum1 += x[a] * w[2];
            sum3 += x[c] * w[3];
        }
    }
    sum[0] = sum0;
    sum[1] = sum1;
    sum[2] = sum2;
    sum[3] = sum3;
    return stream;
}

/* Four output channels at one place; returns the stream behind them. */
static const uint32_t *four_channels(const edge_asd_depthwise_params *p, const uint32_t *stream,
                                     const int8_t *const *rows, size_t offset, uint32_t output, int8_t *y) {
    const uint32_t many = (uint32_t)(p->outputs / p->channels);
    const uint32_t count = output + 4 <= p->outputs ? 4 : p->outputs - output;
    size_t channel[4];
    int32_t sum[4];
    for (uint32_t i = 0; i < 4; i++) {
        const uint32_t one = output + (i < count ? i : 0);
        channel[i] = offset + (many == 1 ? one : one / many);
        sum[i] = (int32_t)stream[i];
    }
    stream = add_places(p, stream + 4, rows, channel, sum);
    const bool twice = p->twice != 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t *constants = stream + 3 * i;
        const int32_t value =
            edge_asd_rescale(sum[i], (int32_t)constants[0], (int32_t)constants[2], twice) + p->zero_point;
        y[output + i] = (int8_t)edge_asd_clamp(value, p->low, p->high);
    }
    return stream + 12;
}

void edge_asd_depthwise_portable(const edge_asd_depthwise_params *p, const int8_t *const *rows, int8_t *y) {
    const size_t stride = (size_t)p->stride_width * p->channels;
    for (uint32_t column = 0; column < p->out_width; column++, y += p->outputs) {
        const uint32_t *stream = p->stream;
        for (uint32_t output = 0; output < p->outputs; output += 4) {
            stream = four_channels(p, stream, rows, column * stride, output, y);
        }
    }
}
