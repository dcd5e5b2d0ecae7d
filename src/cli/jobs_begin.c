/*
 * jobs_begin.c - energyscopium job begin, job end
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "cli/daemonlink.h"
#include "cli/jobs.h"

/** struct telling - what the options say */
struct telling {
	const char *command;
	bool wants_json, is_exclusive, is_shared, is_off;
	const char *id, *step, *cpus, *n_cpus, *gpus, *cgroup, *pid, *nodes, *name, *user,
		*restarts, *status;
	const char *daemon;
	struct es_local_job job;
};

static int wrong(const struct telling *telling, const char *option, const char *text,
		 const char *why)
{
	return es_complain(telling->command, ES_EXIT_USAGE, "--%s '%.200s': %s", option, text, why);
}

static int put(const struct telling *telling, const char *option, const char *text, char *to,
	       size_t size)
{
	if (text && strlen(text) >= size)
		return wrong(telling, option, text, "it is too long");
	if (text)
		memcpy(to, text, strlen(text) + 1);
	return -1;
}

static int put_ids(struct telling *telling)
{
	struct es_local_job *job = &telling->job;
	int status = put(telling, "id", telling->id, job->id, sizeof(job->id));

	if (status < 0)
		status = put(telling, "step", telling->step, job->step, sizeof(job->step));
	if (status >= 0)
		return status;
	if (telling->id && es_local_id_problem(job->id))
		return wrong(telling, "id", job->id, es_local_id_problem(job->id));
	if (telling->step && es_local_id_problem(job->step))
		return wrong(telling, "step", job->step, es_local_id_problem(job->step));
	/* Neither an option nor a scheduler says: a script's own. */
	if (!job->id[0])
		es_jobs_script_id(job->id, sizeof(job->id));
	return -1;
}

static int put_cpus(struct telling *telling)
{
	struct es_local_job *job = &telling->job;
	uint64_t n;

	if (telling->cpus) {
		if (put(telling, "cpus", telling->cpus, job->cpus, sizeof(job->cpus)) >= 0 ||
		    es_jobs_count_cpus(job->cpus, &job->n_cpus) < 0)
			return wrong(telling, "cpus", telling->cpus,
				     "a list of CPUs is such as 0-3,8");
	}
	if (telling->n_cpus) {
		if (es_parse_u64(telling->n_cpus, &n) < 0 || n == 0 || n > 16384)
			return wrong(telling, "ncpus", telling->n_cpus, "a number of CPUs");
		job->n_cpus = (uint32_t)n;
	}
	if (!telling->gpus)
		return -1;
	job->has_gpus = true;
	return put(telling, "gpus", strcmp(telling->gpus, "none") == 0 ? "" : telling->gpus,
		   job->gpus, sizeof(job->gpus));
}

static int put_user(struct telling *telling)
{
	struct es_local_job *job = &telling->job;
	const struct passwd *entry;
	uint64_t uid;

	if (!telling->user)
		return -1;
	if (es_parse_u64(telling->user, &uid) == 0 && uid < UINT32_MAX) {
		job->uid = (uint32_t)uid;
	} else {
		errno = 0;
		entry = getpwnam(telling->user);
		if (!entry)
			return wrong(telling, "user", telling->user, "there is no such user");
		job->uid = entry->pw_uid;
	}
	job->has_uid = true;
	return -1;
}

static bool is_own_script(const struct telling *telling)
{
	return !telling->id && strcmp(telling->job.scheduler, "script") == 0;
}

static int put_process(struct telling *telling)
{
	struct es_local_job *job = &telling->job;
	uint64_t pid;

	if (telling->pid && telling->cgroup)
		return es_complain(telling->command, ES_EXIT_USAGE,
				   "--cgroup and --pid exclude each other");
	if (telling->pid) {
		if (es_parse_u64(telling->pid, &pid) < 0 || pid == 0 || pid > INT32_MAX)
			return wrong(telling, "pid", telling->pid, "a process has a number");
		job->pid = (int64_t)pid;
	} else if (!telling->cgroup && (geteuid() != 0 || is_own_script(telling))) {
		/* The script that calls us; root's prolog, which names a job, runs beside it, not in it. */
		job->pid = getppid();
	}
	if (!telling->cgroup)
		return -1;
	if (telling->cgroup[0] != '/')
		return wrong(telling, "cgroup", telling->cgroup,
			     "the path within its hierarchy, with a leading slash");
	return put(telling, "cgroup", telling->cgroup, job->cgroup, sizeof(job->cgroup));
}

