/* SPDX-License-Identifier: MIT */
/* Calibrates the exported detector on recordings: recordings.bin holds the section's place and the quantile in
 * millionths, and then each recording behind its number of samples. Writes result.bin: the status of each
 * recording, then that of the end, and the threshold. */
#include "edge_asd.h"
#include "hostio.h"

static edge_asd_detector detector;
static edge_asd_calibration calibration;
static int32_t spans[1000];
static int16_t block[999];

int main(void) {
    const int in = hostio_open_to_read("recordings.bin"), out = hostio_open_to_write("result.bin");
    uint32_t head[2], samples;
    if (hostio_read(in, head, sizeof head) != sizeof head || !edge_asd_init(&detector, head[0])) {
        return 1;
    }
    edge_asd_calibrate_begin(&detector, &calibration, spans, 1000);
    while (hostio_read(in, &samples, sizeof samples) == sizeof samples) {
        while (samples > 0) {
            const uint32_t count = samples < 999 ? samples : 999;
            hostio_read(in, block, count * sizeof *block);
            edge_asd_calibrate_push(&detector, &calibration, block, count);
            samples -= count;
        }
        const int32_t status = (int32_t)edge_asd_calibrate_recorded(&detector, &calibration);
        hostio_write(out, &status, sizeof status);
    }
    const int32_t end[2] = {(int32_t)edge_asd_calibrate_end(&detector, &calibration, head[1]), detector.threshold};
    hostio_write(out, end, sizeof end);
    return 0;
}
