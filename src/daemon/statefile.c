/*
 * daemon/statefile.c - what outlives a kill, written every second without waiting for a disk
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "daemon/statefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "block/crc32c.h"

#define MAGIC 0x54535345U /* "ESST" */
#define HEAD_BYTES 20U /* magic, bytes of what follows, number, checksum of both */

static void put_le(uint8_t *to, uint64_t value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t sum_of(const uint8_t head[static HEAD_BYTES], const void *data, size_t n)
{
	return es_crc32c(es_crc32c(0, head, HEAD_BYTES - 4), data, n);
}

int es_state_file_open(const char *folder, struct es_state_file *ret, struct es_error *err)
{
	struct es_state_file file = { .fds = { -1, -1 }, .is_open = true };

	for (int i = 0; i < 2; i++) {
		char path[ES_PATH_MAX_BYTES + 16];

		(void)snprintf(path, sizeof(path), "%.4095s/state.%d", folder, i);
		file.fds[i] = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (file.fds[i] < 0) {
			int r = -errno;

			es_state_file_close(&file);
			return es_error_set(err, r, "'%s'", path);
		}
	}
	*ret = file;
	return 0;
}

void es_state_file_close(struct es_state_file *file)
{
	if (!file->is_open)
		return;
	es_closep(&file->fds[0]);
	es_closep(&file->fds[1]);
	file->is_open = false;
}

/* The content of one file behind @out's; its number, 0: it is not whole. */
static uint64_t read_one(int fd, struct es_buf *out)
{
	uint8_t head[HEAD_BYTES];
	struct es_cursor cursor;
	uint32_t magic, n, sum;
	uint64_t number;
	size_t at = out->len;

	if (pread(fd, head, sizeof(head), 0) != (ssize_t)sizeof(head))
		return 0;
	es_cursor_init(&cursor, head, sizeof(head));
	magic = es_cursor_le32(&cursor);
	n = es_cursor_le32(&cursor);
	number = es_cursor_le64(&cursor);
	sum = es_cursor_le32(&cursor);
	if (magic != MAGIC || n > ES_STATE_FILE_MAX_BYTES || es_buf_reserve(out, n) < 0)
		return 0;
	for (size_t done = 0; done < n;) {
		ssize_t more =
			pread(fd, out->data + at + done, n - done, (off_t)(HEAD_BYTES + done));

		if (more <= 0)
			return 0;
		done += (size_t)more;
	}
	if (sum_of(head, out->data + at, n) != sum)
		return 0;
	out->len = at + n;
	return number;
}

int es_state_file_read(struct es_state_file *file, struct es_buf *out)
{
	struct es_buf both[2];
	uint64_t numbers[2];
	int newer, r = -ENOENT;

	for (int i = 0; i < 2; i++) {
		es_buf_init(&both[i], ES_STATE_FILE_MAX_BYTES);
		numbers[i] = read_one(file->fds[i], &both[i]);
	}
	newer = numbers[1] > numbers[0];
	if (numbers[newer]) {
		file->number = numbers[newer];
		r = es_buf_append(out, both[newer].data, both[newer].len);
	}
	es_buf_finish(&both[0]);
	es_buf_finish(&both[1]);
	return r;
}

int es_state_file_write(struct es_state_file *file, const void *data, size_t n)
{
	uint64_t number = file->number + 1;
	uint8_t head[HEAD_BYTES];
	const struct iovec parts[] = {
		{ .iov_base = head, .iov_len = sizeof(head) },
		{ .iov_base = (void *)(uintptr_t)data, .iov_len = n },
	};
	ssize_t done;

	if (n > ES_STATE_FILE_MAX_BYTES)
		return -E2BIG;
	put_le(head, MAGIC, 4);
	put_le(head + 4, n, 4);
	put_le(head + 8, number, 8);
	put_le(head + 16, sum_of(head, data, n), 4);
	done = pwritev(file->fds[number % 2], parts, 2, 0);
	if (done < 0)
		return -errno;
	if ((size_t)done != sizeof(head) + n)
		return -ENOSPC;
	file->number = number;
	return 0;
}
