/*
 * fuzz_jobgroup.c - any bytes as the path of a cgroup
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz/target.h"
#include "sys/jobgroup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char letters[] = "._+-:[]";
	struct es_jobgroup group, again;
	char *text = malloc(n + 1);

	if (!text)
		return 0;
	memcpy(text, data, n);
	text[n] = '\0';
	if (es_jobgroup_parse(text, &group)) {
		fuzz_require(group.scheduler[0] && group.id[0] &&
			     strlen(group.id) < sizeof(group.id));
		fuzz_require(group.job_bytes > 1 && group.job_bytes <= strlen(text));
		fuzz_require(text[group.job_bytes] == '/' || text[group.job_bytes] == '\0');
		for (const char *c = group.id; *c; c++)
			fuzz_require((*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') ||
				     (*c >= 'A' && *c <= 'Z') || strchr(letters, *c));
		/* The job's own cgroup is the same job's, and nothing is looked for in it. */
		text[group.job_bytes] = '\0';
		fuzz_require(es_jobgroup_parse(text, &again) && strcmp(again.id, group.id) == 0);
		fuzz_require(again.job_bytes == group.job_bytes &&
			     strcmp(again.scheduler, group.scheduler) == 0);
	}
	(void)es_jobgroup_may_hold(text);
	free(text);
	return 0;
}
