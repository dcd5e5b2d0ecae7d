/*
 * fuzz_esraw.c - any bytes as a raw dump or a discovery of the original tool, imported beside a valid other half
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <string.h>

#include "format/import_esrun.h"
#include "fuzz/target.h"

#define ROW(index, phy, address, value)                                                         \
	"{\"index\": " #index ", \"phy\": \"" phy "\", \"cpu\": \"0\", \"adr_str\": \"" address \
	"\", \"raw_value\": " #value "}"

static const char discovery_text[] =
	"{\"date\": \"2022/11/08 03:08:22\", \"pgm\": \"es_discover.py@inria\", \"job\": \"1\", \"node\": \"n\", "
	"\"arch\": {\"0\": {\"vendor_id\": \"GenuineIntel\", \"modelname\": \"x@1.00GHz\", \"model\": \"79\", "
	"\"cpufamily\": \"6\", \"coreid\": {\"0\": [\"0\"]}}}, \"data\": [" ROW(
		0, "0", "0x0ce", 2560) ", " ROW(0, "0", "0x606", 658947) ", " ROW(0, "0", "0x614",
										  1080) "]}";

static const char raw_text[] =
	"{\"timestamp\": \"2022/11/08 03:08:22.7\", \"pgm\": \"es_read_rt.py@inria\", \"eprofile_period(ms)\": 1000, "
	"\"data\": [" ROW(0, "0", "0x010", 1000000000) ", " ROW(0, "0", "0x611", 5) ", " ROW(
		0, "gpu-nvidia-0", "gpu-nvidia-mjoule",
		7) ", " ROW(1, "0", "0x010",
			    2000000000) ", " ROW(1, "0", "0x611",
						 163845) ", " ROW(1, "gpu-nvidia-0",
								  "gpu-nvidia-mjoule", 99) "]}";

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

static void import(const struct es_dump *raw, const struct es_dump *discovery, const char *text,
		   size_t n_text)
{
	const struct es_esrun_node node = {
		.name = "raw", .raw = raw, .discovery = discovery, .text = text, .n_text = n_text
	};
	const struct es_esrun run = { .nodes = &node, .n_nodes = 1 };
	struct es_import_result result = { .n = 0 };
	struct es_error err = { .code = 0 };
	struct es_import_job job;
	int r;

	es_import_job_init(&job, &result);
	r = es_import_esrun(&job, &run, &err);
	fuzz_require(r == 0 || (r < 0 && err.text[0]));
	check(&job);
	es_import_job_finish(&job);
	es_import_result_finish(&result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct es_dump dump = { .n_phys = 0 }, other = { .n_phys = 0 };
	const char *text = (const char *)data;

	if (es_dump_read(&dump, text, n) == 0) {
		fuzz_require(dump.cut_at <= n);
		if (dump.is_raw &&
		    es_dump_read(&other, discovery_text, strlen(discovery_text)) == 0)
			import(&dump, &other, discovery_text, strlen(discovery_text));
		else if (dump.is_discovery && es_dump_read(&other, raw_text, strlen(raw_text)) == 0)
			import(&other, &dump, text, n);
	}
	es_dump_finish(&dump);
	es_dump_finish(&other);
	return 0;
}
