/*
 * test_net_mqtt.c - topics, and brokers that are none
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "net/mqtt.h"

static void a_topic_is_one_topic(void **state)
{
	static const char *const wrong[] = { "", "plugs/+/power", "plugs/#", "a\tb", "a\x7f" };
	char longest[600];

	(void)state;
	assert_int_equal(es_mqtt_check_topic("plugs/n1/power now", NULL), 0);
	for (size_t i = 0; i < ES_ARRAY_SIZE(wrong); i++)
		assert_int_equal(es_mqtt_check_topic(wrong[i], NULL), -EINVAL);
	memset(longest, 'a', sizeof(longest));
	longest[511] = '\0';
	assert_int_equal(es_mqtt_check_topic(longest, NULL), 0);
	longest[511] = 'a';
	longest[512] = '\0';
	assert_int_equal(es_mqtt_check_topic(longest, NULL), -EINVAL);
}

/** struct broker - says the same to whoever comes */
struct broker {
	int fd;
	uint16_t port;
	pthread_t thread;
	const char *says;
	size_t n;
};

static void *serve(void *arg)
{
	const struct broker *broker = arg;

	while (true) {
		int fd = accept(broker->fd, NULL, NULL);
		char request[256];

		if (fd < 0)
			return NULL;
		/* Of the first connection, which only tries whether somebody is there, nothing comes. */
		if (recv(fd, request, sizeof(request), 0) > 0) {
			(void)send(fd, broker->says, broker->n, MSG_NOSIGNAL);
			while (broker->n == 0 && recv(fd, request, sizeof(request), 0) > 0)
				;
		}
		(void)close(fd);
	}
}

static void on_message(void *arg, const struct es_mqtt_message *message)
{
	(void)message;
	++*(unsigned *)arg;
}

/* What comes of a broker that says @n bytes. */
static int try(const char *says, size_t n, struct es_error *err)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct broker broker = { .says = says, .n = n };
	socklen_t n_address = sizeof(address);
	struct es_mqtt_options options = { .host = "127.0.0.1",
					   .topic = "t",
					   .timeout_ns = 300 * ES_NS_PER_MS };
	struct es_mqtt *mqtt = NULL;
	unsigned n_messages = 0;
	int r;

	broker.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(broker.fd, (struct sockaddr *)&address, n_address), 0);
	assert_int_equal(listen(broker.fd, 4), 0);
	assert_int_equal(getsockname(broker.fd, (struct sockaddr *)&address, &n_address), 0);
	assert_int_equal(pthread_create(&broker.thread, NULL, serve, &broker), 0);
	options.port = ntohs(address.sin_port);
	r = es_mqtt_open(&options, on_message, &n_messages, &mqtt, err);
	assert_null(mqtt);
	assert_int_equal(n_messages, 0);
	(void)shutdown(broker.fd, SHUT_RDWR);
	(void)pthread_join(broker.thread, NULL);
	(void)close(broker.fd);
	return r;
}

static void brokers_that_refuse_or_are_none_are_told_apart(void **state)
{
	/* CONNACK with the codes of MQTT 3.1.1; then what a web server and a silent one say. */
	struct es_error err = { .code = 0 };

	(void)state;
	assert_int_equal(try("\x20\x02\x00\x04", 4, &err), -EACCES);
	assert_int_equal(try("\x20\x02\x00\x05", 4, &err), -EACCES);
	assert_int_equal(try("\x20\x02\x00\x01", 4, &err), -EPROTO);
	assert_true(try("HTTP/1.1 400 Bad Request\r\n\r\n", 28, &err) < 0);
	assert_int_equal(try("", 0, &err), -ETIMEDOUT);
}

static void nobody_there_is_refused(void **state)
{
	struct es_mqtt_options options = {
		.host = "127.0.0.1", .port = 1, .topic = "t", .timeout_ns = 300 * ES_NS_PER_MS
	};
	struct es_mqtt *mqtt = NULL;
	struct es_error err = { .code = 0 };

	(void)state;
	assert_int_equal(es_mqtt_open(&options, on_message, NULL, &mqtt, &err), -ECONNREFUSED);
	assert_non_null(strstr(err.text, "listens"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_topic_is_one_topic),
		cmocka_unit_test(brokers_that_refuse_or_are_none_are_told_apart),
		cmocka_unit_test(nobody_there_is_refused),
	};

	return cmocka_run_group_tests_name("net/mqtt", tests, NULL, NULL);
}
