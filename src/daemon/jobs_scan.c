/*
 * daemon/jobs_scan.c - jobs that nobody told of, found by their cgroups; and ends that nobody told of
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/jobs_private.h"

/*
 * A job that was told of may have no cgroup between two steps (Slurm without PrologFlags=Contain): only after so long without one
 * its end was missed.
 */
#define PATIENCE_NS (600 * ES_NS_PER_S)
#define EPILOG_NS (2 * ES_NS_PER_S) /* from a job's last process to the word that it is over */

/* Who tells of a job may be ahead of its cgroup: so long it is looked for more often than by scans. */
#define SEEK_NS (60 * ES_NS_PER_S)

#define FIRST_USER_UID \
	1000U /* users below that are the system's: Flux runs everybody's jobs in its own slice */

struct scan {
	struct es_jobs *jobs;
	int64_t now_ns, now_unix_ns;
};

static struct es_jobs_over *find_over(struct es_jobs *jobs, const char *path)
{
	for (size_t i = 0; i < jobs->n_over; i++)
		if (strcmp(jobs->over[i].path, path) == 0)
			return &jobs->over[i];
	return NULL;
}

/* Folders of ended jobs that are gone, or are other ones by now. */
static void forget_gone(struct es_jobs *jobs)
{
	for (size_t i = jobs->n_over; i-- > 0;) {
		if (es_groups_ino(jobs->groups, jobs->over[i].path) == jobs->over[i].ino)
			continue;
		free(jobs->over[i].path);
		jobs->over[i] = jobs->over[--jobs->n_over];
	}
}

/* Groups may share an id by chance, a container's digits with a job's number: then the second is left out. */
static bool is_same(const struct es_local_job *known, const struct es_jobgroup *about)
{
	return (!known->scheduler[0] || strcmp(known->scheduler, "script") == 0 ||
		strcmp(known->scheduler, about->scheduler) == 0) &&
	       (!known->has_uid || !about->has_uid || known->uid == about->uid);
}

static void add_group(const struct scan *scan, struct es_jobs_entry *entry, const char *path)
{
	struct es_jobs *jobs = scan->jobs;

	/* It was not there at the last scan: all that it used is the job's. */
	if (es_jobs_attach(jobs, entry, path, ES_JOBS_SINCE_EVER, NULL) != 1)
		return;
	es_jobs_name_scheduler(&entry->job.about, path);
	if (!entry->job.about.cgroup[0])
		(void)snprintf(entry->job.about.cgroup, sizeof(entry->job.about.cgroup), "%s",
			       path);
	es_jobs_allocate(jobs, entry);
	es_jobs_read_entry(jobs, entry);
	es_jobs_store(jobs, entry, false);
	es_jobs_say(jobs, ES_JOBS_CHANGED, entry, "", scan->now_ns);
}

/* In the slice of an ordinary user, who makes cgroups of any name there: it counts as much as a begin that this user tells. */
static bool is_in_users_slice(const char *path, uint32_t *ret_uid)
{
	return sscanf(path, "/user.slice/user-%9" SCNu32 ".slice/", ret_uid) == 1 &&
	       *ret_uid >= FIRST_USER_UID;
}

static int begin_found(const struct scan *scan, const char *path, const struct es_jobgroup *found,
		       bool is_users)
{
	struct es_jobs *jobs = scan->jobs;
	struct es_jobs_entry *entry;
	struct es_local_job *about;
	uid_t uid;

	if (jobs->n == ES_JOBS_MAX ||
	    (is_users && es_jobs_check_room(jobs, found->id, found->uid, NULL) < 0))
		return 0;
	about = calloc(1, sizeof(*about));
	if (!about)
		return -ENOMEM;
	(void)snprintf(about->id, sizeof(about->id), "%s", found->id);
	(void)snprintf(about->scheduler, sizeof(about->scheduler), "%s", found->scheduler);
	(void)snprintf(about->cgroup, sizeof(about->cgroup), "%s", path);
	about->flags = ES_LOCAL_REPAIRED | (is_users ? ES_LOCAL_OF_USER : 0);
	about->has_uid = found->has_uid;
	about->uid = found->uid;
	if (!about->has_uid && es_groups_user(jobs->groups, path, &uid) == 0) {
		about->has_uid = true;
		about->uid = uid;
	}
	entry = es_local_id_problem(about->id) ? NULL : es_jobs_add(jobs, about);
	free(about);
	if (!entry)
		return 0;
	entry->is_roots = !is_users;
	entry->job.serial = jobs->next_serial++;
	entry->job.start_ns = scan->now_ns;
	entry->job.start_unix_ns = scan->now_unix_ns;
	(void)es_jobs_attach(jobs, entry, path, ES_JOBS_SINCE_NOW, NULL);
	es_jobs_allocate(jobs, entry);
	es_jobs_read_entry(jobs, entry);
	es_jobs_store(jobs, entry, true);
	es_jobs_say(jobs, ES_JOBS_BEGUN, entry, "", entry->job.start_ns);
	return 0;
}

