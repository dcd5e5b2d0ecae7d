/*
 * tags.c - the recording's side of 'energyscopium tag': hears them, judges them, writes them down
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/tags.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/control.h"
#include "format/regions.h"
#include "ipc/address.h"
#include "record/event.h"

#define N_BUCKETS 1024U
/* Who floods us costs at most some 5 % of a CPU: more than so many in a while wait for the next. */
#define ROUND_NS (10 * ES_NS_PER_MS)
#define ROUND_MESSAGES 100
#define LAST_WORDS_NS (100 * ES_NS_PER_MS)
/* A report holds so many calls, two of which every recording has by itself. */
#define TAGS_MAX (ES_REGION_CALLS_MAX - 2U)

/* A name that is open: how often it was started and not yet stopped. */
struct open_tag {
	struct open_tag *next;
	uint32_t depth;
	char name[];
};

struct es_tags {
	struct es_measure_hook hook;
	struct es_ipc_listener *listener;
	struct es_recorder *recorder; /* while the hook is called */
	char folder[ES_IPC_PATH_MAX_BYTES]; /* to be removed; "": none */
	struct es_release *release; /* NULL: none */
	const struct es_tags_about *about; /* NULL: a command is measured, and ends by itself */
	bool is_waited_for;
	int64_t round_ns; /* monotonic: when this while began */
	int n_served; /* in it */
	int64_t start_ns;
	uint32_t n_starts, n_open;
	struct open_tag *buckets[N_BUCKETS];
};

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv */
static struct open_tag **find(struct es_tags *tags, const char *name)
{
	uint32_t hash = 2166136261U;
	struct open_tag **at;

