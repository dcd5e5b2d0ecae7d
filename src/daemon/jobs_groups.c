/*
 * daemon/jobs_groups.c - the cgroups of jobs: whose they are, CPU time, what was allocated
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/jobs_private.h"
#include "sys/process.h"

#define WHOLE_PPM 1000000U

/* @path is @top, or below it. */
static bool is_within(const char *path, const char *top)
{
	size_t n = strlen(top);

	return strncmp(path, top, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

struct es_jobs_entry *es_jobs_group_owner(const struct es_jobs *jobs, const char *path,
					  bool or_within)
{
	for (size_t i = 0; i < jobs->n; i++) {
		const struct es_job *job = &jobs->entry[i]->job;

		for (size_t k = 0; k < job->n_cgroups; k++)
			if (is_within(path, job->cgroups[k]) ||
			    (or_within && is_within(job->cgroups[k], path)))
				return jobs->entry[i];
	}
	return NULL;
}

static void add_raw(const struct es_jobs *jobs, struct es_jobs_entry *entry,
		    const struct es_jobs_group *group, int sign)
{
	if (!group->is_read)
		return;
	for (size_t i = 0; i < jobs->n_packages; i++)
		entry->base_ns[i] += sign * group->raw_ns[i];
}

static void read_group(struct es_jobs_group *group)
{
	/* What fails leaves the last value: a cgroup that is gone used no more. */
	if (group->time && es_grouptime_read(group->time, group->raw_ns) == 0)
		group->is_read = true;
}

/* Of a job that is in both, the counters of v1 are taken: they are the same time, told by CPU. */
static void choose_counters(const struct es_jobs *jobs, struct es_jobs_entry *entry,
			    bool is_as_before)
{
	bool has_exact = false;

	for (size_t i = 0; i < entry->job.n_cgroups; i++)
		has_exact |= entry->group[i].is_read && es_grouptime_is_exact(entry->group[i].time);
	for (size_t i = 0; i < entry->job.n_cgroups; i++) {
		struct es_jobs_group *group = &entry->group[i];
		bool counts = !has_exact || es_grouptime_is_exact(group->time);

		/* The past that it has told stays; the other one counts from now on, which is after it was last read. */
		if (group->counts != counts && !is_as_before) {
			if (counts)
				read_group(group);
			add_raw(jobs, entry, group, counts ? -1 : 1);
		}
		group->counts = counts;
	}
}

static void forget_group(struct es_jobs_entry *entry, size_t at)
{
	struct es_job *job = &entry->job;

	es_grouptime_close(entry->group[at].time);
	free(entry->group[at].raw_ns);
	job->n_cgroups--;
	for (size_t i = at; i < job->n_cgroups; i++) {
		entry->group[i] = entry->group[i + 1];
		memcpy(job->cgroups[i], job->cgroups[i + 1], sizeof(job->cgroups[i]));
	}
	entry->group[job->n_cgroups] = (struct es_jobs_group){ .time = NULL };
}

void es_jobs_detach(struct es_jobs *jobs, struct es_jobs_entry *entry, size_t at)
{
	struct es_jobs_group *group = &entry->group[at];

	read_group(group);
	if (group->counts)
		add_raw(jobs, entry, group, 1);
	forget_group(entry, at);
	choose_counters(jobs, entry, false);
}

/* Whether a counter of the other kind has told of the same time already. */
static bool is_told(const struct es_jobs_entry *entry, const struct es_jobs_group *group)
{
	for (size_t i = 0; i < entry->job.n_cgroups; i++)
		if (entry->group[i].counts && entry->group[i].is_read &&
		    es_grouptime_is_exact(entry->group[i].time) !=
			    es_grouptime_is_exact(group->time))
			return true;
	return false;
}

static int open_group(struct es_jobs *jobs, const char *path, struct es_jobs_group *ret)
{
	struct es_jobs_group group = { .counts = true };
	int r;

	group.raw_ns = calloc(jobs->n_packages, sizeof(*group.raw_ns));
	if (!group.raw_ns)
		return -ENOMEM;
	r = es_grouptime_open(jobs->groups, path, &group.time);
	if (r < 0) {
		free(group.raw_ns);
		return r;
	}
	read_group(&group);
	*ret = group;
	return 0;
}

static int check_owner(const struct es_jobs *jobs, struct es_jobs_entry *entry, const char *path,
		       struct es_error *err)
{
	const struct es_jobs_entry *owner = es_jobs_group_owner(jobs, path, false);

	if (owner == entry)
		return 0;
	for (size_t i = 0; !owner && i < jobs->n; i++)
		for (size_t k = 0; k < jobs->entry[i]->job.n_cgroups; k++)
			if (jobs->entry[i] != entry &&
			    is_within(jobs->entry[i]->job.cgroups[k], path))
				owner = jobs->entry[i];
	if (owner)
		return es_error_say(
			err, -EEXIST,
			"cgroup '%.500s' is, or holds, that of job %s: its energy is that "
			"job's",
			path, owner->job.about.id);
	return 1;
}

int es_jobs_attach(struct es_jobs *jobs, struct es_jobs_entry *entry, const char *path,
		   enum es_jobs_attach how, struct es_error *err)
{
	struct es_job *job = &entry->job;
	struct es_jobs_group group;
	int r;

	if (strcmp(path, "/") == 0 || strlen(path) >= sizeof(job->cgroups[0]))
		return -ENOENT; /* the top is everybody's */
	r = check_owner(jobs, entry, path, err);
	if (r <= 0)
		return r;
	r = open_group(jobs, path, &group);
	if (r < 0)
		return r;
	/* Those of this job that are within it are counted with it. */
	for (size_t i = job->n_cgroups; i-- > 0;)
		if (is_within(job->cgroups[i], path)) {
			if (entry->group[i].counts && how != ES_JOBS_AS_BEFORE)
				add_raw(jobs, entry, &entry->group[i], how == ES_JOBS_SINCE_NOW);
			forget_group(entry, i);
		}
	if (job->n_cgroups == ES_JOB_CGROUPS_MAX) {
		es_grouptime_close(group.time);
		free(group.raw_ns);
		return es_error_say(err, -E2BIG, "job %s has %u cgroups already", job->about.id,
				    ES_JOB_CGROUPS_MAX);
	}
	if (how == ES_JOBS_SINCE_EVER && is_told(entry, &group))
		how = ES_JOBS_SINCE_NOW;
	(void)snprintf(job->cgroups[job->n_cgroups], sizeof(job->cgroups[0]), "%s", path);
	entry->group[job->n_cgroups++] = group;
	if (how == ES_JOBS_SINCE_NOW)
		add_raw(jobs, entry, &group, -1);
	choose_counters(jobs, entry, how == ES_JOBS_AS_BEFORE);
	entry->gone_ns = 0;
	return 1;
}

void es_jobs_read_entry(struct es_jobs *jobs, struct es_jobs_entry *entry)
{
	struct es_job *job = &entry->job;

	for (size_t i = 0; i < job->n_cgroups; i++) {
		if (entry->group[i].counts)
			read_group(&entry->group[i]);
		entry->has_time |= entry->group[i].is_read;
	}
	for (size_t p = 0; p < jobs->n_packages && entry->has_time; p++) {
		int64_t sum_ns = entry->base_ns[p];

		for (size_t i = 0; i < job->n_cgroups; i++)
			if (entry->group[i].counts && entry->group[i].is_read)
				sum_ns += entry->group[i].raw_ns[p];
		/* It never goes back: v2's share of a package can, by a nanosecond, when CPUs change. */
		if (sum_ns > job->cpu_ns[p] || job->cpu_ns[p] < 0)
			job->cpu_ns[p] = sum_ns > 0 ? sum_ns : 0;
	}
}

void es_jobs_read_time(struct es_jobs *jobs)
{
	for (size_t i = 0; i < jobs->n; i++)
		es_jobs_read_entry(jobs, jobs->entry[i]);
	jobs->has_busy = es_groups_busy(jobs->groups, jobs->busy_ns) == 0;
}

int64_t es_jobs_busy_ns(const struct es_jobs *jobs, size_t package)
{
	return jobs->has_busy && package < jobs->n_packages ? jobs->busy_ns[package] : -1;
}

static uint32_t ppm(uint64_t part, uint64_t whole)
{
	uint64_t share = whole ? part * WHOLE_PPM / whole : 0;

	return share > WHOLE_PPM ? WHOLE_PPM : (uint32_t)share;
}

static void allocate_listed(const struct es_jobs *jobs, struct es_job *job, const uint32_t *in)
{
	for (size_t p = 0; p < jobs->n_packages; p++)
		job->allocated_ppm[p] = ppm(in[p], es_groups_cpus_in(jobs->groups, p));
}

static bool is_container(const struct es_job *job)
{
	static const char *const names[] = { "kubernetes", "docker", "podman", "apptainer" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(job->about.scheduler, names[i]) == 0)
			return true;
	return false;
}

/* A cgroup that may use all CPUs tells nothing of a container, which nobody confined; a scheduler that confines jobs gave it all. */
static bool allocate_confined(const struct es_jobs *jobs, struct es_jobs_entry *entry)
{
	uint32_t in[ES_GROUP_PACKAGES_MAX];
	bool is_all;

	for (size_t i = 0; i < entry->job.n_cgroups; i++)
		if (es_grouptime_cpus(entry->group[i].time, in, &is_all) == 0 &&
		    (!is_all || (entry->is_roots && !is_container(&entry->job) &&
				 entry->job.about.scheduler[0] &&
				 strcmp(entry->job.about.scheduler, "script") != 0 &&
				 entry->job.about.n_cpus == 0))) {
			allocate_listed(jobs, &entry->job, in);
			return true;
		}
	return false;
}

static bool allocate_count(const struct es_jobs *jobs, struct es_jobs_entry *entry)
{
	uint64_t n_mcpu = (uint64_t)entry->job.about.n_cpus * 1000;
	uint64_t whole = (uint64_t)es_groups_n_cpus(jobs->groups) * 1000;

	if (n_mcpu == 0 && strcmp(entry->job.about.scheduler, "kubernetes") == 0)
		for (size_t i = 0; i < entry->job.n_cgroups && n_mcpu == 0; i++)
			n_mcpu = es_grouptime_asked_mcpu(entry->group[i].time);
	if (n_mcpu == 0 || whole == 0)
		return false;
	for (size_t p = 0; p < jobs->n_packages; p++)
		entry->job.allocated_ppm[p] =
			es_groups_cpus_in(jobs->groups, p) ? ppm(n_mcpu, whole) : 0;
	return true;
}

void es_jobs_allocate(struct es_jobs *jobs, struct es_jobs_entry *entry)
{
	uint32_t in[ES_GROUP_PACKAGES_MAX];

	if (entry->job.about.cpus[0] &&
	    es_groups_count_cpus(jobs->groups, entry->job.about.cpus, in) > 0) {
		allocate_listed(jobs, &entry->job, in);
		return;
	}
	if (allocate_confined(jobs, entry) || allocate_count(jobs, entry))
		return;
	memset(entry->job.allocated_ppm, 0, jobs->n_packages * sizeof(*entry->job.allocated_ppm));
}

bool es_jobs_is_exclusive(const struct es_jobs *jobs, const struct es_job *job)
{
	if (job->about.flags & ES_LOCAL_EXCLUSIVE)
		return true;
	/* To have the node is to see its meters: no user's word brings that about. */
	if (job->about.flags & ES_LOCAL_SHARED || jobs->n != 1 || !jobs->entry[0]->is_roots)
		return false;
	for (size_t p = 0; p < jobs->n_packages; p++)
		if (es_groups_cpus_in(jobs->groups, p) && job->allocated_ppm[p] < WHOLE_PPM)
			return false;
	return es_groups_n_cpus(jobs->groups) > 0;
}

/*
 * The path of a process may begin with "/..": we are in a cgroup namespace ourselves, and only what comes behind the
 * folder that both share is told (cgroup_namespaces(7)). It is looked for in the paths of jobs then.
 */
static size_t match(const char *path, const char *cgroup)
{
	if (strncmp(path, "/..", 3) != 0)
		return is_within(path, cgroup) ? strlen(cgroup) : 0;
	while (strncmp(path, "/..", 3) == 0 && (path[3] == '/' || path[3] == '\0'))
		path += 3;
	for (const char *tail = cgroup; tail && *path; tail = strchr(tail + 1, '/'))
		if (is_within(path, tail))
			return strlen(tail);
	return 0;
}

struct es_job *es_jobs_of_pid(const struct es_jobs *jobs, pid_t pid)
{
	char text[16384], *save = NULL;
	struct es_jobs_entry *best = NULL;
	size_t longest = 0;

	if (es_groups_of_pid(jobs->groups, pid, text, sizeof(text)) <= 0)
		return NULL;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *names = strchr(line, ':'),
			   *path = names ? strchr(names + 1, ':') : NULL;

		/* The top is nobody's. */
		if (!path || path[1] != '/' || path[2] == '\0')
			continue;
		for (size_t i = 0; i < jobs->n; i++)
			for (size_t k = 0; k < jobs->entry[i]->job.n_cgroups; k++) {
				size_t n = match(path + 1, jobs->entry[i]->job.cgroups[k]);

				if (n <= longest)
					continue;
				longest = n;
				best = jobs->entry[i];
			}
	}
	return best ? &best->job : NULL;
}

uint64_t es_jobs_start_of_pid(const struct es_jobs *jobs, pid_t pid)
{
	return es_process_start(jobs->root, pid);
}
