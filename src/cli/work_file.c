/*
 * work_file.c - the watcher of a file that says how much work is done
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "cli/work_number.h"
#include "cli/work_watch.h"

#define LOOK_MS 100
#define TAIL_BYTES 65536

struct file {
	struct es_work_watch *watch;
	int problem; /* why the last look gave nothing: negative errno; 0: it did */
	uint64_t n_too_large;
	char text[TAIL_BYTES];
};

/* A file's end, or all of it. A file of /proc or /sys says that it is empty, and is not. */
static ssize_t read_end(struct file *file, bool *ret_is_all)
{
	const char *path = file->watch->specs[0]->pattern;
	es_cleanup(es_closep) int fd = -1;
	struct stat st;
	off_t from;
	size_t n = 0;

	/* To open a FIFO would let its writer go on, who then finds nobody. */
	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	from = st.st_size > TAIL_BYTES ? st.st_size - TAIL_BYTES : 0;
	while (n < sizeof(file->text)) {
		ssize_t got = pread(fd, file->text + n, sizeof(file->text) - n, from + (off_t)n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	*ret_is_all = from == 0;
	return (ssize_t)n;
}

static void look(struct file *file, bool is_first)
{
	struct es_work_teller *teller = &file->watch->tellers[0];
	int64_t micro, t_ns;
	bool is_all = false;
	ssize_t n = read_end(file, &is_all);

	t_ns = es_clock_boot_ns();
	file->problem = n < 0 ? (int)n : es_work_number(file->text, (size_t)n, is_all, &micro);
	if (file->problem == 0) {
		/* What stands there before the command begins is not its work. */
		if (is_first && !file->watch->specs[0]->has_from)
			teller->count.from = ES_WORK_FROM_FIRST;
		file->problem = es_work_teller_value(teller, micro, t_ns);
	}
	file->n_too_large += file->problem == -ERANGE;
}

static void put_remark(const struct file *file, char *text, size_t size)
{
	const char *path = file->watch->specs[0]->pattern;

	text[0] = '\0';
	if (file->n_too_large)
		(void)snprintf(text, size, "negative or too large numbers in '%.80s'", path);
	else if (file->watch->tellers[0].count.has_value)
		return;
	else if (file->problem == -ENODATA)
		(void)snprintf(text, size, "no number was in '%.100s'", path);
	else if (file->problem == -EINVAL)
		(void)snprintf(text, size, "'%.100s' is no regular file", path);
	else
		(void)snprintf(text, size, "'%.100s': %s", path, es_strerror(file->problem));
}

void es_work_file_main(struct es_work_watch *watch)
{
	struct es_work_teller *teller = &watch->tellers[0];
	struct file file = { .watch = watch };
	char remark[ES_WORK_REMARK_MAX_BYTES];

	look(&file, true);
	if (es_work_teller_say(teller, true, false, NULL) < 0)
		return;
	while (!es_work_watch_wait(watch, LOOK_MS)) {
		look(&file, false);
		(void)es_work_teller_flush(teller, es_clock_mono_ns());
	}
	/* Told of the end, or nobody listens any more; then this is lost too. */
	look(&file, false);
	put_remark(&file, remark, sizeof(remark));
	(void)es_work_teller_say(teller, false, true, remark);
}
