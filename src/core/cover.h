/*
 * cover.h - which domains of a node stand for it, and which would count twice
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CORE_COVER_H
#define ES_CORE_COVER_H

#include "core/domain.h"

#define ES_SWING_NS 30000000000LL /* longer than the mean that a management controller shows */

/** struct es_evidence - what was seen of a domain over one stretch of time */
struct es_evidence {
	bool was_watched; /* read at least twice */
	bool has_moved; /* its value changed */
	bool was_busy; /* the CPU it measures was kept busy meanwhile, long enough for any live meter to move */
	bool is_unknown; /* it should have moved in so long a time and did not, or gave no two readings: its energy is not known, it cannot stand for anything */
	uint64_t energy_uj; /* over the stretch */
	int64_t covered_ns; /* how much of it has valid samples; 0: all, as far as is known */
	uint64_t swing_mw; /* highest less lowest mean of ES_SWING_NS; 0 where there are not two of them */
	int32_t mirrors; /* index of an earlier die of its package whose steps were the same to one unit; -1: none */
};

/** enum es_psys_policy - what to do with a platform domain, whose scope the board's maker chose */
enum es_psys_policy {
	ES_PSYS_AUTO, /* trusted where there is one, it moves, and it is not less than the parts it must contain */
	ES_PSYS_IGNORE,
	ES_PSYS_TRUST, /* trusted wherever it moves; several are added up */
};

/**
 * es_cover_judge - settle each domain's state from what was seen of it, and find duplicates
 * @evidence: one for each domain, or NULL: nothing was watched
 *
 * A standing meter becomes dead (its CPU was busy, and its steps are small enough) or unproven; of twins the first that is
 * ok stays (a counter before powers that are added up, unless it showed less than some 50 steps), the others become duplicates; so do mirrored dies. Reasons are filled in. Denied and absent domains stay so.
 */
void es_cover_judge(struct es_domain *domains, size_t n, const struct es_evidence *evidence);

/**
 * es_cover_choose - choose the two covers of each node among judged domains
 *
 * Fine: the parts that do not overlap (packages or dies, dram, devices); total: the widest trusted meter, else the
 * fine one. An estimate is chosen only on a node where nothing else can be. What is_unknown is passed over. Sets
 * is_chosen and is_chosen_total, and the reason of each usable domain that was left out.
 */
void es_cover_choose(struct es_domain *domains, size_t n, const struct es_evidence *evidence,
		     enum es_psys_policy psys);

/** es_domain_is_usable - true for ok and unproven domains that are no mere part of what their type says */
bool es_domain_is_usable(const struct es_domain *domain);

#endif
