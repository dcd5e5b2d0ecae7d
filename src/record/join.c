/*
 * join.c - recordings of several nodes, walked as one
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Each part is read frame by frame and row by row; a heap says whose turn it is. Memory and open files grow with the nodes, not
 * with what they recorded.
 */
#include "record/join.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "record/recording_private.h"

/* One recording, and how far it was walked. */
struct part {
	struct join_walk *walk; /* while it is walked */
	struct es_recording *recording;
	int64_t shift_ns;
	size_t first_domain, first_signal;
	uint64_t at; /* behind the frame that was taken */
	uint64_t frame_at;
	size_t row; /* the next of the block that was taken; n_rows: another frame is to be taken */
	bool has_block, has_frame, has_sweep;
	int64_t key_ns; /* when it goes on: never less than before */
};

struct es_join {
	struct part *parts; /* [n] owned */
	size_t n;
	size_t *heap; /* [n_heap] indices; owned */
	size_t n_heap;
	size_t working; /* the part whose work counts; n: none yet */
};

/* Who is told, and of what. */
struct join_walk {
	struct es_join *join;
	const struct es_visitor *visitor;
	void *arg;
};

static bool is_before(const struct es_join *join, size_t a, size_t b)
{
	const struct part *x = &join->parts[a], *y = &join->parts[b];

	return x->key_ns != y->key_ns ? x->key_ns < y->key_ns : a < b;
}

static void sink(struct es_join *join, size_t i)
{
	for (;;) {
		size_t least = i, child = 2 * i + 1, index;

		for (size_t k = child; k < child + 2 && k < join->n_heap; k++)
			if (is_before(join, join->heap[k], join->heap[least]))
				least = k;
		if (least == i)
			return;
		index = join->heap[i];
		join->heap[i] = join->heap[least];
		join->heap[least] = index;
		i = least;
	}
}

static int64_t shifted(const struct part *part, int64_t t_ns)
{
	return t_ns + part->shift_ns;
}

static int on_reading(void *arg, size_t domain, int64_t t_ns, uint64_t value, int64_t activity_ns)
{
	const struct part *part = arg;
	const struct join_walk *walk = part->walk;

	return walk->visitor->reading
		       ? walk->visitor->reading(walk->arg, part->first_domain + domain,
						shifted(part, t_ns), value, activity_ns)
		       : 0;
}

static int on_sweep(void *arg, int64_t t_ns)
{
	const struct part *part = arg;
	const struct join_walk *walk = part->walk;

	return walk->visitor->sweep ? walk->visitor->sweep(walk->arg, shifted(part, t_ns)) : 0;
}

static int on_signal(void *arg, size_t signal, int64_t t_ns, uint64_t value)
{
	const struct part *part = arg;
	const struct join_walk *walk = part->walk;

	return walk->visitor->signal ? walk->visitor->signal(walk->arg, part->first_signal + signal,
							     shifted(part, t_ns), value)
				     : 0;
}

static int on_clock(void *arg, int64_t boot_ns, int64_t mono_ns, int64_t unix_ns)
{
	const struct part *part = arg;
	const struct join_walk *walk = part->walk;

	return walk->visitor->clock
		       ? walk->visitor->clock(walk->arg, shifted(part, boot_ns), mono_ns, unix_ns)
		       : 0;
}

static int tell(const struct join_walk *walk, const struct es_event *event)
{
	return walk->visitor->event ? walk->visitor->event(walk->arg, event) : 0;
}

/* How all of a node's domains are shared out is not how those of another are. */
static int tell_of_each(const struct part *part, struct es_event *event)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < part->recording->meta.n_domains; i++) {
		event->value = (int64_t)(part->first_domain + i);
		r = tell(part->walk, event);
	}
	return r;
}

static int on_event(void *arg, const struct es_event *told)
{
	const struct part *part = arg;
	struct es_join *join = part->walk->join;
	struct es_event event = *told;
	int64_t n_domains = (int64_t)part->recording->meta.n_domains;
	size_t i = (size_t)(part - join->parts);

	event.t_ns = shifted(part, event.t_ns);
	switch (event.type) {
	case ES_EVENT_SUSPEND:
	case ES_EVENT_LAUNCH:
	case ES_EVENT_BASELINE:
	case ES_EVENT_CPUS_ONLINE:
		return 0;
	case ES_EVENT_WORK:
		join->working = join->working == join->n ? i : join->working;
		return join->working == i ? tell(part->walk, &event) : 0;
	case ES_EVENT_SHARED:
		if (event.value == -1)
			return tell_of_each(part, &event);
		break;
	case ES_EVENT_FAULT:
	case ES_EVENT_READ_FAILED:
		break;
	default:
		return tell(part->walk, &event);
	}
	if (event.value < 0 || event.value >= n_domains)
		return 0;
	event.value += (int64_t)part->first_domain;
	return tell(part->walk, &event);
}

