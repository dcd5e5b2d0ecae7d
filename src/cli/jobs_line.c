/*
 * jobs_line.c - energyscopium job line: the line of a job, of all of its nodes
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "cli/chain.h"
#include "cli/daemonlink.h"
#include "cli/jobs.h"
#include "cli/jobs_total.h"

#define PAUSE_NS 50000000LL
#define NODES_MAX 16384U
#define OUT_MAX_BYTES (16U << 20)

struct line {
	const char *daemon, *id;
	int64_t wait_ns;
	bool is_short, is_json;
	struct es_chain chain;
	struct es_daemonlink_answer answer;
	/* Of all nodes that were heard from */
	struct es_local_job_is *heard; /* [n_heard] owned */
	uint32_t n_heard, cap_heard, n_over, n_unknown, n_nodes;
};

static int fail(const struct es_error *err)
{
	return es_complain("job line", ES_EXIT_FAILURE, "%s", err->text);
}

static void forget(struct line *line)
{
	line->n_heard = line->n_over = line->n_unknown = line->n_nodes = 0;
}

static int make_room(struct line *line)
{
	uint32_t cap = line->cap_heard ? 2 * line->cap_heard : 4;
	struct es_local_job_is *heard;

	if (line->n_heard < line->cap_heard)
		return 0;
	heard = reallocarray(line->heard, cap, sizeof(*heard));
	if (!heard)
		return -ENOMEM;
	line->heard = heard;
	line->cap_heard = cap;
	return 0;
}

static int take(struct line *line, struct es_error *err)
{
	struct es_local_job_is *job;
	int r = make_room(line);

	if (r == 0)
		r = es_local_get_job_is(es_daemonlink_body(&line->answer), line->answer.n,
					&line->heard[line->n_heard]);
	if (r < 0)
		return es_error_set(err, r, "the daemon's answer");
	job = &line->heard[line->n_heard++];
	if (job->job.n_nodes > line->n_nodes)
		line->n_nodes = job->job.n_nodes;
	line->n_over += (job->job.flags & (ES_LOCAL_ENDED | ES_LOCAL_PENDING)) == ES_LOCAL_ENDED;
	line->n_unknown += !job->has_energy;
	return 0;
}

/* This node's daemon alone. */
static int ask_one(struct line *line, int fd, struct es_error *err)
{
	uint8_t packet[256];
	int n = es_local_put_text(ES_LOCAL_JOB_STATUS, 2, line->id, 0, packet, sizeof(packet));
	int r = es_daemonlink_ask(fd, packet, n, es_clock_mono_ns() + ES_JOBS_WAIT_NS, ES_LOCAL_JOB,
				  &line->answer, NULL, err);

	forget(line);
	if (r == 0)
		r = take(line, err);
	return r;
}

