/*
 * mqtt.c - messages of one topic of an MQTT broker, through libmosquitto
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "net/mqtt.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/dl.h"
#include "net/shared.h"
#include "net/tcp.h"

#define LIBRARY "libmosquitto.so.1"
#define PACKAGE "libmosquitto1"
#define TOPIC_MAX_BYTES 512U
#define KEEPALIVE_S 10 /* a broker that says nothing for 15 s is gone */
#define TURN_MS 1000 /* how long a thread that is to end may wait for the broker's good-bye */

/* mosquitto.h of libmosquitto 1.6 and 2.0; the numbers are part of its ABI. */
enum {
	MOSQ_ERR_NO_CONN = 4,
	MOSQ_ERR_CONN_LOST = 7,
	MOSQ_ERR_TLS = 8,
	MOSQ_ERR_ERRNO = 14,
	MOSQ_ERR_KEEPALIVE = 19,
	MOSQ_ERR_TLS_HANDSHAKE = 23,
	MOSQ_LOG_ERR = 8,
	MOSQ_OPT_TLS_USE_OS_CERTS = 13,
	MOSQ_VERIFY_PEER = 1,
	MOSQ_REFUSED = 128, /* what a broker grants a topic that may not be read */
	CONNACK_BAD_USER = 4,
	CONNACK_NOT_AUTHORISED = 5,
};

struct mosquitto;
struct mosquitto_message {
	int mid;
	char *topic;
	void *payload;
	int n_payload;
	int qos;
	bool is_retained;
};

struct library {
	struct es_dl dl;
	int (*init)(void);
	struct mosquitto *(*create)(const char *, bool, void *);
	void (*destroy)(struct mosquitto *);
	int (*set_threaded)(struct mosquitto *, bool);
	int (*set_user)(struct mosquitto *, const char *, const char *);
	int (*set_tls)(struct mosquitto *, const char *, const char *, const char *, const char *,
		       int (*)(char *, int, int, void *));
	int (*set_tls_options)(struct mosquitto *, int, const char *, const char *);
	int (*set_tls_insecure)(struct mosquitto *, bool);
	int (*set_option)(struct mosquitto *, int, int); /* 2.0 and later */
	int (*connect)(struct mosquitto *, const char *, int, int);
	int (*disconnect)(struct mosquitto *);
	int (*subscribe)(struct mosquitto *, int *, const char *, int);
	int (*loop)(struct mosquitto *, int, int);
	const char *(*words)(int);
	void (*on_connect)(struct mosquitto *, void (*)(struct mosquitto *, void *, int));
	void (*on_subscribe)(struct mosquitto *,
			     void (*)(struct mosquitto *, void *, int, int, const int *));
	void (*on_message)(struct mosquitto *,
			   void (*)(struct mosquitto *, void *, const struct mosquitto_message *));
	void (*on_log)(struct mosquitto *, void (*)(struct mosquitto *, void *, int, const char *));
};

enum state {
	CONNECTING,
	READY,
	OVER
};

struct es_mqtt {
	struct library lib;
	bool has_thread;
	struct mosquitto *client;
	char topic[TOPIC_MAX_BYTES];
	int qos;
	es_mqtt_message_fn on_message;
	void *arg;
	pthread_t thread;
	atomic_bool is_ending;
	char log[128]; /* of the connection's thread: the last error that the library told, mostly TLS */

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t news;
	enum state state;
	int error; /* where it is over */
	struct es_error why;
};

