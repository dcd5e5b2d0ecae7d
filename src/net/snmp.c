/*
 * snmp.c - values of SNMP agents (power distribution units), by numbers, through net-snmp's library
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "net/snmp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "net/shared.h"
#include "net/snmp_private.h"

#define DEFAULT_PORT 161U
#define TIMEOUT_MIN_NS (100 * ES_NS_PER_MS)

/** struct answer - what the callback found for the request that is under way */
struct answer {
	bool is_done;
	int error;
	struct es_error why;
	const struct es_snmp_oid *oids; /* asked for */
	struct es_snmp_value *values;
	size_t n;
};

struct es_snmp {
	struct es_netsnmp lib;
	void *session; /* of the library */
	struct sockaddr_storage address;
	socklen_t n_address;
	int version;
	int64_t timeout_ns;
	bool has_answered;
	struct answer *answer; /* borrowed; NULL: no request is under way */
};

/* Names of ASN.1 types as MIBs have them (RFC 2578); Opaque ones are net-snmp's own. */
static const struct {
	unsigned char type;
	const char *name;
} type_names[] = {
	{ 0x02, "INTEGER" },	       { 0x04, "OCTET STRING" },   { 0x05, "NULL" },
	{ 0x06, "OBJECT IDENTIFIER" }, { 0x40, "IpAddress" },	   { 0x41, "Counter32" },
	{ 0x42, "Gauge32" },	       { 0x43, "TimeTicks" },	   { 0x44, "Opaque" },
	{ 0x46, "Counter64" },	       { 0x78, "Opaque float" },   { 0x79, "Opaque double" },
	{ 0x80, "noSuchObject" },      { 0x81, "noSuchInstance" }, { 0x82, "endOfMibView" },
};

/* Agents of IPv4 first, as net-snmp's own tools have it. */
static int resolve(const struct es_snmp_options *options, struct es_snmp *snmp,
		   struct es_error *err)
{
	static const int families[] = { AF_INET, AF_INET6 };
	char port[8];
	int r = EAI_NONAME;

	(void)snprintf(port, sizeof(port), "%u", options->port ? options->port : DEFAULT_PORT);
	for (size_t i = 0; i < ES_ARRAY_SIZE(families); i++) {
		const struct addrinfo hints = { .ai_family = families[i],
						.ai_socktype = SOCK_DGRAM,
						.ai_flags = AI_NUMERICSERV };
		struct addrinfo *found = NULL;

		r = getaddrinfo(options->host, port, &hints, &found);
		if (r == 0 && found->ai_addrlen <= sizeof(snmp->address)) {
			memcpy(&snmp->address, found->ai_addr, found->ai_addrlen);
			snmp->n_address = found->ai_addrlen;
			freeaddrinfo(found);
			return 0;
		}
		if (r == 0)
			freeaddrinfo(found);
	}
	return es_error_say(err, -EHOSTUNREACH, "host '%.200s' is not found: %s", options->host,
			    gai_strerror(r));
}

/* The address as the library takes it: no name is looked up again. */
static int name_peer(const struct es_snmp *snmp, char *ret, size_t size)
{
	char host[80], port[8];
	bool is_v6 = snmp->address.ss_family == AF_INET6;
	int r = getnameinfo((const struct sockaddr *)&snmp->address, snmp->n_address, host,
			    sizeof(host), port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);

	if (r != 0)
		return -EHOSTUNREACH;
	(void)snprintf(ret, size, is_v6 ? "udp6:[%s]:%s" : "udp:%s:%s", host, port);
	return 0;
}

static const char *type_name(unsigned char type)
{
	for (size_t i = 0; i < ES_ARRAY_SIZE(type_names); i++)
		if (type_names[i].type == type)
			return type_names[i].name;
	return "an unknown type";
}

