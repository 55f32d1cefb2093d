/* SPDX-License-Identifier: MIT */
/* Depthwise 3 x 3 convolutions with Helium: four channels at a time. */
#include "edge_asd_depthwise.h"
#include "edge_asd_helium.h"

#if EDGE_ASD_KERNELS == EDGE_ASD_HELIUM

/* sum + x[0 .. 3] * w[0 .. 3] */
static inline int32x4_t add_products(int32x4_t sum, const int8_t *x, const int8_t *w) {
    return vaddq_s32(sum, vmulq_s32(vldrbq_s32(x), vldrbq_s32(w)));
}

/* The stream holds for each four channels: 4 sums to start from, 9 words of weights, 4 multipliers, 4 shifts. */
void edge_asd_depthwise_quick(const edge_asd_depthwise_params *p, const int8_t *const *rows, int8_t *y) {
    const size_t channels = p->channels, stride = (size_t)p->stride_width * channels;
    const edge_asd_output output = edge_asd_output_of(p->zero_point, p->low, p->high);
    for (uint32_t column = 0; column < p->out_width; column++) {
        const uint32_t *stream = p->stream;
        for (size_t channel = column * stride; channel < column * stride + channels; channel += 4, y += 4) {
            int32x4_t sum = vld1q_s32((const int32_t *)stream);
            const int8_t *w = (const int8_t *)(stream + 4);
            for (uint32_t row = 0; row < 3; row++, w += 12) {
                const int8_t *x = rows[row] + channel;
                sum = add_products(sum, x, w);
                sum = add_products(sum, x + channels, w + 4);
                sum = add_products(sum, x + 2 * channels, w + 8);
            }
            edge_asd_store_rounded(sum, (const int32_t *)(stream + 13), true, &output, y);
            stream += 4 + 9 + 8;
        }
    }
}

#else
typedef int edge_asd_depthwise_helium_is_not_for_this_processor;
#endif