/* All nodes, from the folder that they share. */
static int ask_all(struct line *line, int fd, struct es_error *err)
{
	const int64_t until_ns = es_clock_mono_ns() + ES_JOBS_WAIT_NS;
	uint8_t packet[256];
	int n = es_local_put_text(ES_LOCAL_JOB_TOTAL, 3, line->id, 0, packet, sizeof(packet));
	int r = n < 0 ? n : es_packet_send(fd, packet, (size_t)n, -1);

	if (r < 0)
		return es_error_set(err, r, "the daemon");
	forget(line);
	while ((r = es_daemonlink_next(fd, 3, until_ns, ES_LOCAL_JOB, &line->answer, err)) > 0) {
		if (line->n_heard == NODES_MAX)
			return es_error_say(err, -E2BIG, "a job of more than %u nodes", NODES_MAX);
		r = take(line, err);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : line->n_heard ? 0 : -ENOENT;
}

/* What this node knows, and the others where there are any; a job of which only others know is told of by them. */
static int ask(struct line *line, int fd, struct es_error *err)
{
	int r = ask_one(line, fd, err);
	struct es_error others;

	if (r == 0 && line->n_nodes <= 1)
		return 0;
	if (ask_all(line, fd, &others) == 0)
		return 0;
	return r < 0 ? r : ask_one(line, fd, err);
}

static int ask_until(struct line *line, int fd, struct es_error *err)
{
	const int64_t until_ns = es_clock_mono_ns() + line->wait_ns;
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	int r;

	for (;;) {
		r = ask(line, fd, err);
		if ((r == 0 && line->n_over == line->n_heard && line->n_heard >= line->n_nodes) ||
		    es_clock_mono_ns() >= until_ns)
			return r;
		(void)nanosleep(&pause, NULL);
	}
}

static void put_json(const struct line *line, const struct es_report *report, struct es_buf *out)
{
	struct es_json json;
	struct es_buf words;

	es_buf_init(&words, OUT_MAX_BYTES);
	(void)es_report_line(report, line->is_short, &words);
	(void)es_buf_u8(&words, 0);
	es_json_init(&json, es_json_sink_buf, out, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", "energyscopium.job-line/1");
	es_json_string(&json, "line", words.error ? NULL : (const char *)words.data);
	es_json_u64(&json, "nodes_heard", line->n_heard);
	es_json_u64(&json, "nodes_over", line->n_over);
	es_report_members(report, &json);
	es_json_object_end(&json);
	out->error = es_json_end(&json);
	es_buf_finish(&words);
}

static void put_words(const struct line *line, const struct es_report *report, struct es_buf *out)
{
	(void)es_report_line(report, line->is_short, out);
	(void)es_buf_u8(out, '\n');
	if (line->n_heard - line->n_unknown < line->n_nodes)
		(void)es_buf_printf(out,
				    "energyscopium jobid<%s> has the energy of %" PRIu32
				    " of %" PRIu32 " nodes\n",
				    report->meta->job, line->n_heard - line->n_unknown,
				    line->n_nodes);
}

static int put(struct line *line)
{
	struct es_error err = { .code = 0 };
	struct es_jobs_total total;
	struct es_buf out;
	int r = es_jobs_total_make(line->heard, line->n_heard, &line->chain, &total, &err);

	if (r < 0)
		return fail(&err);
	es_buf_init(&out, OUT_MAX_BYTES);
	if (line->is_json)
		put_json(line, &total.outcome.report, &out);
	else
		put_words(line, &total.outcome.report, &out);
	r = es_put_out("job line", &out);
	es_buf_finish(&out);
	es_jobs_total_finish(&total);
	return r;
}

static int show(struct line *line)
{
	struct es_error err = { .code = 0 };
	es_cleanup(es_closep) int fd = -1;
	int r = es_chain_load(&line->chain, &err);

	if (r == 0)
		r = es_daemonlink_open(line->daemon, ES_JOBS_WAIT_NS, &fd, NULL, &err);
	if (r == 0)
		r = ask_until(line, fd, &err);
	return r < 0 ? fail(&err) : put(line);
}

static int parse(struct line *line, int argc, char **argv)
{
	const char *wait = NULL;
	const struct es_option options[] = {
		{ "wait", "TIME", "wait so long for the job's end, and for its other nodes",
		  ES_OPTION_TEXT, &wait },
		{ "zone", "ZONE", "country whose electricity is used", ES_OPTION_TEXT,
		  &line->chain.zone },
		{ "pue", "X", "energy of the facility for each joule of its machines",
		  ES_OPTION_TEXT, &line->chain.pue },
		{ "carbon", "NAME", "factors of a named model", ES_OPTION_TEXT,
		  &line->chain.carbon },
		{ "model", "NAME",
		  "node model: calibrated[:CLASS] (the default where the node\nhas one), none, joule_model_202203",
		  ES_OPTION_TEXT, &line->chain.model },
		{ "json", NULL, "as JSON", ES_OPTION_FLAG, &line->is_json },
		{ "short", NULL, "fold long lists of nodes", ES_OPTION_FLAG, &line->is_short },
		ES_DAEMON_OPTION(&line->daemon),
	};
	const struct es_usage usage = {
		.command = "job line",
		.synopsis = "[OPTION]… [ID]",
		.text = "Prints the line of a job, running or ended, with the energy of all of its nodes: those that\n"
			"were not heard from are counted on a second line.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};
	int first, status = es_options_parse(&usage, argc, argv, &first);

	if (status >= 0)
		return status;
	if (first + 1 < argc)
		return es_complain("job line", ES_EXIT_USAGE, "'%s' is one too many",
				   argv[first + 1]);
	if (wait && (es_parse_duration_ns(wait, &line->wait_ns) < 0 || line->wait_ns < 0))
		return es_complain("job line", ES_EXIT_USAGE, "--wait '%s' is no time, like 2s",
				   wait);
	if (first < argc)
		line->id = argv[first];
	return -1;
}

int es_jobs_cmd_line(int argc, char **argv)
{
	es_cleanup(es_freep) struct line *line = calloc(1, sizeof(*line));
	es_cleanup(es_freep) struct es_local_job *own = calloc(1, sizeof(*own));
	int status;

	if (!line || !own)
		return es_complain("job line", ES_EXIT_FAILURE, "out of memory");
	line->chain.command = "job line";
	status = parse(line, argc, argv);
	if (status < 0 && !line->id && es_jobs_environment(false, own, NULL) == 0)
		line->id = own->id;
	if (status < 0 && (!line->id || es_local_id_problem(line->id)))
		status = es_complain("job line", ES_EXIT_USAGE, "which job? Give its id");
	if (status < 0)
		status = show(line);
	es_chain_finish(&line->chain);
	free(line->heard);
	return status;
}
