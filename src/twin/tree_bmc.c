/*
 * tree_bmc.c - what a management controller sees of a simulated node, and its files below .twin/bmc/
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "twin/bmc_private.h"
#include "twin/sysfs.h"

#define UPDATE_NS ES_NS_PER_S
#define UW_PER_W UINT64_C(1000000)
#define PERIOD_NS (60 * ES_NS_PER_S) /* of the statistics that are told */
#define SPREAD_PPM 10000 /* controllers are within 1 % where nothing else is known */
#define LIMIT_PARTS 5U /* a node is not limited below a fifth of what it may draw */

static uint16_t u16_of(uint64_t w)
{
	return w > UINT16_MAX ? UINT16_MAX : (uint16_t)w;
}

int es_twin_view_watts(const struct es_twin_host *host, int64_t t_ns, uint16_t *ret)
{
	uint64_t uw;
	int r = es_twin_meter_power_uw(host->view->meter, host->node, t_ns, &uw);

	if (r == 0)
		*ret = u16_of(uw / UW_PER_W);
	return r;
}

uint16_t es_twin_view_part_watts(const struct es_twin_host *host, enum es_twin_part part,
				 int64_t t_ns)
{
	const struct es_twin_meter *meter = host->view->meter;
	uint64_t uw = es_twin_mean_uw(host->node, part, 0, es_twin_meter_time_ns(meter, t_ns),
				      meter->window_ns);

	return u16_of((uint64_t)((double)uw * (1e6 + meter->gain_ppm) / 1e12 + 0.5));
}

struct es_twin_watts es_twin_view_period(const struct es_twin_host *host, int64_t t_ns,
					 int64_t dur_ns)
{
	const struct es_twin_view *view = host->view;
	struct es_twin_watts watts = { .min_w = UINT16_MAX };
	int64_t at_ns = es_twin_meter_time_ns(view->meter, t_ns);
	uint64_t sum = 0, n = 0;
	uint16_t w = 0;

	/* The values that were shown, a second apart; what is shown now is one of them. */
	for (int64_t back_ns = 0; back_ns < dur_ns; back_ns += UPDATE_NS) {
		if (n > 0 && at_ns - back_ns < host->start_ns)
			break;
		if (es_twin_view_watts(host, at_ns - back_ns, &w) < 0)
			break;
		watts.min_w = w < watts.min_w ? w : watts.min_w;
		watts.max_w = w > watts.max_w ? w : watts.max_w;
		sum += w;
		n++;
	}
	watts.mean_w = n ? (uint16_t)((sum + n / 2) / n) : 0;
	watts.min_w = n ? watts.min_w : 0;
	return watts;
}

bool es_twin_view_limits(const struct es_twin_host *host, uint16_t *ret_min_w, uint16_t *ret_max_w)
{
	struct es_twin_limit limit;
	uint16_t max_w = u16_of((uint64_t)host->kind->supply_w);

	*ret_min_w = (uint16_t)(max_w / LIMIT_PARTS);
	*ret_max_w = max_w;
	return es_twin_limit(host->node, ES_TWIN_BOARD, 0, 0, &limit) == 0;
}

int es_twin_view_set_cap(struct es_twin_host *host, const struct es_twin_cap *cap)
{
	struct es_twin_limit limit;
	uint16_t min_w, max_w;
	int r;

	if (!es_twin_view_limits(host, &min_w, &max_w) ||
	    es_twin_limit(host->node, ES_TWIN_BOARD, 0, 0, &limit) < 0)
		return -EOPNOTSUPP;
	if (cap->is_set && (cap->watts < min_w || cap->watts > max_w))
		return -ERANGE;
	limit.is_enabled = cap->is_set && cap->is_active;
	if (limit.is_enabled) {
		limit.power_uw = cap->watts * UW_PER_W;
		if (cap->correction_ms > 0)
			limit.window_us = cap->correction_ms * INT64_C(1000);
	}
	r = es_twin_set_limit(host->node, ES_TWIN_BOARD, 0, 0, &limit);
	if (r == 0)
		host->view->cap = *cap;
	return r;
}

unsigned es_twin_view_n_fans(const struct es_twin_host *host)
{
	return host->kind->fan_max_rpm > 0 ? ES_TWIN_BMC_FANS : 0;
}

