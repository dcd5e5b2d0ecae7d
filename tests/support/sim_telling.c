/*
 * sim_telling.c - a replay of jobs on nodes and classes, told plainly, to hold the engine against
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * It knows each node by its number and looks at all of them and at all jobs every 100 ms.
 */
#include "support/sim_telling.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

#define NODES_MAX 128U
#define NONE SIZE_MAX

int sim_offer(void *arg, unsigned class, struct es_sim_job *job)
{
	const struct sim_kind *kind = &((struct sim_trace *)arg)->kinds[class];

	if (kind->not_for > 0 && job->id % kind->not_for == 0)
		return 0;
	job->run_s = job->run_s * kind->slower / 4;
	job->estimate_s = job->estimate_s * kind->slower / 4;
	job->extra_mw = job->extra_mw * kind->more / 4;
	return 1;
}

/* A node of the plain telling. */
struct node {
	unsigned class;
	enum es_sim_state state;
	size_t job; /* whose it is; NONE */
	int64_t since_ms; /* idle */
	int64_t until_ms; /* boots or stops */
	bool turns; /* boots at once when it has stopped */
};

struct telling {
	const struct sim_trace *trace;
	const struct es_sim_options *options;
	struct node nodes[NODES_MAX];
	size_t n_nodes;
	struct es_sim_job on[ES_SIM_CLASSES_MAX][SIM_JOBS_MAX]; /* what each job is on each class */
	bool fits[ES_SIM_CLASSES_MAX][SIM_JOBS_MAX];
	int64_t starts_s[SIM_JOBS_MAX]; /* below 0: waits */
	unsigned classes[SIM_JOBS_MAX];
	bool is_over[SIM_JOBS_MAX];
	int64_t shadow_s, spare, spare_mw;
	unsigned reserved;
	bool has_head;
	struct es_sim_stays stays[ES_SIM_CLASSES_MAX];
	int64_t peak_mw;
	double mj; /* drawn in all */
};

static int64_t ceil_s(int64_t ms)
{
	return (ms + 999) / 1000;
}

static int64_t max_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static const struct es_sim_node *kind_of(const struct telling *t, unsigned class)
{
	return &t->options->classes[class].node;
}

static int64_t nodes_for(const struct telling *t, unsigned class, size_t job)
{
	return (t->trace->jobs[job].procs + kind_of(t, class)->procs - 1) /
	       kind_of(t, class)->procs;
}

/* Power kept for each node's processors, where the cap must hold while nodes boot. */
static int64_t surge_of(const struct telling *t, unsigned class)
{
	const struct es_sim_node *kind = kind_of(t, class);
	int64_t most_mw = max_of(kind->idle_mw, max_of(kind->boot_mw, kind->stop_mw));

	if (kind->timeout_s < 0 || !t->options->has_cap)
		return 0;
	return (most_mw - kind->idle_mw + kind->procs - 1) / kind->procs * kind->procs;
}

static int64_t need_of(const struct telling *t, unsigned class, size_t job)
{
	return max_of(0,
		      t->on[class][job].extra_mw - nodes_for(t, class, job) * surge_of(t, class));
}

static int64_t free_mw(const struct telling *t)
{
	int64_t mw = t->options->has_cap ? t->options->cap_mw : INT64_MAX / 4;

	for (size_t i = 0; i < t->n_nodes; i++)
		mw -= surge_of(t, t->nodes[i].class);
	for (size_t job = 0; job < t->trace->n; job++)
		if (t->starts_s[job] >= 0 && !t->is_over[job])
			mw -= need_of(t, t->classes[job], job);
	return mw;
}

static int64_t free_nodes(const struct telling *t, unsigned class)
{
	int64_t n = 0;

	for (size_t i = 0; i < t->n_nodes; i++)
		n += t->nodes[i].class == class && t->nodes[i].job == NONE;
	return n;
}

static int64_t on_ms(const struct telling *t, const struct node *node, int64_t now_s)
{
	const struct es_sim_node *kind = kind_of(t, node->class);

	if (node->state == ES_SIM_IDLE)
		return now_s * 1000;
	if (node->state == ES_SIM_BOOTING)
		return node->until_ms;
	if (node->state == ES_SIM_OFF)
		return now_s * 1000 + kind->boot_ms;
	return node->until_ms + kind->boot_ms;
}

