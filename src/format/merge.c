/*
 * merge.c - recordings of one job on several nodes become one, on one clock
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/merge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/parse.h"
#include "core/offset.h"
#include "core/watch.h"

#define BINS_MAX 20000U
#define LAG_NS (60 * ES_NS_PER_S) /* clocks that nobody keeps are off by so much, not by more */
#define LAGS_MAX 1000U
#define BIN_MIN_NS (10 * ES_NS_PER_MS)
#define APART_MAX_NS (366 * 86400 * ES_NS_PER_S)
#define CLOCK_MAX_NS \
	(ES_TIME_MAX_NS / 4 * 3) /* the year 2079: sums and differences of clocks fit */
#define ROWS_MAX 8U

/* One recording while its times are found out. */
struct part {
	struct es_recording *recording;
	bool has_reading, has_clock, is_kept, has_wall;
	int64_t first_ns, last_ns; /* its boot clock */
	int64_t ahead_ns; /* wall clock - boot clock, when last looked at: after a step it is right */
	int64_t kept_ns; /* the most that it is off, as NTP says */
	struct es_watch watch;
	struct es_domain *domains; /* while it is watched */
	bool *counts; /* [domain] */
	double *bins; /* [n] energy */
	size_t n;
	int64_t t0_ns, bin_ns; /* of the bins, by its boot clock */
};

static int on_reading(void *arg, size_t domain, int64_t t_ns, uint64_t value, int64_t activity_ns)
{
	struct part *part = arg;

	(void)domain;
	(void)value;
	(void)activity_ns;
	if (!part->has_reading || t_ns < part->first_ns)
		part->first_ns = t_ns;
	if (!part->has_reading || t_ns > part->last_ns)
		part->last_ns = t_ns;
	part->has_reading = true;
	return 0;
}

static int on_clock(void *arg, int64_t boot_ns, int64_t mono_ns, int64_t unix_ns)
{
	struct part *part = arg;

	(void)mono_ns;
	part->ahead_ns = unix_ns - boot_ns;
	part->has_clock = true;
	return 0;
}

static int on_event(void *arg, const struct es_event *event)
{
	struct part *part = arg;

	if (event->type != ES_EVENT_WALL_CLOCK)
		return 0;
	part->is_kept = (part->is_kept || !part->has_wall) && event->value >= 0;
	part->has_wall = true;
	if (event->value > part->kept_ns)
		part->kept_ns = event->value;
	return 0;
}

static int look(struct part *part)
{
	static const struct es_visitor visitor = { .reading = on_reading,
						   .event = on_event,
						   .clock = on_clock };
	const struct es_meta *meta = es_recording_meta(part->recording);

	part->ahead_ns = meta->start_unix_ns - meta->start_boot_ns;
	return es_recording_walk(part->recording, &visitor, part);
}

/* Spread over the bins that it touches, by time. */
static void on_sample(void *arg, size_t domain, const struct es_sample *sample)
{
	struct part *part = arg;
	int64_t t_ns = sample->t0_ns > part->t0_ns ? sample->t0_ns : part->t0_ns;
	double power = (double)sample->energy_uj / (double)(sample->t1_ns - sample->t0_ns);

	if (!part->counts[domain] || sample->is_gap || sample->t1_ns <= t_ns)
		return;
	for (size_t i = (size_t)((t_ns - part->t0_ns) / part->bin_ns); i < part->n; i++) {
		int64_t end_ns = part->t0_ns + ((int64_t)i + 1) * part->bin_ns;
		int64_t upto_ns = sample->t1_ns < end_ns ? sample->t1_ns : end_ns;

		part->bins[i] += power * (double)(upto_ns - t_ns);
		t_ns = upto_ns;
		if (t_ns >= sample->t1_ns)
			return;
	}
}

static int watch_reading(void *arg, size_t domain, int64_t t_ns, uint64_t value,
			 int64_t activity_ns)
{
	struct part *part = arg;

	es_watch_reading(&part->watch, domain, t_ns, value, activity_ns);
	return 0;
}

