/*
 * source/mqtt.c - meters that publish what they measure: smart plugs, gateways of sites
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "net/mqtt.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "source/arrivals.h"
#include "source/remote.h"
#include "source/textmeter.h"

#define PERIOD_NS (200 * ES_NS_PER_MS)
#define PERIOD_MIN_NS (20 * ES_NS_PER_MS)
#define TIME_STALE_NS (60 * ES_NS_PER_S) /* of a value with a time of its own */

/** struct mail - what came last; the connection's thread puts it there, the meter's takes it */
struct mail {
	struct es_text_meter meter; /* of the connection's thread */
	const struct es_meter_url *url;

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t news;
	struct es_arrivals arrivals;
	struct es_reading reading; /* of the newest message, good or bad */
	struct es_error why; /* where it is bad */
	uint64_t n_messages, n_taken;
};

struct mqtt_meter {
	struct es_meter_url url;
	struct es_credentials credentials;
	char ca_file[sizeof(
		((struct es_meter_url *)NULL)->params)]; /* "": those that this machine trusts */
	bool verifies;
	int qos;
	int64_t interval_ns, stale_ns; /* interval=, stale=; 0: found out */
	struct mail mail;
	struct es_mqtt *session;
};

static const char *const params[] = { "qos",  "ca",   "verify", "interval", "stale",
				      "time", "list", "where",	NULL };

static int refuse(const struct es_meter_url *url, struct es_error *err, const char *why)
{
	return es_error_say(err, -EINVAL, "meter '%.200s': %s", url->text, why);
}

static bool has_tls(const struct es_meter_url *url)
{
	return strcmp(url->scheme, "mqtts") == 0;
}

/* Whether messages say when their value was taken. */
static bool has_times(const struct mqtt_meter *meter)
{
	return meter->mail.meter.pick.time[0] != '\0';
}

static int take_duration(const struct es_meter_url *url, const char *key, int64_t *ret_ns,
			 struct es_error *err)
{
	const char *text = es_meter_url_param(url, key);

	if (text && (es_parse_duration_ns(text, ret_ns) < 0 || *ret_ns <= 0))
		return es_error_say(err, -EINVAL,
				    "meter '%.200s': %s= is a time with its unit, like 10s",
				    url->text, key);
	return 0;
}

static int take_tls(struct mqtt_meter *meter, struct es_error *err)
{
	const struct es_meter_url *url = &meter->url;
	const char *verify = es_meter_url_param(url, "verify");
	const char *ca = es_meter_url_param(url, "ca");

	if (!has_tls(url) && (verify || ca))
		return refuse(url, err, "ca= and verify= are for mqtts://");
	if (verify && strcmp(verify, "yes") != 0 && strcmp(verify, "no") != 0)
		return refuse(url, err, "verify= is yes or no");
	meter->verifies = !verify || verify[0] == 'y';
	(void)snprintf(meter->ca_file, sizeof(meter->ca_file), "%s", ca ? ca : "");
	return 0;
}

static int take_url(struct mqtt_meter *meter, struct es_error *err)
{
	const struct es_meter_url *url = &meter->url;
	const char *qos = es_meter_url_param(url, "qos");
	struct es_error why = { .code = 0 };
	int r = es_meter_url_check(url, params, err);

	if (r < 0)
		return r;
	if (!url->host[0])
		return refuse(url, err, "no host");
	if (es_mqtt_check_topic(url->path[0] ? url->path + 1 : "", &why) < 0)
		return refuse(url, err, why.text);
	if (qos && strcmp(qos, "0") != 0 && strcmp(qos, "1") != 0)
		return refuse(url, err, "qos= is 0 or 1");
	meter->qos = qos ? qos[0] - '0' : 0;
	r = take_tls(meter, err);
	if (r == 0)
		r = take_duration(url, "interval", &meter->interval_ns, err);
	if (r == 0)
		r = take_duration(url, "stale", &meter->stale_ns, err);
	if (r == 0)
		r = es_text_meter_init(&meter->mail.meter, url,
				       es_meter_url_param(url, "time")
					       ? meter->stale_ns ? meter->stale_ns : TIME_STALE_NS
					       : 0,
				       err);
	if (r == 0 && es_meter_url_param(url, "credentials"))
		r = es_meter_url_credentials(url, &meter->credentials, err);
	return r;
}

