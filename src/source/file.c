/*
 * source/file.c - a number in a file that somebody else writes: a wattmeter's program, a site's script
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "source/remote.h"
#include "source/source.h"
#include "source/textmeter.h"

#define PERIOD_NS ES_NS_PER_S
#define STALE_NS (60 * ES_NS_PER_S)
#define STALE_PERIODS 3
#define HEAD_BYTES \
	65536U /* of a table that is longer than an answer may be: its names, and its last lines */

struct file {
	struct es_text_meter meter;
	struct es_fresh written; /* by the file's time */
	char *text; /* [ES_ANSWER_MAX_BYTES + 1] */
};

static int open_file(const struct es_root *root, const char *path, int *ret, struct stat *ret_st,
		     struct es_error *err)
{
	/* A pipe without a writer would not open. */
	es_cleanup(es_closep) int fd = es_root_openat(root, path, O_RDONLY | O_NONBLOCK);

	if (fd < 0)
		return es_error_say(err, fd, "cannot open '/%.200s': %s", path, es_strerror(fd));
	if (fstat(fd, ret_st) < 0)
		return es_error_set(err, -errno, "stat");
	if (!S_ISREG(ret_st->st_mode))
		return es_error_say(err, -EINVAL, "it is no file but a %s",
				    S_ISDIR(ret_st->st_mode)	? "directory"
				    : S_ISFIFO(ret_st->st_mode) ? "pipe"
								: "device");
	*ret = es_steal_fd(&fd);
	return 0;
}

static ssize_t read_at(int fd, char *to, size_t size, off_t at)
{
	size_t n = 0;

	while (n < size) {
		ssize_t more = pread(fd, to + n, size - n, at + (off_t)n);

		if (more < 0 && errno != EINTR)
			return -errno;
		if (more == 0)
			break;
		n += more > 0 ? (size_t)more : 0;
	}
	return (ssize_t)n;
}

/* All of it; of a long table its first and its last lines. */
static ssize_t read_text(const struct file *file, int fd, off_t size)
{
	bool is_table = file->meter.pick.how == ES_PICK_COLUMN ||
			file->meter.pick.how == ES_PICK_KEY;
	const char *end;
	ssize_t n, n_tail;
	char *p;

	if (size <= (off_t)ES_ANSWER_MAX_BYTES || !is_table) {
		n = read_at(fd, file->text, ES_ANSWER_MAX_BYTES + 1, 0);
		return n > (ssize_t)ES_ANSWER_MAX_BYTES ? -EFBIG : n;
	}
	n = read_at(fd, file->text, HEAD_BYTES, 0);
	end = n > 0 ? memchr(file->text, '\n', (size_t)n) : NULL;
	if (!end)
		return n < 0 ? n : -EFBIG;
	n = end + 1 - file->text;
	n_tail = read_at(fd, file->text + n, HEAD_BYTES, size - (off_t)HEAD_BYTES);
	p = n_tail > 0 ? memchr(file->text + n, '\n', (size_t)n_tail) : NULL;
	if (!p)
		return n_tail < 0 ? n_tail : -EFBIG;
	/* The first line of these is cut off at its start. */
	n_tail -= p + 1 - (file->text + n);
	memmove(file->text + n, p + 1, (size_t)n_tail);
	return n + n_tail;
}

/* Drivers make up what such files hold when they are read; their times mean nothing. */
static bool is_made_up(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 &&
	       (fs.f_type == SYSFS_MAGIC || fs.f_type == PROC_SUPER_MAGIC ||
		fs.f_type == DEBUGFS_MAGIC);
}

/* When the file was written is the time of a value that has none of its own. */
static int place_by_file(struct file *file, const struct stat *st, struct es_reading *ret,
			 struct es_error *err)
{
	int64_t t_ns = (int64_t)st->st_mtim.tv_sec * ES_NS_PER_S + st->st_mtim.tv_nsec;
	int r = es_fresh_place(&file->written, t_ns, es_now(), &ret->t_ns);
	char limit[ES_QUANTITY_TEXT_BYTES];

	if (r == -ESTALE)
		return es_error_say(err, r, "it was not written for %s (stale= sets another limit)",
				    es_duration_text(file->written.stale_ns, limit));
	return es_text_meter_stale(r, file->written.stale_ns, err);
}

static int read_file(struct file *file, struct es_remote *remote, struct es_reading *ret,
		     struct es_error *err)
{
	const struct es_meter_url *url = es_remote_url(remote);
	es_cleanup(es_closep) int fd = -1;
	struct stat st;
	ssize_t n;
	int r = open_file(es_remote_root(remote), url->path + 1, &fd, &st, err);

