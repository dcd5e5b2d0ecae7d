/*
 * doctor.h - what the parts of a check of this machine share: findings, each with its fix
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_DOCTOR_H
#define ES_CLI_DOCTOR_H

#include <stddef.h>

#include "base/limits.h"

enum es_verdict {
	ES_VERDICT_OK,
	ES_VERDICT_NOTE, /* works, with less than there could be */
	ES_VERDICT_PROBLEM,
};

/** struct es_finding - one line; fix "": there is none to give */
struct es_finding {
	const char *what; /* a constant */
	enum es_verdict verdict;
	char text[ES_TEXT_MAX_BYTES];
	char fix[ES_NAME_MAX_BYTES];
};

#define ES_FINDINGS_MAX 96U

struct es_findings {
	struct es_finding items[ES_FINDINGS_MAX];
	size_t n; /* more are dropped */
};

/** es_find - add one; @what, a short word, is not copied */
void es_find(struct es_findings *findings, const char *what, enum es_verdict verdict,
	     const char *fix, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif
