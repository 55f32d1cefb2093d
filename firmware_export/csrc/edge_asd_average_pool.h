/* SPDX-License-Identifier: MIT */
/* AVERAGE_POOL_2D: means over windows of an int8 image; input and output have the same scale and zero point. */
#ifndef EDGE_ASD_AVERAGE_POOL_H
#define EDGE_ASD_AVERAGE_POOL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int32_t height; /* of the input */
    int32_t width;
    int32_t channels;
    int32_t out_height; /* of the output */
    int32_t out_width;
    int32_t filter_height;
    int32_t filter_width;
    int32_t stride_height;
    int32_t stride_width;
    int32_t top;  /* rows of the first window above the image; they count as nothing, not as zeros */
    int32_t left; /* columns of it to the left of the image */
    int32_t low;  /* bounds of the output: -128 and 127, or those of an activation */
    int32_t high;
} edge_asd_average_pool_params;

/* x is [height][width][channels], y [out_height][out_width][channels]. Means are rounded, halves away from zero.
 * Every window must hold at least one value of the image, and fewer than 2^23. */
void edge_asd_average_pool(const edge_asd_average_pool_params *p, const int8_t *x, int8_t *y);

#ifdef __cplusplus
}
#endif

#endif
