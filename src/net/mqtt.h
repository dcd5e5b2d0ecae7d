/*
 * mqtt.h - messages of one topic of an MQTT broker, through libmosquitto
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_NET_MQTT_H
#define ES_NET_MQTT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define ES_MQTT_PAYLOAD_MAX_BYTES 65536U /* longer messages are told as such, without their bytes */

/** struct es_mqtt_message - one message, borrowed for the call */
struct es_mqtt_message {
	const char *payload; /* NULL where it is too long */
	size_t n;
	bool is_retained; /* the broker kept it: it may be of any age */
	int64_t t_ns; /* boot clock: when it came */
};

/** es_mqtt_message_fn - called on the connection's thread; must not wait */
typedef void (*es_mqtt_message_fn)(void *arg, const struct es_mqtt_message *message);

/** struct es_mqtt_options - whom to ask for what; strings are borrowed until es_mqtt_open() returns */
struct es_mqtt_options {
	const char *host;
	uint16_t port; /* 0: 1883, with TLS 8883 */
	bool has_tls;
	bool verifies; /* the broker's certificate and name; false only where the user says so */
	const char *ca_file; /* who vouches for the broker; NULL: whom this machine trusts */
	const char *user, *password; /* NULL: nobody */
	const char *topic; /* one, without wildcards */
	int qos; /* 0 or 1 */
	int64_t timeout_ns; /* until the topic is subscribed to */
};

/** es_mqtt_check_topic - 0, or -EINVAL with what is wrong: wildcards, control characters, nothing, too long */
int es_mqtt_check_topic(const char *topic, struct es_error *err);

/** struct es_mqtt - a connection with a thread of its own, so that messages are stamped when they come */
struct es_mqtt;

/**
 * es_mqtt_open - connect and subscribe
 *
 * Returns 0; -ENOENT: no library, with the package in @err; -EHOSTUNREACH, -ECONNREFUSED, -ETIMEDOUT; -EACCES: the broker
 * does not know us, or we may not read the topic; -EPROTO: TLS failed (the certificate, mostly); -ECONNRESET.
 */
int es_mqtt_open(const struct es_mqtt_options *options, es_mqtt_message_fn on_message, void *arg,
		 struct es_mqtt **ret, struct es_error *err);
/** es_mqtt_state - 0: connected; else why not any more; only a new connection helps */
int es_mqtt_state(struct es_mqtt *mqtt, struct es_error *err);
/** es_mqtt_close - on_message is not called any more when it returns */
void es_mqtt_close(struct es_mqtt *mqtt);

#endif
