/*
 * fuzz_summary.c - any bytes as another node's summary of a job: what is taken of it can be told in a packet, and as a line
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/summary.h"
#include "fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct es_local_job_is job, again;
	struct es_error err = { .code = 0 };
	struct es_buf out;

	memset(&job, 0, sizeof(job));
	memset(&again, 0, sizeof(again));
	if (es_summary_read((const char *)data, n, &job, &err) < 0) {
		fuzz_require(err.code == -EBADMSG && err.text[0] != '\0');
		return 0;
	}
	/* What was taken comes out the same, as long as it fits. */
	es_buf_init(&out, ES_SUMMARY_MAX_BYTES);
	if (es_summary_write(&job, &out) == 0) {
		fuzz_require(es_summary_read((const char *)out.data, out.len, &again, &err) == 0);
		fuzz_require(memcmp(&job, &again, sizeof(job)) == 0);
	}
	es_buf_finish(&out);
	return 0;
}
