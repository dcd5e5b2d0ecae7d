/*
 * commenter.c - energyscopium-slurm-comment: a job's energy into its comment in Slurm's accounting
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Started with root's rights when a job's line is written, or where it has none: slurmdbd takes such changes from root and SlurmUser.
 * slurmctld refuses changes of a job that is over, and sends the job's own comment to slurmdbd with its end: so this is done once that
 * is there.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>
#include <slurm/slurmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/parse.h"
#include "ipc/packet.h"
#include "slurm/comment.h"
#include "slurm/tell.h"

#define END_NS 60000000000LL /* slurmdbd hears of ends late when it has much to do */
#define PAUSE_NS 200000000LL
#define SETTLE_NS 1000000000LL /* what slurmctld sends with a job's end comes in several messages */
#define NODES_MAX 100000U

struct options {
	uint32_t job;
	const char *socket, *conf;
	char *cluster;
	int64_t wait_ns;
	bool is_system;
};

static int read_options(int argc, char *argv[], struct options *ret)
{
	static const struct option known[] = {
		{ "job", required_argument, NULL, 'j' },
		{ "socket", required_argument, NULL, 's' },
		{ "wait", required_argument, NULL, 'w' },
		{ "field", required_argument, NULL, 'f' },
		{ "cluster", required_argument, NULL, 'c' },
		{ "conf", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	const char *field = "";
	uint64_t job = 0;
	int c;

	*ret = (struct options){ .wait_ns = 2000000000LL };
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 'j' && (es_parse_u64(optarg, &job) < 0 || job > UINT32_MAX))
			return -EINVAL;
		if (c == 's')
			ret->socket = optarg;
		if (c == 'w' && es_parse_duration_ns(optarg, &ret->wait_ns) < 0)
			return -EINVAL;
		if (c == 'f')
			field = optarg;
		if (c == 'c')
			ret->cluster = optarg;
		if (c == 'o')
			ret->conf = optarg;
		if (c == '?')
			return -EINVAL;
	}
	ret->job = (uint32_t)job;
	ret->is_system = !strcmp(field, "system");
	if (!ret->is_system && strcmp(field, "admin") != 0)
		return -EINVAL;
	return optind == argc && ret->job && ret->socket && ret->cluster ? 0 : -EINVAL;
}

static void pause_ns(int64_t dur_ns)
{
	const struct timespec time = { .tv_sec = dur_ns / 1000000000,
				       .tv_nsec = dur_ns % 1000000000 };

	(void)nanosleep(&time, NULL);
}

/* The list that answers @number: JOB…, LAST, or a refusal. */
static int hear(int fd, uint32_t number, int64_t until_ns, struct es_slurm_sum *sum)
{
	for (uint32_t i = 0; i < NODES_MAX; i++) {
		uint8_t packet[ES_IPC_MESSAGE_MAX_BYTES];
		struct es_packet_head head = { .number = 0 };
		struct es_local_job_is node;
		size_t n;
		int r = es_packet_receive(fd, until_ns, packet, &n, NULL);

		if (r == 0)
			r = es_packet_head_get(packet, n, &head);
		if (r < 0)
			return r;
		if (head.number != number)
			continue;
		if (head.type == ES_LOCAL_LAST)
			return 0;
		if (head.type != ES_LOCAL_JOB)
			return -ENODATA;
		r = es_local_get_job_is(packet + ES_IPC_HEADER_BYTES, n - ES_IPC_HEADER_BYTES,
					&node);
		if (r < 0)
			return r;
		es_slurm_sum_add(sum, &node);
	}
	return -E2BIG;
}

static int ask(int fd, uint32_t number, const char *id, int64_t until_ns, struct es_slurm_sum *sum)
{
	uint8_t packet[ES_IPC_MESSAGE_MAX_BYTES];
	int r = es_local_put_text(ES_LOCAL_JOB_TOTAL, number, id, 0, packet, sizeof(packet));

	if (r > 0)
		r = es_packet_send(fd, packet, (size_t)r, -1);
	return r < 0 ? r : hear(fd, number, until_ns, sum);
}

/* Until all nodes have closed the job, or for so long as the site says; then what there is. */
static int sum_up(const struct options *options, struct es_slurm_sum *ret, struct es_error *err)
{
	const int64_t until_ns = es_clock_mono_ns() + options->wait_ns;
	char id[16];
	uint32_t number = 1;
	int r;

	(void)snprintf(id, sizeof(id), "%" PRIu32, options->job);
	for (;;) {
		es_cleanup(es_closep) int fd = es_slurm_dial(options->socket);

		*ret = (struct es_slurm_sum){ .n_heard = 0 };
		if (fd < 0)
			return es_error_set(err, fd, "no daemon at '%s'", options->socket);
		r = ask(fd, number++, id, es_clock_mono_ns() + PAUSE_NS * 10, ret);
		if ((r == 0 && ret->n_ended > 0 && ret->n_ended >= ret->n_nodes) ||
		    es_clock_mono_ns() >= until_ns)
			break;
		pause_ns(PAUSE_NS);
	}
	if (r == 0 && ret->n_heard == 0)
		r = -ENODATA;
	return r < 0 ? es_error_set(err, r, "the daemon does not know the job") : 0;
}

/* A list with one thing in it, which stays the caller's. Lists have another type in each version of Slurm. */
static __typeof__(slurm_list_create(NULL)) list_of(void *thing)
{
	__typeof__(slurm_list_create(NULL)) list = slurm_list_create(NULL);

	slurm_list_append(list, thing);
	return list;
}

