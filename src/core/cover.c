/*
 * cover.c - which domains of a node stand for it, and which would count twice
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/cover.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

#define NODE_ALLOWED_PPM 20000U
#define STALE_MW 5000U /* a part that rose by more than that, */
#define STEP_W 10.0 /* that much is drawn at least by what a counter with large steps measures */
#define SHORT_NS 1000000000 /* how long it was watched where nobody said */
#define COARSE_PARTS 50U /* a counter with fewer steps is worse than powers added up */
#define STALE_PARTS 20U /* and by more than that part of the node, moves a live meter */

static void say(struct es_domain *domain, const char *reason)
{
	(void)snprintf(domain->reason, sizeof(domain->reason), "%s", reason);
}

bool es_domain_is_usable(const struct es_domain *domain)
{
	return (domain->state == ES_STATE_OK || domain->state == ES_STATE_UNPROVEN) &&
	       !domain->is_partial;
}

/* A counter of kWh does not move in seconds, whatever is drawn: that proves nothing against it. */
static bool has_too_large_steps(const struct es_domain *domain, const struct es_evidence *evidence)
{
	int64_t dur_ns = evidence->covered_ns > 0 ? evidence->covered_ns : SHORT_NS;

	return !domain->is_power && (double)domain->range.unit_nj > (double)dur_ns * STEP_W;
}

static void judge_movement(struct es_domain *domain, const struct es_evidence *evidence)
{
	if (domain->state != ES_STATE_OK && domain->state != ES_STATE_UNPROVEN)
		return;
	if (!evidence || !evidence->was_watched) {
		domain->state = ES_STATE_UNPROVEN;
		if (domain->reason[0] == '\0')
			say(domain, evidence ? "gave no two readings: whether it moves is not known"
					     : "not watched: whether it moves is not known");
	} else if (evidence->has_moved || (domain->is_power && evidence->energy_uj > 0) ||
		   domain->kind == ES_KIND_ATTRIBUTED) {
		/* A share may well be nothing. */
		domain->state = ES_STATE_OK; /* what its source says of it stays */
	} else if (has_too_large_steps(domain, evidence)) {
		domain->state = ES_STATE_UNPROVEN;
		say(domain, "one step of it is more than was drawn in so short a time");
	} else if (evidence->was_busy) {
		domain->state = ES_STATE_DEAD;
		say(domain, "stood still while the CPU was busy: this meter is dead");
	} else {
		domain->state = ES_STATE_UNPROVEN;
		say(domain, "stood still, and nothing proved that it should have moved");
	}
}

static void mark_duplicate(struct es_domain *domains, size_t i, size_t of, const char *why)
{
	domains[i].state = ES_STATE_DUPLICATE;
	domains[i].duplicate_of = (int32_t)of;
	(void)snprintf(domains[i].reason, sizeof(domains[i].reason), "%.60s %.160s", why,
		       domains[of].id);
}

/* Whether what a counter showed is but a few of its steps. */
static bool is_coarse(const struct es_domain *domains, const struct es_evidence *evidence, size_t i)
{
	return evidence && evidence[i].was_watched && !domains[i].is_power &&
	       (double)evidence[i].energy_uj * 1e3 <
		       (double)domains[i].range.unit_nj * COARSE_PARTS;
}

/* The best state first, then fine steps, a counter before powers that are added up, then the order of the registry. */
static bool is_better_twin(const struct es_domain *domains, const struct es_evidence *evidence,
			   size_t a, size_t b)
{
	bool is_coarse_a = is_coarse(domains, evidence, a);

	if (domains[a].state != domains[b].state)
		return domains[a].state < domains[b].state;
	if (is_coarse_a != is_coarse(domains, evidence, b))
		return !is_coarse_a;
	return domains[a].kind != domains[b].kind ? domains[a].kind < domains[b].kind : a < b;
}

