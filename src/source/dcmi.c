/*
 * source/dcmi.c - node power from a management controller by DCMI, in-band or across a network
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "sys/dcmi.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "source/bmc.h"
#include "source/source.h"

struct dcmi {
	struct es_bmc bmc;
	int64_t average_ns; /* the rolling average that is wanted; 0: the power now */
	uint8_t average_code;
	struct es_dcmi_watch watch;
};

/* Which of its rolling averages is the one that is wanted. */
static int choose_average(struct dcmi *dcmi, const struct es_dcmi_abilities *abilities,
			  struct es_error *err)
{
	char wanted[ES_QUANTITY_TEXT_BYTES], list[128] = "";
	size_t at = 0;

	for (size_t i = 0; i < abilities->n_averages; i++) {
		char one[ES_QUANTITY_TEXT_BYTES];

		if (abilities->average_ns[i] == dcmi->average_ns) {
			dcmi->average_code = abilities->average_codes[i];
			return 0;
		}
		if (at < sizeof(list) - ES_QUANTITY_TEXT_BYTES - 2)
			at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", at ? ", " : "",
					       es_duration_text(abilities->average_ns[i], one));
	}
	return es_error_say(err, -EOPNOTSUPP, "the BMC keeps no average over %s%s%s",
			    es_duration_text(dcmi->average_ns, wanted), at ? ", only over " : "",
			    list);
}

static int say_unmeasured(int error, const struct es_dcmi_power *power, struct es_error *err)
{
	if (error == -ERANGE)
		return es_error_say(err, error, "the BMC shows %u W, all bits set: no measurement",
				    power->now_w);
	return es_error_say(err, error, "the BMC shows %u W and says that its measurement is %s",
			    power->now_w, power->is_active ? "active" : "not active");
}

/* Some BMCs measure and do not say so among their abilities: a reading decides. */
static int try_it(struct dcmi *dcmi, struct es_error *err)
{
	struct es_dcmi_abilities abilities = { .has_power = false };
	struct es_dcmi_power power;
	struct es_error why = { .code = 0 };
	uint64_t mw = 0;
	int able = es_dcmi_ask_abilities(dcmi->bmc.ipmi, &abilities, err), r;

	if (able < 0 && able != -EOPNOTSUPP && able != -EINVAL && able != -EBADMSG)
		return able;
	r = dcmi->average_ns ? choose_average(dcmi, &abilities, &why) : 0;
	if (r == 0)
		r = es_dcmi_ask_power(dcmi->bmc.ipmi, dcmi->average_code, &power, &why);
	if (r == 0) {
		r = es_dcmi_judge_power(&power, dcmi->average_ns > 0, &mw);
		if (r < 0)
			r = say_unmeasured(r, &power, &why);
	}
	if (r < 0 && able < 0)
		return able;
	if (r < 0 && err)
		*err = why;
	return r;
}

static int dcmi_connect(void *arg, struct es_remote *remote, struct es_error *err)
{
	const struct es_meter_url *url = es_remote_url(remote);
	struct dcmi *dcmi = arg;
	struct es_domain domain;
	int r = es_bmc_connect(&dcmi->bmc, remote, err);

	if (r < 0)
		return r;
	r = try_it(dcmi, err);
	if (r < 0) {
		es_bmc_say_fix(&dcmi->bmc, remote, r);
		if (r == -EOPNOTSUPP && dcmi->average_ns == 0)
			es_remote_say_fix(
				remote,
				"ipmi-sensor: in place of dcmi: reads the BMC's power sensors");
		return r;
	}
	memset(&dcmi->watch, 0, sizeof(dcmi->watch));
	es_meter_domain(url, es_source_dcmi.name, &domain);
	if (dcmi->average_ns)
		domain.update_period_ns = dcmi->average_ns;
	return es_remote_add(remote, &domain);
}

