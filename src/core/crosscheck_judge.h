/*
 * core/crosscheck_judge.h - what the windows of two meters say about them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CORE_CROSSCHECK_JUDGE_H
#define ES_CORE_CROSSCHECK_JUDGE_H

#include "core/crosscheck.h"

/** es_cross_judge - fill in code and text of a pair whose figures are there */
void es_cross_judge(struct es_cross_pair *pair, const struct es_domain *domains,
		    const struct es_course *courses);

#endif