/* Meters of a whole node are devices of their own, which need not agree; others show one register in many ways. */
static const char *why_twin(const struct es_domain *domain)
{
	return domain->type == ES_DOMAIN_NODE ? "another meter of the same part, beside"
					      : "the same joules as";
}

static void judge_twins(struct es_domain *domains, size_t n, const struct es_evidence *evidence)
{
	for (size_t i = 0; i < n; i++) {
		size_t best = i;

		if (!es_domain_is_usable(&domains[i]) || domains[i].kind == ES_KIND_ESTIMATED)
			continue;
		for (size_t j = 0; j < n; j++)
			if (j != i && es_domain_is_usable(&domains[j]) &&
			    es_domain_is_twin(&domains[i], &domains[j]) &&
			    domains[j].kind != ES_KIND_ESTIMATED &&
			    is_better_twin(domains, evidence, j, best))
				best = j;
		if (best != i)
			mark_duplicate(domains, i, best, why_twin(&domains[i]));
	}
}

static void judge_mirrors(struct es_domain *domains, size_t n, const struct es_evidence *evidence)
{
	for (size_t i = 0; i < n; i++) {
		if (!es_domain_is_usable(&domains[i]) || domains[i].die <= 0 ||
		    !domains[i].may_mirror)
			continue;
		for (size_t j = 0; j < i; j++) {
			bool is_first_die = domains[j].type == domains[i].type &&
					    domains[j].package == domains[i].package &&
					    domains[j].node == domains[i].node &&
					    es_domain_is_usable(&domains[j]) &&
					    strcmp(domains[j].source, domains[i].source) == 0;

			if (!is_first_die)
				continue;
			/* Dies seen to differ are real dies; where nothing moved, this vendor's are taken for mirrors. */
			if (evidence && evidence[i].was_watched && evidence[i].has_moved &&
			    evidence[i].mirrors < 0)
				continue;
			mark_duplicate(domains, i, j, "mirrors the counter of the whole package:");
			break;
		}
	}
}

static bool is_die_of(const struct es_domain *die, const struct es_domain *package)
{
	return die->type == ES_DOMAIN_DIE && die->package == package->package &&
	       die->node == package->node && es_domain_is_usable(die);
}

/* Where one die is left of a package, since the others mirror it, it shows what the package shows. */
static void judge_mirrored_packages(struct es_domain *domains, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t n_dies = 0, die = 0;

		if (!es_domain_is_usable(&domains[i]) || domains[i].type != ES_DOMAIN_PACKAGE)
			continue;
		for (size_t j = 0; j < n; j++) {
			if (!is_die_of(&domains[j], &domains[i]))
				continue;
			n_dies++;
			die = j;
		}
		if (n_dies == 1 && domains[die].may_mirror)
			mark_duplicate(domains, i, die, "the same joules as");
	}
}

void es_cover_judge(struct es_domain *domains, size_t n, const struct es_evidence *evidence)
{
	for (size_t i = 0; i < n; i++)
		judge_movement(&domains[i], evidence ? &evidence[i] : NULL);
	judge_twins(domains, n, evidence);
	judge_mirrors(domains, n, evidence);
	judge_mirrored_packages(domains, n);
}

static bool overlaps(const struct es_domain *a, const struct es_domain *b)
{
	bool is_node_and_feed = a->node == b->node && a->type == ES_DOMAIN_NODE &&
				b->type == ES_DOMAIN_NODE &&
				es_domain_is_feed(a) != es_domain_is_feed(b);

	return is_node_and_feed || es_domain_contains(a, b) || es_domain_contains(b, a) ||
	       es_domain_is_twin(a, b) || es_domain_may_overlap(a, b);
}

