/*
 * region_show.c - regions in the report's JSON and table
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/region_show.h"

#include <stdio.h>

#include "base/parse.h"
#include "format/letters.h"
#include "format/regions.h"

#define UNTAGGED "untagged"
#define NAME_COLUMNS 20
#define OTHER_COLUMNS 40 /* of a name within a line */

const char *es_region_method_name(enum es_region_method method)
{
	switch (method) {
	case ES_REGION_INTERPOLATED:
		return "interpolated";
	case ES_REGION_FITTED:
		return "fitted";
	case ES_REGION_INSEPARABLE:
		return "inseparable";
	}
	return "unknown";
}

static void put_uj(struct es_json *json, const char *key, bool is_known, uint64_t energy_uj)
{
	if (is_known)
		es_json_decimal(json, key, (int64_t)energy_uj, 6);
	else
		es_json_null(json, key);
}

static void put_domains(const struct es_report *report, const struct es_report_region *region,
			struct es_json *json)
{
	if (!region->is_known || !region->by_domain_uj) {
		es_json_null(json, "by_domain");
		return;
	}
	es_json_array(json, "by_domain");
	for (size_t i = 0; i < report->meta->n_domains; i++) {
		const struct es_domain *domain = &report->domains[i];

		if (!domain->is_chosen || !report->by_domain[i].is_known)
			continue;
		es_json_object(json, NULL);
		es_json_string(json, "node", report->meta->nodes[domain->node].name);
		es_json_string(json, "domain", domain->name);
		put_uj(json, "energy_j", true, region->by_domain_uj[i]);
		es_json_object_end(json);
	}
	es_json_array_end(json);
}

/* The others of a group; @region NULL: all of them. */
static void put_members(const struct es_report *report, const struct es_report_group *group,
			const struct es_report_region *region, struct es_json *json)
{
	for (size_t i = 0; i < group->n_regions; i++)
		if (&report->regions[group->regions[i]] != region)
			es_json_string(json, NULL, report->regions[group->regions[i]].name);
	if (group->has_untagged)
		es_json_string(json, NULL, UNTAGGED);
}

void es_region_json(const struct es_report *report, const struct es_report_region *region,
		    struct es_json *json)
{
	bool has_group = region->group != ES_REPORT_NO_GROUP;

	es_json_string(json, "method", es_region_method_name(region->method));
	put_uj(json, "exclusive_j", region->has_exclusive && !has_group, region->exclusive_uj);
	if (region->has_exclusive)
		es_json_decimal(json, "exclusive_s", region->exclusive_ns, 9);
	else
		es_json_null(json, "exclusive_s");
	put_domains(report, region, json);
	if (!has_group)
		return;
	es_json_array_inline(json, "not_separable_from");
	put_members(report, &report->groups[region->group], region, json);
	es_json_array_end(json);
	put_uj(json, "group_energy_j", true, report->groups[region->group].energy_uj);
	es_json_double(json, "group_uncertainty_j", report->groups[region->group].uncertainty_j);
}

void es_region_json_rest(const struct es_report *report, struct es_json *json)
{
	es_json_object(json, "untagged");
	es_json_decimal(json, "duration_s", report->untagged.dur_ns, 9);
	put_uj(json, "energy_j", report->untagged.is_known, report->untagged.energy_uj);
	es_json_object_end(json);
	es_json_array(json, "inseparable");
	for (size_t i = 0; i < report->n_groups; i++) {
		const struct es_report_group *group = &report->groups[i];

		es_json_object(json, NULL);
		es_json_array_inline(json, "regions");
		put_members(report, group, NULL, json);
		es_json_array_end(json);
		es_json_decimal(json, "duration_s", group->dur_ns, 9);
		put_uj(json, "energy_j", true, group->energy_uj);
		es_json_double(json, "uncertainty_j", group->uncertainty_j);
		es_json_object_end(json);
	}
	es_json_array_end(json);
}

