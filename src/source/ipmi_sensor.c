/*
 * source/ipmi_sensor.c - power from the sensors of a management controller, by name
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
#include "source/bmc.h"
#include "source/ipmi_names.h"
#include "source/source.h"
#include "sys/dcmi.h"
#include "sys/sdr.h"

#define CHOSEN_MAX 64U /* as many as one meter may have domains */

struct sensors {
	struct es_bmc bmc;
	struct es_meter_url url;
	const char *pattern; /* in @url: the name that was given; "": none */
	bool is_described; /* the URL says which domain it is */
	bool is_summed;
	bool is_dcmi; /* no name was given and the BMC has DCMI: that is read */
	struct es_dcmi_watch watch;
	bool has_tried; /* the first connect, which alone adds domains, is over */
	bool has_default; /* it failed: there is the URL's domain */
	struct es_sdr_state state; /* of the table that @chosen comes from */
	struct es_sdr_sensor chosen[CHOSEN_MAX]; /* in the order of the domains */
	bool is_gone[CHOSEN_MAX]; /* no longer in the BMC's table */
	size_t n_chosen;
};

/* What there is, for who named something else. */
static int say_none(const struct sensors *sensors, const struct es_sdr_sensor *all, size_t n,
		    struct es_error *err)
{
	char names[400] = "";
	size_t at = 0;

	for (size_t i = 0; i < n && at + ES_SDR_NAME_BYTES + 4 < sizeof(names); i++)
		at += (size_t)snprintf(names + at, sizeof(names) - at, "%s'%s'", at ? ", " : "",
				       all[i].name);
	if (n == 0)
		return es_error_say(err, -EOPNOTSUPP, "the BMC has no sensor in watts");
	if (sensors->pattern[0] == '\0')
		return es_error_say(err, -ENOENT,
				    "no sensor looks like the whole node; name one of %s", names);
	return es_error_say(err, -ENOENT, "no sensor in watts is '%.64s'; there are %s",
			    sensors->pattern, names);
}

/* The sensors that the URL names, from all of the BMC. */
static int choose(struct sensors *sensors, const struct es_sdr_sensor *all, size_t n,
		  struct es_error *err)
{
	size_t chosen[ES_SDR_SENSORS_MAX];
	size_t n_chosen = es_ipmi_choose(all, n, sensors->pattern, chosen);

	if (n_chosen == 0)
		return say_none(sensors, all, n, err);
	if (n_chosen > CHOSEN_MAX)
		return es_error_say(err, -E2BIG, "'%.64s' names %zu sensors; up to %u are read",
				    sensors->pattern, n_chosen, CHOSEN_MAX);
	if (n_chosen > 1 && sensors->is_described && !sensors->is_summed)
		return es_error_say(err, -EINVAL,
				    "'%.64s' names %zu sensors and domain= or name= one domain: "
				    "sum=yes adds them up",
				    sensors->pattern, n_chosen);
	for (size_t i = 0; i < n_chosen; i++) {
		sensors->chosen[i] = all[chosen[i]];
		sensors->is_gone[i] = false;
	}
	sensors->n_chosen = n_chosen;
	return 0;
}

static bool is_same_table(const struct es_sdr_state *a, const struct es_sdr_state *b)
{
	return a->n_records == b->n_records && a->added_t_s == b->added_t_s &&
	       a->erased_t_s == b->erased_t_s;
}

static int find_sensors(struct sensors *sensors, struct es_error *err)
{
	es_cleanup(es_freep) struct es_sdr_sensor *all = NULL;
	struct es_sdr_state state = { .n_records = 0 };
	size_t n = 0;
	int r = es_sdr_ask_state(sensors->bmc.ipmi, &state, err);

	if (r < 0 && r != -EOPNOTSUPP)
		return r;
	if (sensors->n_chosen > 0 && r == 0 && is_same_table(&state, &sensors->state))
		return 0;
	r = es_sdr_find(sensors->bmc.ipmi, sensors->url.timeout_ns / 2 * 3, &all, &n, err);
	if (r < 0)
		return r;
	if (sensors->n_chosen > 0)
		/* The table was changed meanwhile. */
		es_ipmi_find_again(sensors->chosen, sensors->is_gone, sensors->n_chosen, all, n);
	else
		r = choose(sensors, all, n, err);
	if (r == 0)
		sensors->state = state;
	return r;
}

static int read_dcmi(struct sensors *sensors, double *ret_w)
{
	struct es_dcmi_power power;
	uint64_t mw = 0;
	int r = es_dcmi_ask_power(sensors->bmc.ipmi, 0, &power, NULL);

	if (r == 0)
		r = es_dcmi_judge_power(&power, false, &mw);
	if (r == 0 && es_dcmi_is_stale(&sensors->watch, power.now_w, power.t_s, es_clock_boot_ns()))
		r = -ESTALE;
	if (r == 0)
		*ret_w = (double)mw / 1e3;
	return r;
}