/* Whether a domain can stand for its part: a meter of a whole board or node only if it was not seen standing still. */
static bool can_stand(const struct es_domain *domain, const struct es_evidence *evidence)
{
	bool is_whole = domain->type == ES_DOMAIN_PSYS || domain->type == ES_DOMAIN_NODE ||
			domain->type == ES_DOMAIN_MODULE;

	if (!es_domain_is_usable(domain) || domain->kind == ES_KIND_ESTIMATED)
		return false;
	if (!evidence)
		return true;
	return !evidence->is_unknown &&
	       !(is_whole && evidence->was_watched && domain->state != ES_STATE_OK);
}

/* Likewise; one feed of a node is not the node where another one is not known. */
static bool may_stand(const struct es_domain *domains, size_t n, const struct es_evidence *evidence,
		      size_t i)
{
	for (size_t j = 0; es_domain_is_feed(&domains[i]) && j < n; j++)
		if (domains[j].node == domains[i].node && es_domain_is_feed(&domains[j]) &&
		    domains[j].state != ES_STATE_DUPLICATE &&
		    !can_stand(&domains[j], evidence ? &evidence[j] : NULL))
			return false;
	return can_stand(&domains[i], evidence ? &evidence[i] : NULL);
}

/* Add to the cover what overlaps nothing in it; in the order of the array. */
static void add_type(struct es_domain *domains, size_t n, const struct es_evidence *evidence,
		     uint32_t node, enum es_domain_type type, bool is_total)
{
	for (size_t i = 0; i < n; i++) {
		bool is_free = true;

		if (domains[i].node != node || domains[i].type != type ||
		    !may_stand(domains, n, evidence, i))
			continue;
		for (size_t j = 0; j < n && is_free; j++)
			if (j != i &&
			    (is_total ? domains[j].is_chosen_total : domains[j].is_chosen))
				is_free = !overlaps(&domains[i], &domains[j]);
		if (!is_free)
			continue;
		if (is_total)
			domains[i].is_chosen_total = true;
		else
			domains[i].is_chosen = true;
	}
}

/* Sum of the fine cover's parts that @outer must contain; false where one of them has no evidence. */
static bool sum_inside(const struct es_domain *domains, size_t n,
		       const struct es_evidence *evidence, size_t outer, uint64_t *ret_uj)
{
	uint64_t sum_uj = 0;

	for (size_t i = 0; i < n; i++) {
		if (!domains[i].is_chosen || !es_domain_contains(&domains[outer], &domains[i]))
			continue;
		if (!evidence[i].was_watched)
			return false;
		sum_uj += evidence[i].energy_uj;
	}
	*ret_uj = sum_uj;
	return true;
}

/* Why this psys domain is not to be trusted as the node's meter; NULL: it is. */
static const char *distrust_psys(const struct es_domain *domains, size_t n,
				 const struct es_evidence *evidence, size_t psys,
				 enum es_psys_policy policy)
{
	uint64_t inside_uj;
	unsigned n_psys = 0;

	if (policy == ES_PSYS_IGNORE)
		return "left out by configuration (psys: ignore)";
	if (domains[psys].state != ES_STATE_OK)
		return "not seen to move: not trusted for the node";
	if (policy == ES_PSYS_TRUST)
		return NULL;
	for (size_t i = 0; i < n; i++)
		n_psys += domains[i].type == ES_DOMAIN_PSYS &&
			  domains[i].node == domains[psys].node && es_domain_is_usable(&domains[i]);
	if (n_psys > 1)
		return "several psys domains may all be the same board: scope unknown";
	if (!evidence || !sum_inside(domains, n, evidence, psys, &inside_uj))
		return "not compared with the parts it should contain";
	/* 2 % for two meters that are not read at the same instant. */
	if (evidence[psys].energy_uj < inside_uj - inside_uj / 50)
		return "shows less than the parts it should contain: scope unknown";
	return NULL;
}

static uint64_t mean_mw(const struct es_evidence *evidence)
{
	return es_mean_power_mw(evidence->energy_uj, evidence->covered_ns);
}