static const struct es_visitor part_visitor = { .reading = on_reading,
						.sweep = on_sweep,
						.event = on_event,
						.signal = on_signal,
						.clock = on_clock };

static int stamp_event(void *arg, const struct es_event *event)
{
	*(int64_t *)arg = event->t_ns;
	return 0;
}

/* Nothing of a part is told before what stood before it in its file. */
static void set_key(struct part *part, int64_t t_ns)
{
	t_ns = shifted(part, t_ns);
	if (!part->has_sweep || t_ns > part->key_ns)
		part->key_ns = t_ns;
	part->has_sweep = true;
}

/* What is in its rows: 1, or 0 where the recording breaks off with them. */
static int take_block(struct part *part, const struct es_frame *frame)
{
	struct es_recording *recording = part->recording;
	int r = es_rows_decode(&recording->rows, frame->payload, frame->payload_bytes);

	if (r == -EBADMSG) {
		recording->is_broken = true;
		return 0;
	}
	if (r < 0)
		return r;
	part->has_block = true;
	part->row = 0;
	return 1;
}

/* The next frame that has something to tell: 1, 0 at the end, or negative errno. */
static int take_frame(struct part *part)
{
	static const struct es_visitor stamps = { .event = stamp_event };
	struct es_recording *recording = part->recording;
	struct es_frame frame;
	int64_t t_ns = part->has_sweep ? part->key_ns - part->shift_ns : INT64_MIN / 4;
	int r = es_recording_frame_at(recording, part->at, &frame);

	if (r <= 0)
		return r;
	part->frame_at = part->at;
	if (frame.type == ES_FRAME_BLOCK) {
		r = take_block(part, &frame);
	} else {
		part->has_frame = true;
		if (frame.type == ES_FRAME_EVENT || frame.type == ES_FRAME_END) {
			r = es_recording_visit(recording, &frame, &stamps, &t_ns);
			if (t_ns > INT64_MIN / 4)
				set_key(part, t_ns);
		}
		r = r < 0 ? r : !recording->is_broken;
	}
	if (r <= 0)
		return r;
	part->at += frame.total_bytes;
	recording->n_frames++;
	recording->is_whole = frame.type == ES_FRAME_END;
	return 1;
}

/* Have something to tell: 1, 0 at the end, or negative errno. */
static int prepare(struct part *part)
{
	for (;;) {
		if (part->has_block && part->row < part->recording->rows.n_rows) {
			set_key(part, part->recording->rows.sweep_ns[part->row]);
			return 1;
		}
		part->has_block = false;
		if (part->has_frame)
			return 1;
		{
			int r = take_frame(part);

			if (r <= 0)
				return r;
		}
	}
}

static int tell_next(struct part *part)
{
	struct es_frame frame;
	int r;

	if (part->has_block)
		return es_recording_visit_row(&part->recording->rows, part->row++, &part_visitor,
					      part);
	part->has_frame = false;
	r = es_recording_frame_at(part->recording, part->frame_at, &frame);
	if (r <= 0)
		return r < 0 ? r : -EIO;
	return es_recording_visit(part->recording, &frame, &part_visitor, part);
}

static int start(struct es_join *join, struct join_walk *walk)
{
	join->working = join->n;
	join->n_heap = 0;
	for (size_t i = 0; i < join->n; i++) {
		struct part *part = &join->parts[i];
		int r;

		part->walk = walk;
		part->at = ES_RECORD_HEADER_BYTES;
		part->row = 0;
		part->has_block = part->has_frame = part->has_sweep = false;
		part->key_ns = INT64_MIN / 4;
		part->recording->is_whole = part->recording->is_broken = false;
		part->recording->n_frames = 0;
		r = prepare(part);
		if (r < 0)
			return r;
		if (r > 0)
			join->heap[join->n_heap++] = i;
	}
	for (size_t i = join->n_heap / 2; i-- > 0;)
		sink(join, i);
	return 0;
}

