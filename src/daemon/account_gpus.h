/*
 * account_gpus.h - whose a GPU is: by the scheduler's list, else by the device cgroup, else by who computes on it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_DAEMON_ACCOUNT_GPUS_H
#define ES_DAEMON_ACCOUNT_GPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/domain.h"
#include "core/share_rule.h"
#include "source/source.h"

struct es_account;
struct es_account_job;
struct es_jobs;

#define ES_ACCOUNT_WHOLE_PPM 1000000U

/** struct es_account_gpu - a GPU among the parts */
struct es_account_gpu {
	const struct es_domain *domain; /* borrowed */
	uint64_t major;
	int64_t minor; /* of its device file; -1: not known */
	uint32_t n_slices; /* that it has when it is shared out; 0: it is not */
	/* In this sweep: */
	uint32_t n_holders;
	uint64_t used; /* by all, in the unit of the holds' */
};

/** struct es_account_hold - what a job has of a GPU */
struct es_account_hold {
	bool is_held;
	bool is_listed; /* by the scheduler, or the device cgroup: not only since it computes there */
	uint32_t held_ppm;
	uint32_t instances; /* bit i: instances[i] of the domain */
	bool is_allowed; /* by the device cgroup */
	bool computes; /* a process of it is there */
	uint32_t seen_instances; /* on these */
	/* In this sweep: */
	uint64_t used;
	enum es_share_rule rule; /* by what that is */
};

struct es_account_gpus;

/** es_account_gpus_create - for an account with GPUs among its parts; 0 or -ENOMEM */
int es_account_gpus_create(struct es_account *account);
void es_account_gpus_destroy(struct es_account_gpus *gpus);
/** es_account_gpus_forget - a job's account is about to go */
void es_account_gpus_forget(struct es_account_gpus *gpus, const struct es_account_job *own);
/** es_account_gpus_update - who holds and uses what now, over the @dur_ns since the last sweep */
void es_account_gpus_update(struct es_account *account, struct es_jobs *jobs, int64_t now_ns,
			    int64_t dur_ns);

/**
 * es_account_gpu_named - which of @gpu a scheduler's @list means: its number, UUID (or how that begins), PCI address, instances of it
 * Returns whether any; @ret_instances: which of its instances, 0: the whole
 */
bool es_account_gpu_named(const struct es_domain *domain, const char *list,
			  uint32_t *ret_instances);

/**
 * es_account_devices_allow - whether a list of a v1 device cgroup tells of a device of @major and @minor
 * 1: it may be used; 0: not; -ENODATA: all devices may, so that this says nothing; -EBADMSG
 */
int es_account_devices_allow(const char *list, uint64_t major, uint64_t minor);

#endif