static int open_library(struct library *ret, struct es_error *err)
{
	struct library lib = { .dl = { .handle = NULL } };
	const struct es_dl_symbol symbols[] = {
		{ "mosquitto_lib_init", &lib.init, true },
		{ "mosquitto_new", &lib.create, true },
		{ "mosquitto_destroy", &lib.destroy, true },
		{ "mosquitto_threaded_set", &lib.set_threaded, true },
		{ "mosquitto_username_pw_set", &lib.set_user, true },
		{ "mosquitto_tls_set", &lib.set_tls, true },
		{ "mosquitto_tls_opts_set", &lib.set_tls_options, true },
		{ "mosquitto_tls_insecure_set", &lib.set_tls_insecure, true },
		{ "mosquitto_int_option", &lib.set_option, false },
		{ "mosquitto_connect", &lib.connect, true },
		{ "mosquitto_disconnect", &lib.disconnect, true },
		{ "mosquitto_subscribe", &lib.subscribe, true },
		{ "mosquitto_loop", &lib.loop, true },
		{ "mosquitto_strerror", &lib.words, true },
		{ "mosquitto_connect_callback_set", &lib.on_connect, true },
		{ "mosquitto_subscribe_callback_set", &lib.on_subscribe, true },
		{ "mosquitto_message_callback_set", &lib.on_message, true },
		{ "mosquitto_log_callback_set", &lib.on_log, true },
	};
	struct es_error why = { .code = 0 };
	int r = es_dl_open(&lib.dl, LIBRARY, symbols, ES_ARRAY_SIZE(symbols), &why);

	if (r == -ENOENT)
		return es_error_say(err, r,
				    "MQTT needs " LIBRARY ", which is not installed: "
				    "sudo apt-get install " PACKAGE);
	if (r < 0)
		return es_error_say(err, r, "%s", why.text);
	*ret = lib;
	return 0;
}

int es_mqtt_check_topic(const char *topic, struct es_error *err)
{
	if (!topic[0])
		return es_error_say(err, -EINVAL, "no topic");
	if (strlen(topic) >= TOPIC_MAX_BYTES)
		return es_error_say(err, -EINVAL, "the topic is longer than %u bytes",
				    TOPIC_MAX_BYTES - 1);
	for (const char *p = topic; *p; p++) {
		if (*p == '+' || *p == '#')
			return es_error_say(err, -EINVAL,
					    "the topic has a wildcard ('%c'): a meter is one topic",
					    *p);
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return es_error_say(err, -EINVAL, "the topic has a control character");
	}
	return 0;
}

/* The first thing said holds. */
static void say(struct es_mqtt *mqtt, enum state state, int error, const char *why)
{
	(void)pthread_mutex_lock(&mqtt->lock);
	if (mqtt->state < state) {
		mqtt->state = state;
		if (state == OVER)
			mqtt->error = es_error_say(&mqtt->why, error, "%s", why);
		(void)pthread_cond_broadcast(&mqtt->news);
	}
	(void)pthread_mutex_unlock(&mqtt->lock);
}

static void on_connect(struct mosquitto *client, void *arg, int code)
{
	struct es_mqtt *mqtt = arg;

	if (code == 0) {
		if (mqtt->lib.subscribe(client, NULL, mqtt->topic, mqtt->qos) != 0)
			say(mqtt, OVER, -EPROTO, "the topic could not be subscribed to");
	} else if (code == CONNACK_BAD_USER || code == CONNACK_NOT_AUTHORISED) {
		say(mqtt, OVER, -EACCES, "the broker does not let us in: user or password");
	} else {
		say(mqtt, OVER, -EPROTO, "the broker does not take this client");
	}
}

static void on_subscribe(struct mosquitto *client, void *arg, int mid, int n, const int *granted)
{
	struct es_mqtt *mqtt = arg;

	(void)client;
	(void)mid;
	if (n < 1 || granted[0] < 0 || granted[0] >= MOSQ_REFUSED)
		say(mqtt, OVER, -EACCES, "the broker does not let us read this topic");
	else
		say(mqtt, READY, 0, "");
}

static void take_message(struct mosquitto *client, void *arg, const struct mosquitto_message *m)
{
	struct es_mqtt *mqtt = arg;
	bool is_short = m->n_payload >= 0 && (size_t)m->n_payload <= ES_MQTT_PAYLOAD_MAX_BYTES;
	const struct es_mqtt_message message = {
		.payload = !is_short	? NULL
			   : m->payload ? m->payload
					: "",
		.n = is_short ? (size_t)m->n_payload : 0,
		.is_retained = m->is_retained,
		.t_ns = es_clock_boot_ns(),
	};

	(void)client;
	mqtt->on_message(mqtt->arg, &message);
}

static void on_log(struct mosquitto *client, void *arg, int level, const char *text)
{
	struct es_mqtt *mqtt = arg;

	(void)client;
	if (level == MOSQ_LOG_ERR)
		(void)snprintf(mqtt->log, sizeof(mqtt->log), "%s", text);
}

