/*
 * region_walk.c - energies of regions, reading by reading
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/region_walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "core/watch.h"

__extension__ typedef unsigned __int128 es_u128;

/* What has been seen of the window between two readings. */
struct es_region_window {
	struct es_sample sample;
	bool is_gap;
	uint64_t serial; /* of this window; stamps below that are equal belong to it */
	size_t first_edge, first_cut; /* of the domain, in this window */
	struct list {
		uint64_t *stamp; /* [key] */
		uint32_t *keys; /* [n] those with time in it */
		int64_t *dur_ns; /* [key] */
		bool *was_open; /* [key] regions: when it began */
		size_t n;
	} regions, states;
};

struct walking {
	struct es_region_walk *walk;
	struct es_watch watch;
	bool *has_sample; /* [domain] */
	int64_t *last_t_ns; /* [domain] end of its last sample */
};

static int list_init(struct list *list, size_t n)
{
	list->stamp = calloc(n + 1, sizeof(*list->stamp));
	list->keys = calloc(n + 1, sizeof(*list->keys));
	list->dur_ns = calloc(n + 1, sizeof(*list->dur_ns));
	list->was_open = calloc(n + 1, sizeof(*list->was_open));
	return list->stamp && list->keys && list->dur_ns && list->was_open ? 0 : -ENOMEM;
}

static void list_finish(struct list *list)
{
	free(list->stamp);
	free(list->keys);
	free(list->dur_ns);
	free(list->was_open);
}

/* True where the key is new in this window. */
static bool list_touch(struct list *list, uint64_t serial, uint32_t key)
{
	if (list->stamp[key] == serial)
		return false;
	list->stamp[key] = serial;
	list->keys[list->n++] = key;
	list->dur_ns[key] = 0;
	return true;
}

static int init_domain(struct es_region_domain *domain, size_t n_regions, size_t n_states)
{
	domain->counts = true;
	domain->regions = calloc(n_regions + 1, sizeof(*domain->regions));
	domain->states = calloc(n_states + 1, sizeof(*domain->states));
	domain->is_open = calloc(n_regions + 1, sizeof(*domain->is_open));
	domain->since_uj = calloc(n_regions + 1, sizeof(*domain->since_uj));
	return domain->regions && domain->states && domain->is_open && domain->since_uj ? 0
											: -ENOMEM;
}

static void list_states(struct es_region_walk *walk)
{
	const struct es_owners *owners = &walk->tags->owners;

	for (uint32_t s = 1; s < owners->n_states; s++) {
		uint32_t region = owners->regions[owners->first[s]];

		if (es_owners_count(owners, s) != 1)
			continue;
		walk->next_state[s] = walk->first_state[region];
		walk->first_state[region] = s;
	}
}

int es_region_walk_init(struct es_region_walk *walk, const struct es_region_tags *tags,
			const struct es_report *report)
{
	size_t n_states = tags->owners.n_states, n_cells = 0;
	int r = 0;

	*walk = (struct es_region_walk){
		.tags = tags,
		.report = report,
		.domains = calloc(report->meta->n_domains + 1, sizeof(*walk->domains)),
		.column = calloc(n_states + 1, sizeof(*walk->column)),
		.target = calloc(tags->n_regions + 1, sizeof(*walk->target)),
		.first_state = calloc(tags->n_regions + 1, sizeof(*walk->first_state)),
		.next_state = calloc(n_states + 1, sizeof(*walk->next_state)),
		.window = calloc(1, sizeof(*walk->window)),
	};
	if (!walk->domains || !walk->column || !walk->target || !walk->window ||
	    !walk->first_state || !walk->next_state ||
	    list_init(&walk->window->regions, tags->n_regions) < 0 ||
	    list_init(&walk->window->states, n_states) < 0)
		return -ENOMEM;
	list_states(walk);
	for (size_t i = 0; r == 0 && i < report->meta->n_domains; i++) {
		if (!report->domains[i].is_chosen || !report->by_domain[i].is_known)
			continue;
		n_cells += tags->n_regions + n_states;
		r = n_cells > ES_REGION_CELLS_MAX
			    ? -E2BIG
			    : init_domain(&walk->domains[i], tags->n_regions, n_states);
	}
	return r;
}

