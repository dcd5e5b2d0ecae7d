/*
 * tag.c - energyscopium tag: mark regions of what is measured, from a script
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/child.h"
#include "cli/command.h"
#include "cli/control.h"
#include "cli/daemonlink.h"
#include "cli/run.h"
#include "ipc/client.h"

#define PATIENCE_NS ES_NS_PER_S /* for a recorder that does not answer */

/* One edge, and what came of it. */
struct edge {
	uint16_t type; /* ES_IPC_TAG_START or _STOP */
	int64_t t_ns; /* boot clock; once recorded: as recorded */
	bool is_recorded;
	struct es_error problem; /* text "": none */
};

struct tag {
	bool wants_json;
	const char *name;
	char *const *command;
	struct edge edges[2];
	size_t n_edges;
};

static void take_answer(struct edge *edge, const struct es_ipc_message *answer)
{
	if (answer->type != ES_IPC_ANSWER) {
		(void)es_error_say(&edge->problem, -EPROTO, "its recorder answers something else");
		return;
	}
	edge->is_recorded = answer->value == ES_IPC_OK || answer->value == ES_IPC_MOVED;
	if (edge->is_recorded)
		edge->t_ns = answer->t_ns;
	if (answer->value != ES_IPC_OK)
		(void)es_error_say(&edge->problem, -EIO, "%.500s", answer->text);
}

static int say_edge(int fd, const char *name, uint32_t number, struct edge *edge)
{
	struct es_ipc_message message = { .type = edge->type,
					  .number = number,
					  .t_ns = edge->t_ns };
	int r;

	memcpy(message.name, name, strlen(name) + 1); /* its length was checked */
	r = es_ipc_send(fd, &message);
	if (r < 0)
		return es_error_set(&edge->problem, r, "its recorder cannot be told");
	return 0;
}

static void hear_answer(int fd, uint32_t number, int64_t until_ns, struct edge *edge)
{
	struct es_ipc_message answer;
	int r;

	do
		r = es_ipc_receive(fd, until_ns, &answer);
	while (r == 0 && answer.number != number && es_clock_mono_ns() < until_ns);
	if (r == 0 && answer.number != number)
		r = -ETIMEDOUT; /* it says other things without end */
	if (r == 0)
		take_answer(edge, &answer);
	else if (r == -ETIMEDOUT)
		(void)es_error_say(
			&edge->problem, r,
			"its recorder has not answered within a second; it may be recorded later");
	else if (r == -EPIPE)
		(void)es_error_say(&edge->problem, r, "its recorder ended meanwhile");
	else
		(void)es_error_set(&edge->problem, r, "the answer of its recorder");
}

/* What a script does must not depend on being measured: nothing here is more than a warning. */
static void warn_of(const char *name, const struct edge *edge)
{
	bool is_start = edge->type == ES_IPC_TAG_START;

	if (edge->problem.text[0] == '\0')
		return;
	(void)es_complain("tag", 0, "'%s': its %s is %s: %s", name, is_start ? "start" : "stop",
			  edge->is_recorded		     ? "recorded"
			  : edge->problem.code == -ETIMEDOUT ? "not confirmed"
							     : "not recorded",
			  edge->problem.text);
}

static void put_edge(struct es_json *json, const char *key, const struct tag *tag, size_t i)
{
	const struct edge *edge = &tag->edges[i];
	char text[ES_TIME_TEXT_BYTES];
	int64_t offset_ns = es_clock_unix_ns() - es_clock_boot_ns();

	es_json_object(json, key);
	es_json_string(json, "time", es_time_rfc3339_us(edge->t_ns + offset_ns, text));
	es_json_bool(json, "recorded", edge->is_recorded);
	es_json_string(json, "problem", edge->problem.text[0] ? edge->problem.text : NULL);
	es_json_object_end(json);
}

