/*
 * work_spec.h - --work: what counts as work, and where it is found
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_WORK_SPEC_H
#define ES_CLI_WORK_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "cli/command.h"
#include "cli/work_count.h"
#include "net/metrics.h"

#define ES_WORKS_MAX 4U
#define ES_WORK_UNIT_MAX_BYTES 64U /* with the final NUL */

enum es_work_kind {
	ES_WORK_STDOUT, /* regex: of the command's standard output */
	ES_WORK_STDERR, /* regex@stderr: */
	ES_WORK_FILE,
	ES_WORK_URL,
};

/** struct es_work_spec - one --work with its --work-total and --work-from */
struct es_work_spec {
	enum es_work_kind kind;
	char unit[ES_WORK_UNIT_MAX_BYTES];
	const char *pattern; /* of a regex, or the path of a file; borrowed */
	char url[ES_PATH_MAX_BYTES]; /* without its fragment */
	struct es_metrics_query query; /* which is this */
	bool has_total;
	int64_t total_micro;
	bool has_from;
	enum es_work_from from;
	int64_t from_micro;
};

/** struct es_work_specs - all of a run */
struct es_work_specs {
	struct es_work_spec specs[ES_WORKS_MAX];
	size_t n;
};

/**
 * es_work_specs_parse - from the options' arguments
 * @works: [UNIT=]regex:PATTERN, [UNIT=]regex@stderr:PATTERN, [UNIT=]file:PATH, [UNIT=]url:URL#METRIC
 * @totals: [UNIT=]NUMBER; @froms: [UNIT=]NUMBER or [UNIT=]first
 *
 * Texts are borrowed from the options. Returns 0, or -EINVAL or -E2BIG with @err.
 */
int es_work_specs_parse(const struct es_text_list *works, const struct es_text_list *totals,
			const struct es_text_list *froms, struct es_work_specs *ret,
			struct es_error *err);

#endif
