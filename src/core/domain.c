/*
 * domain.c - the physical parts of a node whose energy a source reports
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/domain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const type_names[ES_N_DOMAIN_TYPES] = {
	[ES_DOMAIN_PACKAGE] = "package", [ES_DOMAIN_DIE] = "die",	[ES_DOMAIN_CORE] = "core",
	[ES_DOMAIN_UNCORE] = "uncore",	 [ES_DOMAIN_DRAM] = "dram",	[ES_DOMAIN_PSYS] = "psys",
	[ES_DOMAIN_GPU] = "gpu",	 [ES_DOMAIN_MODULE] = "module", [ES_DOMAIN_NODE] = "node",
	[ES_DOMAIN_OTHER] = "other",
};

static const char *const kind_names[ES_N_KINDS] = {
	[ES_KIND_MEASURED] = "measured",
	[ES_KIND_INTEGRATED] = "integrated",
	[ES_KIND_ESTIMATED] = "estimated",
	[ES_KIND_ATTRIBUTED] = "attributed",
};

static const char *const state_names[ES_N_STATES] = {
	[ES_STATE_OK] = "ok",
	[ES_STATE_UNPROVEN] = "unproven",
	[ES_STATE_DUPLICATE] = "duplicate",
	[ES_STATE_DENIED] = "denied",
	[ES_STATE_DEAD] = "dead",
	[ES_STATE_ABSENT] = "absent",
};

/* Watts no part reaches in 2026 even for one reading: twice the largest part sold and more. */
static const uint64_t peaks_mw[ES_N_DOMAIN_TYPES] = {
	[ES_DOMAIN_PACKAGE] = 1500000, [ES_DOMAIN_DIE] = 1000000,    [ES_DOMAIN_CORE] = 1500000,
	[ES_DOMAIN_UNCORE] = 1500000,  [ES_DOMAIN_DRAM] = 600000,    [ES_DOMAIN_PSYS] = 20000000,
	[ES_DOMAIN_GPU] = 3000000,     [ES_DOMAIN_MODULE] = 6000000, [ES_DOMAIN_NODE] = 40000000,
	[ES_DOMAIN_OTHER] = 20000000,
};

const char *es_domain_type_name(enum es_domain_type type)
{
	return type_names[type];
}

const char *es_kind_name(enum es_kind kind)
{
	return kind_names[kind];
}

const char *es_state_name(enum es_domain_state state)
{
	return state_names[state];
}

static int index_of(const char *const *names, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -ENOENT;
}

int es_domain_type_from_name(const char *name, enum es_domain_type *ret)
{
	int i = index_of(type_names, ES_N_DOMAIN_TYPES, name);

	if (i < 0)
		return i;
	*ret = (enum es_domain_type)i;
	return 0;
}

int es_kind_from_name(const char *name, enum es_kind *ret)
{
	int i = index_of(kind_names, ES_N_KINDS, name);

	if (i < 0)
		return i;
	*ret = (enum es_kind)i;
	return 0;
}

uint64_t es_peak_default_mw(enum es_domain_type type)
{
	return peaks_mw[type];
}

void es_domain_init(struct es_domain *domain, const char *source, enum es_domain_type type,
		    int32_t package, int32_t die)
{
	const char *word = type == ES_DOMAIN_DIE ? "package" : type_names[type];

	*domain = (struct es_domain){
		.type = type,
		.state = ES_STATE_UNPROVEN,
		.package = package,
		.die = die,
		.core = -1,
		.parent = -1,
		.duplicate_of = -1,
		.peak_mw = peaks_mw[type],
	};
	(void)snprintf(domain->source, sizeof(domain->source), "%s", source);
	if (package >= 0 && die >= 0)
		(void)snprintf(domain->name, sizeof(domain->name), "%s-%d-die-%d", word, package,
			       die);
	else if (package >= 0)
		(void)snprintf(domain->name, sizeof(domain->name), "%s-%d", word, package);
	else
		(void)snprintf(domain->name, sizeof(domain->name), "%s", word);
	(void)snprintf(domain->id, sizeof(domain->id), "%.31s/%.200s", domain->source,
		       domain->name);
}

static bool same_place(int32_t outer, int32_t inner)
{
	return outer < 0 || outer == inner;
}