/* Whether both are one meter of the node: the same domain, or two of its feeds. */
static bool is_one_node(const struct es_domain *a, const struct es_domain *b)
{
	return a == b || (a->node == b->node && es_domain_is_feed(a) && es_domain_is_feed(b) &&
			  a->state != ES_STATE_DUPLICATE && b->state != ES_STATE_DUPLICATE);
}

/* The mean power of a node's meter, of all its feeds together; false where it was not watched long enough to tell. */
static bool find_power(const struct es_domain *domains, size_t n,
		       const struct es_evidence *evidence, size_t node, uint64_t *ret_mw,
		       bool *ret_has_moved)
{
	*ret_mw = 0;
	*ret_has_moved = false;
	for (size_t i = 0; i < n; i++) {
		if (!is_one_node(&domains[i], &domains[node]))
			continue;
		if (!evidence[i].was_watched || evidence[i].covered_ns <= 0)
			return false;
		*ret_mw += mean_mw(&evidence[i]);
		*ret_has_moved = *ret_has_moved || evidence[i].has_moved;
	}
	return true;
}

/*
 * Why this meter of a node is not to be trusted with it; NULL: it is. Powers are compared, since a slow meter's readings
 * begin later than those of the parts. What was not watched long enough to tell is trusted.
 */
static const char *distrust_node(const struct es_domain *domains, size_t n,
				 const struct es_evidence *evidence, size_t node)
{
	uint64_t power_mw, allowed_ppm = domains[node].accuracy_ppm, inside_mw = 0, swing_mw = 0;
	bool has_moved;

	if (!evidence || domains[node].kind == ES_KIND_ESTIMATED ||
	    !find_power(domains, n, evidence, node, &power_mw, &has_moved))
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (!domains[i].is_chosen || !es_domain_contains(&domains[node], &domains[i]) ||
		    !evidence[i].was_watched || evidence[i].covered_ns <= 0)
			continue;
		inside_mw += mean_mw(&evidence[i]);
		if (evidence[i].swing_mw > swing_mw)
			swing_mw = evidence[i].swing_mw;
	}
	/* 2 % as for psys, or what its maker allows it. */
	allowed_ppm = allowed_ppm > NODE_ALLOWED_PPM ? allowed_ppm : NODE_ALLOWED_PPM;
	if ((double)power_mw < (double)inside_mw * (1.0 - (double)allowed_ppm / 1e6))
		return "shows less than the parts it must contain: not trusted for the node";
	/* To a whole watt a steady node may stand still; beside a part that rose by more it cannot. */
	if (domains[node].is_power && !has_moved && swing_mw > STALE_MW &&
	    swing_mw > power_mw / STALE_PARTS)
		return "stale: it stood still while its parts moved; not trusted for the node";
	return NULL;
}

static bool has_chosen(const struct es_domain *domains, size_t n, uint32_t node, unsigned types,
		       bool is_total)
{
	for (size_t i = 0; i < n; i++)
		if (domains[i].node == node && (types & 1u << domains[i].type) &&
		    (is_total ? domains[i].is_chosen_total : domains[i].is_chosen))
			return true;
	return false;
}

static void choose_estimate(struct es_domain *domains, size_t n, uint32_t node, bool is_total)
{
	for (size_t i = 0; i < n; i++) {
		if (domains[i].node != node || domains[i].kind != ES_KIND_ESTIMATED ||
		    (domains[i].state != ES_STATE_OK && domains[i].state != ES_STATE_UNPROVEN))
			continue;
		if (is_total)
			domains[i].is_chosen_total = true;
		else
			domains[i].is_chosen = true;
		return;
	}
}

