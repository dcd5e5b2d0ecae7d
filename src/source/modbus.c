/*
 * source/modbus.c - registers of meters that speak Modbus/TCP: feeds, racks, rooms
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "net/modbus.h"
#include "source/modbus.h"
#include "source/remote.h"

#define UNIT_MAX 255U
#define PERIOD_MIN_NS (100 * ES_NS_PER_MS)
#define MW_PER_W 1e3

struct modbus_meter {
	struct es_meter_url url;
	unsigned unit;
	int function;
	enum es_modbus_type type;
	enum es_modbus_order order;
	uint16_t registers[ES_MODBUS_VALUES_MAX]; /* where the values begin, in rising order */
	size_t n;
	struct es_modbus *session;
};

static const char *const params[] = { "register", "type", "order", "function", NULL };

static int refuse(const struct es_meter_url *url, struct es_error *err, const char *why)
{
	return es_error_say(err, -EINVAL, "meter '%.200s': %s", url->text, why);
}

static int by_number(const void *a, const void *b)
{
	uint16_t x = *(const uint16_t *)a, y = *(const uint16_t *)b;

	return x < y ? -1 : x > y;
}

int es_modbus_registers_parse(const char *text, size_t width, uint16_t *ret, size_t max)
{
	size_t n_values = 0;

	while (true) {
		size_t n = strcspn(text, "+");
		char digits[8];
		uint64_t number;

		if (n_values == max)
			return -E2BIG;
		if (n == 0 || n >= sizeof(digits))
			return -EBADMSG;
		memcpy(digits, text, n);
		digits[n] = '\0';
		if (es_parse_u64(digits, &number) < 0)
			return -EBADMSG;
		if (number + width > 65536)
			return -ERANGE;
		ret[n_values++] = (uint16_t)number;
		if (!text[n])
			break;
		text += n + 1;
	}
	qsort(ret, n_values, sizeof(*ret), by_number);
	for (size_t i = 1; i < n_values; i++)
		if ((size_t)(ret[i] - ret[i - 1]) < width)
			return -EINVAL;
	return (int)n_values;
}

size_t es_modbus_block(const uint16_t *registers, size_t n, size_t width)
{
	size_t i = 1;

	while (i < n && (size_t)(registers[i] - registers[i - 1]) == width &&
	       (i + 1) * width <= ES_MODBUS_REGISTERS_MAX)
		i++;
	return i;
}

static int take_registers(struct modbus_meter *meter, struct es_error *err)
{
	const char *text = es_meter_url_param(&meter->url, "register");
	int r = text ? es_modbus_registers_parse(text, es_modbus_type_registers(meter->type),
						 meter->registers, ES_MODBUS_VALUES_MAX)
		     : -EBADMSG;

	if (r == -ERANGE)
		return refuse(&meter->url, err, "register= ends beyond 65535");
	if (r == -E2BIG)
		return refuse(&meter->url, err, "register= names more than 32 values");
	if (r == -EINVAL)
		return refuse(&meter->url, err, "register= names values that overlap");
	if (r < 0)
		return refuse(&meter->url, err,
			      "register= is a number of 0 to 65535, several with '+' between them");
	meter->n = (size_t)r;
	return 0;
}

static int take_url(struct modbus_meter *meter, struct es_error *err)
{
	const struct es_meter_url *url = &meter->url;
	const char *type = es_meter_url_param(url, "type");
	const char *order = es_meter_url_param(url, "order");
	const char *function = es_meter_url_param(url, "function");
	uint64_t unit = 1;
	int r = es_meter_url_check(url, params, err);

	if (r < 0)
		return r;
	if (!url->host[0])
		return refuse(url, err, "no host");
	if (url->path[0] && url->path[1] &&
	    (es_parse_u64(url->path + 1, &unit) < 0 || unit > UNIT_MAX))
		return refuse(url, err, "after the host comes the unit, a number of 0 to 255");
	if (!type || es_modbus_type_parse(type, &meter->type) < 0)
		return refuse(url, err,
			      "type= is one of uint16, int16, uint32, int32, uint64, int64, "
			      "float32, float64");
	if (order && es_modbus_order_parse(order, &meter->order) < 0)
		return refuse(url, err, "order= is one of abcd, cdab, badc, dcba");
	if (function && strcmp(function, "3") != 0 && strcmp(function, "4") != 0)
		return refuse(url, err,
			      "function= is 3 (holding registers) or 4 (input registers)");
	if (es_meter_url_param(url, "credentials"))
		return refuse(url, err, "Modbus knows no users: leave out credentials=");
	meter->function = function ? function[0] - '0' : 3;
	meter->unit = (unsigned)unit;
	return take_registers(meter, err);
}

