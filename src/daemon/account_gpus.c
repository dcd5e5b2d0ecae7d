/*
 * account_gpus.c - whose a GPU is, and who keeps it busy
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "daemon/account_gpus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "daemon/account_private.h"
#include "sys/cgroup.h"

#define USERS_MAX 1024U
#define LOOK_NS (900 * ES_NS_PER_MS) /* processes are looked at about once a second */
#define LIST_MAX_BYTES 65536U
#define NVIDIA_MAJOR 195U /* Documentation/admin-guide/devices.txt */
#define DRM_MAJOR 226U
#define RENDER_FIRST 128U
#define RENDER_LAST 255U
#define MIG_SLICES 7U /* of A100, H100 and later; an A30 has four (NVIDIA's MIG User Guide) */
#define MIG_SLICES_A30 4U

/** struct es_account_gpus - what is known of processes on GPUs, and room to ask */
struct es_account_gpus {
	struct es_gpu_user users[USERS_MAX];
	struct es_account_job *jobs[USERS_MAX]; /* whose each is; NULL: nobody's */
	size_t n_users;
	bool knows_users;
	int64_t looked_ns;
};

static int64_t find_nvidia_minor(const struct es_root *root, const char *pci)
{
	char path[96], text[ES_SYSFS_FILE_MAX_BYTES];
	const char *at;
	char *end;
	long minor;

	(void)snprintf(path, sizeof(path), "proc/driver/nvidia/gpus/%.23s/information", pci);
	if (!pci[0] || es_root_read(root, path, text, sizeof(text)) < 0)
		return -1;
	at = strstr(text, "Device Minor:");
	if (!at)
		return -1;
	at += strlen("Device Minor:");
	minor = strtol(at, &end, 10);
	return end != at && minor >= 0 && minor <= UINT16_MAX ? minor : -1;
}

static int64_t find_render_minor(const struct es_root *root, const char *pci)
{
	char path[96];

	for (unsigned minor = RENDER_FIRST; pci[0] && minor <= RENDER_LAST; minor++) {
		(void)snprintf(path, sizeof(path), "sys/bus/pci/devices/%.23s/drm/renderD%u", pci,
			       minor);
		if (es_root_exists(root, path))
			return minor;
	}
	return -1;
}

static void find_device(const struct es_root *root, struct es_account_gpu *gpu)
{
	const struct es_domain *domain = gpu->domain;
	bool is_nvidia = strcmp(domain->source, "nvml") == 0;

	gpu->major = is_nvidia ? NVIDIA_MAJOR : DRM_MAJOR;
	gpu->minor = -1;
	if (root)
		gpu->minor = is_nvidia ? find_nvidia_minor(root, domain->pci)
				       : find_render_minor(root, domain->pci);
	/* The driver numbers them as they are on the bus unless it is told otherwise. */
	if (gpu->minor < 0 && is_nvidia)
		gpu->minor = domain->package;
}

static uint32_t slices_of(const struct es_domain *domain, uint32_t instances)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < domain->n_instances && i < ES_INSTANCES_MAX; i++)
		if (instances & 1U << i)
			sum += domain->instances[i].gpu_slices ? domain->instances[i].gpu_slices
							       : 1;
	return sum;
}

int es_account_gpus_create(struct es_account *account)
{
	account->gpus = calloc(1, sizeof(*account->gpus));
	if (!account->gpus)
		return -ENOMEM;
	for (size_t i = 0; i < account->n_parts; i++) {
		struct es_account_gpu *gpu = &account->lines[i].gpu;
		uint32_t most;

		if (account->lines[i].scope != ES_SCOPE_GPU)
			continue;
		find_device(account->options.root, gpu);
		if (gpu->domain->n_instances == 0)
			continue;
		most = strstr(gpu->domain->model, "A30") ? MIG_SLICES_A30 : MIG_SLICES;
		gpu->n_slices = slices_of(gpu->domain, UINT32_MAX);
		gpu->n_slices = gpu->n_slices > most ? gpu->n_slices : most;
	}
	return 0;
}

void es_account_gpus_destroy(struct es_account_gpus *gpus)
{
	free(gpus);
}

/* The list of the first of the job's cgroups that has one; owned by caller, NULL: none has. */
static char *read_devices(const struct es_root *root, const struct es_job *job)
{
	es_cleanup(es_freep) char *mounts = NULL;
	char folder[ES_PATH_MAX_BYTES], path[ES_PATH_MAX_BYTES + 32], *list = NULL;

	if (es_root_read_file(root, "proc/self/mountinfo", ES_PROC_FILE_MAX_BYTES, &mounts) < 0)
		mounts = NULL;
	for (size_t i = 0; i < job->n_cgroups && !list; i++) {
		if (!mounts ||
		    es_cgroup_mount(mounts, "devices", job->cgroups[i], folder, sizeof(folder)) < 0)
			(void)snprintf(folder, sizeof(folder), "sys/fs/cgroup/devices%.*s",
				       (int)sizeof(job->cgroups[i]), job->cgroups[i]);
		(void)snprintf(path, sizeof(path), "%s/devices.list", folder);
		if (es_root_read_file(root, path, LIST_MAX_BYTES, &list) < 0)
			list = NULL;
	}
	return list;
}

