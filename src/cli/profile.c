/*
 * profile.c - energyscopium profile: power over time of a recording
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "cli/command.h"
#include "cli/daemonlink.h"
#include "cli/output.h"
#include "cli/picture.h"
#include "cli/several.h"
#include "format/profile_signals.h"

struct profile {
	const char *eprofile, *csv, *signals, *from, *to, *layout, *region;
	struct es_text_list domains;
	bool is_full, is_json;
	struct es_pictures pictures;
	const char *job, *daemon;
	struct es_chain chain;
	struct es_profile_options options;
};

/* "+90s" after the start, or a date; into the boot clock of the recording. */
static int parse_time(const char *text, const struct es_report *report, int64_t *ret_ns,
		      struct es_error *err)
{
	int64_t t_ns;

	if (text[0] == '+' && es_parse_duration_ns(text + 1, &t_ns) == 0) {
		*ret_ns = report->start_ns + t_ns;
		return 0;
	}
	if (es_time_parse(text, &t_ns) < 0)
		return es_error_say(
			err, -EINVAL,
			"'%s' is no time: give one after the start with its unit (+90s), or a date and time",
			text);
	*ret_ns = t_ns - report->meta->start_unix_ns + report->meta->start_boot_ns;
	return 0;
}

/* From the region's first start to its last stop, as far as --from and --to leave that. */
static int parse_region(const char *name, const struct es_report *report,
			struct es_profile_options *options, struct es_error *err)
{
	char names[400] = "";

	for (size_t i = 0; i < report->n_regions; i++) {
		const struct es_report_region *region = &report->regions[i];
		size_t len = strlen(names);

		(void)snprintf(names + len, sizeof(names) - len, "%s%.80s", i ? ", " : "",
			       region->name);
		if (strcmp(region->name, name) != 0)
			continue;
		if (!options->from_ns || options->from_ns < region->start_ns)
			options->from_ns = region->start_ns;
		if (!options->to_ns || options->to_ns > region->stop_ns)
			options->to_ns = region->stop_ns;
		return 0;
	}
	return es_error_say(err, -ENOENT, "--region '%s': the recording has no such region%s%s",
			    name, names[0] ? "; there are: " : "", names);
}

static int parse_options(struct profile *profile, const struct es_report *report,
			 struct es_error *err)
{
	struct es_profile_options *options = &profile->options;
	int r = 0;

	options->is_full = profile->is_full;
	options->domains = profile->domains.texts;
	options->n_domains = profile->domains.n;
	if (profile->layout) {
		options->has_layout_2022 = strcmp(profile->layout, "2022") == 0;
		if (!options->has_layout_2022)
			return es_error_say(err, -EINVAL, "--layout '%s': there is '2022'",
					    profile->layout);
	}
	if (profile->from)
		r = parse_time(profile->from, report, &options->from_ns, err);
	if (r == 0 && profile->to)
		r = parse_time(profile->to, report, &options->to_ns, err);
	if (r == 0 && profile->region)
		r = parse_region(profile->region, report, options, err);
	if (r < 0)
		return r;
	for (size_t j = 0; j < options->n_domains; j++) {
		const struct es_profile_options one = { .domains = &options->domains[j],
							.n_domains = 1 };
		bool is_there = false;

		for (size_t i = 0; i < report->meta->n_domains; i++)
			is_there = is_there || es_profile_shows(&one, report, i);
		if (!is_there)
			return es_error_say(err, -ENOENT,
					    "--domain '%s': the recording has no readings of it",
					    options->domains[j]);
	}
	return 0;
}

typedef int (*csv_fn)(struct es_recording *recording, const struct es_report *report,
		      const struct es_profile_options *options, int fd);

static int write_csv(const struct es_outcome *outcome, const struct profile *profile,
		     const char *path, csv_fn csv, struct es_error *err)
{
	bool is_stdout = strcmp(path, "-") == 0;
	es_cleanup(es_closep) int fd = -1;
	int r;

	if (!is_stdout) {
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
		if (fd < 0)
			return es_error_set(err, -errno, "cannot write '%s'", path);
	}
	r = csv(outcome->recording, &outcome->report, &profile->options,
		is_stdout ? STDOUT_FILENO : fd);
	return r < 0 ? es_error_set(err, r, "cannot write '%s'", path) : 0;
}