/* What the variable holds; its room was checked by the library when it parsed the answer. */
static void take_value(const struct netsnmp_variable *variable, struct es_snmp_value *ret)
{
	struct es_snmp_value value = { .type_name = type_name(variable->type) };

	switch (variable->type) {
	case 0x02:
		value.type = ES_SNMP_INTEGER;
		value.integer = *variable->value.integer;
		break;
	case 0x41:
	case 0x42:
		value.type = ES_SNMP_UNSIGNED;
		value.natural = (uint64_t)*variable->value.integer & UINT32_MAX;
		break;
	case 0x46:
		value.type = ES_SNMP_UNSIGNED;
		value.natural = (uint64_t)(variable->value.counter64->high & UINT32_MAX) << 32 |
				(variable->value.counter64->low & UINT32_MAX);
		break;
	case 0x78:
		value.type = ES_SNMP_REAL;
		value.real = (double)*variable->value.real;
		break;
	case 0x79:
		value.type = ES_SNMP_REAL;
		value.real = *variable->value.long_real;
		break;
	case 0x04:
		value.type = ES_SNMP_TEXT;
		if (variable->n_value >= sizeof(value.text) ||
		    memchr(variable->value.string, '\0', variable->n_value))
			value.error = -EBADMSG;
		else
			memcpy(value.text, variable->value.string, variable->n_value);
		break;
	case 0x80:
	case 0x81:
	case 0x82:
		value.error = -ENOENT;
		break;
	default:
		value.error = -EBADMSG;
		break;
	}
	*ret = value;
}

static bool is_same(const struct netsnmp_variable *variable, const struct es_snmp_oid *oid)
{
	if (variable->n_name != oid->n)
		return false;
	for (size_t i = 0; i < oid->n; i++)
		if (variable->name[i] != oid->ids[i])
			return false;
	return true;
}

static void fail(struct answer *answer, int error, const char *why)
{
	answer->error = es_error_say(&answer->why, error, "%s", why);
}

/* The agent's own errors (RFC 3416). */
static void take_error(struct answer *answer, const struct netsnmp_pdu *pdu)
{
	char oid[128] = "";

	if (pdu->errindex >= 1 && (size_t)pdu->errindex <= answer->n)
		(void)es_snmp_oid_text(&answer->oids[pdu->errindex - 1], oid, sizeof(oid));
	if (pdu->errstat == NETSNMP_ERR_TOOBIG)
		fail(answer, -EMSGSIZE, "so many values do not fit into one answer of the agent");
	else if (pdu->errstat == NETSNMP_ERR_NOSUCHNAME)
		answer->error = es_error_say(&answer->why, -ENOENT, "it has no object %s", oid);
	else if (pdu->errstat == NETSNMP_ERR_AUTHORIZATION)
		answer->error =
			es_error_say(&answer->why, -EACCES, "it does not let us read %s", oid);
	else
		answer->error = es_error_say(&answer->why, -EPROTO,
					     "it answers with error %ld for %s", pdu->errstat, oid);
}

/* A report of version 3: why it did not look at the question. */
static void take_report(struct answer *answer, int type, const char *words)
{
	switch (type) {
	case NETSNMP_E_UNKNOWN_USER_NAME:
		fail(answer, -EACCES, "it does not know this user");
		break;
	case NETSNMP_E_AUTHENTICATION_FAILURE:
		fail(answer, -EACCES, "it does not take this password, or not with this auth=");
		break;
	case NETSNMP_E_DECRYPTION:
		fail(answer, -EACCES,
		     "it does not take this privacy secret, or not with this priv=");
		break;
	case NETSNMP_E_UNSUPPORTED_SEC_LEVEL:
		fail(answer, -EACCES, "this user may not ask with this level=");
		break;
	case NETSNMP_E_BAD_CONTEXT:
		fail(answer, -ENOENT, "it has no such context");
		break;
	default:
		fail(answer, -EPROTO, words);
		break;
	}
}

static void take_answer(struct answer *answer, const struct netsnmp_pdu *pdu)
{
	const struct netsnmp_variable *variable = pdu->variables;

	if (pdu->errstat != 0) {
		take_error(answer, pdu);
		return;
	}
	for (size_t i = 0; i < answer->n; i++, variable = variable->next) {
		if (!variable || !is_same(variable, &answer->oids[i])) {
			fail(answer, -EBADMSG, "it answers another question");
			return;
		}
		take_value(variable, &answer->values[i]);
	}
}

