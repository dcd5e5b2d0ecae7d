/*
 * twin_play.c - energyscopium twin play: keep a twin busy with a workload, and tell what that took
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
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "cli/twin.h"
#include "cli/twin_played.h"
#include "cli/twin_workloads.h"

#define COMMAND "twin play"
#define WHOLE_PPM INT64_C(1000000)
#define ROUNDS_MAX 64U
#define EDGES_AT_ONCE 500
#define PATIENCE_NS ES_NS_PER_S
#define LINE_NS (200 * ES_NS_PER_MS) /* a line of progress */

struct play {
	const char *mount, *workload;
	struct es_twin_program program;
	struct es_twin_player player;
	struct es_twin_play_state state;
	struct es_twin_played played;
	int signal_fd;
	int64_t until_ns;
	uint64_t *memory_uj; /* of all energies below and in @played */
	/* The edge that was accounted for last. */
	uint64_t edge;
	bool has_edge;
	int64_t edge_ns;
	uint64_t *edge_uj, *rows_uj;
};

static int prepare(struct play *play, struct es_error *err)
{
	size_t columns, n = play->program.n;
	int r = es_twin_truth_open(play->mount, &play->played.truth, err);

	if (r < 0)
		return r;
	columns = play->played.truth.n;
	play->played.phases = calloc(n, sizeof(*play->played.phases));
	play->memory_uj = calloc((n + 1 + ES_TWIN_TIMES_MAX) * columns, sizeof(uint64_t));
	if (!play->played.phases || !play->memory_uj)
		return es_error_set(err, -ENOMEM, "'%s'", play->workload);
	for (size_t i = 0; i < n; i++)
		play->played.phases[i].energies_uj = play->memory_uj + i * columns;
	play->edge_uj = play->memory_uj + n * columns;
	play->rows_uj = play->edge_uj + columns;
	return 0;
}

static void finish(struct play *play)
{
	es_twin_player_close(&play->player);
	es_twin_truth_close(&play->played.truth);
	es_twin_program_finish(&play->program);
	es_closep(&play->signal_fd);
	free(play->played.phases);
	free(play->memory_uj);
}

static int watch_signals(struct play *play)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	play->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return play->signal_fd < 0 ? -errno : 0;
}

/* From the edge before to one at @t_ns is one call of a phase, of which @share_ppm was done. */
static void account(struct play *play, int64_t t_ns, const uint64_t *row_uj, int64_t share_ppm)
{
	size_t i = play->edge % play->program.n;
	struct es_twin_played_phase *spent = &play->played.phases[i];
	int64_t planned_ns = es_twin_phase_reference_ns(&play->program.phases[i]);

	spent->n_calls++;
	if (!play->has_edge || !row_uj)
		return;
	spent->n_known++;
	spent->dur_ns += t_ns - play->edge_ns;
	spent->planned_ns +=
		planned_ns / WHOLE_PPM * share_ppm + planned_ns % WHOLE_PPM * share_ppm / WHOLE_PPM;
	for (size_t k = 0; k < play->played.truth.n; k++)
		spent->energies_uj[k] += row_uj[k] - play->edge_uj[k];
}

/* @row_uj: NULL: nothing is known of that edge. */
static void take_edge(struct play *play, uint64_t i, int64_t t_ns, const uint64_t *row_uj)
{
	if (i > 0)
		account(play, t_ns, row_uj, WHOLE_PPM);
	else if (row_uj)
		play->played.begin_ns = t_ns;
	play->edge = i;
	play->has_edge = row_uj != NULL;
	play->edge_ns = t_ns;
	if (row_uj)
		memcpy(play->edge_uj, row_uj, play->played.truth.n * sizeof(*row_uj));
}

/* Edges from @from on; those of which nothing is known any more first, if any. */
static int gather_some(struct play *play, uint64_t from, size_t *ret_n, struct es_error *err)
{
	int64_t t_ns[ES_TWIN_TIMES_MAX];
	size_t n = 0, lost = 0;
	int r = es_twin_player_edges(&play->player, from, t_ns, &n, err);

	if (r < 0)
		return r;
	while (lost < n && t_ns[lost] == INT64_MIN)
		take_edge(play, from + lost++, 0, NULL);
	r = es_twin_truth_at(&play->played.truth, t_ns + lost, n - lost, play->rows_uj, err);
	if (r < 0 && r != -ENODATA)
		return r;
	for (size_t i = lost; i < n; i++)
		take_edge(play, from + i, t_ns[i],
			  r == 0 ? play->rows_uj + (i - lost) * play->played.truth.n : NULL);
	*ret_n = n;
	return 0;
}

/* All that is known by now: the twin does not remember it for ever. */
static int gather(struct play *play, bool is_first, struct es_error *err)
{
	uint64_t from = is_first ? 0 : play->edge + 1;
	size_t n = ES_TWIN_TIMES_MAX;
	int r = 0;

	/* A twin keeps fewer than that: what tells more without end is none. */
	for (unsigned i = 0; r == 0 && n == ES_TWIN_TIMES_MAX && i < ROUNDS_MAX; i++) {
		r = gather_some(play, from, &n, err);
		from += n;
	}
	return r;
}

