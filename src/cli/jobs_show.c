/*
 * jobs_show.c - energyscopium job list, job status: asking
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "cli/daemonlink.h"
#include "cli/jobs.h"

#define OUT_MAX_BYTES (64U << 20)

struct asking {
	const char *command;
	bool wants_json;
	const char *daemon, *id;
	int fd;
	struct es_local_welcome welcome;
	struct es_daemonlink_answer answer;
	struct es_local_job_is job;
};

static int fail(const struct asking *asking, const struct es_error *err)
{
	return es_complain(asking->command, ES_EXIT_FAILURE, "%s", err->text);
}

static int put_out(const struct asking *asking, struct es_buf *out)
{
	int status;

	if (!asking->wants_json && es_buf_u8(out, 0) == 0) {
		es_text_make_safe((char *)out->data, true);
		out->len--;
	}
	status = es_put_out(asking->command, out);
	es_buf_finish(out);
	return status;
}

static int show_one(const struct asking *asking)
{
	struct es_buf out;
	struct es_json json;

	es_buf_init(&out, OUT_MAX_BYTES);
	if (!asking->wants_json) {
		es_jobs_put_words(&out, &asking->job);
		return put_out(asking, &out);
	}
	es_json_init(&json, es_json_sink_buf, &out, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", "energyscopium.job/1");
	es_jobs_put_json(&json, "job", &asking->job);
	es_json_object_end(&json);
	out.error = es_json_end(&json);
	return put_out(asking, &out);
}

static int status_of(struct asking *asking)
{
	struct es_error err = { .code = 0 };
	uint8_t packet[256];
	int n = es_local_put_text(ES_LOCAL_JOB_STATUS, 2, asking->id ? asking->id : "", 0, packet,
				  sizeof(packet)),
	    r;

	r = es_daemonlink_ask(asking->fd, packet, n, es_clock_mono_ns() + ES_JOBS_WAIT_NS,
			      ES_LOCAL_JOB, &asking->answer, NULL, &err);
	if (r < 0)
		return fail(asking, &err);
	r = es_local_get_job_is(es_daemonlink_body(&asking->answer), asking->answer.n,
				&asking->job);
	if (r < 0) {
		(void)es_error_set(&err, r, "the daemon's answer");
		return fail(asking, &err);
	}
	return show_one(asking);
}

static int take_rows(struct asking *asking, struct es_json *json, struct es_buf *out, size_t *ret_n,
		     struct es_error *err)
{
	int64_t until_ns = es_clock_mono_ns() + ES_JOBS_WAIT_NS;
	int r;

	*ret_n = 0;
	while ((r = es_daemonlink_next(asking->fd, 3, until_ns, ES_LOCAL_JOB, &asking->answer,
				       err)) > 0) {
		r = es_local_get_job_is(es_daemonlink_body(&asking->answer), asking->answer.n,
					&asking->job);
		if (r < 0)
			return es_error_set(err, r, "the daemon's answer");
		if (json)
			es_jobs_put_json(json, NULL, &asking->job);
		else if (++*ret_n == 1)
			es_jobs_put_row(out, NULL);
		if (!json)
			es_jobs_put_row(out, &asking->job);
	}
	return r;
}

static int list_all(struct asking *asking)
{
	struct es_error err = { .code = 0 };
	struct es_json json;
	struct es_buf out;
	uint8_t packet[64];
	size_t n_jobs;
	int n = es_local_put_empty(ES_LOCAL_JOBS, 3, packet, sizeof(packet)), r;

	r = n < 0 ? n : es_packet_send(asking->fd, packet, (size_t)n, -1);
	if (r < 0) {
		(void)es_error_set(&err, r, "the daemon");
		return fail(asking, &err);
	}
	es_buf_init(&out, OUT_MAX_BYTES);
	es_json_init(&json, es_json_sink_buf, &out, true);
	if (asking->wants_json) {
		es_json_object(&json, NULL);
		es_json_string(&json, "schema", "energyscopium.jobs/1");
		es_json_string(&json, "node", asking->welcome.node);
		es_json_array(&json, "jobs");
	}
	r = take_rows(asking, asking->wants_json ? &json : NULL, &out, &n_jobs, &err);
	if (r < 0) {
		es_buf_finish(&out);
		return fail(asking, &err);
	}
	if (asking->wants_json) {
		es_json_array_end(&json);
		es_json_object_end(&json);
		out.error = es_json_end(&json);
	} else if (n_jobs == 0) {
		(void)es_buf_printf(&out, "no job%s runs on %s\n",
				    geteuid() == 0 ? "" : " of yours", asking->welcome.node);
	}
	return put_out(asking, &out);
}

static int with_daemon(struct asking *asking, int (*act)(struct asking *))
{
	struct es_error err = { .code = 0 };
	int status;

	asking->fd = -1;
	if (es_daemonlink_open(asking->daemon, ES_JOBS_WAIT_NS, &asking->fd, &asking->welcome,
			       &err) < 0)
		return fail(asking, &err);
	status = act(asking);
	(void)close(asking->fd);
	return status;
}

static int one_too_many(const char *command, const char *word)
{
	return es_complain(command, ES_EXIT_USAGE,
			   "'%s' is one too many; see 'energyscopium %s --help'", word, command);
}

int es_jobs_cmd_list(int argc, char **argv)
{
	es_cleanup(es_freep) struct asking *asking = calloc(1, sizeof(*asking));
	const struct es_option options[] = {
		ES_DAEMON_OPTION(asking ? &asking->daemon : NULL),
		{ "json", NULL, "print energyscopium.jobs/1", ES_OPTION_FLAG,
		  asking ? &asking->wants_json : NULL },
	};
	const struct es_usage usage = {
		.command = "job list",
		.synopsis = "[OPTION]…",
		.text = "Lists the jobs that run on this node: root and the daemon's group see all, others their own.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};
	int first, status;

	if (!asking)
		return es_complain(usage.command, ES_EXIT_FAILURE, "out of memory");
	asking->command = usage.command;
	status = es_options_parse(&usage, argc, argv, &first);
	if (status >= 0)
		return status;
	if (first < argc)
		return one_too_many(usage.command, argv[first]);
	return with_daemon(asking, list_all);
}

/* The one asked for, else the scheduler's, else the daemon finds it by our cgroup. */
static int choose_id(struct asking *asking, struct es_local_job *own, const char *word)
{
	asking->id = word;
	if (!word && es_jobs_environment(false, own, NULL) == 0 && own->id[0])
		asking->id = own->id;
	if (!asking->id || !es_local_id_problem(asking->id))
		return -1;
	return es_complain(asking->command, ES_EXIT_USAGE, "job '%.80s': %s", asking->id,
			   es_local_id_problem(asking->id));
}

int es_jobs_cmd_status(int argc, char **argv)
{
	es_cleanup(es_freep) struct asking *asking = calloc(1, sizeof(*asking));
	es_cleanup(es_freep) struct es_local_job *own = calloc(1, sizeof(*own));
	const struct es_option options[] = {
		ES_DAEMON_OPTION(asking ? &asking->daemon : NULL),
		{ "json", NULL, "print energyscopium.job/1", ES_OPTION_FLAG,
		  asking ? &asking->wants_json : NULL },
	};
	const struct es_usage usage = {
		.command = "job status",
		.synopsis = "[OPTION]… [ID]",
		.text = "Shows a job, running or ended: by its id, else the one that this is part of.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};
	int first, status;

	if (!asking || !own)
		return es_complain(usage.command, ES_EXIT_FAILURE, "out of memory");
	asking->command = usage.command;
	status = es_options_parse(&usage, argc, argv, &first);
	if (status >= 0)
		return status;
	if (first + 1 < argc)
		return one_too_many(usage.command, argv[argc - 1]);
	status = choose_id(asking, own, first < argc ? argv[first] : NULL);
	return status < 0 ? with_daemon(asking, status_of) : status;
}
