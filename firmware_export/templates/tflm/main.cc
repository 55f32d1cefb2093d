/* SPDX-License-Identifier: MIT */
/* Runs the model in TensorFlow Lite Micro, and compares with what its reference kernels computed when the model was
 * exported. Ends with 0 where every value is the same. */
#include <cstring>

#include "edge_asd_model.h"
#include "edge_asd_model_golden.h"
#include "edge_asd_model_operators.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_log.h"
#include "tensorflow/lite/micro/system_setup.h"
#include "tensorflow/lite/schema/schema_generated.h"

alignas(16) static uint8_t arena[EDGE_ASD_MODEL_ARENA_BYTES];

int main() {
    tflite::InitializeTarget();
    static edge_asd_model_operators operators;
    if (edge_asd_model_add_operators(operators) != kTfLiteOk) {
        return 1;
    }
    static tflite::MicroInterpreter interpreter(tflite::GetModel(edge_asd_model), operators, arena, sizeof arena);
    if (interpreter.AllocateTensors() != kTfLiteOk) {
        MicroPrintf("The arena of %d bytes is too small for these kernels.", static_cast<int>(sizeof arena));
        return 1;
    }

    /* Your own window goes here. */
    TfLiteTensor *input = interpreter.input(0);
    if (input->bytes != sizeof edge_asd_model_golden_input) {
        return 1;
    }
    std::memcpy(input->data.raw, edge_asd_model_golden_input, sizeof edge_asd_model_golden_input);

    if (interpreter.Invoke() != kTfLiteOk) {
        return 1;
    }

    const TfLiteTensor *output = interpreter.output(0);
    const bool same = output->bytes == sizeof edge_asd_model_golden_output &&
                      std::memcmp(output->data.raw, edge_asd_model_golden_output, output->bytes) == 0;
    MicroPrintf("arena used: %d bytes; output %s", static_cast<int>(interpreter.arena_used_bytes()),
                same ? "as expected" : "DIFFERS");
    return same ? 0 : 1;
}