void es_region_walk_finish(struct es_region_walk *walk)
{
	for (size_t i = 0; walk->domains && i < walk->report->meta->n_domains; i++) {
		free(walk->domains[i].regions);
		free(walk->domains[i].states);
		free(walk->domains[i].is_open);
		free(walk->domains[i].since_uj);
		free(walk->domains[i].is_short);
		es_fit_finish(&walk->domains[i].fit);
	}
	if (walk->window) {
		list_finish(&walk->window->regions);
		list_finish(&walk->window->states);
	}
	free(walk->domains);
	free(walk->column);
	free(walk->target);
	free(walk->first_state);
	free(walk->next_state);
	free(walk->window);
	*walk = (struct es_region_walk){ .tags = NULL };
}

/* A counter that lags behind shows part of an edge's energy in the next window. */
static double stale_j(const struct es_region_walk *walk, size_t domain,
		      const struct es_region_window *window, int64_t t_ns)
{
	const struct es_sample *sample = &window->sample;
	int64_t dur_ns = sample->t1_ns - sample->t0_ns,
		lag_ns = walk->report->domains[domain].update_period_ns -
			 walk->domains[domain].shift_ns;

	if (dur_ns <= 0 || (t_ns - sample->t0_ns >= lag_ns && sample->t1_ns - t_ns >= lag_ns))
		return 0.0;
	return es_j_from_uj(sample->energy_uj) * (double)lag_ns / (double)dur_ns;
}

/* The edges up to the end of the window: what is inside of each region, however regions nest. */
static void take_edges(struct es_region_walk *walk, size_t d, struct es_region_window *window)
{
	const struct es_region_tags *tags = walk->tags;
	struct es_region_domain *domain = &walk->domains[d];
	const struct es_sample *sample = &window->sample;

	window->first_edge = domain->edge;
	for (; domain->edge < tags->n_edges && tags->edges[domain->edge].t_ns <= sample->t1_ns;
	     domain->edge++) {
		const struct es_call_edge *edge = &tags->edges[domain->edge];
		uint32_t region = tags->calls[edge->call].region;
		struct es_region_energy *energy = &domain->regions[region];
		int64_t t_ns = edge->t_ns > sample->t0_ns ? edge->t_ns : sample->t0_ns;
		struct es_edge at = { .t_ns = t_ns, .energy_uj = domain->sum_uj };

		es_edge_add(&at, sample);
		if (list_touch(&window->regions, window->serial, region)) {
			uint64_t full_uj = domain->is_open[region]
						   ? domain->sum_uj - domain->since_uj[region]
						   : 0;

			energy->low_uj += full_uj;
			energy->high_uj += full_uj;
			window->regions.was_open[region] = domain->is_open[region];
			if (domain->is_open[region])
				window->regions.dur_ns[region] = sample->t1_ns - sample->t0_ns;
		}
		domain->is_open[region] = !edge->is_stop;
		window->regions.dur_ns[region] += edge->is_stop ? t_ns - sample->t1_ns
								: sample->t1_ns - t_ns;
		energy->energy_uj += edge->is_stop ? at.energy_uj : 0 - at.energy_uj;
		energy->stale_j += stale_j(walk, d, window, t_ns);
	}
}

/* Between nothing and all: a window that is filled gives all that it has, one that is touched may. */
static void add_range(const struct es_region_window *window, int64_t dur_ns,
		      struct es_region_energy *energy)
{
	const struct es_sample *sample = &window->sample;

	if (dur_ns <= 0)
		return;
	/* What was filled in may be nothing, or twice as much. */
	energy->high_uj += window->is_gap ? 2 * sample->energy_uj : sample->energy_uj;
	if (dur_ns == sample->t1_ns - sample->t0_ns)
		energy->low_uj += sample->energy_uj;
}

