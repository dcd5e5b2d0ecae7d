/*
 * compare.c - energyscopium compare: groups of runs against each other
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/compare.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/text.h"
#include "cli/picture.h"
#include "cli/terminal.h"

#define OUT_MAX_BYTES (256U << 20)
#define REGIONS_MAX 10000U

static int parse_share(const char *option, const char *text, bool may_be_zero, double *ret,
		       struct es_error *err)
{
	int64_t ppm;

	if (es_parse_share_ppm(text, &ppm) < 0 || ppm < 0 || (ppm == 0 && !may_be_zero))
		return es_error_say(err, -EINVAL, "--%s '%s': a share like 2%% is wanted, %s",
				    option, text, may_be_zero ? "0 or more" : "above 0");
	*ret = (double)ppm / 1e6;
	return 0;
}

static int check_words(struct es_compare *compare, const struct es_compare_words *words,
		       struct es_error *err)
{
	if (words->n_quality > 1 || (words->n_quality && !words->quality[1]))
		return es_error_say(
			err, -EINVAL,
			"--quality wants a column or a command and a limit, once: --quality acc '>= 0.943'");
	if (words->n_quality)
		return es_quality_parse(words->quality[0], words->quality[1], &compare->quality,
					err);
	return 0;
}

static int check(struct es_compare *compare, struct es_error *err)
{
	int r = 0;

	compare->wish.margin = ES_COMPARE_MARGIN;
	compare->has_metric = compare->metric_name != NULL;
	if (compare->has_metric && es_trial_metric_find(compare->metric_name, &compare->metric) < 0)
		return es_error_say(err, -EINVAL,
				    "--metric '%s': there are energy, time, edp, ed2p and above",
				    compare->metric_name);
	if (compare->outliers && strcmp(compare->outliers, "keep") != 0 &&
	    strcmp(compare->outliers, "drop") != 0)
		return es_error_say(err, -EINVAL, "--outliers '%s': there are keep and drop",
				    compare->outliers);
	compare->drops_outliers = compare->outliers && strcmp(compare->outliers, "drop") == 0;
	if (compare->margin)
		r = parse_share("margin", compare->margin, false, &compare->wish.margin, err);
	if (r == 0 && compare->not_slower) {
		compare->wish.has_limit = true;
		r = parse_share("not-slower", compare->not_slower, true, &compare->wish.limit, err);
	}
	if (r == 0 && compare->seed && es_parse_u64(compare->seed, &compare->wish.seed) < 0)
		return es_error_say(err, -EINVAL, "--seed '%s': a whole number is wanted",
				    compare->seed);
	if (r == 0 && compare->ask.region && compare->wants_regions)
		return es_error_say(err, -EINVAL, "--region and --regions: one of them");
	if (r == 0 && compare->metric_name && compare->metric == ES_TRIAL_ABOVE &&
	    (compare->ask.region || compare->wants_regions))
		return es_error_say(
			err, -EINVAL,
			"--metric above: idle power is known of whole runs only, not of regions");
	compare->ask.has_regions = compare->wants_regions;
	return r;
}

/* Only one thing can go there. */
static int check_stdout(const struct es_compare *compare, const char *csv, struct es_error *err)
{
	int n = es_drawing_takes_stdout(&compare->drawing, err);

	if (n < 0)
		return n;
	n += compare->is_json + (csv && strcmp(csv, "-") == 0) + compare->is_term;
	return n > 1 ? es_error_say(
			       err, -EINVAL,
			       "only one thing can go to standard output; give the others files")
		     : 0;
}

/* What is asked of columns says nothing of recordings, and must not look as if it had. */
static int check_columns(const struct es_compare *compare, struct es_error *err)
{
	const struct es_trials_ask *ask = &compare->ask;
	const char *option = ask->group	   ? "group"
			     : ask->time   ? "time"
			     : ask->energy ? "energy"
					   : NULL;

	return option && !compare->trials.has_table
		       ? es_error_say(
				 err, -EINVAL,
				 "--%s names a column of a table; all that was given are recordings",
				 option)
		       : 0;
}

