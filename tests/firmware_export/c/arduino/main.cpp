/* SPDX-License-Identifier: MIT */
/* Runs the sketch: standard input is what the microphone hears, 512 bytes an interrupt; what it prints and whether its
 * light is on goes to standard output. Two interrupts come in the time of one loop, and once so many that sound is lost. */
#include "Arduino.h"
#include "PDM.h"

#include <stdio.h>
#include <stdlib.h>

Printer Serial;
PDMClass PDM;
static void (*receive)();
static bool started;

void Printer::begin(unsigned long) {}
void Printer::print(const char *text) { printf("%s", text); }
void Printer::print(int number) { printf("%d", number); }
void Printer::print(long number) { printf("%ld", number); }
void Printer::println(const char *text) { printf("%s\n", text); }
void Printer::println(unsigned int number) { printf("%u\n", number); }
void Printer::println(unsigned long number) { printf("%lu\n", number); }
void pinMode(int pin, int mode) {
  if (pin != LED_BUILTIN || mode != OUTPUT) abort();
}
void digitalWrite(int pin, int level) { printf("light %d at pin %d: ", level, pin); }
void delay(unsigned long) { exit(1); }

int PDMClass::begin(int channels, int sample_rate) {
  started = channels == 1 && sample_rate == 16000;
  return started;
}
int PDMClass::available() { return 512; }
int PDMClass::read(void *buffer, size_t size) { return static_cast<int>(fread(buffer, 1, size, stdin)); }
void PDMClass::onReceive(void (*function)()) { receive = function; }

int main(int argc, char **) {
  setup();
  for (int i = 0; started && !feof(stdin); i++) {
    const int interrupts = argc > 1 && i == 20 ? 17 : 2;
    for (int j = 0; j < interrupts; j++) receive();
    loop();
  }
  for (int i = 0; i < 99; i++) loop();
}
