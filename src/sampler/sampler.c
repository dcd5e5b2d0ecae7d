/*
 * sampler.c - reads the sources of a node on time and keeps what they say
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "sampler/sampler.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hot.h"
#include "record/rows.h"
#include "sampler/clocks.h"
#include "sampler/deadline.h"
#include "sampler/faults.h"
#include "sampler/opened.h"
#include "sampler/plan.h"
#include "sampler/reads.h"
#include "sampler/signals.h"

#define FLUSH_NS ES_NS_PER_S
#define ROWS_MAX 256
#define WAIT_NS \
	(2 *    \
	 ES_NS_PER_S) /* for readings aside: those that have begun already, and those asked for */

struct es_sampler {
	struct es_opened opened;
	struct es_deadline *deadlines; /* [source] */
	/*
	 * Sweeps that are not flushed yet, each in one run of memory: after a wait the caches are cold, and the columns
	 * of a block lie far apart. They are put into the block's rows when it is made.
	 */
	struct es_reading *readings; /* [row * n_domains + domain] */
	bool *was_read; /* [row * n_sources + source] */
	int64_t *sweep_ns; /* [row] */
	size_t n_rows;
	size_t *last_row; /* [source] of its last reading, SIZE_MAX: none; its part of that row stays until it is read again */
	bool *is_wanted; /* scratch, [domain of a source] */
	int64_t *kept_ns; /* [domain] time of the reading kept last: one read aside may come twice */
	int64_t start_ns; /* boot clock, of the first sweep; 0: there was none */
	size_t *recorded_as; /* [domain] index in the recording, or SIZE_MAX */
	struct es_domain *recorded; /* those of the recording, for the rows' units */
	size_t n_recorded;
	struct es_faults faults; /* of the recording's domains */
	struct es_rows rows;
	struct es_recorder *recorder; /* borrowed */
	int64_t oldest_row_ns; /* monotonic time of the first row not flushed; valid while there is one */
	struct es_clocks clocks;
	struct es_online online;
	struct es_sampler_stats stats;
};

static void forget_places(struct es_sampler *sampler)
{
	free(sampler->deadlines);
	free(sampler->last_row);
	free(sampler->is_wanted);
	free(sampler->recorded_as);
	free(sampler->kept_ns);
	free(sampler->recorded);
}

/* Places for what is known of each source and each domain. */
static int allocate(struct es_sampler *sampler)
{
	size_t n = sampler->opened.n_domains + 1;

	forget_places(sampler);
	sampler->is_wanted = calloc(n, sizeof(*sampler->is_wanted));
	sampler->recorded_as = calloc(n, sizeof(*sampler->recorded_as));
	sampler->recorded = calloc(n, sizeof(*sampler->recorded));
	sampler->kept_ns = calloc(n, sizeof(*sampler->kept_ns));
	sampler->deadlines = calloc(sampler->opened.n_sources + 1, sizeof(*sampler->deadlines));
	sampler->last_row = calloc(sampler->opened.n_sources + 1, sizeof(*sampler->last_row));
	if (!sampler->is_wanted || !sampler->recorded_as || !sampler->recorded ||
	    !sampler->kept_ns || !sampler->deadlines || !sampler->last_row)
		return -ENOMEM;
	return 0;
}

static void forget_rows(struct es_sampler *sampler)
{
	free(sampler->readings);
	free(sampler->was_read);
	free(sampler->sweep_ns);
	sampler->readings = NULL;
	sampler->was_read = NULL;
	sampler->sweep_ns = NULL;
	sampler->n_rows = 0;
	es_rows_finish(&sampler->rows);
}

static int take_rows(struct es_sampler *sampler, size_t n_rows)
{
	int r;

	forget_rows(sampler);
	r = es_rows_init(&sampler->rows, sampler->recorded, sampler->n_recorded, n_rows);
	if (r < 0)
		return r;
	sampler->readings =
		calloc(n_rows * sampler->opened.n_domains + 1, sizeof(*sampler->readings));
	sampler->was_read =
		calloc(n_rows * sampler->opened.n_sources + 1, sizeof(*sampler->was_read));
	sampler->sweep_ns = calloc(n_rows, sizeof(*sampler->sweep_ns));
	for (size_t i = 0; i < sampler->opened.n_sources; i++)
		sampler->last_row[i] = SIZE_MAX;
	return sampler->readings && sampler->was_read && sampler->sweep_ns ? 0 : -ENOMEM;
}

