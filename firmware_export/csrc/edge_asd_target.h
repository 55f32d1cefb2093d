/* SPDX-License-Identifier: MIT */
/* Which kernels this processor gets, told by the compiler: the same bits from each.
 *
 * EDGE_ASD_KERNELS may be set to EDGE_ASD_PORTABLE by hand. Shifting a negative number right must be
 * arithmetic, converting to a narrower signed type must wrap, and words are little-endian. */
#ifndef EDGE_ASD_TARGET_H
#define EDGE_ASD_TARGET_H

#include <stddef.h>
#include <stdint.h>

#define EDGE_ASD_PORTABLE 0 /* C99 */
#define EDGE_ASD_DSP 1      /* Cortex-M4, M7, M33, M35P with the DSP extension */
#define EDGE_ASD_HELIUM 2   /* Cortex-M52, M55, M85 */

#if !defined(EDGE_ASD_KERNELS)
#if defined(__GNUC__) && defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1)
#define EDGE_ASD_KERNELS EDGE_ASD_HELIUM
#elif defined(__GNUC__) && defined(__ARM_FEATURE_DSP) && defined(__thumb2__) && defined(__ARM_ARCH_PROFILE) && \
    __ARM_ARCH_PROFILE == 'M'
#define EDGE_ASD_KERNELS EDGE_ASD_DSP
#else
#define EDGE_ASD_KERNELS EDGE_ASD_PORTABLE
#endif
#endif

#if defined(__BYTE_ORDER__) && defined(__ORDER_BIG_ENDIAN__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#error "The weights are written for little-endian processors."
#endif

/* Fails to compile where `condition` is false; valid in C99 and C++. */
#define EDGE_ASD_CHECK(name, condition) typedef char edge_asd_check_##name[(condition) ? 1 : -1]

/* A function that is assembly from its first to its last instruction: nothing may be put before it, whatever the
 * compiler's options for protection, profiling or coverage. */
#if EDGE_ASD_KERNELS == EDGE_ASD_DSP
#if defined(__has_attribute)
#if __has_attribute(no_stack_protector)
#define EDGE_ASD_UNPROTECTED __attribute__((no_stack_protector))
#endif
#if __has_attribute(no_sanitize_coverage)
#define EDGE_ASD_UNCOVERED __attribute__((no_sanitize_coverage))
#endif
#if __has_attribute(no_profile_instrument_function)
#define EDGE_ASD_UNPROFILED __attribute__((no_profile_instrument_function))
#endif
#endif
#if !defined(EDGE_ASD_UNPROTECTED)
#define EDGE_ASD_UNPROTECTED
#endif
#if !defined(EDGE_ASD_UNCOVERED)
#define EDGE_ASD_UNCOVERED
#endif
#if !defined(EDGE_ASD_UNPROFILED)
#define EDGE_ASD_UNPROFILED
#endif
#define EDGE_ASD_NAKED                                                                            \
    __attribute__((naked, noinline, no_instrument_function)) EDGE_ASD_UNPROTECTED EDGE_ASD_UNCOVERED \
        EDGE_ASD_UNPROFILED
#endif

/* A build that defines EDGE_ASD_TRACE hands every computed row of every tensor to this function, for
 * comparison with another implementation; normal builds have none of it. */
#if defined(EDGE_ASD_TRACE)
#if defined(__cplusplus)
extern "C"
#endif
void edge_asd_trace(int tensor, const void *values, size_t bytes);
#else
#define edge_asd_trace(tensor, values, bytes) ((void)(tensor), (void)(values), (void)(bytes))
#endif

#endif