/* On the connection's thread. */
static void on_message(void *arg, const struct es_mqtt_message *message)
{
	struct mail *mail = arg;
	struct es_reading reading = { .t_ns = 0 };
	struct es_error why = { .code = 0 };

	/* What the broker kept for newcomers may be of yesterday, unless it says itself when it is from. */
	if (message->is_retained && !mail->meter.pick.time[0])
		return;
	if (message->payload)
		(void)es_text_meter_take(&mail->meter, mail->url, message->payload, message->n,
					 &reading, &why);
	else
		reading.error = es_error_say(&why, -EFBIG, "the message is longer than %u bytes",
					     ES_MQTT_PAYLOAD_MAX_BYTES);
	if (reading.error == -ECANCELED)
		return;
	if (reading.error || reading.t_ns == 0)
		reading.t_ns = message->t_ns;
	/* It was drawn when it was sent: nobody waited for it. */
	reading.width_ns = 1;
	(void)pthread_mutex_lock(&mail->lock);
	if (!message->is_retained)
		es_arrivals_add(&mail->arrivals, message->t_ns);
	mail->reading = reading;
	mail->why = why;
	mail->n_messages++;
	(void)pthread_cond_broadcast(&mail->news);
	(void)pthread_mutex_unlock(&mail->lock);
}

/* Wait for @n messages of this connection; how many there were. */
static uint64_t wait_for(struct mail *mail, uint64_t n, int64_t end_mono_ns)
{
	const struct timespec until = { .tv_sec = end_mono_ns / ES_NS_PER_S,
					.tv_nsec = end_mono_ns % ES_NS_PER_S };
	uint64_t got;

	(void)pthread_mutex_lock(&mail->lock);
	while (mail->n_messages < n &&
	       pthread_cond_timedwait(&mail->news, &mail->lock, &until) != ETIMEDOUT)
		;
	got = mail->n_messages;
	(void)pthread_mutex_unlock(&mail->lock);
	return got;
}

/*
 * A topic that nobody publishes can be subscribed to as well: so the first message is waited for, and the second one, which
 * tells how often they come.
 */
static int wait_for_messages(struct mqtt_meter *meter, int64_t end_mono_ns, struct es_error *err)
{
	struct mail *mail = &meter->mail;
	uint64_t n = wait_for(mail, 1, end_mono_ns);
	char waited[ES_QUANTITY_TEXT_BYTES];
	int r;

	if (n == 0)
		return es_error_say(
			err, -ENODATA,
			"no message came on this topic within %s (timeout= waits longer)",
			es_duration_text(meter->url.timeout_ns, waited));
	(void)pthread_mutex_lock(&mail->lock);
	r = mail->reading.error;
	if (r < 0 && err)
		*err = mail->why;
	(void)pthread_mutex_unlock(&mail->lock);
	if (r == 0 && !meter->interval_ns && !meter->url.is_energy)
		(void)wait_for(mail, 2, end_mono_ns);
	return r;
}

/* How often values come, and how far apart those with times of their own may be. */
static void add_domain(struct mqtt_meter *meter, struct es_remote *remote)
{
	const struct es_arrivals *arrivals = &meter->mail.arrivals;
	struct es_domain domain;

	es_meter_domain(&meter->url, es_source_mqtt.name, &domain);
	(void)pthread_mutex_lock(&meter->mail.lock);
	if (es_arrivals_usual_ns(arrivals) > domain.update_period_ns)
		domain.update_period_ns = es_arrivals_usual_ns(arrivals);
	if (has_times(meter))
		domain.hold_ns = es_arrivals_limit_ns(arrivals);
	(void)pthread_mutex_unlock(&meter->mail.lock);
	(void)es_remote_add(remote, &domain);
}

static int mqtt_connect(void *arg, struct es_remote *remote, struct es_error *err)
{
	struct mqtt_meter *meter = arg;
	const struct es_meter_url *url = &meter->url;
	const struct es_mqtt_options options = {
		.host = url->host,
		.port = url->port,
		.has_tls = has_tls(url),
		.verifies = meter->verifies,
		.ca_file = meter->ca_file[0] ? meter->ca_file : NULL,
		.user = meter->credentials.user[0] ? meter->credentials.user : NULL,
		.password = meter->credentials.password[0] ? meter->credentials.password : NULL,
		.topic = url->path + 1,
		.qos = meter->qos,
		.timeout_ns = url->timeout_ns,
	};
	int64_t end_ns = es_clock_mono_ns() + url->timeout_ns;
	int r;

	es_arrivals_init(&meter->mail.arrivals, meter->interval_ns, meter->stale_ns,
			 es_clock_boot_ns());
	meter->mail.n_messages = meter->mail.n_taken = 0;
	r = es_mqtt_open(&options, on_message, &meter->mail, &meter->session, err);
	if (r == -ENOENT)
		es_remote_say_fix(remote, "sudo apt-get install libmosquitto1");
	else if (r == -EACCES)
		es_remote_say_fix(
			remote,
			"credentials=FILE with user and password, and a right to read the topic");
	else if (r == -EPROTO && has_tls(url) && !meter->ca_file[0])
		es_remote_say_fix(remote,
				  "ca=FILE: the authority that signed the broker's certificate");
	if (r == 0)
		r = wait_for_messages(meter, end_ns, err);
	if (r == 0)
		add_domain(meter, remote);
	return r;
}

