/* SPDX-License-Identifier: MIT */
/* The microphone library as the Arduino cores declare it. */
#pragma once
#include <stddef.h>

struct PDMClass {
  int begin(int channels, int sample_rate);
  int available();
  int read(void *buffer, size_t size);
  void onReceive(void (*function)());
};
extern PDMClass PDM;