/* GPUs are known by where they are on the bus; by their number only where neither is. */
static bool same_part(const struct es_domain *a, const struct es_domain *b)
{
	bool is_device = a->type == ES_DOMAIN_GPU || a->type == ES_DOMAIN_MODULE;

	if (is_device && a->pci[0] != '\0' && b->pci[0] != '\0')
		return strcmp(a->pci, b->pci) == 0;
	if (a->type == ES_DOMAIN_GPU && a->pci[0] != b->pci[0])
		return false;
	return a->package == b->package;
}

/* Of two domains of one type: all packages over one, dram of a package over dram of its die, a card over its chips. */
static bool is_wider(const struct es_domain *outer, const struct es_domain *inner)
{
	if (outer->type == ES_DOMAIN_GPU)
		return same_part(outer, inner) && outer->die < 0 && inner->die >= 0;
	if (outer->package < 0 && inner->package >= 0)
		return true;
	return outer->die < 0 && outer->core < 0 && (inner->die >= 0 || inner->core >= 0);
}

bool es_domain_contains(const struct es_domain *outer, const struct es_domain *inner)
{
	static const unsigned inside[ES_N_DOMAIN_TYPES] = {
		[ES_DOMAIN_PACKAGE] = 1u << ES_DOMAIN_PACKAGE | 1u << ES_DOMAIN_DIE |
				      1u << ES_DOMAIN_CORE | 1u << ES_DOMAIN_UNCORE,
		[ES_DOMAIN_DIE] = 1u << ES_DOMAIN_CORE | 1u << ES_DOMAIN_UNCORE,
		[ES_DOMAIN_DRAM] = 1u << ES_DOMAIN_DRAM,
		[ES_DOMAIN_CORE] = 1u << ES_DOMAIN_CORE,
		[ES_DOMAIN_PSYS] = 1u << ES_DOMAIN_PACKAGE | 1u << ES_DOMAIN_DIE |
				   1u << ES_DOMAIN_CORE | 1u << ES_DOMAIN_UNCORE |
				   1u << ES_DOMAIN_DRAM,
		[ES_DOMAIN_GPU] = 1u << ES_DOMAIN_GPU,
		[ES_DOMAIN_MODULE] = 1u << ES_DOMAIN_PACKAGE | 1u << ES_DOMAIN_DIE |
				     1u << ES_DOMAIN_CORE | 1u << ES_DOMAIN_UNCORE |
				     1u << ES_DOMAIN_DRAM | 1u << ES_DOMAIN_GPU,
		[ES_DOMAIN_NODE] = ~(1u << ES_DOMAIN_NODE),
	};
	/* CPU time says nothing about accelerators: a node estimated by it is one without them. */
	bool is_blind = outer->kind == ES_KIND_ESTIMATED && inner->type == ES_DOMAIN_GPU;

	if (outer == inner || outer->node != inner->node || is_blind ||
	    !(inside[outer->type] & 1u << inner->type))
		return false;
	if (outer->type == ES_DOMAIN_GPU)
		return is_wider(outer, inner);
	if (!same_place(outer->package, inner->package) || !same_place(outer->die, inner->die))
		return false;
	return outer->type != inner->type || is_wider(outer, inner);
}

bool es_domain_is_estimate(const struct es_domain *domain)
{
	return domain->kind == ES_KIND_ESTIMATED || domain->spread_ppm > 0;
}

bool es_domain_is_twin(const struct es_domain *a, const struct es_domain *b)
{
	/* Platform meters have no place, only names: psys-1 is another zone than psys, whatever board it may measure. */
	bool is_named = a->type == ES_DOMAIN_OTHER || a->type == ES_DOMAIN_PSYS;

	return a->node == b->node && a->type == b->type && same_part(a, b) && a->die == b->die &&
	       a->core == b->core && (!is_named || strcmp(a->name, b->name) == 0);
}

bool es_domain_may_overlap(const struct es_domain *a, const struct es_domain *b)
{
	return a->node == b->node && a->type == ES_DOMAIN_GPU && b->type == ES_DOMAIN_GPU &&
	       strcmp(a->source, b->source) != 0 && (a->pci[0] == '\0') != (b->pci[0] == '\0');
}

int64_t es_domain_period_ns(const struct es_domain *domain, int64_t planned_ns)
{
	if (domain->read_period_ns > 0)
		return domain->read_period_ns;
	return planned_ns > domain->update_period_ns ? planned_ns : domain->update_period_ns;
}
