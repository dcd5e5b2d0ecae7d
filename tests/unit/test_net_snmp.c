/*
 * test_net_snmp.c - object identifiers, numbers and answers of SNMP agents
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "net/snmp.h"

/* What an agent of ours makes of the request that it sends back. */
enum trick {
	SILENT,
	RUBBISH,
	ECHO, /* a response with the same variables, all of them NULL */
	OTHER_OBJECT, /* a response about another object */
	SHORT, /* a response that breaks off */
};

struct agent {
	int fd;
	uint16_t port;
	pthread_t thread;
	atomic_int trick;
	atomic_int n_requests;
};

static void answer(struct agent *agent, unsigned char *message, size_t n,
		   const struct sockaddr_in *from, socklen_t n_from)
{
	int trick = atomic_load(&agent->trick);
	/* Of version 2c: SEQUENCE, version, community, then the PDU, whose length fits into a byte. */
	size_t at = 2 + 3 + 2 + message[6];

	if (trick == SILENT || n < at + 2)
		return;
	message[at] = 0xa2;
	if (trick == RUBBISH)
		memset(message, 0xff, n);
	if (trick == OTHER_OBJECT)
		message[n - 3]++;
	(void)sendto(agent->fd, message, trick == SHORT ? n / 2 : n, 0,
		     (const struct sockaddr *)from, n_from);
}

static void *serve(void *arg)
{
	struct agent *agent = arg;

	while (true) {
		unsigned char message[1500];
		struct sockaddr_in from;
		socklen_t n_from = sizeof(from);
		ssize_t n = recvfrom(agent->fd, message, sizeof(message), 0,
				     (struct sockaddr *)&from, &n_from);

		/* A single byte ends it. */
		if (n <= 1)
			return NULL;
		(void)atomic_fetch_add(&agent->n_requests, 1);
		answer(agent, message, (size_t)n, &from, n_from);
	}
}

static int set_up(void **state)
{
	struct agent *agent = calloc(1, sizeof(*agent));
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(address);

	assert_non_null(agent);
	agent->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(agent->fd, (struct sockaddr *)&address, n), 0);
	assert_int_equal(getsockname(agent->fd, (struct sockaddr *)&address, &n), 0);
	agent->port = ntohs(address.sin_port);
	assert_int_equal(pthread_create(&agent->thread, NULL, serve, agent), 0);
	*state = agent;
	return 0;
}

