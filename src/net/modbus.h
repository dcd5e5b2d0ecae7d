/*
 * modbus.h - registers of Modbus/TCP devices (meters of racks, rooms and feeds), through libmodbus
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_NET_MODBUS_H
#define ES_NET_MODBUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define ES_MODBUS_REGISTERS_MAX 125U /* of one request, by the protocol */

enum es_modbus_type {
	ES_MODBUS_UINT16,
	ES_MODBUS_INT16,
	ES_MODBUS_UINT32,
	ES_MODBUS_INT32,
	ES_MODBUS_UINT64,
	ES_MODBUS_INT64,
	ES_MODBUS_FLOAT32,
	ES_MODBUS_FLOAT64,
};

/** enum es_modbus_order - bytes of a number of 32 bits as they come, the most significant one a; those of 64 bits alike */
enum es_modbus_order {
	ES_MODBUS_ABCD, /* as the protocol has it: big end first */
	ES_MODBUS_CDAB, /* registers the other way round */
	ES_MODBUS_BADC, /* bytes within each register the other way round */
	ES_MODBUS_DCBA, /* both: little end first */
};

/** es_modbus_type_parse, es_modbus_order_parse - by name: float32, cdab; 0 or -EINVAL */
int es_modbus_type_parse(const char *name, enum es_modbus_type *ret);
int es_modbus_order_parse(const char *name, enum es_modbus_order *ret);
/** es_modbus_type_registers - how many registers a value takes: 1, 2 or 4 */
size_t es_modbus_type_registers(enum es_modbus_type type);

/**
 * es_modbus_decode - the number in @registers
 *
 * Returns 0; -ENODATA: the value by which devices say that they have none (NaN; the smallest signed number; the largest
 * unsigned one); -EBADMSG: infinite.
 */
int es_modbus_decode(const uint16_t *registers, enum es_modbus_type type,
		     enum es_modbus_order order, double *ret);

/** struct es_modbus_options - which device; strings are borrowed until es_modbus_open() returns */
struct es_modbus_options {
	const char *host;
	uint16_t port; /* 0: 502 */
	unsigned unit; /* 0 to 255: the device behind a gateway; 1 or 255 for one that has its own address */
	int64_t timeout_ns; /* of connecting, and of an answer */
};

/** struct es_modbus - a connection; one thread */
struct es_modbus;

/**
 * es_modbus_open - connect
 *
 * Returns 0; -ENOENT: no library, with the package in @err; -EHOSTUNREACH, -ECONNREFUSED, -ETIMEDOUT; -EMFILE: too many
 * files are open for the library.
 */
int es_modbus_open(const struct es_modbus_options *options, struct es_modbus **ret,
		   struct es_error *err);
void es_modbus_close(struct es_modbus *modbus);

/**
 * es_modbus_read - registers that follow each other, in one request
 * @function: 3 (holding registers) or 4 (input registers)
 * @address: as it goes over the wire: 0 for what some manuals call 40001 or 30001
 *
 * Returns 0. What the device refuses, the connection still good: -ENXIO (illegal address), -EOPNOTSUPP (illegal function),
 * -EINVAL (illegal value), -EBUSY, -EIO (it failed), -EHOSTDOWN (the gateway reaches no device of this unit). The
 * connection is of no use any more: -ETIMEDOUT, -ECONNRESET, -EBADMSG (what came is no answer).
 */
int es_modbus_read(struct es_modbus *modbus, int function, uint16_t address, size_t n,
		   uint16_t *ret, struct es_error *err);
/** es_modbus_is_lost - after this error of es_modbus_read() only a new connection helps */
bool es_modbus_is_lost(int error);

#endif
