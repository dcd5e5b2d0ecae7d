/*
 * sources.c - energyscopium sources: the meters of this machine, what is chosen and why
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/parse.h"
#include "cli/activity_show.h"
#include "cli/command.h"
#include "cli/crosscheck.h"
#include "cli/daemonlink.h"
#include "cli/output.h"
#include "cli/settings.h"
#include "cli/survey.h"

#define CROSS_LEAST_NS 3000000000LL
#define CROSS_MOST_NS 86400000000000LL

struct sources {
	const char *root, *as, *daemon;
	struct es_text_list meters;
	bool is_unwatched, explains;
	bool is_json;
	const char *cross_check; /* how long, or a recording; NULL: not asked */
	int64_t cross_ns; /* 0: a recording */
	char **command; /* that puts the load on; NULL: ours */
	struct es_survey survey;
	struct es_crosscheck check;
};

static void put_domain_json(const struct es_survey *survey, const struct es_domain *domain,
			    struct es_json *json)
{
	es_json_object(json, NULL);
	es_json_string(json, "id", domain->id);
	es_json_string(json, "name", domain->name);
	es_json_string(json, "type", es_domain_type_name(domain->type));
	es_json_string(json, "kind", es_kind_name(domain->kind));
	es_json_string(json, "parent",
		       domain->parent >= 0 ? survey->domains[domain->parent].id : NULL);
	es_json_string(json, "state", es_state_name(domain->state));
	es_json_string(json, "duplicate_of",
		       domain->duplicate_of >= 0 ? survey->domains[domain->duplicate_of].id : NULL);
	es_json_string(json, "reason", domain->reason[0] ? domain->reason : NULL);
	es_json_string(json, "fix", domain->fix[0] ? domain->fix : NULL);
	/* The largest value: one step less than the modulus. */
	if (domain->range.modulus_nj)
		es_json_u64(json, "range_uj",
			    (domain->range.modulus_nj - domain->range.unit_nj) / 1000);
	else
		es_json_null(json, "range_uj");
	if (domain->update_period_ns)
		es_json_decimal(json, "update_period_ms", domain->update_period_ns, 6);
	else
		es_json_null(json, "update_period_ms");
	if (domain->accuracy_ppm)
		es_json_u64(json, "accuracy_ppm", domain->accuracy_ppm);
	else
		es_json_null(json, "accuracy_ppm");
	if (domain->limit_mw)
		es_json_decimal(json, "limit_w", (int64_t)domain->limit_mw, 3);
	else
		es_json_null(json, "limit_w");
	es_json_string(json, "pci", domain->pci[0] ? domain->pci : NULL);
	es_json_string(json, "model", domain->model[0] ? domain->model : NULL);
	es_json_string(json, "uuid", domain->uuid[0] ? domain->uuid : NULL);
	es_json_bool(json, "chosen", domain->is_chosen || domain->is_chosen_total);
	es_json_object_end(json);
}

static void put_cover_json(const struct es_survey *survey, const char *key, bool is_total,
			   struct es_json *json)
{
	es_json_array(json, key);
	for (size_t i = 0; i < survey->n_domains; i++)
		if (is_total ? survey->domains[i].is_chosen_total : survey->domains[i].is_chosen)
			es_json_string(json, NULL, survey->domains[i].id);
	es_json_array_end(json);
}

/* null: in no container, and nothing is hidden. */
static void put_container(const struct es_hidden *hidden, struct es_json *json)
{
	static const char *const hides[] = {
		[ES_HIDDEN_NOT] = NULL, [ES_HIDDEN_MASKED] = "powercap", [ES_HIDDEN_NO_SYS] = "sys"
	};

	if (hidden->runtime == ES_RUNTIME_NONE && hidden->how == ES_HIDDEN_NOT) {
		es_json_null(json, "container");
		return;
	}
	es_json_object(json, "container");
	es_json_string(json, "runtime", es_runtime_name(hidden->runtime));
	es_json_string(json, "hides", hides[hidden->how]);
	es_json_string(json, "reason", hidden->reason[0] ? hidden->reason : NULL);
	es_json_string(json, "fix", hidden->fix[0] ? hidden->fix : NULL);
	es_json_bool(json, "user_namespace", hidden->is_user_namespace);
	es_json_object_end(json);
}