/* Whose time the window is. */
static void take_states(struct es_region_walk *walk, size_t d, struct es_region_window *window)
{
	const struct es_owners *owners = &walk->tags->owners;
	struct es_region_domain *domain = &walk->domains[d];
	const struct es_sample *sample = &window->sample;
	int64_t from_ns = sample->t0_ns;
	struct es_edge before = { .t_ns = from_ns };

	window->first_cut = domain->cut;
	for (;;) {
		uint32_t state = owners->state[domain->cut];
		bool has_next = domain->cut + 1 < owners->n;
		int64_t to_ns = sample->t1_ns;
		struct es_edge after;

		if (has_next && owners->t_ns[domain->cut + 1] < to_ns)
			to_ns = owners->t_ns[domain->cut + 1];
		if (to_ns > from_ns) {
			after = (struct es_edge){ .t_ns = to_ns };
			es_edge_add(&after, sample);
			(void)list_touch(&window->states, window->serial, state);
			window->states.dur_ns[state] += to_ns - from_ns;
			domain->states[state].energy_uj += after.energy_uj - before.energy_uj;
			before = after;
			from_ns = to_ns;
		}
		if (to_ns == sample->t1_ns)
			break;
		domain->states[state].stale_j += stale_j(walk, d, window, to_ns);
		domain->cut++;
		state = owners->state[domain->cut];
		domain->states[state].stale_j += stale_j(walk, d, window, to_ns);
	}
}

/* Time by columns: several states may have one. */
struct columns {
	uint32_t column[ES_FIT_COLUMNS_MAX];
	double time_s[ES_FIT_COLUMNS_MAX], inside_s[ES_FIT_COLUMNS_MAX];
	uint8_t at[ES_FIT_COLUMNS_MAX]; /* [column] where it is, + 1 */
	size_t n;
};

static void find_columns(const struct es_region_walk *walk, const struct es_region_window *window,
			 struct columns *columns)
{
	/* Not all of it: this is done for each window of each domain. */
	columns->n = 0;
	memset(columns->at, 0, sizeof(columns->at));
	for (size_t i = 0; i < window->states.n; i++) {
		uint32_t state = window->states.keys[i], column = walk->column[state];

		if (!columns->at[column]) {
			columns->time_s[columns->n] = 0;
			columns->column[columns->n++] = column;
			columns->at[column] = (uint8_t)columns->n;
		}
		columns->time_s[columns->at[column] - 1] +=
			es_s_from_ns(window->states.dur_ns[state]);
	}
}

/* Of each column's time in the window, what lies inside of a region. */
static void find_inside(const struct es_region_walk *walk, const struct es_region_window *window,
			uint32_t region, struct columns *columns)
{
	const struct es_region_tags *tags = walk->tags;
	int64_t from_ns = window->sample.t0_ns, end_ns = window->sample.t1_ns;
	size_t cut = window->first_cut, edge = window->first_edge;
	bool is_open = window->regions.was_open[region];

	memset(columns->inside_s, 0, columns->n * sizeof(columns->inside_s[0]));
	while (from_ns < end_ns) {
		int64_t to_ns = end_ns;

		while (edge < tags->n_edges && tags->edges[edge].t_ns <= from_ns) {
			if (tags->calls[tags->edges[edge].call].region == region)
				is_open = !tags->edges[edge].is_stop;
			edge++;
		}
		while (cut + 1 < tags->owners.n && tags->owners.t_ns[cut + 1] <= from_ns)
			cut++;
		if (edge < tags->n_edges && tags->edges[edge].t_ns < to_ns)
			to_ns = tags->edges[edge].t_ns;
		if (cut + 1 < tags->owners.n && tags->owners.t_ns[cut + 1] < to_ns)
			to_ns = tags->owners.t_ns[cut + 1];
		if (is_open)
			columns->inside_s[columns->at[walk->column[tags->owners.state[cut]]] - 1] +=
				es_s_from_ns(to_ns - from_ns);
		from_ns = to_ns;
	}
}

