/* SPDX-License-Identifier: MIT */
/* Depthwise convolutions: the portable kernel, and the choice of another. */
#include "edge_asd_depthwise.h"

#include "edge_asd_depthwise_kernels.h"
#include "edge_asd_requantise.h"

/* Four output channels at one place; returns the stream behind them. */
static const uint32_t *four_channels(const edge_asd_depthwise_params *p, const uint32_t *stream,
                                     const int8_t *const *rows, size_t offset, uint32_t output, int8_t *y) {
    const uint32_t many = (uint32_t)(p->outputs / p->channels);
    size_t channel[4];
    int32_t sum[4];
    for (uint32_t i = 0; i < 4; i++) {
        channel[i] = offset + (output + i < p->outputs ? (output + i) / many : 0);
        sum[i] = (int32_t)stream[i];
    }
    stream += 4;
    for (uint32_t row = 0; row < p->filter_height; row++) {
        const int8_t *x = rows[row];
        for (uint32_t column = 0; column < p->filter_width; column++, x += p->channels, stream += 2) {
            sum[0] += x[channel[0]] * (int16_t)(uint16_t)stream[0];
            sum[1] += x[channel[1]] * (int16_t)(uint16_t)stream[1];
            sum[2] += x[channel[2]] * (int16_t)(uint16_t)(stream[0] >> 16);
            sum[3] += x[channel[3]] * (int16_t)(uint16_t)(stream[1] >> 16);
        }
    }
    for (uint32_t i = 0; i < 4; i++, stream += 3) {
        if (output + i < p->outputs) {
            const int32_t value =
                edge_asd_requantise(sum[i], (int32_t)stream[0], (int32_t)stream[2], p->twice != 0) + p->zero_point;
            y[output + i] = (int8_t)edge_asd_limit(value, p->low, p->high);
        }
    }
    return stream;
}

void edge_asd_depthwise_row(const edge_asd_depthwise_params *p, const int8_t *const *rows, int8_t *y) {
    const size_t stride = (size_t)p->stride_width * p->channels;
#if EDGE_ASD_KERNELS != EDGE_ASD_PORTABLE
    if (p->quick) {
        edge_asd_depthwise_quick(p, rows, y);
    } else
#endif
    {
        int8_t *to = y;
        for (uint32_t column = 0; column < p->out_width; column++, to += p->outputs) {
            const uint32_t *stream = p->stream;
            for (uint32_t output = 0; output < p->outputs; output += 4) {
                stream = four_channels(p, stream, rows, column * stride, output, to);
            }
        }
    }
    edge_asd_trace(p->tensor, y, (size_t)p->out_width * p->outputs);
}