/* Which is taken first: idle ones, the last to become so; what boots, or is told to; off; stopping. */
static bool is_nearer(const struct node *a, const struct node *b)
{
	static const int ranks[ES_SIM_N_STATES] = {
		[ES_SIM_IDLE] = 0, [ES_SIM_BOOTING] = 1, [ES_SIM_OFF] = 2, [ES_SIM_STOPPING] = 3
	};
	int rank_a = a->turns ? 1 : ranks[a->state], rank_b = b->turns ? 1 : ranks[b->state];

	if (rank_a != rank_b)
		return rank_a < rank_b;
	return rank_a == 0 ? a->since_ms > b->since_ms : false;
}

static int by_nearness(const void *a, const void *b)
{
	const struct node *x = *(struct node *const *)a, *y = *(struct node *const *)b;

	if (is_nearer(x, y))
		return -1;
	return is_nearer(y, x) ? 1 : 0;
}

/* Within a rank the earliest to be on: a stable pass over what is sorted by rank. */
static size_t nearest(struct telling *t, unsigned class, int64_t now_s, struct node *ret[NODES_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_nodes; i++)
		if (t->nodes[i].class == class && t->nodes[i].job == NONE)
			ret[n++] = &t->nodes[i];
	for (size_t i = 1; i < n; i++)
		for (size_t k = i; k > 0; k--) {
			int order = by_nearness(&ret[k], &ret[k - 1]);
			struct node *other = ret[k - 1];

			assert_non_null(other);
			if (order > 0 ||
			    (order == 0 && on_ms(t, ret[k], now_s) >= on_ms(t, other, now_s)))
				break;
			ret[k - 1] = ret[k];
			ret[k] = other;
		}
	return n;
}

static int64_t start_of(struct telling *t, unsigned class, size_t job, int64_t now_s)
{
	struct node *nodes[NODES_MAX];
	size_t n = nearest(t, class, now_s, nodes);
	int64_t ms = now_s * 1000;

	assert_true((int64_t)n >= nodes_for(t, class, job));
	for (int64_t i = 0; i < nodes_for(t, class, job); i++)
		ms = max_of(ms, nodes[i]->turns ? nodes[i]->until_ms + kind_of(t, class)->boot_ms
						: on_ms(t, nodes[i], now_s));
	return ceil_s(ms);
}

static int64_t woken(struct telling *t, unsigned class, size_t job, int64_t now_s)
{
	struct node *nodes[NODES_MAX];
	int64_t n = 0;

	(void)nearest(t, class, now_s, nodes);
	for (int64_t i = 0; i < nodes_for(t, class, job); i++)
		n += !nodes[i]->turns &&
		     (nodes[i]->state == ES_SIM_OFF || nodes[i]->state == ES_SIM_STOPPING);
	return n;
}

static void wake(struct telling *t, struct node *node, int64_t now_s)
{
	t->stays[node->class].n_boots++;
	if (node->state == ES_SIM_STOPPING) {
		node->turns = true;
		return;
	}
	node->state = ES_SIM_BOOTING;
	node->until_ms = now_s * 1000 + kind_of(t, node->class)->boot_ms;
}

static void tell_start(struct telling *t, size_t job, unsigned class, int64_t now_s)
{
	int64_t start_s = start_of(t, class, job, now_s);
	struct node *nodes[NODES_MAX];

	(void)nearest(t, class, now_s, nodes);
	for (int64_t i = 0; i < nodes_for(t, class, job); i++) {
		nodes[i]->job = job;
		if (!nodes[i]->turns &&
		    (nodes[i]->state == ES_SIM_OFF || nodes[i]->state == ES_SIM_STOPPING))
			wake(t, nodes[i], now_s);
	}
	t->starts_s[job] = start_s;
	t->classes[job] = class;
}