static int write_stdout(const struct es_outcome *outcome, const struct profile *profile,
			struct es_error *err)
{
	int fd = STDOUT_FILENO, r;
	struct es_profile bins;

	r = es_profile_build(outcome->recording, &outcome->report, &profile->options, &bins, err);
	if (r < 0)
		return r;
	r = es_eprofile_write(&bins, &profile->options, es_json_sink_fd, &fd);
	es_profile_finish(&bins);
	return r < 0 ? es_error_set(err, r, "cannot write") : 0;
}

static bool is_asked(const struct profile *profile)
{
	return profile->eprofile || profile->csv || profile->signals || profile->is_json ||
	       profile->pictures.is_term || es_pictures_are_asked(&profile->pictures);
}

static int write_all(struct profile *profile, const struct es_outcome *outcome,
		     struct es_error *err)
{
	const struct es_profile_options *options = &profile->options;
	bool is_drawn = profile->pictures.is_term || (!is_asked(profile) && isatty(STDOUT_FILENO));
	int r = 0;

	if (profile->eprofile && strcmp(profile->eprofile, "-") != 0)
		r = es_write_eprofile(outcome, options, profile->eprofile, true, err);
	if (r == 0 && profile->csv)
		r = write_csv(outcome, profile, profile->csv, es_profile_csv, err);
	if (r == 0 && profile->signals)
		r = write_csv(outcome, profile, profile->signals, es_signals_csv, err);
	if (r == 0 && es_pictures_are_asked(&profile->pictures))
		r = es_pictures_write(&profile->pictures, outcome, options, err);
	if (r == 0 && is_drawn)
		r = es_picture_in_terminal(&profile->pictures, outcome, options, err);
	/* For a script nothing asked for means the eprofile, and so does --json. */
	if (r == 0 && (profile->is_json || (!is_asked(profile) && !is_drawn) ||
		       (profile->eprofile && strcmp(profile->eprofile, "-") == 0)))
		r = write_stdout(outcome, profile, err);
	return r;
}

static int check_stdout(const struct profile *profile, struct es_error *err)
{
	const struct es_pictures *pictures = &profile->pictures;
	const char *const files[] = { pictures->svg,  pictures->png, pictures->pdf,
				      pictures->html, profile->csv,  profile->signals };
	bool is_eprofile = profile->is_json ||
			   (profile->eprofile && strcmp(profile->eprofile, "-") == 0);
	unsigned n = is_eprofile + pictures->is_term;

	for (size_t i = 0; i < ES_ARRAY_SIZE(files); i++)
		n += files[i] && strcmp(files[i], "-") == 0;
	return n > 1 ? es_error_say(
			       err, -EINVAL,
			       "only one thing can go to standard output; give the others files")
		     : 0;
}

static int show(struct profile *profile, char *const *whats, size_t n)
{
	struct es_error err = { .code = 0 };
	const struct es_several several = {
		.whats = whats, .n = n, .job = profile->job, .daemon = profile->daemon
	};
	struct es_outcome outcome;
	int r;

	if (check_stdout(profile, &err) < 0 || es_pictures_check(&profile->pictures, &err) < 0 ||
	    es_chain_load(&profile->chain, &err) < 0)
		return es_complain("profile", ES_EXIT_USAGE, "%s", err.text);
	r = es_several_open(&several, &profile->chain, &outcome, &err);
	if (r < 0)
		return es_complain("profile", ES_EXIT_FAILURE, "%s", err.text);
	r = parse_options(profile, &outcome.report, &err);
	if (r == 0)
		r = write_all(profile, &outcome, &err);
	es_outcome_finish(&outcome);
	return r < 0 ? es_complain("profile", r == -EINVAL ? ES_EXIT_USAGE : ES_EXIT_FAILURE, "%s",
				   err.text)
		     : ES_EXIT_OK;
}

