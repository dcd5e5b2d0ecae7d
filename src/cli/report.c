/*
 * report.c - energyscopium report: energy, carbon and quality of a recording
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "cli/command.h"
#include "cli/daemonlink.h"
#include "cli/output.h"
#include "cli/picture.h"
#include "cli/several.h"

struct report {
	bool is_json;
	const char *html, *pdf, *job, *daemon;
	struct es_optional_text line;
	struct es_chain chain;
};

static int write_files(const struct report *report, const struct es_outcome *outcome)
{
	struct es_error err = { .code = 0 };

	if (es_report_write(outcome, report->html, report->pdf, &err) < 0)
		return es_complain("report", ES_EXIT_FAILURE, "%s", err.text);
	return ES_EXIT_OK;
}

static bool is_stdout(const char *file)
{
	return file && strcmp(file, "-") == 0;
}

static int show(struct report *report, char *const *whats, size_t n)
{
	struct es_error err = { .code = 0 };
	const struct es_several several = {
		.whats = whats, .n = n, .job = report->job, .daemon = report->daemon
	};
	struct es_outcome outcome;
	struct es_json json;
	struct es_buf out;
	bool is_short = report->line.text && strcmp(report->line.text, "short") == 0;
	int status, r;

	if (report->line.text && !is_short)
		return es_complain("report", ES_EXIT_USAGE, "--line=%s: there is 'short'",
				   report->line.text);
	if (is_stdout(report->html) + is_stdout(report->pdf) +
		    (report->is_json || report->line.is_given) >
	    1)
		return es_complain(
			"report", ES_EXIT_USAGE,
			"only one thing can go to standard output; give the others files");
	report->chain.footprint.is_told = true;
	r = es_chain_load(&report->chain, &err);
	if (r < 0)
		return es_complain("report", r == -EINVAL ? ES_EXIT_USAGE : ES_EXIT_FAILURE, "%s",
				   err.text);
	report->chain.has_profile = true; /* insights look at it */
	if (es_several_open(&several, &report->chain, &outcome, &err) < 0)
		return es_complain("report", ES_EXIT_FAILURE, "%s", err.text);
	if (report->html || report->pdf) {
		status = write_files(report, &outcome);
		if (status != ES_EXIT_OK || (!report->is_json && !report->line.is_given)) {
			es_outcome_finish(&outcome);
			return status;
		}
	}
	es_buf_init(&out, 64U << 20);
	if (report->is_json) {
		es_json_init(&json, es_json_sink_buf, &out, true);
		es_json_object(&json, NULL);
		es_json_string(&json, "schema", "energyscopium.report/1");
		es_report_members(&outcome.report, &json);
		es_json_object_end(&json);
		out.error = es_json_end(&json);
	} else {
		(void)es_report_line(&outcome.report, is_short, &out);
		(void)es_buf_u8(&out, '\n');
		if (!report->line.is_given)
			(void)es_report_table(&outcome.report, &out);
	}
	status = es_put_out("report", &out);
	es_buf_finish(&out);
	es_outcome_finish(&outcome);
	return status;
}

int es_cmd_report(int argc, char **argv)
{
	struct report report = { .is_json = false };
	const struct es_option options[] = {
		{ "line", "short", "only the job line; short: long node lists folded",
		  ES_OPTION_OPTIONAL, &report.line },
		{ "json", NULL, "as JSON", ES_OPTION_FLAG, &report.is_json },
		{ "html", "FILE",
		  "as a page that holds all it needs, with the picture; '-': stdout",
		  ES_OPTION_TEXT, &report.html },
		{ "pdf", "FILE", "as one or two sheets of A4 (needs libcairo2)", ES_OPTION_TEXT,
		  &report.pdf },
		{ "tags", "FILE", "regions beside the recording's own: CSV of name,start,stop",
		  ES_OPTION_TEXT, &report.chain.tags },
		{ "zone", "ZONE", "where the electricity comes from (FR, US, WORLD …)",
		  ES_OPTION_TEXT, &report.chain.zone },
		{ "pue", "NUMBER", "power usage effectiveness of the site, 1 or more",
		  ES_OPTION_TEXT, &report.chain.pue },
		{ "model", "NAME",
		  "node model: calibrated[:CLASS] (the default where the node\nhas one), none, joule_model_202203",
		  ES_OPTION_TEXT, &report.chain.model },
		{ "carbon", "NAME", "carbon model: carbon_model_202203, carbon_model_2024",
		  ES_OPTION_TEXT, &report.chain.carbon },
		{ "job", "ID", "of folders with recordings of several jobs: this one's",
		  ES_OPTION_TEXT, &report.job },
		ES_DAEMON_OPTION(&report.daemon),
		ES_FOOTPRINT_OPTIONS(&report.chain.footprint),
	};
	const struct es_usage usage = {
		.command = "report",
		.synopsis = "[OPTION]… FILE|JOB|DIR…",
		.text = "Shows the job line and the table of a recording: what was measured and how, the energy\n"
			"of the node and the facility, carbon with its factor, and how well the plan was kept. Of\n"
			"several recordings, or a folder with them, of one job's nodes it makes one report. A JOB\n"
			"of which there is no file is asked from this node's daemon.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};
	int first, status = es_options_parse(&usage, argc, argv, &first);

	if (status >= 0)
		return status;
	if (first >= argc)
		return es_complain(
			"report", ES_EXIT_USAGE,
			"a FILE, JOB or DIR is wanted; see 'energyscopium report --help'");
	status = show(&report, argv + first, (size_t)(argc - first));
	es_chain_finish(&report.chain);
	return status;
}
