/*
 * fuzz_slurm.c - any bytes as a note of a job's output, a job's environment, a comment of others
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * The first byte says what the rest is taken for.
 */
#include <errno.h>
#include <string.h>

#include "fuzz/target.h"
#include "slurm/about.h"
#include "slurm/args.h"
#include "slurm/comment.h"
#include "slurm/output.h"

#define TEXT_MAX_BYTES 8192U

static void note(const char *text, size_t n)
{
	static struct es_slurm_output output, again;
	static char put[ES_SLURM_OUTPUT_MAX_BYTES];
	int length;

	if (es_slurm_output_get(text, n, &output) < 0)
		return;
	length = es_slurm_output_put(&output, put, sizeof(put));
	fuzz_require(length > 0);
	fuzz_require(es_slurm_output_get(put, (size_t)length, &again) == 0);
	fuzz_require(!strcmp(again.path, output.path) && again.inode == output.inode);
}

static void comment(const char *text)
{
	static const struct es_slurm_sum sum = {
		.n_heard = 1, .n_nodes = 1, .energy_uj = 1, .kind = "measured"
	};
	static char merged[2 * ES_SLURM_COMMENT_MAX_BYTES], again[2 * ES_SLURM_COMMENT_MAX_BYTES];

	if (es_slurm_comment_merge(text, &sum, merged, sizeof(merged)) < 0)
		return;
	fuzz_require(strlen(merged) >= 8);
	(void)es_slurm_comment_merge(merged, &sum, again, sizeof(again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static char text[TEXT_MAX_BYTES + 1], cgroup[64];
	struct es_slurm_args args;
	char *argv[] = { text };

	if (n < 1 || n - 1 > TEXT_MAX_BYTES)
		return 0;
	memcpy(text, data + 1, n - 1);
	text[n - 1] = '\0';
	switch (data[0] % 5) {
	case 0:
		note(text, n - 1);
		break;
	case 1:
		comment(text);
		break;
	case 2:
		(void)es_slurm_cpus_at(text, data[0]);
		break;
	case 3:
		if (es_slurm_cgroup_of(text, 7, cgroup, sizeof(cgroup)) == 0)
			fuzz_require(cgroup[0] == '/');
		break;
	default:
		(void)es_slurm_args_read(1, argv, "n1", &args, NULL);
		fuzz_require(args.socket[0] == '/' && args.helpers[0] == '/');
		break;
	}
	return 0;
}
