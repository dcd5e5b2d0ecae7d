/*
 * daemon/jobs_journal.c - a file that only grows, of entries that are whole or not there
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * 8 bytes of magic, then entries: u32 bytes of data, u32 type, u32 CRC-32C of both and the data, data. Little-endian.
 */
#include "daemon/jobs_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "block/crc32c.h"

#define HEAD_BYTES 12U
#define MAGIC_BYTES 8U
#define FILE_MAX_BYTES (256U << 20)

static const uint8_t magic[MAGIC_BYTES] = { 'E', 'S', 'J', 'O', 'B', 'S', '1', '\n' };

struct es_journal {
	int fd;
	int new_fd; /* while it is written anew; else -1 */
	uint64_t size, new_size;
	int new_error; /* of the first entry that is not in it */
	char path[ES_PATH_MAX_BYTES];
	struct es_buf entry;
};

static int write_at(int fd, const uint8_t *data, size_t n, uint64_t at)
{
	size_t done = 0;

	while (done < n) {
		ssize_t w = pwrite(fd, data + done, n - done, (off_t)(at + done));

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0) {
			int r = w < 0 ? -errno : -EIO;

			/* Else the checksum tells that the rest is no entry. */
			if (ftruncate(fd, (off_t)at) < 0)
				return r;
			return r;
		}
		done += (size_t)w;
	}
	return 0;
}

int es_journal_append(struct es_journal *journal, uint8_t type, const void *data, size_t n)
{
	struct es_buf *entry = &journal->entry;
	bool is_new = journal->new_fd >= 0;
	uint64_t *size = is_new ? &journal->new_size : &journal->size;
	uint32_t crc;
	int r;

	if (n > ES_JOURNAL_ENTRY_MAX_BYTES)
		return -EMSGSIZE;
	es_buf_reset(entry);
	(void)es_buf_le32(entry, (uint32_t)n);
	(void)es_buf_le32(entry, type);
	(void)es_buf_le32(entry, 0);
	(void)es_buf_append(entry, data, n);
	if (entry->error)
		return entry->error;
	crc = es_crc32c(es_crc32c(0, entry->data, 8), entry->data + HEAD_BYTES, n);
	for (unsigned i = 0; i < 4; i++)
		entry->data[8 + i] = (uint8_t)(crc >> (8 * i));
	r = write_at(is_new ? journal->new_fd : journal->fd, entry->data, entry->len, *size);
	if (r == 0)
		*size += entry->len;
	else if (is_new && journal->new_error == 0)
		journal->new_error = r;
	return r;
}

/* Bytes of whole entries at the start of @n; all are handed on. */
static size_t go_through(const uint8_t *data, size_t n, es_journal_fn each, void *arg)
{
	size_t at = MAGIC_BYTES;

	while (n - at >= HEAD_BYTES) {
		struct es_cursor head;
		uint32_t length, type, crc;

		es_cursor_init(&head, data + at, HEAD_BYTES);
		length = es_cursor_le32(&head);
		type = es_cursor_le32(&head);
		crc = es_cursor_le32(&head);
		if (length > ES_JOURNAL_ENTRY_MAX_BYTES || length > n - at - HEAD_BYTES ||
		    type > UINT8_MAX ||
		    es_crc32c(es_crc32c(0, data + at, 8), data + at + HEAD_BYTES, length) != crc ||
		    each(arg, (uint8_t)type, data + at + HEAD_BYTES, length) < 0)
			break;
		at += HEAD_BYTES + length;
	}
	return at;
}

static int read_all(int fd, uint8_t **ret, size_t *ret_n)
{
	es_cleanup(es_freep) uint8_t *data = NULL;
	struct stat st;
	size_t done = 0;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > (off_t)FILE_MAX_BYTES)
		return -EFBIG;
	data = malloc((size_t)st.st_size + 1);
	if (!data)
		return -ENOMEM;
	while (done < (size_t)st.st_size) {
		ssize_t n = pread(fd, data + done, (size_t)st.st_size - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	*ret = es_steal_ptr(data);
	*ret_n = done;
	return 0;
}

static int open_file(const char *path, int flags, int *ret_fd)
{
	es_cleanup(es_closep) int fd =
		open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags, 0600);

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return -EBUSY;
	*ret_fd = es_steal_fd(&fd);
	return 0;
}

/* Not a journal: what it is is kept, and a new one begun. */
static int set_aside(struct es_journal *journal, struct es_error *err)
{
	char bad[ES_PATH_MAX_BYTES + 8];
	int r;

	(void)snprintf(bad, sizeof(bad), "%s.bad", journal->path);
	if (rename(journal->path, bad) < 0)
		return -errno;
	es_closep(&journal->fd);
	journal->fd = -1;
	r = open_file(journal->path, O_EXCL, &journal->fd);
	if (r == 0)
		(void)es_error_say(
			err, 0,
			"'%.400s' is no journal of jobs: kept as '%.400s', and a new one "
			"is begun",
			journal->path, bad);
	return r;
}