static void describe(const struct sensors *sensors, size_t i, struct es_domain *domain)
{
	const struct es_sdr_sensor *sensor = &sensors->chosen[i];

	es_meter_domain(&sensors->url, es_source_ipmi_sensor.name, domain);
	if (sensors->is_summed) {
		(void)snprintf(domain->reason, sizeof(domain->reason),
			       "the sum of %zu sensors that '%.64s' names", sensors->n_chosen,
			       sensors->pattern);
		return;
	}
	if (!sensors->is_described)
		es_ipmi_place(sensors->chosen, sensors->n_chosen, i, es_source_ipmi_sensor.name,
			      domain);
	if (domain->accuracy_ppm == 0)
		domain->accuracy_ppm = sensor->accuracy_ppm;
	(void)snprintf(domain->reason, sizeof(domain->reason), "sensor '%s'", sensor->name);
	if (sensor->owner != ES_SDR_OWNER_BMC) {
		domain->state = ES_STATE_ABSENT;
		(void)snprintf(domain->reason, sizeof(domain->reason),
			       "sensor '%s' belongs to controller 0x%02x behind the BMC, which is "
			       "not asked",
			       sensor->name, sensor->owner);
	}
}

static int add_domains(const struct sensors *sensors, struct es_remote *remote,
		       struct es_error *err)
{
	size_t n = sensors->is_summed ? 1 : sensors->n_chosen;
	struct es_domain domain;
	int r = 0;

	if (sensors->is_dcmi) {
		es_meter_domain(&sensors->url, es_source_ipmi_sensor.name, &domain);
		(void)snprintf(domain.reason, sizeof(domain.reason),
			       "the BMC's own power reading (DCMI): no sensor is named");
		return es_remote_add(remote, &domain);
	}
	for (size_t i = 0; r == 0 && i < n; i++) {
		describe(sensors, i, &domain);
		r = es_remote_add(remote, &domain);
	}
	return r < 0 ? es_error_set(err, r, "the BMC's sensors") : 0;
}

/* The domain that stands for a meter which did not answer at first: whether it is that of the sensor found later. */
static int check_default(const struct sensors *sensors, struct es_error *err)
{
	struct es_domain domain;

	if (sensors->is_dcmi || sensors->is_summed)
		return 0;
	describe(sensors, 0, &domain);
	if (sensors->n_chosen == 1 && domain.type == sensors->url.type)
		return 0;
	return es_error_say(err, -ENODEV,
			    "its sensors were not known at the start: only the next run has them");
}

static int find_parts(struct sensors *sensors, struct es_error *err)
{
	double w;

	if (sensors->pattern[0] == '\0' && (sensors->is_dcmi || sensors->n_chosen == 0)) {
		int r = read_dcmi(sensors, &w);

		if (es_bmc_is_lost(&sensors->bmc, r) || r == -EBUSY)
			return es_error_set(err, r, "the BMC's power reading");
		/* Which one it is does not change during a run. */
		sensors->is_dcmi = sensors->is_dcmi || r == 0;
	}
	return sensors->is_dcmi ? 0 : find_sensors(sensors, err);
}

static int sensors_connect(void *arg, struct es_remote *remote, struct es_error *err)
{
	struct sensors *sensors = arg;
	bool is_first = !sensors->has_tried;
	int r = es_bmc_connect(&sensors->bmc, remote, err);

	sensors->has_tried = true;
	sensors->has_default = sensors->has_default || is_first;
	if (r < 0)
		return r;
	memset(&sensors->watch, 0, sizeof(sensors->watch));
	r = find_parts(sensors, err);
	es_bmc_say_fix(&sensors->bmc, remote, r);
	if (r < 0)
		return r;
	if (!is_first)
		return sensors->has_default ? check_default(sensors, err) : 0;
	r = add_domains(sensors, remote, err);
	sensors->has_default = r < 0;
	return r;
}

static int read_sensor(const struct sensors *sensors, size_t i, double *ret_w)
{
	if (sensors->is_gone[i])
		return -ENOENT;
	return es_sdr_ask(sensors->bmc.ipmi, &sensors->chosen[i], ret_w, NULL);
}

/* A part that is not known makes the sum unknown. */
static int read_sum(const struct sensors *sensors, double *ret_w)
{
	double sum_w = 0, w = 0;

	for (size_t i = 0; i < sensors->n_chosen; i++) {
		int r = read_sensor(sensors, i, &w);

		if (r < 0)
			return r;
		sum_w += w;
	}
	*ret_w = sum_w;
	return 0;
}

/* Whether the domain is the node itself. */
static bool is_node(const struct sensors *sensors, size_t i)
{
	if (sensors->is_dcmi || sensors->is_summed || sensors->is_described)
		return sensors->url.type == ES_DOMAIN_NODE;
	return es_ipmi_total_rank(sensors->chosen[i].name) > 0;
}

