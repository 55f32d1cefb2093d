/* Windows of `VALUES` values: db.bin (int32) and outputs.bin (int8) to squares.bin, the autoencoder's
 * scores, and to odds.bin, the log-odds of each window's first six outputs for class 1 (int32 each); the
 * instructions of each to counts.bin (uint32). */
#include "edge_asd_score.h"
#include "edge_asd_tables.h"
#include "hostio.h"

static int32_t db[VALUES];
static int8_t outputs[VALUES];

int main(void) {
    const int input = hostio_open_to_read("db.bin");
    const int answers = hostio_open_to_read("outputs.bin");
    const int squares = hostio_open_to_write("squares.bin");
    const int odds = hostio_open_to_write("odds.bin");
    const int counts = hostio_open_to_write("counts.bin");
    if (input < 0 || answers < 0 || squares < 0 || odds < 0 || counts < 0) {
        return 1;
    }
    while (hostio_read(input, db, sizeof db) == sizeof db) {
        if (hostio_read(answers, outputs, sizeof outputs) != sizeof outputs) {
            return 2;
        }
        uint32_t instructions[2];
        hostio_count_start();
        const uint64_t sum = edge_asd_squared_error(0, db, outputs, VALUES, MULTIPLIER, ZERO_POINT);
        const int32_t square = edge_asd_mean_squared_error(sum, VALUES);
        instructions[0] = hostio_count();
        hostio_count_start();
        const int32_t odd = edge_asd_log_odds(outputs, 6, 1, MULTIPLIER, edge_asd_tables.log2);
        instructions[1] = hostio_count();
        if (hostio_write(squares, &square, sizeof square) != 0 || hostio_write(odds, &odd, sizeof odd) != 0 ||
            hostio_write(counts, instructions, sizeof instructions) != 0) {
            return 3;
        }
    }
    return 0;
}
