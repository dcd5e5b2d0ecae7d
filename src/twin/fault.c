/*
 * fault.c - what goes wrong on a simulated node when it is told to
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/fault.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "base/text.h"
#include "twin/host.h"

#define HOT_AIR_MC INT64_C(60000) /* of fault "throttle heat" */
#define USUAL_AIR_MC INT64_C(22000) /* the default of struct es_twin_options */
#define ORDER_MAX_BYTES 256U
#define WORDS_MAX 5U
#define LONGEST_NS (INT64_C(366) * 86400 * ES_NS_PER_S)

/* Sorted by name. */
static const struct es_twin_fault_kind kinds[] = {
	{ .name = "bmc-timeout",
	  .help = "the management controller answers nothing",
	  .aim = ES_TWIN_AIM_NODE },
	{ .name = "clock-step",
	  .help = "the node's wall clock jumps by TARGET: 1h, -90s",
	  .aim = ES_TWIN_AIM_CLOCK },
	{ .name = "eio",
	  .help = "every read of the meter fails",
	  .aim = ES_TWIN_AIM_METER,
	  .fault = ES_TWIN_FAULT_EIO },
	{ .name = "reload",
	  .help = "the driver is loaded anew: gone for 2 s, then from 0",
	  .aim = ES_TWIN_AIM_METER,
	  .fault = ES_TWIN_FAULT_RELOAD },
	{ .name = "reset",
	  .help = "the counter begins anew from 0",
	  .aim = ES_TWIN_AIM_METER,
	  .fault = ES_TWIN_FAULT_RESET,
	  .is_over_at_once = true },
	{ .name = "slow",
	  .help = "every answer takes 3 s",
	  .aim = ES_TWIN_AIM_METER,
	  .fault = ES_TWIN_FAULT_SLOW },
	{ .name = "stuck",
	  .help = "the value stands still",
	  .aim = ES_TWIN_AIM_METER,
	  .fault = ES_TWIN_FAULT_STUCK },
	{ .name = "throttle",
	  .help = "package-N is held at its lowest clock (PROCHOT), or heat: air of 60 °C comes in",
	  .aim = ES_TWIN_AIM_PACKAGE },
	{ .name = "vanish",
	  .help = "the meter's files are gone",
	  .aim = ES_TWIN_AIM_METER,
	  .fault = ES_TWIN_FAULT_VANISH },
	{ .name = "wrap",
	  .help = "the counter jumps to 10 J before its end",
	  .aim = ES_TWIN_AIM_METER,
	  .fault = ES_TWIN_FAULT_WRAP_SOON,
	  .is_over_at_once = true },
};

const struct es_twin_fault_kind *es_twin_fault_kinds(size_t *ret_n)
{
	*ret_n = ES_ARRAY_SIZE(kinds);
	return kinds;
}

/* What was ordered, in words of its own. */
struct order {
	char text[ORDER_MAX_BYTES]; /* cut into words */
	const char *fault, *target; /* target: NULL: none */
	int64_t dur_ns; /* 0: until cleared */
};