static void put_json(const struct tag *tag, int fd, const int *exit_status)
{
	struct es_json json;

	es_json_init(&json, es_json_sink_fd, &fd, false);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", "energyscopium.tag/1");
	es_json_string(&json, "name", tag->name);
	for (size_t i = 0; i < tag->n_edges; i++)
		put_edge(&json, tag->edges[i].type == ES_IPC_TAG_START ? "start" : "stop", tag, i);
	if (exit_status)
		es_json_i64(&json, "exit_status", *exit_status);
	es_json_object_end(&json);
	(void)es_json_end(&json);
	(void)es_write_all(fd, "\n", 1);
}

/*
 * Who hears tags: a run or a recording of this user's, else the daemon, which has a recording of the job that we are
 * in. What the daemon says is told only where it is there.
 */
static int find_recorder(int *ret_fd, struct es_error *problem)
{
	const char *socket = getenv(ES_IPC_VARIABLE);
	struct es_error why = { .code = 0 };
	int r = es_control_connect(PATIENCE_NS, ret_fd, problem);

	if (r == 0 || (r != -EPERM && socket && *socket))
		return r;
	/* The variable may name the daemon's own socket: who listens there is another user. */
	if (es_daemonlink_open(socket && *socket ? socket : NULL, PATIENCE_NS, ret_fd, NULL,
			       &why) == 0) {
		*problem = (struct es_error){ .code = 0 };
		return 0;
	}
	if (why.code != -ENOENT && why.code != -ECONNREFUSED)
		*problem = why;
	return r;
}

/* @begun_ns: when this program began: a stop is that early. A start is as late as can be. */
static int mark_edge(struct tag *tag, uint16_t type, int64_t begun_ns)
{
	struct edge *edge = &tag->edges[tag->n_edges++];
	int64_t until_ns = es_clock_mono_ns() + PATIENCE_NS;
	es_cleanup(es_closep) int fd = -1;

	edge->type = type;
	if (find_recorder(&fd, &edge->problem) == 0) {
		edge->t_ns = type == ES_IPC_TAG_STOP ? begun_ns : es_clock_boot_ns();
		if (say_edge(fd, tag->name, 1, edge) == 0)
			hear_answer(fd, 1, until_ns, edge);
	} else {
		edge->t_ns = es_clock_boot_ns();
	}
	warn_of(tag->name, edge);
	if (tag->wants_json)
		put_json(tag, STDOUT_FILENO, NULL);
	return ES_EXIT_OK;
}

/* Until the command has ended; when it began is told to the recorder meanwhile. */
static int follow(struct tag *tag, struct es_child *child, int fd, int *ret_status)
{
	struct edge *start = &tag->edges[0];
	bool is_told = false;

	for (;;) {
		struct pollfd pollfds[] = { { .fd = child->signal_fd, .events = POLLIN },
					    { .fd = child->error_fd, .events = POLLIN } };
		bool has_ended;
		int started;

		(void)poll(pollfds, 2, -1);
		has_ended = es_child_handle(child, ret_status);
		tag->edges[1].t_ns = es_clock_boot_ns();
		started = es_child_started(child);
		if (started < 0)
			return started;
		if (started > 0 && !is_told && fd >= 0) {
			is_told = true;
			start->t_ns = child->exec_ns;
			(void)say_edge(fd, tag->name, 1, start);
		}
		if (has_ended)
			return 0;
	}
}

static int refuse_command(const struct tag *tag, int r)
{
	return es_complain("tag", r == -ENOENT ? ES_EXIT_NOT_FOUND : ES_EXIT_NOT_EXECUTABLE,
			   "'%s': %s", tag->command[0],
			   r == -ENOENT ? "command not found" : es_strerror(r));
}

