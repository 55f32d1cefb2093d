/* SPDX-License-Identifier: MIT */
/* Computes the block sums, features and scores of frames from a file.
 *
 * frames.bin: the section's place, and then int32 frames of EDGE_ASD_BANDS. Writes sums.bin, the powers, squares and
 * levels of each block; features.bin, int16, of each span; scores.bin, int32; and figures.bin: instructions for all
 * frames, for all spans' features, and for all scores. */
#include "edge_asd_distance_model.h"
#include "edge_asd_features.h"
#include "edge_asd_tables.h"
#include "hostio.h"

static uint64_t power[(EDGE_ASD_BLOCKS + 1U) * EDGE_ASD_BANDS];
static int64_t square[(EDGE_ASD_BLOCKS + 1U) * EDGE_ASD_BANDS];
static int32_t level[(EDGE_ASD_BLOCKS + 1U) * EDGE_ASD_BANDS];
static int16_t x[2 * EDGE_ASD_BANDS], difference[2 * EDGE_ASD_BANDS];
static int64_t offsets[EDGE_ASD_DIRECTIONS + 1]; /* there may be none */
static int32_t frame[EDGE_ASD_BANDS];
static edge_asd_features features;
static uint32_t figures[3];

static void count_up(uint32_t which) { figures[which] += hostio_count(); }

static void write_sums(int file, uint32_t block) {
    const uint32_t first = block * EDGE_ASD_BANDS;
    hostio_write(file, power + first, EDGE_ASD_BANDS * sizeof *power);
    hostio_write(file, square + first, EDGE_ASD_BANDS * sizeof *square);
    hostio_write(file, level + first, EDGE_ASD_BANDS * sizeof *level);
}

int main(void) {
    const int in = hostio_open_to_read("frames.bin"), sums = hostio_open_to_write("sums.bin"),
              described = hostio_open_to_write("features.bin"), scored = hostio_open_to_write("scores.bin");
    uint32_t section;
    if (hostio_read(in, &section, sizeof section) != sizeof section || section >= EDGE_ASD_CENTRED_SECTIONS) {
        return 1;
    }
    const edge_asd_section_centres *const of = edge_asd_distance_centres + section;
    if (of->count > 1) {
        edge_asd_distance_offsets(&edge_asd_distance_directions, of->centres, difference, offsets);
    }
    edge_asd_features_init(&features, EDGE_ASD_BANDS, EDGE_ASD_BLOCK_FRAMES, EDGE_ASD_BLOCKS, power, square, level,
                           edge_asd_tables.log2);
    while (hostio_read(in, frame, sizeof frame) == sizeof frame) {
        const uint32_t block = features.block;
        hostio_count_start();
        const bool whole = edge_asd_features_push(&features, frame);
        count_up(0);
        if (features.filled == 0) {
            write_sums(sums, block);
        }
        if (whole) {
            hostio_count_start();
            edge_asd_features_of_span(&features, x);
            count_up(1);
            hostio_count_start();
            const int32_t score = edge_asd_distance_score(&edge_asd_distance_directions, of->centres, of->count,
                                                          offsets, x, difference);
            count_up(2);
            hostio_write(described, x, sizeof x);
            hostio_write(scored, &score, sizeof score);
        }
    }
    hostio_write(hostio_open_to_write("figures.bin"), figures, sizeof figures);
    return 0;
}
