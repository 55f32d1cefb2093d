/* SPDX-License-Identifier: MIT */
#pragma once
namespace tflite {
struct Model;
const Model *GetModel(const void *file);
}  // namespace tflite