static int put_json(const struct sources *all, es_json_sink_fn write, void *sink)
{
	const struct es_survey *survey = &all->survey;
	size_t n;
	const struct es_sampler_source *sources = es_sampler_sources(survey->sampler, &n);
	struct es_activity_view activity;
	struct es_json json;

	es_json_init(&json, write, sink, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", "energyscopium.sources/1");
	es_json_array(&json, "sources");
	for (size_t i = 0; i < n; i++) {
		es_json_object(&json, NULL);
		es_json_string(&json, "name", sources[i].ops->name);
		es_json_string(&json, "state",
			       es_state_name(es_survey_source_state(survey, &sources[i])));
		es_json_string(&json, "reason", sources[i].source ? NULL : sources[i].absent);
		if (sources[i].source && sources[i].source->start_ns)
			es_json_decimal(&json, "start_ms", sources[i].source->start_ns, 6);
		else
			es_json_null(&json, "start_ms");
		es_json_array(&json, "domains");
		for (size_t j = 0; sources[i].source && j < sources[i].n; j++)
			put_domain_json(survey, &survey->domains[sources[i].first_domain + j],
					&json);
		es_json_array_end(&json);
		es_json_object_end(&json);
	}
	es_json_array_end(&json);
	put_cover_json(survey, "cover", false, &json);
	put_cover_json(survey, "cover_total", true, &json);
	es_report_daemon_members(&survey->through.note, &json);
	put_container(&survey->hidden, &json);
	(void)es_activity_look(&survey->root, &activity);
	es_activity_put_json(&activity, &json);
	es_json_array(&json, "unmeasured");
	for (size_t i = 0; i < survey->n_unmeasured; i++) {
		es_json_object(&json, NULL);
		es_json_string(&json, "what", survey->unmeasured[i].what);
		es_json_string(&json, "reason", survey->unmeasured[i].reason);
		es_json_string(&json, "fix",
			       survey->unmeasured[i].fix[0] ? survey->unmeasured[i].fix : NULL);
		es_json_object_end(&json);
	}
	es_json_array_end(&json);
	if (all->cross_check)
		es_crosscheck_json(&all->check, &json);
	es_json_object_end(&json);
	return es_json_end(&json);
}

/* The same fix is said once for all that it mends. */
static void put_fix(int indent, const char *fix, const char **last_fix, struct es_buf *out)
{
	if (fix[0] && strcmp(fix, *last_fix) != 0)
		(void)es_buf_printf(out, "%*sfix: %s\n", indent, "", fix);
	if (fix[0])
		*last_fix = fix;
}

static void put_domain_row(const struct es_survey *survey, const struct es_domain *domain,
			   const char **last_fix, struct es_buf *out)
{
	char range[32] = "-", update[ES_QUANTITY_TEXT_BYTES] = "-", limit[32] = "-";
	char accuracy[32] = "-";
	const char *role = domain->is_chosen && domain->is_chosen_total ? "fine, total"
			   : domain->is_chosen				? "fine"
			   : domain->is_chosen_total			? "total"
									: "";
	int depth = 0;

	for (int32_t up = domain->parent; up >= 0 && depth < 4; up = survey->domains[up].parent)
		depth++;
	/* Up to 4.29 TJ where the unit is 1 J. */
	if (domain->range.modulus_nj)
		(void)snprintf(range, sizeof(range),
			       domain->range.modulus_nj < UINT64_C(1000000000000000000) ? "%.3f"
											: "%.0f",
			       (double)domain->range.modulus_nj / 1e12);
	if (domain->update_period_ns)
		(void)es_duration_text(domain->update_period_ns, update);
	if (domain->accuracy_ppm)
		(void)snprintf(accuracy, sizeof(accuracy), "%g", domain->accuracy_ppm / 1e4);
	if (domain->limit_mw)
		(void)snprintf(limit, sizeof(limit), "%.0f", es_w_from_mw(domain->limit_mw));
	(void)es_buf_printf(out, "%*s%-*s %-10s %-9s %10s %9s %6s %9s  %-11s %s\n", 2 + 2 * depth,
			    "", 34 - 2 * depth, domain->id, es_kind_name(domain->kind),
			    es_state_name(domain->state), range, update, accuracy, limit, role,
			    domain->reason);
	put_fix(4 + 2 * depth, domain->fix, last_fix, out);
}

static void put_cover_row(const struct es_survey *survey, const char *label, bool is_total,
			  struct es_buf *out)
{
	bool has_any = false;

	(void)es_buf_printf(out, "%-12s", label);
	for (size_t i = 0; i < survey->n_domains; i++) {
		if (!(is_total ? survey->domains[i].is_chosen_total : survey->domains[i].is_chosen))
			continue;
		(void)es_buf_printf(out, "%s%s", has_any ? " + " : "", survey->domains[i].id);
		has_any = true;
	}
	(void)es_buf_str(out, has_any ? "\n" : "nothing\n");
}

static const char explanation[] =
	"\nA domain is a part of the node whose energy one source reports. The fine cover is made of the\n"
	"parts that do not overlap, for profiles and regions; the total cover is the widest meter that can\n"
	"be trusted, for the account. Nested domains are never added up. A meter is 'ok' when it was seen\n"
	"to move, 'dead' when it stood still while its CPU was busy, 'unproven' when it stood still without\n"
	"that proof, 'duplicate' when it measures the same part as another one, 'denied' when it is there\n"
	"and may not be read.\n";

/* Which device a domain is: a table has no room for it. */
static void put_devices(const struct es_survey *survey, struct es_buf *out)
{
	bool is_first = true;

	for (size_t i = 0; i < survey->n_domains; i++) {
		const struct es_domain *domain = &survey->domains[i];

		if (domain->pci[0] == '\0' && domain->uuid[0] == '\0')
			continue;
		(void)es_buf_printf(out, "%s%-12s %s%s%s%s%s\n", is_first ? "\n" : "", domain->id,
				    domain->model, domain->pci[0] ? ", " : "", domain->pci,
				    domain->uuid[0] ? ", " : "", domain->uuid);
		is_first = false;
	}
}

/* What comes before a run besides our own start: nobody else can make it shorter than the library's maker. */
static void put_starts(const struct es_sampler_source *entries, size_t n, struct es_buf *out)
{
	for (size_t i = 0; i < n; i++) {
		char text[ES_QUANTITY_TEXT_BYTES];

		if (!entries[i].source || !entries[i].source->start_ns)
			continue;
		(void)es_buf_printf(out,
				    "\n%s: its library took %s to start; each run begins that much "
				    "later. It is read\nby a thread of its own and delays no other "
				    "meter.\n",
				    entries[i].ops->name,
				    es_duration_text(entries[i].source->start_ns, text));
	}
}

static void put_table(const struct sources *sources, struct es_buf *out)
{
	const struct es_survey *survey = &sources->survey;
	struct es_activity_view activity;
	const char *last_fix = "";
	size_t n;
	const struct es_sampler_source *entries = es_sampler_sources(survey->sampler, &n);

	(void)es_buf_printf(out, "  %-34s %-10s %-9s %10s %9s %6s %9s  %-11s %s\n", "domain",
			    "kind", "state", "range (kJ)", "update", "± (%)", "limit (W)", "cover",
			    "reason");
	for (size_t i = 0; i < n; i++) {
		if (!entries[i].source) {
			(void)es_buf_printf(out, "  %-34s %-10s %-9s %10s %9s %6s %9s  %-11s %s\n",
					    entries[i].ops->name, "", "absent", "-", "-", "-", "-",
					    "", entries[i].absent);
			continue;
		}
		for (size_t j = 0; j < entries[i].n; j++)
			put_domain_row(survey, &survey->domains[entries[i].first_domain + j],
				       &last_fix, out);
	}
	(void)es_buf_u8(out, '\n');
	put_cover_row(survey, "fine cover", false, out);
	put_cover_row(survey, "total cover", true, out);
	es_through_row(&survey->through, "daemon", 12, out);
	for (size_t i = 0; i < survey->n_unmeasured; i++) {
		(void)es_buf_printf(out, "unmeasured  %s: %s\n", survey->unmeasured[i].what,
				    survey->unmeasured[i].reason);
		put_fix(12, survey->unmeasured[i].fix, &last_fix, out);
	}
	if (sources->cross_check)
		es_crosscheck_table(&sources->check, out);
	if (sources->explains) {
		(void)es_buf_str(out, explanation);
		put_devices(survey, out);
		put_starts(entries, n, out);
		(void)es_activity_look(&survey->root, &activity);
		es_activity_put_rows(&activity, out);
	}
}

static int cross_check(struct sources *sources, struct es_error *err)
{
	const struct es_crosscheck_options options = {
		.dur_ns = sources->cross_ns,
		.has_load = sources->survey.root.is_machine && !sources->is_unwatched,
		.command = sources->command,
	};

	return es_crosscheck_live(&sources->survey, &options, &sources->check, err);
}

/* Of a recording nothing but the comparison is known here. */
static int show_recording(struct sources *sources)
{
	struct es_error err = { .code = 0 };
	struct es_settings settings;
	char path[ES_PATH_MAX_BYTES];
	struct es_json json;
	struct es_buf out;
	int status;

	if (es_settings_load(&settings, &err) < 0 ||
	    es_find_recording(sources->cross_check, &settings, path, &err) < 0 ||
	    es_crosscheck_recording(path, &sources->check, &err) < 0)
		return es_complain("sources", ES_EXIT_FAILURE, "%s", err.text);
	es_buf_init(&out, 8U << 20);
	if (sources->is_json) {
		es_json_init(&json, es_json_sink_buf, &out, true);
		es_json_object(&json, NULL);
		es_json_string(&json, "schema", "energyscopium.sources/1");
		es_json_string(&json, "recording", sources->cross_check);
		es_crosscheck_json(&sources->check, &json);
		es_json_object_end(&json);
		out.error = es_json_end(&json);
	} else {
		es_crosscheck_table(&sources->check, &out);
	}
	status = es_put_out("sources", &out);
	es_buf_finish(&out);
	es_crosscheck_finish(&sources->check);
	return status;
}

static int show(struct sources *sources)
{
	struct es_survey_options options = { .root = sources->root,
					     .as_uid = -1,
					     .daemon = sources->daemon,
					     .is_unwatched = sources->is_unwatched };
	struct es_settings settings;
	struct es_meters meters;
	struct es_error err = { .code = 0 };
	struct es_buf out;
	int status;

	if (sources->as && (es_parse_i64(sources->as, &options.as_uid) < 0 || options.as_uid < 0 ||
			    options.as_uid > UINT32_MAX))
		return es_complain("sources", ES_EXIT_USAGE, "--as '%s': not a user's number",
				   sources->as);
	if (es_settings_load(&settings, &err) < 0)
		return es_complain("sources", ES_EXIT_FAILURE, "%s", err.text);
	options.psys = settings.psys;
	if (es_meters_gather(&settings, &sources->meters, sources->root, &meters, &err) < 0)
		return es_complain("sources", ES_EXIT_USAGE, "%s", err.text);
	options.meters = &meters;
	status = es_survey_make(&options, &sources->survey, &err);
	es_meters_finish(&meters);
	if (status < 0)
		return es_complain("sources", ES_EXIT_FAILURE, "%s", err.text);
	if (sources->cross_check && cross_check(sources, &err) < 0) {
		es_survey_finish(&sources->survey);
		return es_complain("sources", ES_EXIT_FAILURE, "%s", err.text);
	}
	es_buf_init(&out, 8U << 20);
	if (sources->is_json)
		out.error = put_json(sources, es_json_sink_buf, &out);
	else
		put_table(sources, &out);
	status = es_put_out("sources", &out);
	es_buf_finish(&out);
	es_crosscheck_finish(&sources->check);
	es_survey_finish(&sources->survey);
	return status;
}

static int start(struct sources *sources, char **operands)
{
	bool is_time = sources->cross_check &&
		       es_parse_duration_ns(sources->cross_check, &sources->cross_ns) == 0;

	if (operands && !is_time)
		return es_complain("sources", ES_EXIT_USAGE,
				   sources->cross_check ? "'%s': a recording needs no load"
							: "'%s': no operand is taken",
				   operands[0]);
	sources->command = operands;
	if (!sources->cross_check)
		return show(sources);
	if (!is_time) {
		sources->cross_ns = 0;
		return show_recording(sources);
	}
	if (sources->cross_ns < CROSS_LEAST_NS || sources->cross_ns > CROSS_MOST_NS)
		return es_complain("sources", ES_EXIT_USAGE,
				   "--cross-check %s: from 3 s to 24 h are possible",
				   sources->cross_check);
	return show(sources);
}

int es_cmd_sources(int argc, char **argv)
{
	struct sources sources = { .root = NULL };
	const struct es_option options[] = {
		{ "explain", NULL, "say what the columns mean", ES_OPTION_FLAG, &sources.explains },
		{ "no-probe", NULL,
		  "do not keep each package busy for a second to see\nwhich meters move",
		  ES_OPTION_FLAG, &sources.is_unwatched },
		{ "cross-check", "TIME|FILE|JOB",
		  "read meters that overlap for so long (30s) under a load,\nor take them from a recording, and say how they agree",
		  ES_OPTION_TEXT, &sources.cross_check },
		ES_METER_OPTION(&sources.meters),
		ES_DAEMON_OPTION(&sources.daemon),
		{ "json", NULL, "as JSON", ES_OPTION_FLAG, &sources.is_json },
		{ "root", "DIR", "a tree with sys/, proc/ that stands for the machine",
		  ES_OPTION_TEXT, &sources.root },
		{ "as", "UID", "judge rights for this user, by mode bits", ES_OPTION_TEXT,
		  &sources.as },
	};
	const struct es_usage usage = {
		.command = "sources",
		.synopsis = "[OPTION]… [-- CMD ARG…]",
		.text = "Lists each energy meter of this machine, which ones stand for the node, what was left\n"
			"out and why, and for each problem the command that fixes it.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
		.stops_at_operand = true,
	};
	int first, status = es_options_parse(&usage, argc, argv, &first);

	if (status < 0)
		status = start(&sources, first < argc ? argv + first : NULL);
	es_text_list_finish(&sources.meters);
	return status;
}