/* The window, for the fit. What was filled in tells nothing. */
static void take_fit(const struct es_region_walk *walk, struct es_region_domain *domain,
		     const struct es_region_window *window)
{
	double dur_s = es_s_from_ns(window->sample.t1_ns - window->sample.t0_ns);
	struct columns columns;

	if (domain->fit.n_columns == 0 || window->states.n == 0)
		return;
	if (window->is_gap) {
		es_fit_break(&domain->fit);
		return;
	}
	find_columns(walk, window, &columns);
	es_fit_window(&domain->fit, dur_s, es_j_from_uj(window->sample.energy_uj), columns.column,
		      columns.time_s, columns.n);
	for (size_t i = 0; i < window->regions.n; i++) {
		uint32_t region = window->regions.keys[i];

		if (walk->target[region] == ES_REGION_NO_TARGET)
			continue;
		find_inside(walk, window, region, &columns);
		es_fit_target(&domain->fit, walk->target[region], dur_s, columns.column,
			      columns.time_s, columns.inside_s, columns.n);
	}
}

/* A window in which nothing begins or ends is all of one state. */
static bool take_plain(struct es_region_walk *walk, size_t d, const struct es_sample *sample,
		       bool is_gap)
{
	const struct es_region_tags *tags = walk->tags;
	struct es_region_domain *domain = &walk->domains[d];
	struct es_region_energy *state;
	double dur_s;

	if (is_gap ||
	    (domain->edge < tags->n_edges && tags->edges[domain->edge].t_ns <= sample->t1_ns) ||
	    (domain->cut + 1 < tags->owners.n &&
	     tags->owners.t_ns[domain->cut + 1] < sample->t1_ns) ||
	    sample->t0_ns >= sample->t1_ns)
		return false;
	state = &domain->states[tags->owners.state[domain->cut]];
	state->energy_uj += sample->energy_uj;
	state->low_uj += sample->energy_uj;
	state->high_uj += sample->energy_uj;
	if (domain->fit.n_columns) {
		dur_s = es_s_from_ns(sample->t1_ns - sample->t0_ns);
		es_fit_window(&domain->fit, dur_s, es_j_from_uj(sample->energy_uj),
			      &walk->column[tags->owners.state[domain->cut]], &dur_s, 1);
	}
	return true;
}

void es_region_walk_sample(struct es_region_walk *walk, size_t d, const struct es_sample *sample,
			   bool is_gap)
{
	struct es_region_domain *domain = &walk->domains[d];
	struct es_region_window *window = walk->window;

	window->sample = *sample;
	window->sample.t0_ns -= domain->shift_ns;
	window->sample.t1_ns -= domain->shift_ns;
	/* Nothing was drawn before the start: that would be nobody's. */
	if (window->sample.t0_ns < walk->report->start_ns &&
	    window->sample.t1_ns > walk->report->start_ns)
		window->sample.t0_ns = walk->report->start_ns;
	window->sample.is_gap = false;
	window->is_gap = is_gap;
	if (!take_plain(walk, d, &window->sample, is_gap)) {
		window->serial++;
		window->regions.n = 0;
		window->states.n = 0;
		take_edges(walk, d, window);
		take_states(walk, d, window);
		take_fit(walk, domain, window);
		for (size_t i = 0; i < window->states.n; i++) {
			uint32_t state = window->states.keys[i];

			add_range(window, window->states.dur_ns[state], &domain->states[state]);
		}
		for (size_t i = 0; i < window->regions.n; i++) {
			uint32_t region = window->regions.keys[i];

			add_range(window, window->regions.dur_ns[region], &domain->regions[region]);
			domain->since_uj[region] = domain->sum_uj + sample->energy_uj;
		}
	}
	domain->sum_uj += sample->energy_uj;
}

