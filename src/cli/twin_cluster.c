/*
 * twin_cluster.c - energyscopium twin cluster: simulated nodes with jobs, faster than real time
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/parse.h"
#include "cli/onefile.h"
#include "cli/twin.h"
#include "cli/twin_cluster.h"
#include "twin/cluster.h"

#define COMMAND "twin cluster"
#define START_MAX_S (ES_TIME_MAX_NS / ES_NS_PER_S / 2) /* room for the length of the simulation */
#define QUIET_NS (10 * ES_NS_PER_S) /* where stderr is no terminal: between two lines of progress */
struct run {
	struct es_twin_cluster_asked asked;
	struct es_cluster_options options;
	struct es_swf swf;
	struct es_cluster *cluster;
	int64_t began_ns, told_ns; /* monotonic */
	double wall_s, cpu_s;
	bool is_terminal, has_line;
	sigset_t signals;
	int signal;
};

static int load_trace(struct run *run)
{
	struct es_error err = { .code = 0 };

	if (!run->asked.jobs)
		return -1;
	if (es_one_file_swf(COMMAND, run->asked.jobs, run->asked.is_strict, &run->swf, &err) < 0)
		return es_complain(COMMAND, ES_EXIT_FAILURE, "%s", err.text);
	run->options.trace.swf = &run->swf;
	if (run->asked.start || run->swf.unix_start_s < 0)
		return -1;
	if (run->swf.unix_start_s > START_MAX_S - run->options.trace.from_s)
		return es_complain(COMMAND, ES_EXIT_FAILURE,
				   "'%s': UnixStartTime %" PRId64
				   " is no date that can be; --start says when it begins",
				   run->asked.jobs, run->swf.unix_start_s);
	run->options.start_unix_ns =
		(run->swf.unix_start_s + run->options.trace.from_s) * ES_NS_PER_S;
	return -1;
}

static void tell(struct run *run, size_t n_done, size_t n)
{
	double spent_s = (double)(es_clock_mono_ns() - run->began_ns) / 1e9;
	char left[ES_QUANTITY_TEXT_BYTES] = "?";

	if (n_done > 0)
		(void)es_duration_text((int64_t)(spent_s * (double)(n - n_done) / (double)n_done) *
					       ES_NS_PER_S,
				       left);
	(void)fprintf(stderr, "%s%zu of %zu nodes, %s left%s", run->is_terminal ? "\r\033[K" : "",
		      n_done, n, left, run->is_terminal ? "" : "\n");
	run->has_line = run->is_terminal;
}

static int tick(void *arg, size_t n_done, size_t n)
{
	const struct timespec at_once = { .tv_sec = 0 };
	struct run *run = arg;
	int64_t now_ns = es_clock_mono_ns();
	int signal = sigtimedwait(&run->signals, NULL, &at_once);

	if (signal > 0) {
		run->signal = signal;
		return -ECANCELED;
	}
	if (now_ns - run->told_ns < (run->is_terminal ? ES_NS_PER_S / 2 : QUIET_NS))
		return 0;
	run->told_ns = now_ns;
	tell(run, n_done, n);
	return 0;
}

static double cpu_s(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) < 0)
		return 0;
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int simulate(struct run *run)
{
	struct es_error err = { .code = 0 };
	sigset_t before;
	int r = es_cluster_create(&run->options, &run->cluster, &err);

	if (r < 0)
		return es_complain(COMMAND, r == -EINVAL ? ES_EXIT_USAGE : ES_EXIT_FAILURE, "%s",
				   err.text);
	run->is_terminal = isatty(STDERR_FILENO) == 1;
	(void)sigemptyset(&run->signals);
	(void)sigaddset(&run->signals, SIGINT);
	(void)sigaddset(&run->signals, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &run->signals, &before);
	run->began_ns = run->told_ns = es_clock_mono_ns();
	run->cpu_s = cpu_s();
	r = es_cluster_run(run->cluster, &err);
	run->wall_s = (double)(es_clock_mono_ns() - run->began_ns) / 1e9;
	run->cpu_s = cpu_s() - run->cpu_s;
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	if (run->has_line)
		(void)fprintf(stderr, "\r\033[K");
	if (r == 0)
		return ES_EXIT_OK;
	(void)es_complain(
		COMMAND, ES_EXIT_FAILURE, "%s%s%s", err.text,
		run->options.out && r != -ENOTEMPTY
			? "; there is no cluster.json, recordings that are there are whole"
			: "",
		r == -ENOTEMPTY ? "; --force replaces an earlier simulation" : "");
	return run->signal ? 128 + run->signal : ES_EXIT_FAILURE;
}

