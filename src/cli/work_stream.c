/*
 * work_stream.c - a command's output passed on as it is, and looked at on the way
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/work_lines.h"
#include "cli/work_regex.h"
#include "cli/work_watch.h"

#define PIECE_BYTES 65536U /* what a pipe holds */
/* What may be read ahead when the command has ended and its reader is slow: the largest pipe. */
#define REST_BYTES (1U << 20)

/* How often the search for an amount went wrong, by work. */
struct trouble {
	uint64_t n_no_number, n_given_up, n_too_large;
};

struct stream {
	struct es_work_watch *watch;
	struct es_work_lines lines;
	struct trouble trouble[ES_WORKS_MAX];
	int64_t t_ns; /* when the piece was read */
	uint8_t *data; /* [PIECE_BYTES + REST_BYTES], owned; from at to n is to be written */
	size_t at, n;
	bool counts; /* until the command's end, while somebody listens */
	bool has_answered;
	bool takes_any; /* what it writes to takes any amount at once: a file */
	int write_error;
	int size_fd; /* of a terminal: its size has changed; -1: none */
};

static void on_line(void *arg, const char *line, size_t n)
{
	struct stream *stream = arg;

	for (size_t i = 0; i < stream->watch->n; i++) {
		int64_t micro;
		int r = es_work_regex_find(stream->watch->regexes[i], line, n, &micro);

		if (r > 0)
			r = es_work_teller_value(&stream->watch->tellers[i], micro, stream->t_ns);
		stream->trouble[i].n_no_number += r == -EBADMSG;
		stream->trouble[i].n_given_up += r == -E2BIG;
		stream->trouble[i].n_too_large += r == -ERANGE;
	}
}

/* Returns bytes read; 0: at its end; negative errno. */
static ssize_t read_piece(struct stream *stream, size_t room)
{
	ssize_t n;

	do
		n = read(stream->watch->in_fd, stream->data + stream->n, room);
	while (n < 0 && errno == EINTR);
	/* A pseudo-terminal whose other side is closed says so. */
	if (n < 0)
		return errno == EIO ? 0 : -errno;
	stream->t_ns = es_clock_boot_ns();
	if (stream->counts)
		es_work_lines_feed(&stream->lines, (const char *)stream->data + stream->n,
				   (size_t)n);
	stream->n += (size_t)n;
	return n;
}

static void close_in(struct stream *stream)
{
	es_closep(&stream->watch->in_fd);
	stream->watch->in_fd = -1;
}

static void take_piece(struct stream *stream)
{
	ssize_t n = read_piece(stream, PIECE_BYTES);

	if (n == 0 || (n < 0 && n != -EAGAIN))
		close_in(stream);
}

/*
 * Who reads is gone, or takes nothing: the command is to meet that at its next write, as it would without us.
 */
static void give_up_writing(struct stream *stream, int error)
{
	stream->write_error = error;
	stream->at = stream->n = 0;
	close_in(stream);
}

/* A progress line under the cursor goes before what the command writes there. */
static void clear_line(const struct stream *stream)
{
	struct es_progress_screen *screen = stream->watch->screen;

	if (screen && atomic_exchange(&screen->has_line, false))
		(void)es_write_all(stream->watch->out_fd, ES_PROGRESS_ERASE,
				   strlen(ES_PROGRESS_ERASE));
}

/* One write at most, of what a reader that is ready takes without making us wait. */
static void write_some(struct stream *stream)
{
	size_t left = stream->n - stream->at;
	ssize_t n;

	clear_line(stream);
	n = write(stream->watch->out_fd, stream->data + stream->at,
		  stream->takes_any || left < 4096 ? left : 4096);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0) {
		give_up_writing(stream, -errno);
		return;
	}
	if (stream->watch->screen && n > 0)
		atomic_store(&stream->watch->screen->is_within_line,
			     stream->data[stream->at + (size_t)n - 1] != '\n');
	stream->at += (size_t)n;
	if (stream->at == stream->n)
		stream->at = stream->n = 0;
}

static void put_remark(const struct stream *stream, size_t work, char *text, size_t size)
{
	const struct trouble *trouble = &stream->trouble[work];
	const struct es_work_count *count = &stream->watch->tellers[work].count;
	size_t at = 0;

	text[0] = '\0';
	if (!count->has_value && !trouble->n_no_number && !trouble->n_given_up &&
	    !trouble->n_too_large)
		at += (size_t)snprintf(text, size, "the pattern matched no line");
	if (trouble->n_no_number && at < size)
		at += (size_t)snprintf(text + at, size - at, "%s%llu match%s without a number",
				       at ? "; " : "", (unsigned long long)trouble->n_no_number,
				       trouble->n_no_number == 1 ? "" : "es");
	if (trouble->n_given_up && at < size)
		at += (size_t)snprintf(text + at, size - at,
				       "%sthe pattern was given up on %llu lines", at ? "; " : "",
				       (unsigned long long)trouble->n_given_up);
	if (trouble->n_too_large && at < size)
		at += (size_t)snprintf(text + at, size - at, "%s%llu numbers too large",
				       at ? "; " : "", (unsigned long long)trouble->n_too_large);
	if (stream->lines.n_cut && at < size)
		at += (size_t)snprintf(text + at, size - at,
				       "%sof %llu longer line%s only %u bytes were looked at",
				       at ? "; " : "", (unsigned long long)stream->lines.n_cut,
				       stream->lines.n_cut == 1 ? "" : "s", ES_WORK_LINE_MAX_BYTES);
	if (stream->write_error && stream->write_error != -EPIPE && at < size)
		(void)snprintf(text + at, size - at, "%sthe output could not be written: %s",
			       at ? "; " : "", es_strerror(stream->write_error));
}

