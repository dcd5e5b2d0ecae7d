/*
 * spool_file.c - one recording of the spool while it is written
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "daemon/spool_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ipc/message.h"
#include "record/recording.h"

#define ROWS_MAX 64U
#define FLUSH_NS (ES_NS_PER_S - 100 * ES_NS_PER_MS) /* sweeps are not quite a second apart */
#define WALL_EVERY_NS (3600 * ES_NS_PER_S)
#define CALLS_MAX 1000000U /* as 'run' takes at most */
#define WAITING_MAX 1024U

static struct es_spool_tag *find_tag(struct es_spool_file *file, const char *name)
{
	for (size_t i = 0; i < file->n_tags; i++)
		if (strcmp(file->tags[i].name, name) == 0)
			return &file->tags[i];
	return NULL;
}

static int note_start(struct es_spool_file *file, const char *name)
{
	struct es_spool_tag *tag = find_tag(file, name), *tags;

	if (file->n_calls >= CALLS_MAX)
		return -E2BIG;
	if (!tag) {
		if (file->n_tags >= ES_SPOOL_TAGS_OPEN_MAX)
			return -E2BIG;
		tags = reallocarray(file->tags, file->n_tags + 1, sizeof(*tags));
		if (!tags)
			return -ENOMEM;
		file->tags = tags;
		tag = &tags[file->n_tags++];
		tag->depth = 0;
		(void)snprintf(tag->name, sizeof(tag->name), "%s", name);
	}
	tag->depth++;
	file->n_calls++;
	return 0;
}

static int note_stop(struct es_spool_file *file, const char *name)
{
	struct es_spool_tag *tag = find_tag(file, name);

	if (!tag)
		return -ENOENT;
	if (--tag->depth == 0)
		*tag = file->tags[--file->n_tags];
	return 0;
}

/* What was open when the last daemon was killed is open still. */
static int on_old_event(void *arg, const struct es_event *event)
{
	struct es_spool_file *file = arg;

	if (event->type == ES_EVENT_TAG_START)
		(void)note_start(file, event->text);
	else if (event->type == ES_EVENT_TAG_STOP)
		(void)note_stop(file, event->text);
	return 0;
}

static void write_waiting(struct es_spool_file *file, int64_t upto_ns)
{
	size_t n = 0;

	while (n < file->n_waiting && file->waiting[n].t_ns <= upto_ns)
		(void)es_recorder_event(file->recorder, &file->waiting[n++]);
	file->n_waiting -= n;
	if (file->n_waiting)
		memmove(file->waiting, file->waiting + n, file->n_waiting * sizeof(*file->waiting));
}

/* What waited for a file, in the order in which it was: events, rows, events. */
static void begin(struct es_spool_file *file)
{
	size_t keep_bytes = file->keep_bytes ? file->keep_bytes : ES_SPOOL_KEPT_MAX_BYTES;

	es_recorder_keep_at_most(file->recorder, keep_bytes < ES_SPOOL_KEPT_MIN_BYTES
							 ? ES_SPOOL_KEPT_MIN_BYTES
							 : keep_bytes);
	(void)es_recorder_reserve(file->recorder, &file->rows);
	es_clocks_start(&file->clocks, file->recorder);
	write_waiting(file, file->rows.n_rows ? file->rows.sweep_ns[0] : INT64_MAX);
	if (file->n_waiting) {
		(void)es_recorder_rows(file->recorder, &file->rows);
		es_rows_clear(&file->rows);
		write_waiting(file, INT64_MAX);
	}
	free(file->waiting);
	file->waiting = NULL;
	file->wall_ns = file->clocks.looked_ns;
}

static bool is_of_the_disk(int r)
{
	return r == -ENOSPC || r == -EFBIG || r == -EDQUOT || r == -EROFS || r == -EIO ||
	       r == -EMFILE || r == -ENFILE || r == -ENOMEM || r == -ENOENT || r == -EACCES;
}

static int create(struct es_spool_file *file, struct es_error *err)
{
	int r = es_recorder_create(file->path, false, &file->meta, &file->recorder, err);

	if (r == 0)
		begin(file);
	return r;
}

int es_spool_file_open(struct es_spool_file *file, const char *path, struct es_meta *meta,
		       struct es_error *err)
{
	static const struct es_visitor visitor = { .event = on_old_event };
	int r;