/*
 * What there is to say now; with the lock. A power holds from its message to the next one: some meters send only what has
 * changed, and the ends of a job lie between two messages. A counter that is not new would seem to stand, and what has a
 * time of its own is of that time.
 */
static struct es_reading take_mail(struct mqtt_meter *meter, int64_t now_ns)
{
	struct mail *mail = &meter->mail;
	bool is_new = mail->n_messages != mail->n_taken;
	struct es_reading none = { .t_ns = now_ns, .width_ns = 1, .error = -ECANCELED };

	mail->n_taken = mail->n_messages;
	if (is_new && (mail->reading.error || meter->url.is_energy || has_times(meter)))
		return mail->reading;
	if (es_arrivals_are_stale(&mail->arrivals, now_ns)) {
		none.error = -ENODATA;
		return none;
	}
	if (meter->url.is_energy || has_times(meter) || mail->reading.error ||
	    !es_arrivals_holds(&mail->arrivals, now_ns))
		return none;
	none.error = 0;
	none.value = mail->reading.value;
	return none;
}

static int mqtt_read(void *arg, struct es_remote *remote, struct es_reading *ret, size_t n)
{
	struct mqtt_meter *meter = arg;
	int r = es_mqtt_state(meter->session, NULL);

	(void)remote;
	for (size_t i = 0; i < n; i++)
		ret[i].error = -ECANCELED;
	(void)pthread_mutex_lock(&meter->mail.lock);
	/* What came before the connection was lost still counts: the loss is told next time. */
	if (r < 0 && meter->mail.n_messages != meter->mail.n_taken)
		r = 0;
	ret[0] = take_mail(meter, es_clock_boot_ns());
	(void)pthread_mutex_unlock(&meter->mail.lock);
	return r;
}

static void mqtt_disconnect(void *arg)
{
	struct mqtt_meter *meter = arg;

	es_mqtt_close(meter->session);
	meter->session = NULL;
}

static void mqtt_destroy(void *arg)
{
	struct mqtt_meter *meter = arg;

	es_credentials_finish(&meter->credentials);
	(void)pthread_mutex_destroy(&meter->mail.lock);
	(void)pthread_cond_destroy(&meter->mail.news);
	free(meter);
}

static const struct es_remote_ops remote_ops = {
	.thread = "es-mqtt",
	.period_ns = PERIOD_NS,
	.period_min_ns = PERIOD_MIN_NS,
	.connect = mqtt_connect,
	.read = mqtt_read,
	.disconnect = mqtt_disconnect,
	.destroy = mqtt_destroy,
};

static int mqtt_open_at(const struct es_root *root, const struct es_meter_url *url,
			struct es_source **ret, struct es_error *err)
{
	struct mqtt_meter *meter = calloc(1, sizeof(*meter));
	pthread_condattr_t attr;
	int r;

	if (!meter)
		return es_error_set(err, -ENOMEM, "mqtt");
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&meter->mail.news, &attr);
	(void)pthread_condattr_destroy(&attr);
	(void)pthread_mutex_init(&meter->mail.lock, NULL);
	meter->url = *url;
	meter->mail.url = &meter->url;
	r = take_url(meter, err);
	if (r < 0) {
		mqtt_destroy(meter);
		return r;
	}
	return es_remote_open(root, url, &es_source_mqtt, &remote_ops, meter, ret, err);
}

const struct es_source_ops es_source_mqtt = {
	.name = "mqtt",
	.schemes = "mqtt mqtts",
	.open_at = mqtt_open_at,
	.settle = es_remote_settle,
	.end = es_remote_end,
	.plan = es_remote_plan,
	.ask = es_remote_ask,
	.wait = es_remote_wait,
	.read = es_remote_read,
	.close = es_remote_close,
};
