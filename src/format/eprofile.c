/*
 * eprofile.c - the eprofile: power over time and tags, as JSON
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "format/profile.h"
#include "format/profile_signals.h"

/* Which domains a curve adds up. */
enum curve {
	CURVE_TOTAL, /* the fine cover */
	CURVE_CPU, /* of it, without memory and GPUs */
	CURVE_DRAM,
	CURVE_GPU,
	CURVE_NODE, /* the total cover */
};

static bool belongs(enum curve curve, const struct es_domain *domain)
{
	switch (curve) {
	case CURVE_TOTAL:
		return domain->is_chosen;
	case CURVE_CPU:
		return domain->is_chosen && domain->type != ES_DOMAIN_DRAM &&
		       domain->type != ES_DOMAIN_GPU;
	case CURVE_DRAM:
		return domain->is_chosen && domain->type == ES_DOMAIN_DRAM;
	case CURVE_GPU:
		return domain->is_chosen && domain->type == ES_DOMAIN_GPU;
	case CURVE_NODE:
		return domain->is_chosen_total;
	}
	return false;
}

/* Sum of a curve's domains in a bin; false where one of them is not known there, or there is none. */
static bool sum_bin(const struct es_profile *profile, enum curve curve, size_t bin,
		    uint64_t *ret_mw)
{
	uint64_t sum_mw = 0;
	bool has_any = false;

	for (size_t i = 0; i < profile->report->meta->n_domains; i++) {
		uint64_t power_mw;

		if (profile->series[i].n_bins == 0 || !belongs(curve, &profile->report->domains[i]))
			continue;
		if (!es_series_power_mw(&profile->series[i], bin, &power_mw))
			return false;
		sum_mw += power_mw;
		has_any = true;
	}
	*ret_mw = sum_mw;
	return has_any;
}

static void put_power(struct es_json *json, bool is_known, uint64_t power_mw)
{
	if (is_known)
		es_json_decimal(json, NULL, (int64_t)power_mw, 3);
	else
		es_json_null(json, NULL);
}

/* Sample i is the mean of the interval that ends at it; the first is repeated. */
static void put_curve(const struct es_profile *profile, const char *key, enum curve curve,
		      struct es_json *json)
{
	es_json_array_inline(json, key);
	for (size_t i = 0; i <= profile->n_bins; i++) {
		uint64_t power_mw = 0;
		bool is_known = sum_bin(profile, curve, i ? i - 1 : 0, &power_mw);

		put_power(json, is_known, power_mw);
	}
	es_json_array_end(json);
}

static bool has_curve(const struct es_profile *profile, enum curve curve)
{
	for (size_t i = 0; i < profile->report->meta->n_domains; i++)
		if (profile->series[i].n_bins && belongs(curve, &profile->report->domains[i]))
			return true;
	return false;
}

static void device_name(const struct es_profile *profile, size_t domain, char *text, size_t size)
{
	const struct es_domain *d = &profile->report->domains[domain];

	(void)snprintf(text, size, "%s/%s", profile->report->meta->nodes[d->node].name, d->name);
}

static void put_devices(const struct es_profile *profile, struct es_json *json)
{
	es_json_object(json, "devices");
	for (size_t i = 0; i < profile->report->meta->n_domains; i++) {
		char name[2 * ES_NAME_MAX_BYTES];

		if (profile->series[i].n_bins == 0)
			continue;
		device_name(profile, i, name, sizeof(name));
		es_json_array_inline(json, name);
		for (size_t bin = 0; bin <= profile->n_bins; bin++) {
			uint64_t power_mw = 0;
			bool is_known = es_series_power_mw(&profile->series[i], bin ? bin - 1 : 0,
							   &power_mw);

			put_power(json, is_known, power_mw);
		}
		es_json_array_end(json);
	}
	es_json_object_end(json);
}

static void put_tags(const struct es_profile *profile, struct es_json *json)
{
	const struct es_report *report = profile->report;

	es_json_object(json, "tags");
	for (size_t i = 0; i < report->n_regions; i++) {
		const struct es_report_region *region = &report->regions[i];
		int64_t start_unix_ns = es_report_unix_ns(report, region->start_ns),
			stop_unix_ns = es_report_unix_ns(report, region->stop_ns);
		char text[ES_TIME_TEXT_BYTES];

		es_json_object(json, region->name);
		es_json_string(json, "start", es_time_local_seconds(start_unix_ns, text));
		es_json_string(json, "stop", es_time_local_seconds(stop_unix_ns, text));
		es_json_string(json, "start(utc)", es_time_rfc3339_utc(start_unix_ns, text));
		es_json_string(json, "stop(utc)", es_time_rfc3339_utc(stop_unix_ns, text));
		es_json_decimal(json, "start(sec)", region->start_ns - report->start_ns, 9);
		es_json_decimal(json, "stop(sec)", region->stop_ns - report->start_ns, 9);
		if (region->is_known)
			es_json_decimal(json, "joule(J)", (int64_t)region->energy_uj, 6);
		else
			es_json_null(json, "joule(J)");
		es_json_object_end(json);
	}
	es_json_object_end(json);
}

