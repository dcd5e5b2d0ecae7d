/*
 * fuzz_eprofile.c - any bytes as an eprofile, ours or the original's; as CSV where they do not begin with a brace
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <stdlib.h>
#include <string.h>

#include "format/import_csv.h"
#include "format/import_eprofile.h"
#include "fuzz/target.h"

/* Readings in order of time, values that a recording can hold. */
static void check(const struct es_import_job *job)
{
	for (size_t d = 0; d < job->meta.n_domains; d++) {
		const struct es_import_series *series = &job->series[d];

		fuzz_require(job->meta.domains[d].node < job->meta.n_nodes);
		for (size_t i = 0; i < series->n; i++) {
			fuzz_require(i == 0 || series->t_ns[i] > series->t_ns[i - 1]);
			fuzz_require(series->values[i] <= INT64_MAX);
		}
	}
}

static int import(struct es_import_job *job, const uint8_t *data, size_t n, struct es_error *err)
{
	char *copy;
	int r;

	if (n > 0 && data[0] == '{')
		return es_import_eprofile(job, "input", (const char *)data, n, err);
	copy = malloc(n + 1);
	if (!copy)
		return 0;
	memcpy(copy, data, n);
	copy[n] = '\0';
	(void)es_import_csv_is_it(copy, n);
	r = es_import_csv(job, "input", copy, n, err);
	free(copy);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct es_import_result result = { .n = 0 };
	struct es_error err = { .code = 0 };
	struct es_import_job job;
	int r;

	es_import_job_init(&job, &result);
	r = import(&job, data, n, &err);
	fuzz_require(r == 0 || (r < 0 && err.text[0]));
	if (r == 0)
		check(&job);
	es_import_job_finish(&job);
	es_import_result_finish(&result);
	return 0;
}
