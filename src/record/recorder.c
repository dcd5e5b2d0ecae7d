/*
 * recorder.c - writing a recording, frame by frame
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "record/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hot.h"
#include "base/json.h"
#include "record/frame.h"
#include "record/recording.h"

struct es_recorder {
	int fd;
	off_t size; /* bytes on disk: whole frames only */
	uint32_t number; /* of the next frame */
	size_t n_signals; /* in its description */
	int problem;
	struct es_buf frame;
	struct es_buf kept; /* frames the disk did not take, oldest first */
};

/* All of it at the end of the file, or none of it. */
es_hot static int append(struct es_recorder *recorder, const uint8_t *data, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t w =
			pwrite(recorder->fd, data + done, n - done, recorder->size + (off_t)done);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0) {
			int r = w < 0 ? -errno : -EIO;

			if (ftruncate(recorder->fd, recorder->size) < 0)
				return r; /* the checksum tells a reader that the rest is no frame */
			return r;
		}
		done += (size_t)w;
	}
	recorder->size += (off_t)n;
	return 0;
}

/*
 * What was kept goes to disk frame by frame, oldest first, until one is not taken: while the disk is full that costs
 * one attempt with a small frame, however much is kept.
 */
static int append_kept(struct es_recorder *recorder)
{
	struct es_buf *kept = &recorder->kept;
	size_t done = 0;
	int r = 0;

	while (r == 0 && done < kept->len) {
		size_t n = es_frame_bytes(kept->data + done, kept->len - done);

		r = append(recorder, kept->data + done, n);
		if (r == 0)
			done += n;
	}
	memmove(kept->data, kept->data + done, kept->len - done);
	kept->len -= done;
	if (done > 0)
		kept->error = 0; /* of a frame for which there was no room */
	return r;
}

/* The frame in recorder->frame: to disk after what was kept, or kept as well. */
es_hot static int commit(struct es_recorder *recorder)
{
	int r = recorder->frame.error;

	recorder->number++;
	if (r < 0)
		return r;
	if (recorder->kept.len > 0)
		r = append_kept(recorder);
	if (r == 0)
		r = append(recorder, recorder->frame.data, recorder->frame.len);
	recorder->problem = r;
	if (r < 0)
		return es_buf_append(&recorder->kept, recorder->frame.data, recorder->frame.len);
	return 0;
}

es_hot static size_t begin(struct es_recorder *recorder, enum es_frame_type type)
{
	es_buf_reset(&recorder->frame);
	return es_frame_begin(&recorder->frame, type, recorder->number);
}

static int write_header(struct es_recorder *recorder, const struct es_meta *meta)
{
	static const uint8_t header[ES_RECORD_HEADER_BYTES] = {
		'E', 'S', 'R', 'E', 'C', '\r', '\n', ES_RECORD_VERSION
	};
	size_t at;
	int r;

	r = append(recorder, header, sizeof(header));
	if (r < 0)
		return r;
	at = begin(recorder, ES_FRAME_META);
	r = es_meta_write(meta, &recorder->frame);
	if (r == 0)
		r = es_frame_finish(&recorder->frame, at);
	if (r == 0)
		r = append(recorder, recorder->frame.data, recorder->frame.len);
	recorder->number++;
	return r;
}

/* Only a file of its own: no link, and nothing that would make us wait or swallow what we write. */
static int open_file(const char *path, bool may_replace, int *ret_fd)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	es_cleanup(es_closep) int fd = open(path, flags | (may_replace ? 0 : O_EXCL), 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	/* What another process is still writing is not replaced. Where a file system has no locks, nothing tells. */
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return -EBUSY;
	if (may_replace && (ftruncate(fd, 0) < 0 || fchmod(fd, 0600) < 0))
		return -errno;
	*ret_fd = es_steal_fd(&fd);
	return 0;
}

/*
 * A file without a name beside @path, to be named by give_name() once it says what it is: whoever is killed before
 * leaves nothing. Where the file system has no such thing (-EOPNOTSUPP) a file has its name from the start.
 */
static int open_nameless(const char *path, int *ret_fd)
{
	char folder[ES_PATH_MAX_BYTES];
	const char *slash = strrchr(path, '/');
	int n = slash ? (int)(slash - path) + 1 : 0, fd;

	if (n >= (int)sizeof(folder))
		return -EOPNOTSUPP;
	(void)snprintf(folder, sizeof(folder), "%.*s.", n, path);
	fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		return -EOPNOTSUPP;
	(void)flock(fd, LOCK_EX | LOCK_NB); /* for those who would replace it once it has a name */
	*ret_fd = fd;
	return 0;
}

