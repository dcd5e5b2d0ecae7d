/*
 * cluster_schedule.c - which job runs when on which nodes of a simulated cluster
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "twin/cluster_private.h"

#define PPM INT64_C(1000000)
#define DAY_NS 86400e9
#define REBOOTS 0.7 /* share of those that go down: they come back by themselves */
#define REBOOT_NS (4 * INT64_C(60) * ES_NS_PER_S)
#define REPAIR_MEDIAN_NS (4 * 3600e9)
#define REPAIR_SIGMA 0.8
#define NO_NODE UINT32_MAX

/* In the order in which they happen at one time. */
enum event_type {
	EVENT_END,
	EVENT_UP,
	EVENT_DOWN,
	EVENT_SUBMIT,
};

struct event {
	int64_t t_ns;
	enum event_type type;
	uint32_t i; /* job or node */
};

/* A class of nodes and who waits for them. */
struct queue {
	uint32_t *jobs; /* owned; in the order of their submission */
	size_t head, tail;
	uint64_t *free; /* owned; one bit for each node */
	uint32_t n, n_free, first; /* first: index of its first node */
};

struct schedule {
	struct es_cluster *cluster;
	struct queue queues[ES_CLUSTER_CLASSES_MAX];
	struct event *heap; /* owned; the earliest first */
	size_t n, cap;
	uint32_t *running; /* owned; job of each node, or ES_CLUSTER_DOWN: none */
	int64_t *down_ns; /* owned; since when, of nodes that are down, else -1 */
	struct es_cluster_random *failures; /* owned; of each node */
};

static bool is_before(const struct event *a, const struct event *b)
{
	if (a->t_ns != b->t_ns)
		return a->t_ns < b->t_ns;
	return a->type != b->type ? a->type < b->type : a->i < b->i;
}

static int push(struct schedule *schedule, struct event event)
{
	size_t at = schedule->n;

	if (schedule->n == schedule->cap) {
		size_t larger = schedule->cap ? schedule->cap * 2 : 1024;
		struct event *heap = reallocarray(schedule->heap, larger, sizeof(*heap));

		if (!heap)
			return -ENOMEM;
		schedule->heap = heap;
		schedule->cap = larger;
	}
	schedule->n++;
	for (; at > 0 && is_before(&event, &schedule->heap[(at - 1) / 2]); at = (at - 1) / 2)
		schedule->heap[at] = schedule->heap[(at - 1) / 2];
	schedule->heap[at] = event;
	return 0;
}

static struct event pop(struct schedule *schedule)
{
	struct event *heap = schedule->heap, first = heap[0], last = heap[--schedule->n];
	size_t at = 0, child;

	while ((child = 2 * at + 1) < schedule->n) {
		if (child + 1 < schedule->n && is_before(&heap[child + 1], &heap[child]))
			child++;
		if (!is_before(&heap[child], &last))
			break;
		heap[at] = heap[child];
		at = child;
	}
	if (schedule->n > 0)
		heap[at] = last;
	return first;
}

static struct queue *queue_of(struct schedule *schedule, uint32_t node)
{
	return &schedule->queues[schedule->cluster->nodes[node].class];
}

static void set_free(struct schedule *schedule, uint32_t node)
{
	struct queue *queue = queue_of(schedule, node);
	uint32_t i = node - queue->first;

	queue->free[i / 64] |= UINT64_C(1) << i % 64;
	queue->n_free++;
}

static uint32_t take_first_free(struct queue *queue)
{
	for (uint32_t word = 0; word <= (queue->n - 1) / 64; word++) {
		uint64_t bits = queue->free[word];

		if (bits == 0)
			continue;
		queue->free[word] = bits & (bits - 1);
		queue->n_free--;
		return queue->first + word * 64 + (uint32_t)__builtin_ctzll(bits);
	}
	return NO_NODE;
}

static int add_span(struct es_cluster_node *node, int64_t start_ns, int64_t end_ns, uint32_t job)
{
	if (node->n_spans == node->cap_spans) {
		size_t larger = node->cap_spans ? node->cap_spans * 2 : 16;
		struct es_cluster_span *spans = reallocarray(node->spans, larger, sizeof(*spans));

		if (!spans)
			return -ENOMEM;
		node->spans = spans;
		node->cap_spans = larger;
	}
	node->spans[node->n_spans++] =
		(struct es_cluster_span){ .start_ns = start_ns, .end_ns = end_ns, .job = job };
	if (job == ES_CLUSTER_DOWN)
		node->down_ns += end_ns - start_ns;
	else
		node->busy_ns += end_ns - start_ns;
	return 0;
}

