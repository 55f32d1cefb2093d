/* SPDX-License-Identifier: MIT */
#pragma once
#include <stdio.h>

#define printk printf