/* Powers, temperatures, fans, in this order. */
bool es_twin_view_sensor(const struct es_twin_host *host, size_t i, struct es_twin_sensor *ret)
{
	unsigned n_packages = host->kind->n_packages, n = (unsigned)i;
	uint8_t watts_step = (uint8_t)((unsigned)host->kind->supply_w / 250 + 1);
	struct es_twin_sensor s;

	if (n == 0) {
		s = (struct es_twin_sensor){ "Sys Power", 0x0b, 6, 7, 1, watts_step };
	} else if (n <= ES_TWIN_BMC_SUPPLIES) {
		s = (struct es_twin_sensor){ "", 0x0b, 6, 10, (uint8_t)n, watts_step };
		(void)snprintf(s.name, sizeof(s.name), "PS%hhu Input Power", s.instance);
	} else if ((n -= ES_TWIN_BMC_SUPPLIES) == 1) {
		s = (struct es_twin_sensor){ "Inlet Temp", 1, 1, 64, 1, 1 };
	} else if ((n -= 1) <= n_packages) {
		s = (struct es_twin_sensor){ "", 1, 1, 3, (uint8_t)n, 1 };
		(void)snprintf(s.name, sizeof(s.name), "CPU%hhu Temp", s.instance);
	} else if ((n -= n_packages) <= es_twin_view_n_fans(host)) {
		s = (struct es_twin_sensor){
			"", 4, 18, 29, (uint8_t)n, (uint8_t)(host->kind->fan_max_rpm / 250 + 1)
		};
		(void)snprintf(s.name, sizeof(s.name), "Fan%hhu", s.instance);
	} else {
		return false;
	}
	*ret = s;
	return true;
}

/* What sensor @a shows, in its unit. */
static int show_sensor(const struct es_twin_file *file, void *handle, int64_t t_ns,
		       struct es_buf *out)
{
	const struct es_twin_host *host = file->host;
	struct es_twin_sensor sensor;
	uint64_t value = 0;
	uint16_t w = 0;
	int64_t mc;
	int r = 0;

	(void)handle;
	if (!es_twin_view_sensor(host, file->a, &sensor))
		return -ENODEV;
	switch (sensor.unit) {
	case 1:
		mc = sensor.entity == 3 ? es_twin_temperature_mc(host->node, ES_TWIN_PACKAGE,
								 sensor.instance - 1U)
					: es_twin_temperature_mc(host->node, ES_TWIN_NODE, 0);
		value = mc > 0 ? (uint64_t)(mc + 500) / 1000 : 0;
		break;
	case 6:
		r = es_twin_view_watts(host, t_ns, &w);
		/* The supplies share the load; the first has the odd watt. */
		value = sensor.entity == 7 ? w
					   : (w + ES_TWIN_BMC_SUPPLIES - sensor.instance) /
						     ES_TWIN_BMC_SUPPLIES;
		break;
	default:
		value = es_twin_fan_rpm(host->node);
	}
	return r < 0 ? r : es_buf_printf(out, "%llu\n", (unsigned long long)value);
}

static int show_power(const struct es_twin_file *file, void *handle, int64_t t_ns,
		      struct es_buf *out)
{
	uint16_t w = 0;
	int r = es_twin_view_watts(file->host, t_ns, &w);

	(void)handle;
	return r < 0 ? r : es_buf_printf(out, "%u\n", w);
}

static int show_dcmi(const struct es_twin_file *file, void *handle, int64_t t_ns,
		     struct es_buf *out)
{
	const struct es_twin_host *host = file->host;
	struct es_twin_dcmi dcmi = { .cap = host->view->cap };
	char text[ES_TWIN_DCMI_TEXT_BYTES];
	int r = es_twin_view_watts(host, t_ns, &dcmi.watts);

	(void)handle;
	if (r < 0)
		return r;
	dcmi.period = es_twin_view_period(host, t_ns, PERIOD_NS);
	dcmi.period_ms = PERIOD_NS / ES_NS_PER_MS;
	for (size_t i = 0; i < ES_TWIN_DCMI_AVERAGES; i++)
		dcmi.averages[i] = es_twin_view_period(host, t_ns, es_twin_dcmi_average_ns(i));
	dcmi.t_s = (uint32_t)((es_clock_unix_ns() + host->wall_step_ns) / ES_NS_PER_S);
	dcmi.has_limit = es_twin_view_limits(host, &dcmi.limit_min_w, &dcmi.limit_max_w);
	return es_buf_append(out, text, es_twin_dcmi_print(&dcmi, text));
}

