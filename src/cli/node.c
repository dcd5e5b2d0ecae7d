/*
 * node.c - energyscopium node: what all recordings of this machine are to do
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/parse.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/daemonlink.h"
#include "cli/recorders.h"
#include "ipc/client.h"

#define ANSWER_NS (2 * ES_NS_PER_S) /* for one answer */
#define PATIENCE_NS (30 * ES_NS_PER_S) /* for drivers to be closed */
#define AGAIN_US 20000
#define SILENT_MAX \
	4U /* of one user: whoever has so many that do not answer holds up nobody longer */

enum state {
	STATE_ABSENT, /* nobody listens any more */
	STATE_FAILED,
	STATE_PENDING,
	STATE_DONE,
};

/* One recorder, and what it said last. */
struct asked {
	const struct es_recorder_at *at;
	bool is_daemon; /* this node's, wherever its socket is */
	enum state state;
	bool is_silent;
	char job[ES_NAME_MAX_BYTES], text[ES_TEXT_MAX_BYTES];
};

struct node {
	bool wants_json, is_release;
	const char *for_text, *daemon;
	int64_t for_ns; /* 0: until taken */
	struct es_recorder_at *recorders;
	struct asked *asked;
	size_t n;
	bool is_cut; /* there are more */
};

static void fail(struct asked *asked, const char *words)
{
	asked->state = STATE_FAILED;
	(void)snprintf(asked->text, sizeof(asked->text), "%s", words);
}

static void take_answer(struct asked *asked, const struct es_ipc_message *answer)
{
	if (answer->type != ES_IPC_ANSWER) {
		fail(asked, "it answers something else");
		return;
	}
	if (!asked->is_daemon)
		(void)snprintf(asked->job, sizeof(asked->job), "%s", answer->name);
	(void)snprintf(asked->text, sizeof(asked->text), "%.1000s", answer->text);
	if (answer->value == ES_IPC_OK)
		asked->state = STATE_DONE;
	else if (answer->value == ES_IPC_PENDING)
		asked->state = STATE_PENDING;
	else if (answer->value == ES_IPC_BAD_TYPE)
		fail(asked, "it is of an older version, which lets nothing go: end it");
	else
		asked->state = STATE_FAILED;
}

static void ask(const struct node *node, struct asked *asked)
{
	const struct es_ipc_message question = {
		.type = node->is_release ? ES_IPC_RELEASE : ES_IPC_TAKE,
		.number = 1,
		.value = node->is_release ? node->for_ns : 0,
		.name = "gpu",
	};
	struct es_ipc_message answer = { .type = 0 };
	es_cleanup(es_closep) int fd = -1;
	struct es_error why = { .code = 0 };
	int r = asked->is_daemon
			? es_daemonlink_open(node->daemon, ANSWER_NS, &fd, NULL, &why)
			: es_ipc_connect_to(asked->at->path, asked->at->uid, ANSWER_NS, &fd);

	if (r == -ECONNREFUSED || r == -ENOENT) {
		asked->state = STATE_ABSENT;
		return;
	}
	if (r == 0)
		r = es_ipc_send(fd, &question);
	if (r == 0)
		r = es_ipc_receive(fd, es_clock_mono_ns() + ANSWER_NS, &answer);
	asked->is_silent = r == -ETIMEDOUT;
	if (r < 0 && why.text[0])
		fail(asked, why.text);
	else if (r < 0)
		fail(asked, r == -ETIMEDOUT ? "it does not answer" : es_strerror(r));
	else
		take_answer(asked, &answer);
}

/* Those that are not done yet. A user's recorders lie one behind the other. Returns how many are left. */
static size_t ask_each(struct node *node)
{
	unsigned n_silent = 0;
	size_t n_pending = 0;

	for (size_t i = 0; i < node->n; i++) {
		struct asked *asked = &node->asked[i];

		if (i > 0 && asked->at->uid != node->asked[i - 1].at->uid)
			n_silent = 0;
		if (asked->state == STATE_PENDING && n_silent < SILENT_MAX)
			ask(node, asked);
		else if (asked->state == STATE_PENDING)
			fail(asked, "not asked: others of this user do not answer");
		n_silent += asked->is_silent;
		n_pending += asked->state == STATE_PENDING;
	}
	return n_pending;
}

