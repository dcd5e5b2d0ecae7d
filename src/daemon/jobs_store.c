/*
 * daemon/jobs_store.c - what of the jobs is in the journal, and how it is had again
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Entries: BOOT at the start, and where the file goes on in another boot (texts boot id; u64 next serial), JOB (all that is known of one that runs: a later one replaces it), OVER (a
 * job of that serial has ended), GROUP (a cgroup of one that has ended, whose folder was still there).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "daemon/jobs_private.h"
#include "ipc/message.h"
#include "wire/pack.h"

#define BUFFER_BYTES (48U << 10)
#define ANEW_BYTES (1U << 20) /* smaller ones are left as they are */

enum entry_type {
	ENTRY_BOOT = 1,
	ENTRY_JOB = 2,
	ENTRY_OVER = 3,
	ENTRY_GROUP = 4,
};

enum {
	HAS_TIME = 1U << 0,
	IS_ROOTS = 1U << 1,
};

/* What follows is of this boot. In a buffer of its own: an entry waits in the other one. */
static int put_boot(struct es_jobs *jobs)
{
	uint8_t out[256];
	struct es_packer packer = { .out = out, .size = sizeof(out) };
	int r;

	es_pack_text(&packer, jobs->boot_id);
	es_pack_u64(&packer, jobs->next_serial);
	r = packer.error ? packer.error
			 : es_journal_append(jobs->journal, ENTRY_BOOT, packer.out, packer.n);
	jobs->is_boot_told = r == 0;
	return r;
}

static void put(struct es_jobs *jobs, uint8_t type, const struct es_packer *packer, bool must_sync)
{
	int r = packer->error;

	if (!jobs->journal || jobs->is_loading)
		return;
	if (r == 0 && !jobs->is_boot_told)
		r = put_boot(jobs);
	if (r == 0)
		r = es_journal_append(jobs->journal, type, packer->out, packer->n);
	if (r < 0) {
		jobs->is_behind = true;
		(void)snprintf(jobs->problem, sizeof(jobs->problem),
			       "the journal of jobs cannot be written: %s; after a restart of the "
			       "daemon jobs may be missing",
			       es_strerror(r));
		return;
	}
	if (must_sync && jobs->sync)
		jobs->sync(jobs->arg, es_journal_fd(jobs->journal));
	else if (must_sync)
		(void)fdatasync(es_journal_fd(jobs->journal));
}

static struct es_packer packer_of(struct es_jobs *jobs)
{
	return (struct es_packer){ .out = jobs->buffer, .size = BUFFER_BYTES };
}

static void put_job(struct es_jobs *jobs, const struct es_jobs_entry *entry, bool must_sync)
{
	const struct es_job *job = &entry->job;
	struct es_packer packer = packer_of(jobs);
	int n;

	es_pack_u64(&packer, job->serial);
	es_pack_i64(&packer, job->start_ns);
	es_pack_i64(&packer, job->start_unix_ns);
	es_pack_u32(&packer, (entry->has_time ? HAS_TIME : 0U) | (entry->is_roots ? IS_ROOTS : 0U));
	es_pack_u16(&packer, (uint16_t)jobs->n_packages);
	for (size_t i = 0; i < jobs->n_packages; i++)
		es_pack_i64(&packer, entry->base_ns[i]);
	es_pack_u16(&packer, (uint16_t)job->n_cgroups);
	for (size_t i = 0; i < job->n_cgroups; i++)
		es_pack_text(&packer, job->cgroups[i]);
	es_pack_u16(&packer, (uint16_t)entry->n_steps);
	for (size_t i = 0; i < entry->n_steps; i++)
		es_pack_text(&packer, entry->steps[i]);
	n = packer.error ? packer.error
			 : es_local_put_job(0, &job->about, packer.out + packer.n,
					    packer.size - packer.n);
	if (n < 0)
		packer.error = n;
	else
		packer.n += (size_t)n;
	put(jobs, ENTRY_JOB, &packer, must_sync);
}

static void put_group(struct es_jobs *jobs, const char *path, uint64_t ino)
{
	struct es_packer packer = packer_of(jobs);

	es_pack_text(&packer, path);
	es_pack_u64(&packer, ino);
	put(jobs, ENTRY_GROUP, &packer, false);
}

static void put_over(struct es_jobs *jobs, uint64_t serial)
{
	struct es_packer packer = packer_of(jobs);

	es_pack_u64(&packer, serial);
	put(jobs, ENTRY_OVER, &packer, true);
}

/* Only what is still true, in a new file that takes the old one's place. */
static void write_anew(struct es_jobs *jobs)
{
	bool was_boot_told = jobs->is_boot_told, was_behind = jobs->is_behind;

	if (es_journal_begin_anew(jobs->journal) < 0)
		return; /* the old one goes on growing, which is no harm yet */
	(void)put_boot(jobs);
	for (size_t i = 0; i < jobs->n; i++)
		put_job(jobs, jobs->entry[i], false);
	for (size_t i = 0; i < jobs->n_over; i++)
		put_group(jobs, jobs->over[i].path, jobs->over[i].ino);
	jobs->is_behind = false;
	if (es_journal_end_anew(jobs->journal) < 0) {
		jobs->is_boot_told = was_boot_told;
		jobs->is_behind = was_behind;
	}
	if (!jobs->is_behind)
		jobs->problem[0] = '\0';
	jobs->least_bytes = es_journal_bytes(jobs->journal);
}