struct condition {
	slurm_selected_step_t step;
	slurmdb_job_cond_t job;
};

static void condition_init(struct condition *condition, const struct options *options)
{
	memset(condition, 0, sizeof(*condition));
	condition->step.array_task_id = NO_VAL;
	condition->step.het_job_offset = NO_VAL;
	condition->step.step_id.job_id = options->job;
	condition->step.step_id.step_id = NO_VAL;
	condition->step.step_id.step_het_comp = NO_VAL;
	condition->job.flags = JOBCOND_FLAG_NO_DEFAULT_USAGE | JOBCOND_FLAG_NO_STEP;
	condition->job.db_flags = SLURMDB_JOB_FLAG_NOTSET;
	condition->job.cluster_list = list_of(options->cluster);
	condition->job.step_list = list_of(&condition->step);
}

static void condition_finish(struct condition *condition)
{
	slurm_list_destroy(condition->job.cluster_list);
	slurm_list_destroy(condition->job.step_list);
}

/* Its comment once it is over. 0; -EAGAIN: it is not; -ENOENT: no such job. */
static int look(void *db, struct condition *condition, bool is_system, char *ret, size_t size)
{
	__typeof__(slurmdb_jobs_get(NULL, NULL)) jobs = slurmdb_jobs_get(db, &condition->job);
	slurmdb_job_rec_t *job;
	const char *comment;
	int r = 0;

	if (!jobs)
		return -EIO;
	job = slurm_list_pop(jobs);
	if (!job)
		r = -ENOENT;
	else if (!job->end)
		r = -EAGAIN;
	comment = job ? (is_system ? job->system_comment : job->admin_comment) : NULL;
	if ((size_t)snprintf(ret, size, "%s", comment ? comment : "") >= size && r == 0)
		r = -EMSGSIZE;
	if (job)
		slurmdb_destroy_job_rec(job);
	slurm_list_destroy(jobs);
	return r;
}

static int change(void *db, struct condition *condition, bool is_system, char *comment)
{
	__typeof__(slurmdb_job_modify(NULL, NULL, NULL)) changed;
	slurmdb_job_rec_t job;

	memset(&job, 0, sizeof(job));
	job.derived_ec = NO_VAL;
	if (is_system)
		job.system_comment = comment;
	else
		job.admin_comment = comment;
	changed = slurmdb_job_modify(db, &condition->job, &job);
	if (!changed)
		return -EIO;
	slurm_list_destroy(changed);
	return slurmdb_connection_commit(db, 1) == SLURM_SUCCESS ? 0 : -EIO;
}

static int write_comment(void *db, const struct options *options, const struct es_slurm_sum *sum,
			 struct condition *condition, struct es_error *err)
{
	const int64_t until_ns = es_clock_mono_ns() + END_NS;
	char old[ES_SLURM_COMMENT_MAX_BYTES], text[ES_SLURM_COMMENT_MAX_BYTES];
	int r;

	while ((r = look(db, condition, options->is_system, old, sizeof(old))) != 0) {
		if (es_clock_mono_ns() >= until_ns)
			return es_error_set(err, r, "slurmdbd does not have its end: %s",
					    slurm_strerror(errno));
		pause_ns(PAUSE_NS);
	}
	pause_ns(SETTLE_NS);
	r = look(db, condition, options->is_system, old, sizeof(old));
	if (r == 0)
		r = es_slurm_comment_merge(old, sum, text, sizeof(text));
	if (r == -EILSEQ)
		return es_error_say(err, r, "its comment holds quotes, which would not be kept");
	if (r < 0)
		return es_error_set(err, r, "there is nothing to say of its energy");
	r = change(db, condition, options->is_system, text);
	return r < 0 ? es_error_set(err, r, "slurmdbd refuses the comment: %s",
				    slurm_strerror(errno))
		     : 0;
}

static int comment(const struct options *options, struct es_error *err)
{
	struct condition condition;
	struct es_slurm_sum sum;
	void *db;
	int r = sum_up(options, &sum, err);

	if (r < 0)
		return r;
	slurm_init(options->conf);
	db = slurmdb_connection_get(NULL);
	if (!db)
		return es_error_say(err, -ECONNREFUSED, "no accounting: %s", slurm_strerror(errno));
	condition_init(&condition, options);
	r = write_comment(db, options, &sum, &condition, err);
	condition_finish(&condition);
	(void)slurmdb_connection_close(&db);
	return r;
}

int main(int argc, char *argv[])
{
	struct es_error err = { .code = 0 };
	struct options options;

	if (read_options(argc, argv, &options) < 0) {
		(void)fprintf(stderr,
			      "usage: energyscopium-slurm-comment --job ID --socket PATH "
			      "--cluster NAME --field admin|system [--conf FILE] "
			      "[--wait TIME]\n"
			      "Started by the plug-in for Slurm; see energyscopium-slurm(7).\n");
		return 2;
	}
	openlog("energyscopium-slurm-comment", LOG_PID, LOG_DAEMON);
	if (comment(&options, &err) < 0) {
		syslog(LOG_WARNING, "job %" PRIu32 ": %s, its comment stays as it is", options.job,
		       err.text);
		if (isatty(STDERR_FILENO))
			(void)fprintf(stderr, "energyscopium-slurm-comment: job %" PRIu32 ": %s\n",
				      options.job, err.text);
		return 1;
	}
	return 0;
}