/* It is over, for whatever reason; its nodes but @dead are free. */
static int finish_job(struct schedule *schedule, uint32_t i, int64_t t_ns,
		      enum es_cluster_state state, uint32_t dead)
{
	struct es_cluster_job *job = &schedule->cluster->jobs[i];
	int r = 0;

	job->end_ns = t_ns;
	job->state = state;
	for (uint32_t k = 0; r == 0 && k < job->n_nodes; k++) {
		uint32_t node = job->nodes[k];

		schedule->running[node] = ES_CLUSTER_DOWN;
		if (t_ns > job->start_ns)
			r = add_span(&schedule->cluster->nodes[node], job->start_ns, t_ns, i);
		if (node != dead)
			set_free(schedule, node);
	}
	return r;
}

static int start_job(struct schedule *schedule, struct queue *queue, uint32_t i, int64_t t_ns)
{
	struct es_cluster_job *job = &schedule->cluster->jobs[i];

	job->nodes = calloc(job->n_nodes, sizeof(*job->nodes));
	if (!job->nodes)
		return -ENOMEM;
	for (uint32_t k = 0; k < job->n_nodes; k++) {
		job->nodes[k] = take_first_free(queue);
		schedule->running[job->nodes[k]] = i;
	}
	job->start_ns = t_ns;
	job->state = ES_CLUSTER_RUNNING;
	return push(schedule,
		    (struct event){ .t_ns = t_ns + job->length_ns, .type = EVENT_END, .i = i });
}

/* First come, first served: who is first in the queue holds up all behind it. */
static int start_jobs(struct schedule *schedule, struct queue *queue, int64_t t_ns)
{
	int r = 0;

	while (r == 0 && queue->head < queue->tail &&
	       t_ns < schedule->cluster->options.duration_ns) {
		uint32_t i = queue->jobs[queue->head];

		if (schedule->cluster->jobs[i].n_nodes > queue->n_free)
			break;
		queue->head++;
		r = start_job(schedule, queue, i, t_ns);
	}
	return r;
}

/* When @node goes down next, if it ever does. */
static int plan_failure(struct schedule *schedule, uint32_t node, int64_t t_ns)
{
	const struct es_cluster_options *options = &schedule->cluster->options;
	double after_ns;

	if (options->failures_ppm <= 0)
		return 0;
	after_ns = -log(es_cluster_uniform(&schedule->failures[node])) * DAY_NS * (double)PPM /
		   (double)options->failures_ppm;
	if (after_ns >= (double)(options->duration_ns - t_ns))
		return 0;
	return push(schedule, (struct event){ .t_ns = t_ns + ES_NS_PER_MS +
						      (int64_t)(after_ns / 1e6) * ES_NS_PER_MS,
					      .type = EVENT_DOWN,
					      .i = node });
}

static int go_down(struct schedule *schedule, uint32_t node, int64_t t_ns)
{
	struct es_cluster_random *random = &schedule->failures[node];
	struct queue *queue = queue_of(schedule, node);
	uint32_t job = schedule->running[node], i = node - queue->first;
	int64_t off_ns = REBOOT_NS;
	int r = 0;

	if (job != ES_CLUSTER_DOWN) {
		r = finish_job(schedule, job, t_ns, ES_CLUSTER_FAILED, node);
	} else {
		queue->free[i / 64] &= ~(UINT64_C(1) << i % 64);
		queue->n_free--;
	}
	if (es_cluster_uniform(random) > REBOOTS)
		off_ns = (int64_t)(REPAIR_MEDIAN_NS *
				   exp(REPAIR_SIGMA * es_cluster_normal(random)) / 1e9) *
			 ES_NS_PER_S;
	if (off_ns < 2 * ES_CLUSTER_BOOT_NS)
		off_ns = 2 * ES_CLUSTER_BOOT_NS;
	schedule->down_ns[node] = t_ns;
	return r < 0 ? r
		     : push(schedule,
			    (struct event){ .t_ns = t_ns + off_ns, .type = EVENT_UP, .i = node });
}

/* Power is back; jobs can start once it has booted, which is when the event comes. */
static int come_up(struct schedule *schedule, uint32_t node, int64_t t_ns)
{
	int64_t down_ns = schedule->down_ns[node];
	int r = add_span(&schedule->cluster->nodes[node], down_ns, t_ns - ES_CLUSTER_BOOT_NS,
			 ES_CLUSTER_DOWN);

	schedule->down_ns[node] = -1;
	set_free(schedule, node);
	return r < 0 ? r : plan_failure(schedule, node, t_ns);
}

