/*
 * snmp.h - values of SNMP agents (power distribution units), by numbers, through net-snmp's library
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_NET_SNMP_H
#define ES_NET_SNMP_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define ES_SNMP_OID_MAX 64U /* numbers in one object identifier; the protocol allows 128 */
#define ES_SNMP_VALUES_MAX \
	48U /* asked for in one request: it stays below what an agent must take (1,472 bytes) */
#define ES_SNMP_TEXT_BYTES 64U

/** struct es_snmp_oid - an object identifier: 1.3.6.1.4.1.318.1.1.26.9.4.3.1.7.7 */
struct es_snmp_oid {
	size_t n;
	uint32_t ids[ES_SNMP_OID_MAX];
};

/** es_snmp_oid_parse - numbers between dots, with or without a dot before them; 0, -EBADMSG (a name, too), -ERANGE or -E2BIG */
int es_snmp_oid_parse(const char *text, struct es_snmp_oid *ret);
/** es_snmp_oids_parse - several with '+' between them; how many, or an error as above */
int es_snmp_oids_parse(const char *text, struct es_snmp_oid *ret, size_t max);
/** es_snmp_oid_text - as text, at most @size bytes with the final NUL; returns @text */
char *es_snmp_oid_text(const struct es_snmp_oid *oid, char *text, size_t size);

enum es_snmp_type {
	ES_SNMP_INTEGER, /* signed */
	ES_SNMP_UNSIGNED, /* gauges, counters of 32 and 64 bits */
	ES_SNMP_REAL, /* a float inside Opaque, as net-snmp's agents send */
	ES_SNMP_TEXT, /* an octet string */
};

/** struct es_snmp_value - what the agent says of one object */
struct es_snmp_value {
	int error; /* 0; -ENOENT: no such object or instance; -EBADMSG: of a type that is no number and no text */
	enum es_snmp_type type;
	int64_t integer;
	uint64_t natural;
	double real;
	char text[ES_SNMP_TEXT_BYTES]; /* where it is text; longer ones are -EBADMSG */
	const char *type_name; /* as in the MIBs: Gauge32; of what is not there: noSuchInstance */
};

/**
 * es_snmp_number - a value as a number; text that is a decimal number is one
 *
 * Returns 0; the value's error; -EBADMSG: text that is no number.
 */
int es_snmp_number(const struct es_snmp_value *value, double *ret);

/** struct es_snmp_options - whom to ask, and as whom; strings are borrowed until es_snmp_open() returns */
struct es_snmp_options {
	const char *host; /* a name, IPv4 or IPv6 */
	uint16_t port; /* 0: 161 */
	int version; /* 1, 2 (2c) or 3 */
	const char *community; /* of 1 and 2c */
	const char *user; /* of 3, and what follows */
	const char *level; /* noAuthNoPriv, authNoPriv, authPriv */
	const char *auth; /* MD5, SHA, SHA-224, SHA-256, SHA-384, SHA-512 */
	const char *auth_secret; /* 8 bytes or more */
	const char *priv; /* DES, AES */
	const char *priv_secret;
	const char *context; /* "": none */
	int64_t timeout_ns; /* of a request, a second try included */
};

/** es_snmp_options_check - 0, or -EINVAL with what is wrong in @err; nothing is sent */
int es_snmp_options_check(const struct es_snmp_options *options, struct es_error *err);

/** struct es_snmp - a session with one agent; one thread */
struct es_snmp;

/**
 * es_snmp_open - open the library where that is not done, and a session; of version 3 the agent is asked for its engine
 *
 * The library reads no configuration file and no MIB, writes no state and prints nothing. It has one state for the whole
 * process: es_shared_lock() guards it, which is never held while an answer is waited for.
 * A user of one agent has the same secrets in all sessions: those of the first one.
 * Returns 0; -ENOENT: no library, with the package in @err; -ENOSYS: one that does not fit; -EHOSTUNREACH: no such host;
 * -ETIMEDOUT: no answer; -ECONNREFUSED: nobody listens; -EINVAL.
 */
int es_snmp_open(const struct es_snmp_options *options, struct es_snmp **ret, struct es_error *err);
void es_snmp_close(struct es_snmp *snmp);

/**
 * es_snmp_get - the values of all objects from one request
 * @n: 1 to ES_SNMP_VALUES_MAX
 *
 * Returns 0, each value with its own error; -ETIMEDOUT; -ECONNREFUSED; -EACCES: the agent is there and does not know this
 * community or user, or these secrets; -EMSGSIZE: too many for one answer; -EPROTO: another error of the agent; -EBADMSG: an
 * answer to another question.
 */
int es_snmp_get(struct es_snmp *snmp, const struct es_snmp_oid *oids, size_t n,
		struct es_snmp_value *ret, struct es_error *err);

#endif
