/*
 * job.c - which job this is, by what the scheduler says
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/job.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "sys/pci.h"

/* The first of several variables of the environment that is set and not empty. */
static const char *first_of(const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return value;
	}
	return NULL;
}

static void copy_env(const char *name, char *to, size_t size)
{
	const char *value = getenv(name);

	if (value && strlen(value) < size)
		memcpy(to, value, strlen(value) + 1);
}

int es_job_check_name(const char *name, struct es_error *err)
{
	if (name[0] == '\0' || name[0] == '.' || strlen(name) > 200)
		return es_error_say(
			err, -EINVAL,
			"job name '%.200s': it must have 1 to 200 bytes and not begin with a dot",
			name);
	for (const char *p = name; *p; p++)
		if (*p == '/' || (unsigned char)*p < 0x20 || *p == 0x7f)
			return es_error_say(
				err, -EINVAL,
				"job name '%s': it must have no slash and no control character",
				name);
	return 0;
}

/*
 * The step of Slurm that this is; NULL: none. Above SLURM_MAX_NORMAL_STEP_ID (slurm.h) are its own: batch script,
 * interactive shell.
 */
static const char *slurm_step(void)
{
	const char *job = getenv("SLURM_JOB_ID"), *step = getenv("SLURM_STEP_ID");
	uint64_t number;

	if (!job || !*job || !step || es_parse_u64(step, &number) < 0 || number > 0xfffffff0)
		return NULL;
	return step;
}

static int name_job(const char *name, struct es_meta *meta, struct es_error *err)
{
	static const char *const ids[] = { "SLURM_JOB_ID", "PBS_JOBID", "OAR_JOB_ID", "LSB_JOBID",
					   "FLUX_JOB_ID" };
	const char *id = name ? name : first_of(ids, ES_ARRAY_SIZE(ids)), *step = slurm_step();
	time_t now = time(NULL);
	char date[32] = "";
	struct tm tm;
	int r;

	if (!id) {
		if (localtime_r(&now, &tm))
			(void)strftime(date, sizeof(date), "%Y%m%d%H%M%S", &tm);
		(void)snprintf(meta->job, sizeof(meta->job), "%s-%d", date, (int)getpid());
		return 0;
	}
	r = es_job_check_name(id, err);
	if (r < 0)
		return r;
	(void)snprintf(meta->job, sizeof(meta->job), "%.200s", id);
	if (!name && step) {
		(void)snprintf(meta->step, sizeof(meta->step), "%s", step);
		(void)snprintf(meta->job + strlen(meta->job), sizeof(meta->job) - strlen(meta->job),
			       ".%s", step);
	}
	return 0;
}

int es_job_name(const char *name, char *ret, size_t size, struct es_error *err)
{
	es_cleanup(es_freep) struct es_meta *meta = calloc(1, sizeof(*meta));
	int r = meta ? name_job(name, meta, err) : -ENOMEM;

	if (r < 0)
		return r;
	return snprintf(ret, size, "%s", meta->job) >= (int)size ? -ENAMETOOLONG : 0;
}

uint32_t es_job_cpus(void)
{
	static const char *const counts[] = { "SLURM_CPUS_ON_NODE", "PBS_NCPUS", "NCPUS",
					      "LSB_DJOB_NUMPROC" };
	const char *count = first_of(counts, ES_ARRAY_SIZE(counts));
	uint64_t n;

	/* A bare NCPUS outside of PBS may be anybody's. */
	if (count && (getenv("SLURM_JOB_ID") || getenv("PBS_JOBID") || getenv("LSB_JOBID")) &&
	    es_parse_u64(count, &n) == 0 && n > 0 && n <= UINT32_MAX)
		return (uint32_t)n;
	return 0;
}

/* "0,1,GPU-8f2c…": how many; "" and what does not begin with a device ("-1", "NoDevFiles") hide all of them. */
static int64_t count_listed(const char *list)
{
	int64_t n = 0;

	while (*list) {
		size_t length = strcspn(list, ",");
		bool is_device = (*list >= '0' && *list <= '9') || strncmp(list, "GPU-", 4) == 0 ||
				 strncmp(list, "MIG-", 4) == 0;

		/* As CUDA reads it: what comes after the first wrong one does not count. */
		if (!is_device)
			break;
		n++;
		list += length + (list[length] == ',');
	}
	return n;
}

