/*
 * core/crosscheck.h - meters that overlap, held against each other over one stretch of time
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CORE_CROSSCHECK_H
#define ES_CORE_CROSSCHECK_H

#include "base/buf.h"
#include "core/course.h"
#include "core/domain.h"
#include "core/pairs.h"

#define ES_CROSS_PARTS_MAX 64U
#define ES_CROSS_PAIRS_MAX 512U

enum es_cross_relation {
	ES_CROSS_SAME, /* both report the same part */
	ES_CROSS_DIES, /* dies of one package: parts of their own, or mirrors of its counter */
	ES_CROSS_CONTAINS, /* the second one holds the first ones */
};

/** enum es_cross_code - the verdict; names by es_cross_code_name() */
enum es_cross_code {
	ES_CROSS_AGREE,
	ES_CROSS_UNIT, /* 15.3 uJ against 2^-16 J */
	ES_CROSS_FACTOR, /* a power of two: an energy unit is wrong; 4 is that of memory */
	ES_CROSS_DIFFER,
	ES_CROSS_MIRROR,
	ES_CROSS_DISTINCT, /* dies with counters of their own */
	ES_CROSS_HOLDS, /* contains its parts */
	ES_CROSS_LESS, /* less than the parts it must contain */
	ES_CROSS_RISES_LESS, /* rises by less than its parts */
	ES_CROSS_STALE, /* one stood while the other moved */
	ES_CROSS_LATE, /* else as it should be */
	ES_CROSS_STILL, /* neither moved */
	ES_CROSS_TOO_SHORT, /* too few windows in which both are known */
	ES_N_CROSS_CODES,
};

/** struct es_cross_pair - one comparison: y against x, or against the sum of several */
struct es_cross_pair {
	enum es_cross_relation relation;
	size_t x[ES_CROSS_PARTS_MAX]; /* indices of domains */
	size_t n_x, y;
	int64_t window_ns, span_ns;
	bool has_fit;
	struct es_pair_fit
		fit; /* its ratio_bound holds for what is at the ends of the stretch, too */
	struct es_lag lag;
	enum es_cross_code code;
	char text[ES_NAME_MAX_BYTES]; /* the verdict in words */
};

/** struct es_cross - all of them; es_cross_finish() it */
struct es_cross {
	struct es_cross_pair *pairs; /* owned */
	size_t n;
	bool is_cut; /* there are more than ES_CROSS_PAIRS_MAX */
};

/**
 * es_cross_check - hold meters against each other
 * @domains: judged (es_cover_judge), of any number of nodes; @courses: [n] of theirs
 * Returns 0 or -ENOMEM.
 */
int es_cross_check(const struct es_domain *domains, const struct es_course *courses, size_t n,
		   struct es_cross *ret);
void es_cross_finish(struct es_cross *cross);

const char *es_cross_code_name(enum es_cross_code code);
const char *es_cross_relation_name(enum es_cross_relation relation);
/** es_cross_is_fault - the verdict says that something is wrong */
bool es_cross_is_fault(enum es_cross_code code);

#endif