int es_sampler_create(const struct es_root *root, const struct es_sampler_options *options,
		      struct es_sampler **ret, struct es_error *err)
{
	struct es_sampler *sampler = calloc(1, sizeof(*sampler));
	int r = sampler ? es_opened_init(&sampler->opened, root, options, err) : -ENOMEM;

	if (r < 0) {
		free(sampler);
		return r == -EINVAL ? r : es_error_set(err, r, "cannot open the meters");
	}
	es_online_open(root, &sampler->online);
	r = allocate(sampler);
	if (r < 0) {
		es_sampler_destroy(sampler);
		return es_error_set(err, r, "cannot open the meters");
	}
	*ret = sampler;
	return 0;
}

int es_sampler_add(struct es_sampler *sampler, struct es_source *source)
{
	int r = es_opened_add(&sampler->opened, source);

	return r < 0 ? r : allocate(sampler);
}

void es_sampler_destroy(struct es_sampler *sampler)
{
	if (!sampler)
		return;
	es_opened_finish(&sampler->opened);
	forget_rows(sampler);
	forget_places(sampler);
	es_faults_finish(&sampler->faults);
	es_online_close(&sampler->online);
	free(sampler);
}

void es_sampler_spare_profilers(struct es_sampler *sampler)
{
	for (size_t i = 0; i < sampler->opened.n_sources; i++) {
		struct es_sampler_source *entry = &sampler->opened.sources[i];

		if (entry->source && entry->ops->spare_profilers)
			entry->ops->spare_profilers(entry->source);
	}
}

int es_sampler_release(struct es_sampler *sampler)
{
	int r = -EOPNOTSUPP;

	for (size_t i = 0; i < sampler->opened.n_sources; i++) {
		struct es_sampler_source *entry = &sampler->opened.sources[i];
		int gone = entry->source && entry->ops->release ? entry->ops->release(entry->source)
								: -EOPNOTSUPP;

		if (gone == -EINPROGRESS || (gone == -EBUSY && r != -EINPROGRESS) ||
		    (gone == 0 && r == -EOPNOTSUPP))
			r = gone;
	}
	return r;
}

void es_sampler_take(struct es_sampler *sampler)
{
	for (size_t i = 0; i < sampler->opened.n_sources; i++) {
		struct es_sampler_source *entry = &sampler->opened.sources[i];

		if (entry->source && entry->ops->take)
			entry->ops->take(entry->source);
	}
}

const struct es_sampler_source *es_sampler_sources(const struct es_sampler *sampler, size_t *ret_n)
{
	*ret_n = sampler->opened.n_sources;
	return sampler->opened.sources;
}

struct es_domain *es_sampler_domains(struct es_sampler *sampler, size_t *ret_n)
{
	*ret_n = sampler->opened.n_domains;
	return sampler->opened.domains;
}

const struct es_signal *es_sampler_signals(const struct es_sampler *sampler, size_t *ret_n)
{
	*ret_n = sampler->opened.signals.n;
	return sampler->opened.signals.all;
}

int es_sampler_users(const struct es_sampler *sampler, struct es_gpu_user *ret, size_t max)
{
	return es_opened_users(&sampler->opened, ret, max);
}

bool es_sampler_can_read(const struct es_domain *domain)
{
	return domain->state != ES_STATE_DENIED && domain->state != ES_STATE_ABSENT;
}

bool es_sampler_is_recorded(const struct es_domain *domain)
{
	return es_sampler_can_read(domain) && (!domain->is_partial || domain->is_asked);
}

bool es_sampler_is_listed(const struct es_sampler *sampler, size_t domain)
{
	const struct es_domain *it = &sampler->opened.domains[domain];

	if (es_sampler_is_recorded(it))
		return true;
	if (!it->is_there || it->is_partial)
		return false;
	/* Where none of a source can be read nothing is missing from a sum: others stand for the node, or an estimate. */
	for (size_t i = 0; i < sampler->opened.n_domains; i++)
		if (strcmp(sampler->opened.domains[i].source, it->source) == 0 &&
		    es_sampler_is_recorded(&sampler->opened.domains[i]))
			return true;
	return it->state != ES_STATE_DENIED;
}