int64_t es_job_gpus(void)
{
	static const char *const counts[] = { "SLURM_GPUS_ON_NODE", "PBS_NGPUS" };
	static const char *const lists[] = { "SLURM_JOB_GPUS",	     "CUDA_VISIBLE_DEVICES",
					     "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES",
					     "GPU_DEVICE_ORDINAL",   "ZE_AFFINITY_MASK" };
	const char *count = first_of(counts, ES_ARRAY_SIZE(counts));
	uint64_t n;

	if (count && es_parse_u64(count, &n) == 0 && n <= UINT16_MAX)
		return (int64_t)n;
	for (size_t i = 0; i < ES_ARRAY_SIZE(lists); i++)
		if (getenv(lists[i]))
			return count_listed(getenv(lists[i]));
	return -1;
}

static int keep_command(char *const *command, bool keeps_args, struct es_meta *meta,
			struct es_error *err)
{
	size_t used = 0;

	for (size_t i = 0; command && command[i] && (i == 0 || keeps_args); i++) {
		int n = snprintf(meta->command + used, sizeof(meta->command) - used, "%s%s",
				 i ? " " : "", command[i]);

		if (n < 0 || (size_t)n >= sizeof(meta->command) - used) {
			if (i == 0)
				return es_error_say(err, -E2BIG, "the command's name is too long");
			meta->command[used] = '\0'; /* whole arguments only */
			break;
		}
		used += (size_t)n;
	}
	return 0;
}

static void keep_machine(const struct es_root *root, const struct es_machine *machine,
			 struct es_meta *meta)
{
	struct es_pci_gpu gpus[ES_PCI_GPUS_MAX];
	struct es_node_info *node = &meta->nodes[0];

	(void)snprintf(node->cpu_model, sizeof(node->cpu_model), "%s", machine->cpu_model);
	node->n_cpus = machine->n_cpus;
	node->n_packages = machine->n_packages;
	node->n_gpus = es_pci_find_gpus(root, gpus);
	if (node->n_gpus)
		(void)snprintf(node->gpu_model, sizeof(node->gpu_model), "%s", gpus[0].model);
	node->memory_bytes = machine->memory_bytes;
	meta->n_cpus = es_job_cpus();
	if (meta->n_cpus == 0)
		meta->n_cpus = machine->n_allowed;
	(void)snprintf(meta->boot_id, sizeof(meta->boot_id), "%s", machine->boot_id);
	(void)snprintf(meta->country, sizeof(meta->country), "%s", machine->country);
	(void)snprintf(meta->timezone, sizeof(meta->timezone), "%s", machine->timezone);
	meta->virt = machine->is_container ? ES_VIRT_CONTAINER
		     : machine->is_vm	   ? ES_VIRT_VM
					   : ES_VIRT_NONE;
	meta->has_battery = machine->has_battery;
}

int es_job_describe(const struct es_root *root, const char *name, char *const *command,
		    bool keeps_args, struct es_meta *meta, struct es_error *err)
{
	struct es_machine machine;
	int r = name_job(name, meta, err);

	if (r == 0)
		r = keep_command(command, keeps_args, meta, err);
	if (r < 0)
		return r;
	es_machine_read(root, &machine);
	r = es_meta_add_node(meta, machine.hostname[0] ? machine.hostname : "localhost");
	if (r < 0)
		return es_error_set(err, r, "node '%s'", machine.hostname);
	keep_machine(root, &machine, meta);
	(void)snprintf(meta->tool, sizeof(meta->tool), "energyscopium %s", ES_VERSION);
	copy_env("USER", meta->user, sizeof(meta->user));
	if (meta->user[0] == '\0')
		copy_env("LOGNAME", meta->user, sizeof(meta->user));
	if (meta->user[0] == '\0')
		(void)snprintf(meta->user, sizeof(meta->user), "%u", (unsigned)getuid());
	copy_env("SLURM_CLUSTER_NAME", meta->cluster, sizeof(meta->cluster));
	copy_env("SLURM_JOB_ACCOUNT", meta->account, sizeof(meta->account));
	copy_env("SLURM_JOB_PARTITION", meta->partition, sizeof(meta->partition));
	meta->start_boot_ns = es_clock_boot_ns();
	meta->start_mono_ns = es_clock_mono_ns();
	meta->start_unix_ns = es_clock_unix_ns();
	return 0;
}
