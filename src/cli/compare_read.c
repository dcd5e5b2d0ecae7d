/*
 * compare_read.c - which files are of which group, and which runs count
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/compare.h"
#include "cli/trials_private.h"

#define SECTIONS_MAX 64U

/* Files of one group: those between two --vs. */
struct section {
	char **paths; /* [n] borrowed */
	int n;
	char name[ES_NAME_MAX_BYTES];
};

int es_compare_cut(int argc, char **argv, struct es_compare_words *ret)
{
	bool is_open = true;

	/* --vs=FILE becomes two words. */
	ret->argv = calloc((size_t)argc * 2 + 1, sizeof(*ret->argv));
	if (!ret->argv)
		return -ENOMEM;
	(void)snprintf(ret->mark, sizeof(ret->mark), "(vs)");
	for (int i = 0; i < argc; i++) {
		if (is_open && strcmp(argv[i], "--vs") == 0) {
			ret->argv[ret->argc++] = ret->mark;
		} else if (is_open && strncmp(argv[i], "--vs=", 5) == 0) {
			ret->argv[ret->argc++] = ret->mark;
			ret->argv[ret->argc++] = argv[i] + 5;
		} else if (is_open && strcmp(argv[i], "--quality") == 0) {
			ret->quality[0] = i + 1 < argc ? argv[++i] : NULL;
			ret->quality[1] = i + 1 < argc ? argv[++i] : NULL;
			ret->n_quality++;
		} else if (is_open && strncmp(argv[i], "--quality=", 10) == 0) {
			ret->quality[0] = argv[i] + 10;
			ret->quality[1] = i + 1 < argc ? argv[++i] : NULL;
			ret->n_quality++;
		} else {
			is_open = is_open && strcmp(argv[i], "--") != 0;
			ret->argv[ret->argc++] = argv[i];
		}
	}
	return 0;
}

/* What all names begin with, without what joins a number to it. */
static void common_stem(const struct section *section, char *ret)
{
	size_t n;

	if (es_trials_stem(section->paths[0], ret) < 0)
		ret[0] = '\0';
	n = strlen(ret);
	for (int i = 1; i < section->n; i++) {
		char other[ES_NAME_MAX_BYTES];
		size_t same = 0;

		if (es_trials_stem(section->paths[i], other) < 0)
			other[0] = '\0';
		while (same < n && ret[same] == other[same])
			same++;
		/* "AB" and "AC" have no name in common: only whole words count. */
		if (same < n || other[same])
			while (same > 0 && !strchr("-_. ", ret[same - 1]))
				same--;
		n = same;
	}
	while (n > 0 && strchr("-_. ", ret[n - 1]))
		n--;
	ret[n] = '\0';
}

/* "out/A-1.esr" is "out/A-1.esr" itself where it is the only one, else it is in "out": "out/A". */
static void longer_name(const struct section *section, char *ret)
{
	char stem[ES_NAME_MAX_BYTES];
	const char *path = section->paths[0], *slash = strrchr(path, '/'), *from = path;

	common_stem(section, stem);
	for (const char *p = path; slash && p < slash; p++)
		if (*p == '/')
			from = p + 1;
	if (section->n == 1)
		(void)snprintf(ret, ES_NAME_MAX_BYTES, "%.250s", slash && slash[1] ? from : path);
	else
		(void)snprintf(ret, ES_NAME_MAX_BYTES, "%.*s%s%.120s",
			       slash ? (int)(slash - from > 120 ? 120 : slash - from) : 0, from,
			       slash ? "/" : "", stem);
}

static bool are_distinct(const struct section *sections, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k <= i; k++)
			if (sections[i].name[0] == '\0' ||
			    (k < i && strcmp(sections[i].name, sections[k].name) == 0))
				return false;
	return true;
}

/* The shortest way that tells them apart. */
static void name_sections(struct section *sections, size_t n)
{
	for (size_t i = 0; i < n; i++)
		common_stem(&sections[i], sections[i].name);
	if (are_distinct(sections, n))
		return;
	for (size_t i = 0; i < n; i++)
		longer_name(&sections[i], sections[i].name);
	if (are_distinct(sections, n))
		return;
	for (size_t i = 0; i < n; i++)
		(void)snprintf(sections[i].name, sizeof(sections[i].name), "group %zu", i + 1);
}

static int cut_sections(const struct es_compare_words *words, int first, struct section *sections,
			size_t *ret_n, struct es_error *err)
{
	size_t n = 0;

	sections[n++] = (struct section){ .paths = &words->argv[first] };
	for (int i = first; i < words->argc; i++) {
		if (words->argv[i] != words->mark) {
			sections[n - 1].n++;
			continue;
		}
		if (n == SECTIONS_MAX)
			return es_error_say(err, -E2BIG, "more than %u groups by --vs",
					    SECTIONS_MAX);
		sections[n++] = (struct section){ .paths = &words->argv[i + 1] };
	}
	for (size_t i = 0; i < n; i++)
		if (sections[i].n == 0)
			return es_error_say(
				err, -EINVAL,
				"files are missing %s --vs; see 'energyscopium compare --help'",
				i == 0 ? "before" : "behind");
	*ret_n = n;
	return 0;
}