static int put_others(struct telling *telling)
{
	struct es_local_job *job = &telling->job;
	uint64_t n;
	int status;

	if (telling->is_exclusive && telling->is_shared)
		return es_complain(telling->command, ES_EXIT_USAGE,
				   "--exclusive and --shared exclude each other");
	job->flags = (telling->is_exclusive ? ES_LOCAL_EXCLUSIVE : 0U) |
		     (telling->is_shared ? ES_LOCAL_SHARED : 0U) |
		     (telling->is_off ? ES_LOCAL_OFF : 0U);
	if (telling->restarts) {
		if (es_parse_u64(telling->restarts, &n) < 0 || n > UINT32_MAX)
			return wrong(telling, "restarts", telling->restarts, "a number of times");
		job->restarts = (uint32_t)n;
	}
	status = put(telling, "nodes", telling->nodes, job->nodes, sizeof(job->nodes));
	if (status < 0 && telling->nodes) {
		job->n_nodes = es_jobs_count_nodes(job->nodes);
		if (job->n_nodes == 0)
			return wrong(telling, "nodes", telling->nodes,
				     "a list of nodes is such as n1,gpu[001-004]");
	}
	if (status < 0)
		status = put(telling, "name", telling->name, job->name, sizeof(job->name));
	return status;
}

static int gather(struct telling *telling)
{
	struct es_error err = { .code = 0 };
	int status;

	if (es_jobs_environment(geteuid() == 0, &telling->job, &err) < 0) {
		/* An id by option stands in its place. */
		if (!telling->id)
			return es_complain(telling->command, ES_EXIT_FAILURE, "%s", err.text);
		telling->job = (struct es_local_job){ .pid = 0 };
	}
	/* What it says is of its own job, and of no other one. */
	if (telling->id && strcmp(telling->id, telling->job.id) != 0)
		telling->job = (struct es_local_job){ .pid = 0 };
	if (!telling->job.scheduler[0])
		(void)snprintf(telling->job.scheduler, sizeof(telling->job.scheduler), "script");
	status = put_ids(telling);
	if (status < 0)
		status = put_cpus(telling);
	if (status < 0)
		status = put_user(telling);
	if (status < 0)
		status = put_process(telling);
	if (status < 0)
		status = put_others(telling);
	return status;
}

