/*
 * twin_app.c - energyscopium twin app: a small application whose time and power a twin makes up, and whose result is real
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/parse.h"
#include "cli/twin.h"
#include "cli/twin_played.h"
#include "cli/twin_regions.h"
#include "cli/twin_solver.h"
#include "cli/twin_workloads.h"
#include "ipc/message.h"

#define COMMAND "twin app"
#define ITERATIONS 10U /* by itself */
#define ITERATIONS_MAX 1000000000U
#define CALLS_MAX 100000U /* whose energies are told */

struct wishes {
	const char *mount, *iterations, *workload, *seed, *expected, *truth;
	struct es_text_list phases;
	bool wants_tags, wants_no_tags;
};

/* A phase, once. */
struct call {
	size_t phase;
	int64_t begin_ns, end_ns;
	bool has_energy;
};

struct app {
	const char *mount;
	struct es_twin_program program; /* its repeats are the iterations */
	struct es_twin_regions regions;
	struct es_twin_solver solver;
	uint64_t seed;
	int64_t begin_ns, end_ns;
	/* With --truth. */
	struct es_twin_truth truth; /* fd -1: without */
	struct call *calls;
	uint64_t *energies_uj; /* [n_calls][truth.n] */
	uint64_t *rows_uj; /* [2][truth.n] */
	size_t n_calls;
};

static void finish(struct app *app)
{
	es_twin_regions_close(&app->regions);
	es_twin_truth_close(&app->truth);
	es_twin_program_finish(&app->program);
	free(app->calls);
	free(app->energies_uj);
	free(app->rows_uj);
}

/* The energies between the edges of a call, as exact as its edges are. */
static int note_call(struct app *app, size_t phase, const int64_t edges_ns[2], struct es_error *err)
{
	size_t n = app->truth.n;
	uint64_t *energies_uj;
	struct call *call;
	int r;

	if (app->truth.fd < 0)
		return 0;
	call = &app->calls[app->n_calls];
	energies_uj = app->energies_uj + app->n_calls * n;
	*call = (struct call){ .phase = phase, .begin_ns = edges_ns[0], .end_ns = edges_ns[1] };
	r = es_twin_truth_at(&app->truth, edges_ns, 2, app->rows_uj, err);
	if (r < 0 && r != -ENODATA)
		return r;
	call->has_energy = r == 0;
	for (size_t i = 0; r == 0 && i < n; i++)
		energies_uj[i] = app->rows_uj[n + i] - app->rows_uj[i];
	app->n_calls++;
	return 0;
}

/* The twin is busy while the arithmetic is done, and for as long as its clocks make it last. */
static int work(struct app *app, const struct es_twin_program *program, bool computes,
		struct es_error *err)
{
	struct es_twin_play_state state;
	struct es_twin_player player;
	int r = es_twin_player_begin(app->mount, program, &player, err);

	if (r < 0)
		return r;
	if (computes)
		es_twin_solver_step(&app->solver);
	r = es_twin_player_ask(&player, &state, err);
	while (r == 0 && !state.is_done)
		r = es_twin_player_wait(&player, -1, INT64_MAX, &state, err);
	es_twin_player_close(&player);
	return r;
}

static int call_phase(struct app *app, size_t i, struct es_error *err)
{
	struct es_twin_phase *phase = &app->program.phases[i];
	const struct es_twin_program program = { .phases = phase, .n = 1, .repeats = 1 };
	int64_t edges_ns[2] = { es_clock_boot_ns() };
	int r;

	if (phase->name[0])
		es_twin_regions_mark(&app->regions, phase->name, true, edges_ns[0]);
	r = work(app, &program, i == 0, err);
	edges_ns[1] = es_clock_boot_ns();
	if (phase->name[0])
		es_twin_regions_mark(&app->regions, phase->name, false, edges_ns[1]);
	return r < 0 ? r : note_call(app, i, edges_ns, err);
}

static int iterate(struct app *app, struct es_error *err)
{
	int r = 0;

	es_twin_solver_init(&app->solver, app->seed);
	app->begin_ns = es_clock_boot_ns();
	for (uint64_t i = 0; r == 0 && i < app->program.repeats; i++) {
		for (size_t phase = 0; r == 0 && phase < app->program.n; phase++)
			r = call_phase(app, phase, err);
		if (r == 0)
			(void)printf("iteration %" PRIu64 " of %" PRIu64 "\n", i + 1,
				     app->program.repeats);
		(void)fflush(stdout);
	}
	app->end_ns = es_clock_boot_ns();
	return r;
}

static double merit(const struct app *app)
{
	return (double)app->program.repeats / es_s_from_ns(app->end_ns - app->begin_ns);
}