void es_sampler_read(struct es_sampler *sampler, struct es_reading *ret)
{
	for (size_t i = 0; i < sampler->opened.n_sources; i++) {
		struct es_sampler_source *entry = &sampler->opened.sources[i];

		if (!entry->source || !entry->n)
			continue;
		es_reads_take(entry, ret + entry->first_domain);
		es_reads_ask(entry);
	}
}

void es_sampler_plan(struct es_sampler *sampler, int64_t period_ns)
{
	for (size_t i = 0; i < sampler->opened.n_sources; i++) {
		struct es_sampler_source *entry = &sampler->opened.sources[i];

		if (!entry->source)
			continue;
		entry->period_ns = es_plan_period(entry, sampler->opened.domains,
						  sampler->opened.n_domains, period_ns);
		/* Of a source that stands for several meters some may be read less often. */
		for (size_t j = 0; j < entry->n; j++)
			sampler->opened.domains[entry->first_domain + j].read_period_ns =
				entry->source->domains[j].read_period_ns > entry->period_ns
					? entry->source->domains[j].read_period_ns
					: entry->period_ns;
	}
}

/*
 * A meter with times of its own may show at first what it took before the start: a power holds from there, and so is one
 * at the start; where a counter was then is not known. Neither makes the recording begin earlier. False: no reading.
 */
static bool begin_at_start(const struct es_sampler *sampler, size_t domain, bool is_first,
			   int64_t *t_ns)
{
	const struct es_domain *of = &sampler->opened.domains[domain];

	/* A counter that was read when it was opened is not read again at once: that reading is its first. */
	if (*t_ns >= sampler->start_ns ||
	    (!of->is_power && is_first && sampler->start_ns - *t_ns < of->read_period_ns))
		return true;
	*t_ns = sampler->start_ns;
	return is_first && of->is_power;
}

es_hot static void keep_reading(struct es_sampler *sampler, size_t domain,
				const struct es_reading *reading, int64_t slow_ns)
{
	size_t as = sampler->recorded_as[domain];
	int error = reading->error;
	int64_t t_ns = reading->t_ns;
	bool is_first = sampler->kept_ns[domain] == 0;

	if (as == SIZE_MAX || error == -ECANCELED ||
	    (reading->t_ns && reading->t_ns == sampler->kept_ns[domain]))
		return;
	sampler->kept_ns[domain] = reading->t_ns;
	/* What no counter shows: a row could not hold it. */
	if (error == 0 && reading->value > (uint64_t)INT64_MAX)
		error = -ERANGE;
	if (reading->width_ns > slow_ns)
		es_faults_slow(&sampler->faults, as, reading->width_ns, reading->t_ns);
	if (error)
		es_faults_failed(&sampler->faults, as, error, reading->t_ns);
	else if (begin_at_start(sampler, domain, is_first, &t_ns))
		es_rows_set(&sampler->rows, as, t_ns, reading->value, reading->activity_ns);
}

es_hot static int flush(struct es_sampler *sampler)
{
	int r;

	for (size_t row = 0; row < sampler->n_rows; row++) {
		const struct es_reading *readings =
			sampler->readings + row * sampler->opened.n_domains;

		(void)es_rows_add(&sampler->rows, sampler->sweep_ns[row]);
		for (size_t i = 0; i < sampler->opened.n_sources; i++) {
			const struct es_sampler_source *entry = &sampler->opened.sources[i];

			if (!sampler->was_read[row * sampler->opened.n_sources + i])
				continue;
			for (size_t j = entry->first_domain; j < entry->first_domain + entry->n;
			     j++)
				keep_reading(sampler, j, &readings[j], es_reads_slow_ns(entry));
		}
	}
	sampler->n_rows = 0;
	r = es_recorder_rows(sampler->recorder, &sampler->rows);
	es_rows_clear(&sampler->rows);
	if (r == 0)
		r = es_faults_tell(&sampler->faults, sampler->recorder, es_clock_boot_ns(), false);
	return r;
}