static double cost_of(struct telling *t, unsigned class, size_t job, int64_t now_s)
{
	const struct es_sim_class *is = &t->options->classes[class];
	const struct es_sim_job *on = &t->on[class][job];
	double est = (double)on->estimate_s;
	double mj = ((double)is->idle_mw * (double)nodes_for(t, class, job) * is->node.procs +
		     (double)on->extra_mw) *
		    est;

	switch (t->options->choice) {
	case ES_SIM_ENERGY:
		return mj;
	case ES_SIM_EDP:
		return mj * (double)(start_of(t, class, job, now_s) - now_s + on->estimate_s);
	case ES_SIM_MARGINAL:
		return (double)on->extra_mw * est +
		       (double)woken(t, class, job, now_s) *
			       ((double)(is->node.boot_mw - is->node.off_mw) *
					(double)is->node.boot_ms / 1e3 +
				(double)(is->node.idle_mw - is->node.off_mw) * est);
	case ES_SIM_FIRST:
	case ES_SIM_N_CHOICES:
	default:
		return 0;
	}
}

/* What is free on a class when all jobs expected to end by then have. */
static int64_t free_by(const struct telling *t, unsigned class, int64_t at_s, int64_t *ret_mw)
{
	int64_t nodes = free_nodes(t, class);

	*ret_mw = free_mw(t);
	for (size_t job = 0; job < t->trace->n; job++) {
		unsigned on = t->classes[job];

		if (t->starts_s[job] < 0 || t->is_over[job] ||
		    t->starts_s[job] + t->on[on][job].estimate_s > at_s)
			continue;
		*ret_mw += need_of(t, on, job);
		nodes += on == class ? nodes_for(t, class, job) : 0;
	}
	return nodes;
}

static void tell_reservation(struct telling *t, size_t head)
{
	t->shadow_s = INT64_MAX;
	for (unsigned class = 0; class < t->options->n_classes; class ++) {
		for (size_t job = 0; job < t->trace->n && t->fits[class][head]; job++) {
			int64_t at_s, nodes, mw;

			if (t->starts_s[job] < 0 || t->is_over[job])
				continue;
			at_s = t->starts_s[job] + t->on[t->classes[job]][job].estimate_s;
			nodes = free_by(t, class, at_s, &mw) - nodes_for(t, class, head);
			if (nodes < 0 || mw < need_of(t, class, head) || at_s >= t->shadow_s)
				continue;
			t->shadow_s = at_s;
			t->reserved = class;
			t->spare = nodes;
			t->spare_mw = mw - need_of(t, class, head);
		}
	}
	assert_true(t->shadow_s < INT64_MAX);
	t->has_head = true;
}

/* Whether a job ends before the first starts, if it is started now. */
static bool ends_before(struct telling *t, size_t job, unsigned class, int64_t now_s)
{
	return start_of(t, class, job, now_s) + t->on[class][job].estimate_s <= t->shadow_s;
}

static unsigned tell_choice(struct telling *t, size_t job, int64_t now_s)
{
	unsigned best = ES_SIM_CLASSES_MAX;
	double least = INFINITY;

	for (unsigned class = 0; class < t->options->n_classes; class ++) {
		if (!t->fits[class][job] || nodes_for(t, class, job) > free_nodes(t, class) ||
		    need_of(t, class, job) > free_mw(t))
			continue;
		if (t->has_head && !ends_before(t, job, class, now_s) &&
		    (need_of(t, class, job) > t->spare_mw ||
		     (class == t->reserved && nodes_for(t, class, job) > t->spare)))
			continue;
		if (cost_of(t, class, job, now_s) < least) {
			best = class;
			least = cost_of(t, class, job, now_s);
		}
	}
	return best;
}

static void tell_jobs(struct telling *t, int64_t now_s)
{
	t->has_head = false;
	for (size_t job = 0; job < t->trace->n; job++) {
		unsigned class;

		if (t->starts_s[job] >= 0 || t->trace->jobs[job].submit_s > now_s)
			continue;
		class = tell_choice(t, job, now_s);
		if (class == ES_SIM_CLASSES_MAX && !t->has_head)
			tell_reservation(t, job);
		if (class == ES_SIM_CLASSES_MAX) {
			if (t->options->policy == ES_SIM_FCFS)
				return;
			continue;
		}
		if (t->has_head && !ends_before(t, job, class, now_s)) {
			t->spare -= class == t->reserved ? nodes_for(t, class, job) : 0;
			t->spare_mw -= need_of(t, class, job);
		}
		tell_start(t, job, class, now_s);
	}
}

