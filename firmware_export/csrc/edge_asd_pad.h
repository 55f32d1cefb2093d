/* SPDX-License-Identifier: MIT */
/* PAD: an int8 image with a frame of zeros around it, which in int8 are zero points. */
#ifndef EDGE_ASD_PAD_H
#define EDGE_ASD_PAD_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int32_t height; /* of the input */
    int32_t width;
    int32_t channels;
    int32_t top; /* rows that are put before and after it */
    int32_t bottom;
    int32_t left; /* columns */
    int32_t right;
    int32_t before; /* channels */
    int32_t after;
    int32_t zero_point; /* of input and output */
} edge_asd_pad_params;

/* x is [height][width][channels], y [top + height + bottom][left + width + right][before + channels + after]. */
void edge_asd_pad(const edge_asd_pad_params *p, const int8_t *x, int8_t *y);

#ifdef __cplusplus
}
#endif

#endif