/* The quickest that it has: parts. A meter of the whole node is late and smooth. */
static void choose(struct part *part, const struct es_meta *meta)
{
	bool has_parts = false;

	for (size_t pass = 0; pass < 2 && !has_parts; pass++)
		for (size_t i = 0; i < meta->n_domains; i++) {
			const struct es_domain *domain = &meta->domains[i];
			bool is_part = domain->type == ES_DOMAIN_PACKAGE ||
				       domain->type == ES_DOMAIN_DIE ||
				       domain->type == ES_DOMAIN_GPU;

			part->counts[i] = !domain->is_partial && (is_part || pass == 1);
			has_parts = has_parts || part->counts[i];
		}
}

static int gather(struct part *part, int64_t from_unix_ns, int64_t bin_ns, size_t n)
{
	static const struct es_visitor visitor = { .reading = watch_reading };
	const struct es_meta *meta = es_recording_meta(part->recording);
	int r = -ENOMEM;

	part->bins = calloc(n, sizeof(*part->bins));
	part->counts = calloc(meta->n_domains + 1, sizeof(*part->counts));
	part->domains = calloc(meta->n_domains + 1, sizeof(*part->domains));
	part->n = n;
	part->bin_ns = bin_ns;
	part->t0_ns = from_unix_ns - part->ahead_ns;
	if (part->bins && part->counts && part->domains) {
		if (meta->n_domains)
			memcpy(part->domains, meta->domains,
			       meta->n_domains * sizeof(*part->domains));
		choose(part, meta);
		r = es_watch_init(&part->watch, part->domains, meta->n_domains, meta->period_ns);
	}
	if (r == 0) {
		part->watch.on_sample = on_sample;
		part->watch.arg = part;
		r = es_recording_walk(part->recording, &visitor, part);
		es_watch_end(&part->watch);
		es_watch_finish(&part->watch);
	}
	free(part->counts);
	free(part->domains);
	part->counts = NULL;
	part->domains = NULL;
	return r;
}

/* What is settled about a clock: NTP's word holds where the steps of power do not say that it is wrong. */
static void settle(const struct part *first, const struct part *part, bool has_steps,
		   const struct es_offset *steps, struct es_merge_node *node)
{
	bool is_kept = first->is_kept && part->is_kept;
	int64_t kept_ns = first->kept_ns + part->kept_ns;

	node->by = is_kept ? ES_CLOCK_KEPT : ES_CLOCK_UNKNOWN;
	node->bound_ns = is_kept ? kept_ns : 0;
	if (!has_steps)
		return;
	node->likeness = steps->likeness;
	if (is_kept && llabs(steps->offset_ns) <= kept_ns + steps->bound_ns)
		return;
	node->by = ES_CLOCK_STEPS;
	node->is_against_ntp = is_kept;
	node->offset_ns = steps->offset_ns;
	node->bound_ns = steps->bound_ns;
}