static int64_t not_on(const struct telling *t, unsigned class)
{
	int64_t n = 0;

	for (size_t i = 0; i < t->n_nodes; i++)
		n += t->nodes[i].class == class && t->nodes[i].job == NONE && !t->nodes[i].turns &&
		     (t->nodes[i].state == ES_SIM_OFF || t->nodes[i].state == ES_SIM_STOPPING);
	return n;
}

/* The one that is idle for longest, if for the timeout. */
static struct node *oldest(struct telling *t, unsigned class, int64_t now_s)
{
	const struct es_sim_node *kind = kind_of(t, class);
	struct node *found = NULL;

	for (size_t i = 0; i < t->n_nodes; i++) {
		struct node *node = &t->nodes[i];

		if (node->class == class && node->job == NONE && node->state == ES_SIM_IDLE &&
		    kind->timeout_s >= 0 && ceil_s(node->since_ms) + kind->timeout_s <= now_s &&
		    (!found || node->since_ms < found->since_ms))
			found = node;
	}
	return found;
}

static void tell_switches(struct telling *t, unsigned class, int64_t now_s)
{
	const struct es_sim_node *kind = kind_of(t, class);
	bool is_wanted = t->has_head && t->reserved == class;
	struct node *node, *nodes[NODES_MAX];
	size_t n;

	while ((node = oldest(t, class, now_s))) {
		if (is_wanted && t->shadow_s - now_s < ceil_s(kind->boot_ms + kind->stop_ms) &&
		    not_on(t, class) >= t->spare)
			break;
		t->stays[class].n_stops++;
		node->state = ES_SIM_STOPPING;
		node->until_ms = now_s * 1000 + kind->stop_ms;
	}
	if (!is_wanted || now_s < t->shadow_s - ceil_s(kind->boot_ms))
		return;
	n = nearest(t, class, now_s, nodes);
	for (size_t i = 0; i < n && not_on(t, class) > t->spare; i++)
		if (!nodes[i]->turns &&
		    (nodes[i]->state == ES_SIM_OFF || nodes[i]->state == ES_SIM_STOPPING))
			wake(t, nodes[i], now_s);
}

/* What boots or stops up to now has done so. */
static void tell_changes(struct telling *t, int64_t now_ms)
{
	for (size_t i = 0; i < t->n_nodes; i++) {
		struct node *node = &t->nodes[i];

		if (node->state == ES_SIM_STOPPING && node->until_ms <= now_ms) {
			node->state = node->turns ? ES_SIM_BOOTING : ES_SIM_OFF;
			node->until_ms += kind_of(t, node->class)->boot_ms;
			node->turns = false;
		}
		if (node->state == ES_SIM_BOOTING && node->until_ms <= now_ms) {
			node->state = ES_SIM_IDLE;
			node->since_ms = node->until_ms;
		}
	}
}

/* Jobs end and begin. Returns how many have ended. */
static size_t tell_ends(struct telling *t, int64_t now_s)
{
	size_t n_over = 0;

	for (size_t job = 0; job < t->trace->n; job++) {
		bool ends, begins = t->starts_s[job] == now_s;

		ends = t->starts_s[job] >= 0 && !t->is_over[job] &&
		       t->starts_s[job] + t->on[t->classes[job]][job].run_s <= now_s;
		for (size_t i = 0; i < t->n_nodes; i++) {
			struct node *node = &t->nodes[i];

			if (node->job != job)
				continue;
			if (begins && node->state != ES_SIM_BUSY) {
				assert_int_equal(node->state, ES_SIM_IDLE);
				node->state = ES_SIM_BUSY;
			}
			if (ends) {
				node->state = ES_SIM_IDLE;
				node->since_ms = now_s * 1000;
				node->job = NONE;
			}
		}
		t->is_over[job] = t->is_over[job] || ends;
		n_over += t->is_over[job];
	}
	return n_over;
}

