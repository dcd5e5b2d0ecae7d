/*
 * fuzz_modbus.c - any bytes as registers, and as a list of them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <math.h>
#include <string.h>

#include "fuzz/target.h"
#include "net/modbus.h"
#include "source/modbus.h"

static void try_registers(const uint8_t *data, size_t n)
{
	uint16_t registers[4] = { 0 };

	memcpy(registers, data, n < sizeof(registers) ? n : sizeof(registers));
	for (int type = ES_MODBUS_UINT16; type <= ES_MODBUS_FLOAT64; type++)
		for (int order = ES_MODBUS_ABCD; order <= ES_MODBUS_DCBA; order++) {
			double value = 0;
			int r = es_modbus_decode(registers, (enum es_modbus_type)type,
						 (enum es_modbus_order)order, &value);

			fuzz_require(r <= 0 && isfinite(value));
		}
}

static void try_list(const uint8_t *data, size_t n)
{
	uint16_t at[ES_MODBUS_VALUES_MAX];
	char text[256];

	if (n >= sizeof(text) || memchr(data, 0, n))
		return;
	memcpy(text, data, n);
	text[n] = '\0';
	for (size_t width = 1; width <= 4; width *= 2) {
		int n_values = es_modbus_registers_parse(text, width, at, ES_MODBUS_VALUES_MAX);
		size_t done = 0;

		for (size_t i = 0; n_values > 0 && i < (size_t)n_values; done++) {
			size_t block = es_modbus_block(at + i, (size_t)n_values - i, width);

			fuzz_require(block > 0 && block <= (size_t)n_values - i);
			fuzz_require(block * width <= ES_MODBUS_REGISTERS_MAX);
			fuzz_require((size_t)(at[i + block - 1] - at[i]) == (block - 1) * width);
			i += block;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	try_registers(data, n);
	try_list(data, n);
	return 0;
}
