/* SPDX-License-Identifier: MIT */
/* Depthwise 3 x 3 convolutions on Cortex-M4, M7 and M33: four channels at a time. */
#include "edge_asd_depthwise.h"

#if EDGE_ASD_KERNELS == EDGE_ASD_DSP

/* What the assembly reads; the order matters. */
typedef struct {
    const uint32_t *stream;
    const uint32_t *stream_end;
    const int8_t *rows[3];
    size_t channels;
    int8_t *y;
} job;

/* A place of the filter: r2 - r5 are the sums of channels 0 - 3. */
#define PLACE(address) \
    "ldr.w r6, " address "\n" \
    "ldrd r8, r9, [r0], #8\n" \
    "sxtb16 r7, r6, ror #8\n" \
    "sxtb16 r6, r6\n" \
    "smlabb r2, r6, r8, r2\n" \
    "smlatt r4, r6, r8, r4\n" \
    "smlabb r3, r7, r9, r3\n" \
    "smlatt r5, r7, r9, r5\n"
/* The three places of a row; the first one is read last, and moves on to the next four channels. */
#define ROW(row) PLACE("[" row ", lr]") PLACE("[" row ", lr, lsl #1]") PLACE("[" row "], #4")

/* The sums are of doubled weights, as SMMLAR's high word wants them; a negative one is rounded as one less. */
#define ROUNDED(sum) \
    "ldmia.w r0!, {r6, r7, r8}\n" \
    "smmlar r9, " sum ", r6, r7\n" \
    "add " sum ", r9, " sum ", asr #31\n" \
    "asr " sum ", " sum ", r8\n" \
    "ssat " sum ", #8, " sum "\n" \
    "strb " sum ", [r1], #1\n"
/* The same where all negative ones become -128. */
#define ROUNDED_POSITIVE(sum) \
    "ldmia.w r0!, {r6, r7, r8}\n" \
    "smmlar " sum ", " sum ", r6, r7\n" \
    "asr " sum ", " sum ", r8\n" \
    "ssat " sum ", #8, " sum "\n" \
    "strb " sum ", [r1], #1\n"

/* One place of the output: for each 4 channels
 *     sum[0 .. 3] = *stream++
 *     for each place of the filter, with words *stream++: sum[c] += x[place][c] * weight[c]
 *     *y++ = rounded(sum[c], {multiplier, addend, shift} = *stream++) */
#define PLACE_FUNCTION(name, ROUND) \
    EDGE_ASD_NAKED static void name(const job *j __attribute__((unused))) { \
        __asm__ volatile( \
            "push {r4-r11, lr}\n" \
            "sub sp, #4\n" \
            "ldmia.w r0, {r2, r3, r10, r11, r12, lr}\n" \
            "ldr r1, [r0, #24]\n" \
            "str r3, [sp]\n" \
            "mov r0, r2\n" \
            "1:\n" \
            "ldmia.w r0!, {r2, r3, r4, r5}\n" ROW("r10") ROW("r11") ROW("r12") \
            ROUND("r2") ROUND("r3") ROUND("r4") ROUND("r5") \
            "ldr r6, [sp]\n" \
            "cmp r0, r6\n" \
            "bne 1b\n" \
            "add sp, #4\n" \
            "pop {r4-r11, pc}\n"); \
    }

PLACE_FUNCTION(one_place, ROUNDED)
PLACE_FUNCTION(one_place_behind_relu, ROUNDED_POSITIVE)

static void all_places(const edge_asd_depthwise_params *p, const int8_t *const *rows, int8_t *y,
                       void (*place)(const job *)) {
    const size_t stride = (size_t)p->stride_width * p->channels;
    job j;
    j.stream = p->stream;
    j.stream_end = p->stream + (size_t)p->outputs / 4 * (4 + 9 * 2 + 4 * 3);
    j.channels = p->channels;
    for (uint32_t column = 0; column < p->out_width; column++) {
        for (uint32_t i = 0; i < 3; i++) {
            j.rows[i] = rows[i] + column * stride;
        }
        j.y = y + column * (size_t)p->outputs;
        place(&j);
    }
}

void edge_asd_depthwise_quick(const edge_asd_depthwise_params *p, const int8_t *const *rows, int8_t *y) {
    all_places(p, rows, y, one_place);
}

void edge_asd_depthwise_quick_behind_relu(const edge_asd_depthwise_params *p, const int8_t *const *rows, int8_t *y) {
    all_places(p, rows, y, one_place_behind_relu);
}

#else
typedef int edge_asd_depthwise_dsp_is_not_for_this_processor;
#endif