	file->meta = *meta;
	es_meta_init(meta);
	(void)snprintf(file->path, sizeof(file->path), "%s", path);
	r = es_rows_init(&file->rows, file->meta.domains, file->meta.n_domains, ROWS_MAX);
	if (r == 0)
		r = es_faults_init(&file->faults, file->meta.n_domains);
	if (r == 0) {
		file->read_ns = calloc(file->meta.n_domains + 1, sizeof(*file->read_ns));
		r = file->read_ns ? 0 : -ENOMEM;
		if (r < 0)
			es_faults_finish(&file->faults);
	}
	if (r < 0)
		return es_error_set(err, r, "recording '%s'", path);
	file->is_ready = true;
	r = es_recorder_reopen(path, &file->meta, &visitor, file, &file->recorder, err);
	if (r == 0) {
		file->is_gone_on_with = true;
		begin(file);
		return 0;
	}
	if (r != -ENOENT)
		return r;
	r = create(file, err);
	return is_of_the_disk(r) ? 0 : r;
}

void es_spool_file_finish(struct es_spool_file *file)
{
	es_recorder_close(file->recorder);
	es_rows_finish(&file->rows);
	if (file->is_ready)
		es_faults_finish(&file->faults);
	es_meta_finish(&file->meta);
	free(file->read_ns);
	free(file->tags);
	free(file->waiting);
	memset(file, 0, sizeof(*file));
}

void es_spool_file_row(struct es_spool_file *file, int64_t t_ns)
{
	if (es_rows_add(&file->rows, t_ns))
		return;
	/* No file takes them: the first row and the last ones tell of all the energy between them. */
	file->rows.n_rows = 1;
	(void)es_rows_add(&file->rows, t_ns);
}

int es_spool_file_flush(struct es_spool_file *file, int64_t now_ns, bool is_now)
{
	int r;

	if (!is_now && now_ns - file->flushed_ns < FLUSH_NS && file->rows.n_rows < ROWS_MAX)
		return file->recorder ? es_recorder_problem(file->recorder) : 0;
	file->flushed_ns = now_ns;
	if (!file->recorder) {
		r = create(file, NULL);
		if (r < 0)
			return r;
	}
	if (file->has_ended)
		return es_recorder_flush(file->recorder);
	es_clocks_look(&file->clocks, file->recorder);
	if (now_ns - file->wall_ns >= WALL_EVERY_NS) {
		file->wall_ns = now_ns;
		(void)es_clocks_tell_wall(file->recorder, now_ns);
	}
	(void)es_faults_tell(&file->faults, file->recorder, now_ns, false);
	r = es_recorder_rows(file->recorder, &file->rows);
	/* Nothing is lost where there is no room to keep it: counters go on, and the last row of many is written. */
	if (r == 0)
		es_rows_clear(&file->rows);
	if (file->rows.n_rows == 0 && es_recorder_problem(file->recorder) < 0)
		return es_recorder_flush(file->recorder);
	return r < 0 ? r : es_recorder_problem(file->recorder);
}

int es_spool_file_event(struct es_spool_file *file, uint32_t type, int64_t t_ns, int64_t value,
			const char *text)
{
	struct es_event event = { .type = type, .t_ns = t_ns, .value = value }, *waiting;

	(void)snprintf(event.text, sizeof(event.text), "%s", text);
	if (file->recorder)
		return es_recorder_event(file->recorder, &event);
	if (file->n_waiting >= WAITING_MAX)
		return -ENOSPC;
	waiting = reallocarray(file->waiting, file->n_waiting + 1, sizeof(*waiting));
	if (!waiting)
		return -ENOMEM;
	file->waiting = waiting;
	waiting[file->n_waiting++] = event;
	return 0;
}

int es_spool_file_tag(struct es_spool_file *file, const char *name, bool is_start, int64_t t_ns)
{
	int r;

	if (es_ipc_name_problem(name))
		return ES_IPC_BAD_NAME;
	r = is_start ? note_start(file, name) : note_stop(file, name);
	if (r < 0)
		return is_start ? ES_IPC_TOO_MANY : ES_IPC_NOT_OPEN;
	r = es_spool_file_event(file, is_start ? ES_EVENT_TAG_START : ES_EVENT_TAG_STOP, t_ns, 0,
				name);
	return r < 0 ? ES_IPC_LOST : ES_IPC_OK;
}

int es_spool_file_end(struct es_spool_file *file, int64_t t_ns)
{
	int r = es_spool_file_flush(file, t_ns, true);

	for (size_t i = 0; i < file->n_tags; i++)
		for (uint32_t depth = 0; depth < file->tags[i].depth; depth++)
			(void)es_spool_file_event(file, ES_EVENT_TAG_STOP, t_ns, 0,
						  file->tags[i].name);
	file->n_tags = 0;
	if (file->recorder) {
		(void)es_clocks_tell_wall(file->recorder, t_ns);
		(void)es_faults_tell(&file->faults, file->recorder, t_ns, true);
	}
	(void)es_spool_file_event(file, ES_EVENT_END, t_ns, 0, "");
	file->has_ended = true;
	return r < 0 || !file->recorder ? r : es_recorder_problem(file->recorder);
}
