/*
 * test_daemon_spool.c - recordings of jobs in a folder: edges, kills, quota, full disks, summaries for all nodes
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * The book and the list of jobs are stand-ins of this file: what is tested is what the spool makes of them.
 */
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "core/model.h"
#include "daemon/gathered.h"
#include "daemon/spool.h"
#include "daemon/summary.h"
#include "ipc/message.h"
#include "record/recording.h"
#include "support/folder.h"

#define N_DOMAINS 3U /* package-0, gpu-0, and the meter of the node */
#define N_PARTS 3U /* package-0, gpu-0, rest */
#define S ES_NS_PER_S

/* What the stand-ins answer. */
struct es_account {
	struct es_account_part parts[N_PARTS];
	struct es_account_share shares[N_PARTS];
	bool has_shares;
};

struct es_jobs {
	struct es_job *list[4];
	size_t n;
	bool is_exclusive;
};

size_t es_account_n_parts(const struct es_account *account)
{
	(void)account;
	return N_PARTS;
}

const struct es_account_part *es_account_part(const struct es_account *account, size_t part)
{
	return &account->parts[part];
}

const struct es_account_share *es_account_of(const struct es_account *account,
					     const struct es_job *job, uint64_t *ret_node_uj)
{
	(void)job;
	*ret_node_uj = 0;
	for (size_t i = 0; i < N_PARTS; i++)
		*ret_node_uj += account->shares[i].dynamic_uj + account->shares[i].idle_uj;
	return account->has_shares ? account->shares : NULL;
}

uint64_t es_account_before(const struct es_account *account, const struct es_job *job)
{
	(void)account;
	(void)job;
	return 0;
}

bool es_account_node(const struct es_account *account, uint64_t *ret_uj, uint64_t *ret_mw,
		     enum es_kind *ret_kind, uint64_t *ret_residual_uj)
{
	(void)account;
	*ret_uj = *ret_mw = *ret_residual_uj = 0;
	*ret_kind = ES_KIND_MEASURED;
	return true;
}

struct es_job *es_jobs_at(const struct es_jobs *jobs, size_t i)
{
	return i < jobs->n ? jobs->list[i] : NULL;
}

bool es_jobs_is_exclusive(const struct es_jobs *jobs, const struct es_job *job)
{
	(void)job;
	return jobs->is_exclusive;
}

/* A node, a spool, one job, and a log of what an administrator is told. */
struct place {
	char folder[64], spool_path[96], shared[96];
	struct es_domain domains[N_DOMAINS];
	struct es_node_domains node;
	struct es_meta meta;
	struct es_account account;
	struct es_jobs jobs;
	struct es_job job;
	struct es_spool_options options;
	struct es_spool *spool;
	int64_t start_ns, n_fed;
	char said[4096];
	int n_said;
};

static void say(void *arg, int error, const char *words)
{
	struct place *place = arg;
	size_t n = strlen(place->said);

	(void)error;
	snprintf(place->said + n, sizeof(place->said) - n, "%s\n", words);
	place->n_said++;
}