/* Why the loop ended: a return of the library. */
static void say_over(struct es_mqtt *mqtt, int code)
{
	char text[ES_TEXT_MAX_BYTES / 2];

	if (code == MOSQ_ERR_TLS || code == MOSQ_ERR_TLS_HANDSHAKE || mqtt->log[0]) {
		(void)snprintf(text, sizeof(text), "TLS failed: %s",
			       mqtt->log[0] ? mqtt->log : mqtt->lib.words(code));
		say(mqtt, OVER, -EPROTO, text);
	} else if (code == MOSQ_ERR_KEEPALIVE) {
		say(mqtt, OVER, -ETIMEDOUT, "the broker has fallen silent");
	} else if (code == MOSQ_ERR_NO_CONN || code == MOSQ_ERR_CONN_LOST || code == 0) {
		say(mqtt, OVER, -ECONNRESET, "the broker closed the connection");
	} else if (code == MOSQ_ERR_ERRNO) {
		say(mqtt, OVER, -ECONNRESET, es_strerror(errno));
	} else {
		say(mqtt, OVER, -EPROTO, mqtt->lib.words(code));
	}
}

static void *run(void *arg)
{
	struct es_mqtt *mqtt = arg;
	int code = 0;

	(void)pthread_setname_np(pthread_self(), "es-mqtt-net");
	while (code == 0 && !atomic_load(&mqtt->is_ending))
		code = mqtt->lib.loop(mqtt->client, TURN_MS, 1);
	say_over(mqtt, code);
	return NULL;
}

static int set_tls(struct es_mqtt *mqtt, const struct es_mqtt_options *options,
		   struct es_error *err)
{
	int code;

	if (options->ca_file && access(options->ca_file, R_OK) < 0)
		return es_error_set(err, -errno, "cannot read '%.200s'", options->ca_file);
	if (!options->ca_file && mqtt->lib.set_option)
		code = mqtt->lib.set_option(mqtt->client, MOSQ_OPT_TLS_USE_OS_CERTS, 1);
	else
		code = mqtt->lib.set_tls(mqtt->client, options->ca_file,
					 options->ca_file ? NULL : "/etc/ssl/certs", NULL, NULL,
					 NULL);
	if (code == 0)
		code = mqtt->lib.set_tls_options(
			mqtt->client, options->verifies ? MOSQ_VERIFY_PEER : 0, NULL, NULL);
	if (code == 0 && !options->verifies)
		code = mqtt->lib.set_tls_insecure(mqtt->client, true);
	return code == 0 ? 0 : es_error_say(err, -EPROTO, "TLS: %s", mqtt->lib.words(code));
}

static int make_client(struct es_mqtt *mqtt, const struct es_mqtt_options *options,
		       struct es_error *err)
{
	int code;

	/* Never undone: that would unload parts of OpenSSL which other libraries of the process may be using. */
	es_shared_lock();
	code = mqtt->lib.init();
	es_shared_unlock();
	mqtt->client = code == 0 ? mqtt->lib.create(NULL, true, mqtt) : NULL;
	if (!mqtt->client)
		return es_error_set(err, -ENOMEM, "MQTT");
	/* Whoever closes is not who reads: a packet then wakes the loop. */
	(void)mqtt->lib.set_threaded(mqtt->client, true);
	mqtt->lib.on_connect(mqtt->client, on_connect);
	mqtt->lib.on_subscribe(mqtt->client, on_subscribe);
	mqtt->lib.on_message(mqtt->client, take_message);
	mqtt->lib.on_log(mqtt->client, on_log);
	if (options->user && options->user[0] &&
	    mqtt->lib.set_user(mqtt->client, options->user, options->password) != 0)
		return es_error_say(err, -EINVAL, "the user's name is none of MQTT's");
	return options->has_tls ? set_tls(mqtt, options, err) : 0;
}

/*
 * The library connects without a bound in time and tells no reason: so it is tried before whether somebody listens. From
 * there on all is done by the loop.
 */
static int connect_to(struct es_mqtt *mqtt, const struct es_mqtt_options *options,
		      struct es_error *err)
{
	uint16_t port = options->port ? options->port : options->has_tls ? 8883 : 1883;
	es_cleanup(es_closep) int fd = -1;
	int r = es_tcp_connect(options->host, port, options->timeout_ns, &fd, err);
	int code;