static bool is_ours(const struct es_jobs *jobs, const struct es_jobgroup *found)
{
	return !jobs->node_name[0] || !found->node[0] || strcmp(jobs->node_name, found->node) == 0;
}

static bool has_group(const struct es_jobs_entry *entry, const char *path)
{
	for (size_t i = 0; i < entry->job.n_cgroups; i++)
		if (strcmp(entry->job.cgroups[i], path) == 0)
			return true;
	return false;
}

static int see(void *arg, const char *path, const struct es_jobgroup *about, uint64_t ino)
{
	const struct scan *scan = arg;
	struct es_jobs *jobs = scan->jobs;
	struct es_jobgroup whose = *about, *found = &whose;
	struct es_jobs_entry *entry;
	const struct es_jobs_over *over;
	uint32_t uid;
	bool is_users = is_in_users_slice(path, &uid);

	(void)ino; /* of this hierarchy, which may not be the one that an ended job was known by */
	if (!is_ours(jobs, found))
		return 0;
	if (is_users) {
		found->has_uid = true;
		found->uid = uid;
	}
	entry = es_jobs_lookup(jobs, found->id);
	if (entry && has_group(entry, path))
		return 0;
	over = find_over(jobs, path);
	if (over && es_groups_ino(jobs->groups, path) == over->ino)
		return 0;
	if (entry && !entry->is_roots && !is_users) {
		/* A user took this number for something else; the scheduler's word counts. */
		es_jobs_finish(jobs, entry, scan->now_ns, scan->now_unix_ns);
		entry = NULL;
	}
	if (entry && !is_same(&entry->job.about, found))
		return 0;
	if (entry) {
		add_group(scan, entry, path);
		return 0;
	}
	/* What is within another job's cgroup is that job's. */
	if (es_jobs_group_owner(jobs, path, true))
		return 0;
	return begin_found(scan, path, found, is_users);
}

/* True where something changed that the journal should know. */
static bool look_at_group(const struct scan *scan, struct es_jobs_entry *entry, size_t at)
{
	struct es_jobs *jobs = scan->jobs;
	struct es_jobs_group *group = &entry->group[at];
	char path[ES_GROUP_PATH_MAX_BYTES];

	switch (es_grouptime_look(group->time)) {
	case ES_GROUP_THERE:
		/* v2's sum is shared out by CPUs: what was before stays as it was. */
		if (!es_grouptime_learn(group->time) || !group->is_read)
			return false;
		for (size_t p = 0; p < jobs->n_packages; p++)
			entry->base_ns[p] += group->counts ? group->raw_ns[p] : 0;
		if (es_grouptime_read(group->time, group->raw_ns) == 0)
			for (size_t p = 0; p < jobs->n_packages; p++)
				entry->base_ns[p] -= group->counts ? group->raw_ns[p] : 0;
		return true;
	case ES_GROUP_RENAMED:
		(void)snprintf(entry->job.cgroups[at], sizeof(entry->job.cgroups[at]), "%s",
			       es_grouptime_path(group->time));
		return true;
	case ES_GROUP_REPLACED:
		(void)snprintf(path, sizeof(path), "%s", entry->job.cgroups[at]);
		es_jobs_detach(jobs, entry, at);
		(void)es_jobs_attach(jobs, entry, path, ES_JOBS_SINCE_EVER, NULL);
		if (entry->job.n_cgroups == 0) /* that one is gone by now, or another job's */
			entry->gone_ns = scan->now_ns;
		return true;
	case ES_GROUP_GONE:
		es_jobs_detach(jobs, entry, at);
		if (entry->job.n_cgroups == 0)
			entry->gone_ns = scan->now_ns;
		return true;
	}
	return false;
}

