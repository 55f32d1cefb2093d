/* SPDX-License-Identifier: MIT */
#pragma once
namespace tflite {
void InitializeTarget();
}