static int tear_down(void **state)
{
	struct agent *agent = *state;
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(agent->port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	(void)sendto(agent->fd, "x", 1, 0, (struct sockaddr *)&address, sizeof(address));
	(void)pthread_join(agent->thread, NULL);
	(void)close(agent->fd);
	free(agent);
	return 0;
}

static void objects_are_numbers_with_dots(void **state)
{
	static const struct {
		const char *text;
		int error;
		size_t n;
	} cases[] = {
		{ "1.3.6.1.4.1.318", 0, 7 },
		{ ".1.3.6", 0, 3 },
		{ "2.999.4294967295", 0, 3 },
		{ "1.3.6.4294967296", -ERANGE, 0 },
		{ "1.3.6.99999999999999999999", -ERANGE, 0 },
		{ "", -EBADMSG, 0 },
		{ ".", -EBADMSG, 0 },
		{ "1", -EBADMSG, 0 },
		{ "1..3", -EBADMSG, 0 },
		{ "1.3.", -EBADMSG, 0 },
		{ "1.3.6 ", -EBADMSG, 0 },
		{ "1.-3", -EBADMSG, 0 },
		{ "3.1", -EBADMSG, 0 },
		{ "1.40", -EBADMSG, 0 },
		{ "ifInOctets.1", -EBADMSG, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(cases); i++) {
		struct es_snmp_oid oid = { .n = 77 };

		assert_int_equal(es_snmp_oid_parse(cases[i].text, &oid), cases[i].error);
		assert_int_equal(oid.n, cases[i].error ? 77 : cases[i].n);
	}
}

static void a_list_of_objects_has_plus_signs(void **state)
{
	struct es_snmp_oid oids[2];
	char text[32], small[8];

	(void)state;
	assert_int_equal(es_snmp_oids_parse("1.3.6.1+.1.3.6.2", oids, 2), 2);
	assert_string_equal(es_snmp_oid_text(&oids[1], text, sizeof(text)), "1.3.6.2");
	assert_string_equal(es_snmp_oid_text(&oids[1], small, 4), "1.3");
	assert_int_equal(es_snmp_oids_parse("1.3.6.1+1.3.6.2+1.3.6.3", oids, 2), -E2BIG);
	assert_int_equal(es_snmp_oids_parse("1.3.6.1+", oids, 2), -EBADMSG);
	assert_int_equal(es_snmp_oids_parse("", oids, 2), -EBADMSG);
}

static void too_long_objects_are_refused(void **state)
{
	char text[4 * ES_SNMP_OID_MAX] = "1";
	struct es_snmp_oid oid;

	(void)state;
	for (size_t i = 1; i < ES_SNMP_OID_MAX; i++)
		(void)strcat(text, ".3");
	assert_int_equal(es_snmp_oid_parse(text, &oid), 0);
	(void)strcat(text, ".3");
	assert_int_equal(es_snmp_oid_parse(text, &oid), -E2BIG);
}

static void text_may_be_a_number(void **state)
{
	static const struct {
		const char *text;
		int error;
		double value;
	} cases[] = {
		{ "123.5", 0, 123.5 },	  { " 7", 0, 7 },	   { "120 W", 0, 120 },
		{ "-1e2", 0, -100 },	  { "", -EBADMSG, 0 },	   { "W 120", -EBADMSG, 0 },
		{ "120W", -EBADMSG, 0 },  { "much", -EBADMSG, 0 }, { "nan", -EBADMSG, 0 },
		{ "1.2.3", -EBADMSG, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(cases); i++) {
		struct es_snmp_value value = { .type = ES_SNMP_TEXT };
		double number = -77;

		(void)strcpy(value.text, cases[i].text);
		assert_int_equal(es_snmp_number(&value, &number), cases[i].error);
		assert_true(number == (cases[i].error ? -77 : cases[i].value));
	}
}

static void what_cannot_be_asked_is_refused_before_anything_is_sent(void **state)
{
	static const struct {
		struct es_snmp_options options;
		const char *word;
	} cases[] = {
		{ { .host = "", .version = 2, .community = "c" }, "host" },
		{ { .host = "h", .version = 4, .community = "c" }, "version" },
		{ { .host = "h", .version = 2, .community = "" }, "community" },
		{ { .host = "h", .version = 3, .user = "" }, "user" },
		{ { .host = "h", .version = 3, .user = "u", .level = "all" }, "level" },
		{ { .host = "h", .version = 3, .user = "u", .level = "authNoPriv", .auth = "CRC" },
		  "auth" },
		{ { .host = "h",
		    .version = 3,
		    .user = "u",
		    .level = "authNoPriv",
		    .auth = "SHA",
		    .auth_secret = "short" },
		  "password" },
		{ { .host = "h",
		    .version = 3,
		    .user = "u",
		    .level = "authPriv",
		    .auth = "SHA",
		    .auth_secret = "long enough",
		    .priv = "ROT13",
		    .priv_secret = "long enough" },
		  "priv" },
		{ { .host = "h",
		    .version = 3,
		    .user = "u",
		    .level = "authPriv",
		    .auth = "SHA",
		    .auth_secret = "long enough",
		    .priv = "AES" },
		  "privacy" },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(cases); i++) {
		struct es_error err = { .code = 0 };

		assert_int_equal(es_snmp_options_check(&cases[i].options, &err), -EINVAL);
		assert_non_null(strstr(err.text, cases[i].word));
	}
}

static int ask(struct agent *agent, enum trick trick, struct es_snmp_value *ret,
	       struct es_error *err)
{
	const struct es_snmp_options options = {
		.host = "127.0.0.1",
		.port = agent->port,
		.version = 2,
		.community = "public",
		.timeout_ns = 400 * ES_NS_PER_MS,
	};
	struct es_snmp_oid oid;
	struct es_snmp *snmp = NULL;
	int r;

	atomic_store(&agent->trick, trick);
	assert_int_equal(es_snmp_oid_parse("1.3.6.1.4.1.99999.1", &oid), 0);
	assert_int_equal(es_snmp_open(&options, &snmp, err), 0);
	r = es_snmp_get(snmp, &oid, 1, ret, err);
	es_snmp_close(snmp);
	return r;
}

static void answers_are_held_against_the_question(void **state)
{
	struct es_snmp_value value = { .error = 77 };
	struct es_error err = { .code = 0 };

	assert_int_equal(ask(*state, ECHO, &value, &err), 0);
	assert_int_equal(value.error, -EBADMSG);
	assert_string_equal(value.type_name, "NULL");
	assert_int_equal(ask(*state, OTHER_OBJECT, &value, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "another question"));
}

static void what_is_no_answer_is_none(void **state)
{
	struct agent *agent = *state;
	struct es_snmp_value value;
	struct es_error err = { .code = 0 };

	assert_int_equal(ask(agent, SILENT, &value, &err), -ETIMEDOUT);
	/* Asked twice, and then looked for. */
	assert_int_equal(atomic_load(&agent->n_requests), 3);
	assert_int_equal(ask(agent, RUBBISH, &value, &err), -ETIMEDOUT);
	assert_true(ask(agent, SHORT, &value, &err) < 0);
}

static void version_3_opens_only_where_an_agent_answers(void **state)
{
	struct agent *agent = *state;
	const struct es_snmp_options options = {
		.host = "127.0.0.1",
		.port = agent->port,
		.version = 3,
		.user = "u",
		.level = "noAuthNoPriv",
		.timeout_ns = 400 * ES_NS_PER_MS,
	};
	struct es_snmp *snmp = NULL;
	struct es_error err = { .code = 0 };

	atomic_store(&agent->trick, SILENT);
	assert_int_equal(es_snmp_open(&options, &snmp, &err), -ETIMEDOUT);
	assert_null(snmp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_are_numbers_with_dots),
		cmocka_unit_test(a_list_of_objects_has_plus_signs),
		cmocka_unit_test(too_long_objects_are_refused),
		cmocka_unit_test(text_may_be_a_number),
		cmocka_unit_test(what_cannot_be_asked_is_refused_before_anything_is_sent),
		cmocka_unit_test_setup_teardown(answers_are_held_against_the_question, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_answer_is_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(version_3_opens_only_where_an_agent_answers, set_up,
						tear_down),
	};

	return cmocka_run_group_tests_name("net/snmp", tests, NULL, NULL);
}