static bool can_wait(const struct es_jobs_entry *entry)
{
	return !(entry->job.about.flags & ES_LOCAL_REPAIRED) &&
	       strcmp(entry->job.about.scheduler, "slurm") == 0;
}

/* Whose a found job is may be seen once its processes are there. */
static bool learn_user(const struct scan *scan, struct es_jobs_entry *entry)
{
	struct es_local_job *about = &entry->job.about;
	uid_t uid;

	if (about->has_uid || !(about->flags & ES_LOCAL_REPAIRED) || entry->job.n_cgroups == 0 ||
	    es_groups_user(scan->jobs->groups, entry->job.cgroups[0], &uid) < 0)
		return false;
	about->has_uid = true;
	about->uid = uid;
	return true;
}

/* Cgroups that are gone or renamed, and the told one, which may be there by now. */
static void look_at_job(const struct scan *scan, struct es_jobs_entry *entry)
{
	struct es_jobs *jobs = scan->jobs;
	const char *told = entry->job.about.cgroup;
	bool is_changed = learn_user(scan, entry);

	for (size_t i = entry->job.n_cgroups; i-- > 0;)
		is_changed |= look_at_group(scan, entry, i);
	if (entry->job.n_cgroups == 0 && told[0])
		is_changed |= es_jobs_attach(jobs, entry, told, ES_JOBS_SINCE_EVER, NULL) == 1;
	if (is_changed || entry->job.n_cgroups > 0)
		es_jobs_allocate(jobs, entry);
	if (!is_changed)
		return;
	es_jobs_store(jobs, entry, false);
	es_jobs_say(jobs, ES_JOBS_CHANGED, entry, "", scan->now_ns);
}

void es_jobs_seek(struct es_jobs *jobs, int64_t now_boot_ns, int64_t now_unix_ns)
{
	const struct scan scan = { .jobs = jobs,
				   .now_ns = now_boot_ns,
				   .now_unix_ns = now_unix_ns };

	for (size_t i = jobs->n; i-- > 0;) {
		struct es_jobs_entry *entry = jobs->entry[i];

		if (!entry->has_time && now_boot_ns - entry->job.start_ns < SEEK_NS)
			look_at_job(&scan, entry);
	}
}

/*
 * A job lives as long as its script, or the shell of salloc: where that is open and its cgroup is gone, nobody told of its end, and
 * of the job's neither (the daemon did not run then).
 */
static bool has_lost_its_script(const struct es_jobs_entry *entry)
{
	for (size_t i = 0; i < entry->n_steps; i++)
		if (!strcmp(entry->steps[i], "batch") || !strcmp(entry->steps[i], "interactive"))
			return true;
	return false;
}

static bool is_over(const struct scan *scan, const struct es_jobs_entry *entry)
{
	int64_t patience_ns = 0;

	if (can_wait(entry))
		patience_ns = has_lost_its_script(entry) ? EPILOG_NS : PATIENCE_NS;
	return entry->gone_ns != 0 && scan->now_ns - entry->gone_ns >= patience_ns;
}

int es_jobs_scan(struct es_jobs *jobs, int64_t now_boot_ns, int64_t now_unix_ns)
{
	struct scan scan = { .jobs = jobs, .now_ns = now_boot_ns, .now_unix_ns = now_unix_ns };
	int r;

	for (size_t i = jobs->n; i-- > 0;)
		look_at_job(&scan, jobs->entry[i]);
	forget_gone(jobs);
	r = es_groups_walk(jobs->groups, see, &scan);
	for (size_t i = jobs->n; i-- > 0;)
		if (is_over(&scan, jobs->entry[i])) {
			jobs->entry[i]->job.about.flags |= ES_LOCAL_REPAIRED;
			es_jobs_finish(jobs, jobs->entry[i], now_boot_ns, now_unix_ns);
		}
	es_jobs_keep_journal(jobs);
	return r;
}