/* Once a second or so: what was read, and what is only worth reading that often. */
es_hot static int write_down(struct es_sampler *sampler)
{
	int r = flush(sampler);

	return r < 0 ? r
		     : es_signal_reads_take(&sampler->opened.signals, sampler->opened.sources,
					    sampler->opened.n_sources, sampler->recorder);
}

/* One row: the sources whose turn it is, or all of them. */
es_hot static int sweep(struct es_sampler *sampler, int64_t now_mono_ns, bool all)
{
	int64_t t0_ns = es_clock_boot_ns(), late_ns, missed, n_missed = 0, t1_ns, until_ns;
	struct es_reading *readings;
	bool *was_read;
	int r = 0;

	if (sampler->start_ns == 0)
		sampler->start_ns = t0_ns;
	if (sampler->n_rows == sampler->rows.cap_rows)
		r = flush(sampler);
	if (sampler->n_rows == 0)
		sampler->oldest_row_ns = now_mono_ns;
	readings = sampler->readings + sampler->n_rows * sampler->opened.n_domains;
	was_read = sampler->was_read + sampler->n_rows * sampler->opened.n_sources;
	sampler->sweep_ns[sampler->n_rows++] = t0_ns;
	for (size_t i = 0; i < sampler->opened.n_sources; i++) {
		struct es_sampler_source *entry = &sampler->opened.sources[i];

		was_read[i] = entry->source && entry->n &&
			      (all || sampler->deadlines[i].next_ns <= now_mono_ns);
		if (!was_read[i])
			continue;
		sampler->last_row[i] = sampler->n_rows - 1;
		if (!all || !entry->ops->wait)
			es_reads_take(entry, readings + entry->first_domain);
		es_reads_ask(entry);
		/* The last sweep comes early, or so late that deadlines passed before it. */
		if (sampler->deadlines[i].next_ns > now_mono_ns)
			continue;
		late_ns = now_mono_ns - sampler->deadlines[i].next_ns;
		sampler->stats.worst_late_ns = late_ns > sampler->stats.worst_late_ns
						       ? late_ns
						       : sampler->stats.worst_late_ns;
		/* A sweep that did not happen was missed once, however many sources it is made of. */
		missed = es_deadline_pass(&sampler->deadlines[i], now_mono_ns);
		n_missed = missed > n_missed ? missed : n_missed;
	}
	sampler->stats.n_missed += (uint64_t)n_missed;
	sampler->stats.n_sweeps++;
	t1_ns = es_clock_boot_ns();
	if (t1_ns - t0_ns > sampler->stats.worst_sweep_ns)
		sampler->stats.worst_sweep_ns = t1_ns - t0_ns;
	/* At both ends nobody else waits, and what was asked for is already on its way: of all sources at a time. */
	until_ns = all ? es_clock_mono_ns() + WAIT_NS : 0;
	for (size_t i = 0; all && i < sampler->opened.n_sources; i++)
		if (was_read[i] && sampler->opened.sources[i].ops->wait)
			es_reads_wait(&sampler->opened.sources[i], until_ns,
				      readings + sampler->opened.sources[i].first_domain);
	return r;
}

/* What else is asked of the machine whenever rows are written. */
es_hot static void look_around(struct es_sampler *sampler)
{
	struct es_event event = { .type = ES_EVENT_CPUS_ONLINE };

	es_clocks_look(&sampler->clocks, sampler->recorder);
	if (!es_online_look(&sampler->online))
		return;
	event.t_ns = es_clock_boot_ns();
	event.value = sampler->online.n;
	(void)es_recorder_event(sampler->recorder, &event);
	for (size_t i = 0; i < sampler->opened.n_sources; i++)
		if (sampler->opened.sources[i].source && sampler->opened.sources[i].ops->online)
			sampler->opened.sources[i].ops->online(sampler->opened.sources[i].source,
							       sampler->online.n);
}

static void want_recorded(struct es_sampler *sampler)
{
	for (size_t i = 0; i < sampler->opened.n_sources; i++) {
		const struct es_sampler_source *entry = &sampler->opened.sources[i];

		if (!entry->source || !entry->ops->want)
			continue;
		for (size_t j = 0; j < entry->n; j++)
			sampler->is_wanted[j] = sampler->recorded_as[entry->first_domain + j] !=
						SIZE_MAX;
		entry->ops->want(entry->source, sampler->is_wanted);
	}
}

