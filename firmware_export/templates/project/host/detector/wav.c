/* SPDX-License-Identifier: MIT */
/* Listens to a WAV file on a computer:
 *
 *     wav FILE.wav SECTION [source|target]     prints every decision, by the section's or its domain's threshold
 *     wav --selftest                           computes the golden vectors
 *
 * Exit status: 0 nothing wrong, 1 error, 2 wrong usage, 3 an anomaly was found. */
#include "edge_asd.h"
#include "wav_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BLOCK 1024

static edge_asd_detector detector;

static int selftest(void) {
    const uint32_t wrong = edge_asd_selftest(&detector);
    if (wrong != 0) {
        printf("Self-test failed: %" PRIu32 " values differ.\n", wrong);
        return 1;
    }
    printf("Self-test passed.\n");
    return 0;
}

static void print(const edge_asd_decision *decision) {
    const int32_t threshold = detector.threshold;
    printf("%10.3f s  score %10.4f %s (%" PRId32 ")  threshold %10.4f (%" PRId32 ")  %s\n",
           (double)decision->end / EDGE_ASD_SAMPLE_RATE, decision->score / 65536.0, EDGE_ASD_SCORE_UNIT,
           decision->score, threshold / 65536.0, threshold, decision->anomaly ? "ANOMALY" : "normal");
}

/* Take the decisions that wait; how many, and whether one was an anomaly. */
static void take(uint64_t *count, bool *anomaly) {
    edge_asd_decision decision;
    while (edge_asd_next(&detector, &decision)) {
        print(&decision);
        *anomaly |= decision.anomaly;
        ++*count;
    }
}

static int listen_to(const char *path) {
    wav_file wav;
    const char *wrong = wav_open(&wav, path, EDGE_ASD_SAMPLE_RATE);
    if (wrong != NULL) {
        fprintf(stderr, "%s: %s. The detector takes 16-bit PCM at %u Hz.\n", path, wrong, EDGE_ASD_SAMPLE_RATE);
        return 1;
    }
    static int16_t pcm[BLOCK];
    uint64_t count = 0;
    bool anomaly = false;
    for (size_t n = wav_read(&wav, pcm, BLOCK); n > 0; n = wav_read(&wav, pcm, BLOCK)) {
        for (size_t used = 0; used < n;) {
            used += edge_asd_push(&detector, pcm + used, n - used);
            take(&count, &anomaly);
        }
    }
    edge_asd_finish(&detector);
    take(&count, &anomaly);
    wrong = wav_close(&wav);
    if (wrong != NULL) {
        fprintf(stderr, "%s: %s.\n", path, wrong);
        return 1;
    }
    if (detector.decisions.withheld > 0) {
        fprintf(stderr, "%s: no decision in %" PRIu64 " places, because the input was dead there (muted, unplugged).\n",
                path, detector.decisions.withheld);
    }
    if (count == 0) {
        if (detector.decisions.withheld == 0) {
            fprintf(stderr, "%s: too short: the first decision falls after %.3f s of sound.\n", path,
                    (double)EDGE_ASD_FIRST_SAMPLES / EDGE_ASD_SAMPLE_RATE);
        }
        return 1;
    }
    return anomaly ? 3 : 0;
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--selftest") == 0) {
        return selftest();
    }
    const bool source = argc == 4 && strcmp(argv[3], "source") == 0;
    const bool target = argc == 4 && strcmp(argv[3], "target") == 0;
    if (argc != 3 && !source && !target) {
        fprintf(stderr, "Usage: wav FILE.wav SECTION [source|target], or wav --selftest\n");
        return 2;
    }
    const uint32_t section = edge_asd_find_section(argv[2]);
    if (!edge_asd_init(&detector, section)) {
        fprintf(stderr, "There is no section %s. There is:", argv[2]);
        for (uint32_t i = 0; i < EDGE_ASD_SECTIONS; i++) {
            fprintf(stderr, " %s", edge_asd_sections[i].name);
        }
        fprintf(stderr, "\n");
        return 1;
    }
    if (source || target) {
        const edge_asd_section *of = &edge_asd_sections[section];
        edge_asd_set_threshold(&detector, source ? of->source : of->target);
    }
    const int status = listen_to(argv[1]);
    if (fflush(stdout) != 0) {
        fprintf(stderr, "The decisions could not be written.\n");
        return 1;
    }
    return status;
}
