/*
 * daemon/jobs.c - the jobs of this node: begun, added to, ended
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "daemon/jobs_private.h"

#define BUFFER_BYTES (48U << 10)

static size_t bucket_of(const char *id)
{
	uint32_t hash = 2166136261U; /* FNV-1a */

	for (; *id; id++)
		hash = (hash ^ (uint8_t)*id) * 16777619U;
	return hash % ES_JOBS_BUCKETS;
}

struct es_jobs_entry *es_jobs_lookup(const struct es_jobs *jobs, const char *id)
{
	struct es_jobs_entry *entry = jobs->bucket[bucket_of(id)];

	while (entry && strcmp(entry->job.about.id, id) != 0)
		entry = entry->next;
	return entry;
}

struct es_job *es_jobs_find(const struct es_jobs *jobs, const char *id)
{
	struct es_jobs_entry *entry = es_jobs_lookup(jobs, id);

	return entry ? &entry->job : NULL;
}

struct es_job *es_jobs_at(const struct es_jobs *jobs, size_t i)
{
	return i < jobs->n ? &jobs->entry[i]->job : NULL;
}

size_t es_jobs_n_packages(const struct es_jobs *jobs)
{
	return jobs->n_packages;
}

const char *es_jobs_problem(const struct es_jobs *jobs)
{
	return jobs->problem[0] ? jobs->problem : NULL;
}

void es_jobs_say(struct es_jobs *jobs, enum es_jobs_news news, struct es_jobs_entry *entry,
		 const char *step, int64_t t_ns)
{
	if (jobs->tell)
		jobs->tell(jobs->arg, news, &entry->job, step ? step : "", t_ns);
}

static void free_entry(struct es_jobs_entry *entry)
{
	for (size_t i = 0; i < entry->job.n_cgroups; i++) {
		es_grouptime_close(entry->group[i].time);
		free(entry->group[i].raw_ns);
	}
	free(entry->job.cpu_ns);
	free(entry->job.allocated_ppm);
	free(entry->base_ns);
	free(entry->steps);
	free(entry);
}

static struct es_jobs_entry *new_entry(const struct es_jobs *jobs)
{
	struct es_jobs_entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->job.cpu_ns = calloc(jobs->n_packages, sizeof(*entry->job.cpu_ns));
	entry->job.allocated_ppm = calloc(jobs->n_packages, sizeof(*entry->job.allocated_ppm));
	entry->base_ns = calloc(jobs->n_packages, sizeof(*entry->base_ns));
	if (!entry->job.cpu_ns || !entry->job.allocated_ppm || !entry->base_ns) {
		free_entry(entry);
		return NULL;
	}
	for (size_t i = 0; i < jobs->n_packages; i++)
		entry->job.cpu_ns[i] = -1;
	return entry;
}

struct es_jobs_entry *es_jobs_add(struct es_jobs *jobs, const struct es_local_job *about)
{
	struct es_jobs_entry *entry, **grown;
	size_t at = bucket_of(about->id);

	if (jobs->n == jobs->room) {
		size_t room = jobs->room ? jobs->room * 2 : 16;

		grown = reallocarray(jobs->entry, room, sizeof(struct es_jobs_entry *));
		if (!grown)
			return NULL;
		jobs->entry = grown;
		jobs->room = room;
	}
	entry = new_entry(jobs);
	if (!entry)
		return NULL;
	entry->job.about = *about;
	entry->job.about.step[0] = '\0';
	entry->next = jobs->bucket[at];
	jobs->bucket[at] = entry;
	jobs->entry[jobs->n++] = entry;
	return entry;
}