/* What it was at when it was ended: the edge that was gathered last is the phase's beginning, but where one passed meanwhile. */
static int gather_rest(struct play *play, struct es_error *err)
{
	int64_t now_ns = 0;
	int r = 0;

	do {
		r = es_twin_player_ask(&play->player, &play->state, err);
		now_ns = es_clock_boot_ns();
		if (r == 0)
			r = gather(play, false, err);
	} while (r == 0 && !play->state.is_done && play->edge != play->state.n_done &&
		 now_ns < play->played.end_ns + PATIENCE_NS);
	if (r < 0 || play->state.is_done)
		return r;
	r = es_twin_truth_at(&play->played.truth, &now_ns, 1, play->rows_uj, err);
	if (r < 0 && r != -ENODATA)
		return r;
	account(play, now_ns, r == 0 ? play->rows_uj : NULL, play->state.share_ppm);
	play->played.end_ns = now_ns;
	return 0;
}

static void show_line(const struct play *play)
{
	const struct es_twin_play_state *state = &play->state;
	int64_t end_ns = state->end_ns < play->until_ns ? state->end_ns : play->until_ns;
	int64_t left_ns = end_ns - es_clock_boot_ns();
	const char *name = play->program.phases[state->phase].name;
	char left[ES_QUANTITY_TEXT_BYTES] = "less than 1 s", total[24] = "";

	if (left_ns >= ES_NS_PER_S)
		(void)es_duration_text(left_ns / ES_NS_PER_S * ES_NS_PER_S, left);
	/* With --for it ends where it ends: how often it could be played says nothing. */
	if (play->until_ns == INT64_MAX)
		(void)snprintf(total, sizeof(total), "/%" PRIu64,
			       play->program.n * play->program.repeats);
	(void)fprintf(stderr, "\r\033[K%" PRIu64 "%s %s %d %%, %s to go", state->n_done + 1, total,
		      name[0] ? name : "-", (int)(state->share_ppm / 10000), left);
}