static void choose_fine(struct es_domain *domains, size_t n, uint32_t node,
			const struct es_evidence *evidence)
{
	static const enum es_domain_type order[] = {
		ES_DOMAIN_DIE,	ES_DOMAIN_PACKAGE, ES_DOMAIN_DRAM,   ES_DOMAIN_GPU,
		ES_DOMAIN_CORE, ES_DOMAIN_UNCORE,  ES_DOMAIN_MODULE, ES_DOMAIN_OTHER,
		ES_DOMAIN_PSYS, ES_DOMAIN_NODE,
	};

	for (size_t i = 0; i < ES_ARRAY_SIZE(order); i++) {
		/* Whatever a platform meter would add to measured parts is not known. */
		if (order[i] == ES_DOMAIN_PSYS && has_chosen(domains, n, node, ~0u, false))
			continue;
		add_type(domains, n, evidence, node, order[i], false);
	}
	/* CPU time says nothing about GPUs: the estimate of the rest is beside them. */
	if (!has_chosen(domains, n, node, ~(1u << ES_DOMAIN_GPU), false))
		choose_estimate(domains, n, node, false);
}

/* A twin that was set aside for one that turned out wrong stands for itself. */
static void restore_twins(struct es_domain *domains, size_t n, size_t of)
{
	int32_t heir = -1;

	for (size_t i = 0; i < n; i++) {
		if (domains[i].state != ES_STATE_DUPLICATE ||
		    domains[i].duplicate_of != (int32_t)of)
			continue;
		if (heir >= 0) {
			domains[i].duplicate_of = heir;
			continue;
		}
		heir = (int32_t)i;
		domains[i].state = domains[of].state;
		domains[i].duplicate_of = -1;
		domains[i].reason[0] = '\0';
	}
}

/* The first meter of the whole node that nothing speaks against. */
static void choose_node(struct es_domain *domains, size_t n, uint32_t node,
			const struct es_evidence *evidence)
{
	bool is_free = true;

	/* Twice: a twin may come before the one that it was set aside for. */
	for (size_t pass = 0; pass < 2 && is_free; pass++)
		for (size_t i = 0; i < n && is_free; i++) {
			const char *why;

			if (domains[i].node != node || domains[i].type != ES_DOMAIN_NODE ||
			    !may_stand(domains, n, evidence, i))
				continue;
			why = distrust_node(domains, n, evidence, i);
			if (why) {
				say(&domains[i], why);
				restore_twins(domains, n, i);
				continue;
			}
			for (size_t j = 0; j < n; j++)
				if (is_one_node(&domains[j], &domains[i]))
					domains[j].is_chosen_total = true;
			is_free = false;
		}
}

static void choose_total(struct es_domain *domains, size_t n, uint32_t node,
			 const struct es_evidence *evidence, enum es_psys_policy policy)
{
	const unsigned whole = 1u << ES_DOMAIN_PACKAGE | 1u << ES_DOMAIN_DIE |
			       1u << ES_DOMAIN_PSYS | 1u << ES_DOMAIN_MODULE | 1u << ES_DOMAIN_NODE;

	choose_node(domains, n, node, evidence);
	add_type(domains, n, evidence, node, ES_DOMAIN_MODULE, true);
	for (size_t i = 0; i < n; i++) {
		const char *why;

		if (domains[i].node != node || domains[i].type != ES_DOMAIN_PSYS ||
		    !es_domain_is_usable(&domains[i]))
			continue;
		why = distrust_psys(domains, n, evidence, i, policy);
		if (why)
			say(&domains[i], why);
		else if (!has_chosen(domains, n, node, 1u << ES_DOMAIN_NODE, true))
			domains[i].is_chosen_total = true;
	}
	for (size_t i = 0; i < n; i++) {
		bool is_free = true;

		if (domains[i].node != node || !domains[i].is_chosen)
			continue;
		for (size_t j = 0; j < n && is_free; j++)
			is_free = j == i || !domains[j].is_chosen_total ||
				  !overlaps(&domains[i], &domains[j]);
		domains[i].is_chosen_total = domains[i].is_chosen_total || is_free;
	}
	/*
	 * Memory or devices alone do not stand for a node: the estimate does, beside the GPUs that it knows nothing of.
	 * Cores and what is around them, on rails of their own, are a processor.
	 */
	if (!has_chosen(domains, n, node, whole, true) &&
	    !(has_chosen(domains, n, node, 1u << ES_DOMAIN_CORE, true) &&
	      has_chosen(domains, n, node, 1u << ES_DOMAIN_UNCORE, true))) {
		for (size_t i = 0; i < n; i++)
			if (domains[i].node == node)
				domains[i].is_chosen_total = false;
		choose_estimate(domains, n, node, true);
		for (size_t i = 0; i < n; i++)
			if (domains[i].node == node && domains[i].type == ES_DOMAIN_GPU &&
			    domains[i].is_chosen && has_chosen(domains, n, node, whole, true))
				domains[i].is_chosen_total = true;
		if (!has_chosen(domains, n, node, ~0u, true))
			for (size_t i = 0; i < n; i++)
				if (domains[i].node == node)
					domains[i].is_chosen_total = domains[i].is_chosen;
	}
}