static int mark_command(struct tag *tag)
{
	struct edge *start = &tag->edges[0], *stop = &tag->edges[1];
	es_cleanup(es_closep) int fd = -1;
	struct es_child child;
	int status, r, exit_status;

	tag->n_edges = 2;
	start->type = ES_IPC_TAG_START;
	stop->type = ES_IPC_TAG_STOP;
	if (find_recorder(&fd, &start->problem) < 0)
		stop->problem = start->problem;
	r = es_child_start(tag->command, NULL, &child);
	if (r == 0)
		r = es_child_release(&child);
	if (r < 0)
		return es_complain("tag", ES_EXIT_OWN, "cannot start a process: %s",
				   es_strerror(r));
	r = follow(tag, &child, fd, &status);
	es_child_finish(&child);
	if (r < 0)
		return refuse_command(tag, r);
	exit_status = es_child_exit_status(status);
	if (fd >= 0) {
		int64_t until_ns = es_clock_mono_ns() + PATIENCE_NS;

		if (say_edge(fd, tag->name, 2, stop) == 0) {
			hear_answer(fd, 1, until_ns, start);
			hear_answer(fd, 2, until_ns, stop);
		}
		warn_of(tag->name, stop);
	}
	warn_of(tag->name, start);
	if (tag->wants_json)
		put_json(tag, STDERR_FILENO, &exit_status);
	return exit_status;
}

static int usage_status(const char *what)
{
	return es_complain("tag", ES_EXIT_USAGE, "%s; see 'energyscopium tag --help'", what);
}

/* @argv: NAME, and for run a command behind it. */
static int do_action(struct tag *tag, const char *action, int argc, char **argv, int64_t begun_ns)
{
	bool is_run = strcmp(action, "run") == 0, is_start = strcmp(action, "start") == 0;
	int at = 1;

	if (!is_run && !is_start && strcmp(action, "stop") != 0)
		return es_complain("tag", ES_EXIT_USAGE,
				   "'%s': there are 'start', 'stop' and 'run'", action);
	if (argc < 1)
		return usage_status("a name is missing");
	tag->name = argv[0];
	if (es_ipc_name_problem(tag->name)) {
		char safe[301];

		(void)snprintf(safe, sizeof(safe), "%s", tag->name);
		es_text_make_safe(safe, false);
		return es_complain("tag", ES_EXIT_USAGE, "'%s': %s", safe,
				   es_ipc_name_problem(tag->name));
	}
	if (!is_run && argc > 1)
		return usage_status("more than one name");
	if (!is_run)
		return mark_edge(tag, is_start ? ES_IPC_TAG_START : ES_IPC_TAG_STOP, begun_ns);
	if (at < argc && strcmp(argv[at], "--") == 0)
		at++;
	if (at >= argc)
		return usage_status("a command is missing");
	tag->command = argv + at;
	return mark_command(tag);
}

int es_cmd_tag(int argc, char **argv)
{
	int64_t begun_ns = es_clock_boot_ns();
	struct tag tag = { .n_edges = 0 };
	const struct es_option options[] = {
		{ "json", NULL, "what was recorded as one JSON object (run: last line\nof stderr)",
		  ES_OPTION_FLAG, &tag.wants_json },
	};
	const struct es_usage usage = {
		.command = "tag",
		.synopsis = "[OPTION]… start NAME | stop NAME | run NAME -- COMMAND [ARGUMENT]…",
		.text = "Marks a region of what 'energyscopium run' or 'record' measures, else of the job that this\n"
			"node's daemon records: its energy gets a row in the report. Regions may nest, repeat and overlap. Where nothing is measured it warns,\n"
			"and ends with 0. 'run' ends with COMMAND's status (125: own failure, 126: not executable,\n"
			"127: not found).",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
		.stops_at_operand = true,
	};
	int action, first, status = es_options_parse(&usage, argc, argv, &action);

	if (status >= 0)
		return status;
	if (action >= argc)
		return usage_status("'start', 'stop' or 'run' is missing");
	status = es_options_parse(&usage, argc - action, argv + action, &first);
	if (status >= 0)
		return status;
	return do_action(&tag, argv[action], argc - action - first, argv + action + first,
			 begun_ns);
}
