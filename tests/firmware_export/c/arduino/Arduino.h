/* SPDX-License-Identifier: MIT */
/* As much of Arduino as the sketch uses, on a computer: see main.cpp. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define HIGH 1
#define LOW 0
#define OUTPUT 1
#define LED_BUILTIN 13

struct Printer {
  void begin(unsigned long baud);
  void print(const char *text);
  void print(int number);
  void print(long number);
  void println(const char *text);
  void println(unsigned long number);
  void println(unsigned int number);
};
extern Printer Serial;

void pinMode(int pin, int mode);
void digitalWrite(int pin, int level);
void delay(unsigned long ms);
void setup();
void loop();
