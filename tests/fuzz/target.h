/*
 * target.h - what each fuzz target has
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_FUZZ_TARGET_H
#define ES_TESTS_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/** LLVMFuzzerTestOneInput - libFuzzer's name for it: give @n bytes to the parser; always 0 */
__attribute__((visibility("default"))) int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/** fuzz_require - what must hold for any input */
static inline void fuzz_require(int is_true)
{
	if (!is_true)
		abort();
}

#endif