static void put_row(struct es_buf *out, const char *what, const struct es_cluster_energy *energy)
{
	(void)es_buf_printf(out, "%-8s %14.6f %14.6f %14.6f %14.6f\n", what,
			    es_j_from_uj(energy->node_uj) / ES_J_PER_KWH,
			    es_j_from_uj(energy->package_uj) / ES_J_PER_KWH,
			    es_j_from_uj(energy->dram_uj) / ES_J_PER_KWH,
			    es_j_from_uj(energy->gpu_uj) / ES_J_PER_KWH);
}

static void put_jobs(const struct run *run, const struct es_cluster_totals *totals,
		     struct es_buf *out)
{
	const struct es_cluster *cluster = run->cluster;
	char wait[ES_QUANTITY_TEXT_BYTES];

	(void)es_buf_printf(
		out,
		"jobs: %zu: %zu completed, %zu still running, %zu waiting, %zu failed; mean wait %s\n",
		cluster->n_jobs, totals->n_completed, totals->n_running, totals->n_waiting,
		totals->n_failed, es_duration_text(totals->mean_wait_ns, wait));
	if (cluster->n_too_large + cluster->n_unusable > 0)
		(void)es_buf_printf(
			out,
			"left out: %zu larger than any class, %zu without length or processors\n",
			cluster->n_too_large, cluster->n_unusable);
}

static void put_summary(const struct run *run, struct es_buf *out)
{
	const struct es_cluster *cluster = run->cluster;
	struct es_cluster_energy idle = cluster->energy;
	char start[ES_TIME_TEXT_BYTES], length[ES_QUANTITY_TEXT_BYTES];
	struct es_cluster_totals totals;

	es_cluster_totals(cluster, &totals);
	idle.node_uj -= cluster->in_jobs.node_uj;
	idle.package_uj -= cluster->in_jobs.package_uj;
	idle.dram_uj -= cluster->in_jobs.dram_uj;
	idle.gpu_uj -= cluster->in_jobs.gpu_uj;
	(void)es_buf_printf(out, "%zu simulated nodes from %s for %s, seed %" PRIu64 "\n",
			    cluster->n_nodes,
			    es_time_rfc3339_utc(run->options.start_unix_ns, start),
			    es_duration_text(run->options.duration_ns, length), run->options.seed);
	put_jobs(run, &totals, out);
	(void)es_buf_printf(out, "utilisation: %.1f %%\n\n",
			    100.0 * (double)totals.busy_ms / (double)totals.all_ms);
	(void)es_buf_printf(out, "%-8s %14s %14s %14s %14s\n", "true kWh", "at the wall",
			    "packages", "memory", "GPUs");
	put_row(out, "jobs", &cluster->in_jobs);
	put_row(out, "idle", &idle);
	put_row(out, "all", &cluster->energy);
	(void)es_buf_printf(out, "\n");
	if (cluster->n_recordings > 0)
		(void)es_buf_printf(out,
				    "%" PRIu64 " recordings, %" PRIu64
				    " samples, %.1f MB (%.2f bytes each)\n",
				    cluster->n_recordings, cluster->n_samples,
				    (double)cluster->n_bytes / 1e6,
				    (double)cluster->n_bytes / (double)(cluster->n_samples + 1));
	(void)es_buf_printf(out, "took %.1f s (%.1f s of CPU), %.0f times faster than real time\n",
			    run->wall_s, run->cpu_s,
			    (double)run->options.duration_ns / 1e9 / (run->wall_s + 1e-9));
	if (run->options.out)
		(void)es_buf_printf(out, "written to %s\n", run->options.out);
}

static int show(const struct run *run)
{
	struct es_json json;
	struct es_buf out;
	int status;

	es_buf_init(&out, 1U << 20);
	if (run->asked.wants_json) {
		es_json_init(&json, es_json_sink_buf, &out, true);
		es_json_object(&json, NULL);
		es_json_string(&json, "schema", "energyscopium.twin-cluster/1");
		es_json_string(&json, "tool", run->options.tool);
		es_cluster_put(run->cluster, &json);
		es_json_string(&json, "out", run->options.out);
		es_json_object(&json, "speed");
		es_json_u64(&json, "threads", run->options.n_threads);
		es_json_double(&json, "wall_s", run->wall_s);
		es_json_double(&json, "cpu_s", run->cpu_s);
		es_json_object_end(&json);
		es_json_object_end(&json);
		out.error = es_json_end(&json);
	} else {
		put_summary(run, &out);
	}
	status = es_put_out(COMMAND, &out);
	es_buf_finish(&out);
	return status;
}