static int read_one(struct sensors *sensors, size_t i, uint64_t *ret)
{
	double w = 0;
	int r;

	if (sensors->is_dcmi)
		r = read_dcmi(sensors, &w);
	else if (sensors->is_summed)
		r = read_sum(sensors, &w);
	else
		r = i < sensors->n_chosen ? read_sensor(sensors, i, &w) : -ENODEV;
	/* A supply may rest; a machine that asks draws power. */
	if (r == 0 && !(w > 0) && is_node(sensors, i))
		r = -ENODATA;
	return r < 0 ? r : es_meter_value(&sensors->url, w, 1e3, ret);
}

static int sensors_read(void *arg, struct es_remote *remote, struct es_reading *ret, size_t n)
{
	struct sensors *sensors = arg;
	int64_t until_ns = es_clock_boot_ns() + sensors->url.timeout_ns;
	int r = es_bmc_wake(&sensors->bmc, remote);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		int64_t t0_ns = es_clock_boot_ns(), t1_ns;

		r = t0_ns < until_ns ? read_one(sensors, i, &ret[i].value) : -ETIMEDOUT;
		if (t0_ns < until_ns && es_bmc_is_lost(&sensors->bmc, r))
			return r;
		t1_ns = es_clock_boot_ns();
		ret[i].error = r;
		ret[i].t_ns = t0_ns + (t1_ns - t0_ns) / 2;
		ret[i].width_ns = t1_ns - t0_ns;
	}
	es_bmc_rest(&sensors->bmc);
	return 0;
}

static void sensors_disconnect(void *arg)
{
	es_bmc_disconnect(&((struct sensors *)arg)->bmc);
}

static void sensors_destroy(void *arg)
{
	struct sensors *sensors = arg;

	es_bmc_finish(&sensors->bmc);
	free(sensors);
}

static const struct es_remote_ops inband_ops = {
	.thread = "es-ipmi-sensor",
	.period_ns = ES_BMC_INBAND_PERIOD_NS,
	.period_min_ns = ES_BMC_INBAND_PERIOD_NS,
	.connect = sensors_connect,
	.read = sensors_read,
	.disconnect = sensors_disconnect,
	.destroy = sensors_destroy,
};

static const struct es_remote_ops lan_ops = {
	.thread = "es-ipmi-sensor",
	.period_ns = ES_BMC_LAN_PERIOD_NS,
	.denied_ns = ES_REMOTE_DENIED_NS,
	.connect = sensors_connect,
	.read = sensors_read,
	.disconnect = sensors_disconnect,
	.destroy = sensors_destroy,
};

static int take_url(struct sensors *sensors, const struct es_meter_url *url, struct es_error *err)
{
	const char *sum;

	sensors->url = *url;
	url = &sensors->url;
	sum = es_meter_url_param(url, "sum");
	sensors->pattern = url->path[0] == '/' ? url->path + 1 : url->path;
	sensors->is_described = es_meter_url_param(url, "domain") ||
				es_meter_url_param(url, "name");
	sensors->is_summed = sum && strcmp(sum, "yes") == 0;
	if (url->fragment[0])
		return es_error_say(err, -EINVAL, "meter '%.200s': nothing stands behind the name",
				    url->text);
	if (sum && !sensors->is_summed && strcmp(sum, "no") != 0)
		return es_error_say(err, -EINVAL, "meter '%.200s': sum= is yes or no", url->text);
	if (sensors->is_summed && sensors->pattern[0] == '\0')
		return es_error_say(err, -EINVAL, "meter '%.200s': sum= needs a name, like /PS*",
				    url->text);
	return es_bmc_init(&sensors->bmc, url, err);
}

static int sensors_open_at(const struct es_root *root, const struct es_meter_url *url,
			   struct es_source **ret, struct es_error *err)
{
	static const char *const params[] = { ES_BMC_PARAMS, "sum", NULL };
	struct sensors *sensors;
	int r = es_meter_url_check(url, params, err);

	if (r < 0)
		return r;
	sensors = calloc(1, sizeof(*sensors));
	if (!sensors)
		return es_error_set(err, -ENOMEM, "ipmi-sensor");
	r = take_url(sensors, url, err);
	if (r < 0) {
		sensors_destroy(sensors);
		return r;
	}
	return es_remote_open(root, url, &es_source_ipmi_sensor,
			      sensors->bmc.is_lan ? &lan_ops : &inband_ops, sensors, ret, err);
}

const struct es_source_ops es_source_ipmi_sensor = {
	.name = "ipmi-sensor",
	.schemes = "ipmi-sensor",
	.open_at = sensors_open_at,
	.settle = es_remote_settle,
	.end = es_remote_end,
	.plan = es_remote_plan,
	.read = es_remote_read,
	.ask = es_remote_ask,
	.wait = es_remote_wait,
	.close = es_remote_close,
};
