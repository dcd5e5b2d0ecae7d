/*
 * modbus_decode.c - numbers in registers: types, orders of bytes, values that say that there is none
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "net/modbus.h"

static const struct {
	const char *name;
	size_t n_registers;
} types[] = {
	[ES_MODBUS_UINT16] = { "uint16", 1 },	[ES_MODBUS_INT16] = { "int16", 1 },
	[ES_MODBUS_UINT32] = { "uint32", 2 },	[ES_MODBUS_INT32] = { "int32", 2 },
	[ES_MODBUS_UINT64] = { "uint64", 4 },	[ES_MODBUS_INT64] = { "int64", 4 },
	[ES_MODBUS_FLOAT32] = { "float32", 2 }, [ES_MODBUS_FLOAT64] = { "float64", 4 },
};

static const char *const orders[] = {
	[ES_MODBUS_ABCD] = "abcd",
	[ES_MODBUS_CDAB] = "cdab",
	[ES_MODBUS_BADC] = "badc",
	[ES_MODBUS_DCBA] = "dcba",
};

int es_modbus_type_parse(const char *name, enum es_modbus_type *ret)
{
	for (size_t i = 0; i < ES_ARRAY_SIZE(types); i++)
		if (strcmp(types[i].name, name) == 0) {
			*ret = (enum es_modbus_type)i;
			return 0;
		}
	return -EINVAL;
}

int es_modbus_order_parse(const char *name, enum es_modbus_order *ret)
{
	for (size_t i = 0; i < ES_ARRAY_SIZE(orders); i++)
		if (strcmp(orders[i], name) == 0) {
			*ret = (enum es_modbus_order)i;
			return 0;
		}
	return -EINVAL;
}

size_t es_modbus_type_registers(enum es_modbus_type type)
{
	return types[type].n_registers;
}

/* The bits of the number, most significant register and byte first. */
static uint64_t gather(const uint16_t *registers, size_t n, enum es_modbus_order order)
{
	bool turns_registers = order == ES_MODBUS_CDAB || order == ES_MODBUS_DCBA;
	bool turns_bytes = order == ES_MODBUS_BADC || order == ES_MODBUS_DCBA;
	uint64_t bits = 0;

	for (size_t i = 0; i < n; i++) {
		uint16_t one = registers[turns_registers ? n - 1 - i : i];

		if (turns_bytes)
			one = (uint16_t)(one << 8 | one >> 8);
		bits = bits << 16 | one;
	}
	return bits;
}

static int check_real(double value, double *ret)
{
	if (isnan(value))
		return -ENODATA;
	if (isinf(value))
		return -EBADMSG;
	*ret = value;
	return 0;
}

static int take_float(uint64_t bits, double *ret)
{
	uint32_t low = (uint32_t)bits;
	float value;

	memcpy(&value, &low, sizeof(value));
	return check_real((double)value, ret);
}

static int take_double(uint64_t bits, double *ret)
{
	double value;

	memcpy(&value, &bits, sizeof(value));
	return check_real(value, ret);
}

/* @none: the bits by which devices say that they have no value. */
static int take_whole(uint64_t bits, uint64_t none, double value, double *ret)
{
	if (bits == none)
		return -ENODATA;
	*ret = value;
	return 0;
}

int es_modbus_decode(const uint16_t *registers, enum es_modbus_type type,
		     enum es_modbus_order order, double *ret)
{
	uint64_t bits = gather(registers, types[type].n_registers, order);

	switch (type) {
	case ES_MODBUS_UINT16:
		return take_whole(bits, UINT16_MAX, (double)bits, ret);
	case ES_MODBUS_INT16:
		return take_whole(bits, 0x8000, (double)(int16_t)bits, ret);
	case ES_MODBUS_UINT32:
		return take_whole(bits, UINT32_MAX, (double)bits, ret);
	case ES_MODBUS_INT32:
		return take_whole(bits, 0x80000000U, (double)(int32_t)bits, ret);
	case ES_MODBUS_UINT64:
		return take_whole(bits, UINT64_MAX, (double)bits, ret);
	case ES_MODBUS_INT64:
		return take_whole(bits, 1ULL << 63, (double)(int64_t)bits, ret);
	case ES_MODBUS_FLOAT32:
		return take_float(bits, ret);
	case ES_MODBUS_FLOAT64:
		return take_double(bits, ret);
	}
	return -EINVAL;
}
