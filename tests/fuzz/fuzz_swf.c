/*
 * fuzz_swf.c - any bytes as a workload trace
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>

#include "core/swf.h"
#include "fuzz/target.h"

static void check_job(const struct es_swf_job *job)
{
	fuzz_require(job->number >= 0 && job->submit_s >= 0);
	fuzz_require(job->wait_s >= ES_SWF_UNKNOWN && job->run_s >= ES_SWF_UNKNOWN);
	fuzz_require(job->procs >= ES_SWF_UNKNOWN && job->requested_procs >= ES_SWF_UNKNOWN);
	fuzz_require(job->cpu_ms >= ES_SWF_UNKNOWN && job->memory_kb >= ES_SWF_UNKNOWN);
	fuzz_require(job->status >= ES_SWF_UNKNOWN && job->status < ES_SWF_N_STATUS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct es_error err = { .code = 0 };
	struct es_swf swf, strict;
	int r = es_swf_parse((const char *)data, n, false, &swf, &err);
	int strict_r;

	fuzz_require(r == 0 || (r == -EBADMSG && err.text[0] != '\0'));
	fuzz_require((r == 0) == (swf.n > 0));
	fuzz_require(swf.n + swf.n_faults <= swf.n_lines);
	for (size_t i = 0; i < swf.n; i++) {
		check_job(&swf.jobs[i]);
		fuzz_require(i == 0 || swf.jobs[i - 1].submit_s <= swf.jobs[i].submit_s);
	}
	for (size_t i = 0; i < swf.n_faults && i < ES_SWF_FAULTS_KEPT; i++)
		fuzz_require(swf.faults[i].line > 0 && swf.faults[i].line <= swf.n_lines &&
			     swf.faults[i].reason[0] != '\0');
	strict_r = es_swf_parse((const char *)data, n, true, &strict, NULL);
	fuzz_require((strict_r == 0) == (r == 0 && swf.n_faults == 0));
	es_swf_finish(&strict);
	es_swf_finish(&swf);
	return 0;
}
