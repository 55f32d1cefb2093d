/* SPDX-License-Identifier: MIT */
/* Needs nothing of the kernels, which are compiled beside it. */
int main(void) { return 0; }
