/*
 * fuzz_daemon_config.c - any bytes as the configuration of the daemon
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdlib.h>

#include "daemon/config.h"
#include "fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct es_daemon_config config;
	struct es_error err = { .code = 0 };
	char *problems = NULL;
	int r = es_daemon_config_parse("file", data, n, &config, &problems, &err);

	fuzz_require(r == 0 || r == -EINVAL || r == -ENOMEM);
	fuzz_require((r == -EINVAL) == (problems && problems[0] != '\0'));
	if (r == 0) {
		fuzz_require(config.period_ns >= ES_PERIOD_MIN_NS);
		fuzz_require(config.socket[0] == '/' && config.spool[0] == '/');
		fuzz_require(config.quota_bytes > 0 && config.n_meters <= ES_METERS_MAX);
		es_daemon_config_finish(&config);
	} else {
		fuzz_require(err.text[0] != '\0');
	}
	free(problems);
	return 0;
}