/* As in the totals: what was filled in is spread over all gaps together, rounded once. */
static void take_gap(struct es_region_walk *walk, size_t d, int64_t t0_ns, int64_t t1_ns)
{
	struct es_region_domain *domain = &walk->domains[d];
	const struct es_report_domain *sum = &walk->report->by_domain[d];
	struct es_sample filled = { .t0_ns = t0_ns, .t1_ns = t1_ns };
	uint64_t before_uj = domain->filled_uj;

	domain->gap_ns += t1_ns - t0_ns;
	domain->filled_uj = sum->gap_ns > domain->gap_ns
				    ? (uint64_t)((es_u128)sum->filled_uj *
						 (uint64_t)domain->gap_ns / (uint64_t)sum->gap_ns)
				    : sum->filled_uj;
	filled.energy_uj = domain->filled_uj - before_uj;
	es_region_walk_sample(walk, d, &filled, true);
}

static void on_sample(void *arg, size_t d, const struct es_sample *sample)
{
	struct walking *walking = arg;
	const struct es_report *report = walking->walk->report;

	if (!walking->walk->domains[d].counts)
		return;
	/* A meter that began late. */
	if (!walking->has_sample[d] && report->by_domain[d].silent_ns[0] > 0)
		take_gap(walking->walk, d, report->start_ns, sample->t0_ns);
	walking->has_sample[d] = true;
	walking->last_t_ns[d] = sample->t1_ns;
	if (sample->is_gap)
		take_gap(walking->walk, d, sample->t0_ns, sample->t1_ns);
	else
		es_region_walk_sample(walking->walk, d, sample, false);
}

static int on_reading(void *arg, size_t domain, int64_t t_ns, uint64_t value, int64_t activity_ns)
{
	struct walking *walking = arg;
	const struct es_report_options *options = &walking->walk->report->options;

	if ((options->from_ns && t_ns < options->from_ns) ||
	    (options->to_ns && t_ns > options->to_ns))
		return 0;
	es_watch_reading(&walking->watch, domain, t_ns, value, activity_ns);
	return 0;
}

static int on_event(void *arg, const struct es_event *event)
{
	struct walking *walking = arg;

	if (event->type == ES_EVENT_SUSPEND)
		es_watch_sleep(&walking->watch, event->value);
	return 0;
}

/* One that stopped early; then the edges behind the last reading; then the book is closed to the unit. */
static void end_domain(struct walking *walking, size_t d)
{
	struct es_region_walk *walk = walking->walk;
	const struct es_report *report = walk->report;
	const struct es_owners *owners = &walk->tags->owners;
	struct es_region_domain *domain = &walk->domains[d];
	struct es_sample nothing = { .t0_ns = INT64_MAX, .t1_ns = INT64_MAX };

	if (report->by_domain[d].silent_ns[1] > 0)
		take_gap(walk, d, walking->last_t_ns[d], report->stop_ns);
	domain->shift_ns = 0;
	es_region_walk_sample(walk, d, &nothing, false);
	domain->states[owners->state[domain->cut]].energy_uj +=
		report->by_domain[d].energy_uj - domain->sum_uj;
}

int es_region_walk_run(struct es_region_walk *walk, struct es_recording *recording)
{
	static const struct es_visitor visitor = { .reading = on_reading, .event = on_event };
	const struct es_report *report = walk->report;
	size_t n = report->meta->n_domains;
	struct walking walking = {
		.walk = walk,
		.has_sample = calloc(n + 1, sizeof(*walking.has_sample)),
		.last_t_ns = calloc(n + 1, sizeof(*walking.last_t_ns)),
	};
	int r = walking.has_sample && walking.last_t_ns
			? es_watch_init(&walking.watch, report->domains, n, report->meta->period_ns)
			: -ENOMEM;

	if (r == 0) {
		walking.watch.on_sample = on_sample;
		walking.watch.arg = &walking;
		r = es_recording_walk(recording, &visitor, &walking);
		es_watch_end(&walking.watch);
		for (size_t i = 0; i < n; i++)
			if (walk->domains[i].counts && walking.has_sample[i])
				end_domain(&walking, i);
	}
	es_watch_finish(&walking.watch);
	free(walking.has_sample);
	free(walking.last_t_ns);
	return r;
}