int es_sampler_start(struct es_sampler *sampler, int64_t period_ns, struct es_recorder *recorder,
		     int64_t now_mono_ns)
{
	size_t n_rows = (size_t)(FLUSH_NS / period_ns) + 2;
	int r;

	sampler->n_recorded = 0;
	for (size_t i = 0; i < sampler->opened.n_domains; i++) {
		sampler->recorded_as[i] = es_sampler_is_listed(sampler, i) ? sampler->n_recorded
									   : SIZE_MAX;
		if (sampler->recorded_as[i] != SIZE_MAX)
			sampler->recorded[sampler->n_recorded++] = sampler->opened.domains[i];
	}
	want_recorded(sampler);
	r = take_rows(sampler, n_rows < ROWS_MAX ? n_rows : ROWS_MAX);
	if (r < 0)
		return r;
	r = es_recorder_reserve(recorder, &sampler->rows);
	if (r == 0)
		r = es_faults_init(&sampler->faults, sampler->n_recorded);
	if (r == 0)
		r = es_signal_reads_start(&sampler->opened.signals);
	if (r < 0)
		return r;
	sampler->recorder = recorder;
	sampler->stats = (struct es_sampler_stats){ .n_sweeps = 0 };
	es_sampler_plan(sampler, period_ns);
	for (size_t i = 0; i < sampler->opened.n_sources; i++)
		if (sampler->opened.sources[i].source)
			es_deadline_init(&sampler->deadlines[i], now_mono_ns,
					 sampler->opened.sources[i].period_ns);
	es_clocks_start(&sampler->clocks, recorder);
	r = sweep(sampler, now_mono_ns, true);
	/* The first readings are on disk before anything is measured: even a command killed at once has its start. */
	return r < 0 ? r : write_down(sampler);
}

const struct es_reading *es_sampler_latest(const struct es_sampler *sampler, size_t domain)
{
	for (size_t i = 0; i < sampler->opened.n_sources; i++) {
		const struct es_sampler_source *entry = &sampler->opened.sources[i];

		if (domain < entry->first_domain || domain >= entry->first_domain + entry->n)
			continue;
		if (sampler->last_row[i] == SIZE_MAX)
			return NULL;
		return &sampler->readings[sampler->last_row[i] * sampler->opened.n_domains + domain];
	}
	return NULL;
}

es_hot int64_t es_sampler_next_ns(const struct es_sampler *sampler)
{
	int64_t next_ns = INT64_MAX;

	for (size_t i = 0; i < sampler->opened.n_sources; i++)
		if (sampler->opened.sources[i].source && sampler->opened.sources[i].n &&
		    sampler->deadlines[i].next_ns < next_ns)
			next_ns = sampler->deadlines[i].next_ns;
	return next_ns;
}

es_hot int es_sampler_tick(struct es_sampler *sampler, int64_t now_mono_ns)
{
	int r;

	if (now_mono_ns < es_sampler_next_ns(sampler))
		return 0;
	r = sweep(sampler, now_mono_ns, false);
	/* Flush now if these rows would be older than a second at the next deadline. */
	if (r == 0 && es_sampler_next_ns(sampler) - sampler->oldest_row_ns >= FLUSH_NS) {
		look_around(sampler);
		r = write_down(sampler);
	}
	return r;
}

static int put_missed(struct es_sampler *sampler)
{
	struct es_event event = { .type = ES_EVENT_MISSED,
				  .t_ns = es_clock_boot_ns(),
				  .value = (int64_t)sampler->stats.n_missed };

	return sampler->stats.n_missed ? es_recorder_event(sampler->recorder, &event) : 0;
}

int es_sampler_stop(struct es_sampler *sampler, int64_t now_mono_ns)
{
	int r = sweep(sampler, now_mono_ns, true);

	look_around(sampler);
	if (r == 0)
		r = write_down(sampler);
	forget_rows(sampler); /* what comes after a run needs memory too */
	if (r == 0)
		r = es_faults_tell(&sampler->faults, sampler->recorder, es_clock_boot_ns(), true);
	if (r == 0)
		r = put_missed(sampler);
	return r;
}

void es_sampler_stats(const struct es_sampler *sampler, struct es_sampler_stats *ret)
{
	*ret = sampler->stats;
}