static int check_reference(const struct es_compare *compare, struct es_error *err)
{
	const struct es_trials *trials = &compare->trials;
	size_t least = SIZE_MAX, nearest = 0;

	for (size_t i = 0; i < trials->n_groups; i++) {
		size_t distance = compare->reference
					  ? es_text_distance(compare->reference, trials->groups[i])
					  : 0;

		if (distance == 0)
			return 0;
		if (distance < least) {
			least = distance;
			nearest = i;
		}
	}
	if (trials->n_groups == 0)
		return es_error_say(err, -ENODATA, "no run was given");
	if (es_text_is_near(least, strlen(trials->groups[nearest])))
		return es_error_say(
			err, -ENOENT,
			"--reference '%s': there is no such group; did you mean '%.100s'?",
			compare->reference, trials->groups[nearest]);
	return es_error_say(
		err, -ENOENT,
		"--reference '%s': there is no such group; the first of %zu is '%.100s'",
		compare->reference, trials->n_groups, trials->groups[0]);
}

static bool has_region(const struct es_compare *compare, const char *name)
{
	for (size_t i = 0; i < compare->n_regions; i++)
		if (strcmp(compare->regions[i].region, name) == 0)
			return true;
	return false;
}

/* It is compared where the first group and another have it. */
static int judge_region(struct es_compare *compare, const char *name, struct es_error *err)
{
	struct es_compare_result *grown = reallocarray(compare->regions, compare->n_regions + 1,
						       sizeof(*grown)),
				 result = { .n_groups = 0 };
	struct es_trials part = { .n = 0 };
	size_t n_first = 0, n_others = 0;
	int r = grown ? es_trials_region(&compare->trials, name, &part) : -ENOMEM;

	compare->regions = grown ? grown : compare->regions;
	if (r < 0)
		return es_error_set(err, r, "cannot compare region '%.60s'", name);
	for (size_t i = 0; i < part.n; i++) {
		bool is_first = part.trials[i].group == compare->whole.reference;

		n_first += is_first && !part.trials[i].is_failed;
		n_others += !is_first && !part.trials[i].is_failed;
	}
	if (n_first && n_others) {
		r = es_compare_judge(compare, &part, NULL, &result, err);
		(void)snprintf(result.region, sizeof(result.region), "%s", name);
		/* Names are those of the whole: these go with the part. */
		for (size_t i = 0; r == 0 && i < result.n_groups; i++)
			result.groups[i].name = compare->trials.groups[i];
		if (r == 0)
			compare->regions[compare->n_regions++] = result;
		else
			es_compare_result_finish(&result);
	}
	es_trials_finish(&part);
	return r;
}

static int judge_regions(struct es_compare *compare, struct es_error *err)
{
	const struct es_trials *trials = &compare->trials;
	int r = 0;

	for (size_t i = 0; r == 0 && i < trials->n; i++)
		for (size_t k = 0; r == 0 && k < trials->trials[i].n_regions; k++) {
			const char *name = trials->trials[i].regions[k].name;

			if (has_region(compare, name))
				continue;
			if (compare->n_regions == REGIONS_MAX)
				return es_error_say(err, -E2BIG, "more than %u regions",
						    REGIONS_MAX);
			r = judge_region(compare, name, err);
		}
	if (r == 0 && compare->n_regions == 0)
		r = es_error_say(err, -ENODATA,
				 "--regions: no region is in the first group and in another");
	return r;
}

static int write_csv(const struct es_compare *compare, const char *path, struct es_error *err)
{
	struct es_buf out;
	int r;

	es_buf_init(&out, OUT_MAX_BYTES);
	es_compare_csv(compare, &out);
	r = es_write_whole(path, &out, err);
	es_buf_finish(&out);
	return r;
}

