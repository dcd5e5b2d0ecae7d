/*
 * jobs.c - what a hundred jobs on a node cost its daemon: CPU times at 1 Hz, a look for new ones every 5 s
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Promise: 100 jobs cost at most 1 % of a core at 1 Hz. Cgroups of v1 on this machine as Slurm makes them, in the hierarchies
 * that it uses, where root may make them; and files of a tree that look like those of a node with 256 CPUs. The floor beside it is a
 * bare loop that reads the same counters.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "daemon/jobs.h"
#include "support/scratch.h"

#define N_JOBS 100U
#define N_USERS 10U
#define TREE_CPUS 256U
#define SHARE_MAX_PPM 10000.0

static const char *const hierarchies[] = { "cpuacct", "cpuset", "freezer", "memory" };

static int64_t cpu_ns(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * ES_NS_PER_S +
	       (int64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * ES_NS_PER_US;
}

static void name_job(unsigned i, const char *top, char *ret, size_t size)
{
	(void)snprintf(ret, size, "/slurm_%s/uid_%u/job_%u", top, 20000 + i % N_USERS, 1000 + i);
}

/* Folders from the top down; the kernel fills them with files. */
static int make_real(const char *hierarchy, const char *job, bool is_made)
{
	char path[512];
	size_t from = strlen("/sys/fs/cgroup/") + strlen(hierarchy) + 1;
	int r = 0;

	(void)snprintf(path, sizeof(path), "/sys/fs/cgroup/%s%s/step_0", hierarchy, job);
	if (is_made) {
		for (char *p = path + from; p && r == 0; p = strchr(p, '/')) {
			p++;
			p = strchr(p, '/');
			if (p)
				*p = '\0';
			if (mkdir(path, 0755) < 0 && errno != EEXIST)
				r = -errno;
			if (!p)
				break;
			*p = '/';
		}
		return r;
	}
	while (strlen(path) > from) {
		(void)rmdir(path); /* those that hold others go with the last of these */
		*strrchr(path, '/') = '\0';
	}
	return 0;
}

static int for_all_real(const char *top, bool is_made)
{
	char job[128];
	int r = 0;

	for (unsigned i = 0; i < N_JOBS && r == 0; i++) {
		name_job(i, top, job, sizeof(job));
		for (size_t k = 0; k < ES_ARRAY_SIZE(hierarchies) && r == 0; k++)
			r = make_real(hierarchies[k], job, is_made);
	}
	return r;
}

static int put(const char *root, const char *path, const char *file, const char *text)
{
	char name[512];

	(void)snprintf(name, sizeof(name), "%s/%s", path, file);
	return es_tree_write(root, name, text, 0644);
}

/* As the kernel writes them after a day: a number of 14 digits for each CPU. */
static int make_tree(const char *root)
{
	es_cleanup(es_freep) char *usage = malloc(TREE_CPUS * 16 + 2);
	char path[256], job[128];
	size_t n = 0;
	int r = usage ? 0 : -ENOMEM;

	for (unsigned i = 0; r == 0 && i < TREE_CPUS; i++)
		n += (size_t)sprintf(usage + n, "%u ", 1234567890U + i * 1000);
	if (r == 0)
		r = put(root, "sys/devices/system/cpu", "online", "0-255\n");
	for (unsigned i = 0; r == 0 && i < TREE_CPUS; i++) {
		(void)snprintf(path, sizeof(path), "sys/devices/system/cpu/cpu%u/topology", i);
		r = put(root, path, "physical_package_id", i < TREE_CPUS / 2 ? "0\n" : "1\n");
	}
	if (r == 0)
		r = put(root, "sys/fs/cgroup/cpuacct", "cpuacct.usage_percpu", usage);
	if (r == 0)
		r = put(root, "sys/fs/cgroup/cpuset", "cpuset.cpus", "0-255\n");
	for (unsigned i = 0; r == 0 && i < N_JOBS; i++) {
		name_job(i, "bench", job, sizeof(job));
		(void)snprintf(path, sizeof(path), "sys/fs/cgroup/cpuacct%s", job);
		r = put(root, path, "cpuacct.usage_percpu", usage);
		(void)snprintf(path, sizeof(path), "sys/fs/cgroup/cpuset%s", job);
		if (r == 0)
			r = put(root, path, "cpuset.cpus", "0-3\n");
	}
	return r;
}