/* Called by the library within sess_send, sess_read and sess_timeout: with the lock, on our thread. 1: the request is done. */
static int on_answer(int operation, struct netsnmp_session *session, int reqid,
		     struct netsnmp_pdu *pdu, void *magic)
{
	struct es_snmp *snmp = magic;
	struct answer *answer = snmp->answer;

	(void)session;
	(void)reqid;
	if (operation == NETSNMP_OP_RESEND || !answer)
		return 1;
	answer->is_done = true;
	if (operation == NETSNMP_OP_TIMED_OUT) {
		fail(answer, -ETIMEDOUT, "no answer");
	} else if (operation != NETSNMP_OP_RECEIVED || !pdu) {
		fail(answer, -EPROTO, "the request could not be sent");
	} else if (pdu->command == NETSNMP_MSG_REPORT) {
		int type = snmp->lib.report_type(pdu);

		take_report(answer, type, snmp->lib.words(type));
	} else if (pdu->command == NETSNMP_MSG_RESPONSE) {
		take_answer(answer, pdu);
	} else {
		fail(answer, -EBADMSG, "it answers with what is no answer");
	}
	return 1;
}

static int open_session(struct es_snmp *snmp, const struct es_snmp_options *options,
			struct es_error *err)
{
	struct netsnmp_session session;
	char peer[128];
	int r = name_peer(snmp, peer, sizeof(peer));

	if (r < 0)
		return es_error_set(err, r, "host '%.200s'", options->host);
	es_shared_lock();
	snmp->lib.sess_init(&session);
	session.peername = peer;
	session.callback = on_answer;
	session.magic = snmp;
	/* Twice within three quarters of the time; in the rest it is found out who is there at all. */
	session.retries = 1;
	session.timeout_us = (long)(snmp->timeout_ns / ES_NS_PER_US * 3 / 8);
	r = es_snmp_fill_session(&snmp->lib, options, &session, err);
	if (r == 0) {
		snmp->session = snmp->lib.sess_open(&session);
		if (!snmp->session)
			r = es_error_say(err, -EIO, "no session with it: %s",
					 snmp->lib.words(session.error));
	}
	es_shared_unlock();
	explicit_bzero(&session, sizeof(session));
	return r;
}

int es_snmp_open(const struct es_snmp_options *options, struct es_snmp **ret, struct es_error *err)
{
	struct es_snmp *snmp = calloc(1, sizeof(*snmp));
	int r = snmp ? es_snmp_options_check(options, err) : es_error_set(err, -ENOMEM, "snmp");

	if (!snmp)
		return r;
	snmp->version = options->version;
	snmp->timeout_ns = options->timeout_ns > TIMEOUT_MIN_NS ? options->timeout_ns
								: TIMEOUT_MIN_NS;
	if (r == 0)
		r = es_netsnmp_open(&snmp->lib, err);
	if (r == 0)
		r = resolve(options, snmp, err);
	/*
	 * Before its first question of version 3 the library asks for the agent's engine, and waits for the answer with all
	 * its state in hand, so that other sessions would wait, too: it does so only where one was just there to answer.
	 */
	if (r == 0 && snmp->version == 3)
		r = es_snmp_probe(&snmp->address, snmp->n_address, snmp->timeout_ns / 4, err);
	if (r == 0)
		r = open_session(snmp, options, err);
	if (r < 0) {
		es_snmp_close(snmp);
		return r;
	}
	*ret = snmp;
	return 0;
}

void es_snmp_close(struct es_snmp *snmp)
{
	if (!snmp)
		return;
	if (snmp->session) {
		es_shared_lock();
		(void)snmp->lib.sess_close(snmp->session);
		es_shared_unlock();
	}
	free(snmp);
}

