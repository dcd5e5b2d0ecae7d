/*
 * fuzz_conf.c - any bytes as a configuration file
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/conf.h"
#include "fuzz/target.h"

static const char *const choices[] = { "auto", "ignore", "trust", NULL };

static const struct es_conf_key schema[] = {
	{ .key = "zone", .type = ES_CONF_TEXT, .lo = 1, .doc = "" },
	{ .key = "pue", .type = ES_CONF_NUMBER, .lo = 1, .hi = 10, .doc = "" },
	{ .key = "is_on", .type = ES_CONF_BOOL, .doc = "" },
	{ .key = "n", .type = ES_CONF_INTEGER, .doc = "" },
	{ .key = "a.period", .type = ES_CONF_DURATION, .lo = 1, .hi = INT64_MAX, .doc = "" },
	{ .key = "a.b.power", .type = ES_CONF_POWER, .doc = "" },
	{ .key = "a.b.share", .type = ES_CONF_SHARE, .doc = "" },
	{ .key = "list", .type = ES_CONF_LIST, .lo = 1, .hi = 40, .doc = "" },
	{ .key = "psys", .type = ES_CONF_CHOICE, .choices = choices, .doc = "" },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct es_error err = { .code = 0 };
	struct es_conf *conf;
	int r;

	if (es_conf_create(schema, ES_ARRAY_SIZE(schema), &conf) < 0)
		return 0;
	r = es_conf_load(conf, "file", data, n);
	if (r == -EINVAL) {
		fuzz_require(es_conf_n_problems(conf) > 0 && es_conf_problems(conf)[0] != '\0');
		fuzz_require(es_conf_fail(conf, &err) == -EINVAL && err.text[0] != '\0');
	} else if (r == 0) {
		fuzz_require(es_conf_fail(conf, &err) == 0);
	}
	for (size_t i = 0; i < ES_ARRAY_SIZE(schema); i++) {
		const char *text;

		/* A file with a mistake gives no value, and none of these has a default. */
		fuzz_require((es_conf_text(conf, schema[i].key, &text) == 0) ==
			     (es_conf_origin(conf, schema[i].key) != NULL));
		fuzz_require(r == 0 || !es_conf_origin(conf, schema[i].key));
	}
	es_conf_destroy(conf);
	return 0;
}
