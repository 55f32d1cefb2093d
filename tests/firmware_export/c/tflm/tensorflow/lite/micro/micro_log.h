/* SPDX-License-Identifier: MIT */
#pragma once
void MicroPrintf(const char *format, ...);