static int read_power(struct dcmi *dcmi, const struct es_meter_url *url, uint64_t *ret)
{
	bool is_average = dcmi->average_ns > 0;
	struct es_dcmi_power power;
	uint64_t mw = 0;
	int r = es_dcmi_ask_power(dcmi->bmc.ipmi, dcmi->average_code, &power, NULL);

	if (r == 0)
		r = es_dcmi_judge_power(&power, is_average, &mw);
	if (r < 0)
		return r;
	if (es_dcmi_is_stale(&dcmi->watch, is_average ? power.mean_w : power.now_w, power.t_s,
			     es_clock_boot_ns()))
		return -ESTALE;
	return es_meter_value(url, (double)mw / 1e3, 1e3, ret);
}

static int dcmi_read(void *arg, struct es_remote *remote, struct es_reading *ret, size_t n)
{
	struct dcmi *dcmi = arg;
	int r = es_bmc_wake(&dcmi->bmc, remote);

	if (r < 0)
		return r;
	r = read_power(dcmi, es_remote_url(remote), &ret[0].value);
	es_bmc_rest(&dcmi->bmc);
	if (es_bmc_is_lost(&dcmi->bmc, r))
		return r;
	for (size_t i = 0; i < n; i++)
		ret[i].error = i == 0 ? r : -ENODEV;
	return 0;
}

static void dcmi_disconnect(void *arg)
{
	es_bmc_disconnect(&((struct dcmi *)arg)->bmc);
}

static void dcmi_destroy(void *arg)
{
	struct dcmi *dcmi = arg;

	es_bmc_finish(&dcmi->bmc);
	free(dcmi);
}

static const struct es_remote_ops inband_ops = {
	.thread = "es-dcmi",
	.period_ns = ES_BMC_INBAND_PERIOD_NS,
	.period_min_ns = ES_BMC_INBAND_PERIOD_NS,
	.connect = dcmi_connect,
	.read = dcmi_read,
	.disconnect = dcmi_disconnect,
	.destroy = dcmi_destroy,
};

static const struct es_remote_ops lan_ops = {
	.thread = "es-dcmi",
	.period_ns = ES_BMC_LAN_PERIOD_NS,
	.denied_ns = ES_REMOTE_DENIED_NS,
	.connect = dcmi_connect,
	.read = dcmi_read,
	.disconnect = dcmi_disconnect,
	.destroy = dcmi_destroy,
};

static int take_average(struct dcmi *dcmi, const struct es_meter_url *url, struct es_error *err)
{
	const char *text = es_meter_url_param(url, "average");

	if (text && (es_parse_duration_ns(text, &dcmi->average_ns) < 0 || dcmi->average_ns <= 0))
		return es_error_say(err, -EINVAL,
				    "meter '%.200s': average= is a time with its unit, like 30s",
				    url->text);
	return 0;
}

static int dcmi_open_at(const struct es_root *root, const struct es_meter_url *url,
			struct es_source **ret, struct es_error *err)
{
	static const char *const params[] = { ES_BMC_PARAMS, "average", NULL };
	struct dcmi *dcmi;
	int r = es_meter_url_check(url, params, err);

	if (r == 0 && (url->path[0] || url->fragment[0]))
		r = es_error_say(err, -EINVAL, "meter '%.200s': nothing stands behind the host",
				 url->text);
	if (r < 0)
		return r;
	dcmi = calloc(1, sizeof(*dcmi));
	if (!dcmi)
		return es_error_set(err, -ENOMEM, "dcmi");
	r = take_average(dcmi, url, err);
	if (r == 0)
		r = es_bmc_init(&dcmi->bmc, url, err);
	if (r < 0) {
		dcmi_destroy(dcmi);
		return r;
	}
	return es_remote_open(root, url, &es_source_dcmi, dcmi->bmc.is_lan ? &lan_ops : &inband_ops,
			      dcmi, ret, err);
}

const struct es_source_ops es_source_dcmi = {
	.name = "dcmi",
	.schemes = "dcmi",
	.open_at = dcmi_open_at,
	.settle = es_remote_settle,
	.end = es_remote_end,
	.plan = es_remote_plan,
	.read = es_remote_read,
	.ask = es_remote_ask,
	.wait = es_remote_wait,
	.close = es_remote_close,
};
