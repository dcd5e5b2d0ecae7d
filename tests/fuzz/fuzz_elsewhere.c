/*
 * fuzz_elsewhere.c - any words as a command and an environment: where its work runs, who launched us
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <stdlib.h>
#include <string.h>

#include "cli/elsewhere.h"
#include "cli/launch.h"
#include "fuzz/target.h"

#define WORDS_MAX 64

/* Every file is a list of hosts. */
static char *read_hosts(const char *path)
{
	return strdup(path);
}

static void take_words(char **p, const char *end, char *words[static WORDS_MAX + 1])
{
	size_t n = 0;

	while (*p < end && **p && n < WORDS_MAX) {
		words[n++] = *p;
		*p += strlen(*p) + 1;
	}
	words[n] = NULL;
	*p += *p < end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = malloc(n + 1), *p = text, *words[WORDS_MAX + 1], *env[WORDS_MAX + 1];
	struct es_report_launch noted = ES_REPORT_LAUNCH_UNKNOWN;
	struct es_elsewhere_of of = {
		.argv = words, .env = env, .hostname = "n1", .read_hosts = read_hosts
	};
	struct es_elsewhere found;
	struct es_launch launch;
	struct es_buf out;

	if (!text)
		return 0;
	memcpy(text, data, n);
	text[n] = '\0';
	take_words(&p, text + n, words);
	take_words(&p, text + n, env);
	es_elsewhere_find(&of, &found);
	fuzz_require((found.how == ES_LAUNCH_NONE) == (found.client == NULL));
	es_buf_init(&out, 1U << 16);
	es_elsewhere_advice(&of, &found, &out);
	es_buf_finish(&out);
	es_launch_find(env, &launch);
	fuzz_require(!launch.launcher || launch.rank >= 0);
	for (size_t i = 0; env[i]; i++)
		es_report_launch_parse(env[i], (int64_t)i, &noted);
	fuzz_require(noted.how < ES_LAUNCH_N);
	free(text);
	return 0;
}
