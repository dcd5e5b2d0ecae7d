/*
 * source/nvml_users.c - who computes on NVIDIA's GPUs, and what they keep busy
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/nvml_users.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "source/nvml_gpus.h"

#define PERIOD_NS ES_NS_PER_S
#define EARLY_NS (50 * ES_NS_PER_MS)
#define PROCESSES_MAX 256U /* on one GPU */
#define PPM_PER_PERCENT 10000U
#define BUSY_MAX_PERCENT \
	100U /* more is no share: drivers are known to give numbers that are none */

int es_nvml_users_init(struct es_nvml_users *users)
{
	users->found = calloc(ES_NVML_USERS_MAX, sizeof(*users->found));
	users->next = calloc(ES_NVML_USERS_MAX, sizeof(*users->next));
	if (!users->found || !users->next || pthread_mutex_init(&users->lock, NULL) != 0) {
		free(users->found);
		free(users->next);
		users->found = users->next = NULL;
		return -ENOMEM;
	}
	users->error = -EAGAIN;
	users->is_made = true;
	return 0;
}

void es_nvml_users_finish(struct es_nvml_users *users)
{
	if (!users->is_made)
		return;
	(void)pthread_mutex_destroy(&users->lock);
	free(users->found);
	free(users->next);
	users->is_made = false;
}

static void add(struct es_nvml_users *users, const struct es_nvml_gpu *gpu,
		const struct es_nvml_process *process, uint32_t gpu_instance)
{
	struct es_gpu_user *user;

	if (users->n_next >= ES_NVML_USERS_MAX || process->pid == 0)
		return;
	user = &users->next[users->n_next++];
	*user = (struct es_gpu_user){ .pid = process->pid };
	memcpy(user->pci, gpu->pci, sizeof(user->pci));
	memcpy(user->uuid, gpu->uuid, sizeof(user->uuid));
	user->gpu_instance = gpu_instance <= INT32_MAX ? (int32_t)gpu_instance : -1;
	user->compute_instance =
		process->compute_instance <= INT32_MAX ? (int32_t)process->compute_instance : -1;
}

/* Of a GPU, or of an instance of it, which is told of its processes where they do not tell. */
static int list(const struct es_nvml *nvml, struct es_nvml_device *device,
		const struct es_nvml_gpu *gpu, uint32_t instance, struct es_nvml_users *users)
{
	struct es_nvml_process processes[PROCESSES_MAX];
	struct es_nvml_old_process old[PROCESSES_MAX];
	unsigned n = PROCESSES_MAX;
	int why;

	memset(processes, 0, sizeof(processes));
	if (nvml->processes) {
		why = nvml->processes(device, &n, processes);
	} else {
		memset(old, 0, sizeof(old));
		why = nvml->old_processes(device, &n, old);
		for (unsigned i = 0; why == ES_NVML_OK && i < n && i < PROCESSES_MAX; i++)
			processes[i] = (struct es_nvml_process){
				.pid = old[i].pid,
				.gpu_instance = ES_NVML_NO_INSTANCE,
				.compute_instance = ES_NVML_NO_INSTANCE,
			};
	}
	for (unsigned i = 0; why == ES_NVML_OK && i < n && i < PROCESSES_MAX; i++)
		add(users, gpu, &processes[i],
		    processes[i].gpu_instance <= INT32_MAX ? processes[i].gpu_instance : instance);
	return why;
}

/* Who may not ask for the whole GPU may ask for each instance. */
static int list_instances(const struct es_nvml *nvml, const struct es_nvml_gpu *gpu,
			  struct es_nvml_users *users)
{
	unsigned most = 0;
	int why = ES_NVML_NO_PERMISSION;

	if (!nvml->mig_most || !nvml->mig_by_index || !nvml->gpu_instance ||
	    nvml->mig_most(gpu->device, &most) != ES_NVML_OK)
		return why;
	for (unsigned i = 0; i < most && i < ES_INSTANCES_MAX; i++) {
		struct es_nvml_device *mig = NULL;
		unsigned id = ES_NVML_NO_INSTANCE;

		if (nvml->mig_by_index(gpu->device, i, &mig) != ES_NVML_OK ||
		    nvml->gpu_instance(mig, &id) != ES_NVML_OK)
			continue;
		if (list(nvml, mig, gpu, id, users) == ES_NVML_OK)
			why = ES_NVML_OK;
	}
	return why;
}

