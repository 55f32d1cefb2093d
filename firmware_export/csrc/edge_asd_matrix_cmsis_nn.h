/* SPDX-License-Identifier: MIT */
/* Fully connected layers by a CMSIS-NN of your own, which is no part of this project: where EDGE_ASD_CMSIS_NN is
 * defined, in a project that was exported for it. CMSIS-NN 7 or later, its folder Include among those of headers. Where
 * the layers are rounded once, CMSIS-NN and this code must be built with CMSIS_NN_USE_SINGLE_ROUNDING. */
#ifndef EDGE_ASD_MATRIX_CMSIS_NN_H
#define EDGE_ASD_MATRIX_CMSIS_NN_H

#include "edge_asd_matrix.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(EDGE_ASD_CMSIS_NN)
/* The stream holds the weights [rows][columns], zeros up to a whole word, and for all rows the biases, the multipliers
 * and the shifts. */
edge_asd_matrix_function edge_asd_matrix_cmsis_nn;
#endif

#ifdef __cplusplus
}
#endif

#endif