/* Hand the question to the library; what it says if it cannot send it is in the answer. */
static void send_question(struct es_snmp *snmp, struct answer *answer)
{
	struct netsnmp_pdu *pdu = snmp->lib.pdu_create(NETSNMP_MSG_GET);
	netsnmp_id ids[ES_SNMP_OID_MAX];
	int error;

	for (size_t i = 0; i < answer->n && pdu; i++) {
		for (size_t k = 0; k < answer->oids[i].n; k++)
			ids[k] = answer->oids[i].ids[k];
		if (!snmp->lib.add_null_var(pdu, ids, answer->oids[i].n)) {
			snmp->lib.pdu_free(pdu);
			pdu = NULL;
		}
	}
	if (!pdu) {
		answer->is_done = true;
		fail(answer, -ENOMEM, "no memory");
		return;
	}
	if (snmp->lib.sess_send(snmp->session, pdu) != 0)
		return;
	snmp->lib.pdu_free(pdu);
	answer->is_done = true;
	error = snmp->lib.sess_session(snmp->session)->error;
	if (error == NETSNMP_E_TIMEOUT)
		fail(answer, -ETIMEDOUT, "no answer");
	else
		take_report(answer, error, snmp->lib.words(error));
}

/* Wait for the socket without the lock, then let the library read, or see that time is over. */
static void take_turn(struct es_snmp *snmp)
{
	struct netsnmp_fd_set set;
	struct timeval left = { .tv_sec = 1 };
	struct pollfd poller = { .events = POLLIN };
	int n_fds = 0, must_block = 1, wait_ms;

	es_shared_lock();
	snmp->lib.fd_set_init(&set, FD_SETSIZE);
	(void)snmp->lib.sess_select_info(snmp->session, &n_fds, &set, &left, &must_block);
	es_shared_unlock();
	/* One session has one descriptor, the largest. */
	poller.fd = n_fds - 1;
	wait_ms = must_block ? 100 : (int)(left.tv_sec * 1000 + left.tv_usec / 1000 + 1);
	wait_ms = wait_ms < 0 || wait_ms > 1000 ? 1000 : wait_ms;
	(void)poll(&poller, 1, wait_ms);
	es_shared_lock();
	if (poller.revents)
		(void)snmp->lib.sess_read(snmp->session, &set);
	if (!snmp->answer->is_done)
		snmp->lib.sess_timeout(snmp->session);
	snmp->lib.fd_set_cleanup(&set);
	es_shared_unlock();
}

/* Whether an agent is there at all: one that does not know a community, or cannot decrypt a question, says nothing. */
static void explain_silence(struct es_snmp *snmp, struct answer *answer)
{
	int r = es_snmp_probe(&snmp->address, snmp->n_address, snmp->timeout_ns / 4, &answer->why);

	answer->error = r;
	if (r == 0 && snmp->version == 3)
		fail(answer, -EACCES,
		     "the agent is there, but does not answer this user: its privacy secret or priv= may be others");
	else if (r == 0)
		fail(answer, -EACCES, "the agent is there, but does not answer to this community");
}

int es_snmp_get(struct es_snmp *snmp, const struct es_snmp_oid *oids, size_t n,
		struct es_snmp_value *ret, struct es_error *err)
{
	struct answer answer = { .oids = oids, .values = ret, .n = n };
	int64_t end_ns = es_clock_mono_ns() + snmp->timeout_ns;

	if (n == 0 || n > ES_SNMP_VALUES_MAX)
		return es_error_say(err, -EINVAL, "at most %u values fit into a request",
				    ES_SNMP_VALUES_MAX);
	snmp->answer = &answer;
	es_shared_lock();
	send_question(snmp, &answer);
	es_shared_unlock();
	while (!answer.is_done && es_clock_mono_ns() < end_ns)
		take_turn(snmp);
	snmp->answer = NULL;
	if (!answer.is_done)
		fail(&answer, -ETIMEDOUT, "no answer");
	if (answer.error == -ETIMEDOUT && !snmp->has_answered)
		explain_silence(snmp, &answer);
	if (answer.error == 0)
		snmp->has_answered = true;
	else if (err)
		*err = answer.why;
	return answer.error;
}
