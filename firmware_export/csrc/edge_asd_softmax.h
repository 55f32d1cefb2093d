/* SPDX-License-Identifier: MIT */
/* SOFTMAX: shares of a whole for each row of an int8 tensor; the output's scale is 1/256, its zero point -128. */
#ifndef EDGE_ASD_SOFTMAX_H
#define EDGE_ASD_SOFTMAX_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int32_t rows;
    int32_t depth;              /* values of a row, 1 to 4095 */
    int32_t distances;          /* entries of the table, 1 to 256 */
    const int32_t *exponential; /* of minus the distance from the row's largest value, Q0.31; 0 beyond the table */
} edge_asd_softmax_params;

/* y may be x. A value below 1/512 of the whole becomes 0. */
void edge_asd_softmax(const edge_asd_softmax_params *p, const int8_t *x, int8_t *y);

#ifdef __cplusplus
}
#endif

#endif