static bool was_interrupted(struct play *play)
{
	struct signalfd_siginfo info;

	if (read(play->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return false;
	play->played.signal = (int)info.ssi_signo;
	return true;
}

static int follow(struct play *play, struct es_error *err)
{
	int64_t mean_ns = es_twin_program_reference_ns(&play->program) /
			  (int64_t)(play->program.n * play->program.repeats);
	/* Often enough that no edge is forgotten meanwhile. */
	int64_t look_ns = (mean_ns < ES_NS_PER_S ? mean_ns : ES_NS_PER_S) * EDGES_AT_ONCE;
	bool has_line = isatty(STDERR_FILENO);
	int r = es_twin_player_ask(&play->player, &play->state, err);

	if (r == 0)
		r = gather(play, true, err);
	while (r == 0 && !play->state.is_done && !was_interrupted(play)) {
		int64_t now_ns = es_clock_boot_ns(), wake_ns = now_ns + look_ns;

		if (now_ns >= play->until_ns)
			break;
		if (wake_ns > play->until_ns)
			wake_ns = play->until_ns;
		if (has_line && play->state.phase < play->program.n)
			show_line(play);
		if (has_line && wake_ns > now_ns + LINE_NS)
			wake_ns = now_ns + LINE_NS;
		r = es_twin_player_wait(&play->player, play->signal_fd, wake_ns, &play->state, err);
		if (r == 0)
			r = gather(play, false, err);
	}
	if (has_line)
		(void)fprintf(stderr, "\r\033[K");
	if (r < 0)
		return r;
	play->played.is_done = play->state.is_done;
	play->played.end_ns = play->state.is_done ? play->state.end_ns : es_clock_boot_ns();
	return play->state.is_done ? 0 : gather_rest(play, err);
}

/* Of a workload that is played for @dur_ns: more often than it will be. */
static uint64_t endless(const struct es_twin_program *program)
{
	int64_t once_ns;
	uint64_t most;

	once_ns = es_twin_program_reference_ns(program) / (int64_t)program->repeats;
	most = (uint64_t)(ES_TIME_MAX_NS / 2 / once_ns);
	return most < ES_TWIN_REPEATS_MAX ? most : ES_TWIN_REPEATS_MAX;
}

struct wishes {
	const char *mount, *repeats, *dur;
	bool wants_json, wants_list;
};

static int take_wishes(struct play *play, const struct wishes *wishes)
{
	int64_t dur_ns = 0;
	uint64_t repeats = 0;

	if (wishes->repeats && (es_parse_u64(wishes->repeats, &repeats) < 0 || repeats == 0 ||
				repeats > ES_TWIN_REPEATS_MAX))
		return es_complain(COMMAND, ES_EXIT_USAGE,
				   "--repeat '%s': a number from 1 to %u is wanted",
				   wishes->repeats, ES_TWIN_REPEATS_MAX);
	if (wishes->dur && (es_parse_duration_ns(wishes->dur, &dur_ns) < 0 || dur_ns <= 0 ||
			    dur_ns > ES_TWIN_PHASE_MAX_NS))
		return es_complain(COMMAND, ES_EXIT_USAGE,
				   "--for '%s': a time is wanted: 30s, 5min, at most a year",
				   wishes->dur);
	if (repeats)
		play->program.repeats = repeats;
	else if (dur_ns)
		play->program.repeats = endless(&play->program);
	if (es_twin_program_reference_ns(&play->program) >= ES_TIME_MAX_NS)
		return es_complain(COMMAND, ES_EXIT_USAGE,
				   "--repeat '%s': all of it takes longer than 146 years",
				   wishes->repeats);
	play->until_ns = dur_ns ? es_clock_boot_ns() + dur_ns : INT64_MAX;
	return ES_EXIT_OK;
}

static int do_play(struct play *play, bool wants_json)
{
	struct es_error err = { .code = 0 };
	int r = prepare(play, &err);

	if (r == 0) {
		r = watch_signals(play);
		if (r < 0)
			return es_complain(COMMAND, ES_EXIT_FAILURE, "signals: %s", es_strerror(r));
	}
	if (r == 0)
		r = es_twin_player_begin(play->mount, &play->program, &play->player, &err);
	if (r == 0)
		r = follow(play, &err);
	es_twin_player_close(&play->player); /* the load ends here, before anything is said */
	if (r < 0)
		return es_complain(COMMAND, ES_EXIT_FAILURE, "%s", err.text);
	r = es_twin_played_show(&play->played, wants_json);
	return r == ES_EXIT_OK && play->played.signal ? 128 + play->played.signal : r;
}

static int list(void)
{
	struct es_buf out;
	int status;

	es_buf_init(&out, 1U << 16);
	(void)es_twin_workloads_put(&out);
	status = es_put_out(COMMAND, &out);
	es_buf_finish(&out);
	return status;
}

static int play_workload(const char *workload, const struct wishes *wishes)
{
	struct play play = { .workload = workload,
			     .signal_fd = -1,
			     .player = { .fd = -1 },
			     .played = { .truth = { .fd = -1 } } };
	char mount[ES_PATH_MAX_BYTES];
	struct es_error err = { .code = 0 };
	int status;

	/* What is wrong with the workload is told before anything is asked of a twin. */
	if (es_twin_workload_read(workload, &play.program, &err) < 0)
		return es_complain(COMMAND, ES_EXIT_FAILURE, "%s", err.text);
	status = take_wishes(&play, wishes);
	if (status == ES_EXIT_OK)
		status = es_twin_find(COMMAND, wishes->mount, mount);
	play.mount = mount;
	play.played.program = &play.program;
	play.played.workload = workload;
	play.played.mount = mount;
	if (status == ES_EXIT_OK)
		status = do_play(&play, wishes->wants_json);
	finish(&play);
	return status;
}

int es_twin_cmd_play(int argc, char **argv)
{
	struct wishes wishes = { .mount = NULL };
	const struct es_option options[] = {
		{ "for", "TIME", "as often as it takes, and end after TIME", ES_OPTION_TEXT,
		  &wishes.dur },
		{ "json", NULL, "what it took, as JSON (energyscopium.twin-play/1)", ES_OPTION_FLAG,
		  &wishes.wants_json },
		{ "list", NULL, "the built-in workloads", ES_OPTION_FLAG, &wishes.wants_list },
		ES_TWIN_MOUNT_OPTION(&wishes.mount),
		{ "repeat", "N", "play it N times (default: what it says itself)", ES_OPTION_TEXT,
		  &wishes.repeats },
	};
	const struct es_usage usage = {
		.command = COMMAND,
		.synopsis = "[OPTION]… WORKLOAD",
		.text = "Keeps a twin busy with WORKLOAD: a file, '-' (standard input), or a built-in one by name;\n"
			"and tells what each phase took in time and true energy. A line of a file is a phase:\n\n"
			"  NAME LENGTH PART=SHARE… [KEY=VALUE…]    solve 5s cpu=40% memory=60% cores=32\n\n"
			"Parts: cpu, memory, gpu, gpu-memory, communication, idle. See energyscopium-twin(1).\n"
			"Ctrl-C ends the load.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};
	int first, status = es_options_parse(&usage, argc, argv, &first);

	if (status >= 0)
		return status;
	if (wishes.wants_list)
		return list();
	if (first >= argc)
		return es_complain(COMMAND, ES_EXIT_USAGE,
				   "a workload is missing: a file, or one that --list shows");
	if (first + 1 < argc)
		return es_complain(COMMAND, ES_EXIT_USAGE, "'%s' is one too many", argv[first + 1]);
	return play_workload(argv[first], &wishes);
}