/* What stands for a domain that was left out: one that contains it, else those that are in it or may be. */
static void explain_overlap(struct es_domain *domains, size_t n, struct es_domain *domain)
{
	const struct es_domain *part = NULL, *rival = NULL;

	for (size_t j = 0; j < n; j++) {
		if (!domains[j].is_chosen && !domains[j].is_chosen_total)
			continue;
		if (es_domain_contains(&domains[j], domain)) {
			(void)snprintf(domain->reason, sizeof(domain->reason), "already in %.200s",
				       domains[j].id);
			return;
		}
		if (!part && es_domain_contains(domain, &domains[j]))
			part = &domains[j];
		if (!rival && es_domain_may_overlap(domain, &domains[j]))
			rival = &domains[j];
	}
	if (part)
		(void)snprintf(domain->reason, sizeof(domain->reason),
			       "its parts are counted one by one: %.200s", part->id);
	else if (rival)
		(void)snprintf(domain->reason, sizeof(domain->reason),
			       "may be the joules of %.180s: which GPU is which is not known",
			       rival->id);
}

static void explain_left_out(struct es_domain *domains, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct es_domain *domain = &domains[i];

		if (domain->is_chosen || domain->is_chosen_total ||
		    (domain->state != ES_STATE_OK && domain->state != ES_STATE_UNPROVEN))
			continue;
		if (domain->kind == ES_KIND_ESTIMATED) {
			say(domain, "not needed: this node has a meter");
			continue;
		}
		if ((domain->type == ES_DOMAIN_PSYS || domain->type == ES_DOMAIN_NODE) &&
		    domain->reason[0] != '\0')
			continue;
		if (es_domain_is_feed(domain)) {
			say(domain, "one feed of the node, and another one is not known");
			continue;
		}
		if (domain->is_partial) {
			if (domain->type == ES_DOMAIN_OTHER && domain->reason[0] == '\0')
				say(domain, "it stands for no part of the node: in no sum");
			if (domain->reason[0] == '\0' || domain->type == ES_DOMAIN_CORE)
				say(domain, "one core only, not the cores of the package");
			continue;
		}
		explain_overlap(domains, n, domain);
	}
}

void es_cover_choose(struct es_domain *domains, size_t n, const struct es_evidence *evidence,
		     enum es_psys_policy psys)
{
	for (size_t i = 0; i < n; i++) {
		domains[i].is_chosen = false;
		domains[i].is_chosen_total = false;
	}
	for (size_t i = 0; i < n; i++) {
		bool is_first_of_node = true;

		for (size_t j = 0; j < i && is_first_of_node; j++)
			is_first_of_node = domains[j].node != domains[i].node;
		if (!is_first_of_node)
			continue;
		choose_fine(domains, n, domains[i].node, evidence);
		choose_total(domains, n, domains[i].node, evidence, psys);
	}
	explain_left_out(domains, n);
}