static int take_past(struct es_journal *journal, es_journal_fn each, void *arg,
		     struct es_error *err)
{
	es_cleanup(es_freep) uint8_t *data = NULL;
	size_t n = 0, good = 0;
	int r = read_all(journal->fd, &data, &n);

	if (r == -EFBIG || r == -EINVAL ||
	    (r == 0 && n >= MAGIC_BYTES && memcmp(data, magic, MAGIC_BYTES) != 0) ||
	    (r == 0 && n < MAGIC_BYTES && memcmp(data, magic, n) != 0)) {
		r = set_aside(journal, err);
		n = 0;
	}
	if (r < 0)
		return r;
	if (n < MAGIC_BYTES) {
		journal->size = MAGIC_BYTES;
		return ftruncate(journal->fd, 0) < 0 ? -errno
						     : write_at(journal->fd, magic, MAGIC_BYTES, 0);
	}
	good = go_through(data, n, each, arg);
	journal->size = good;
	if (good == n)
		return 0;
	(void)es_error_say(
		err, 0,
		"the journal of jobs '%.800s' ends in the middle of an entry: %zu bytes are "
		"cut off",
		journal->path, n - good);
	return ftruncate(journal->fd, (off_t)good) < 0 ? -errno : 0;
}

int es_journal_open(const char *path, es_journal_fn each, void *arg, struct es_journal **ret,
		    struct es_error *err)
{
	struct es_journal *journal;
	int r;

	if (strlen(path) + 8 >= ES_PATH_MAX_BYTES)
		return es_error_set(err, -ENAMETOOLONG, "journal of jobs");
	journal = calloc(1, sizeof(*journal));
	if (!journal)
		return es_error_set(err, -ENOMEM, "journal of jobs '%s'", path);
	journal->fd = journal->new_fd = -1;
	(void)snprintf(journal->path, sizeof(journal->path), "%s", path);
	es_buf_init(&journal->entry, ES_JOURNAL_ENTRY_MAX_BYTES + HEAD_BYTES);
	r = open_file(path, 0, &journal->fd);
	if (r == 0)
		r = take_past(journal, each, arg, err);
	if (r < 0) {
		es_journal_close(journal);
		return r == -EBUSY
			       ? es_error_say(err, r, "spool: another daemon has its journal '%s'",
					      path)
			       : es_error_set(err, r, "journal of jobs '%s'", path);
	}
	*ret = journal;
	return 0;
}

void es_journal_close(struct es_journal *journal)
{
	if (!journal)
		return;
	es_closep(&journal->fd);
	es_closep(&journal->new_fd);
	es_buf_finish(&journal->entry);
	free(journal);
}

uint64_t es_journal_bytes(const struct es_journal *journal)
{
	return journal->size;
}

int es_journal_fd(const struct es_journal *journal)
{
	return journal->fd;
}

static void new_path(const struct es_journal *journal, char *ret, size_t size)
{
	(void)snprintf(ret, size, "%s.new", journal->path);
}

int es_journal_begin_anew(struct es_journal *journal)
{
	char path[ES_PATH_MAX_BYTES + 8];
	int r;

	new_path(journal, path, sizeof(path));
	(void)unlink(path); /* of one that was killed meanwhile */
	r = open_file(path, O_EXCL, &journal->new_fd);
	if (r == 0)
		r = write_at(journal->new_fd, magic, MAGIC_BYTES, 0);
	journal->new_size = MAGIC_BYTES;
	journal->new_error = 0;
	if (r < 0 && journal->new_fd >= 0) {
		(void)close(journal->new_fd);
		journal->new_fd = -1;
	}
	return r;
}

int es_journal_end_anew(struct es_journal *journal)
{
	char path[ES_PATH_MAX_BYTES + 8];
	int r = journal->new_error;

	if (journal->new_fd < 0)
		return -EINVAL;
	new_path(journal, path, sizeof(path));
	/* The name changes after the content is on disk: else a power cut leaves an empty file. */
	if (r == 0 && (fdatasync(journal->new_fd) < 0 || rename(path, journal->path) < 0))
		r = -errno;
	if (r < 0) {
		(void)unlink(path);
		(void)close(journal->new_fd);
	} else {
		(void)close(journal->fd);
		journal->fd = journal->new_fd;
		journal->size = journal->new_size;
	}
	journal->new_fd = -1;
	return r;
}
