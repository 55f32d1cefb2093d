/* SPDX-License-Identifier: MIT */
/* Listens to the microphone of an Arduino Nano 33 BLE Sense, or of another board with the library PDM, and prints every
 * decision. The built-in LED is lit while the machine sounds wrong. */
#include <PDM.h>
#include <edge_asd.h>

// Place in edge_asd_sections, whose threshold decides; or by name: edge_asd_find_section("01").
static const uint32_t SECTION = 0;

// Samples on their way from the interrupt to loop(): a quarter of a second. A power of two, so that places wrap.
static const uint32_t ROOM = 4096;
static int16_t ring[ROOM];
static volatile uint32_t written;  // by the interrupt alone
static volatile uint32_t taken;    // by loop() alone
static volatile uint32_t lost;     // samples that found no room

static edge_asd_detector detector;

// In the interrupt: only copy.
static void receive() {
  static int16_t block[512];
  int bytes = PDM.available();
  if (bytes > static_cast<int>(sizeof block)) {
    bytes = static_cast<int>(sizeof block);
  }
  const int count = PDM.read(block, static_cast<size_t>(bytes)) / 2;
  const uint32_t at = written;
  if (count < 0 || ROOM - (at - taken) < static_cast<uint32_t>(count)) {
    lost = lost + static_cast<uint32_t>(count < 0 ? 0 : count);
    return;
  }
  for (int i = 0; i < count; i++) {
    ring[(at + static_cast<uint32_t>(i)) % ROOM] = block[i];
  }
  written = at + static_cast<uint32_t>(count);
}

static void stop(const char *why) {
  for (;;) {
    Serial.println(why);
    delay(1000);
  }
}

void setup() {
  Serial.begin(115200);
  pinMode(LED_BUILTIN, OUTPUT);
  if (edge_asd_selftest(&detector) != 0) {
    stop("Self-test failed.");
  }
  if (!edge_asd_init(&detector, SECTION)) {
    stop("There is no such section.");
  }
  PDM.onReceive(receive);
  if (!PDM.begin(1, static_cast<int>(EDGE_ASD_SAMPLE_RATE))) {
    stop("The microphone does not start.");
  }
}

void loop() {
  edge_asd_decision decision;
  const uint32_t from = taken % ROOM;
  uint32_t count = written - taken;
  if (count > ROOM - from) {
    count = ROOM - from;
  }
  taken = taken + static_cast<uint32_t>(edge_asd_push(&detector, ring + from, count));
  while (edge_asd_next(&detector, &decision)) {
    digitalWrite(LED_BUILTIN, decision.anomaly ? HIGH : LOW);
    Serial.print(decision.anomaly ? "ANOMALY, score " : "normal, score ");
    Serial.print(decision.score / 65536);
    Serial.print(" " EDGE_ASD_SCORE_UNIT ", samples lost ");
    Serial.println(lost);
  }
}
