/* SPDX-License-Identifier: MIT */
/* Collects what the kernels compute: for each tensor a checksum and a count, and where there is room the values. */
#include "edge_asd_target.h"
#include "trace.h"

#include <string.h>

static trace_tensor tensors[TRACE_TENSORS];
static uint8_t *room;
static size_t room_bytes, room_used;

void trace_start(void *memory, size_t bytes) {
    memset(tensors, 0, sizeof tensors);
    room = (uint8_t *)memory;
    room_bytes = bytes;
    room_used = 0;
}

const trace_tensor *trace_tensors(void) { return tensors; }

size_t trace_used(void) { return room_used; }

/* CRC-32 of zlib, four bits at a time. */
static uint32_t crc32(uint32_t crc, const uint8_t *bytes, size_t count) {
    static const uint32_t table[16] = {0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
                                       0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
                                       0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};
    crc = ~crc;
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        crc = (crc >> 4) ^ table[crc & 15];
        crc = (crc >> 4) ^ table[crc & 15];
    }
    return ~crc;
}

void edge_asd_trace(int tensor, const void *values, size_t bytes) {
    if (tensor < 0 || tensor >= TRACE_TENSORS) {
        return;
    }
    trace_tensor *t = &tensors[tensor];
    t->crc = crc32(t->crc, (const uint8_t *)values, bytes);
    t->bytes += (uint32_t)bytes;
    if (room_used + 8 + bytes <= room_bytes) {
        const uint32_t head[2] = {(uint32_t)tensor, (uint32_t)bytes};
        memcpy(room + room_used, head, 8);
        memcpy(room + room_used + 8, values, bytes);
        room_used += 8 + bytes;
    }
}
