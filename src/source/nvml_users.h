/*
 * source/nvml_users.h - who computes on NVIDIA's GPUs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_NVML_USERS_H
#define ES_SOURCE_NVML_USERS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/source.h"

struct es_nvml_gpus;

#define ES_NVML_USERS_MAX 1024U

/** struct es_nvml_users - the processes found last; made by the source's thread, read by any */
struct es_nvml_users {
	bool is_made;
	atomic_bool is_wanted; /* somebody asked: from then on they are looked for once a second */
	pthread_mutex_t lock; /* guards the four below */
	struct es_gpu_user *found; /* [ES_NVML_USERS_MAX] */
	size_t n;
	int error; /* why nothing is known; 0: it is */
	struct es_gpu_user *next; /* [ES_NVML_USERS_MAX] the thread's own */
	size_t n_next;
	int64_t read_ns;
};

/** es_nvml_users_init - 0 or -ENOMEM; es_nvml_users_finish() it, also where it was never made */
int es_nvml_users_init(struct es_nvml_users *users);
void es_nvml_users_finish(struct es_nvml_users *users);
/** es_nvml_users_read - look for them where that is wanted and due; the source's thread only */
void es_nvml_users_read(struct es_nvml_gpus *gpus);
/** es_nvml_users_drop - the library is let go: nothing is known */
void es_nvml_users_drop(struct es_nvml_users *users);
/** es_nvml_users_latest - as es_source_ops.users: -EAGAIN: nobody looked yet; -EOPNOTSUPP: the library cannot tell */
int es_nvml_users_latest(struct es_nvml_users *users, struct es_gpu_user *ret, size_t max);

#endif