/* What the simulator's module was told. */
static int store_dcmi(const struct es_twin_file *file, void *handle, int64_t t_ns, const char *text)
{
	struct es_twin_cap cap = file->host->view->cap;
	int r = es_twin_dcmi_parse_order(text, &cap);

	(void)handle;
	(void)t_ns;
	if (r < 0)
		return r == -EBADMSG ? -EINVAL : r;
	return es_twin_view_set_cap(file->host, &cap);
}

static int show_url(const struct es_twin_file *file, void *handle, int64_t t_ns, struct es_buf *out)
{
	const struct es_twin_bmc *bmc = file->host->bmc;
	const char *const urls[] = { bmc ? bmc->redfish_url : "", bmc ? bmc->dcmi_url : "" };

	(void)handle;
	(void)t_ns;
	for (size_t i = 0; i < ES_ARRAY_SIZE(urls); i++)
		if (*urls[i])
			(void)es_buf_printf(out, "%s\n", urls[i]);
	return out->error;
}

static int show_credentials(const struct es_twin_file *file, void *handle, int64_t t_ns,
			    struct es_buf *out)
{
	const struct es_twin_bmc *bmc = file->host->bmc;

	(void)handle;
	(void)t_ns;
	return bmc ? es_buf_printf(out, "user: %s\npassword: %s\n", ES_TWIN_BMC_USER, bmc->password)
		   : 0;
}

static struct es_twin_meter *new_meter(struct es_twin_host *host)
{
	struct es_twin_meter *meter = es_twin_host_meter(host, "bmc/node");
	const struct es_twin_kind *kind = host->kind;

	if (!meter)
		return NULL;
	meter->part = ES_TWIN_NODE;
	meter->update_ns = UPDATE_NS;
	meter->window_ns = UPDATE_NS;
	meter->grain_uw = UW_PER_W;
	/* This one's error is its own, and always the same. */
	meter->gain_ppm =
		kind->meters.bmc_gain_ppm
			? kind->meters.bmc_gain_ppm
			: (int32_t)(es_twin_hash(host->name) % (2 * SPREAD_PPM + 1)) - SPREAD_PPM;
	es_twin_meter_start(meter, host->node, es_twin_now_ns(host->node));
	return meter;
}

void es_twin_make_bmc(struct es_twin_host *host)
{
	static const struct es_twin_file_ops power = { .show = show_power };
	static const struct es_twin_file_ops dcmi = { .show = show_dcmi, .store = store_dcmi };
	static const struct es_twin_file_ops url = { .show = show_url };
	static const struct es_twin_file_ops credentials = { .show = show_credentials };
	static const struct es_twin_file_ops sensor_ops = { .show = show_sensor };
	struct es_twin_file file = { .a = 0 };
	struct es_twin_sensor sensor;
	char name[32];

	if (!host->kind->meters.has_bmc)
		return;
	host->view = es_twin_tree_keep(host->tree, sizeof(*host->view));
	if (!host->view)
		return;
	host->view->meter = new_meter(host);
	if (!host->view->meter) {
		es_twin_tree_fail(host->tree, ES_TWIN_BMC_FOLDER, -ENOSPC);
		return;
	}
	es_twin_put_file(host->tree, 0444, ES_TWIN_BMC_FOLDER, "url", &url, &file);
	es_twin_put_file(host->tree, 0400, ES_TWIN_BMC_FOLDER, "credentials", &credentials, &file);
	file.meter = host->view->meter;
	es_twin_put_file(host->tree, 0444, ES_TWIN_BMC_FOLDER, "power_w", &power, &file);
	es_twin_put_file(host->tree, 0644, ES_TWIN_BMC_FOLDER, "dcmi", &dcmi, &file);
	for (; es_twin_view_sensor(host, file.a, &sensor); file.a++) {
		file.meter = sensor.unit == 6 ? host->view->meter : NULL;
		(void)snprintf(name, sizeof(name), "sensor-%u", file.a + 1);
		es_twin_put_file(host->tree, 0444, ES_TWIN_BMC_FOLDER, name, &sensor_ops, &file);
	}
}