	if (r < 0)
		return r;
	code = mqtt->lib.connect(mqtt->client, options->host, port, KEEPALIVE_S);
	if (code == MOSQ_ERR_ERRNO)
		return es_error_set(err, -errno, "no connection to '%.200s'", options->host);
	if (code != 0 && options->has_tls)
		return es_error_say(err, -EPROTO, "TLS failed: %s",
				    mqtt->log[0] ? mqtt->log : mqtt->lib.words(code));
	if (code != 0)
		return es_error_say(err, -EPROTO, "no connection to '%.200s': %s", options->host,
				    mqtt->lib.words(code));
	r = -pthread_create(&mqtt->thread, NULL, run, mqtt);
	mqtt->has_thread = r == 0;
	return r < 0 ? es_error_set(err, r, "no thread") : 0;
}

static int wait_until_ready(struct es_mqtt *mqtt, int64_t wait_ns, struct es_error *err)
{
	int64_t at_ns = es_clock_mono_ns() + wait_ns;
	const struct timespec until = { .tv_sec = at_ns / ES_NS_PER_S,
					.tv_nsec = at_ns % ES_NS_PER_S };
	int r = 0;

	(void)pthread_mutex_lock(&mqtt->lock);
	while (mqtt->state == CONNECTING &&
	       pthread_cond_timedwait(&mqtt->news, &mqtt->lock, &until) != ETIMEDOUT)
		;
	if (mqtt->state == CONNECTING)
		r = es_error_say(err, -ETIMEDOUT, "the broker does not answer");
	else if (mqtt->state == OVER)
		r = es_error_say(err, mqtt->error, "%s", mqtt->why.text);
	(void)pthread_mutex_unlock(&mqtt->lock);
	return r;
}

static struct es_mqtt *make(const struct es_mqtt_options *options, es_mqtt_message_fn fn, void *arg)
{
	struct es_mqtt *mqtt = calloc(1, sizeof(*mqtt));
	pthread_condattr_t attr;

	if (!mqtt)
		return NULL;
	(void)snprintf(mqtt->topic, sizeof(mqtt->topic), "%s", options->topic);
	mqtt->qos = options->qos;
	mqtt->on_message = fn;
	mqtt->arg = arg;
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&mqtt->news, &attr);
	(void)pthread_condattr_destroy(&attr);
	(void)pthread_mutex_init(&mqtt->lock, NULL);
	return mqtt;
}

int es_mqtt_open(const struct es_mqtt_options *options, es_mqtt_message_fn on_message, void *arg,
		 struct es_mqtt **ret, struct es_error *err)
{
	int r = es_mqtt_check_topic(options->topic, err);
	struct es_mqtt *mqtt = r == 0 ? make(options, on_message, arg) : NULL;

	if (r < 0)
		return r;
	if (!mqtt)
		return es_error_set(err, -ENOMEM, "MQTT");
	r = open_library(&mqtt->lib, err);
	if (r == 0)
		r = make_client(mqtt, options, err);
	if (r == 0)
		r = connect_to(mqtt, options, err);
	if (r == 0)
		r = wait_until_ready(mqtt, options->timeout_ns, err);
	if (r < 0) {
		es_mqtt_close(mqtt);
		return r;
	}
	*ret = mqtt;
	return 0;
}

int es_mqtt_state(struct es_mqtt *mqtt, struct es_error *err)
{
	int r = 0;

	(void)pthread_mutex_lock(&mqtt->lock);
	if (mqtt->state == OVER)
		r = es_error_say(err, mqtt->error, "%s", mqtt->why.text);
	(void)pthread_mutex_unlock(&mqtt->lock);
	return r;
}

void es_mqtt_close(struct es_mqtt *mqtt)
{
	if (!mqtt)
		return;
	atomic_store(&mqtt->is_ending, true);
	if (mqtt->has_thread) {
		(void)mqtt->lib.disconnect(mqtt->client);
		(void)pthread_join(mqtt->thread, NULL);
	}
	if (mqtt->client)
		mqtt->lib.destroy(mqtt->client);
	/* The library stays open, with what it has set up. */
	(void)pthread_mutex_destroy(&mqtt->lock);
	(void)pthread_cond_destroy(&mqtt->news);
	free(mqtt);
}