static int say_value(uint16_t at, int error, struct es_error *err)
{
	return es_error_say(err, error, "register %u: %s", at,
			    error == -ENODATA ? "the device says that it has no value"
					      : "the value is below zero or beyond any meter; see "
						"type= and order=");
}

/* The values of one block of registers that follow each other. */
static int add_block(struct modbus_meter *meter, size_t first, size_t n, uint64_t *sum,
		     struct es_error *err)
{
	size_t width = es_modbus_type_registers(meter->type);
	uint16_t registers[ES_MODBUS_REGISTERS_MAX];
	int r = es_modbus_read(meter->session, meter->function, meter->registers[first], n * width,
			       registers, err);

	for (size_t i = 0; i < n && r == 0; i++) {
		uint64_t one = 0;
		double number;

		r = es_modbus_decode(registers + i * width, meter->type, meter->order, &number);
		/* Infinite: beyond any meter, too. The answer is well formed, and the connection good. */
		r = r == -EBADMSG ? -ERANGE : r;
		if (r == 0)
			r = es_meter_value(&meter->url, number, MW_PER_W, &one);
		if (r == 0 && __builtin_add_overflow(*sum, one, sum))
			r = -ERANGE;
		if (r < 0)
			return say_value(meter->registers[first + i], r, err);
	}
	return r;
}

/*
 * The sum of all values: without one of them there is no sum. A counter that wraps is known by its remainder; so is the
 * sum of some that wrap alike.
 */
static int take(struct modbus_meter *meter, uint64_t *ret, struct es_error *err)
{
	size_t width = es_modbus_type_registers(meter->type);
	uint64_t sum = 0;

	for (size_t i = 0; i < meter->n;) {
		size_t n = es_modbus_block(meter->registers + i, meter->n - i, width);
		int r = add_block(meter, i, n, &sum, err);

		if (r < 0)
			return r;
		i += n;
	}
	if (meter->url.range_uj && meter->n > 1)
		sum %= meter->url.range_uj + (uint64_t)meter->url.unit;
	*ret = sum;
	return 0;
}

static int modbus_connect(void *arg, struct es_remote *remote, struct es_error *err)
{
	struct modbus_meter *meter = arg;
	const struct es_modbus_options options = {
		.host = meter->url.host,
		.port = meter->url.port,
		.unit = meter->unit,
		.timeout_ns = meter->url.timeout_ns,
	};
	uint64_t value;
	int r = es_modbus_open(&options, &meter->session, err);

	if (r == -ENOENT)
		es_remote_say_fix(remote, "sudo apt-get install libmodbus5");
	/* A register that is not there is told now, with its reason. */
	return r < 0 ? r : take(meter, &value, err);
}

static int modbus_read(void *arg, struct es_remote *remote, struct es_reading *ret, size_t n)
{
	struct modbus_meter *meter = arg;
	struct es_error why = { .code = 0 };
	int r = take(meter, &ret[0].value, &why);

	(void)remote;
	for (size_t i = 1; i < n; i++)
		ret[i].error = -ENODATA;
	if (r < 0 && r != -ENODATA && r != -ERANGE && es_modbus_is_lost(r))
		return r;
	ret[0].error = r;
	return 0;
}

static void modbus_disconnect(void *arg)
{
	struct modbus_meter *meter = arg;

	es_modbus_close(meter->session);
	meter->session = NULL;
}

static const struct es_remote_ops remote_ops = {
	.thread = "es-modbus",
	.period_ns = ES_NS_PER_S,
	.period_min_ns = PERIOD_MIN_NS,
	.connect = modbus_connect,
	.read = modbus_read,
	.disconnect = modbus_disconnect,
	.destroy = free,
};

static int modbus_open_at(const struct es_root *root, const struct es_meter_url *url,
			  struct es_source **ret, struct es_error *err)
{
	struct modbus_meter *meter = calloc(1, sizeof(*meter));
	int r;

	if (!meter)
		return es_error_set(err, -ENOMEM, "modbus");
	meter->url = *url;
	r = take_url(meter, err);
	if (r < 0) {
		free(meter);
		return r;
	}
	return es_remote_open(root, url, &es_source_modbus, &remote_ops, meter, ret, err);
}

const struct es_source_ops es_source_modbus = {
	.name = "modbus",
	.schemes = "modbus",
	.open_at = modbus_open_at,
	.settle = es_remote_settle,
	.end = es_remote_end,
	.plan = es_remote_plan,
	.ask = es_remote_ask,
	.wait = es_remote_wait,
	.read = es_remote_read,
	.close = es_remote_close,
};