int es_cmd_profile(int argc, char **argv)
{
	struct profile profile = { .eprofile = NULL };
	struct es_pictures *pictures = &profile.pictures;
	const struct es_option options[] = {
		{ "svg", "FILE", "a picture as SVG; '-': stdout, as for the others", ES_OPTION_TEXT,
		  &pictures->svg },
		{ "png", "FILE", "as PNG (needs libcairo2)", ES_OPTION_TEXT, &pictures->png },
		{ "pdf", "FILE", "as PDF (needs libcairo2)", ES_OPTION_TEXT, &pictures->pdf },
		{ "html", "FILE", "as a page that holds all it needs, to look closer",
		  ES_OPTION_TEXT, &pictures->html },
		{ "term", NULL,
		  "drawn in the terminal; the default where stdout is one\nand nothing else is asked for",
		  ES_OPTION_FLAG, &pictures->is_term },
		{ "eprofile", "FILE", "power over time and tags as JSON; '-': stdout",
		  ES_OPTION_TEXT, &profile.eprofile },
		{ "csv", "FILE",
		  "every sample: time, node, domain, power_w, energy_j;\n'-': stdout",
		  ES_OPTION_TEXT, &profile.csv },
		{ "signals", "FILE",
		  "clocks, utilisation, temperatures …: time, node, device, signal,\nvalue, unit; '-': stdout",
		  ES_OPTION_TEXT, &profile.signals },
		{ "json", NULL, "the eprofile on stdout", ES_OPTION_FLAG, &profile.is_json },
		{ "domain", "NAME", "only this domain; may be repeated (default: the covers)",
		  ES_OPTION_LIST, &profile.domains },
		{ "from", "TIME", "from here on: +90s after the start, or a date and time",
		  ES_OPTION_TEXT, &profile.from },
		{ "to", "TIME", "up to here", ES_OPTION_TEXT, &profile.to },
		{ "region", "NAME", "from the first start of this region to its last stop",
		  ES_OPTION_TEXT, &profile.region },
		{ "title", "TEXT", "in place of the job's name", ES_OPTION_TEXT, &pictures->title },
		{ "width", "N",
		  "of a picture in points (default 960; PNG has 2 pixels\nfor each), in the terminal in letters",
		  ES_OPTION_TEXT, &pictures->width },
		{ "height", "N", "likewise (default 540)", ES_OPTION_TEXT, &pictures->height },
		{ "theme", "light|dark", "of SVG, PNG and PDF; a page follows its reader",
		  ES_OPTION_TEXT, &pictures->theme },
		{ "tags", "FILE", "regions beside the recording's own: CSV of name,start,stop",
		  ES_OPTION_TEXT, &profile.chain.tags },
		{ "full", NULL, "all points, not at most 10,000 averaged ones", ES_OPTION_FLAG,
		  &profile.is_full },
		{ "job", "ID", "of folders with recordings of several jobs: this one's",
		  ES_OPTION_TEXT, &profile.job },
		ES_DAEMON_OPTION(&profile.daemon),
		{ "layout", "2022", "nest the eprofile as the original tool did", ES_OPTION_TEXT,
		  &profile.layout },
	};
	const struct es_usage usage = {
		.command = "profile",
		.synopsis = "[OPTION]… FILE|JOB|DIR…",
		.text = "Shows the power over time of a recording: in the terminal, as a picture, or as numbers.\n"
			"Where stdout is no terminal and nothing is asked for, the eprofile goes there.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};
	int first, status = es_options_parse(&usage, argc, argv, &first);

	if (status < 0 && first >= argc)
		status = es_complain(
			"profile", ES_EXIT_USAGE,
			"a FILE, JOB or DIR is wanted; see 'energyscopium profile --help'");
	if (status < 0)
		status = show(&profile, argv + first, (size_t)(argc - first));
	es_chain_finish(&profile.chain);
	es_text_list_finish(&profile.domains);
	return status;
}
