/* SPDX-License-Identifier: MIT */
/* MEAN: means over one or two groups of neighbouring axes of an int8 tensor. */
#ifndef EDGE_ASD_MEAN_H
#define EDGE_ASD_MEAN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int32_t outer;      /* values of the axes before the first group; they are kept */
    int32_t reduced;    /* values of the first group: the mean is over these, */
    int32_t kept;       /* values of the axes between the groups */
    int32_t inner;      /* and over those of the second group, the last axes; 1 where there is none */
    int32_t offset;     /* minus the input's zero point, reduced * inner times */
    int32_t multiplier; /* 0 to 2^31 - 1: input scale / output scale / (reduced * inner), times 2^(31 - shift) */
    int32_t shift;      /* -31 to 30, so that no sum leaves 32 bits when shifted left by it */
    int32_t zero_point; /* of the output */
} edge_asd_mean_params;

/* x is [outer][reduced][kept][inner], y [outer][kept]. reduced * inner is below 2^23. */
void edge_asd_mean(const edge_asd_mean_params *p, const int8_t *x, int8_t *y);

#ifdef __cplusplus
}
#endif

#endif
