/*
 * lib_nvml_processes.c - a look-alike of libnvidia-ml.so.1: who computes on a GPU
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Those that were written into the node (twin/gpus.h): a simulated GPU knows no process of the machine by itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "twin/gpus.h"
#include "twin/lib_nvml.h"

#define PROCESSES_MAX 64U

struct process {
	unsigned pid, percent;
	int instance; /* -1: of the whole GPU */
};

static unsigned parse(char *text, struct process ret[static PROCESSES_MAX])
{
	unsigned n = 0;
	char *line;

	while (n < PROCESSES_MAX && (line = strsep(&text, "\n"))) {
		struct process *process = &ret[n];

		process->instance = -1;
		if (sscanf(line, "%9u %9u %9d", &process->pid, &process->percent,
			   &process->instance) >= 2)
			n++;
	}
	return n;
}

static int read_all(unsigned gpu, struct process ret[static PROCESSES_MAX], unsigned *ret_n)
{
	char text[ES_TWIN_PROCESSES_BYTES];

	/* A node of an older twin has no such file: nobody is known there. */
	*ret_n = es_lib_processes(gpu, text, sizeof(text)) > 0 ? parse(text, ret) : 0;
	return ES_NVML_OK;
}

/* Those of the handle, one after the other; whether they fit. */
static int list(const struct es_nvml_device *device, unsigned *n, struct es_nvml_process *new_ones,
		struct es_nvml_old_process *old_ones)
{
	struct process processes[PROCESSES_MAX];
	unsigned i, n_all, room, found = 0;
	struct es_lib_gpu gpu;
	int instance, r = es_lib_nvml_find(device, &gpu, &i, &instance);

	if (r == ES_NVML_OK && !n)
		r = ES_NVML_INVALID_ARGUMENT;
	if (r == ES_NVML_OK)
		r = read_all(i, processes, &n_all);
	if (r != ES_NVML_OK)
		return r;
	room = new_ones || old_ones ? *n : 0;
	for (unsigned k = 0; k < n_all; k++) {
		struct es_nvml_device *of = es_lib_nvml_handle(i, processes[k].instance, gpu.loads);
		unsigned id = ES_NVML_NO_INSTANCE;

		if (instance >= 0 && processes[k].instance != instance)
			continue;
		if (found++ >= room)
			continue;
		if (processes[k].instance >= 0 && es_lib_nvml_gpu_instance(of, &id) != ES_NVML_OK)
			id = ES_NVML_NO_INSTANCE;
		if (new_ones)
			new_ones[found - 1] = (struct es_nvml_process){
				.pid = processes[k].pid,
				.gpu_instance = id,
				.compute_instance = id == ES_NVML_NO_INSTANCE ? id : 0,
			};
		else
			old_ones[found - 1] =
				(struct es_nvml_old_process){ .pid = processes[k].pid };
	}
	*n = found;
	return found > room ? ES_NVML_INSUFFICIENT_SIZE : ES_NVML_OK;
}

ES_LIB_EXPORT int nvmlDeviceGetComputeRunningProcesses(struct es_nvml_device *device, unsigned *n,
						       struct es_nvml_old_process *processes);
ES_LIB_EXPORT int nvmlDeviceGetComputeRunningProcesses(struct es_nvml_device *device, unsigned *n,
						       struct es_nvml_old_process *processes)
{
	return list(device, n, NULL, processes);
}

ES_LIB_EXPORT int nvmlDeviceGetComputeRunningProcesses_v2(struct es_nvml_device *device,
							  unsigned *n,
							  struct es_nvml_process *processes);
ES_LIB_EXPORT int nvmlDeviceGetComputeRunningProcesses_v2(struct es_nvml_device *device,
							  unsigned *n,
							  struct es_nvml_process *processes)
{
	return list(device, n, processes, NULL);
}

ES_LIB_EXPORT int nvmlDeviceGetComputeRunningProcesses_v3(struct es_nvml_device *device,
							  unsigned *n,
							  struct es_nvml_process *processes);
ES_LIB_EXPORT int nvmlDeviceGetComputeRunningProcesses_v3(struct es_nvml_device *device,
							  unsigned *n,
							  struct es_nvml_process *processes)
{
	return list(device, n, processes, NULL);
}

ES_LIB_EXPORT int nvmlDeviceGetProcessUtilization(struct es_nvml_device *device,
						  struct es_nvml_process_use *uses, unsigned *n,
						  unsigned long long seen_us);
ES_LIB_EXPORT int nvmlDeviceGetProcessUtilization(struct es_nvml_device *device,
						  struct es_nvml_process_use *uses, unsigned *n,
						  unsigned long long seen_us)
{
	struct process processes[PROCESSES_MAX];
	unsigned i, n_all, room, found = 0;
	struct es_lib_gpu gpu;
	int r = es_lib_nvml_gpu(device, &gpu, &i);

	if (r == ES_NVML_OK && !n)
		r = ES_NVML_INVALID_ARGUMENT;
	if (r == ES_NVML_OK && gpu.n_instances)
		r = ES_NVML_NOT_SUPPORTED;
	if (r == ES_NVML_OK)
		r = read_all(i, processes, &n_all);
	if (r != ES_NVML_OK)
		return r;
	room = uses ? *n : 0;
	for (unsigned k = 0; k < n_all && gpu.wall_us > seen_us; k++) {
		if (processes[k].percent == 0 || found++ >= room)
			continue;
		uses[found - 1] = (struct es_nvml_process_use){
			.pid = processes[k].pid,
			.timestamp_us = gpu.wall_us,
			.sm = processes[k].percent,
		};
	}
	*n = found;
	if (found > room)
		return ES_NVML_INSUFFICIENT_SIZE;
	return found ? ES_NVML_OK : ES_NVML_NOT_FOUND;
}