/* All of them, until each has said that it is done. */
static void ask_all(struct node *node)
{
	int64_t until_ns = es_clock_mono_ns() + PATIENCE_NS;

	for (size_t i = 0; i < node->n; i++)
		node->asked[i].state = STATE_PENDING;
	while (ask_each(node) && es_clock_mono_ns() < until_ns)
		(void)usleep(AGAIN_US);
	for (size_t i = 0; i < node->n; i++)
		if (node->asked[i].state == STATE_PENDING)
			fail(&node->asked[i], "its driver does not close: end the process");
}

static const char *state_name(const struct node *node, const struct asked *asked)
{
	if (asked->state != STATE_DONE)
		return "failed";
	return node->is_release ? "released" : "taken";
}

static void put_json(const struct node *node, struct es_buf *out)
{
	struct es_json json;

	es_json_init(&json, es_json_sink_buf, out, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", "energyscopium.node/1");
	es_json_string(&json, "action", node->is_release ? "release" : "take");
	es_json_string(&json, "what", "gpu");
	if (node->is_release && node->for_ns)
		es_json_decimal(&json, "for_s", node->for_ns, 9);
	else
		es_json_null(&json, "for_s");
	es_json_array(&json, "recorders");
	for (size_t i = 0; i < node->n; i++) {
		const struct asked *asked = &node->asked[i];

		if (asked->state == STATE_ABSENT)
			continue;
		es_json_object(&json, NULL);
		es_json_i64(&json, "pid", asked->at->pid);
		es_json_u64(&json, "uid", asked->at->uid);
		es_json_string(&json, "job", asked->job[0] ? asked->job : NULL);
		es_json_string(&json, "state", state_name(node, asked));
		es_json_string(&json, "text", asked->text);
		es_json_object_end(&json);
	}
	es_json_array_end(&json);
	es_json_object_end(&json);
	out->error = es_json_end(&json);
}

static void put_words(const struct node *node, struct es_buf *out)
{
	size_t n_there = 0, from = out->len;

	for (size_t i = 0; i < node->n; i++) {
		const struct asked *asked = &node->asked[i];

		if (asked->state == STATE_ABSENT)
			continue;
		if (n_there++ == 0)
			(void)es_buf_printf(out, "%10s %10s  %-24s %s\n", "process", "uid", "job",
					    "now");
		(void)es_buf_printf(out, "%10d %10u  %-24s %s: %s\n", (int)asked->at->pid,
				    (unsigned)asked->at->uid, asked->job[0] ? asked->job : "?",
				    state_name(node, asked), asked->text);
	}
	if (n_there == 0)
		(void)es_buf_printf(out, "nobody records here%s: nothing is held\n",
				    geteuid() == 0 ? "" : " as this user");
	else if (geteuid() != 0)
		(void)es_buf_str(out, "recorders of other users hear root only\n");
	if (es_buf_u8(out, 0) == 0) {
		es_text_make_safe((char *)out->data + from, true);
		out->len--;
	}
}

/* Whose process it is; the daemon is asked anew each time, as the others are. */
static void find_daemon(struct node *node, struct asked *asked, struct es_recorder_at *at)
{
	es_cleanup(es_closep) int fd = -1;
	struct es_error why = { .code = 0 };
	struct ucred cred = { .pid = 0 };
	socklen_t size = sizeof(cred);
	int r = es_daemonlink_open(node->daemon, ANSWER_NS, &fd, NULL, &why);

	if (r == -ENOENT || r == -ECONNREFUSED)
		return;
	if (fd >= 0)
		(void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size);
	at->pid = cred.pid;
	at->uid = cred.uid;
	asked->is_daemon = true;
	(void)snprintf(asked->job, sizeof(asked->job), "energyscopiumd");
	node->n++;
}

static int act(struct node *node)
{
	struct es_buf out;
	int status;

	/* The daemon comes last. */
	node->recorders = calloc(ES_RECORDERS_MAX + 1, sizeof(*node->recorders));
	node->asked = calloc(ES_RECORDERS_MAX + 1, sizeof(*node->asked));
	if (!node->recorders || !node->asked)
		return es_complain("node", ES_EXIT_FAILURE, "out of memory");
	node->n = es_recorders_list(node->recorders, &node->is_cut);
	for (size_t i = 0; i <= node->n; i++)
		node->asked[i].at = &node->recorders[i];
	find_daemon(node, &node->asked[node->n], &node->recorders[node->n]);
	ask_all(node);
	es_buf_init(&out, 16U << 20);
	if (node->wants_json)
		put_json(node, &out);
	else
		put_words(node, &out);
	status = es_put_out("node", &out);
	es_buf_finish(&out);
	for (size_t i = 0; i < node->n; i++)
		if (node->asked[i].state == STATE_FAILED)
			status = es_complain("node", ES_EXIT_FAILURE, "process %d: %s",
					     (int)node->recorders[i].pid, node->asked[i].text);
	if (node->is_cut)
		status = es_complain(
			"node", ES_EXIT_FAILURE,
			"not all were asked: a folder has more than %u sockets, or all have more than %u",
			ES_RECORDERS_OF_ONE_MAX, ES_RECORDERS_MAX);
	return status;
}

static int check(struct node *node, int argc, char **argv)
{
	if (argc < 1 || (strcmp(argv[0], "release") != 0 && strcmp(argv[0], "take") != 0))
		return es_complain(
			"node", ES_EXIT_USAGE, "%s%s; say release or take",
			argc < 1 ? "nothing to do" : "unknown action: ", argc < 1 ? "" : argv[0]);
	node->is_release = strcmp(argv[0], "release") == 0;
	if (argc != 2 || strcmp(argv[1], "gpu") != 0)
		return es_complain("node", ES_EXIT_USAGE, "%s what? say gpu", argv[0]);
	if (!node->for_text)
		return -1;
	if (!node->is_release)
		return es_complain("node", ES_EXIT_USAGE, "--for goes with release");
	if (es_parse_duration_ns(node->for_text, &node->for_ns) < 0 || node->for_ns <= 0 ||
	    node->for_ns > 366 * 86400 * ES_NS_PER_S)
		return es_complain("node", ES_EXIT_USAGE,
				   "--for %s: a time of up to a year, such as 10m", node->for_text);
	return -1;
}

int es_cmd_node(int argc, char **argv)
{
	struct node node = { .for_text = NULL };
	const struct es_option options[] = {
		{ "for", "TIME", "have them again after that time (10m, 2h); else when told to",
		  ES_OPTION_TEXT, &node.for_text },
		ES_DAEMON_OPTION(&node.daemon),
		{ "json", NULL, "print energyscopium.node/1", ES_OPTION_FLAG, &node.wants_json },
	};
	const struct es_usage usage = {
		.command = "node",
		.synopsis = "release gpu [--for TIME] [--json] | take gpu [--json]",
		.text = "Lets go of this machine's GPUs: every recording closes the drivers' libraries and devices,\n"
			"so that MIG can be changed, GPUs be reset and drivers be replaced. Recordings go on\n"
			"without GPUs, and the gap is marked. 'take' has them again. Root reaches the recordings\n"
			"of all users. This node's daemon lets go as well, for root and its group.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};
	int first, status = es_options_parse(&usage, argc, argv, &first);

	if (status < 0)
		status = check(&node, argc - first, argv + first);
	if (status < 0)
		status = act(&node);
	free(node.recorders);
	free(node.asked);
	return status;
}
