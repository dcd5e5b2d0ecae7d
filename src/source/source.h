/*
 * source/source.h - a way to read domains on this node
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_SOURCE_H
#define ES_SOURCE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "core/domain.h"
#include "core/signal.h"
#include "sys/root.h"

/** struct es_reading - one domain read once */
struct es_reading {
	int64_t t_ns; /* boot clock, the middle of the read */
	int64_t width_ns; /* how long the read took */
	uint64_t value; /* µJ, or mW where the domain reports power */
	int64_t activity_ns; /* CPU time of the machine, where the domain carries it */
	int error; /* 0, or negative errno: then nothing else is set but the time */
};

/** struct es_plan - how often a source is worth reading */
struct es_plan {
	int64_t at_least_ns; /* a longer time between readings could lose energy (a quarter of a wrap at peak power, a heartbeat); INT64_MAX: none could */
	int64_t at_most_ns; /* reading more often than this gives nothing new; 0: no bound */
};

/** struct es_gpu_user - a process that computes on a GPU, or on an instance of one */
struct es_gpu_user {
	char pci[24], uuid[64]; /* of the GPU; "": not known */
	int64_t pid; /* as the kernel of the node counts */
	int32_t gpu_instance, compute_instance; /* MIG; -1: of the whole GPU */
	bool has_busy; /* else the library does not tell what it keeps busy */
	uint32_t busy_ppm; /* of the GPU's time, lately */
};

struct es_source;
struct es_meter_url;

/**
 * struct es_source_ops - one meter; one const table per file
 *
 * open finds out everything (domains, ranges, rights) once; read makes as few calls as the meter allows, without
 * allocation or logging.
 */
struct es_source_ops {
	const char *name; /* stable, lower case, appears in configuration and output */
	bool is_spare; /* the same counters as those before it: only where these cannot be read, or when asked for */
	/* Of a spare: whether something that it may read has no meter among @domains, those of the sources before it. NULL: whether a package has none. */
	bool (*is_needed)(const struct es_root *root, const struct es_domain *domains, size_t n);
	/* Domains that are denied or absent are listed too, with reason and fix. -ENODEV: this machine has no such meter. */
	int (*open)(const struct es_root *root, struct es_source **ret, struct es_error *err);
	/*
	 * A meter that cannot be found but is named, by an URL of one of @schemes (words with a blank between); open is
	 * NULL then. One that does not answer is listed with the reason. -EINVAL: the URL is not right, with why.
	 */
	const char *schemes;
	int (*open_at)(const struct es_root *root, const struct es_meter_url *url,
		       struct es_source **ret, struct es_error *err);
	/* Of what open_at began: wait until its domains are known, once, before all else. All are begun before one is waited for. */
	int (*settle)(struct es_source *source, struct es_error *err);
	/* It will be closed: let it begin to end, and do not wait. All are told before one is closed. NULL: close takes no time. */
	void (*end)(struct es_source *source);
	int (*plan)(const struct es_source *source, struct es_plan *ret);
	/* Which domains matter from now on: what needs a call of its own for others may be left unread (-ECANCELED). NULL: all are read. */
	void (*want)(struct es_source *source, const bool *wanted);
	/* @ret has room for each domain, in their order; domains that cannot be read have their error set. Returns 0 or negative errno. */
	int (*read)(struct es_source *source, struct es_reading *ret, size_t n);
	/*
	 * Where a reading may take long, it is taken aside: ask begins one and never waits, wait waits for it (0, or
	 * -ETIMEDOUT), and read gives the newest, which may be the one it gave before. NULL, both: read reads.
	 */
	void (*ask)(struct es_source *source);
	int (*wait)(struct es_source *source, int64_t wait_ns);
	/*
	 * What is recorded beside energy: @ret has room for each signal, in their order; what is not known has its error
	 * set. Called about once a second, after a sweep and never in it; a source that is read aside gives what its thread
	 * found last. Returns 0 or negative errno. NULL: there are none.
	 */
	int (*read_signals)(struct es_source *source, struct es_reading *ret, size_t n);
	/* From now on counters that a profiler may want for itself are left alone; before es_sampler_start(). NULL: it has none. */
	void (*spare_profilers)(struct es_source *source);
	/*
	 * Let go of devices that others cannot change or reset while we hold them open (GPUs), and have them again.
	 * Neither waits. release may be called again: 0: nothing is held; -EINPROGRESS: soon; -EBUSY: it cannot be let
	 * go while this process lives. Until take there are no readings (-ECANCELED). NULL, both: there is nothing to let go.
	 */
	int (*release)(struct es_source *source);
	void (*take)(struct es_source *source);
	/*
	 * Who computes on its GPUs, as found with the last sweep by the source's own thread; it looks once a second from the
	 * first call on. May be called by any thread. How many of @max there are; negative errno: it cannot be told. NULL: never.
	 */
	int (*users)(struct es_source *source, struct es_gpu_user *ret, size_t max);
	/* From now on so many hardware threads are online. NULL: it does not matter. */
	void (*online)(struct es_source *source, uint32_t n_cpus);
	void (*close)(struct es_source *source);
};

/** struct es_source - the start of every source's own struct */
struct es_source {
	const struct es_source_ops *ops;
	struct es_domain *domains; /* owned by the source; parents are indices into this array */
	size_t n_domains;
	struct es_signal *signals; /* owned by the source, like the domains; NULL: none */
	size_t n_signals;
	int64_t start_ns; /* what a vendor's library took to start; 0: there is none */
};

extern const struct es_source_ops es_source_perf;
extern const struct es_source_ops es_source_powercap;
extern const struct es_source_ops es_source_nvml;
extern const struct es_source_ops es_source_msr;
extern const struct es_source_ops es_source_hsmp;
extern const struct es_source_ops es_source_amdgpu;
extern const struct es_source_ops es_source_hwmon;
extern const struct es_source_ops es_source_amdsmi;
extern const struct es_source_ops es_source_rocm;
extern const struct es_source_ops es_source_levelzero;
extern const struct es_source_ops es_source_cray;
extern const struct es_source_ops es_source_file;
extern const struct es_source_ops es_source_http;
extern const struct es_source_ops es_source_prometheus;
extern const struct es_source_ops es_source_dcmi;
extern const struct es_source_ops es_source_ipmi_sensor;
extern const struct es_source_ops es_source_redfish;
extern const struct es_source_ops es_source_snmp;
extern const struct es_source_ops es_source_modbus;
extern const struct es_source_ops es_source_mqtt;
extern const struct es_source_ops es_source_estimate;

/** es_registry_find - the source of meters that are named with @scheme; NULL: there is none */
const struct es_source_ops *es_registry_find(const char *scheme);
/** es_registry_at - the sources in their order (it breaks ties among domains whose state is ok); NULL after the last one */
const struct es_source_ops *es_registry_at(size_t i);

#endif