/* The command has ended: all it wrote is counted now, and written when its reader takes it. */
static void answer(struct stream *stream)
{
	char remark[ES_WORK_REMARK_MAX_BYTES];

	if (stream->at) {
		memmove(stream->data, stream->data + stream->at, stream->n - stream->at);
		stream->n -= stream->at;
		stream->at = 0;
	}
	while (stream->watch->in_fd >= 0 && stream->n < PIECE_BYTES + REST_BYTES) {
		ssize_t n = read_piece(stream, PIECE_BYTES + REST_BYTES - stream->n);

		if (n == -EAGAIN)
			break;
		if (n <= 0)
			close_in(stream);
	}
	if (stream->counts)
		es_work_lines_end(&stream->lines);
	stream->counts = false;
	for (size_t i = 0; i < stream->watch->n; i++) {
		put_remark(stream, i, remark, sizeof(remark));
		(void)es_work_teller_say(&stream->watch->tellers[i], false, true, remark);
	}
	stream->has_answered = true;
}

static void stop_listening(struct stream *stream)
{
	es_closep(&stream->watch->report_fd);
	stream->watch->report_fd = -1;
	stream->counts = false;
	stream->has_answered = true;
}

static void hear(struct stream *stream)
{
	char byte;
	ssize_t n = recv(stream->watch->report_fd, &byte, 1, MSG_DONTWAIT);

	if (n == 1 && byte == ES_WORK_END)
		answer(stream);
	else if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		stop_listening(stream);
}

/* The size that the command sees is that of the terminal. Who asked for it before us asks again. */
static void pass_size(struct stream *stream)
{
	struct signalfd_siginfo info;
	struct winsize size, old;

	while (read(stream->size_fd, &info, sizeof(info)) > 0)
		;
	if (stream->watch->in_fd < 0 || ioctl(stream->watch->out_fd, TIOCGWINSZ, &size) < 0 ||
	    ioctl(stream->watch->in_fd, TIOCGWINSZ, &old) < 0 ||
	    memcmp(&size, &old, sizeof(size)) == 0)
		return;
	(void)ioctl(stream->watch->in_fd, TIOCSWINSZ, &size);
	(void)kill(0, SIGWINCH);
}

static void watch_size(struct stream *stream)
{
	sigset_t set;

	stream->size_fd = -1;
	if (!stream->watch->is_terminal)
		return;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGWINCH);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	stream->size_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Says what is due; returns for how long to wait, in ms. */
static int flush(struct stream *stream)
{
	int64_t now_ns = es_clock_mono_ns(), next_ns = INT64_MAX;

	for (size_t i = 0; stream->counts && i < stream->watch->n; i++) {
		int64_t t_ns = es_work_teller_flush(&stream->watch->tellers[i], now_ns);

		next_ns = t_ns < next_ns ? t_ns : next_ns;
	}
	if (next_ns == INT64_MAX)
		return -1;
	return next_ns > now_ns ? (int)((next_ns - now_ns) / ES_NS_PER_MS) + 1 : 0;
}

/* One turn; false when nothing is left to do. */
static bool turn(struct stream *stream)
{
	bool has_data = stream->at < stream->n;
	struct pollfd fds[4] = {
		{ .fd = has_data ? -1 : stream->watch->in_fd, .events = POLLIN },
		{ .fd = stream->watch->in_fd >= 0 || has_data ? stream->watch->out_fd : -1,
		  .events = has_data ? POLLOUT : 0 },
		{ .fd = stream->watch->report_fd, .events = POLLIN },
		{ .fd = stream->size_fd, .events = POLLIN },
	};

	/* From here on it only passes on what processes write that outlive the command. */
	if (stream->has_answered && !has_data) {
		char byte = ES_WORK_WRITTEN;

		if (stream->watch->report_fd >= 0)
			(void)send(stream->watch->report_fd, &byte, 1, MSG_NOSIGNAL);
		es_closep(&stream->watch->report_fd);
		stream->watch->report_fd = fds[2].fd = -1;
		if (stream->watch->in_fd < 0)
			return false;
	}
	if (poll(fds, ES_ARRAY_SIZE(fds), flush(stream)) < 0)
		return errno == EINTR;
	if (fds[3].revents)
		pass_size(stream);
	if (fds[2].revents)
		hear(stream);
	if (fds[1].revents & (POLLERR | POLLHUP | POLLNVAL) && !(fds[1].revents & POLLOUT))
		give_up_writing(stream, -EPIPE);
	else if (fds[1].revents & POLLOUT)
		write_some(stream);
	if (fds[0].revents && stream->watch->in_fd >= 0 && stream->n == 0)
		take_piece(stream);
	return true;
}

void es_work_stream_main(struct es_work_watch *watch)
{
	struct stream *stream = calloc(1, sizeof(*stream));
	struct stat st;

	if (!stream)
		return;
	stream->data = malloc(PIECE_BYTES + REST_BYTES);
	if (!stream->data) {
		free(stream);
		return;
	}
	stream->watch = watch;
	stream->counts = true;
	stream->lines.tell = on_line;
	stream->lines.arg = stream;
	stream->takes_any = fstat(watch->out_fd, &st) == 0 && !S_ISFIFO(st.st_mode) &&
			    !S_ISSOCK(st.st_mode) && !isatty(watch->out_fd);
	watch_size(stream);
	while (turn(stream))
		;
	es_closep(&stream->size_fd);
	free(stream->data);
	free(stream);
}