static void end(struct part *part)
{
	struct es_recording *recording = part->recording;

	recording->is_whole = recording->is_whole && !recording->is_broken;
	recording->lost_bytes =
		recording->file_bytes + (recording->kept ? recording->kept->len : 0) - part->at;
}

int es_join_walk(struct es_join *join, const struct es_visitor *visitor, void *arg)
{
	struct join_walk walk = { .join = join, .visitor = visitor, .arg = arg };
	int r = start(join, &walk);

	while (r >= 0 && join->n_heap > 0) {
		struct part *part = &join->parts[join->heap[0]];

		r = tell_next(part);
		if (r < 0)
			break;
		r = part->recording->is_broken ? 0 : prepare(part);
		if (r == 0)
			join->heap[0] = join->heap[--join->n_heap];
		sink(join, 0);
	}
	for (size_t i = 0; i < join->n; i++)
		end(&join->parts[i]);
	return r < 0 ? r : 0;
}

bool es_join_is_whole(const struct es_join *join)
{
	for (size_t i = 0; i < join->n; i++)
		if (!es_recording_is_whole(join->parts[i].recording))
			return false;
	return true;
}

uint64_t es_join_lost_bytes(const struct es_join *join)
{
	uint64_t lost_bytes = 0;

	for (size_t i = 0; i < join->n; i++)
		lost_bytes += es_recording_lost_bytes(join->parts[i].recording);
	return lost_bytes;
}

size_t es_join_n(const struct es_join *join)
{
	return join->n;
}

void es_join_close(struct es_join *join)
{
	if (!join)
		return;
	for (size_t i = 0; i < join->n; i++)
		es_recording_close(join->parts[i].recording);
	free(join->parts);
	free(join->heap);
	free(join);
}

static int add_part(struct part *part, struct es_meta *to)
{
	part->first_domain = to->n_domains;
	part->first_signal = to->n_signals;
	return es_meta_join(to, &part->recording->meta);
}

static void add_job(const struct es_meta *from, int64_t shift_ns, struct es_meta *to)
{
	to->n_cpus = to->n_cpus && from->n_cpus ? to->n_cpus + from->n_cpus : 0;
	to->n_gpus += from->n_gpus;
	if (from->n_job_nodes > to->n_job_nodes)
		to->n_job_nodes = from->n_job_nodes;
	if (to->sharing != from->sharing)
		to->sharing = to->sharing == ES_SHARING_SHARED || from->sharing == ES_SHARING_SHARED
				      ? ES_SHARING_SHARED
				      : ES_SHARING_UNKNOWN;
	if (from->period_ns > 0 && from->period_ns < to->period_ns)
		to->period_ns = from->period_ns;
	to->virt = to->virt == from->virt ? to->virt : ES_VIRT_UNKNOWN;
	to->has_battery = to->has_battery && from->has_battery;
	if (from->start_boot_ns + shift_ns < to->start_boot_ns) {
		int64_t earlier_ns = to->start_boot_ns - (from->start_boot_ns + shift_ns);

		to->start_boot_ns -= earlier_ns;
		to->start_mono_ns -= earlier_ns;
		to->start_unix_ns -= earlier_ns;
	}
}

int es_join_create(struct es_recording *const *parts, const int64_t *shift_ns, size_t n,
		   struct es_meta *ret_meta, struct es_join **ret)
{
	struct es_join *join = calloc(1, sizeof(*join));
	struct es_meta meta;
	int r = 0;

	if (!join)
		return -ENOMEM;
	join->parts = calloc(n, sizeof(*join->parts));
	join->heap = calloc(n, sizeof(*join->heap));
	join->n = n;
	meta = parts[0]->meta;
	meta.nodes = NULL;
	meta.domains = NULL;
	meta.signals = NULL;
	meta.n_nodes = meta.n_domains = meta.n_signals = 0;
	if (!join->parts || !join->heap)
		r = -ENOMEM;
	for (size_t i = 0; r == 0 && i < n; i++) {
		join->parts[i].recording = parts[i];
		join->parts[i].shift_ns = shift_ns[i];
		r = add_part(&join->parts[i], &meta);
		if (r == 0 && i > 0)
			add_job(&parts[i]->meta, shift_ns[i], &meta);
	}
	if (r < 0) {
		es_meta_finish(&meta);
		free(join->parts);
		free(join->heap);
		free(join);
		return r;
	}
	*ret_meta = meta;
	*ret = join;
	return 0;
}