void es_jobs_keep_journal(struct es_jobs *jobs)
{
	if (jobs->journal && !jobs->is_loading &&
	    (jobs->is_behind ||
	     es_journal_bytes(jobs->journal) > ANEW_BYTES + 4 * jobs->least_bytes))
		write_anew(jobs);
}

void es_jobs_store(struct es_jobs *jobs, const struct es_jobs_entry *entry, bool must_sync)
{
	put_job(jobs, entry, must_sync);
	es_jobs_keep_journal(jobs);
}

void es_jobs_store_end(struct es_jobs *jobs, const struct es_jobs_entry *entry)
{
	const struct es_job *job = &entry->job;

	for (size_t i = 0; i < job->n_cgroups; i++)
		if (es_grouptime_look(entry->group[i].time) == ES_GROUP_THERE)
			put_group(jobs, job->cgroups[i], es_grouptime_ino(entry->group[i].time));
	put_over(jobs, job->serial);
}

static struct es_jobs_entry *of_serial(const struct es_jobs *jobs, uint64_t serial)
{
	for (size_t i = jobs->n; i-- > 0;)
		if (jobs->entry[i]->job.serial == serial)
			return jobs->entry[i];
	return NULL;
}

/** struct past - one that the journal tells of */
struct past {
	struct es_job job;
	uint32_t flags;
	int64_t base_ns[ES_GROUP_PACKAGES_MAX];
	char steps[ES_JOBS_STEPS_MAX][ES_LOCAL_ID_MAX_BYTES];
	size_t n_steps;
};

static int unpack_job(const struct es_jobs *jobs, const uint8_t *data, size_t n, struct past *past)
{
	struct es_unpacker in = { .in = data, .size = n };
	size_t n_packages, n_cgroups;

	past->job.serial = es_unpack_u64(&in);
	past->job.start_ns = es_unpack_i64(&in);
	past->job.start_unix_ns = es_unpack_i64(&in);
	past->flags = es_unpack_u32(&in);
	n_packages = es_unpack_u16(&in);
	if (n_packages > ES_GROUP_PACKAGES_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < n_packages; i++)
		past->base_ns[i] = es_unpack_i64(&in);
	/* Another number of packages in the same boot: a CPU was plugged in. The new ones have used nothing. */
	for (size_t i = n_packages; i < jobs->n_packages; i++)
		past->base_ns[i] = 0;
	n_cgroups = es_unpack_u16(&in);
	if (n_cgroups > ES_JOB_CGROUPS_MAX)
		return -EBADMSG;
	for (past->job.n_cgroups = 0; past->job.n_cgroups < n_cgroups; past->job.n_cgroups++)
		es_unpack_text(&in, past->job.cgroups[past->job.n_cgroups],
			       sizeof(past->job.cgroups[0]));
	past->n_steps = es_unpack_u16(&in);
	if (past->n_steps > ES_JOBS_STEPS_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < past->n_steps; i++)
		es_unpack_text(&in, past->steps[i], sizeof(past->steps[0]));
	if (in.error || n - in.n < ES_IPC_HEADER_BYTES)
		return -EBADMSG;
	return es_local_get_job(data + in.n + ES_IPC_HEADER_BYTES, n - in.n - ES_IPC_HEADER_BYTES,
				&past->job.about);
}

static int take_job(struct es_jobs *jobs, const uint8_t *data, size_t n)
{
	es_cleanup(es_freep) struct past *past = calloc(1, sizeof(*past));
	struct es_jobs_entry *entry;
	int r = past ? unpack_job(jobs, data, n, past) : -ENOMEM;

	if (r < 0)
		return r;
	entry = of_serial(jobs, past->job.serial);
	if (!entry) {
		if (jobs->n == ES_JOBS_MAX)
			return -E2BIG;
		entry = es_jobs_add(jobs, &past->job.about);
		if (!entry)
			return -ENOMEM;
	} else if (strcmp(entry->job.about.id, past->job.about.id) != 0) {
		return -EBADMSG;
	}
	entry->job.about = past->job.about;
	entry->job.serial = past->job.serial;
	entry->job.start_ns = past->job.start_ns;
	entry->job.start_unix_ns = past->job.start_unix_ns;
	entry->has_time = past->flags & HAS_TIME;
	entry->is_roots = past->flags & IS_ROOTS;
	memcpy(entry->base_ns, past->base_ns, jobs->n_packages * sizeof(*entry->base_ns));
	/* Attached when all has been read: only names now. */
	entry->job.n_cgroups = 0;
	for (size_t i = 0; i < ES_JOB_CGROUPS_MAX; i++)
		memcpy(entry->job.cgroups[i], past->job.cgroups[i], sizeof(past->job.cgroups[i]));
	entry->n_steps = 0;
	for (size_t i = 0; i < past->n_steps && r == 0; i++)
		r = es_jobs_step_add(entry, past->steps[i]) < 0 ? -ENOMEM : 0;
	if (past->job.serial >= jobs->next_serial)
		jobs->next_serial = past->job.serial + 1;
	return r;
}

