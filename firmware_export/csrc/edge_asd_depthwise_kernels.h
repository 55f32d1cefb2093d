/* SPDX-License-Identifier: MIT */
/* Internal. */
#ifndef EDGE_ASD_DEPTHWISE_KERNELS_H
#define EDGE_ASD_DEPTHWISE_KERNELS_H

#include "edge_asd_depthwise.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The kernel of this processor, for 3 x 3 filters, one for each channel, and streams in its order. */
void edge_asd_depthwise_quick(const edge_asd_depthwise_params *p, const int8_t *const *rows, int8_t *y);

#ifdef __cplusplus
}
#endif

#endif