static int give_name(int fd, const char *path)
{
	char self[64];

	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

/* A new file with its first frame; nothing is there before that is. */
static int create_new(struct es_recorder *recorder, const char *path, const struct es_meta *meta)
{
	int r = open_nameless(path, &recorder->fd);

	if (r == 0)
		r = write_header(recorder, meta);
	if (r == 0)
		r = give_name(recorder->fd, path);
	if (r == 0 || r == -EEXIST || r == -ENOSPC)
		return r;
	es_closep(&recorder->fd);
	recorder->fd = -1;
	recorder->size = 0;
	recorder->number = 0;
	r = open_file(path, false, &recorder->fd);
	if (r < 0)
		return r;
	r = write_header(recorder, meta);
	if (r < 0)
		(void)unlink(path);
	return r;
}

int es_recorder_create(const char *path, bool may_replace, const struct es_meta *meta,
		       struct es_recorder **ret, struct es_error *err)
{
	struct es_recorder *recorder = calloc(1, sizeof(*recorder));
	int r;

	if (!recorder)
		return es_error_set(err, -ENOMEM, "recording '%s'", path);
	recorder->n_signals = meta->n_signals;
	es_buf_init(&recorder->frame, ES_FRAME_PAYLOAD_MAX_BYTES + ES_FRAME_OVERHEAD_BYTES);
	es_buf_init(&recorder->kept, ES_RECORDER_KEEP_MAX_BYTES);
	recorder->fd = -1;
	if (may_replace) {
		r = open_file(path, true, &recorder->fd);
		if (r == 0)
			r = write_header(recorder, meta);
	} else {
		r = create_new(recorder, path, meta);
	}
	if (r == -EBUSY)
		(void)es_error_say(err, r, "recording '%s' is being written by another process",
				   path);
	else if (r < 0)
		(void)es_error_set(err, r, "cannot create recording '%s'", path);
	if (r < 0)
		goto fail;
	*ret = recorder;
	return 0;
fail:
	es_recorder_close(recorder);
	return r;
}

static bool is_same_domain(const struct es_domain *a, const struct es_domain *b)
{
	return strcmp(a->id, b->id) == 0 && strcmp(a->name, b->name) == 0 && a->type == b->type &&
	       a->kind == b->kind && a->is_power == b->is_power &&
	       a->has_activity == b->has_activity && a->range.unit_nj == b->range.unit_nj &&
	       a->range.modulus_nj == b->range.modulus_nj && a->node == b->node;
}

/* What is written from now on has the meaning that the first frame gives it. */
static const char *why_other(const struct es_meta *a, const struct es_meta *b)
{
	if (strcmp(a->boot_id, b->boot_id) != 0)
		return "it is of another boot of this machine";
	if (a->n_nodes != b->n_nodes || strcmp(a->nodes[0].name, b->nodes[0].name) != 0)
		return "it is of another node";
	if (strcmp(a->job, b->job) != 0)
		return "it is of another job";
	for (size_t i = 0; i < a->n_domains && i < b->n_domains; i++)
		if (!is_same_domain(&a->domains[i], &b->domains[i]))
			return "its domains are others";
	for (size_t i = 0; i < a->n_signals && i < b->n_signals; i++)
		if (strcmp(a->signals[i].id, b->signals[i].id) != 0)
			return "its signals are others";
	return a->n_domains != b->n_domains || a->n_signals != b->n_signals
		       ? "it has more or fewer domains or signals"
		       : NULL;
}

/* Its whole frames, and where they end. The recording has a descriptor of its own. */
static int read_again(struct es_recorder *recorder, const char *path, const struct es_meta *meta,
		      const struct es_visitor *visitor, void *arg, struct es_error *err)
{
	static const struct es_visitor nobody = { .reading = NULL };
	int fd = fcntl(recorder->fd, F_DUPFD_CLOEXEC, 0);
	struct es_recording *recording;
	uint64_t size_bytes;
	const char *why;
	int r;

	if (fd < 0)
		return es_error_set(err, -errno, "'%s'", path);
	r = es_recording_open_fd(fd, path, NULL, &recording, err);
	if (r < 0)
		return r;
	why = why_other(es_recording_meta(recording), meta);
	if (why) {
		r = es_error_say(err, -ESTALE, "'%s' cannot be gone on with: %s", path, why);
	} else {
		r = es_recording_walk(recording, visitor ? visitor : &nobody, arg);
		if (r < 0)
			(void)es_error_set(err, r, "cannot read '%s'", path);
		else if (es_recording_is_whole(recording))
			r = es_error_say(err, -EALREADY, "'%s' has its end", path);
	}
	recorder->number = es_recording_valid(recording, &size_bytes);
	recorder->size = (off_t)size_bytes;
	es_recording_close(recording);
	return r;
}

int es_recorder_reopen(const char *path, const struct es_meta *meta,
		       const struct es_visitor *visitor, void *arg, struct es_recorder **ret,
		       struct es_error *err)
{
	struct es_recorder *recorder = calloc(1, sizeof(*recorder));
	int r = -ENOMEM;

	if (!recorder)
		return es_error_set(err, r, "recording '%s'", path);
	recorder->n_signals = meta->n_signals;
	es_buf_init(&recorder->frame, ES_FRAME_PAYLOAD_MAX_BYTES + ES_FRAME_OVERHEAD_BYTES);
	es_buf_init(&recorder->kept, ES_RECORDER_KEEP_MAX_BYTES);
	recorder->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (recorder->fd < 0)
		r = es_error_set(err, -errno, "cannot open '%s'", path);
	else if (flock(recorder->fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		r = es_error_say(err, -EBUSY, "recording '%s' is being written by another process",
				 path);
	else
		r = read_again(recorder, path, meta, visitor, arg, err);
	if (r == 0 && ftruncate(recorder->fd, recorder->size) < 0)
		r = es_error_set(err, -errno, "cannot cut the torn end off '%s'", path);
	if (r < 0) {
		es_recorder_close(recorder);
		return r;
	}
	*ret = recorder;
	return 0;
}

void es_recorder_close(struct es_recorder *recorder)
{
	if (!recorder)
		return;
	es_closep(&recorder->fd);
	es_buf_finish(&recorder->frame);
	es_buf_finish(&recorder->kept);
	free(recorder);
}

int es_recorder_reserve(struct es_recorder *recorder, const struct es_rows *rows)
{
	/* Three columns a domain of at most 11 bytes a value, rarely reached; pages not touched cost nothing. */
	size_t n = (rows->n_domains * 3 + 1) * rows->cap_rows * 4;

	es_buf_reset(&recorder->frame);
	return es_buf_reserve(&recorder->frame,
			      n < ES_FRAME_PAYLOAD_MAX_BYTES ? n : ES_FRAME_PAYLOAD_MAX_BYTES);
}

es_hot int es_recorder_rows(struct es_recorder *recorder, const struct es_rows *rows)
{
	size_t at;
	int r;

	if (rows->n_rows == 0)
		return 0;
	at = begin(recorder, ES_FRAME_BLOCK);
	r = es_rows_encode(rows, &recorder->frame);
	if (r == 0)
		r = es_frame_finish(&recorder->frame, at);
	return r < 0 ? r : commit(recorder);
}

int es_recorder_signals(struct es_recorder *recorder, const struct es_signal_value *values,
			size_t n)
{
	size_t at = begin(recorder, ES_FRAME_SIGNALS), empty_bytes = recorder->frame.len;
	int r = es_signals_encode(values, n < recorder->n_signals ? n : recorder->n_signals,
				  &recorder->frame);

	if (r == 0 && recorder->frame.len == empty_bytes)
		return 0;
	if (r == 0)
		r = es_frame_finish(&recorder->frame, at);
	return r < 0 ? r : commit(recorder);
}

int es_recorder_event(struct es_recorder *recorder, const struct es_event *event)
{
	size_t at = begin(recorder, event->type == ES_EVENT_END ? ES_FRAME_END : ES_FRAME_EVENT);
	int r = es_event_put(event, &recorder->frame);

	if (r == 0)
		r = es_frame_finish(&recorder->frame, at);
	return r < 0 ? r : commit(recorder);
}

int es_recorder_clock(struct es_recorder *recorder, int64_t boot_ns, int64_t mono_ns,
		      int64_t unix_ns)
{
	size_t at = begin(recorder, ES_FRAME_CLOCK);

	(void)es_buf_le64(&recorder->frame, (uint64_t)boot_ns);
	(void)es_buf_le64(&recorder->frame, (uint64_t)mono_ns);
	(void)es_buf_le64(&recorder->frame, (uint64_t)unix_ns);
	if (es_frame_finish(&recorder->frame, at) < 0)
		return recorder->frame.error;
	return commit(recorder);
}

void es_recorder_keep_at_most(struct es_recorder *recorder, size_t n_bytes)
{
	if (n_bytes < ES_RECORDER_KEEP_MAX_BYTES)
		recorder->kept.max = n_bytes;
}

uint64_t es_recorder_bytes(const struct es_recorder *recorder)
{
	return (uint64_t)recorder->size;
}

int es_recorder_flush(struct es_recorder *recorder)
{
	if (recorder->kept.len > 0)
		recorder->problem = append_kept(recorder);
	return recorder->problem;
}

int es_recorder_problem(const struct es_recorder *recorder)
{
	return recorder->problem;
}

const struct es_buf *es_recorder_kept(const struct es_recorder *recorder)
{
	return &recorder->kept;
}

static int copy_bytes(int from, int to, off_t n)
{
	uint8_t chunk[16384];

	for (off_t at = 0; at < n;) {
		size_t want = n - at < (off_t)sizeof(chunk) ? (size_t)(n - at) : sizeof(chunk);
		ssize_t got = pread(from, chunk, want, at);
		int r;

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		r = es_write_all(to, chunk, (size_t)got);
		if (r < 0)
			return r;
		at += got;
	}
	return 0;
}

int es_recorder_save(const struct es_recorder *recorder, const char *from, const char *to)
{
	es_cleanup(es_closep) int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	es_cleanup(es_closep) int out = -1;
	int r;

	if (in < 0)
		return -errno;
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (out < 0)
		return -errno;
	r = copy_bytes(in, out, recorder->size);
	if (r == 0)
		r = es_write_all(out, recorder->kept.data, recorder->kept.len);
	if (r < 0)
		(void)unlink(to);
	return r;
}

int es_recorder_sync(struct es_recorder *recorder)
{
	return fdatasync(recorder->fd) < 0 ? -errno : 0;
}
