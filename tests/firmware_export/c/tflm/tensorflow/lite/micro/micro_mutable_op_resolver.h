/* SPDX-License-Identifier: MIT */
/* What our example uses of TensorFlow Lite Micro, declared. */
#pragma once
enum TfLiteStatus { kTfLiteOk, kTfLiteError };
namespace tflite {
class MicroOpResolver {};
template <unsigned int count>
class MicroMutableOpResolver : public MicroOpResolver {
   public:
    TfLiteStatus AddAdd();
    TfLiteStatus AddConv2D();
    TfLiteStatus AddDepthwiseConv2D();
    TfLiteStatus AddFullyConnected();
    TfLiteStatus AddMean();
};
}  // namespace tflite
