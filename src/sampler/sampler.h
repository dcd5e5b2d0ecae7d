/*
 * sampler.h - reads the sources of a node on time and keeps what they say
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SAMPLER_SAMPLER_H
#define ES_SAMPLER_SAMPLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "core/domain.h"
#include "record/recorder.h"
#include "source/source.h"

struct es_sampler;

/** struct es_sampler_source - a source as the sampler uses it */
struct es_sampler_source {
	struct es_source *source;
	const struct es_source_ops *ops;
	struct es_plan plan;
	int64_t period_ns; /* between its readings */
	size_t first_domain; /* of the sampler's domains: @n of them */
	size_t n;
	size_t first_signal; /* of the sampler's signals: as many as the source has */
	char absent[ES_NAME_MAX_BYTES]; /* why it could not be opened; source is NULL then */
};

/** struct es_sampler_stats - how well the plan was kept */
struct es_sampler_stats {
	uint64_t n_sweeps, n_missed;
	int64_t worst_late_ns; /* latest start of a sweep after its deadline */
	int64_t worst_sweep_ns; /* longest sweep */
};

/** struct es_sampler_options - which meters are opened; all zero: those that are found and needed */
struct es_sampler_options {
	bool wants_spares; /* sources too that nobody needs since others show the same counters (is_spare) */
	const struct es_meter_url *meters; /* that the user named; borrowed */
	size_t n_meters;
};

/**
 * es_sampler_create - open every source of @root, then every meter that the user named
 * @options: NULL: none
 * @ret: owned by caller, es_sampler_destroy() it. A source that this machine does not have is no error.
 *
 * A spare source is opened only where a package has no meter that can be read. Returns 0; -EINVAL: an URL that no
 * source takes; -ENOMEM.
 */
int es_sampler_create(const struct es_root *root, const struct es_sampler_options *options,
		      struct es_sampler **ret, struct es_error *err);
void es_sampler_destroy(struct es_sampler *sampler);

/**
 * es_sampler_add - a source beside those of the registry, open already; before es_sampler_start()
 * @source: owned by the sampler from now on, also where this fails. Domains and signals borrowed before are no longer valid.
 */
int es_sampler_add(struct es_sampler *sampler, struct es_source *source);

/** es_sampler_spare_profilers - leave counters alone that a profiler may want for itself; before es_sampler_start() */
void es_sampler_spare_profilers(struct es_sampler *sampler);

/**
 * es_sampler_release - let go of devices that others cannot change while we hold them (GPUs); never waits
 * Until es_sampler_take() there are no readings of them. May be called again to ask: 0: nothing is held;
 * -EINPROGRESS: soon; -EBUSY: all but what cannot be while this process lives; -EOPNOTSUPP: there was nothing to let go.
 */
int es_sampler_release(struct es_sampler *sampler);
void es_sampler_take(struct es_sampler *sampler);

/** es_sampler_sources - all of the registry, absent ones too; borrowed */
const struct es_sampler_source *es_sampler_sources(const struct es_sampler *sampler, size_t *ret_n);
/** es_sampler_domains - of all sources, with parents as indices into this array; borrowed, states may be settled in place */
struct es_domain *es_sampler_domains(struct es_sampler *sampler, size_t *ret_n);

/** es_sampler_users - who computes on GPUs, of all sources that can tell; any thread may ask; how many of @max, or -EOPNOTSUPP: none can */
int es_sampler_users(const struct es_sampler *sampler, struct es_gpu_user *ret, size_t max);

/** es_sampler_signals - of all sources; a recording has all of them, in this order; borrowed */
const struct es_signal *es_sampler_signals(const struct es_sampler *sampler, size_t *ret_n);

/** es_sampler_read - read each open source once; @ret has room for every domain (those of absent or denied ones get an error) */
void es_sampler_read(struct es_sampler *sampler, struct es_reading *ret);

/**
 * es_sampler_plan - how often each source will be read in a recording planned at @period_ns; sets the domains' read_period_ns
 *
 * A source is never read more often than it refreshes, nor so seldom that a wrap could be missed. Once a second is
 * enough for estimates beside real meters, and for a source all of whose domains another one before it has too: they
 * are there in case that one turns out dead.
 */
void es_sampler_plan(struct es_sampler *sampler, int64_t period_ns);

/**
 * es_sampler_start - plan the readings and take the first sweep
 * @period_ns: planned sampling period
 * @recorder: where the readings go (borrowed); its domains are those for which es_sampler_is_listed(), its signals all
 * @now_mono_ns: when deadlines begin to count
 */
int es_sampler_start(struct es_sampler *sampler, int64_t period_ns, struct es_recorder *recorder,
		     int64_t now_mono_ns);

/** es_sampler_can_read - whether a domain can be read */
bool es_sampler_can_read(const struct es_domain *domain);
/**
 * es_sampler_is_recorded - whether the readings of a domain go into recordings: it can be read, and can be part of a
 * cover or was asked for by name. A hundred single cores are not read in every sweep for nothing.
 */
bool es_sampler_is_recorded(const struct es_domain *domain);

/**
 * es_sampler_latest - the last reading of a domain that was taken while sampling
 * @domain: index among es_sampler_domains(). Borrowed until the next tick; NULL: there is none yet.
 */
const struct es_reading *es_sampler_latest(const struct es_sampler *sampler, size_t domain);

/**
 * es_sampler_is_listed - whether a domain is one of the recording's: it is recorded, or it is there and could not be
 * read at the start. The latter is tried again now and then; its failures are told, so that it is known to be missing.
 * @domain: index of es_sampler_domains()
 */
bool es_sampler_is_listed(const struct es_sampler *sampler, size_t domain);

/** es_sampler_next_ns - when es_sampler_tick() is due next, on the monotonic clock */
int64_t es_sampler_next_ns(const struct es_sampler *sampler);

/**
 * es_sampler_tick - take what is due, write what is old enough
 * @now_mono_ns: the time; nothing happens before the deadline
 * Readings are with the recorder at the latest one second after they were taken, or at the sweep after. Then signals
 * are read too: about once a second.
 * Returns 0, or negative errno when frames could not even be kept in memory.
 */
int es_sampler_tick(struct es_sampler *sampler, int64_t now_mono_ns);

/** es_sampler_stop - a last sweep of all sources, and everything to the recorder; failed reads and missed deadlines become events */
int es_sampler_stop(struct es_sampler *sampler, int64_t now_mono_ns);

void es_sampler_stats(const struct es_sampler *sampler, struct es_sampler_stats *ret);

#endif
