/*
 * source/textmeter.h - one number of a text as a reading: where in it, in which unit, how old
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_TEXTMETER_H
#define ES_SOURCE_TEXTMETER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "source/fresh.h"
#include "source/pick.h"
#include "source/source.h"
#include "source/url.h"

/* Parameters of such meters, for es_meter_url_check(). */
#define ES_TEXT_PARAMS "column", "key", "time", "list", "where"

/** struct es_text_meter - which number, and what was seen of it last */
struct es_text_meter {
	struct es_pick pick;
	struct es_fresh fresh;
};

/** es_text_meter_init - 0, or -EINVAL with what the URL has wrong */
int es_text_meter_init(struct es_text_meter *meter, const struct es_meter_url *url,
		       int64_t stale_ns, struct es_error *err);
/**
 * es_text_meter_take - the reading that @n bytes of @text show
 * @ret: value, time (0: it has none of its own) or error; -ECANCELED: the same as before, by its time
 * Returns ret->error, with @err.
 */
int es_text_meter_take(struct es_text_meter *meter, const struct es_meter_url *url,
		       const char *text, size_t n, struct es_reading *ret, struct es_error *err);

/**
 * es_text_meter_hold - how far apart readings may be and leave no gap
 * @has_times: values have times of their own, so there is one whenever the meter makes it, not whenever it is asked
 */
int64_t es_text_meter_hold(int64_t stale_ns, int64_t period_ns, bool has_times);

/** es_text_meter_stale - what a value that is too old, from the future, or stands still is called; returns @error */
int es_text_meter_stale(int error, int64_t stale_ns, struct es_error *err);

#endif