static int run_all(struct run *run)
{
	int status = es_twin_cluster_read(&run->asked, &run->options);

	run->options.tool = "energyscopium " ES_VERSION;
	run->options.tick = tick;
	run->options.tick_arg = run;
	status = status >= 0 ? status : load_trace(run);
	status = status >= 0 ? status : simulate(run);
	return status != ES_EXIT_OK ? status : show(run);
}

static int parse_and_run(struct run *run, int argc, char **argv)
{
	struct es_twin_cluster_asked *asked = &run->asked;
	int first, status;
	const struct es_option options[] = {
		{ "class", "KIND:COUNT", "so many nodes of a kind; may be given several times",
		  ES_OPTION_LIST, &asked->classes },
		{ "nodes", "N", "nodes in all: one class may then be without a count",
		  ES_OPTION_TEXT, &asked->nodes },
		{ "duration", "TIME", "simulated time, as 24h", ES_OPTION_TEXT, &asked->duration },
		{ "start", "DATE", "wall clock at its begin (default 2026-01-05T00:00:00Z)",
		  ES_OPTION_TEXT, &asked->start },
		{ "seed", "N", "of all that is random (default 1)", ES_OPTION_TEXT, &asked->seed },
		{ "failures", "SHARE", "of the nodes that go down in a day (default 0)",
		  ES_OPTION_TEXT, &asked->failures },
		{ NULL, NULL, "jobs:", ES_OPTION_HEADING, NULL },
		{ "load", "SHARE",
		  "of a random mix: of the nodes' time that it asks for (default 70%)",
		  ES_OPTION_TEXT, &asked->load },
		{ "jobs", "FILE", "a trace in the Standard Workload Format; may be packed (.gz)",
		  ES_OPTION_TEXT, &asked->jobs },
		{ "trace-from", "TIME", "begin so long after the trace's start", ES_OPTION_TEXT,
		  &asked->trace_from },
		{ "trace-speed", "X", "jobs come X times faster than in the trace", ES_OPTION_TEXT,
		  &asked->trace_speed },
		{ "procs-per-node", "N", "of the trace's processors (default: the kind's cores)",
		  ES_OPTION_TEXT, &asked->procs_per_node },
		{ "strict", NULL, "refuse a trace with a wrong line", ES_OPTION_FLAG,
		  &asked->is_strict },
		{ NULL, NULL, "output:", ES_OPTION_HEADING, NULL },
		{ "out", "DIR", "recordings and tables; without it only the summary",
		  ES_OPTION_TEXT, &asked->out },
		{ "force", NULL, "replace an earlier simulation in DIR", ES_OPTION_FLAG,
		  &asked->may_replace },
		{ "period", "TIME", "between readings (default 1s)", ES_OPTION_TEXT,
		  &asked->period },
		{ "no-readings", NULL, "the truth only, no recordings", ES_OPTION_FLAG,
		  &asked->has_no_readings },
		{ "threads", "N", "results do not depend on it (default: all CPUs)", ES_OPTION_TEXT,
		  &asked->threads },
		{ "json", NULL, "print energyscopium.twin-cluster/1", ES_OPTION_FLAG,
		  &asked->wants_json },
	};
	const struct es_usage usage = {
		.command = COMMAND,
		.synopsis = "--class KIND:COUNT… --duration TIME [OPTION]…",
		.text = "Simulates nodes with jobs, faster than real time: one recording for each node, as\n"
			"'energyscopium record' writes it, and the true energy of each job and node.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};

	status = es_options_parse(&usage, argc, argv, &first);
	if (status < 0 && first < argc)
		status = es_complain(COMMAND, ES_EXIT_USAGE, "'%s' is one too many", argv[first]);
	return status < 0 ? run_all(run) : status;
}

int es_twin_cmd_cluster(int argc, char **argv)
{
	es_cleanup(es_freep) struct run *run = calloc(1, sizeof(*run));
	int status;

	if (!run)
		return es_complain(COMMAND, ES_EXIT_FAILURE, "%s", es_strerror(-ENOMEM));
	status = parse_and_run(run, argc, argv);
	es_cluster_destroy(run->cluster);
	es_swf_finish(&run->swf);
	es_text_list_finish(&run->asked.classes);
	return status;
}
