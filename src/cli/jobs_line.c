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

#define PAUSE_NS 50000000LL
#define NODES_MAX 16384U
#define OUT_MAX_BYTES (16U << 20)

struct line {
	const char *daemon, *id;
	int64_t wait_ns;
	bool is_short;
	struct es_chain chain;
	struct es_daemonlink_answer answer;
	struct es_local_job_is heard; /* the last one that was heard from */
	/* Of all nodes that were heard from */
	struct es_meta meta;
	uint32_t n_heard, n_over, n_unknown, n_nodes;
	uint64_t energy_uj;
	int64_t start_unix_ns, stop_unix_ns;
};

static int fail(const struct es_error *err)
{
	return es_complain("job line", ES_EXIT_FAILURE, "%s", err->text);
}

static void forget(struct line *line)
{
	es_meta_finish(&line->meta);
	es_meta_init(&line->meta);
	line->n_heard = line->n_over = line->n_unknown = line->n_nodes = 0;
	line->energy_uj = 0;
	line->start_unix_ns = line->stop_unix_ns = 0;
}

/* What a default PUE and the zone depend on is the first node's. */
static void take_machine(const struct es_local_machine *machine, struct es_meta *meta)
{
	meta->virt = machine->virt <= ES_VIRT_CONTAINER ? (enum es_virt)machine->virt
							: ES_VIRT_UNKNOWN;
	meta->has_battery = machine->has_battery;
	(void)snprintf(meta->country, sizeof(meta->country), "%s", machine->country);
	(void)snprintf(meta->timezone, sizeof(meta->timezone), "%s", machine->timezone);
}

static int take(struct line *line, struct es_error *err)
{
	const struct es_local_job_is *job = &line->heard;
	int r = es_local_get_job_is(es_daemonlink_body(&line->answer), line->answer.n,
				    &line->heard);

	if (r == 0)
		r = es_meta_add_node(&line->meta, job->node);
	if (r < 0)
		return es_error_set(err, r, "the daemon's answer");
	if (line->n_heard++ == 0) {
		take_machine(&job->machine, &line->meta);
		(void)snprintf(line->meta.job, sizeof(line->meta.job), "%s", job->job.id);
		line->start_unix_ns = job->start_unix_ns;
		line->meta.start_unix_ns = job->start_unix_ns;
	}
	if (job->start_unix_ns < line->start_unix_ns)
		line->start_unix_ns = job->start_unix_ns;
	if (job->job.n_nodes > line->n_nodes)
		line->n_nodes = job->job.n_nodes;
	line->meta.n_cpus += job->job.n_cpus;
	line->n_over += (job->job.flags & (ES_LOCAL_ENDED | ES_LOCAL_PENDING)) == ES_LOCAL_ENDED;
	line->n_unknown += !job->has_energy;
	line->energy_uj += job->has_energy ? job->energy_uj : 0;
	return 0;
}

static void take_stop(struct line *line)
{
	const struct es_local_job_is *job = &line->heard;
	const int64_t stop_ns = job->stop_unix_ns ? job->stop_unix_ns
						  : job->start_unix_ns + job->dur_ns;

	if (stop_ns > line->stop_unix_ns)
		line->stop_unix_ns = stop_ns;
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
	if (r == 0)
		take_stop(line);
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
		take_stop(line);
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

static int put(struct line *line)
{
	struct es_error err = { .code = 0 };
	struct es_report report = { .meta = &line->meta, .has_start = true };
	struct es_buf out;
	int r = es_chain_options(&line->chain, &line->meta, &report.options, &err);

	if (r < 0)
		return fail(&err);
	report.stop_ns = line->stop_unix_ns - line->start_unix_ns;
	report.has_energy = line->n_unknown < line->n_heard;
	report.node_j = es_j_from_uj(line->energy_uj);
	report.facility_j = report.node_j * report.options.pue;
	report.has_carbon = report.options.carbon.zone != NULL;
	if (report.has_carbon)
		report.gco2 = es_carbon_g(&report.options.carbon, report.node_j, report.facility_j);
	es_buf_init(&out, OUT_MAX_BYTES);
	(void)es_report_line(&report, line->is_short, &out);
	(void)es_buf_u8(&out, '\n');
	if (line->n_heard - line->n_unknown < line->n_nodes)
		(void)es_buf_printf(&out,
				    "energyscopium jobid<%s> has the energy of %" PRIu32
				    " of %" PRIu32 " nodes\n",
				    line->meta.job, line->n_heard - line->n_unknown, line->n_nodes);
	r = es_put_out("job line", &out);
	es_buf_finish(&out);
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
	es_meta_init(&line->meta);
	status = parse(line, argc, argv);
	if (status < 0 && !line->id && es_jobs_environment(false, own, NULL) == 0)
		line->id = own->id;
	if (status < 0 && (!line->id || es_local_id_problem(line->id)))
		status = es_complain("job line", ES_EXIT_USAGE, "which job? Give its id");
	if (status < 0)
		status = show(line);
	es_chain_finish(&line->chain);
	es_meta_finish(&line->meta);
	return status;
}
