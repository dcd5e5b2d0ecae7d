/*
 * twin_player.c - a program played on a twin, and exact energies, through its files
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/twin_player.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define ANSWER_MAX (4U << 20)
#define CHUNK_BYTES 3584U /* of a write: less than what any file system takes at once */
#define TIMES_AT_ONCE (CHUNK_BYTES / 24)
#define WAKE_NS ES_NS_PER_S

/* A file system whose server has ended answers so, at the first access or later. */
static bool is_end(int r)
{
	return r == -ENOTCONN || r == -ECONNABORTED || r == -ENODEV || r == -ENOENT;
}

static int fail(const char *mount, int r, struct es_error *err)
{
	if (is_end(r))
		return es_error_say(err, r, "the twin at '%s' is gone: %s", mount, es_strerror(r));
	return es_error_set(err, r, "the twin at '%s'", mount);
}

static int open_file(const char *mount, const char *name, int *ret_fd, struct es_error *err)
{
	char path[ES_PATH_MAX_BYTES];
	int fd;

	if (snprintf(path, sizeof(path), "%s/.twin/%s", mount, name) >= (int)sizeof(path))
		return es_error_set(err, -ENAMETOOLONG, "'%s'", mount);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno == EACCES ? es_error_set(err, -errno, "cannot open '%s'", path)
				       : fail(mount, -errno, err);
	*ret_fd = fd;
	return 0;
}

/* All of a file, from its beginning, NUL-terminated behind its length. */
static int read_file(int fd, struct es_buf *out)
{
	ssize_t n = 1;

	es_buf_reset(out);
	while (n > 0 && es_buf_reserve(out, 4096) == 0) {
		n = pread(fd, out->data + out->len, out->cap - out->len, (off_t)out->len);
		if (n > 0)
			out->len += (size_t)n;
		else if (n < 0 && errno == EINTR)
			n = 1;
	}
	if (n < 0)
		return -errno;
	if (es_buf_u8(out, 0) < 0)
		return out->error;
	out->len--;
	return 0;
}

/* Whole lines, as many at a time as go into one write. */
static int write_lines(int fd, const char *text, size_t n)
{
	while (n > 0) {
		size_t length = n;
		ssize_t w;

		if (length > CHUNK_BYTES) {
			const char *end = memrchr(text, '\n', CHUNK_BYTES);

			if (!end)
				return -E2BIG;
			length = (size_t)(end - text) + 1;
		}
		w = pwrite(fd, text, length, 0);
		if (w < 0 && errno == EINTR)
			continue;
		if (w != (ssize_t)length)
			return w < 0 ? -errno : -EIO;
		text += length;
		n -= length;
	}
	return 0;
}

static int put_program(const struct es_twin_program *program, struct es_buf *out)
{
	(void)es_buf_printf(out, "repeat %" PRIu64 "\n", program->repeats);
	for (size_t i = 0; i < program->n; i++) {
		char line[ES_TWIN_PHASE_TEXT_BYTES];

		(void)es_buf_printf(out, "%s\n",
				    es_twin_phase_print(&program->phases[i], line, sizeof(line)));
	}
	return es_buf_str(out, "go\n");
}

/* What it says of why it refused, where it says something. */
static int refused(struct es_twin_player *player, int r, struct es_error *err)
{
	const char *text;

	if (is_end(r) || read_file(player->fd, &player->text) < 0)
		return fail(player->mount, r, err);
	text = (const char *)player->text.data;
	if (strncmp(text, "error ", 6) != 0)
		return fail(player->mount, r, err);
	return es_error_say(err, r, "the twin refuses it: %.*s", (int)strcspn(text + 6, "\n"),
			    text + 6);
}

int es_twin_player_begin(const char *mount, const struct es_twin_program *program,
			 struct es_twin_player *ret, struct es_error *err)
{
	struct es_twin_player player = { .fd = -1, .mount = mount };
	int r = open_file(mount, "play", &player.fd, err);

	if (r < 0)
		return r;
	es_buf_init(&player.text, ANSWER_MAX);
	r = put_program(program, &player.text);
	if (r == 0) {
		struct es_buf text = player.text;

		es_buf_init(&player.text, ANSWER_MAX);
		r = write_lines(player.fd, (const char *)text.data, text.len);
		es_buf_finish(&text);
	}
	if (r < 0) {
		r = refused(&player, r, err);
		es_twin_player_close(&player);
		return r;
	}
	*ret = player;
	return 0;
}

