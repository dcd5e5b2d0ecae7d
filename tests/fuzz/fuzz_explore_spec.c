/*
 * fuzz_explore_spec.c - any bytes as a study's specification
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/explore_spec.h"
#include "fuzz/target.h"

#define TRIED 100U /* configurations */

/* What was checked is filled in whole: nothing is left to the shell that was meant for us. */
static void fill(const struct es_explore_spec *spec, const struct es_explore_configuration *at)
{
	const struct es_explore_places places = { "b", "r", "o", "c01", "1" };
	struct es_buf line;
	int r;

	es_buf_init(&line, ES_EXPLORE_LINE_MAX_BYTES);
	r = es_explore_fill(spec, at, &places, spec->run.text, &line);
	fuzz_require(r == 0 || r == -EMSGSIZE);
	if (r == 0) {
		fuzz_require(line.len > 0 && line.data[line.len - 1] == '\0');
		fuzz_require(strstr(spec->run.text, "${") ||
			     strcmp((const char *)line.data, spec->run.text) == 0);
	}
	es_buf_reset(&line);
	fuzz_require(es_explore_label(spec, at, &line) == 0 && line.len > 0);
	es_buf_finish(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct es_explore_configuration *grid = NULL;
	struct es_explore_spec spec;
	struct es_problems problems;
	struct es_sha256 sha;
	size_t n_grid = 0;
	int r;

	es_problems_init(&problems, "spec");
	r = es_explore_spec_parse(data, n, &problems, &spec);
	fuzz_require((r == -EINVAL) == (problems.n > 0));
	fuzz_require(problems.n == 0 || problems.lines.len > 0);
	if (r == 0) {
		es_sha256_init(&sha);
		es_explore_spec_digest(&spec, &sha);
		r = es_explore_grid(&spec, &problems, &grid, &n_grid);
		fuzz_require((r == 0) == (problems.n == 0));
		fuzz_require(r < 0 || (n_grid > 0 && n_grid <= ES_EXPLORE_CONFIGURATIONS_MAX));
	}
	for (size_t i = 0; i < n_grid && i < TRIED; i++) {
		for (size_t k = 0; k < spec.n_excludes; k++)
			fuzz_require(!es_explore_picks(&spec, &spec.excludes[k], &grid[i]));
		fill(&spec, &grid[i]);
	}
	free(grid);
	es_explore_spec_finish(&spec);
	es_problems_finish(&problems);
	return 0;
}
