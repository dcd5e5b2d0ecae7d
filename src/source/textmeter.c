/*
 * source/textmeter.c - one number of a text as a reading: where in it, in which unit, how old
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/textmeter.h"

#include <errno.h>

#include "base/clock.h"
#include "base/parse.h"

#define W_MW 1e3
#define PERIODS_HELD 3 /* an answer that takes long makes one or two fail to come */
#define HOLD_MAX_NS (600 * ES_NS_PER_S)

int es_text_meter_init(struct es_text_meter *meter, const struct es_meter_url *url,
		       int64_t stale_ns, struct es_error *err)
{
	const struct es_pick_words words = {
		.fragment = url->fragment,
		.column = es_meter_url_param(url, "column"),
		.key = es_meter_url_param(url, "key"),
		.time = es_meter_url_param(url, "time"),
		.list = es_meter_url_param(url, "list"),
		.where = es_meter_url_param(url, "where"),
	};
	struct es_error why = { .code = 0 };

	meter->fresh = (struct es_fresh){ .stale_ns = stale_ns };
	if (es_pick_init(&words, &meter->pick, &why) < 0)
		return es_error_say(err, -EINVAL, "meter '%.200s': %s", url->text, why.text);
	return 0;
}

int64_t es_text_meter_hold(int64_t stale_ns, int64_t period_ns, bool has_times)
{
	if (!has_times)
		return PERIODS_HELD * period_ns;
	return stale_ns && stale_ns < HOLD_MAX_NS ? stale_ns : HOLD_MAX_NS;
}

int es_text_meter_stale(int error, int64_t stale_ns, struct es_error *err)
{
	char limit[ES_QUANTITY_TEXT_BYTES];

	if (error == -ESTALE)
		return es_error_say(err, error,
				    "what it shows is older than %s (stale= sets another limit)",
				    es_duration_text(stale_ns, limit));
	if (error == -ERANGE)
		return es_error_say(
			err, error,
			"its time is ahead of ours: set both clocks by NTP, or leave out "
			"time=");
	return error;
}

int es_text_meter_take(struct es_text_meter *meter, const struct es_meter_url *url,
		       const char *text, size_t n, struct es_reading *ret, struct es_error *err)
{
	struct es_picked picked;
	struct es_now now = es_now();
	int r = es_pick(&meter->pick, text, n, &picked, err);

	ret->error = r;
	if (r < 0)
		return r;
	r = es_meter_value(url, picked.value, W_MW, &ret->value);
	if (r < 0)
		(void)es_error_say(err, r, "%g is not what a meter shows", picked.value);
	if (r == 0 && picked.has_time)
		r = es_text_meter_stale(es_fresh_place(&meter->fresh, picked.t_unix_ns, now,
						       &ret->t_ns),
					meter->fresh.stale_ns, err);
	else if (r == 0)
		r = es_text_meter_stale(es_fresh_stands(&meter->fresh,
							es_mark(ES_MARK_BEGIN, text, n),
							now.boot_ns),
					meter->fresh.stale_ns, err);
	ret->error = r;
	return r;
}
