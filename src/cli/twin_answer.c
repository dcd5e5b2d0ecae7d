/*
 * twin_answer.c - what a twin says of a load and of its energies; who serves the mount may be anybody
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/twin_answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/parse.h"

#define WHOLE_PPM 1000000

/* Differences of two always fit. */
static int parse_time(const char *text, int64_t *ret_ns)
{
	int64_t t_ns;

	if (es_parse_i64(text, &t_ns) < 0 || t_ns < 0 || t_ns > ES_TIME_MAX_NS)
		return -EBADMSG;
	*ret_ns = t_ns;
	return 0;
}

int es_twin_answer_state(const char *text, struct es_twin_play_state *ret)
{
	struct es_twin_play_state state = { .is_done = false };
	char words[4][24];
	uint64_t phase;
	int64_t share_ppm;
	size_t used;

	if (sscanf(text, "done %23s %23s %23s", words[0], words[1], words[2]) == 3) {
		state.is_done = true;
		if (parse_time(words[0], &state.begin_ns) < 0 ||
		    parse_time(words[1], &state.end_ns) < 0 ||
		    es_parse_u64(words[2], &state.n_done) < 0)
			return -EBADMSG;
	} else if (sscanf(text, "running %23s %23s %23s %23s", words[0], words[1], words[2],
			  words[3]) == 4) {
		if (es_parse_u64(words[0], &phase) < 0 ||
		    es_parse_micro(words[1], strlen(words[1]), &share_ppm, &used) < 0 ||
		    words[1][used] || share_ppm < 0 || share_ppm > WHOLE_PPM ||
		    parse_time(words[2], &state.end_ns) < 0 ||
		    es_parse_u64(words[3], &state.n_done) < 0)
			return -EBADMSG;
		state.phase = (size_t)phase;
		state.share_ppm = share_ppm;
	} else {
		return -EBADMSG;
	}
	*ret = state;
	return 0;
}

size_t es_twin_answer_edges(const char *text, int64_t *ret)
{
	const char *at = strchr(text, '\n');
	size_t n = 0;

	for (; at && n < ES_TWIN_TIMES_MAX; at = strchr(at + 1, '\n')) {
		char i[24], t_ns[24];

		if (sscanf(at, "\nedge %23s %23s", i, t_ns) != 2)
			break;
		if (parse_time(t_ns, &ret[n]) < 0)
			ret[n] = INT64_MIN;
		n++;
	}
	return n;
}

/* They go onto the terminal. */
static bool is_name(const char *word)
{
	size_t n = strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-_");

	return n > 0 && word[n] == '\0';
}

int es_twin_answer_names(char *text, char (*ret)[ES_TWIN_COLUMN_BYTES], size_t *ret_n)
{
	char *line = strsep(&text, "\n"), *word = strsep(&line, ",");
	size_t n = 0;

	if (!word || strcmp(word, "t_ns") != 0)
		return -EBADMSG;
	while ((word = strsep(&line, ",")) != NULL) {
		if (n == ES_TWIN_COLUMNS_MAX || strlen(word) >= ES_TWIN_COLUMN_BYTES)
			return -E2BIG;
		if (!is_name(word))
			return -EBADMSG;
		memcpy(ret[n++], word, strlen(word) + 1);
	}
	*ret_n = n;
	return n ? 0 : -EBADMSG;
}

/* A row of the answer; *at: moved behind it. */
static int take_row(char **at, int64_t t_ns, size_t n_columns, uint64_t *ret_uj)
{
	char *line = strsep(at, "\n"), *word;
	int64_t told_ns;

	word = line ? strsep(&line, ",") : NULL;
	if (!word || es_parse_i64(word, &told_ns) < 0 || told_ns != t_ns)
		return -EBADMSG;
	for (size_t i = 0; i < n_columns; i++) {
		word = line ? strsep(&line, ",") : NULL;
		if (!word || es_parse_u64(word, &ret_uj[i]) < 0)
			return -EBADMSG;
	}
	return line ? -EBADMSG : 0;
}

int es_twin_answer_rows(char *text, const int64_t *t_ns, size_t n, size_t n_columns,
			uint64_t *ret_uj)
{
	char *at = text;
	int r = strsep(&at, "\n") && at ? 0 : -EBADMSG; /* the names */

	for (size_t i = 0; r == 0 && i < n; i++)
		r = take_row(&at, t_ns[i], n_columns, ret_uj + i * n_columns);
	return r;
}