static int say_done(const struct telling *telling, const char *action, const char *words)
{
	struct es_buf out;
	struct es_json json;
	int status;

	if (!telling->wants_json) {
		/* For the script that wants to end it. */
		if (strcmp(action, "begin") == 0 && printf("%s\n", telling->job.id) < 0)
			return ES_EXIT_FAILURE;
		if (words[0])
			(void)es_complain(telling->command, ES_EXIT_OK, "%s", words);
		return fflush(stdout) == 0 ? ES_EXIT_OK : ES_EXIT_FAILURE;
	}
	es_buf_init(&out, 64U << 10);
	es_json_init(&json, es_json_sink_buf, &out, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", "energyscopium.job-told/1");
	es_json_string(&json, "action", action);
	es_json_string(&json, "id", telling->job.id);
	es_json_string(&json, "step", telling->job.step[0] ? telling->job.step : NULL);
	es_json_string(&json, "warning", words[0] ? words : NULL);
	es_json_object_end(&json);
	out.error = es_json_end(&json);
	status = es_put_out(telling->command, &out);
	es_buf_finish(&out);
	return status;
}

/* Words that come with a yes: what is missing. */
static void take_words(const struct es_daemonlink_answer *answer, char *ret, size_t size)
{
	es_cleanup(es_freep) struct es_ipc_message *message = calloc(1, sizeof(*message));

	ret[0] = '\0';
	if (message && es_ipc_decode(answer->packet, answer->n + ES_IPC_HEADER_BYTES, message) == 0)
		(void)snprintf(ret, size, "%.1000s", message->text);
}

static int tell(const struct telling *telling, const char *action, const uint8_t *packet, int n)
{
	es_cleanup(es_freep) struct es_daemonlink_answer *answer = malloc(sizeof(*answer));
	int64_t until_ns = es_clock_mono_ns() + ES_JOBS_WAIT_NS;
	struct es_error err = { .code = 0 };
	char words[ES_TEXT_MAX_BYTES];
	es_cleanup(es_closep) int fd = -1;
	int r;

	if (!answer)
		return es_complain(telling->command, ES_EXIT_FAILURE, "out of memory");
	r = es_daemonlink_open(telling->daemon, ES_JOBS_WAIT_NS, &fd, NULL, &err);
	if (r == 0)
		r = es_daemonlink_ask(fd, packet, n, until_ns, ES_IPC_ANSWER, answer, NULL, &err);
	if (r < 0)
		return es_complain(telling->command, ES_EXIT_FAILURE, "%s", err.text);
	take_words(answer, words, sizeof(words));
	return say_done(telling, action, words);
}

static int no_operand(const char *command, int argc, int first, char **argv)
{
	if (first >= argc)
		return -1;
	return es_complain(command, ES_EXIT_USAGE,
			   "'%s' is one too many; see 'energyscopium %s --help'", argv[first],
			   command);
}

static int begin(struct telling *telling)
{
	uint8_t packet[ES_IPC_MESSAGE_MAX_BYTES];
	int status = gather(telling), n;

	if (status >= 0)
		return status;
	telling->job.t_ns = es_clock_boot_ns();
	n = es_local_put_job(1, &telling->job, packet, sizeof(packet));
	if (n < 0)
		return es_complain(
			telling->command, ES_EXIT_USAGE,
			"%s: lists have digits, commas and hyphens (of GPUs letters too), names no control characters",
			n == -EMSGSIZE ? "that is too much to tell" : "a text is not allowed");
	return tell(telling, "begin", packet, n);
}

#define ID_OPTION(telling)                                                                          \
	{                                                                                           \
		"id", "ID",                                                                         \
			"the job (default: the scheduler's, by the environment;\nelse script-PID, " \
			"after the calling process)",                                               \
			ES_OPTION_TEXT, &(telling).id                                               \
	}

int es_jobs_cmd_begin(int argc, char **argv)
{
	struct telling telling = { .command = "job begin" };
	const struct es_option options[] = {
		ID_OPTION(telling),
		{ "step", "ID", "a step of it: a region in its recording", ES_OPTION_TEXT,
		  &telling.step },
		{ "user", "USER", "whose it is, by name or number (root only)", ES_OPTION_TEXT,
		  &telling.user },
		{ "cpus", "LIST", "CPUs that it may use here: 0-3,8 (root only)", ES_OPTION_TEXT,
		  &telling.cpus },
		{ "ncpus", "N", "how many, where it is not known which (root only)", ES_OPTION_TEXT,
		  &telling.n_cpus },
		{ "gpus", "LIST",
		  "its GPUs here, by number, UUID or PCI address, or\n'none' (root only)",
		  ES_OPTION_TEXT, &telling.gpus },
		{ "exclusive", NULL, "nobody else has a job on this node (root only)",
		  ES_OPTION_FLAG, &telling.is_exclusive },
		{ "shared", NULL, "others may have", ES_OPTION_FLAG, &telling.is_shared },
		{ "cgroup", "PATH", "its cgroup, within its hierarchy: /oar/USER_12",
		  ES_OPTION_TEXT, &telling.cgroup },
		{ "pid", "PID",
		  "a process of it, whose cgroup is the job's (default: a\nscript's own)",
		  ES_OPTION_TEXT, &telling.pid },
		{ "nodes", "LIST", "all of its nodes, as the scheduler writes them", ES_OPTION_TEXT,
		  &telling.nodes },
		{ "name", "TEXT", "what people call it", ES_OPTION_TEXT, &telling.name },
		{ "restarts", "N", "how often it was requeued", ES_OPTION_TEXT, &telling.restarts },
		{ "no-line", NULL, "its user wants no line at its end", ES_OPTION_FLAG,
		  &telling.is_off },
		ES_DAEMON_OPTION(&telling.daemon),
		{ "json", NULL, "what was told, as JSON", ES_OPTION_FLAG, &telling.wants_json },
	};
	const struct es_usage usage = {
		.command = "job begin",
		.synopsis = "[OPTION]…",
		.text = "Tells this node's daemon that a job begins here, and prints its id. Told again, what was not\n"
			"known is added. Root may tell of anybody's job, others of their own.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};
	int first, status = es_options_parse(&usage, argc, argv, &first);

	if (status < 0)
		status = no_operand(usage.command, argc, first, argv);
	return status < 0 ? begin(&telling) : status;
}

static int end(struct telling *telling)
{
	struct es_local_end over = { .has_status = false };
	uint8_t packet[1024];
	uint64_t code;
	int status = gather(telling), n;

	if (status >= 0)
		return status;
	if (telling->status) {
		if (es_parse_u64(telling->status, &code) < 0 || code > 255)
			return wrong(telling, "status", telling->status, "0 to 255");
		over.has_status = true;
		/* As a shell tells of a signal. */
		over.status = code > 128 && code < 193 ? (int32_t)(code - 128)
						       : (int32_t)(code << 8);
	}
	memcpy(over.id, telling->job.id, sizeof(over.id));
	memcpy(over.step, telling->job.step, sizeof(over.step));
	over.t_ns = es_clock_boot_ns();
	n = es_local_put_end(1, &over, packet, sizeof(packet));
	return tell(telling, "end", packet, n);
}

int es_jobs_cmd_end(int argc, char **argv)
{
	struct telling telling = { .command = "job end" };
	const struct es_option options[] = {
		ID_OPTION(telling),
		{ "step", "ID", "only this step of it", ES_OPTION_TEXT, &telling.step },
		{ "status", "N", "its exit status, as the shell tells", ES_OPTION_TEXT,
		  &telling.status },
		ES_DAEMON_OPTION(&telling.daemon),
		{ "json", NULL, "what was told, as JSON", ES_OPTION_FLAG, &telling.wants_json },
	};
	const struct es_usage usage = {
		.command = "job end",
		.synopsis = "[OPTION]…",
		.text = "Tells this node's daemon that a job is over here, or a step of one. Its files are complete soon\n"
			"afterwards; 'energyscopium job status ID' tells.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};
	int first, status = es_options_parse(&usage, argc, argv, &first);

	if (status < 0)
		status = no_operand(usage.command, argc, first, argv);
	return status < 0 ? end(&telling) : status;
}
