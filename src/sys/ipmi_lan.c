/*
 * sys/ipmi_lan.c - commands to a BMC across a network, by FreeIPMI
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
#include "sys/ipmi.h"

#define LIBRARY "libfreeipmi.so.17"
#define HOST_BYTES 320U
#define ANSWER_MAX_BYTES (1 + ES_IPMI_DATA_MAX_BYTES) /* FreeIPMI puts the command before it */

/*
 * What we use of FreeIPMI's ipmi-api.h (1.5 and 1.6, library version 17), with names of our own. The workaround asks for
 * the privilege by its name in place of "the highest", as ipmitool does: some BMCs know only that.
 */
#define WORKAROUND_OPEN_SESSION_PRIVILEGE 0x10U

enum {
	ERR_PERMISSION = 3,
	ERR_USERNAME_INVALID = 4,
	ERR_PASSWORD_INVALID = 5,
	ERR_PRIVILEGE_INSUFFICIENT = 7,
	ERR_PRIVILEGE_CANNOT_BE_OBTAINED = 8,
	ERR_AUTHENTICATION_TYPE_UNAVAILABLE = 9,
	ERR_CIPHER_UNAVAILABLE = 10,
	ERR_PASSWORD_TIMEOUT = 11,
	ERR_IPMI_2_0_UNAVAILABLE = 12,
	ERR_CONNECTION_TIMEOUT = 13,
	ERR_SESSION_TIMEOUT = 14,
	ERR_DEVICE_NOT_OPEN = 16,
	ERR_MESSAGE_TIMEOUT = 21,
	ERR_COMMAND_UNSUPPORTED = 23,
	ERR_BAD_STATUS = 25,
	ERR_BMC_BUSY = 27,
	ERR_OUT_OF_MEMORY = 28,
	ERR_HOSTNAME_INVALID = 29,
	ERR_IPMI = 32,
	ERR_SYSTEM = 33,
};

static const struct {
	int code, error;
	const char *words;
} errors[] = {
	{ ERR_PERMISSION, EACCES, "the BMC permits this to nobody" },
	{ ERR_USERNAME_INVALID, EACCES, "the BMC knows no such user" },
	{ ERR_PASSWORD_INVALID, EACCES, "the password is wrong" },
	{ ERR_PRIVILEGE_INSUFFICIENT, EACCES, "the user's privilege level does not suffice" },
	{ ERR_PRIVILEGE_CANNOT_BE_OBTAINED, EACCES, "the user has not this privilege level" },
	{ ERR_AUTHENTICATION_TYPE_UNAVAILABLE, EPROTONOSUPPORT, "no common way to authenticate" },
	{ ERR_CIPHER_UNAVAILABLE, EPROTONOSUPPORT, "the BMC has no such cipher suite" },
	{ ERR_PASSWORD_TIMEOUT, EACCES,
	  "the BMC does not answer to the password: it is wrong, or packets are lost" },
	{ ERR_IPMI_2_0_UNAVAILABLE, EPROTONOSUPPORT, "the BMC has no IPMI 2.0" },
	{ ERR_CONNECTION_TIMEOUT, ETIMEDOUT, "the BMC does not answer" },
	{ ERR_SESSION_TIMEOUT, ETIMEDOUT, "the BMC does not answer within the session" },
	{ ERR_DEVICE_NOT_OPEN, ENOTCONN, "the session is lost" },
	{ ERR_MESSAGE_TIMEOUT, ETIMEDOUT, "the BMC does not answer" },
	{ ERR_COMMAND_UNSUPPORTED, EOPNOTSUPP, "the BMC has no such command" },
	{ ERR_BAD_STATUS, EPROTONOSUPPORT, "the BMC refuses the session" },
	{ ERR_BMC_BUSY, EBUSY, "the BMC is busy" },
	{ ERR_OUT_OF_MEMORY, ENOMEM, "not enough memory" },
	{ ERR_HOSTNAME_INVALID, EHOSTUNREACH, "no such host" },
	{ ERR_IPMI, EPROTONOSUPPORT, "the BMC refuses the session" },
	{ ERR_SYSTEM, EHOSTUNREACH, "the network does not reach the BMC" },
};

struct session {
	struct es_ipmi ipmi;
	const struct es_ipmi_library *library;
	void *context;
	char host[HOST_BYTES];
};

int es_ipmi_library_open(struct es_ipmi_library *ret, struct es_error *err)
{
	struct es_ipmi_library library = { .dl = { .handle = NULL } };
	int (*init)(void) = NULL;
	const struct es_dl_symbol symbols[] = {
		{ "ipmi_rmcpplus_init", &init, true },
		{ "ipmi_ctx_create", &library.create, true },
		{ "ipmi_ctx_destroy", &library.destroy, true },
		{ "ipmi_ctx_open_outofband_2_0", &library.open, true },
		{ "ipmi_ctx_close", &library.close, true },
		{ "ipmi_cmd_raw", &library.raw, true },
		{ "ipmi_ctx_errnum", &library.error, true },
	};
	int r = es_dl_open(&library.dl, LIBRARY, symbols, ES_ARRAY_SIZE(symbols), err);

	if (r < 0)
		return r;
	/* Its cryptography must be started before there are threads that use it. */
	if (init() < 0) {
		es_dl_close(&library.dl);
		return es_error_say(err, -ENOSYS, LIBRARY " cannot start its cryptography");
	}
	*ret = library;
	return 0;
}