static int show(const struct es_compare *compare, const char *csv)
{
	bool is_silent = es_drawing_takes_stdout(&compare->drawing, NULL) > 0 ||
			 (csv && strcmp(csv, "-") == 0);
	struct es_error err = { .code = 0 };
	struct es_buf out;
	int status, r = 0;

	if (es_drawing_is_asked(&compare->drawing))
		r = es_compare_draw(compare, &err);
	if (r == 0 && csv)
		r = write_csv(compare, csv, &err);
	if (r < 0)
		return es_complain(ES_COMPARE, ES_EXIT_FAILURE, "%s", err.text);
	if (is_silent)
		return ES_EXIT_OK;
	es_buf_init(&out, OUT_MAX_BYTES);
	if (compare->is_json)
		es_compare_json(compare, &out);
	else
		es_compare_text(compare, &out);
	if (!compare->is_json && (compare->is_term || es_terminal_is_there()) &&
	    compare->whole.n_groups > 1)
		r = es_compare_term(compare, &out);
	if (r < 0 && compare->is_term)
		(void)es_complain(ES_COMPARE, 0, "no picture: %s",
				  r == -ENODATA ? "no group has a time" : es_strerror(r));
	status = es_put_out(ES_COMPARE, &out);
	es_buf_finish(&out);
	return status;
}

static int do_compare(struct es_compare *compare, const struct es_compare_words *words, int first,
		      const char *csv)
{
	struct es_error err = { .code = 0 };
	int r = es_chain_load(&compare->chain, &err);

	if (r == 0)
		r = es_compare_read(compare, words, first, &err);
	if (r == 0)
		r = check_columns(compare, &err);
	if (r == 0)
		r = check_reference(compare, &err);
	if (r == 0)
		r = es_compare_settle(compare, &err);
	if (r == 0)
		r = es_compare_judge(compare, &compare->trials, compare->fates, &compare->whole,
				     &err);
	if (r == 0 && compare->wants_regions)
		r = judge_regions(compare, &err);
	if (r < 0)
		return es_complain(ES_COMPARE, ES_EXIT_FAILURE, "%s", err.text);
	return show(compare, csv);
}

static void finish(struct es_compare *compare)
{
	for (size_t i = 0; i < compare->n_regions; i++)
		es_compare_result_finish(&compare->regions[i]);
	free(compare->regions);
	es_compare_result_finish(&compare->whole);
	es_trials_finish(&compare->trials);
	es_chain_finish(&compare->chain);
	free(compare->fates);
	free(compare->is_far_off);
}

