/*
 * meta.h - what a recording says about itself
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_RECORD_META_H
#define ES_RECORD_META_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "core/domain.h"
#include "core/signal.h"

#define ES_META_SCHEMA "energyscopium.recording/1"

/** struct es_node_info - one node of a recording */
struct es_node_info {
	char name[ES_NAME_MAX_BYTES];
	char cpu_model[ES_NAME_MAX_BYTES];
	uint32_t n_cpus; /* hardware threads online; 0: not known */
	uint32_t n_packages; /* 0: not known */
	uint32_t n_gpus; /* devices for computing that were seen on its buses, measured or not; 0: none, or not looked */
	char gpu_model[64]; /* of the first, in words */
	uint64_t memory_bytes; /* as the kernel has it; 0: not known */
};

/** enum es_virt - what kind of machine a node is; decides the default PUE */
enum es_virt {
	ES_VIRT_UNKNOWN,
	ES_VIRT_NONE,
	ES_VIRT_VM,
	ES_VIRT_CONTAINER,
};

/** enum es_sharing - whether the nodes were the job's alone */
enum es_sharing {
	ES_SHARING_UNKNOWN,
	ES_SHARING_EXCLUSIVE,
	ES_SHARING_SHARED,
};

/** struct es_meta - the first frame of a recording; init with es_meta_init(), free with es_meta_finish() */
struct es_meta {
	char tool[64]; /* who wrote it: "energyscopium 0.1.0", or what was imported */
	char job[ES_NAME_MAX_BYTES];
	char user[ES_NAME_MAX_BYTES]; /* "": not known, as for all texts here */
	char command[ES_PATH_MAX_BYTES];
	char cluster[ES_NAME_MAX_BYTES], account[ES_NAME_MAX_BYTES], partition[ES_NAME_MAX_BYTES],
		step[ES_NAME_MAX_BYTES];
	char comment[ES_TEXT_MAX_BYTES];
	uint32_t n_cpus, n_gpus; /* allocated to the job; 0 CPUs: not known */
	uint32_t n_job_nodes; /* how many nodes the job has, recorded here or elsewhere; 0: not known */
	uint32_t restarts; /* of a job that was queued again */
	enum es_sharing sharing;
	bool has_uid;
	uint32_t uid; /* whose job it is */
	int64_t period_ns; /* planned sampling period */
	/* The same instant on the three clocks; times in the recording are on the boot clock. */
	int64_t start_boot_ns, start_mono_ns, start_unix_ns;
	char boot_id[64];
	char country[8]; /* of the time zone, alpha-2 */
	char timezone[64];
	enum es_virt virt;
	bool has_battery;
	struct es_node_info *nodes; /* owned */
	size_t n_nodes;
	struct es_domain *domains; /* owned */
	size_t n_domains;
	struct es_signal *signals; /* owned */
	size_t n_signals;
};

void es_meta_init(struct es_meta *meta);
void es_meta_finish(struct es_meta *meta);
/** es_meta_add_node, es_meta_add_domain - append a zeroed one (a domain of the last node); 0, -ENOMEM, or -E2BIG over the limit */
int es_meta_add_node(struct es_meta *meta, const char *name);
int es_meta_add_domain(struct es_meta *meta, const struct es_domain *domain);
/** es_meta_join - append those of another node's recording, in which @from was read: to ES_JOINED_MAX in all; 0, -ENOMEM, -E2BIG */
int es_meta_join(struct es_meta *meta, const struct es_meta *from);
/** es_meta_add_signal - append a copy; 0, -ENOMEM, or -E2BIG over the limit */
int es_meta_add_signal(struct es_meta *meta, const struct es_signal *signal);

/** es_meta_write - as one JSON object; 0, -ERANGE: a domain has no name or a number that JSON cannot hold, errors of @out */
int es_meta_write(const struct es_meta *meta, struct es_buf *out);
/** es_meta_read - from JSON of @n bytes; 0, or -EBADMSG with the member that is wrong */
int es_meta_read(const char *text, size_t n, struct es_meta *ret, struct es_error *err);

const char *es_virt_name(enum es_virt virt);
/** es_virt_from_name - 0, or -EINVAL: it is none, and *@ret stays */
int es_virt_from_name(const char *name, enum es_virt *ret);

#endif