int es_jobs_remember_over(struct es_jobs *jobs, const char *path, uint64_t ino)
{
	struct es_jobs_over *grown;
	char *copy;

	if (ino == 0)
		return 0; /* its folder is gone already */
	if (jobs->n_over == ES_JOBS_OVER_MAX)
		return -E2BIG;
	if (jobs->n_over == jobs->room_over) {
		size_t room = jobs->room_over ? jobs->room_over * 2 : 16;

		grown = reallocarray(jobs->over, room, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		jobs->over = grown;
		jobs->room_over = room;
	}
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	jobs->over[jobs->n_over++] = (struct es_jobs_over){ .path = copy, .ino = ino };
	return 0;
}

static void take_out(struct es_jobs *jobs, struct es_jobs_entry *entry)
{
	struct es_jobs_entry **link = &jobs->bucket[bucket_of(entry->job.about.id)];
	size_t at = 0;

	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	while (jobs->entry[at] != entry)
		at++;
	memmove(jobs->entry + at, jobs->entry + at + 1,
		(jobs->n - at - 1) * sizeof(struct es_jobs_entry *));
	jobs->n--;
}

void es_jobs_finish(struct es_jobs *jobs, struct es_jobs_entry *entry, int64_t stop_ns,
		    int64_t stop_unix_ns)
{
	struct es_job *job = &entry->job;

	while (entry->n_steps > 0)
		es_jobs_say(jobs, ES_JOBS_STEP_ENDED, entry, entry->steps[--entry->n_steps],
			    stop_ns);
	es_jobs_read_entry(jobs, entry);
	job->stop_ns = stop_ns;
	job->stop_unix_ns = stop_unix_ns;
	job->about.flags |= ES_LOCAL_ENDED;
	es_jobs_store_end(jobs, entry);
	for (size_t i = 0; i < job->n_cgroups; i++)
		if (es_grouptime_look(entry->group[i].time) == ES_GROUP_THERE)
			(void)es_jobs_remember_over(jobs, job->cgroups[i],
						    es_grouptime_ino(entry->group[i].time));
	take_out(jobs, entry);
	es_jobs_say(jobs, ES_JOBS_ENDED, entry, "", stop_ns);
	free_entry(entry);
}

static int find_step(const struct es_jobs_entry *entry, const char *step)
{
	for (size_t i = 0; i < entry->n_steps; i++)
		if (strcmp(entry->steps[i], step) == 0)
			return (int)i;
	return -ENOENT;
}

int es_jobs_step_add(struct es_jobs_entry *entry, const char *step)
{
	char(*grown)[ES_LOCAL_ID_MAX_BYTES];

	if (find_step(entry, step) >= 0)
		return 0;
	if (entry->n_steps == ES_JOBS_STEPS_MAX)
		return -E2BIG;
	grown = reallocarray(entry->steps, entry->n_steps + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	entry->steps = grown;
	(void)snprintf(grown[entry->n_steps++], sizeof(*grown), "%s", step);
	return 1;
}

/* Told by whom was there, but never before it began nor after now. */
static int64_t when(int64_t told_ns, int64_t least_ns, int64_t now_ns)
{
	if (told_ns <= 0 || told_ns > now_ns)
		return now_ns;
	return told_ns < least_ns ? least_ns : told_ns;
}

static bool fill_text(char *known, const char *told, size_t size)
{
	if (known[0] || !told[0])
		return false;
	(void)snprintf(known, size, "%s", told);
	return true;
}

#define FILL(about, told, member) \
	fill_text((about)->member, (told)->member, sizeof((about)->member))

static bool fill_numbers(struct es_local_job *about, const struct es_local_job *told)
{
	const uint32_t both = ES_LOCAL_EXCLUSIVE | ES_LOCAL_SHARED;
	uint32_t flags = about->flags;
	bool is_more = false;

	if (!about->has_uid && told->has_uid) {
		about->has_uid = is_more = true;
		about->uid = told->uid;
	}
	if (!about->has_gpus && told->has_gpus) {
		about->has_gpus = is_more = true;
		(void)snprintf(about->gpus, sizeof(about->gpus), "%s", told->gpus);
	}
	if (about->n_cpus == 0 && told->n_cpus) {
		about->n_cpus = told->n_cpus;
		is_more = true;
	}
	if (about->n_nodes == 0 && told->n_nodes) {
		about->n_nodes = told->n_nodes;
		about->node_index = told->node_index;
		is_more = true;
	}
	if (!(about->flags & both))
		about->flags |= told->flags & both;
	about->flags |= told->flags & (ES_LOCAL_OFF | ES_LOCAL_RESTARTED);
	return is_more || about->flags != flags;
}

/* What was not known is added; what is known stays. */
static bool fill(struct es_local_job *about, const struct es_local_job *told)
{
	bool is_more = fill_numbers(about, told);

	is_more |= FILL(about, told, scheduler);
	is_more |= FILL(about, told, cpus);
	is_more |= FILL(about, told, cgroup);
	is_more |= FILL(about, told, nodes);
	is_more |= FILL(about, told, name);
	is_more |= FILL(about, told, cluster);
	is_more |= FILL(about, told, account);
	is_more |= FILL(about, told, partition);
	return is_more;
}

static int check_id(const struct es_local_job *about, struct es_error *err)
{
	const char *problem = es_local_id_problem(about->id);

	if (problem)
		return es_error_say(err, -EINVAL, "job '%.80s': %s", about->id, problem);
	problem = about->step[0] ? es_local_id_problem(about->step) : NULL;
	if (problem)
		return es_error_say(err, -EINVAL, "step '%.80s' of job %s: %s", about->step,
				    about->id, problem);
	if (about->pid < 0 || about->pid > INT32_MAX)
		return es_error_say(err, -EINVAL, "job %s: that is no process", about->id);
	return 0;
}

/* Two that each have the node for themselves cannot be: the older one's end was missed. A living cgroup proves that it was not. */
static void end_missed(struct es_jobs *jobs, const struct es_jobs_entry *begun, int64_t now_ns,
		       int64_t now_unix_ns)
{
	for (size_t i = jobs->n; i-- > 0;) {
		struct es_jobs_entry *other = jobs->entry[i];
		bool is_alive = false;

		if (other == begun || !other->is_roots ||
		    !((begun->job.about.flags | other->job.about.flags) & ES_LOCAL_EXCLUSIVE))
			continue;
		for (size_t k = 0; k < other->job.n_cgroups; k++)
			is_alive |= es_grouptime_look(other->group[k].time) != ES_GROUP_GONE;
		if (is_alive)
			continue;
		other->job.about.flags |= ES_LOCAL_REPAIRED;
		es_jobs_finish(jobs, other, now_ns, now_unix_ns);
	}
}

static int begin_new(struct es_jobs *jobs, struct es_local_job *about, uid_t peer_uid,
		     int64_t now_ns, int64_t now_unix_ns, struct es_jobs_entry **ret,
		     struct es_error *err)
{
	struct es_jobs_entry *entry;

	if (jobs->n == ES_JOBS_MAX)
		return es_error_say(err, -E2BIG, "job %s: there are %u jobs on this node already",
				    about->id, ES_JOBS_MAX);
	if (peer_uid != 0) {
		int r = es_jobs_check_room(jobs, about->id, peer_uid, err);

		if (r < 0)
			return r;
		about->has_uid = true;
		about->uid = peer_uid;
	}
	entry = es_jobs_add(jobs, about);
	if (!entry)
		return es_error_set(err, -ENOMEM, "job %s", about->id);
	entry->is_roots = peer_uid == 0;
	entry->job.serial = jobs->next_serial++;
	entry->job.start_ns = peer_uid == 0 ? when(about->t_ns, 0, now_ns) : now_ns;
	entry->job.start_unix_ns = now_unix_ns - (now_ns - entry->job.start_ns);
	entry->job.about.flags &= ~(uint32_t)(ES_LOCAL_ENDED | ES_LOCAL_PENDING | ES_LOCAL_OF_USER);
	entry->job.about.flags |= peer_uid != 0 ? ES_LOCAL_OF_USER : 0;
	if (about->restarts > 0)
		entry->job.about.flags |= ES_LOCAL_RESTARTED;
	es_jobs_find_cgroup(jobs, entry, about, peer_uid, true, err);
	if (entry->is_roots)
		es_jobs_name_scheduler(&entry->job.about, entry->job.about.cgroup);
	es_jobs_allocate(jobs, entry);
	es_jobs_read_entry(jobs, entry);
	if (entry->is_roots)
		end_missed(jobs, entry, now_ns, now_unix_ns);
	es_jobs_store(jobs, entry, true);
	es_jobs_say(jobs, ES_JOBS_BEGUN, entry, "", entry->job.start_ns);
	*ret = entry;
	return 0;
}

static void add_to(struct es_jobs *jobs, struct es_jobs_entry *entry, struct es_local_job *about,
		   int64_t now_ns, struct es_error *err)
{
	uint32_t flags = entry->job.about.flags;
	size_t n_cgroups = entry->job.n_cgroups;
	bool is_more = fill(&entry->job.about, about);

	entry->is_roots = true;
	entry->job.about.flags &= ~(uint32_t)ES_LOCAL_REPAIRED;
	es_jobs_find_cgroup(jobs, entry, about, 0, false, err);
	if (!is_more && flags == entry->job.about.flags && n_cgroups == entry->job.n_cgroups)
		return;
	es_jobs_allocate(jobs, entry);
	es_jobs_store(jobs, entry, false);
	es_jobs_say(jobs, ES_JOBS_CHANGED, entry, "", now_ns);
}

/* Of which nobody told: its number is only what its cgroup is called. */
static bool is_other_found(const struct es_local_job *known, const struct es_local_job *about,
			   bool is_others)
{
	return (known->flags & ES_LOCAL_REPAIRED) &&
	       (is_others || (about->scheduler[0] && strcmp(about->scheduler, "script") != 0 &&
			      strcmp(about->scheduler, known->scheduler) != 0));
}

/* One of that id runs: is it the same? 1: add to it; 0: it is over, begin anew. */
static int meet(struct es_jobs *jobs, struct es_jobs_entry *entry, const struct es_local_job *about,
		uid_t peer_uid, int64_t now_ns, int64_t now_unix_ns, struct es_error *err)
{
	const struct es_local_job *known = &entry->job.about;
	bool is_others = known->has_uid &&
			 (peer_uid != 0 ? known->uid != peer_uid
					: about->has_uid && known->uid != about->uid);

	if (peer_uid != 0)
		return is_others || !known->has_uid
			       ? es_jobs_refuse(err, about->id, "it is another user's")
			       : 1;
	/*
	 * A user took the number before the scheduler gave it away, be it the same user: what it said then is not to be the job's. Or it is
	 * that of some container, which has no better right to it.
	 */
	if (!entry->is_roots || is_other_found(known, about, is_others)) {
		es_jobs_finish(jobs, entry, now_ns, now_unix_ns);
		return 0;
	}
	if (about->restarts > known->restarts) {
		entry->job.about.flags |= ES_LOCAL_REPAIRED;
		es_jobs_finish(jobs, entry, now_ns, now_unix_ns);
		return 0;
	}
	if (is_others)
		return es_error_say(err, -EEXIST, "job %s runs, as user %u's", about->id,
				    (unsigned)known->uid);
	if (about->restarts < known->restarts)
		return es_error_say(err, -EEXIST, "job %s runs, restarted %u times", about->id,
				    (unsigned)known->restarts);
	return 1;
}

static int begin_step(struct es_jobs *jobs, struct es_jobs_entry *entry,
		      const struct es_local_job *about, int64_t now_ns, struct es_error *err)
{
	int r = es_jobs_step_add(entry, about->step);

	if (r < 0)
		return es_error_set(err, r, "step %s of job %s", about->step, about->id);
	if (r == 0)
		return 1;
	es_jobs_store(jobs, entry, false);
	es_jobs_say(jobs, ES_JOBS_STEP_BEGUN, entry, about->step,
		    when(about->t_ns, entry->job.start_ns, now_ns));
	return 0;
}

int es_jobs_begin(struct es_jobs *jobs, const struct es_local_job *told, uid_t peer_uid,
		  int64_t now_boot_ns, int64_t now_unix_ns, struct es_error *err)
{
	struct es_local_job about = *told;
	struct es_jobs_entry *entry = es_jobs_lookup(jobs, about.id);
	int r = check_id(&about, err);
	bool was_known;

	if (r == 0 && peer_uid != 0)
		r = es_jobs_check_user(jobs, &about, peer_uid, err);
	if (r == 0 && entry)
		r = meet(jobs, entry, &about, peer_uid, now_boot_ns, now_unix_ns, err);
	if (r < 0)
		return r;
	was_known = r == 1;
	if (!was_known)
		r = begin_new(jobs, &about, peer_uid, now_boot_ns, now_unix_ns, &entry, err);
	else if (peer_uid == 0)
		add_to(jobs, entry, &about, now_boot_ns, err);
	if (r < 0)
		return r;
	if (!about.step[0])
		return was_known;
	if (peer_uid != 0 && entry->is_roots)
		return es_jobs_refuse(err, about.id, "root began it: mark regions in it by tags");
	return begin_step(jobs, entry, &about, now_boot_ns, err);
}

static int end_step(struct es_jobs *jobs, struct es_jobs_entry *entry,
		    const struct es_local_end *end, int64_t now_ns)
{
	int at = find_step(entry, end->step);

	entry->n_steps--;
	memmove(entry->steps + at, entry->steps + at + 1,
		(entry->n_steps - (size_t)at) * sizeof(*entry->steps));
	es_jobs_store(jobs, entry, false);
	es_jobs_say(jobs, ES_JOBS_STEP_ENDED, entry, end->step,
		    when(end->t_ns, entry->job.start_ns, now_ns));
	return 0;
}

int es_jobs_may_end(const struct es_jobs *jobs, const struct es_local_end *end, uid_t peer_uid,
		    struct es_error *err)
{
	const struct es_jobs_entry *entry = es_jobs_lookup(jobs, end->id);

	if (!entry)
		return es_error_say(err, -ENOENT, "no job %.64s runs here", end->id);
	if (peer_uid != 0 && (!entry->job.about.has_uid || entry->job.about.uid != peer_uid))
		return es_jobs_refuse(err, end->id, "it is another user's");
	if (peer_uid != 0 && entry->is_roots)
		return es_jobs_refuse(err, end->id, "root began it, and only root ends it");
	if (end->step[0] && find_step(entry, end->step) < 0)
		return es_error_say(err, -ENOENT, "job %s has no open step %.64s", end->id,
				    end->step);
	return 0;
}

bool es_jobs_is_users(const struct es_job *job)
{
	return !((const struct es_jobs_entry *)(const void *)job)->is_roots;
}

int es_jobs_end(struct es_jobs *jobs, const struct es_local_end *end, uid_t peer_uid,
		int64_t now_boot_ns, int64_t now_unix_ns, struct es_error *err)
{
	struct es_jobs_entry *entry;
	int64_t stop_ns;
	int r = es_jobs_may_end(jobs, end, peer_uid, err);

	if (r < 0)
		return r;
	entry = es_jobs_lookup(jobs, end->id);
	if (end->step[0])
		return end_step(jobs, entry, end, now_boot_ns);
	entry->job.has_status = end->has_status;
	entry->job.status = end->status;
	stop_ns = peer_uid == 0 ? when(end->t_ns, entry->job.start_ns, now_boot_ns) : now_boot_ns;
	es_jobs_finish(jobs, entry, stop_ns, now_unix_ns - (now_boot_ns - stop_ns));
	return 0;
}

static int make(const struct es_jobs_options *options, struct es_jobs **ret)
{
	struct es_jobs *jobs = calloc(1, sizeof(*jobs));
	int r;

	if (!jobs)
		return -ENOMEM;
	jobs->root = options->root;
	jobs->tell = options->tell;
	jobs->arg = options->arg;
	jobs->sync = options->sync;
	jobs->next_serial = 1;
	(void)snprintf(jobs->boot_id, sizeof(jobs->boot_id), "%s",
		       options->boot_id ? options->boot_id : "");
	(void)snprintf(jobs->node_name, sizeof(jobs->node_name), "%s",
		       options->node_name ? options->node_name : "");
	r = es_groups_open(options->root, &jobs->groups);
	if (r == 0) {
		jobs->n_packages = es_groups_n_packages(jobs->groups);
		jobs->busy_ns = calloc(jobs->n_packages, sizeof(*jobs->busy_ns));
		jobs->buffer = malloc(BUFFER_BYTES);
		if (!jobs->busy_ns || !jobs->buffer)
			r = -ENOMEM;
	}
	if (r < 0)
		es_jobs_destroy(jobs);
	else
		*ret = jobs;
	return r;
}

int es_jobs_create(const struct es_jobs_options *options, int64_t now_boot_ns, int64_t now_unix_ns,
		   struct es_jobs **ret, struct es_error *err)
{
	struct es_jobs *jobs;
	int r = make(options, &jobs);

	(void)now_unix_ns;
	if (r < 0)
		return es_error_set(err, r, "the jobs of this node");
	if (options->journal) {
		r = es_jobs_load(jobs, options->journal, now_boot_ns, err);
		if (r < 0) {
			es_jobs_destroy(jobs);
			return r;
		}
	}
	*ret = jobs;
	return 0;
}

void es_jobs_destroy(struct es_jobs *jobs)
{
	if (!jobs)
		return;
	for (size_t i = 0; i < jobs->n; i++)
		free_entry(jobs->entry[i]);
	for (size_t i = 0; i < jobs->n_over; i++)
		free(jobs->over[i].path);
	free(jobs->entry);
	free(jobs->over);
	free(jobs->busy_ns);
	free(jobs->buffer);
	es_journal_close(jobs->journal);
	es_groups_close(jobs->groups);
	free(jobs);
}