/* Which GPUs its device cgroup lets a job use: read when it begins, and when more of its cgroups are known. */
static void ask_cgroup(struct es_account *account, struct es_account_job *own)
{
	es_cleanup(es_freep) char *list = NULL;

	if (!account->options.jobs_root || own->job->n_cgroups == own->n_cgroups)
		return;
	own->n_cgroups = own->job->n_cgroups;
	own->has_devices = false;
	list = read_devices(account->options.jobs_root, own->job);
	for (size_t i = 0; list && i < account->n_parts; i++) {
		const struct es_account_gpu *gpu = &account->lines[i].gpu;
		int r;

		own->holds[i].is_allowed = false;
		if (account->lines[i].scope != ES_SCOPE_GPU || gpu->minor < 0)
			continue;
		r = es_account_devices_allow(list, gpu->major, (uint64_t)gpu->minor);
		if (r < 0)
			return;
		own->has_devices = true;
		own->holds[i].is_allowed = r > 0;
	}
}

static bool is_user_of(const struct es_gpu_user *user, const struct es_domain *domain)
{
	if (user->uuid[0] && domain->uuid[0])
		return strcasecmp(user->uuid, domain->uuid) == 0;
	return user->pci[0] && strcasecmp(user->pci, domain->pci) == 0;
}

static uint32_t instance_of(const struct es_gpu_user *user, const struct es_domain *domain)
{
	for (uint32_t i = 0;
	     user->gpu_instance >= 0 && i < domain->n_instances && i < ES_INSTANCES_MAX; i++)
		if (domain->instances[i].gpu_instance == (uint32_t)user->gpu_instance &&
		    (user->compute_instance < 0 ||
		     domain->instances[i].compute_instance == (uint32_t)user->compute_instance))
			return 1U << i;
	return 0;
}

static void look(struct es_account *account, struct es_jobs *jobs, int64_t now_ns)
{
	struct es_account_gpus *gpus = account->gpus;
	int n;

	if (gpus->looked_ns && now_ns - gpus->looked_ns < LOOK_NS)
		return;
	gpus->looked_ns = now_ns;
	n = account->options.users
		    ? account->options.users(account->options.arg, gpus->users, USERS_MAX)
		    : -EOPNOTSUPP;
	gpus->knows_users = n >= 0;
	gpus->n_users = n > 0 ? (size_t)n : 0;
	gpus->n_users = gpus->n_users < USERS_MAX ? gpus->n_users : USERS_MAX;
	for (size_t i = 0; i < gpus->n_users; i++) {
		int64_t pid = gpus->users[i].pid;
		const struct es_job *job =
			pid > 0 && pid <= INT32_MAX ? es_jobs_of_pid(jobs, (pid_t)pid) : NULL;

		gpus->jobs[i] = job ? job->account : NULL;
	}
}

void es_account_gpus_forget(struct es_account_gpus *gpus, const struct es_account_job *own)
{
	for (size_t i = 0; gpus && i < gpus->n_users; i++)
		if (gpus->jobs[i] == own)
			gpus->jobs[i] = NULL;
}

/* What processes say of one GPU: who computes there, and what is kept busy. */
struct scene {
	uint64_t busy_ppm; /* of all */
	bool has_busy;
	bool has_strangers; /* processes of nobody's job */
	uint32_t strangers; /* their instances */
	bool is_given; /* to a job: then strangers are guests */
};

static void see_users(const struct es_account *account, size_t i, struct scene *ret)
{
	const struct es_account_gpus *gpus = account->gpus;
	const struct es_domain *domain = account->lines[i].gpu.domain;

	*ret = (struct scene){ .busy_ppm = 0 };
	for (size_t j = 0; j < account->n_jobs; j++) {
		account->jobs[j]->holds[i].computes = false;
		account->jobs[j]->holds[i].used = 0;
		account->jobs[j]->holds[i].seen_instances = 0;
	}
	for (size_t k = 0; k < gpus->n_users; k++) {
		const struct es_gpu_user *user = &gpus->users[k];
		struct es_account_job *own;

		if (!is_user_of(user, domain))
			continue;
		ret->has_busy |= user->has_busy;
		ret->busy_ppm += user->has_busy ? user->busy_ppm : 0;
		own = gpus->jobs[k];
		if (!own || !own->is_here) {
			ret->has_strangers = true;
			ret->strangers |= instance_of(user, domain);
			continue;
		}
		own->holds[i].computes = true;
		own->holds[i].used += user->has_busy ? user->busy_ppm : 0;
		own->holds[i].seen_instances |= instance_of(user, domain);
	}
}