static void put_call(struct es_json *json, const struct app *app, size_t i)
{
	const struct call *call = &app->calls[i];

	es_json_object(json, NULL);
	es_json_string(json, "name", app->program.phases[call->phase].name);
	es_json_u64(json, "phase", call->phase);
	es_json_i64(json, "begin_ns", call->begin_ns);
	es_json_i64(json, "end_ns", call->end_ns);
	if (call->has_energy)
		es_twin_truth_put(json, &app->truth, app->energies_uj + i * app->truth.n);
	else
		es_json_null(json, "energy_j");
	es_json_object_end(json);
}

static int put_truth(const struct app *app, const char *result, int fd)
{
	struct es_json json;

	es_json_init(&json, es_json_sink_fd, &fd, false);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", "energyscopium.twin-app/1");
	es_json_string(&json, "mount", app->mount);
	es_json_u64(&json, "seed", app->seed);
	es_json_u64(&json, "iterations", app->program.repeats);
	es_json_string(&json, "result", result);
	es_json_double(&json, "iterations_per_s", merit(app));
	es_json_i64(&json, "begin_ns", app->begin_ns);
	es_json_i64(&json, "end_ns", app->end_ns);
	es_json_array(&json, "calls");
	for (size_t i = 0; i < app->n_calls; i++)
		put_call(&json, app, i);
	es_json_array_end(&json);
	es_json_object_end(&json);
	return es_json_end(&json);
}

static int tell(struct app *app, const struct wishes *wishes, int truth_fd)
{
	char result[ES_TWIN_RESULT_BYTES];
	int r;

	(void)es_twin_solver_result(&app->solver, result);
	(void)printf("result %s\nfigure of merit %.6g iterations/s\n", result, merit(app));
	r = fflush(stdout) == 0 ? 0 : -errno;
	if (r < 0)
		return es_complain(COMMAND, ES_EXIT_FAILURE, "standard output: %s", es_strerror(r));
	if (truth_fd >= 0)
		r = put_truth(app, result, truth_fd);
	if (r < 0)
		return es_complain(COMMAND, ES_EXIT_FAILURE, "cannot write '%s': %s", wishes->truth,
				   es_strerror(r));
	if (wishes->expected && strcmp(wishes->expected, result) != 0)
		return es_complain(COMMAND, ES_EXIT_FAILURE,
				   "the result is wrong: %s, and '%s' was expected", result,
				   wishes->expected);
	return ES_EXIT_OK;
}

/* Applications do not depend on being measured: nothing of it is more than a warning, and only where tags were asked for. */
static void warn_of_tags(struct app *app, const struct wishes *wishes)
{
	bool was_heard = app->regions.n_said > 0;

	es_twin_regions_close(&app->regions);
	if (app->regions.problem.text[0] && (wishes->wants_tags || was_heard))
		(void)es_complain(COMMAND, 0, "its regions are not recorded%s: %s",
				  was_heard ? ", or not all" : "", app->regions.problem.text);
}

static int prepare_truth(struct app *app, const char *path, int *ret_fd, struct es_error *err)
{
	size_t n = app->program.n * app->program.repeats;
	int r;

	if (app->program.repeats > CALLS_MAX || n > CALLS_MAX)
		return es_error_say(err, -E2BIG,
				    "--truth: energies of at most %u calls of phases are told",
				    CALLS_MAX);
	*ret_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (*ret_fd < 0)
		return es_error_set(err, -errno, "cannot write '%s'", path);
	r = es_twin_truth_open(app->mount, &app->truth, err);
	if (r < 0)
		return r;
	app->calls = calloc(n, sizeof(*app->calls));
	app->energies_uj = calloc(n * app->truth.n, sizeof(uint64_t));
	app->rows_uj = calloc(2 * app->truth.n, sizeof(uint64_t));
	if (!app->calls || !app->energies_uj || !app->rows_uj)
		return es_error_set(err, -ENOMEM, "--truth");
	return 0;
}

static int run(struct app *app, const struct wishes *wishes)
{
	es_cleanup(es_closep) int truth_fd = -1;
	struct es_error err = { .code = 0 };
	int r = wishes->truth ? prepare_truth(app, wishes->truth, &truth_fd, &err) : 0;

	if (r == 0 && !wishes->wants_no_tags)
		es_twin_regions_open(&app->regions);
	if (r == 0)
		r = iterate(app, &err);
	warn_of_tags(app, wishes);
	if (r < 0)
		return es_complain(COMMAND, ES_EXIT_FAILURE, "%s", err.text);
	return tell(app, wishes, truth_fd);
}

/* --phase once or more often, or a workload, or what it does by itself. */
static int take_program(const struct wishes *wishes, struct es_twin_program *ret,
			struct es_error *err)
{
	static const char by_itself[] = "assemble 100ms cpu=90% memory=10%\n"
					"solve 300ms cpu=40% memory=60%\n"
					"exchange 50ms communication=100%\n";
	struct es_buf text;
	int r;