static void tell_tick(struct telling *t, int64_t now_ms)
{
	int64_t mw = 0, idle_mw = 0;

	for (size_t i = 0; i < t->n_nodes; i++) {
		struct node *node = &t->nodes[i];

		t->stays[node->class].ms[node->state] += SIM_TICK_MS;
		mw += es_sim_node_mw(kind_of(t, node->class), node->state);
		idle_mw += kind_of(t, node->class)->idle_mw;
	}
	t->mj += (double)mw * SIM_TICK_MS / 1e3;
	for (size_t job = 0; job < t->trace->n; job++)
		if (t->starts_s[job] >= 0 && !t->is_over[job] && t->starts_s[job] * 1000 <= now_ms)
			mw += t->on[t->classes[job]][job].extra_mw;
	t->peak_mw = max_of(t->peak_mw, mw);
	if (t->options->has_cap)
		assert_true(mw <= idle_mw + t->options->cap_mw);
}

static struct telling *prepare(struct sim_trace *trace, const struct es_sim_options *options)
{
	struct telling *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->trace = trace;
	t->options = options;
	memset(t->starts_s, 0xff, sizeof(t->starts_s));
	for (unsigned class = 0; class < options->n_classes; class ++) {
		const struct es_sim_class *is = &options->classes[class];

		for (uint32_t i = 0; i < is->procs / is->node.procs; i++) {
			assert_in_range(t->n_nodes, 0, NODES_MAX - 1);
			t->nodes[t->n_nodes++] =
				(struct node){ .class = class,
					       .state = ES_SIM_IDLE,
					       .job = NONE,
					       .since_ms = trace->jobs[0].submit_s * 1000 };
		}
	}
	for (unsigned class = 0; class < options->n_classes; class ++) {
		int64_t cap_mw = options->has_cap ? options->cap_mw : INT64_MAX / 4;

		for (size_t i = 0; i < t->n_nodes; i++)
			cap_mw -= surge_of(t, t->nodes[i].class);
		for (size_t job = 0; job < trace->n; job++) {
			t->on[class][job] = trace->jobs[job];
			t->on[class][job].id = job;
			t->fits[class][job] =
				sim_offer(trace, class, &t->on[class][job]) > 0 &&
				nodes_for(t, class, job) <=
					options->classes[class].procs / kind_of(t, class)->procs &&
				need_of(t, class, job) <= cap_mw;
		}
	}
	return t;
}

/* The same starts, on the same classes, and each node as long in each state. */
void sim_tell(struct sim_trace *trace, const struct es_sim_options *options,
	      const struct es_sim_totals *totals)
{
	struct telling *t = prepare(trace, options);
	int64_t from_s = trace->jobs[0].submit_s, now_ms = from_s * 1000;
	size_t n_over = 0;

	for (; n_over < trace->n; now_ms += SIM_TICK_MS) {
		tell_changes(t, now_ms);
		if (now_ms % 1000 == 0) {
			size_t n_after;

			do { /* those without length end when they start */
				n_over = tell_ends(t, now_ms / 1000);
				tell_jobs(t, now_ms / 1000);
				tell_changes(t, now_ms); /* a boot that takes no time */
				n_after = tell_ends(t, now_ms / 1000);
			} while (n_after > n_over);
			for (unsigned class = 0; class < options->n_classes; class ++)
				tell_switches(t, class, now_ms / 1000);
			tell_changes(t, now_ms);
			n_over = tell_ends(t, now_ms / 1000);
		}
		if (n_over < trace->n)
			tell_tick(t, now_ms);
	}
	for (size_t job = 0; job < trace->n; job++) {
		assert_int_equal(trace->starts_s[job], t->starts_s[job]);
		assert_int_equal(trace->classes[job], t->classes[job]);
	}
	for (unsigned class = 0; class < options->n_classes; class ++) {
		const struct es_sim_stays *stays = &totals->by_class[class].stays;
		int64_t sum_ms = 0;

		for (int state = 0; state < ES_SIM_N_STATES; state++) {
			assert_int_equal(stays->ms[state], t->stays[class].ms[state]);
			sum_ms += stays->ms[state];
		}
		assert_int_equal(stays->n_boots, t->stays[class].n_boots);
		assert_int_equal(stays->n_stops, t->stays[class].n_stops);
		assert_int_equal(
			sum_ms, (totals->last_end_s - totals->first_submit_s) * 1000 *
					(options->classes[class].procs / kind_of(t, class)->procs));
	}
	assert_int_equal(totals->peak_mw, t->peak_mw);
	assert_true(fabs(trace->drawn_mj - t->mj) <= 1e-9 * t->mj);
	free(t);
}
