/* SPDX-License-Identifier: MIT */
/* What CMSIS-NN documents of its function, by the plainest means; HELIUM: with the sums of the context for biases. */
#include "arm_nnfunctions.h"

static int32_t rescaled(int64_t sum, int64_t multiplier, int32_t shift) {
#if defined(CMSIS_NN_USE_SINGLE_ROUNDING)
    return (int32_t)((sum * multiplier + ((int64_t)1 << (30 - shift))) >> (31 - shift));
#else
    const int32_t right = shift > 0 ? 0 : -shift;
    const int64_t high = (sum * ((int64_t)1 << (shift > 0 ? shift : 0)) * multiplier + ((int64_t)1 << 30)) >> 31;
    const int64_t size = high < 0 ? -high : high, half = right > 0 ? (int64_t)1 << (right - 1) : 0;
    const int64_t rounded = (size + half) >> right;
    return (int32_t)(high < 0 ? -rounded : rounded);
#endif
}

arm_cmsis_nn_status arm_fully_connected_per_channel_s8(const cmsis_nn_context *ctx, const cmsis_nn_fc_params *fc_params,
                                                       const cmsis_nn_per_channel_quant_params *quant_params,
                                                       const cmsis_nn_dims *input_dims, const int8_t *input_data,
                                                       const cmsis_nn_dims *filter_dims, const int8_t *filter_data,
                                                       const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
                                                       const cmsis_nn_dims *output_dims, int8_t *output_data) {
    const int32_t columns = filter_dims->n, rows = output_dims->c;
    if (ctx->buf == 0 || ctx->size < rows * 4 || filter_dims->c != rows || bias_dims->c != rows ||
        input_dims->h * input_dims->w * input_dims->c != columns) {
        return ARM_CMSIS_NN_ARG_ERROR;
    }
    for (int32_t n = 0; n < input_dims->n; n++, input_data += columns, output_data += rows) {
        for (int32_t row = 0; row < rows; row++) {
#if defined(HELIUM)
            int64_t sum = ((const int32_t *)ctx->buf)[row];
            (void)bias_data;
#else
            int64_t sum = bias_data[row];
#endif
            for (int32_t column = 0; column < columns; column++) {
                sum += (input_data[column] + fc_params->input_offset) *
                       (filter_data[row * columns + column] + fc_params->filter_offset);
            }
            const int32_t value =
                rescaled(sum, quant_params->multiplier[row], quant_params->shift[row]) + fc_params->output_offset;
            const int32_t low = fc_params->activation.min, high = fc_params->activation.max;
            output_data[row] = (int8_t)(value < low ? low : value > high ? high : value);
        }
    }
    return ARM_CMSIS_NN_SUCCESS;
}
