/*
 * domain.h - the physical parts of a node whose energy a source reports
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CORE_DOMAIN_H
#define ES_CORE_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "core/counter.h"

enum es_domain_type {
	ES_DOMAIN_PACKAGE,
	ES_DOMAIN_DIE,
	ES_DOMAIN_CORE, /* RAPL PP0: all cores of a package; on AMD one core only */
	ES_DOMAIN_UNCORE, /* RAPL PP1: on client chips mostly the GPU */
	ES_DOMAIN_DRAM,
	ES_DOMAIN_PSYS,
	ES_DOMAIN_GPU,
	ES_DOMAIN_MODULE, /* CPU, memory and GPU on one board (Grace) */
	ES_DOMAIN_NODE,
	ES_DOMAIN_OTHER,
	ES_N_DOMAIN_TYPES,
};

/** enum es_kind - where a number of joules comes from; never mixed silently */
enum es_kind {
	ES_KIND_MEASURED, /* a hardware energy counter */
	ES_KIND_INTEGRATED, /* from power readings */
	ES_KIND_ESTIMATED, /* a model */
	ES_KIND_ATTRIBUTED, /* a share by a rule */
	ES_N_KINDS,
};

/** enum es_domain_state - best first: a source's state is its best domain's */
enum es_domain_state {
	ES_STATE_OK, /* seen to move */
	ES_STATE_UNPROVEN, /* stands still, or was not watched */
	ES_STATE_DUPLICATE, /* measures the same part as @duplicate_of */
	ES_STATE_DENIED,
	ES_STATE_DEAD, /* stood still while its CPU was busy */
	ES_STATE_ABSENT,
	ES_N_STATES,
};

#define ES_INSTANCES_MAX 8U

/** struct es_instance - a part of a device that a job may have for itself while its energy is known of the whole only (MIG) */
struct es_instance {
	char uuid[64];
	uint32_t gpu_instance, compute_instance; /* their numbers on the device */
	uint32_t gpu_slices, compute_slices; /* of the device's slices; 0: not known */
	uint64_t memory_bytes; /* 0: not known */
};

/** struct es_domain - one part of one node as one source reports it; plain data, copied freely */
struct es_domain {
	char id[ES_NAME_MAX_BYTES]; /* source/name, unique on its node */
	char name[ES_NAME_MAX_BYTES]; /* package-0, dram-1, psys, … */
	char source[32];
	enum es_domain_type type;
	enum es_kind kind;
	enum es_domain_state state;
	bool is_power; /* readings are powers in mW; else they are a counter in µJ */
	bool may_mirror; /* dies of this vendor can show one counter of the whole package */
	bool is_partial; /* covers only part of what its type says (AMD: core is one core): never in a cover */
	bool is_there; /* denied or absent: the meter exists and may answer later */
	bool is_asked; /* the user named it: recorded even though it is partial */
	uint32_t node; /* index of its node in a recording */
	int32_t package, die,
		core; /* -1: not of one; of a GPU: its number on the node, its tile or chip, -; of one of a node's feeds: -, -, its number */
	int32_t parent; /* index of the domain that contains it, -1: none */
	int32_t duplicate_of; /* index, -1: none */
	struct es_counter_range range;
	uint64_t peak_mw; /* power above which a reading cannot be true */
	uint64_t limit_mw; /* power limit in force or TDP; 0: not known */
	char limit_kind[16]; /* "long_term", "tdp", … */
	int64_t read_period_ns; /* planned time between its readings; 0: the recording's */
	int64_t update_period_ns; /* how often the hardware refreshes the value; 0: not known */
	/* Estimates: watts of the model idle and at full load, and half widths of their 95 % intervals, relative. */
	uint64_t idle_mw, full_mw;
	uint32_t idle_spread_ppm, spread_ppm;
	int64_t hold_ns; /* of a power: readings up to so far apart leave no gap, for the meter has a slower pace of its own; 0: as they are planned */
	uint32_t accuracy_ppm; /* rated by its maker or its user: half width of a 95 % interval, relative; 0: not known */
	bool has_activity; /* its readings carry the CPU time of the machine as well */
	char pci[24]; /* of a device: where it is on the bus, 0000:17:00.0 */
	struct es_instance
		instances[ES_INSTANCES_MAX]; /* of a device that is shared out: n_instances of them */
	uint32_t n_instances;
	char model[64], uuid[64]; /* of a device: its maker's name for it, and for this one */
	bool is_chosen, is_chosen_total; /* in the fine cover, in the total cover */
	char reason[ES_NAME_MAX_BYTES]; /* why it is not ok or left out */
	char fix[ES_NAME_MAX_BYTES]; /* the command that would change that */
};

/** es_domain_is_feed - one of several feeds of its node: all of them together are the node */
static inline bool es_domain_is_feed(const struct es_domain *domain)
{
	return domain->type == ES_DOMAIN_NODE && domain->core >= 0;
}

const char *es_domain_type_name(enum es_domain_type type);
const char *es_kind_name(enum es_kind kind);
const char *es_state_name(enum es_domain_state state);
/** es_…_from_name - 0 or -ENOENT */
int es_domain_type_from_name(const char *name, enum es_domain_type *ret);
int es_kind_from_name(const char *name, enum es_kind *ret);

/** es_domain_init - a domain of @source with nothing known but its type and place; name and id by convention */
void es_domain_init(struct es_domain *domain, const char *source, enum es_domain_type type,
		    int32_t package, int32_t die);

/** es_domain_contains - true where the joules of @inner are, by their types and places, also joules of @outer */
bool es_domain_contains(const struct es_domain *outer, const struct es_domain *inner);
/** es_domain_is_estimate - made up from CPU time by a model, or a job's share of such a domain */
bool es_domain_is_estimate(const struct es_domain *domain);
/** es_domain_is_twin - true where both report the same part of the same node */
bool es_domain_is_twin(const struct es_domain *a, const struct es_domain *b);
/**
 * es_domain_may_overlap - true where both may have joules in common and nothing says which: GPUs of two sources, one of
 * which numbers them by a count of its own (a board's, in which a module with two chips is one) instead of by PCI address
 */
bool es_domain_may_overlap(const struct es_domain *a, const struct es_domain *b);

/** es_domain_period_ns - how far apart its readings should be in a recording planned at @planned_ns */
int64_t es_domain_period_ns(const struct es_domain *domain, int64_t planned_ns);

/** es_peak_default_mw - power that no part of @type reaches today; generous, so that no true joule is rejected */
uint64_t es_peak_default_mw(enum es_domain_type type);

#endif