static void settle_hold(const struct es_account_gpu *gpu, const struct es_account_job *own,
			struct es_account_hold *hold)
{
	bool is_listed = own->job->about.has_gpus || own->has_devices, is_given;
	uint32_t instances = 0;

	if (own->job->about.has_gpus) {
		is_given = es_account_gpu_named(gpu->domain, own->job->about.gpus, &instances);
	} else if (own->has_devices) {
		is_given = hold->is_allowed;
	} else {
		is_given = hold->computes;
		instances = hold->seen_instances;
	}
	/* Who computes on what is not its own uses it, and holds nothing. */
	hold->is_held = is_given || hold->computes;
	hold->is_listed = is_given && is_listed;
	hold->instances = is_given ? instances : 0;
	hold->held_ppm = is_given ? ES_ACCOUNT_WHOLE_PPM : 0;
	if (is_given && instances && gpu->n_slices)
		hold->held_ppm = (uint32_t)es_part_of(
			ES_ACCOUNT_WHOLE_PPM, slices_of(gpu->domain, instances), gpu->n_slices);
}

/* Whoever is not a job's counts, too: on a GPU that is nobody's, on instances with processes, or, where these are not known, on all. */
static uint64_t strangers_ppm(const struct es_account *account, const struct es_account_gpu *gpu,
			      const struct scene *scene, uint32_t held)
{
	uint32_t others;

	if (gpu->n_slices == 0)
		return scene->has_strangers && !scene->is_given ? ES_ACCOUNT_WHOLE_PPM : 0;
	others = (account->gpus->knows_users ? scene->strangers : UINT32_MAX) & ~held;
	return es_part_of(ES_ACCOUNT_WHOLE_PPM, slices_of(gpu->domain, others), gpu->n_slices);
}

static void update_gpu(struct es_account *account, size_t i, int64_t dur_ns)
{
	struct es_account_gpu *gpu = &account->lines[i].gpu;
	uint64_t sum_ppm = 0, dur = dur_ns > 0 ? (uint64_t)dur_ns : 0;
	uint32_t held = 0;
	struct scene scene;
	bool is_by_activity;

	see_users(account, i, &scene);
	is_by_activity = scene.has_busy && scene.busy_ppm > 0;
	gpu->n_holders = 0;
	for (size_t j = 0; j < account->n_jobs; j++) {
		struct es_account_job *own = account->jobs[j];
		struct es_account_hold *hold = &own->holds[i];

		hold->is_held = false;
		if (!own->is_here)
			continue;
		settle_hold(gpu, own, hold);
		hold->rule = is_by_activity ? ES_SHARE_ACTIVITY : ES_SHARE_SLICES;
		hold->used = is_by_activity ? hold->used : hold->held_ppm;
		gpu->n_holders += hold->is_held;
		scene.is_given |= hold->is_listed;
		held |= hold->instances;
		sum_ppm += hold->is_held ? hold->used : 0;
		hold->used = es_part_of(dur, hold->used, ES_ACCOUNT_WHOLE_PPM);
	}
	sum_ppm = is_by_activity ? scene.busy_ppm
				 : sum_ppm + strangers_ppm(account, gpu, &scene, held);
	/* Several may add up to more than all of it. */
	gpu->used = dur / ES_ACCOUNT_WHOLE_PPM * sum_ppm +
		    dur % ES_ACCOUNT_WHOLE_PPM * sum_ppm / ES_ACCOUNT_WHOLE_PPM;
	gpu->n_holders += scene.has_strangers && !scene.is_given;
}

void es_account_gpus_update(struct es_account *account, struct es_jobs *jobs, int64_t now_ns,
			    int64_t dur_ns)
{
	bool has_job = false;

	if (!account->gpus)
		return;
	for (size_t j = 0; j < account->n_jobs; j++) {
		struct es_account_job *own = account->jobs[j];

		has_job |= own->is_here;
		if (own->is_here)
			ask_cgroup(account, own);
	}
	if (has_job)
		look(account, jobs, now_ns);
	else
		account->gpus->n_users = 0;
	for (size_t i = 0; i < account->n_parts; i++)
		if (account->lines[i].scope == ES_SCOPE_GPU)
			update_gpu(account, i, dur_ns);
}

const char *es_account_gpus_words(const struct es_account *account)
{
	if (!account->gpus)
		return "no GPU is among the parts";
	if (account->gpus->looked_ns && !account->gpus->knows_users)
		return "owners of GPUs: the scheduler's list, else the device cgroup (v1; v2 shows none); "
		       "no library tells whose processes compute";
	return "owners of GPUs: the scheduler's list, else the device cgroup (v1; v2 shows none), "
	       "else whose processes compute there";
}