/* What the arrays alone do not say: what each device is, and its exact energy. */
static void put_domain(const struct es_profile *profile, size_t i, struct es_json *json)
{
	const struct es_domain *domain = &profile->report->domains[i];
	const struct es_series *series = &profile->series[i];
	char name[2 * ES_NAME_MAX_BYTES];
	uint64_t energy_uj = 0;
	int64_t covered_ns = 0;

	for (size_t bin = 0; bin < profile->n_bins; bin++) {
		energy_uj += series->energy_uj[bin];
		covered_ns += es_series_covered_ns(series, bin);
	}
	device_name(profile, i, name, sizeof(name));
	es_json_object(json, NULL);
	es_json_string(json, "device", name);
	es_json_string(json, "node", profile->report->meta->nodes[domain->node].name);
	es_json_string(json, "id", domain->id);
	es_json_string(json, "name", domain->name);
	es_json_string(json, "type", es_domain_type_name(domain->type));
	es_json_string(json, "kind", es_kind_name(domain->kind));
	es_json_string(json, "source", domain->source);
	es_json_i64(json, "package", domain->package);
	es_json_i64(json, "die", domain->die);
	es_json_u64(json, "limit_mw", domain->limit_mw);
	es_json_string(json, "limit_kind", domain->limit_kind[0] ? domain->limit_kind : NULL);
	es_json_u64(json, "energy_uj", energy_uj);
	es_json_i64(json, "covered_ns", covered_ns);
	es_json_u64(json, "idle_mw", domain->idle_mw);
	es_json_u64(json, "full_mw", domain->full_mw);
	es_json_u64(json, "idle_spread_ppm", domain->idle_spread_ppm);
	es_json_u64(json, "spread_ppm", domain->spread_ppm);
	if (domain->accuracy_ppm)
		es_json_u64(json, "accuracy_ppm", domain->accuracy_ppm);
	es_json_bool(json, "is_chosen", domain->is_chosen);
	es_json_bool(json, "is_chosen_total", domain->is_chosen_total);
	es_json_object_end(json);
}

static void put_own(const struct es_profile *profile, struct es_json *json)
{
	const struct es_meta *meta = profile->report->meta;

	es_json_object(json, "energyscopium");
	es_json_string(json, "job", meta->job);
	es_json_string(json, "user", meta->user[0] ? meta->user : NULL);
	es_json_string(json, "command", meta->command[0] ? meta->command : NULL);
	es_json_u64(json, "ncpus", meta->n_cpus);
	es_json_u64(json, "ngpus", meta->n_gpus);
	es_json_i64(json, "start_unix_ns", es_report_unix_ns(profile->report, profile->start_ns));
	es_json_i64(json, "stop_unix_ns", es_report_unix_ns(profile->report, profile->stop_ns));
	es_json_i64(json, "period_ns", profile->bin_ns);
	es_json_i64(json, "planned_period_ns", meta->period_ns);
	es_json_array(json, "nodes");
	for (size_t i = 0; i < meta->n_nodes; i++)
		es_json_string(json, NULL, meta->nodes[i].name);
	es_json_array_end(json);
	es_json_array(json, "domains");
	for (size_t i = 0; i < meta->n_domains; i++)
		if (profile->series[i].n_bins)
			put_domain(profile, i, json);
	es_json_array_end(json);
	es_json_object_end(json);
}

static const char *kind_of(const struct es_report *report)
{
	const char *kind = NULL;

	for (size_t i = 0; i < report->meta->n_domains; i++) {
		if (!report->domains[i].is_chosen || !report->by_domain[i].is_known)
			continue;
		if (kind && strcmp(kind, es_kind_name(report->domains[i].kind)) != 0)
			return "mixed";
		kind = es_kind_name(report->domains[i].kind);
	}
	return kind;
}

static void put_profile(const struct es_profile *profile, struct es_json *json)
{
	es_json_decimal(json, "eprofile_period(ms)", profile->bin_ns, 6);
	es_json_u64(json, "nb_sample", profile->n_bins + 1);
	es_json_string(json, "kind", kind_of(profile->report));
	put_tags(profile, json);
	put_curve(profile, "etotal(W)", CURVE_TOTAL, json);
	put_curve(profile, "ecpu(W)", CURVE_CPU, json);
	if (has_curve(profile, CURVE_DRAM))
		put_curve(profile, "edram(W)", CURVE_DRAM, json);
	if (has_curve(profile, CURVE_GPU))
		put_curve(profile, "egpu(W)", CURVE_GPU, json);
	if (profile->report->metered_uj && profile->report->total_uj != profile->report->fine_uj)
		put_curve(profile, "enode(W)", CURVE_NODE, json);
	put_devices(profile, json);
	es_profile_temperatures_json(profile, json);
	put_own(profile, json);
}

int es_eprofile_write(const struct es_profile *profile, const struct es_profile_options *options,
		      es_json_sink_fn write, void *sink)
{
	struct es_json json;

	es_json_init(&json, write, sink, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", "energyscopium.eprofile/1");
	if (options->has_layout_2022) {
		es_json_object(&json, "data");
		es_json_object(&json, "data");
		put_profile(profile, &json);
		es_json_object_end(&json);
		es_json_object_end(&json);
	} else {
		put_profile(profile, &json);
	}
	es_json_object_end(&json);
	return es_json_end(&json);
}