void es_twin_player_close(struct es_twin_player *player)
{
	es_closep(&player->fd);
	player->fd = -1;
	es_buf_finish(&player->text);
}

int es_twin_player_ask(struct es_twin_player *player, struct es_twin_play_state *ret,
		       struct es_error *err)
{
	int r = read_file(player->fd, &player->text);

	if (r < 0)
		return fail(player->mount, r, err);
	r = es_twin_answer_state((const char *)player->text.data, ret);
	if (r < 0)
		return es_error_set(err, r, "the twin at '%s' says of its load '%.80s'",
				    player->mount, (const char *)player->text.data);
	return 0;
}

static void sleep_for(int watch_fd, int64_t dur_ns)
{
	struct pollfd pollfd = { .fd = watch_fd, .events = POLLIN };
	struct timespec pause = { .tv_sec = dur_ns / ES_NS_PER_S, .tv_nsec = dur_ns % ES_NS_PER_S };

	if (dur_ns > 0)
		(void)ppoll(&pollfd, 1, &pause, NULL);
}

int es_twin_player_wait(struct es_twin_player *player, int watch_fd, int64_t until_ns,
			struct es_twin_play_state *state, struct es_error *err)
{
	int64_t now_ns = es_clock_boot_ns(), wake_ns = now_ns + WAKE_NS;

	if (wake_ns > until_ns)
		wake_ns = until_ns;
	if (wake_ns > state->end_ns)
		wake_ns = state->end_ns;
	/* At least a moment: a twin that says the same end for ever must not keep us busy. */
	sleep_for(watch_fd, wake_ns - now_ns > 50000 ? wake_ns - now_ns : 50000);
	return es_twin_player_ask(player, state, err);
}

int es_twin_player_edges(struct es_twin_player *player, uint64_t from, int64_t *ret, size_t *ret_n,
			 struct es_error *err)
{
	char question[40];
	int r;

	(void)snprintf(question, sizeof(question), "edges %" PRIu64 "\n", from);
	r = write_lines(player->fd, question, strlen(question));
	if (r == 0)
		r = read_file(player->fd, &player->text);
	if (r < 0)
		return refused(player, r, err);
	*ret_n = es_twin_answer_edges((const char *)player->text.data, ret);
	return 0;
}

int es_twin_truth_open(const char *mount, struct es_twin_truth *ret, struct es_error *err)
{
	int r;

	*ret = (struct es_twin_truth){ .fd = -1, .mount = mount };
	es_buf_init(&ret->text, ANSWER_MAX);
	r = open_file(mount, "energy", &ret->fd, err);
	if (r < 0)
		return r;
	r = read_file(ret->fd, &ret->text);
	if (r == 0)
		r = es_twin_answer_names((char *)ret->text.data, ret->names, &ret->n);
	if (r < 0) {
		es_twin_truth_close(ret);
		return fail(mount, r, err);
	}
	return 0;
}

void es_twin_truth_close(struct es_twin_truth *truth)
{
	es_closep(&truth->fd);
	truth->fd = -1;
	es_buf_finish(&truth->text);
}

/* No more than one write takes. */
static int ask_some(struct es_twin_truth *truth, const int64_t *t_ns, size_t n, uint64_t *ret_uj)
{
	char question[CHUNK_BYTES];
	size_t length = 0;
	ssize_t w;
	int r;

	for (size_t i = 0; i < n; i++)
		length += (size_t)snprintf(question + length, sizeof(question) - length,
					   "%" PRId64 " ", t_ns[i]);
	w = pwrite(truth->fd, question, length, 0);
	if (w != (ssize_t)length)
		return w < 0 ? -errno : -EIO;
	r = read_file(truth->fd, &truth->text);
	return r < 0 ? r : es_twin_answer_rows((char *)truth->text.data, t_ns, n, truth->n, ret_uj);
}

int es_twin_truth_at(struct es_twin_truth *truth, const int64_t *t_ns, size_t n, uint64_t *ret_uj,
		     struct es_error *err)
{
	int r = 0;

	for (size_t at = 0; r == 0 && at < n; at += TIMES_AT_ONCE)
		r = ask_some(truth, t_ns + at, n - at < TIMES_AT_ONCE ? n - at : TIMES_AT_ONCE,
			     ret_uj + at * truth->n);
	if (r == -ENODATA)
		return r;
	return r < 0 ? fail(truth->mount, r, err) : 0;
}
