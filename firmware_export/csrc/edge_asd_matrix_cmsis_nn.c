/* SPDX-License-Identifier: MIT */
/* Int8 matrices by CMSIS-NN's arm_fully_connected_per_channel_s8. */
#include "edge_asd_matrix_cmsis_nn.h"
#include "edge_asd_matrix_kernels.h"

#if defined(EDGE_ASD_CMSIS_NN)

#include <arm_nnfunctions.h>
#include <string.h>

void edge_asd_matrix_cmsis_nn(const edge_asd_matrix *m, const int8_t *x, size_t x_stride, uint32_t vectors,
                              size_t start, size_t ring, int8_t *y, size_t y_stride, void *scratch) {
    const int32_t rows = m->rows, columns = m->columns;
    const cmsis_nn_dims input = {1, 1, 1, columns}, filter = {columns, 1, 1, rows}, output = {1, 1, 1, rows};
    const int8_t *weights = (const int8_t *)m->stream;
    /* CMSIS-NN only reads these, although its types do not say so. */
    int32_t *bias = (int32_t *)(uintptr_t)(m->stream + ((size_t)rows * m->columns + 3) / 4);
    const cmsis_nn_per_channel_quant_params scale = {bias + rows, bias + 2 * rows};
    /* The biases hold the share of the input's zero point already, and so are the sums that it wants with Helium. */
    const cmsis_nn_context context = {bias, rows * (int32_t)sizeof *bias};
    cmsis_nn_fc_params params;
    params.input_offset = 0;
    params.filter_offset = 0;
    params.output_offset = m->zero_point;
    params.activation.min = m->low;
    params.activation.max = m->high;
    for (uint32_t v = 0; v < vectors; v++, y += y_stride) {
        const edge_asd_pieces pieces = edge_asd_pieces_of(x, start + v * x_stride, ring, m->columns);
        const int8_t *vector = pieces.first;
        if (pieces.count < m->columns) {
            memcpy(scratch, pieces.first, pieces.count);
            memcpy((int8_t *)scratch + pieces.count, x, m->columns - pieces.count);
            vector = (const int8_t *)scratch;
        }
        /* It fails only where an argument is missing. */
        (void)arm_fully_connected_per_channel_s8(&context, &params, &scale, &input, vector, &filter, weights, &output,
                                                 bias, &output, y);
    }
}

#else
typedef int edge_asd_matrix_cmsis_nn_is_not_asked_for;
#endif