int es_compare_read(struct es_compare *compare, const struct es_compare_words *words, int first,
		    struct es_error *err)
{
	es_cleanup(es_freep) struct section *sections = calloc(SECTIONS_MAX, sizeof(*sections));
	size_t n = 0;
	int r = sections ? cut_sections(words, first, sections, &n, err)
			 : es_error_set(err, -ENOMEM, "cannot read");

	if (r < 0)
		return r;
	if (n > 1 && compare->ask.group)
		return es_error_say(
			err, -EINVAL,
			"--group and --vs: rows are grouped by a column or by files, not by both");
	name_sections(sections, n);
	for (size_t i = 0; r == 0 && i < n; i++)
		for (int k = 0; r == 0 && k < sections[i].n; k++)
			r = es_trials_read(&compare->trials, sections[i].paths[k],
					   n > 1 ? sections[i].name : NULL, &compare->ask,
					   &compare->chain, err);
	return r;
}

/* A row has its own number; a recording is shown to the command. */
static int look_at_quality(struct es_compare *compare, struct es_trial *trial, struct es_error *err)
{
	struct es_error why = { .code = 0 };
	int r;

	if (!trial->path)
		return 0;
	r = es_quality_run(&compare->quality, trial->path, &trial->quality, &why);
	trial->has_quality = r == 0;
	if (r == -ENODATA) {
		(void)es_complain(ES_COMPARE, 0, "%s: the run is left out", why.text);
		return 0;
	}
	if (r < 0)
		*err = why;
	return r;
}

static int settle_quality(struct es_compare *compare, struct es_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < compare->trials.n; i++) {
		struct es_trial *trial = &compare->trials.trials[i];

		if (compare->fates[i] != ES_FATE_COUNTS)
			continue;
		r = look_at_quality(compare, trial, err);
		if (!trial->has_quality || !es_quality_holds(&compare->quality, trial->quality))
			compare->fates[i] = ES_FATE_UNFIT;
	}
	return r;
}

/* Those far from the others of their group in one of its quantities. */
static int settle_far_off(struct es_compare *compare, const struct es_trials_order *order,
			  size_t group, enum es_trial_metric metric)
{
	const struct es_trials *trials = &compare->trials;
	size_t from = order->first[group], to = order->first[group + 1], n = 0;
	es_cleanup(es_freep) double *values = calloc(to - from + 1, sizeof(*values));
	es_cleanup(es_freep) size_t *runs = calloc(to - from + 1, sizeof(*runs));
	es_cleanup(es_freep) bool *is_far = calloc(to - from + 1, sizeof(*is_far));
	int r;

	if (!values || !runs || !is_far)
		return -ENOMEM;
	for (size_t i = from; i < to; i++) {
		size_t run = order->runs[i];

		if (compare->fates[run] == ES_FATE_COUNTS &&
		    es_trial_value(&trials->trials[run], metric, &values[n]))
			runs[n++] = run;
	}
	r = es_far_off(values, n, is_far);
	for (size_t i = 0; r > 0 && i < n; i++)
		compare->is_far_off[runs[i]] |= is_far[i];
	return r < 0 ? r : 0;
}

static int settle_all_far_off(struct es_compare *compare)
{
	struct es_trials_order order = { .runs = NULL };
	int r = es_trials_sort(&compare->trials, &order);

	for (size_t i = 0; r == 0 && i < compare->trials.n_groups; i++) {
		r = settle_far_off(compare, &order, i, ES_TRIAL_TIME);
		if (r == 0)
			r = settle_far_off(compare, &order, i, ES_TRIAL_ENERGY);
	}
	es_trials_order_finish(&order);
	return r;
}

int es_compare_settle(struct es_compare *compare, struct es_error *err)
{
	struct es_trials *trials = &compare->trials;
	int r = 0;

	compare->fates = calloc(trials->n + 1, sizeof(*compare->fates));
	compare->is_far_off = calloc(trials->n + 1, sizeof(*compare->is_far_off));
	if (!compare->fates || !compare->is_far_off)
		return es_error_set(err, -ENOMEM, "cannot compare");
	for (size_t i = 0; i < trials->n; i++)
		if (trials->trials[i].is_failed)
			compare->fates[i] = ES_FATE_FAILED;
	if (compare->quality.what)
		r = settle_quality(compare, err);
	if (r < 0)
		return r;
	r = settle_all_far_off(compare);
	if (r < 0)
		return es_error_set(err, r, "cannot compare");
	for (size_t i = 0; i < trials->n; i++) {
		if (compare->is_far_off[i] && compare->drops_outliers)
			compare->fates[i] = ES_FATE_FAR_OFF;
		trials->trials[i].is_failed = compare->fates[i] != ES_FATE_COUNTS;
	}
	return 0;
}