static int refuse(struct es_twin_host *host, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static int refuse(struct es_twin_host *host, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(host->faults.refused, sizeof(host->faults.refused), fmt, args);
	va_end(args);
	es_text_make_safe(host->faults.refused, false);
	return -EINVAL;
}

static int cut(struct es_twin_host *host, const char *text, struct order *ret)
{
	char *words[WORDS_MAX] = { NULL }, *rest = ret->text;
	size_t n = 0;

	*ret = (struct order){ .dur_ns = 0 };
	if (strlen(text) >= sizeof(ret->text))
		return refuse(host, "an order is at most %u letters", ORDER_MAX_BYTES - 1);
	memcpy(ret->text, text, strlen(text) + 1);
	for (char *word; (word = strsep(&rest, " \t\n")) && n < WORDS_MAX;)
		if (*word)
			words[n++] = word;
	if (n == 0)
		return refuse(host, "nothing was ordered: FAULT TARGET [for DURATION], or clear");
	ret->fault = words[0];
	if (n >= 3 && strcmp(words[n - 2], "for") == 0) {
		if (es_parse_duration_ns(words[n - 1], &ret->dur_ns) < 0 || ret->dur_ns <= 0 ||
		    ret->dur_ns > LONGEST_NS)
			return refuse(host, "'for %s': a time of up to a year, such as 10s",
				      words[n - 1]);
		n -= 2;
	}
	if (n > 2)
		return refuse(host, "'%s' is one too many: FAULT TARGET [for DURATION]", words[2]);
	ret->target = words[1] && n == 2 ? words[1] : NULL;
	return 0;
}

static int find_kind(struct es_twin_host *host, const char *name,
		     const struct es_twin_fault_kind **ret)
{
	const char *nearest = NULL;
	size_t least = SIZE_MAX;

	for (size_t i = 0; i < ES_ARRAY_SIZE(kinds); i++) {
		size_t distance = es_text_distance(name, kinds[i].name);

		if (distance == 0) {
			*ret = &kinds[i];
			return 0;
		}
		if (distance >= least)
			continue;
		least = distance;
		nearest = kinds[i].name;
	}
	if (nearest && es_text_is_near(least, strlen(nearest)))
		return refuse(host, "'%s' is no fault; did you mean '%s'?", name, nearest);
	return refuse(
		host,
		"'%s' is no fault: bmc-timeout, clock-step, eio, reload, reset, slow, stuck, throttle, vanish or wrap",
		name);
}

static int refuse_meter(struct es_twin_host *host, const char *target)
{
	const char *nearest = NULL;
	size_t least = SIZE_MAX;

	for (size_t i = 0; i < host->n_meters; i++) {
		size_t distance = es_text_distance(target, host->meters[i].name);

		if (distance >= least)
			continue;
		least = distance;
		nearest = host->meters[i].name;
	}
	if (!nearest)
		return refuse(host, "'%s': a node of kind %s has no meters", target,
			      host->kind->name);
	if (es_text_is_near(least, strlen(nearest)))
		return refuse(host, "'%s' is no meter of this node; did you mean '%s'?", target,
			      nearest);
	return refuse(host, "'%s' is no meter of this node; .twin/meters lists them", target);
}

static void set_throttle(struct es_twin_host *host, const struct es_twin_trouble *trouble,
			 bool begins)
{
	if (trouble->is_heat)
		es_twin_set_heat(host->node, begins ? HOT_AIR_MC : USUAL_AIR_MC);
	else
		(void)es_twin_set_prochot(host->node, trouble->package, begins);
}

static void set(struct es_twin_host *host, int64_t t_ns, const struct es_twin_trouble *trouble,
		bool begins)
{
	switch (trouble->kind->aim) {
	case ES_TWIN_AIM_METER:
		es_twin_meter_fault(trouble->meter, host->node, trouble->kind->fault, begins, t_ns);
		break;
	case ES_TWIN_AIM_CLOCK:
		host->wall_step_ns = begins ? trouble->step_ns : 0;
		break;
	case ES_TWIN_AIM_NODE:
		host->bmc_error = begins ? -ETIMEDOUT : 0;
		break;
	case ES_TWIN_AIM_PACKAGE:
		set_throttle(host, trouble, begins);
		break;
	}
}

static bool is_same(const struct es_twin_trouble *a, const struct es_twin_trouble *b)
{
	return a->kind == b->kind && a->meter == b->meter && a->package == b->package &&
	       a->is_heat == b->is_heat;
}

static void drop(struct es_twin_host *host, int64_t t_ns, size_t i)
{
	struct es_twin_faults *faults = &host->faults;
	struct es_twin_trouble over = faults->list[i];

	faults->list[i] = faults->list[--faults->n];
	set(host, t_ns, &over, false);
	if (!over.meter)
		return;
	/* Vanished and loaded anew at a time: it is gone as long as either says so. */
	for (size_t k = 0; k < faults->n; k++)
		if (faults->list[k].meter == over.meter &&
		    (faults->list[k].kind->fault == ES_TWIN_FAULT_VANISH ||
		     faults->list[k].kind->fault == ES_TWIN_FAULT_RELOAD))
			set(host, t_ns, &faults->list[k], true);
}

static int begin(struct es_twin_host *host, int64_t t_ns, const struct es_twin_trouble *trouble)
{
	struct es_twin_faults *faults = &host->faults;

	if (trouble->kind->is_over_at_once) {
		set(host, t_ns, trouble, true);
		return 0;
	}
	for (size_t i = 0; i < faults->n; i++)
		if (is_same(&faults->list[i], trouble)) {
			/* What stands still goes on standing where it is. */
			if (trouble->kind->aim != ES_TWIN_AIM_METER)
				set(host, t_ns, trouble, true);
			faults->list[i] = *trouble;
			return 0;
		}
	if (faults->n >= ES_TWIN_FAULTS_MAX) {
		(void)refuse(host, "more than %u faults at once", ES_TWIN_FAULTS_MAX);
		return -E2BIG;
	}
	faults->list[faults->n++] = *trouble;
	set(host, t_ns, trouble, true);
	return 0;
}

static int order_meters(struct es_twin_host *host, int64_t t_ns, const struct order *order,
			struct es_twin_trouble trouble)
{
	size_t n_found = 0;
	int r = 0;

	if (!order->target)
		return refuse(host, "%s of which meter? .twin/meters lists them",
			      trouble.kind->name);
	for (size_t i = 0; i < host->n_meters && r == 0; i++) {
		trouble.meter = &host->meters[i];
		if (fnmatch(order->target, trouble.meter->name, 0) != 0)
			continue;
		n_found++;
		if (trouble.kind->fault == ES_TWIN_FAULT_WRAP_SOON && trouble.meter->bits >= 64)
			r = refuse(host, "%s never wraps", trouble.meter->name);
		else
			r = begin(host, t_ns, &trouble);
	}
	return r < 0 || n_found ? r : refuse_meter(host, order->target);
}

static int order_clock(struct es_twin_host *host, int64_t t_ns, const struct order *order,
		       struct es_twin_trouble trouble)
{
	const char *text = order->target;

	if (!text)
		return refuse(host, "clock-step by how much? 1h, -90s");
	if (es_parse_duration_ns(text + (*text == '-' || *text == '+'), &trouble.step_ns) < 0 ||
	    trouble.step_ns > 100 * LONGEST_NS)
		return refuse(host, "clock-step '%s': a time such as 1h or -90s", text);
	if (*text == '-')
		trouble.step_ns = -trouble.step_ns;
	return begin(host, t_ns, &trouble);
}

static int order_throttle(struct es_twin_host *host, int64_t t_ns, const struct order *order,
			  struct es_twin_trouble trouble)
{
	static const char prefix[] = "package-";
	unsigned n = host->kind->n_packages, first = 0;
	uint64_t package;
	int r = 0;

	if (order->target && strcmp(order->target, "heat") == 0) {
		trouble.is_heat = true;
		return begin(host, t_ns, &trouble);
	}
	if (order->target) {
		if (strncmp(order->target, prefix, sizeof(prefix) - 1) != 0 ||
		    es_parse_u64(order->target + sizeof(prefix) - 1, &package) < 0 || package >= n)
			return refuse(host, "throttle '%s': heat, or package-0 to package-%u",
				      order->target, n - 1);
		first = (unsigned)package;
		n = first + 1;
	}
	for (trouble.package = first; trouble.package < n && r == 0; trouble.package++)
		r = begin(host, t_ns, &trouble);
	return r;
}

static void clear(struct es_twin_host *host, int64_t t_ns)
{
	while (host->faults.n > 0)
		drop(host, t_ns, host->faults.n - 1);
}

static int obey(struct es_twin_host *host, int64_t t_ns, const struct order *order)
{
	struct es_twin_trouble trouble = { .package = 0 };
	int64_t dur_ns = order->dur_ns;

	if (strcmp(order->fault, "clear") == 0) {
		if (order->target || dur_ns)
			return refuse(host, "nothing goes behind clear");
		clear(host, t_ns);
		return 0;
	}
	if (find_kind(host, order->fault, &trouble.kind) < 0)
		return -EINVAL;
	if (trouble.kind->is_over_at_once && dur_ns)
		return refuse(host, "%s is over at once: without 'for'", trouble.kind->name);
	if (trouble.kind->aim == ES_TWIN_AIM_METER && trouble.kind->fault == ES_TWIN_FAULT_RELOAD &&
	    dur_ns == 0)
		dur_ns = ES_TWIN_RELOAD_NS;
	trouble.until_ns = dur_ns ? t_ns + dur_ns : 0;
	switch (trouble.kind->aim) {
	case ES_TWIN_AIM_METER:
		return order_meters(host, t_ns, order, trouble);
	case ES_TWIN_AIM_CLOCK:
		return order_clock(host, t_ns, order, trouble);
	case ES_TWIN_AIM_PACKAGE:
		return order_throttle(host, t_ns, order, trouble);
	case ES_TWIN_AIM_NODE:
		break;
	}
	if (order->target)
		return refuse(host, "nothing goes behind %s but 'for DURATION'",
			      trouble.kind->name);
	return begin(host, t_ns, &trouble);
}

int es_twin_fault_order(struct es_twin_host *host, int64_t t_ns, const char *text)
{
	struct order order = { .dur_ns = 0 };
	int r = cut(host, text, &order);

	if (r == 0 && order.fault)
		r = obey(host, t_ns, &order);
	if (r == 0)
		host->faults.refused[0] = '\0';
	return r;
}

void es_twin_fault_tick(struct es_twin_host *host, int64_t t_ns)
{
	for (size_t i = host->faults.n; i-- > 0;)
		if (host->faults.list[i].until_ns && host->faults.list[i].until_ns <= t_ns)
			drop(host, host->faults.list[i].until_ns, i);
}

/* What it is aimed at, as it would be ordered. */
static const char *target_text(const struct es_twin_trouble *trouble, char text[static 64])
{
	switch (trouble->kind->aim) {
	case ES_TWIN_AIM_METER:
		return trouble->meter->name;
	case ES_TWIN_AIM_CLOCK:
		if (trouble->step_ns % ES_NS_PER_S == 0)
			(void)snprintf(text, 64, "%llds", trouble->step_ns / ES_NS_PER_S);
		else
			(void)snprintf(text, 64, "%" PRId64 "ns", trouble->step_ns);
		return text;
	case ES_TWIN_AIM_PACKAGE:
		(void)snprintf(text, 64, trouble->is_heat ? "heat" : "package-%u",
			       trouble->package);
		return text;
	case ES_TWIN_AIM_NODE:
		break;
	}
	return "";
}

int es_twin_fault_show(const struct es_twin_host *host, int64_t t_ns, struct es_buf *out)
{
	char text[64];

	for (size_t i = 0; i < host->faults.n; i++) {
		const struct es_twin_trouble *trouble = &host->faults.list[i];
		const char *target = target_text(trouble, text);

		(void)es_buf_printf(out, "%s%s%s", trouble->kind->name, *target ? " " : "", target);
		if (trouble->until_ns)
			(void)es_buf_printf(out, " for %" PRId64 "ms",
					    (trouble->until_ns - t_ns + 999999) / 1000000);
		(void)es_buf_u8(out, '\n');
	}
	if (host->faults.refused[0])
		(void)es_buf_printf(out, "refused: %s\n", host->faults.refused);
	return out->error;
}

void es_twin_fault_json(const struct es_twin_host *host, int64_t t_ns, struct es_json *json)
{
	char text[64];

	for (size_t i = 0; i < host->faults.n; i++) {
		const struct es_twin_trouble *trouble = &host->faults.list[i];
		const char *target = target_text(trouble, text);

		es_json_object(json, NULL);
		es_json_string(json, "fault", trouble->kind->name);
		es_json_string(json, "target", *target ? target : NULL);
		if (trouble->until_ns)
			es_json_decimal(json, "left_s", trouble->until_ns - t_ns, 9);
		else
			es_json_null(json, "left_s");
		es_json_object_end(json);
	}
}