static int take_over(struct es_jobs *jobs, struct es_unpacker *in)
{
	uint64_t serial = es_unpack_u64(in);
	struct es_jobs_entry *entry;

	if (in->error)
		return in->error;
	entry = of_serial(jobs, serial);
	if (entry) {
		entry->n_steps = 0;
		es_jobs_finish(jobs, entry, 0, 0); /* nobody is told while loading */
	}
	return 0;
}

static void forget_over(struct es_jobs *jobs)
{
	for (size_t i = 0; i < jobs->n_over; i++)
		free(jobs->over[i].path);
	jobs->n_over = 0;
}

/* Nobody is told while loading. */
static void drop_all(struct es_jobs *jobs)
{
	while (jobs->n > 0) {
		jobs->entry[0]->n_steps = 0;
		es_jobs_finish(jobs, jobs->entry[0], 0, 0);
	}
	forget_over(jobs);
}

static int take_entry(void *arg, uint8_t type, const uint8_t *data, size_t n)
{
	struct es_jobs *jobs = arg;
	struct es_unpacker in = { .in = data, .size = n };
	char path[ES_GROUP_PATH_MAX_BYTES], boot_id[sizeof(jobs->boot_id)];
	uint64_t number;
	int r;

	switch ((enum entry_type)type) {
	case ENTRY_BOOT:
		es_unpack_text(&in, boot_id, sizeof(boot_id));
		number = es_unpack_u64(&in);
		if (in.error)
			return in.error;
		/* Those of the boot before were told of as over when that one was begun. */
		if (jobs->past_boot_id[0] && strcmp(boot_id, jobs->past_boot_id) != 0)
			drop_all(jobs);
		(void)snprintf(jobs->past_boot_id, sizeof(jobs->past_boot_id), "%s", boot_id);
		if (number > jobs->next_serial)
			jobs->next_serial = number;
		return 0;
	case ENTRY_JOB:
		return take_job(jobs, data, n);
	case ENTRY_OVER:
		return take_over(jobs, &in);
	case ENTRY_GROUP:
		es_unpack_text(&in, path, sizeof(path));
		number = es_unpack_u64(&in);
		if (in.error)
			return in.error;
		r = es_jobs_remember_over(jobs, path, number);
		return r == -E2BIG ? 0 : r;
	}
	return 0; /* of a newer version */
}

/* The same boot: go on. Where a folder is gone its time is as the last sweep's; the next scan says what became of the job. */
static void go_on(struct es_jobs *jobs, struct es_jobs_entry *entry, int64_t now_boot_ns)
{
	char(*paths)[sizeof(entry->job.cgroups[0])] = calloc(ES_JOB_CGROUPS_MAX, sizeof(*paths));
	bool had_any = false;

	if (!paths)
		return;
	memcpy(paths, entry->job.cgroups, ES_JOB_CGROUPS_MAX * sizeof(*paths));
	memset(entry->job.cgroups, 0, sizeof(entry->job.cgroups));
	for (size_t i = 0; i < ES_JOB_CGROUPS_MAX; i++)
		if (paths[i][0]) {
			had_any = true;
			(void)es_jobs_attach(jobs, entry, paths[i], ES_JOBS_AS_BEFORE, NULL);
		}
	free(paths);
	if (had_any && entry->job.n_cgroups == 0)
		entry->gone_ns = now_boot_ns;
	es_jobs_allocate(jobs, entry);
	es_jobs_read_entry(jobs, entry);
	es_jobs_say(jobs, ES_JOBS_BEGUN, entry, "", entry->job.start_ns);
}

static void end_unknown(struct es_jobs *jobs)
{
	while (jobs->n > 0) {
		struct es_jobs_entry *entry = jobs->entry[0];

		entry->job.about.flags |= ES_LOCAL_REPAIRED;
		entry->job.n_cgroups = 0;
		entry->n_steps = 0;
		es_jobs_finish(jobs, entry, 0, 0);
	}
	forget_over(jobs);
}

int es_jobs_load(struct es_jobs *jobs, const char *path, int64_t now_boot_ns, struct es_error *err)
{
	es_jobs_fn tell = jobs->tell;
	int r;

	jobs->is_loading = true;
	jobs->tell = NULL;
	r = es_journal_open(path, take_entry, jobs, &jobs->journal, err);
	jobs->tell = tell;
	if (r < 0)
		return r;
	jobs->is_boot_told = strcmp(jobs->past_boot_id, jobs->boot_id) == 0;
	if (jobs->past_boot_id[0] && !jobs->is_boot_told) {
		end_unknown(jobs);
	} else {
		for (size_t i = 0; i < jobs->n; i++)
			go_on(jobs, jobs->entry[i], now_boot_ns);
	}
	jobs->is_loading = false;
	write_anew(jobs);
	return 0;
}