	if (wishes->workload)
		return es_twin_workload_read(wishes->workload, ret, err);
	es_buf_init(&text, 1U << 22);
	for (size_t i = 0; i < wishes->phases.n; i++)
		(void)es_buf_printf(&text, "%s\n", wishes->phases.texts[i]);
	if (wishes->phases.n == 0)
		(void)es_buf_str(&text, by_itself);
	r = text.error ? es_error_set(err, text.error, "phases")
		       : es_twin_program_parse((const char *)text.data, text.len, ret, err);
	if (r == 0)
		ret->repeats = ITERATIONS;
	if (r < 0 && wishes->phases.n && err->text[0]) {
		struct es_error why = *err;

		(void)es_error_say(err, r, "--phase, %.900s", why.text);
	}
	es_buf_finish(&text);
	return r;
}

static int check_names(const struct es_twin_program *program, struct es_error *err)
{
	for (size_t i = 0; i < program->n; i++) {
		const char *name = program->phases[i].name;

		if (name[0] && es_ipc_name_problem(name))
			return es_error_say(err, -EINVAL, "'%s' cannot be the name of a region: %s",
					    name, es_ipc_name_problem(name));
	}
	return 0;
}

static int take_numbers(struct app *app, const struct wishes *wishes)
{
	uint64_t iterations = app->program.repeats;

	if (wishes->iterations && (es_parse_u64(wishes->iterations, &iterations) < 0 ||
				   iterations == 0 || iterations > ITERATIONS_MAX))
		return es_complain(COMMAND, ES_EXIT_USAGE,
				   "--iterations '%s': a number from 1 to %u is wanted",
				   wishes->iterations, ITERATIONS_MAX);
	app->program.repeats = iterations;
	app->seed = 1;
	if (wishes->seed && es_parse_u64(wishes->seed, &app->seed) < 0)
		return es_complain(COMMAND, ES_EXIT_USAGE, "--seed '%s': a number is wanted",
				   wishes->seed);
	return ES_EXIT_OK;
}

static int run_app(const struct wishes *wishes)
{
	struct app app = { .regions = { .fd = -1 }, .truth = { .fd = -1 } };
	char mount[ES_PATH_MAX_BYTES];
	struct es_error err = { .code = 0 };
	int status;

	if (take_program(wishes, &app.program, &err) < 0 || check_names(&app.program, &err) < 0) {
		finish(&app);
		return es_complain(COMMAND, wishes->workload ? ES_EXIT_FAILURE : ES_EXIT_USAGE,
				   "%s", err.text);
	}
	status = take_numbers(&app, wishes);
	if (status == ES_EXIT_OK)
		status = es_twin_find(COMMAND, wishes->mount, mount);
	app.mount = mount;
	if (status == ES_EXIT_OK)
		status = run(&app, wishes);
	finish(&app);
	return status;
}

int es_twin_cmd_app(int argc, char **argv)
{
	struct wishes wishes = { .mount = NULL };
	const struct es_option options[] = {
		{ "expect", "RESULT", "end with status 1 where the result is another",
		  ES_OPTION_TEXT, &wishes.expected },
		{ "iterations", "N", "default: as often as the workload says, else 10",
		  ES_OPTION_TEXT, &wishes.iterations },
		ES_TWIN_MOUNT_OPTION(&wishes.mount),
		{ "no-tags", NULL, "tag no regions", ES_OPTION_FLAG, &wishes.wants_no_tags },
		{ "phase", "LINE", "a phase of each iteration; may be repeated", ES_OPTION_LIST,
		  &wishes.phases },
		{ "seed", "N", "of the problem that is solved (default 1)", ES_OPTION_TEXT,
		  &wishes.seed },
		{ "tags", NULL, "warn where nobody hears the tags", ES_OPTION_FLAG,
		  &wishes.wants_tags },
		{ "truth", "FILE", "edges and true energies of each call of a phase, as JSON",
		  ES_OPTION_TEXT, &wishes.truth },
		{ "workload", "WORKLOAD", "phases of each iteration, as 'twin play' takes them",
		  ES_OPTION_TEXT, &wishes.workload },
	};
	const struct es_usage usage = {
		.command = COMMAND,
		.synopsis = "[OPTION]…",
		.text = "A small application to be measured on a twin: in each iteration it computes a step of a\n"
			"heat equation, and keeps the twin busy with phases, each tagged as a region. It prints\n"
			"its result, which is the same at any clock, and iterations per second.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};
	int first, status = es_options_parse(&usage, argc, argv, &first);

	if (status < 0 && first < argc)
		status = es_complain(COMMAND, ES_EXIT_USAGE, "'%s': no operand is taken",
				     argv[first]);
	if (status < 0 && wishes.phases.n && wishes.workload)
		status = es_complain(COMMAND, ES_EXIT_USAGE,
				     "--phase and --workload exclude each other");
	if (status < 0 && wishes.wants_tags && wishes.wants_no_tags)
		status = es_complain(COMMAND, ES_EXIT_USAGE,
				     "--tags and --no-tags exclude each other");
	if (status < 0)
		status = run_app(&wishes);
	es_text_list_finish(&wishes.phases);
	return status;
}