static void make_domains(struct place *place)
{
	es_domain_init(&place->domains[0], "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	es_domain_init(&place->domains[1], "nvml", ES_DOMAIN_GPU, 0, -1);
	es_domain_init(&place->domains[2], "cray", ES_DOMAIN_NODE, -1, -1);
	for (size_t i = 0; i < N_DOMAINS; i++) {
		place->domains[i].range.unit_nj = 1000;
		place->domains[i].state = ES_STATE_OK;
		place->domains[i].is_chosen = i < 2;
		place->domains[i].is_chosen_total = i == 2;
		place->domains[i].update_period_ns = ES_NS_PER_MS;
	}
	place->node =
		(struct es_node_domains){ .epoch = 1, .domains = place->domains, .n = N_DOMAINS };
	for (size_t i = 0; i < N_PARTS; i++) {
		struct es_account_part *part = &place->account.parts[i];

		snprintf(part->domain, sizeof(part->domain), "%s",
			 i < 2 ? place->domains[i].name : "rest");
		part->type = i < 2 ? place->domains[i].type : ES_DOMAIN_OTHER;
		part->kind = ES_KIND_MEASURED;
		place->account.shares[i].rule = i == 1 ? ES_SHARE_DIRECT : ES_SHARE_CPU_TIME;
		place->account.shares[i].idle_method = ES_IDLE_SEEN;
	}
}

static void open_spool(struct place *place)
{
	struct es_error err = { .code = 0 };
	int r = es_spool_open(&place->options, &place->node, say, place, &place->spool, &err);

	if (r < 0)
		fail_msg("%s", err.text);
}

static int make_place(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	assert_int_equal(es_test_folder(place->folder, sizeof(place->folder)), 0);
	snprintf(place->spool_path, sizeof(place->spool_path), "%s/spool", place->folder);
	snprintf(place->shared, sizeof(place->shared), "%s/shared", place->folder);
	assert_int_equal(mkdir(place->shared, 0700), 0);
	make_domains(place);
	es_meta_init(&place->meta);
	assert_int_equal(es_meta_add_node(&place->meta, "n1"), 0);
	snprintf(place->meta.boot_id, sizeof(place->meta.boot_id), "boot-1");
	snprintf(place->meta.tool, sizeof(place->meta.tool), "energyscopium test");
	place->options = (struct es_spool_options){ .folder = place->spool_path,
						    .quota_bytes = 1U << 30,
						    .meta = &place->meta };
	open_spool(place);
	place->start_ns = es_clock_boot_ns();
	place->jobs.list[0] = &place->job;
	*state = place;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int remove_place(void **state)
{
	struct place *place = *state;

	es_spool_close(place->spool);
	assert_int_equal(nftw(place->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	es_meta_finish(&place->meta);
	free(place);
	return 0;
}

static const struct es_spool_viewer admin = { .is_admin = true };

static void begin_job(struct place *place, const char *id, uint64_t serial, bool is_exclusive)
{
	struct es_job *job = &place->job;

	memset(job, 0, sizeof(*job));
	snprintf(job->about.id, sizeof(job->about.id), "%s", id);
	job->about.has_uid = true;
	job->about.uid = getuid();
	job->about.n_cpus = 4;
	job->about.n_nodes = 2;
	job->serial = serial;
	job->start_ns = place->start_ns + place->n_fed * S;
	job->start_unix_ns = es_clock_unix_ns() + place->n_fed * S;
	place->jobs.n = 1;
	place->jobs.is_exclusive = is_exclusive;
	es_spool_news(place->spool, ES_JOBS_BEGUN, job, "", job->start_ns);
}

/* One second: package 100 W, GPU 200 W, rest 50 W; half of each is the job's where it shares. */
static void feed(struct place *place)
{
	static const uint64_t powers_uj[N_PARTS] = { 100000000, 200000000, 50000000 };
	struct es_reading readings[N_DOMAINS] = { { .error = 0 } };
	struct es_sweep sweep = { .readings = readings, .n = N_DOMAINS, .period_ns = S };

	place->n_fed++;
	sweep.boot_ns = place->start_ns + place->n_fed * S;
	sweep.mono_ns = sweep.boot_ns;
	sweep.unix_ns = es_clock_unix_ns() + place->n_fed * S;
	for (size_t i = 0; i < N_DOMAINS; i++) {
		readings[i].t_ns = sweep.boot_ns + 1000;
		readings[i].value =
			7000000 + (uint64_t)place->n_fed * (i < 2 ? powers_uj[i] : 350000000U);
		place->account.shares[i].dynamic_uj += powers_uj[i] / 4;
		place->account.shares[i].idle_uj += powers_uj[i] / 4;
	}
	place->account.has_shares = true;
	es_spool_feed(place->spool, &place->jobs, &place->account, &sweep);
}

static void end_job(struct place *place)
{
	struct es_job *job = &place->job;

	job->stop_ns = place->start_ns + place->n_fed * S;
	job->stop_unix_ns = job->start_unix_ns + (job->stop_ns - job->start_ns);
	job->has_status = true;
	es_spool_news(place->spool, ES_JOBS_ENDED, job, "", job->stop_ns);
	place->jobs.n = 0;
}

/* Its summary, when it is no longer being made. */
static void settled(struct place *place, const char *id, struct es_local_job_is *ret)
{
	for (int tries = 0; tries < 2000; tries++) {
		assert_int_equal(es_spool_find(place->spool, &admin, id, 0, ret), 0);
		if (!(ret->job.flags & ES_LOCAL_PENDING))
			return;
		usleep(5000);
	}
	fail_msg("no summary of job %s after 10 s", id);
}

struct seen {
	uint64_t first[8], last[8];
	bool has[8];
	int n_sweeps, n_starts, n_stops, n_tags;
	char rule[64];
};

static int see_reading(void *arg, size_t domain, int64_t t_ns, uint64_t value, int64_t activity_ns)
{
	struct seen *seen = arg;

	(void)t_ns;
	(void)activity_ns;
	assert_true(domain < 8);
	if (!seen->has[domain])
		seen->first[domain] = value;
	seen->has[domain] = true;
	seen->last[domain] = value;
	return 0;
}

static int see_sweep(void *arg, int64_t t_ns)
{
	(void)t_ns;
	((struct seen *)arg)->n_sweeps++;
	return 0;
}

static int see_event(void *arg, const struct es_event *event)
{
	struct seen *seen = arg;

	seen->n_starts += event->type == ES_EVENT_COMMAND_START;
	seen->n_stops += event->type == ES_EVENT_COMMAND_STOP;
	seen->n_tags += event->type == ES_EVENT_TAG_START || event->type == ES_EVENT_TAG_STOP;
	if (event->type == ES_EVENT_SHARED)
		snprintf(seen->rule, sizeof(seen->rule), "%.63s", event->text);
	return 0;
}

/* The recording through its descriptor, as its owner gets it. */
static struct es_recording *see(struct place *place, const char *id, struct seen *seen)
{
	static const struct es_visitor visitor = { .reading = see_reading,
						   .sweep = see_sweep,
						   .event = see_event };
	struct es_recording *recording;
	const struct es_spool_viewer owner = { .has_uid = true, .uid = getuid() };
	int fd = es_spool_open_recording(place->spool, &owner, id, 0);

	assert_true(fd >= 0);
	assert_true(write(fd, "x", 1) < 0); /* read-only */
	memset(seen, 0, sizeof(*seen));
	assert_int_equal(es_recording_open_fd(fd, id, NULL, &recording, NULL), 0);
	assert_int_equal(es_recording_walk(recording, &visitor, seen), 0);
	return recording;
}

static void a_job_with_the_node_alone_has_its_meters(void **state)
{
	struct place *place = *state;
	struct es_local_job_is is;
	struct es_recording *recording;
	struct seen seen;

	begin_job(place, "41", 1, true);
	for (int i = 0; i < 5; i++)
		feed(place);
	end_job(place);
	settled(place, "41", &is);

	recording = see(place, "41", &seen);
	assert_int_equal(es_recording_meta(recording)->n_domains, N_DOMAINS);
	assert_int_equal(es_recording_meta(recording)->domains[2].kind, ES_KIND_MEASURED);
	assert_int_equal(es_recording_meta(recording)->sharing, ES_SHARING_EXCLUSIVE);
	assert_true(es_recording_is_whole(recording));
	assert_int_equal(seen.n_starts, 1);
	assert_int_equal(seen.n_stops, 1);
	assert_int_equal(seen.last[2] - seen.first[2], 4 * 350000000ULL);
	es_recording_close(recording);
	/* What is told is what a report of the recording tells. */
	assert_int_equal(is.energy_uj, 4 * 350000000ULL);
	assert_string_equal(is.kind, "measured");
	assert_true(is.job.flags & ES_LOCAL_ENDED);
	assert_int_equal(is.covered_ppm, 1000000);
	assert_int_equal(place->n_said, 0);
}

static void a_job_that_shares_has_its_shares_from_its_first_instant(void **state)
{
	struct place *place = *state;
	struct es_recording *recording;
	const struct es_meta *meta;
	struct es_local_job_is is;
	struct seen seen;

	begin_job(place, "42", 2, false);
	for (int i = 0; i < 5; i++)
		feed(place);
	end_job(place);
	settled(place, "42", &is);

	recording = see(place, "42", &seen);
	meta = es_recording_meta(recording);
	assert_int_equal(meta->n_domains, N_PARTS + 1);
	for (size_t i = 0; i < meta->n_domains; i++) {
		assert_int_equal(meta->domains[i].kind, ES_KIND_ATTRIBUTED);
		assert_int_equal(seen.first[i], 0);
	}
	assert_string_equal(meta->domains[N_PARTS].name, "node");
	assert_int_equal(seen.last[N_PARTS], 5 * 175000000ULL);
	assert_int_equal(seen.last[0] + seen.last[1] + seen.last[2], seen.last[N_PARTS]);
	assert_string_equal(seen.rule, "cpu_time seen");
	es_recording_close(recording);
	assert_int_equal(is.energy_uj, 5 * 175000000ULL);
	assert_string_equal(is.kind, "attributed");
	assert_string_equal(is.idle_method, "seen");
	assert_int_equal(is.n_parts, N_PARTS);
	assert_string_equal(is.parts[1].rule, "direct");
	assert_true(is.machine.has_node_meter);
}

static void steps_and_tags_are_regions(void **state)
{
	struct place *place = *state;
	struct es_local_job_is is;
	struct seen seen;

	begin_job(place, "43", 3, false);
	es_spool_news(place->spool, ES_JOBS_STEP_BEGUN, &place->job, "0", place->start_ns);
	feed(place);
	assert_int_equal(es_spool_tag(place->spool, &place->job, "solve", true, place->start_ns),
			 ES_IPC_OK);
	assert_int_equal(es_spool_tag(place->spool, &place->job, "other", false, place->start_ns),
			 ES_IPC_NOT_OPEN);
	assert_int_equal(es_spool_tag(place->spool, &place->job, "bad\n", true, place->start_ns),
			 ES_IPC_BAD_NAME);
	feed(place);
	es_spool_news(place->spool, ES_JOBS_STEP_ENDED, &place->job, "0", place->start_ns + S);
	end_job(place);
	settled(place, "43", &is);
	es_recording_close(see(place, "43", &seen));
	assert_int_equal(seen.n_tags, 4); /* what was open is closed */
}

/* A daemon that dies with no word, in a process of its own, and the next one that goes on. */
static void a_kill_costs_the_gap_and_none_of_the_energy(void **state)
{
	struct place *place = *state;
	struct es_recording *recording;
	struct es_local_job_is is;
	struct seen seen;
	int status;
	pid_t pid;

	es_spool_close(place->spool);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		open_spool(place);
		begin_job(place, "44", 4, true);
		es_spool_tag(place->spool, &place->job, "solve", true, place->start_ns);
		for (int i = 0; i < 3; i++)
			feed(place);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));

	open_spool(place);
	begin_job(place, "44", 4, true); /* of the journal: told again */
	place->n_fed = 10;
	for (int i = 0; i < 2; i++)
		feed(place);
	/* What was open is open still. */
	assert_int_equal(es_spool_tag(place->spool, &place->job, "solve", false, place->start_ns),
			 ES_IPC_OK);
	end_job(place);
	settled(place, "44", &is);
	recording = see(place, "44", &seen);
	assert_int_equal(seen.n_starts, 1);
	assert_int_equal(seen.n_sweeps, 5);
	assert_int_equal(seen.last[2] - seen.first[2], 11 * 350000000ULL);
	es_recording_close(recording);
	assert_int_equal(is.energy_uj, 11 * 350000000ULL);
}

static void who_shares_from_now_on_sees_the_node_no_more(void **state)
{
	struct place *place = *state;
	struct es_recording *recording;
	struct es_local_job_is is;
	struct seen seen;
	struct es_spool_viewer stranger = { .has_uid = true, .uid = getuid() + 1 };

	begin_job(place, "45", 5, true);
	for (int i = 0; i < 3; i++)
		feed(place);
	place->jobs.is_exclusive = false;
	for (int i = 0; i < 3; i++)
		feed(place);
	end_job(place);
	settled(place, "45", &is);
	recording = see(place, "45", &seen);
	assert_int_equal(es_recording_meta(recording)->domains[0].kind, ES_KIND_ATTRIBUTED);
	assert_int_equal(seen.n_sweeps, 3);
	es_recording_close(recording);
	assert_int_equal(is.energy_uj, 6 * 175000000ULL); /* all of it, by the book */
	assert_true(es_spool_open_recording(place->spool, &admin, "45", 1) >= 0);
	assert_int_equal(es_spool_open_recording(place->spool, &stranger, "45", 0), -ENOENT);
	assert_int_equal(es_spool_open_recording(place->spool, &stranger, "45", 1), -ENOENT);
	assert_int_equal(es_spool_find(place->spool, &stranger, "45", 0, &is), -ENOENT);
	stranger.serial = place->job.serial; /* a process of it, whatever its user is called here */
	assert_int_equal(es_spool_find(place->spool, &stranger, "45", 0, &is), 0);
}

/* Three finished jobs, room for one: the oldest go, and what runs stays. */
static void the_oldest_go_when_the_quota_is_passed(void **state)
{
	struct place *place = *state;
	struct es_local_job_is is;
	char id[8];

	es_spool_close(place->spool);
	place->options.quota_bytes = 9000;
	open_spool(place);
	for (unsigned i = 0; i < 3; i++) {
		snprintf(id, sizeof(id), "5%u", i);
		begin_job(place, id, 10 + i, true);
		for (int k = 0; k < 10; k++)
			feed(place);
		end_job(place);
		settled(place, id, &is);
	}
	begin_job(place, "59", 20, true);
	for (int k = 0; k < 30; k++)
		feed(place);
	es_spool_tick(place->spool, es_clock_unix_ns());
	assert_int_equal(es_spool_find(place->spool, &admin, "50", 0, &is), -ENOENT);
	assert_int_equal(es_spool_find(place->spool, &admin, "59", 0, &is), 0);
	assert_true(es_spool_open_recording(place->spool, &admin, "59", 0) >= 0);
	end_job(place);
}

static void what_is_old_goes(void **state)
{
	struct place *place = *state;
	struct es_local_job_is is;

	es_spool_close(place->spool);
	place->options.keep_ns = 3600 * S;
	open_spool(place);
	begin_job(place, "60", 30, true);
	feed(place);
	feed(place);
	end_job(place);
	settled(place, "60", &is);
	es_spool_tick(place->spool, es_clock_unix_ns() + 7200 * S);
	assert_int_equal(es_spool_find(place->spool, &admin, "60", 0, &is), -ENOENT);
}

/* The disk takes no byte more (a limit on files stands for that): it is said once, and nothing is lost. */
static void a_full_disk_is_said_once_and_loses_nothing(void **state)
{
	struct place *place = *state;
	struct es_local_job_is is;
	struct rlimit old, full;
	struct es_recording *recording;
	struct seen seen;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	begin_job(place, "61", 40, true);
	feed(place);
	feed(place);
	full = (struct rlimit){ .rlim_cur = 3000, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
	for (int i = 0; i < 50; i++)
		feed(place);
	assert_int_equal(place->n_said, 1);
	assert_non_null(strstr(place->said, "cannot write into the spool"));
	end_job(place);
	assert_int_equal(es_spool_find(place->spool, &admin, "61", 0, &is), 0);
	assert_true(is.job.flags & ES_LOCAL_PENDING);

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	es_spool_tick(place->spool, es_clock_unix_ns());
	settled(place, "61", &is);
	recording = see(place, "61", &seen);
	assert_int_equal(seen.n_sweeps, 52);
	assert_true(es_recording_is_whole(recording));
	es_recording_close(recording);
	assert_int_equal(is.energy_uj, 51 * 350000000ULL);
}

/* Not even a new file: it is made when there is room, with all that was read meanwhile. */
static void a_disk_that_takes_no_new_file_loses_nothing(void **state)
{
	struct place *place = *state;
	struct es_local_job_is is;
	struct rlimit old, full;
	struct es_recording *recording;
	struct seen seen;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	full = (struct rlimit){ .rlim_cur = 0, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
	begin_job(place, "62", 41, true);
	for (int i = 0; i < 100; i++) {
		feed(place);
		if (i == 50)
			assert_int_equal(es_spool_tag(place->spool, &place->job, "solve", true,
						      place->start_ns + 50 * S),
					 ES_IPC_OK);
	}
	assert_int_equal(place->n_said, 1);
	end_job(place);
	es_spool_tick(place->spool, es_clock_unix_ns());
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	es_spool_tick(place->spool, es_clock_unix_ns());
	settled(place, "62", &is);
	recording = see(place, "62", &seen);
	assert_int_equal(seen.last[2] - seen.first[2], 99 * 350000000ULL);
	assert_int_equal(seen.n_starts, 1);
	assert_int_equal(seen.n_stops, 1);
	assert_int_equal(seen.n_tags, 2);
	assert_true(es_recording_is_whole(recording));
	es_recording_close(recording);
}

/* A job of which the next daemon knows nothing any more: its summary is made of its recording. */
static void what_nobody_goes_on_with_gets_its_summary(void **state)
{
	struct place *place = *state;
	struct es_local_job_is is = { .node = "" };
	int status, r = -ENOENT;
	pid_t pid;

	es_spool_close(place->spool);
	place->options.orphans_ns = 1;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		open_spool(place);
		begin_job(place, "63", 42, true);
		for (int i = 0; i < 5; i++)
			feed(place);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	open_spool(place);
	place->n_fed = 20;
	feed(place); /* no job runs */
	for (int tries = 0; tries < 2000 && r < 0; tries++) {
		es_spool_tick(place->spool, es_clock_unix_ns());
		r = es_spool_find(place->spool, &admin, "63", 0, &is);
		usleep(5000);
	}
	assert_int_equal(r, 0);
	assert_int_equal(is.energy_uj, 4 * 350000000ULL);
	assert_string_equal(is.node, "n1");
	assert_int_equal(is.job.uid, getuid());
	assert_true(is.job.flags & ES_LOCAL_REPAIRED);
	assert_true(is.dur_ns >= 4 * S && is.dur_ns <= 6 * S);
	/* And is known after another start. */
	es_spool_close(place->spool);
	open_spool(place);
	assert_int_equal(es_spool_find(place->spool, &admin, "63", 0, &is), 0);
	assert_int_equal(es_spool_find(place->spool, &admin, "63", 1, &is), -ENOENT);
}

/* It ended before anything was read: it has no recording, and is not forgotten. */
static void a_job_without_a_sweep_has_a_summary(void **state)
{
	struct place *place = *state;
	struct es_local_job_is is;

	begin_job(place, "64", 43, true);
	end_job(place);
	settled(place, "64", &is);
	assert_false(is.has_energy);
	assert_int_equal(es_spool_open_recording(place->spool, &admin, "64", 0), -ENODATA);
	es_spool_close(place->spool);
	open_spool(place);
	assert_int_equal(es_spool_find(place->spool, &admin, "64", 0, &is), 0);
	assert_false(is.has_energy);
}

static void all_nodes_read_what_each_wrote(void **state)
{
	struct place *place = *state;
	struct es_local_job_is *all = calloc(8, sizeof(*all)), is;
	int n = -ENOENT;

	assert_non_null(all);
	es_spool_close(place->spool);
	place->options.shared = place->shared;
	open_spool(place);
	begin_job(place, "70", 50, true);
	feed(place);
	feed(place);
	end_job(place);
	settled(place, "70", &is);
	for (int tries = 0; tries < 1000 && n != 1; tries++) {
		es_spool_tick(place->spool, es_clock_unix_ns());
		n = es_spool_totals(place->spool, "70", getuid(), all, 8);
		usleep(5000);
	}
	assert_int_equal(n, 1);
	assert_string_equal(all[0].node, "n1");
	assert_int_equal(all[0].energy_uj, is.energy_uj);
	assert_int_equal(es_spool_totals(place->spool, "70", getuid() + 1, all, 8), -ENOENT);
	assert_int_equal(es_spool_totals(place->spool, "70", (uid_t)-1, all, 8), n);
	assert_int_equal(es_spool_totals(place->spool, "../70", getuid(), all, 8), -EINVAL);

	/* Another node, one of an older start, and rubbish. */
	snprintf(is.node, sizeof(is.node), "n2");
	is.job.node_index = 1;
	assert_int_equal(es_gathered_put(place->shared, &is), 0);
	snprintf(is.node, sizeof(is.node), "n3");
	is.start_unix_ns -= 7200 * S;
	is.stop_unix_ns -= 7200 * S;
	assert_int_equal(es_gathered_put(place->shared, &is), 0);
	assert_int_equal(es_spool_totals(place->spool, "70", getuid(), all, 8), 2);
	assert_string_equal(all[1].node, "n2");
	free(all);
}

static int total_of(struct place *place, const char *id, struct es_local_job_is *ret)
{
	struct es_local_job_is *all = calloc(8, sizeof(*all));
	int n = -ENOENT;

	assert_non_null(all);
	for (int tries = 0; tries < 1000 && n < 1; tries++) {
		es_spool_tick(place->spool, es_clock_unix_ns());
		n = es_spool_totals(place->spool, id, (uid_t)-1, all, 8);
		usleep(5000);
	}
	if (n > 0)
		*ret = all[0];
	free(all);
	return n;
}

/* An NFS that is away for a while: the reason is said, and the summary is there once it is back. */
static void what_a_shared_folder_did_not_take_is_tried_again(void **state)
{
	struct place *place = *state;
	struct es_local_job_is is, total;

	es_spool_close(place->spool);
	place->options.shared = place->shared;
	open_spool(place);
	assert_int_equal(rmdir(place->shared), 0);
	begin_job(place, "75", 55, true);
	feed(place);
	end_job(place);
	settled(place, "75", &is);
	for (int tries = 0; tries < 1000 && place->n_said == 0; tries++) {
		es_spool_tick(place->spool, es_clock_unix_ns());
		usleep(5000);
	}
	assert_int_equal(place->n_said, 1);
	assert_non_null(strstr(place->said, place->shared));
	assert_non_null(strstr(place->said, "No such file or directory"));
	assert_int_equal(mkdir(place->shared, 0700), 0);
	for (int tries = 0; tries < 4000 && total_of(place, "75", &total) != 1; tries++)
		usleep(5000);
	assert_int_equal(total.energy_uj, is.energy_uj);
	for (int tries = 0; tries < 1000 && place->n_said == 1; tries++) {
		es_spool_tick(place->spool, es_clock_unix_ns());
		usleep(5000);
	}
	assert_non_null(strstr(place->said, "takes summaries again"));
}

/* Its first file has only what it drew while it had the node alone. */
static void a_part_of_a_job_is_not_told_to_all_nodes(void **state)
{
	struct place *place = *state;
	struct es_local_job_is is, total;

	es_spool_close(place->spool);
	place->options.shared = place->shared;
	place->options.orphans_ns = 1;
	open_spool(place);
	begin_job(place, "71", 51, true);
	feed(place);
	feed(place);
	place->jobs.is_exclusive = false;
	feed(place);
	feed(place);
	end_job(place);
	settled(place, "71", &is);
	assert_int_equal(total_of(place, "71", &total), 1);
	assert_int_equal(total.energy_uj, is.energy_uj);
	es_spool_close(place->spool);
	open_spool(place);
	begin_job(place, "72", 52, true);
	feed(place);
	end_job(place);
	settled(place, "72", &is);
	/* Tasks are done in order: that of the first file of 71 was before this one's. */
	begin_job(place, "73", 53, true);
	feed(place);
	es_spool_tick(place->spool, es_clock_unix_ns());
	end_job(place);
	settled(place, "73", &is);
	assert_int_equal(total_of(place, "73", &total), 1);
	total.energy_uj = 0;
	assert_int_equal(total_of(place, "71", &total), 1);
	settled(place, "71", &is);
	assert_int_equal(total.energy_uj, is.energy_uj);
}

/* The number of a job that was queued again, and that of somebody who takes it. */
static void a_summary_is_replaced_by_who_may(void **state)
{
	struct place *place = *state;
	struct es_local_job_is old, is;
	struct es_local_job_is *all = calloc(8, sizeof(*all));

	assert_non_null(all);
	es_spool_close(place->spool);
	place->options.shared = place->shared;
	open_spool(place);
	begin_job(place, "74", 54, true);
	feed(place);
	end_job(place);
	settled(place, "74", &old);
	assert_int_equal(total_of(place, "74", &is), 1);

	/* Another user says that it has a job of that number, here and there. */
	is = old;
	is.job.uid++;
	is.job.flags |= ES_LOCAL_OF_USER;
	is.energy_uj = 1;
	is.stop_unix_ns += 10 * S;
	assert_int_equal(es_gathered_put(place->shared, &is), 0);
	snprintf(is.node, sizeof(is.node), "n2");
	assert_int_equal(es_gathered_put(place->shared, &is), 0);
	assert_int_equal(es_gathered_read(place->shared, "74", UINT32_MAX, all, 8), 1);
	assert_int_equal(all[0].energy_uj, old.energy_uj);
	/* Its own it may replace, and so may root. */
	is.energy_uj = 2;
	assert_int_equal(es_gathered_put(place->shared, &is), 0);
	assert_int_equal(es_gathered_read(place->shared, "74", is.job.uid, all, 8), 1);
	assert_int_equal(all[0].energy_uj, 2);

	/* The first run's recording goes; the second run's summary stays. */
	is = old;
	is.job.restarts++;
	is.stop_unix_ns += 100 * S;
	is.energy_uj = 3;
	assert_int_equal(es_gathered_put(place->shared, &is), 0);
	assert_int_equal(es_gathered_remove(place->shared, &old), 0);
	assert_int_equal(es_gathered_read(place->shared, "74", UINT32_MAX, all, 8), 1);
	assert_int_equal(all[0].energy_uj, 3);
	assert_int_equal(es_gathered_remove(place->shared, &is), 0);
	free(all);
}

static void a_shared_folder_that_is_away_is_said_once(void **state)
{
	struct place *place = *state;
	struct es_local_job_is is;
	char gone[128];

	es_spool_close(place->spool);
	snprintf(gone, sizeof(gone), "%s/gone", place->folder);
	place->options.shared = gone;
	open_spool(place);
	for (unsigned i = 0; i < 3; i++) {
		char id[8];

		snprintf(id, sizeof(id), "8%u", i);
		begin_job(place, id, 60 + i, true);
		feed(place);
		feed(place);
		end_job(place);
		settled(place, id, &is);
	}
	for (int tries = 0; tries < 1000 && place->n_said == 0; tries++) {
		es_spool_tick(place->spool, es_clock_unix_ns());
		usleep(5000);
	}
	usleep(20000);
	es_spool_tick(place->spool, es_clock_unix_ns());
	assert_int_equal(place->n_said, 1);
	assert_non_null(strstr(place->said, "shared folder"));
}

static void the_nodes_own_recording_changes_at_midnight(void **state)
{
	struct place *place = *state;
	struct es_reading readings[N_DOMAINS] = { { .error = 0 } };
	struct es_sweep sweep = { .readings = readings, .n = N_DOMAINS, .period_ns = S };
	static const char *const names[] = { "2026-03-13", "2026-03-14" };
	static const struct es_visitor visitor = { .reading = see_reading, .sweep = see_sweep };
	struct es_recording *recording;
	struct seen seen[2] = { { .n_sweeps = 0 } };
	char path[160];

	es_spool_close(place->spool);
	place->options.keeps_node = true;
	open_spool(place);
	for (int i = 0; i < 6; i++) {
		/* 2026-03-14 00:00:00 UTC is the fourth. */
		sweep.unix_ns = (1773446400LL - 3 + i) * S;
		sweep.boot_ns = sweep.mono_ns = place->start_ns + i * S;
		for (size_t k = 0; k < N_DOMAINS; k++) {
			readings[k].t_ns = sweep.boot_ns;
			readings[k].value = (uint64_t)i * 1000000;
		}
		es_spool_feed(place->spool, &place->jobs, &place->account, &sweep);
	}
	es_spool_close(place->spool);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/node/%s.esr", place->spool_path, names[i]);
		assert_int_equal(es_recording_open(path, NULL, &recording, NULL), 0);
		assert_int_equal(es_recording_walk(recording, &visitor, &seen[i]), 0);
		assert_int_equal(es_recording_is_whole(recording), i == 0);
		es_recording_close(recording);
	}
	assert_int_equal(seen[0].last[0], seen[1].first[0]);
	assert_int_equal(seen[1].last[0], 5000000);
	open_spool(place);
}

static void summaries_are_checked_like_packets(void **state)
{
	static const char *const wrong[] = {
		"",
		"[]",
		"{}",
		"{\"schema\":\"energyscopium.jobsummary/1\"}",
		"{\"schema\":\"energyscopium.jobsummary/1\",\"job\":{\"id\":\"../x\"},\"node\":\"n1\"}",
		"{\"schema\":\"energyscopium.jobsummary/1\",\"job\":{\"id\":\"1\"},\"node\":\"n\\u001b1\"}",
		"{\"schema\":\"energyscopium.jobsummary/1\",\"job\":{\"id\":\"1\"},\"node\":\"n1\",\"energy_uj\":-1}",
		"{\"schema\":\"energyscopium.jobsummary/1\",\"job\":{\"id\":\"1\"},\"node\":\"n1\",\"recording\":\"../../etc/passwd\"}",
		"{\"schema\":\"energyscopium.jobsummary/1\",\"job\":{\"id\":\"1\",\"uid\":4294967296},\"node\":\"n1\"}",
	};
	struct es_local_job_is is, again;
	struct es_buf out;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(es_summary_read(wrong[i], strlen(wrong[i]), &is, NULL), -EBADMSG);
	memset(&is, 0, sizeof(is));
	snprintf(is.job.id, sizeof(is.job.id), "77[3]");
	snprintf(is.node, sizeof(is.node), "n1");
	is.job.has_uid = true;
	is.job.uid = 4294967295U;
	is.has_energy = true;
	is.energy_uj = 123456789012345ULL;
	is.machine.n_cpus = 64;
	is.machine.virt = 2;
	snprintf(is.machine.cpu_model, sizeof(is.machine.cpu_model), "a \"CPU\"");
	is.n_parts = 1;
	snprintf(is.parts[0].domain, sizeof(is.parts[0].domain), "gpu-0");
	snprintf(is.parts[0].rule, sizeof(is.parts[0].rule), "slices");
	is.parts[0].idle_uj = 17;
	es_buf_init(&out, ES_SUMMARY_MAX_BYTES);
	assert_int_equal(es_summary_write(&is, &out), 0);
	assert_int_equal(es_summary_read((const char *)out.data, out.len, &again, NULL), 0);
	assert_memory_equal(&is, &again, sizeof(is));
	es_buf_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_job_with_the_node_alone_has_its_meters,
						make_place, remove_place),
		cmocka_unit_test_setup_teardown(
			a_job_that_shares_has_its_shares_from_its_first_instant, make_place,
			remove_place),
		cmocka_unit_test_setup_teardown(steps_and_tags_are_regions, make_place,
						remove_place),
		cmocka_unit_test_setup_teardown(a_kill_costs_the_gap_and_none_of_the_energy,
						make_place, remove_place),
		cmocka_unit_test_setup_teardown(who_shares_from_now_on_sees_the_node_no_more,
						make_place, remove_place),
		cmocka_unit_test_setup_teardown(the_oldest_go_when_the_quota_is_passed, make_place,
						remove_place),
		cmocka_unit_test_setup_teardown(what_is_old_goes, make_place, remove_place),
		cmocka_unit_test_setup_teardown(a_full_disk_is_said_once_and_loses_nothing,
						make_place, remove_place),
		cmocka_unit_test_setup_teardown(a_disk_that_takes_no_new_file_loses_nothing,
						make_place, remove_place),
		cmocka_unit_test_setup_teardown(what_nobody_goes_on_with_gets_its_summary,
						make_place, remove_place),
		cmocka_unit_test_setup_teardown(a_job_without_a_sweep_has_a_summary, make_place,
						remove_place),
		cmocka_unit_test_setup_teardown(all_nodes_read_what_each_wrote, make_place,
						remove_place),
		cmocka_unit_test_setup_teardown(a_part_of_a_job_is_not_told_to_all_nodes,
						make_place, remove_place),
		cmocka_unit_test_setup_teardown(what_a_shared_folder_did_not_take_is_tried_again,
						make_place, remove_place),
		cmocka_unit_test_setup_teardown(a_summary_is_replaced_by_who_may, make_place,
						remove_place),
		cmocka_unit_test_setup_teardown(a_shared_folder_that_is_away_is_said_once,
						make_place, remove_place),
		cmocka_unit_test_setup_teardown(the_nodes_own_recording_changes_at_midnight,
						make_place, remove_place),
		cmocka_unit_test(summaries_are_checked_like_packets),
	};

	return cmocka_run_group_tests_name("daemon/spool", tests, NULL, NULL);
}