static int handle(struct schedule *schedule, const struct event *event)
{
	struct es_cluster *cluster = schedule->cluster;
	struct queue *queue;
	int r = 0;

	switch (event->type) {
	case EVENT_END:
		queue = &schedule->queues[cluster->jobs[event->i].class];
		/* Unless a node of it went down before. */
		if (cluster->jobs[event->i].state == ES_CLUSTER_RUNNING)
			r = finish_job(schedule, event->i, event->t_ns, ES_CLUSTER_COMPLETED,
				       NO_NODE);
		break;
	case EVENT_UP:
		queue = queue_of(schedule, event->i);
		r = come_up(schedule, event->i, event->t_ns);
		break;
	case EVENT_DOWN:
		queue = queue_of(schedule, event->i);
		r = go_down(schedule, event->i, event->t_ns);
		break;
	case EVENT_SUBMIT:
	default:
		queue = &schedule->queues[cluster->jobs[event->i].class];
		queue->jobs[queue->tail++] = event->i;
		break;
	}
	return r < 0 ? r : start_jobs(schedule, queue, event->t_ns);
}

static int set_up_queues(struct schedule *schedule)
{
	const struct es_cluster *cluster = schedule->cluster;
	size_t n_jobs[ES_CLUSTER_CLASSES_MAX] = { 0 };
	uint32_t first = 0;

	for (size_t i = 0; i < cluster->n_jobs; i++)
		n_jobs[cluster->jobs[i].class]++;
	for (size_t i = 0; i < cluster->options.n_classes; i++) {
		struct queue *queue = &schedule->queues[i];

		queue->n = cluster->options.classes[i].n;
		queue->first = first;
		first += queue->n;
		queue->jobs = calloc(n_jobs[i] + 1, sizeof(*queue->jobs));
		queue->free = calloc(queue->n / 64 + 1, sizeof(*queue->free));
		if (!queue->jobs || !queue->free)
			return -ENOMEM;
	}
	return 0;
}

static int set_up(struct schedule *schedule)
{
	const struct es_cluster *cluster = schedule->cluster;
	int r = set_up_queues(schedule);

	schedule->running = calloc(cluster->n_nodes, sizeof(*schedule->running));
	schedule->down_ns = calloc(cluster->n_nodes, sizeof(*schedule->down_ns));
	schedule->failures = calloc(cluster->n_nodes, sizeof(*schedule->failures));
	if (r < 0 || !schedule->running || !schedule->down_ns || !schedule->failures)
		return -ENOMEM;
	for (uint32_t i = 0; r == 0 && i < cluster->n_nodes; i++) {
		schedule->running[i] = ES_CLUSTER_DOWN;
		schedule->down_ns[i] = -1;
		schedule->failures[i] =
			es_cluster_stream(cluster->options.seed, ES_CLUSTER_STREAM_FAILURE, i);
		set_free(schedule, i);
		r = plan_failure(schedule, i, 0);
	}
	return r;
}

/* What goes on when the simulated time is over. */
static int close_up(struct schedule *schedule)
{
	struct es_cluster *cluster = schedule->cluster;
	int64_t end_ns = cluster->options.duration_ns;
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < cluster->n_jobs; i++)
		if (cluster->jobs[i].state == ES_CLUSTER_RUNNING)
			r = finish_job(schedule, i, end_ns, ES_CLUSTER_RUNNING, NO_NODE);
	for (uint32_t i = 0; r == 0 && i < cluster->n_nodes; i++)
		if (schedule->down_ns[i] >= 0 && schedule->down_ns[i] < end_ns)
			r = add_span(&cluster->nodes[i], schedule->down_ns[i], end_ns,
				     ES_CLUSTER_DOWN);
	return r;
}

static int run(struct schedule *schedule)
{
	struct es_cluster *cluster = schedule->cluster;
	int64_t end_ns = cluster->options.duration_ns;
	size_t next = 0;
	int r = 0;

	while (r == 0 && (next < cluster->n_jobs || schedule->n > 0)) {
		struct event event = { .type = EVENT_SUBMIT, .i = (uint32_t)next };

		if (next < cluster->n_jobs)
			event.t_ns = cluster->jobs[next].submit_ns;
		if (next == cluster->n_jobs ||
		    (schedule->n > 0 && is_before(&schedule->heap[0], &event)))
			event = pop(schedule);
		else
			next++;
		if (event.t_ns > end_ns)
			break;
		r = handle(schedule, &event);
	}
	return r;
}

int es_cluster_schedule(struct es_cluster *cluster)
{
	struct schedule schedule = { .cluster = cluster };
	int r = set_up(&schedule);

	if (r == 0)
		r = run(&schedule);
	if (r == 0)
		r = close_up(&schedule);
	for (size_t i = 0; i < ES_CLUSTER_CLASSES_MAX; i++) {
		free(schedule.queues[i].jobs);
		free(schedule.queues[i].free);
	}
	free(schedule.heap);
	free(schedule.running);
	free(schedule.down_ns);
	free(schedule.failures);
	return r;
}