/* One node after the other against the first, so that two series are in memory. */
static int compare(struct part *parts, size_t n, struct es_merge *merge)
{
	int64_t from_ns = INT64_MAX, to_ns = INT64_MIN, bin_ns = BIN_MIN_NS;
	size_t n_bins, n_lags;
	int r;

	for (size_t i = 0; i < n; i++) {
		int64_t period_ns = es_recording_meta(parts[i].recording)->period_ns;

		if (!parts[i].has_reading)
			continue;
		bin_ns = period_ns > bin_ns && period_ns < LAG_NS ? period_ns : bin_ns;
		from_ns = merge->nodes[i].start_unix_ns < from_ns ? merge->nodes[i].start_unix_ns
								  : from_ns;
		to_ns = merge->nodes[i].stop_unix_ns > to_ns ? merge->nodes[i].stop_unix_ns : to_ns;
	}
	if (from_ns >= to_ns)
		return 0;
	if (to_ns - from_ns > APART_MAX_NS)
		return -ERANGE;
	while ((to_ns - from_ns) / bin_ns >= (int64_t)BINS_MAX)
		bin_ns *= 2;
	n_bins = (size_t)((to_ns - from_ns) / bin_ns) + 1;
	n_lags = LAG_NS / bin_ns < (int64_t)LAGS_MAX ? (size_t)(LAG_NS / bin_ns) : LAGS_MAX;
	r = gather(&parts[0], from_ns, bin_ns, n_bins);
	for (size_t i = 1; r == 0 && i < n; i++) {
		struct es_offset steps = { .offset_ns = 0 };
		bool has_steps;

		r = gather(&parts[i], from_ns, bin_ns, n_bins);
		if (r < 0)
			break;
		has_steps = es_offset_find(parts[0].bins, parts[i].bins, n_bins, bin_ns, n_lags,
					   &steps);
		settle(&parts[0], &parts[i], has_steps, &steps, &merge->nodes[i]);
		free(parts[i].bins);
		parts[i].bins = NULL;
	}
	return r;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A node that is there twice would count twice. */
static int refuse_twice(struct es_recording *const *parts, size_t n, struct es_error *err)
{
	const char **names;
	size_t n_names = 0;
	int r = 0;

	for (size_t i = 0; i < n; i++)
		n_names += es_recording_meta(parts[i])->n_nodes;
	names = calloc(n_names + 1, sizeof(*names));
	if (!names)
		return es_error_set(err, -ENOMEM, "recordings");
	n_names = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < es_recording_meta(parts[i])->n_nodes; k++)
			names[n_names++] = es_recording_meta(parts[i])->nodes[k].name;
	qsort(names, n_names, sizeof(*names), by_name);
	for (size_t i = 1; r == 0 && i < n_names; i++)
		if (strcmp(names[i - 1], names[i]) == 0)
			r = es_error_say(err, -EEXIST,
					 "two recordings are of node '%s': it would count twice",
					 names[i]);
	free(names);
	return r;
}

/* What the file of anybody says of its clocks; -ERANGE: no machine's. */
static int place(const struct part *part, struct es_merge_node *node)
{
	if (llabs(part->ahead_ns) > CLOCK_MAX_NS)
		return -ERANGE;
	node->start_unix_ns = part->first_ns + part->ahead_ns;
	node->stop_unix_ns = part->last_ns + part->ahead_ns;
	return llabs(node->start_unix_ns) > CLOCK_MAX_NS || llabs(node->stop_unix_ns) > CLOCK_MAX_NS
		       ? -ERANGE
		       : 0;
}

static int look_at_all(struct part *parts, struct es_recording *const *recordings, size_t n,
		       struct es_merge *merge)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		struct es_merge_node *node = &merge->nodes[i];

		parts[i].recording = recordings[i];
		r = look(&parts[i]);
		(void)snprintf(node->name, sizeof(node->name), "%s",
			       es_recording_meta(recordings[i])->nodes[0].name);
		if (r == 0)
			r = place(&parts[i], node);
	}
	return r;
}

static int join(struct part *parts, struct es_recording *const *recordings, size_t n,
		const struct es_merge *merge, struct es_recording **ret)
{
	int64_t *shift_ns = calloc(n, sizeof(*shift_ns));
	int r;

	if (!shift_ns)
		return -ENOMEM;
	for (size_t i = 1; i < n; i++) {
		shift_ns[i] = parts[i].ahead_ns - parts[0].ahead_ns - merge->nodes[i].offset_ns;
		if (llabs(shift_ns[i]) > ES_TIME_MAX_NS / 2) {
			free(shift_ns);
			return -ERANGE;
		}
	}
	r = es_recording_join(recordings, shift_ns, n, ret);
	free(shift_ns);
	return r;
}

int es_merge(struct es_recording *const *recordings, size_t n, struct es_recording **ret,
	     struct es_merge *ret_merge, struct es_error *err)
{
	struct es_merge merge = { .nodes = calloc(n, sizeof(*merge.nodes)), .n = n };
	struct part *parts = calloc(n, sizeof(*parts));
	int r = merge.nodes && parts ? refuse_twice(recordings, n, err)
				     : es_error_set(err, -ENOMEM, "recordings");

	if (r == 0) {
		r = look_at_all(parts, recordings, n, &merge);
		if (r == 0)
			r = compare(parts, n, &merge);
		if (r == 0)
			r = join(parts, recordings, n, &merge, ret);
		if (r == -ERANGE)
			(void)es_error_say(
				err, r, "the recordings are more than a year apart: not one job's");
		else if (r == -E2BIG)
			(void)es_error_say(
				err, r,
				"too many nodes, domains or signals for one report: %u domains at most",
				ES_JOINED_MAX);
		else if (r < 0)
			(void)es_error_set(err, r, "cannot read the recordings");
	}
	for (size_t i = 0; parts && i < n; i++)
		free(parts[i].bins);
	free(parts);
	if (r < 0)
		es_merge_finish(&merge);
	else
		*ret_merge = merge;
	return r;
}