/* The same counters by a bare loop on kept descriptors. */
static double floor_us(const char *root, const char *top, unsigned n_sweeps)
{
	int fds[N_JOBS];
	char path[1024], job[128], text[8192];
	int64_t t0_ns;
	uint64_t sum = 0;

	for (unsigned i = 0; i < N_JOBS; i++) {
		name_job(i, top, job, sizeof(job));
		(void)snprintf(path, sizeof(path),
			       "%s/sys/fs/cgroup/cpuacct%s/cpuacct.usage_percpu", root, job);
		fds[i] = open(path, O_RDONLY | O_CLOEXEC);
	}
	t0_ns = cpu_ns();
	for (unsigned k = 0; k < n_sweeps; k++)
		for (unsigned i = 0; i < N_JOBS; i++)
			if (fds[i] >= 0 && pread(fds[i], text, sizeof(text), 0) > 0)
				sum += (unsigned char)text[0];
	t0_ns = cpu_ns() - t0_ns;
	for (unsigned i = 0; i < N_JOBS; i++)
		es_closep(&fds[i]);
	return sum ? (double)t0_ns / 1e3 / n_sweeps : 0;
}

static int measure(const char *what, const char *root, const char *top, unsigned n_sweeps)
{
	struct es_root tree;
	struct es_jobs_options options = { .root = &tree, .node_name = top };
	struct es_jobs *jobs = NULL;
	struct es_error err = { .code = 0 };
	double sweep_us, scan_us, share_ppm;
	unsigned n_scans = n_sweeps / 5;
	int64_t t0_ns;
	size_t n = 0;

	if (es_root_open(root, -1, &tree, &err) < 0 ||
	    es_jobs_create(&options, 1, 1, &jobs, &err) < 0) {
		(void)fprintf(stderr, "jobs: %s\n", err.text);
		return 1;
	}
	(void)es_jobs_scan(jobs, 2, 2);
	while (es_jobs_at(jobs, n))
		n++;
	t0_ns = cpu_ns();
	for (unsigned i = 0; i < n_sweeps; i++)
		es_jobs_read_time(jobs);
	sweep_us = (double)(cpu_ns() - t0_ns) / 1e3 / n_sweeps;
	t0_ns = cpu_ns();
	for (unsigned i = 0; i < n_scans; i++)
		(void)es_jobs_scan(jobs, 3 + i, 3 + i);
	scan_us = (double)(cpu_ns() - t0_ns) / 1e3 / n_scans;
	es_jobs_destroy(jobs);
	es_root_close(&tree);
	share_ppm = sweep_us + scan_us / 5;
	(void)printf("%-28s %4zu jobs  sweep %7.0f us (bare reads %7.0f us)  scan %7.0f us  "
		     "%.2f %% of a core\n",
		     what, n, sweep_us, floor_us(root, top, n_sweeps), scan_us, share_ppm / 1e4);
	return n == N_JOBS && share_ppm <= SHARE_MAX_PPM ? 0 : 1;
}

int main(int argc, char **argv)
{
	unsigned n_sweeps = argc > 1 && strcmp(argv[1], "--quick") == 0 ? 50 : 500;
	struct es_scratch scratch;
	char top[32];
	int failures = 0, r;

	(void)snprintf(top, sizeof(top), "bench%d", (int)getpid());
	r = for_all_real(top, true);
	if (r == 0)
		failures += measure("cgroups of v1, this machine", "/", top, n_sweeps);
	else
		(void)printf("cgroups of v1, this machine: left out: %s\n", es_strerror(r));
	(void)for_all_real(top, false);

	r = es_scratch_init(&scratch);
	if (r == 0)
		r = make_tree(scratch.path);
	if (r == 0)
		failures +=
			measure("files like those of 256 CPUs", scratch.path, "bench", n_sweeps);
	es_scratch_finish(&scratch);
	if (r < 0)
		(void)fprintf(stderr, "jobs: %s\n", es_strerror(r));
	(void)printf("%s\n", failures || r < 0
				     ? "FAILED: more than 1 % of a core, or jobs are missing"
				     : "ok: at most 1 % of a core");
	return failures || r < 0;
}