int es_cmd_compare(int argc, char **argv)
{
	struct es_compare compare = { .ask = { .command = ES_COMPARE },
				      .chain = { .command = ES_COMPARE } };
	struct es_compare_words words = { .argc = 0 };
	struct es_text_list early = { .n = 0 };
	const char *csv = NULL;
	const struct es_option options[] = {
		{ "vs", "FILE",
		  "the files that follow are another group; may be repeated:\neach is held against the first",
		  ES_OPTION_LIST, &early },
		{ "metric", "NAME",
		  "what decides: energy, time, edp, ed2p, above (idle);\ndefault: energy where it can be compared, else time",
		  ES_OPTION_TEXT, &compare.metric_name },
		{ "not-slower", "SHARE", "is each slower by no more than this? one-sided, 5 %",
		  ES_OPTION_TEXT, &compare.not_slower },
		{ "margin", "SHARE", "smaller changes are the same (default 1%)", ES_OPTION_TEXT,
		  &compare.margin },
		{ "reference", "GROUP", "what the others are held against (default: the first)",
		  ES_OPTION_TEXT, &compare.reference },
		{ "quality", "COL|CMD LIMIT",
		  "only runs whose column, or whose last number printed by\n'CMD RECORDING', keeps a limit such as '>= 0.943'",
		  ES_OPTION_LIST, &early },
		{ "outliers", "keep|drop", "runs far from the others of their group (default keep)",
		  ES_OPTION_TEXT, &compare.outliers },
		{ "region", "NAME", "this region of each run, not the whole", ES_OPTION_TEXT,
		  &compare.ask.region },
		{ "regions", NULL, "the whole, and every region that the groups share",
		  ES_OPTION_FLAG, &compare.wants_regions },
		{ NULL, NULL, "tables:", ES_OPTION_HEADING, NULL },
		{ "time", "COL", "column of the times (default duration_s)", ES_OPTION_TEXT,
		  &compare.ask.time },
		{ "energy", "COL", "column of the energies (default energy_j)", ES_OPTION_TEXT,
		  &compare.ask.energy },
		{ "group", "COL", "rows with the same word in this column are one group",
		  ES_OPTION_TEXT, &compare.ask.group },
		{ "strict", NULL, "refuse a table with lines that are no rows", ES_OPTION_FLAG,
		  &compare.ask.is_strict },
		{ NULL, NULL, "numbers:", ES_OPTION_HEADING, NULL },
		{ "seed", "N", "of the resampling (default 0); the same seed, the same output",
		  ES_OPTION_TEXT, &compare.seed },
		{ "model", "NAME", "node model, as for report", ES_OPTION_TEXT,
		  &compare.chain.model },
		{ "zone", "ZONE", "where the electricity comes from, as for report", ES_OPTION_TEXT,
		  &compare.chain.zone },
		{ "pue", "NUMBER", "power usage effectiveness of the site, for the grams",
		  ES_OPTION_TEXT, &compare.chain.pue },
		{ NULL, NULL, "output:", ES_OPTION_HEADING, NULL },
		{ "svg", "FILE", "a picture: energy against time, with intervals; '-': stdout",
		  ES_OPTION_TEXT, &compare.drawing.svg },
		{ "png", "FILE", "the same as PNG", ES_OPTION_TEXT, &compare.drawing.png },
		{ "pdf", "FILE", "the same as PDF", ES_OPTION_TEXT, &compare.drawing.pdf },
		{ "term", NULL, "drawn in letters below the table; the default in a terminal",
		  ES_OPTION_FLAG, &compare.is_term },
		{ "csv", "FILE", "one row a group; '-': stdout", ES_OPTION_TEXT, &csv },
		{ "json", NULL, "print " ES_COMPARE_SCHEMA, ES_OPTION_FLAG, &compare.is_json },
	};
	const struct es_usage usage = {
		.command = ES_COMPARE,
		.synopsis = "FILE… [--vs FILE…]… [OPTION]…",
		.text = "Says whether groups of repeated runs differ in energy and time, by how much, and how many\n"
			"runs would tell. Runs are recordings, eprofiles, runs of other tools, folders of recordings,\n"
			"or rows of tables (CSV). Without --vs they are grouped by name (A-1.esr, A-2.esr are of A).",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};
	struct es_error err = { .code = 0 };
	int first = 0, status;

	if (es_compare_cut(argc, argv, &words) < 0)
		return es_complain(ES_COMPARE, ES_EXIT_FAILURE, "%s", es_strerror(-ENOMEM));
	status = es_options_parse(&usage, words.argc, words.argv, &first);
	if (status < 0 && early.n)
		status = es_complain(ES_COMPARE, ES_EXIT_USAGE,
				     "write --vs and --quality in full, not shortened");
	if (status < 0 && first >= words.argc)
		status = es_complain(ES_COMPARE, ES_EXIT_USAGE,
				     "a FILE is missing; see 'energyscopium compare --help'");
	if (status < 0 && (check_words(&compare, &words, &err) < 0 || check(&compare, &err) < 0 ||
			   check_stdout(&compare, csv, &err) < 0))
		status = es_complain(ES_COMPARE, ES_EXIT_USAGE, "%s", err.text);
	/* Of a table it is a column; a recording is shown to it as a command. */
	compare.ask.quality = compare.quality.what;
	if (status < 0)
		status = do_compare(&compare, &words, first, csv);
	finish(&compare);
	es_text_list_finish(&early);
	free(words.argv);
	return status;
}