void es_merge_finish(struct es_merge *merge)
{
	free(merge->nodes);
	*merge = (struct es_merge){ .n = 0 };
}

static void put_row(const struct es_merge *merge, const struct es_merge_node *node,
		    const char *label, struct es_buf *out)
{
	const char *first = merge->nodes[0].name;
	double offset_s = es_s_from_ns(node->offset_ns), bound_s = es_s_from_ns(node->bound_ns);

	(void)es_buf_printf(out, "  %-10s %s ", label, node->name);
	switch (node->by) {
	case ES_CLOCK_UNKNOWN:
		(void)es_buf_printf(
			out, "against %s: not known how far they are apart, taken as right\n",
			first);
		break;
	case ES_CLOCK_KEPT:
		(void)es_buf_printf(out, "within %.3g s of %s: both are kept by NTP%s\n", bound_s,
				    first, node->likeness > 0 ? ", and steps of power agree" : "");
		break;
	case ES_CLOCK_STEPS:
		(void)es_buf_printf(out, "%.3f s %s of %s ±%.3g s by steps of power, put right%s\n",
				    offset_s < 0 ? -offset_s : offset_s,
				    offset_s < 0 ? "behind" : "ahead", first, bound_s,
				    node->is_against_ntp ? ": more than NTP says that they can be"
							 : "");
		break;
	}
}

void es_merge_rows(const struct es_merge *merge, struct es_buf *out)
{
	size_t n_kept = 0;
	int64_t bound_ns = 0;

	for (size_t i = 1; i < merge->n; i++) {
		n_kept += merge->nodes[i].by == ES_CLOCK_KEPT;
		if (merge->nodes[i].by == ES_CLOCK_KEPT && merge->nodes[i].bound_ns > bound_ns)
			bound_ns = merge->nodes[i].bound_ns;
	}
	if (merge->n > 2 && n_kept == merge->n - 1) {
		(void)es_buf_printf(out, "  %-10s all kept by NTP, within %.3g s of that of %s\n",
				    "clocks", es_s_from_ns(bound_ns), merge->nodes[0].name);
		return;
	}
	for (size_t i = 1; i < merge->n && i <= ROWS_MAX; i++)
		put_row(merge, &merge->nodes[i], i == 1 ? "clocks" : "", out);
	if (merge->n > ROWS_MAX + 1)
		(void)es_buf_printf(out, "  %-10s and of %zu further nodes, which JSON lists\n", "",
				    merge->n - 1 - ROWS_MAX);
}

void es_merge_members(const struct es_merge *merge, struct es_json *json)
{
	static const char *const words[] = {
		[ES_CLOCK_UNKNOWN] = NULL, [ES_CLOCK_KEPT] = "ntp", [ES_CLOCK_STEPS] = "power_steps"
	};
	char text[ES_TIME_TEXT_BYTES];

	es_json_array(json, "clocks");
	for (size_t i = 0; i < merge->n; i++) {
		const struct es_merge_node *node = &merge->nodes[i];

		es_json_object(json, NULL);
		es_json_string(json, "node", node->name);
		es_json_string(json, "start", es_time_rfc3339(node->start_unix_ns, text));
		es_json_string(json, "stop", es_time_rfc3339(node->stop_unix_ns, text));
		if (i == 0 || node->by != ES_CLOCK_UNKNOWN) {
			es_json_decimal(json, "offset_s", node->offset_ns, 9);
			es_json_decimal(json, "uncertainty_s", node->bound_ns, 9);
		} else {
			es_json_null(json, "offset_s");
			es_json_null(json, "uncertainty_s");
		}
		es_json_string(json, "by", i == 0 ? "reference" : words[node->by]);
		es_json_bool(json, "against_ntp", node->is_against_ntp);
		es_json_object_end(json);
	}
	es_json_array_end(json);
}
