/*
 * modbus.c - registers of Modbus/TCP devices (meters of racks, rooms and feeds), through libmodbus
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "net/modbus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/dl.h"
#include "net/tcp.h"

#define LIBRARY "libmodbus.so.5"
#define PACKAGE "libmodbus5"
#define DEFAULT_PORT 502

/* modbus.h of libmodbus 3.1: its error numbers are those of the protocol's exceptions from here on. */
#define MODBUS_ENOBASE 112345678

typedef struct modbus_context modbus_t;

struct library {
	struct es_dl dl;
	modbus_t *(*new_tcp)(const char *, const char *);
	int (*set_socket)(modbus_t *, int);
	int (*set_slave)(modbus_t *, int);
	int (*set_response_timeout)(modbus_t *, uint32_t, uint32_t);
	int (*set_byte_timeout)(modbus_t *, uint32_t, uint32_t);
	int (*read_registers)(modbus_t *, int, int, uint16_t *);
	int (*read_input_registers)(modbus_t *, int, int, uint16_t *);
	void (*close)(modbus_t *);
	void (*free)(modbus_t *);
};

struct es_modbus {
	struct library lib;
	modbus_t *context; /* with the connection in it, once there is one */
};

/* Exceptions of the protocol (Modbus Application Protocol 1.1b3, 7), from 1 on. */
static const struct {
	int error;
	const char *words;
} exceptions[] = {
	{ EIO, "an exception that is none" },
	{ EOPNOTSUPP, "illegal function: try function=4 or function=3" },
	{ ENXIO, "illegal address: it has no such register" },
	{ EINVAL, "illegal value: it does not give so many registers at a time" },
	{ EIO, "the device failed" },
	{ EBUSY, "it is at work on the request" },
	{ EBUSY, "the device is busy" },
	{ EIO, "it refuses the request" },
	{ EIO, "its memory has an error" },
	{ EIO, "an exception that is none" },
	{ EHOSTDOWN, "the gateway has no way to this unit" },
	{ EHOSTDOWN, "no device with this unit number answers the gateway" },
};

static int open_library(struct library *ret, struct es_error *err)
{
	struct library lib = { .dl = { .handle = NULL } };
	const struct es_dl_symbol symbols[] = {
		{ "modbus_new_tcp_pi", &lib.new_tcp, true },
		{ "modbus_set_socket", &lib.set_socket, true },
		{ "modbus_set_slave", &lib.set_slave, true },
		{ "modbus_set_response_timeout", &lib.set_response_timeout, true },
		{ "modbus_set_byte_timeout", &lib.set_byte_timeout, true },
		{ "modbus_read_registers", &lib.read_registers, true },
		{ "modbus_read_input_registers", &lib.read_input_registers, true },
		{ "modbus_close", &lib.close, true },
		{ "modbus_free", &lib.free, true },
	};
	struct es_error why = { .code = 0 };
	int r = es_dl_open(&lib.dl, LIBRARY, symbols, ES_ARRAY_SIZE(symbols), &why);

	if (r == -ENOENT)
		return es_error_say(err, r,
				    "Modbus needs " LIBRARY ", which is not installed: "
				    "sudo apt-get install " PACKAGE);
	if (r < 0)
		return es_error_say(err, r, "%s", why.text);
	*ret = lib;
	return 0;
}

/* The library has the protocol; the connection is made by us, for it tells no reason when it cannot. */
static int connect_to(struct es_modbus *modbus, const struct es_modbus_options *options,
		      struct es_error *err)
{
	uint32_t s = (uint32_t)(options->timeout_ns / ES_NS_PER_S);
	uint32_t us = (uint32_t)(options->timeout_ns % ES_NS_PER_S / ES_NS_PER_US);
	uint16_t port = options->port ? options->port : DEFAULT_PORT;
	es_cleanup(es_closep) int fd = -1;
	char service[8];
	int r;

	(void)snprintf(service, sizeof(service), "%u", port);
	modbus->context = modbus->lib.new_tcp(options->host, service);
	if (!modbus->context)
		return es_error_set(err, -ENOMEM, "Modbus");
	/* Without a time between bytes that of the answer holds for all of it. */
	if (modbus->lib.set_slave(modbus->context, (int)options->unit) < 0 ||
	    modbus->lib.set_response_timeout(modbus->context, s, us) < 0 ||
	    modbus->lib.set_byte_timeout(modbus->context, 0, 0) < 0)
		return es_error_say(err, -EINVAL, "unit %u is none of this protocol",
				    options->unit);
	r = es_tcp_connect(options->host, port, options->timeout_ns, &fd, err);
	if (r < 0)
		return r;
	/* It waits by select(2), which writes beyond its set for larger numbers. */
	if (fd >= FD_SETSIZE)
		return es_error_say(err, -EMFILE, "more than %d files are open", FD_SETSIZE - 1);
	(void)modbus->lib.set_socket(modbus->context, es_steal_fd(&fd));
	return 0;
}

int es_modbus_open(const struct es_modbus_options *options, struct es_modbus **ret,
		   struct es_error *err)
{
	struct es_modbus *modbus = calloc(1, sizeof(*modbus));
	int r;

	if (!modbus)
		return es_error_set(err, -ENOMEM, "Modbus");
	r = open_library(&modbus->lib, err);
	if (r == 0)
		r = connect_to(modbus, options, err);
	if (r < 0) {
		es_modbus_close(modbus);
		return r;
	}
	*ret = modbus;
	return 0;
}

void es_modbus_close(struct es_modbus *modbus)
{
	if (!modbus)
		return;
	if (modbus->context) {
		modbus->lib.close(modbus->context);
		modbus->lib.free(modbus->context);
	}
	es_dl_close(&modbus->lib.dl);
	free(modbus);
}

/* What the library left in errno. */
static int explain(int number, struct es_error *err)
{
	int exception = number - MODBUS_ENOBASE;

	if (exception > 0 && exception < (int)ES_ARRAY_SIZE(exceptions))
		return es_error_say(err, -exceptions[exception].error, "it says: %s",
				    exceptions[exception].words);
	if (number >= MODBUS_ENOBASE)
		return es_error_say(err, -EBADMSG, "what it sends is no answer to the request");
	if (number == ETIMEDOUT)
		return es_error_say(err, -ETIMEDOUT, "no answer in time");
	if (number == ECONNRESET || number == EPIPE || number == EBADF || number == 0)
		return es_error_say(err, -ECONNRESET, "it closed the connection");
	return es_error_set(err, -number, "the connection failed");
}

int es_modbus_read(struct es_modbus *modbus, int function, uint16_t address, size_t n,
		   uint16_t *ret, struct es_error *err)
{
	int got;

	if (n == 0 || n > ES_MODBUS_REGISTERS_MAX || (function != 3 && function != 4))
		return es_error_say(err, -EINVAL,
				    "no request of this protocol: function %d, %zu registers",
				    function, n);
	errno = 0;
	got = function == 4
		      ? modbus->lib.read_input_registers(modbus->context, address, (int)n, ret)
		      : modbus->lib.read_registers(modbus->context, address, (int)n, ret);
	if (got < 0)
		return explain(errno, err);
	return (size_t)got == n ? 0 : explain(MODBUS_ENOBASE + 99, err);
}

bool es_modbus_is_lost(int error)
{
	switch (error) {
	case 0:
	case -ENXIO:
	case -EOPNOTSUPP:
	case -EINVAL:
	case -EBUSY:
	case -EIO:
	case -EHOSTDOWN:
		return false;
	default:
		return true;
	}
}