/* Who else is in the group, as far as a line holds. */
static void put_others(const struct es_report *report, const struct es_report_region *region,
		       struct es_buf *out)
{
	const struct es_report_group *group = &report->groups[region->group];
	size_t n_named = 0;

	for (size_t i = 0; i < group->n_regions && n_named < 3; i++) {
		const struct es_report_region *other = &report->regions[group->regions[i]];

		if (other == region)
			continue;
		(void)es_buf_str(out, n_named++ ? ", " : "");
		es_letters_cell(out, other->name, OTHER_COLUMNS, false);
	}
	if (group->has_untagged)
		(void)es_buf_printf(out, "%s%s", n_named++ ? ", " : "", UNTAGGED);
	if (n_named < group->n_regions - 1 + group->has_untagged)
		(void)es_buf_printf(out, " and %zu more",
				    group->n_regions - 1 + group->has_untagged - n_named);
}

/* Rows are to fit 100 columns: long times and wide bounds have fewer decimals. */
static void put_time(int64_t dur_ns, struct es_buf *out)
{
	double dur_s = es_s_from_ns(dur_ns);

	(void)es_buf_printf(out, " %10.*f",
			    dur_s < 999.9999995	 ? 6
			    : dur_s < 99999.9995 ? 4
						 : 3,
			    dur_s);
}

static void put_region(const struct es_report *report, const struct es_report_region *region,
		       struct es_buf *out)
{
	char own[32] = "";

	if (region->has_exclusive && region->group == ES_REPORT_NO_GROUP)
		(void)snprintf(own, sizeof(own), "%.3f", es_j_from_uj(region->exclusive_uj));
	else if (region->has_exclusive)
		(void)snprintf(own, sizeof(own), "n/a");
	(void)es_buf_str(out, "  ");
	es_letters_cell(out, region->name, NAME_COLUMNS, true);
	(void)es_buf_printf(out, " %7u", region->n_calls);
	put_time(region->dur_ns, out);
	if (!region->is_known) {
		(void)es_buf_printf(out, " %12s %12s %8s %9s  ", "n/a", "n/a", "n/a", "n/a");
		if (region->group != ES_REPORT_NO_GROUP) {
			(void)es_buf_str(out, "not separable from ");
			put_others(report, region, out);
			(void)es_buf_printf(out, ": %.3f J together\n",
					    es_j_from_uj(report->groups[region->group].energy_uj));
		} else {
			(void)es_buf_str(out, "nothing here measured it\n");
		}
		return;
	}
	(void)es_buf_printf(out, " %12.3f %12s %8.*f %9.2f  %s\n", es_j_from_uj(region->energy_uj),
			    own, region->uncertainty_j < 9999.9995 ? 3 : 0, region->uncertainty_j,
			    es_w_from_mw(es_mean_power_mw(region->energy_uj, region->dur_ns)),
			    es_region_method_name(region->method));
}

void es_region_table(const struct es_report *report, struct es_buf *out)
{
	const struct es_report_untagged *untagged = &report->untagged;
	bool has_tags = false;

	for (size_t i = 0; i < report->n_regions && !has_tags; i++)
		has_tags = !es_region_is_automatic(report->regions[i].name);
	if (!has_tags)
		return;
	/* "±" has two bytes in one column. */
	(void)es_buf_printf(out, "  %-*s %7s %10s %12s %12s %9s %9s  %s\n", NAME_COLUMNS, "region",
			    "calls", "time (s)", "energy (J)", "own part (J)", "± (J)", "mean (W)",
			    "method");
	for (size_t i = 0; i < report->n_regions; i++)
		put_region(report, &report->regions[i], out);
	if (!untagged->is_known)
		return;
	(void)es_buf_printf(out, "  %-*s %7s", NAME_COLUMNS, "(untagged)", "");
	put_time(untagged->dur_ns, out);
	(void)es_buf_printf(out, " %12s %12.3f\n", "", es_j_from_uj(untagged->energy_uj));
}