	if (r < 0)
		return r;
	n = read_text(file, fd, st.st_size);
	if (n < 0)
		return es_error_set(err, (int)n, "cannot read it");
	r = es_text_meter_take(&file->meter, url, file->text, (size_t)n, ret, err);
	if (r == 0 && ret->t_ns == 0 && file->written.stale_ns && !is_made_up(fd))
		r = place_by_file(file, &st, ret, err);
	ret->error = r;
	return 0;
}

static int file_connect(void *arg, struct es_remote *remote, struct es_error *err)
{
	struct file *file = arg;
	struct es_reading reading = { .t_ns = 0 };
	struct es_domain domain;
	const struct es_fresh written = file->written, shown = file->meter.fresh;
	int r;

	file->written.has_last = file->meter.fresh.has_last = false;
	r = read_file(file, remote, &reading, err);

	if (r == -ENOENT)
		es_remote_say_fix(remote, "start what writes it");
	if (r == 0)
		r = reading.error;
	file->written = written;
	file->meter.fresh = shown;
	if (r < 0)
		return r;
	es_meter_domain(es_remote_url(remote), es_source_file.name, &domain);
	domain.hold_ns = es_text_meter_hold(
		file->written.stale_ns,
		es_remote_url(remote)->period_ns ? es_remote_url(remote)->period_ns : PERIOD_NS,
		true);
	return es_remote_add(remote, &domain);
}

static int file_read(void *arg, struct es_remote *remote, struct es_reading *ret, size_t n)
{
	int r = n > 0 ? read_file(arg, remote, ret, NULL) : 0;

	if (r < 0)
		ret->error = r;
	return 0;
}

static void file_disconnect(void *arg)
{
	(void)arg;
}

static void file_destroy(void *arg)
{
	struct file *file = arg;

	free(file->text);
	free(file);
}

static const struct es_remote_ops remote_ops = {
	.thread = "es-file",
	.period_ns = PERIOD_NS,
	.connect = file_connect,
	.read = file_read,
	.disconnect = file_disconnect,
	.destroy = file_destroy,
};

static int take_stale(const struct es_meter_url *url, int64_t *ret_ns, struct es_error *err)
{
	const char *stale = es_meter_url_param(url, "stale");

	*ret_ns = STALE_NS;
	if (url->period_ns > STALE_NS / STALE_PERIODS)
		*ret_ns = url->period_ns * STALE_PERIODS;
	if (stale && (es_parse_duration_ns(stale, ret_ns) < 0 || *ret_ns < 0))
		return es_error_say(
			err, -EINVAL,
			"meter '%.200s': stale= is a time with its unit, like 2min, or 0",
			url->text);
	return 0;
}

static int make(const struct es_meter_url *url, struct file **ret, struct es_error *err)
{
	struct file *file = calloc(1, sizeof(*file));
	int64_t stale_ns = 0;
	int r;

	if (!file)
		return es_error_set(err, -ENOMEM, "file");
	file->text = malloc(ES_ANSWER_MAX_BYTES + 1);
	r = file->text ? take_stale(url, &stale_ns, err) : es_error_set(err, -ENOMEM, "file");
	if (r == 0)
		r = es_text_meter_init(&file->meter, url, stale_ns, err);
	if (r < 0) {
		file_destroy(file);
		return r;
	}
	file->written.stale_ns = stale_ns;
	/* What stands still is told by the file's time. */
	if (!file->meter.pick.time[0])
		file->meter.fresh.stale_ns = 0;
	*ret = file;
	return 0;
}

static int file_open_at(const struct es_root *root, const struct es_meter_url *url,
			struct es_source **ret, struct es_error *err)
{
	static const char *const own[] = { ES_TEXT_PARAMS, "stale", NULL };
	struct file *file = NULL;
	int r = es_meter_url_check(url, own, err);

	if (r == 0 && (url->host[0] || url->path[0] != '/' || !url->path[1]))
		r = es_error_say(err, -EINVAL, "meter '%.200s': write file:/PATH", url->text);
	if (r == 0)
		r = make(url, &file, err);
	if (r < 0)
		return r;
	return es_remote_open(root, url, &es_source_file, &remote_ops, file, ret, err);
}

const struct es_source_ops es_source_file = {
	.name = "file",
	.schemes = "file",
	.open_at = file_open_at,
	.settle = es_remote_settle,
	.end = es_remote_end,
	.plan = es_remote_plan,
	.ask = es_remote_ask,
	.wait = es_remote_wait,
	.read = es_remote_read,
	.close = es_remote_close,
};
