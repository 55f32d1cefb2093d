/* SPDX-License-Identifier: MIT */
#pragma once
#include <cstddef>
#include <cstdint>

#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
struct TfLiteTensor {
    union {
        char *raw;
    } data;
    size_t bytes;
};
namespace tflite {
struct Model;
class MicroInterpreter {
   public:
    MicroInterpreter(const Model *model, const MicroOpResolver &resolver, uint8_t *arena, size_t arena_size);
    TfLiteStatus AllocateTensors();
    TfLiteStatus Invoke();
    TfLiteTensor *input(size_t index);
    TfLiteTensor *output(size_t index);
    size_t arena_used_bytes() const;
};
}  // namespace tflite