/* What was kept busy since it was last asked. Where nothing was, there is nothing to be found. */
static void ask_use(const struct es_nvml *nvml, struct es_nvml_gpu *gpu, struct es_gpu_user *users,
		    size_t n)
{
	struct es_nvml_process_use uses[PROCESSES_MAX];
	unsigned n_uses = PROCESSES_MAX;
	int why;

	if (!nvml->process_use || n == 0)
		return;
	memset(uses, 0, sizeof(uses));
	why = nvml->process_use(gpu->device, uses, &n_uses, gpu->uses_us);
	if (why != ES_NVML_OK && why != ES_NVML_NOT_FOUND)
		return;
	n_uses = why == ES_NVML_NOT_FOUND ? 0 : n_uses;
	for (size_t i = 0; i < n; i++)
		users[i].has_busy = true;
	for (unsigned k = 0; k < n_uses && k < PROCESSES_MAX; k++) {
		if (uses[k].timestamp_us > gpu->uses_us)
			gpu->uses_us = uses[k].timestamp_us;
		for (size_t i = 0; i < n && uses[k].sm <= BUSY_MAX_PERCENT; i++)
			if (users[i].pid == uses[k].pid)
				users[i].busy_ppm = uses[k].sm * PPM_PER_PERCENT;
	}
}

static int look(struct es_nvml_gpus *gpus, struct es_nvml_users *users)
{
	const struct es_nvml *nvml = &gpus->nvml;
	int error = -EOPNOTSUPP;

	users->n_next = 0;
	if (!gpus->is_open || (!nvml->processes && !nvml->old_processes))
		return error;
	for (unsigned i = 0; i < gpus->n; i++) {
		struct es_nvml_gpu *gpu = &gpus->gpus[i];
		size_t first = users->n_next;
		int why;

		if (!gpu->device)
			continue;
		why = list(nvml, gpu->device, gpu, ES_NVML_NO_INSTANCE, users);
		if (why == ES_NVML_NO_PERMISSION)
			why = list_instances(nvml, gpu, users);
		if (why == ES_NVML_OK) {
			ask_use(nvml, gpu, users->next + first, users->n_next - first);
			error = 0;
		} else if (error) {
			error = es_nvml_error(why);
		}
	}
	return error;
}

void es_nvml_users_read(struct es_nvml_gpus *gpus)
{
	struct es_nvml_users *users = &gpus->users;
	int64_t now_ns = es_clock_boot_ns();
	int error;

	if (!users->is_made || !atomic_load(&users->is_wanted) ||
	    (users->read_ns && now_ns - users->read_ns < PERIOD_NS - EARLY_NS))
		return;
	users->read_ns = now_ns;
	error = look(gpus, users);
	(void)pthread_mutex_lock(&users->lock);
	memcpy(users->found, users->next, users->n_next * sizeof(*users->found));
	users->n = users->n_next;
	users->error = error;
	(void)pthread_mutex_unlock(&users->lock);
}

void es_nvml_users_drop(struct es_nvml_users *users)
{
	if (!users->is_made)
		return;
	(void)pthread_mutex_lock(&users->lock);
	users->n = 0;
	users->error = -EAGAIN;
	users->read_ns = 0;
	(void)pthread_mutex_unlock(&users->lock);
}

int es_nvml_users_latest(struct es_nvml_users *users, struct es_gpu_user *ret, size_t max)
{
	int r;

	if (!users->is_made)
		return -EOPNOTSUPP;
	atomic_store(&users->is_wanted, true);
	(void)pthread_mutex_lock(&users->lock);
	r = users->error;
	if (r == 0) {
		r = (int)(users->n < max ? users->n : max);
		memcpy(ret, users->found, (size_t)r * sizeof(*ret));
	}
	(void)pthread_mutex_unlock(&users->lock);
	return r;
}
