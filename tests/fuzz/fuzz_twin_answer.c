/*
 * fuzz_twin_answer.c - any bytes as what a twin says of a load and of its energies
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "cli/twin_answer.h"
#include "fuzz/target.h"

static void look_at_load(const char *text)
{
	int64_t edges_ns[ES_TWIN_TIMES_MAX];
	struct es_twin_play_state state;
	size_t n = es_twin_answer_edges(text, edges_ns);

	fuzz_require(n <= ES_TWIN_TIMES_MAX);
	for (size_t i = 0; i < n; i++)
		fuzz_require(edges_ns[i] == INT64_MIN ||
			     (edges_ns[i] >= 0 && edges_ns[i] <= ES_TIME_MAX_NS));
	if (es_twin_answer_state(text, &state) == 0)
		fuzz_require(state.end_ns >= 0 && state.end_ns <= ES_TIME_MAX_NS &&
			     state.share_ppm >= 0 && state.share_ppm <= 1000000);
}

/* @text, and @copy of it: each is cut up by who reads it. */
static void look_at_energies(char *text, char *copy)
{
	static char names[ES_TWIN_COLUMNS_MAX][ES_TWIN_COLUMN_BYTES];
	const int64_t t_ns[] = { 1, 2 };
	uint64_t energies_uj[2 * ES_TWIN_COLUMNS_MAX];
	size_t n = 0;

	if (es_twin_answer_names(copy, names, &n) < 0)
		return;
	fuzz_require(n > 0 && n <= ES_TWIN_COLUMNS_MAX);
	for (size_t i = 0; i < n; i++)
		fuzz_require(names[i][0] && strlen(names[i]) < ES_TWIN_COLUMN_BYTES);
	(void)es_twin_answer_rows(text, t_ns, 2, n, energies_uj);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = malloc(n + 1), *copy = malloc(n + 1);

	if (text && copy) {
		memcpy(text, data, n);
		text[n] = '\0';
		memcpy(copy, text, n + 1);
		look_at_load(text);
		look_at_energies(text, copy);
	}
	free(text);
	free(copy);
	return 0;
}