void es_ipmi_library_close(struct es_ipmi_library *library)
{
	/* It stays in memory: what it began (libgcrypt's state, of which other libraries make use too) is for the process. */
	library->dl.handle = NULL;
}

/* What FreeIPMI says of @session, in our words. */
static int explain(const struct session *session, struct es_error *err)
{
	int code = session->library->error(session->context);

	for (size_t i = 0; i < ES_ARRAY_SIZE(errors); i++)
		if (errors[i].code == code)
			return es_error_say(err, -errors[i].error, "%s", errors[i].words);
	return es_error_say(err, -EIO, "FreeIPMI's error %d", code);
}

static ssize_t lan_ask(struct es_ipmi *ipmi, const struct es_ipmi_request *request, uint8_t *ret,
		       size_t size, struct es_error *err)
{
	struct session *session = (struct session *)ipmi;
	uint8_t data[1 + ES_IPMI_DATA_MAX_BYTES], answer[ANSWER_MAX_BYTES];
	int n;

	if (request->n >= sizeof(data))
		return es_error_set(err, -EMSGSIZE, "IPMI request");
	data[0] = request->command;
	if (request->n > 0)
		memcpy(data + 1, request->data, request->n);
	n = session->library->raw(session->context, request->lun, request->netfn, data,
				  (unsigned)request->n + 1, answer, sizeof(answer));
	if (n < 0)
		return explain(session, err);
	if (n < 1 || (size_t)n > sizeof(answer) || answer[0] != request->command ||
	    (size_t)n - 1 > size)
		return es_error_say(err, -EBADMSG, "the BMC's answer is malformed");
	memcpy(ret, answer + 1, (size_t)n - 1);
	return n - 1;
}

static void lan_close(struct es_ipmi *ipmi)
{
	struct session *session = (struct session *)ipmi;

	if (session->context) {
		(void)session->library->close(session->context);
		session->library->destroy(session->context);
	}
	free(session);
}

static const struct es_ipmi_ops lan_ops = {
	.ask = lan_ask,
	.close = lan_close,
};

/* As FreeIPMI wants it: HOST, HOST:PORT, [ADDRESS]:PORT. */
static int put_host(const struct es_ipmi_lan *lan, char ret[static HOST_BYTES])
{
	bool is_v6 = strchr(lan->host, ':') && lan->host[0] != '[';
	int n;

	if (lan->port == 0)
		n = snprintf(ret, HOST_BYTES, "%s", lan->host);
	else
		n = snprintf(ret, HOST_BYTES, is_v6 ? "[%s]:%u" : "%s:%u", lan->host, lan->port);
	return n > 0 && (size_t)n < HOST_BYTES ? 0 : -ENAMETOOLONG;
}

static int begin(struct session *session, const struct es_ipmi_lan *lan, uint8_t cipher,
		 struct es_error *err)
{
	unsigned timeout_ms = (unsigned)(lan->timeout_ns / ES_NS_PER_MS);
	/* FreeIPMI counts from the last packet that it received, also while nothing was asked. */
	unsigned session_ms = timeout_ms + (unsigned)(lan->idle_ns / ES_NS_PER_MS);
	/* UDP loses packets; a BMC that is only slow must not be given more to do. */
	unsigned again_ms = timeout_ms / 3 * 2;

	if (session->context)
		session->library->destroy(session->context);
	session->context = session->library->create();
	if (!session->context)
		return es_error_set(err, -ENOMEM, "FreeIPMI");
	if (session->library->open(session->context, session->host, lan->user, lan->password, NULL,
				   0, (uint8_t)lan->privilege, cipher, session_ms, again_ms,
				   WORKAROUND_OPEN_SESSION_PRIVILEGE, 0) == 0)
		return 0;
	return explain(session, err);
}

int es_ipmi_open_lan(const struct es_ipmi_library *library, const struct es_ipmi_lan *lan,
		     struct es_ipmi **ret, struct es_error *err)
{
	struct session *session = calloc(1, sizeof(*session));
	int r;

	if (!session)
		return es_error_set(err, -ENOMEM, "IPMI");
	session->ipmi.ops = &lan_ops;
	session->library = library;
	r = put_host(lan, session->host);
	if (r < 0) {
		free(session);
		return es_error_set(err, r, "BMC '%.100s'", lan->host);
	}
	/* Suite 17 (SHA-256) is the only one that newer BMCs offer, suite 3 (SHA-1) the one that all others must have. */
	r = begin(session, lan, lan->cipher > 0 ? lan->cipher : 17, err);
	if (r == -EPROTONOSUPPORT && lan->cipher == 0)
		r = begin(session, lan, 3, err);
	if (r < 0) {
		if (session->context)
			library->destroy(session->context);
		free(session);
		return r;
	}
	*ret = &session->ipmi;
	return 0;
}
