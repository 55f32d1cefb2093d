/* SPDX-License-Identifier: MIT */
/* QUANTIZE from float32: a binary search for each value. */
#include "edge_asd_from_float.h"

#include <string.h>

void edge_asd_from_float(const edge_asd_from_float_params *p, const float *x, int8_t *y) {
    for (int32_t i = 0; i < p->count; i++) {
        int32_t order;
        memcpy(&order, x + i, sizeof order);
        order = order < 0 ? order ^ INT32_MAX : order;
        int32_t reached = 0; /* thresholds, of 255 */
        for (int32_t step = 128; step > 0; step >>= 1) {
            if (p->thresholds[reached + step - 1] <= order) {
                reached += step;
            }
        }
        y[i] = (int8_t)(reached - 128);
    }
}