	for (const char *p = name; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619U;
	at = &tags->buckets[hash % N_BUCKETS];
	while (*at && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	return at;
}

static void answer_with(struct es_ipc_message *answer, enum es_ipc_verdict verdict,
			const char *words)
{
	answer->value = verdict;
	(void)snprintf(answer->text, sizeof(answer->text), "%s", words);
}

/* The name has one start more; false where that is too many, and is answered. */
static bool note_start(struct es_tags *tags, const char *name, struct es_ipc_message *answer)
{
	struct open_tag **at = find(tags, name), *tag = *at;

	if (tags->n_starts >= TAGS_MAX) {
		answer_with(answer, ES_IPC_TOO_MANY, "this recording has a million tags already");
		return false;
	}
	if (!tag) {
		size_t n = strlen(name) + 1;

		tag = tags->n_open < ES_TAGS_OPEN_MAX ? malloc(sizeof(*tag) + n) : NULL;
		if (!tag) {
			answer_with(answer, ES_IPC_TOO_MANY, "too many names are open");
			return false;
		}
		tag->next = NULL;
		tag->depth = 0;
		memcpy(tag->name, name, n);
		*at = tag;
		tags->n_open++;
	}
	tag->depth++;
	tags->n_starts++;
	return true;
}

static bool note_stop(struct es_tags *tags, const char *name, struct es_ipc_message *answer)
{
	struct open_tag **at = find(tags, name), *tag = *at;

	if (!tag) {
		answer_with(answer, ES_IPC_NOT_OPEN, "it was not started, or stopped already");
		return false;
	}
	if (--tag->depth == 0) {
		*at = tag->next;
		free(tag);
		tags->n_open--;
	}
	return true;
}

/*
 * The stamp of who sent it, made at the edge itself. A clock that shows the future, or a time before the recording,
 * is none of this machine's as we see it (a time namespace): then the time of arrival is nearer to the truth.
 */
static int64_t judge_time(const struct es_tags *tags, int64_t t_ns, int64_t now_ns,
			  struct es_ipc_message *answer)
{
	if (t_ns >= tags->start_ns && t_ns <= now_ns)
		return t_ns;
	answer_with(
		answer, ES_IPC_MOVED,
		t_ns > now_ns
			? "its time is in the future: recorded with the time of its arrival"
			: "its time is before the recording: recorded with the time of its arrival");
	return now_ns;
}

void es_tags_mark(struct es_tags *tags, struct es_recorder *recorder, int64_t now_ns,
		  const struct es_ipc_message *message, struct es_ipc_message *answer)
{
	bool is_start = message->type == ES_IPC_TAG_START;
	const char *problem = es_ipc_name_problem(message->name);
	struct es_event event = { .type = is_start ? ES_EVENT_TAG_START : ES_EVENT_TAG_STOP };
	int r;

	if (problem) {
		answer_with(answer, ES_IPC_BAD_NAME, problem);
		return;
	}
	if (!(is_start ? note_start(tags, message->name, answer)
		       : note_stop(tags, message->name, answer)))
		return;
	event.t_ns = judge_time(tags, message->t_ns, now_ns, answer);
	answer->t_ns = event.t_ns;
	memcpy(event.text, message->name, sizeof(event.text));
	r = es_recorder_event(recorder, &event);
	if (r < 0)
		answer_with(answer, ES_IPC_LOST, es_strerror(r));
}

static void tell_about(const struct es_tags_about *about, struct es_ipc_message *answer)
{
	answer->type = ES_IPC_STATUS_IS;
	answer->t_ns = about->start_unix_ns;
	answer->value = getpid();
	(void)snprintf(answer->name, sizeof(answer->name), "%s", about->job);
	(void)snprintf(answer->text, sizeof(answer->text), "%s", about->recording);
}

/* Answered by es_tags_tell_end(). */
static void take_end(struct es_tags *tags, struct es_ipc_message *answer)
{
	answer->type = 0;
	tags->is_waited_for = true;
	if (tags->hook.over_ns == 0)
		tags->hook.over_ns = es_clock_boot_ns();
}

static void on_message(void *arg, const struct es_ipc_peer *peer,
		       const struct es_ipc_message *message, struct es_ipc_message *answer)
{
	struct es_tags *tags = arg;

	if ((message->type == ES_IPC_RELEASE || message->type == ES_IPC_TAKE) && tags->release)
		es_release_handle(tags->release, tags->recorder, peer, message, answer);
	else if (message->type != ES_IPC_STATUS && message->type != ES_IPC_END && !tags->recorder)
		answer_with(answer, ES_IPC_LOST, "the recording has ended");
	else if (message->type == ES_IPC_TAG_START || message->type == ES_IPC_TAG_STOP)
		es_tags_mark(tags, tags->recorder, es_clock_boot_ns(), message, answer);
	else if (message->type == ES_IPC_STATUS && tags->about)
		tell_about(tags->about, answer);
	else if (message->type == ES_IPC_END && tags->about)
		take_end(tags, answer);
	else
		answer_with(answer, ES_IPC_BAD_TYPE, "a command that is measured hears only tags");
}

static void on_ready(struct es_measure_hook *hook, struct es_recorder *recorder, short revents)
{
	struct es_tags *tags = hook->arg;
	int64_t now_ns = es_clock_mono_ns();

	(void)revents;
	tags->recorder = recorder;
	tags->n_served += es_ipc_listener_serve(tags->listener, now_ns);
	tags->recorder = NULL;
	if (now_ns - tags->round_ns >= ROUND_NS) {
		tags->round_ns = now_ns;
		tags->n_served = 0;
	}
	hook->fd = es_ipc_listener_fd(tags->listener);
	hook->next_ns = es_ipc_listener_next_ns(tags->listener);
	if (tags->n_served < ROUND_MESSAGES)
		return;
	hook->fd = -1; /* not looked at until the next while */
	hook->next_ns = tags->round_ns + ROUND_NS;
}

/* Who sends without end is not heard any longer. */
static void serve_last(struct es_tags *tags)
{
	int64_t until_ns = es_clock_mono_ns() + LAST_WORDS_NS;
	int n;

	do
		n = es_ipc_listener_serve(tags->listener, es_clock_mono_ns());
	while (n > 0 && es_clock_mono_ns() < until_ns);
}

/* What was sent before the command ended counts, too. */
static void on_end(struct es_measure_hook *hook, struct es_recorder *recorder, int64_t stop_ns)
{
	struct es_tags *tags = hook->arg;

	(void)stop_ns;
	tags->recorder = recorder;
	serve_last(tags);
	tags->recorder = NULL;
}

int es_tags_create(int64_t start_ns, struct es_tags **ret)
{
	struct es_tags *tags = calloc(1, sizeof(*tags));

	if (!tags)
		return -ENOMEM;
	tags->start_ns = start_ns;
	tags->hook = (struct es_measure_hook){ .fd = -1,
					       .events = POLLIN,
					       .next_ns = INT64_MAX,
					       .handle = on_ready,
					       .finish = on_end,
					       .arg = tags };
	*ret = tags;
	return 0;
}

int es_tags_listen(struct es_tags *tags, const char *path, struct es_error *err)
{
	int r = es_ipc_listen(path, on_message, tags, &tags->listener, err);

	if (r == 0)
		tags->hook.fd = es_ipc_listener_fd(tags->listener);
	return r;
}

int es_tags_listen_in_background(struct es_tags *tags, const char *path,
				 const struct es_tags_about *about, struct es_error *err)
{
	tags->about = about;
	return es_tags_listen(tags, path, err);
}

bool es_tags_tell_end(struct es_tags *tags, enum es_ipc_verdict verdict, const char *words)
{
	struct es_ipc_message answer = { .type = ES_IPC_ANSWER };

	answer_with(&answer, verdict, words);
	/* Who asks only now, when all is written, is answered too. */
	serve_last(tags);
	es_ipc_listener_tell(tags->listener, &answer);
	return tags->is_waited_for;
}

static int listen_at(struct es_tags *tags, const char *path, struct es_error *err)
{
	int r = es_tags_listen(tags, path, err);

	if (r < 0 || setenv(ES_IPC_VARIABLE, path, 1) == 0)
		return r;
	r = es_error_set(err, -errno, "environment");
	es_ipc_listener_close(tags->listener);
	tags->listener = NULL;
	tags->hook.fd = -1;
	return r;
}

static int listen_in_new_folder(struct es_tags *tags, unsigned i, struct es_error *err)
{
	char path[ES_IPC_PATH_MAX_BYTES + 8];
	int r = es_ipc_make_folder(i, tags->folder);

	if (r < 0)
		return es_error_set(err, r, "no folder for its socket");
	(void)snprintf(path, sizeof(path), "%s/run", tags->folder);
	r = listen_at(tags, path, err);
	if (r < 0) {
		es_ipc_listener_close(tags->listener);
		tags->listener = NULL;
		tags->hook.fd = -1;
		(void)rmdir(tags->folder);
		tags->folder[0] = '\0';
	}
	return r;
}

/*
 * Best in the user's own folder, where a next one finds and removes what a killed one left. A folder may be there and
 * take no sockets (some network file systems), or not be ours: then the next is tried, at last a new one.
 */
int es_tags_listen_for_command(struct es_tags *tags, struct es_error *err)
{
	char path[ES_IPC_PATH_MAX_BYTES];
	int r = -ENOENT;

	for (unsigned i = 0; r < 0 && i < ES_IPC_N_CONTROL_FOLDERS; i++) {
		r = es_control_run_socket(i, path, NULL);
		if (r == 0)
			r = listen_at(tags, path, NULL);
	}
	for (unsigned i = 0; r < 0 && i < ES_IPC_N_FOLDERS; i++)
		r = listen_in_new_folder(tags, i, err);
	return r;
}

void es_tags_release(struct es_tags *tags, struct es_release *release)
{
	tags->release = release;
}

struct es_measure_hook *es_tags_hook(struct es_tags *tags)
{
	return &tags->hook;
}

void es_tags_destroy(struct es_tags *tags)
{
	if (!tags)
		return;
	es_ipc_listener_close(tags->listener);
	if (tags->folder[0])
		(void)rmdir(tags->folder);
	for (size_t i = 0; i < N_BUCKETS; i++) {
		for (struct open_tag *tag = tags->buckets[i], *next; tag; tag = next) {
			next = tag->next;
			free(tag);
		}
	}
	free(tags);
}
