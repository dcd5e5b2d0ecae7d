/*
 * core/watch.c - all domains of a recording followed together, and what was seen of them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S 1000000000LL
#define BUSY_PROOF_NS (NS_PER_S / 2)
#define STANDING_UPDATES 20 /* a live meter moves within that many of its updates */
#define STANDING_MIN_NS (NS_PER_S / 20)

static int64_t updates_ns(const struct es_domain *domain, int64_t n)
{
	return domain->update_period_ns < INT64_MAX / n ? n * domain->update_period_ns : INT64_MAX;
}

static void find_first_dies(struct es_watch *watch)
{
	for (size_t i = 0; i < watch->n; i++) {
		const struct es_domain *domain = &watch->domains[i];

		watch->first_die[i] = -1;
		for (size_t j = 0; j < i && domain->die > 0; j++) {
			const struct es_domain *other = &watch->domains[j];

			if (other->node == domain->node && other->type == domain->type &&
			    other->package == domain->package && other->die >= 0 &&
			    strcmp(other->source, domain->source) == 0 &&
			    other->range.unit_nj == domain->range.unit_nj) {
				watch->first_die[i] = (int32_t)j;
				break;
			}
		}
	}
}

int es_watch_init(struct es_watch *watch, struct es_domain *domains, size_t n, int64_t planned_ns)
{
	*watch = (struct es_watch){ .domains = domains, .n = n };
	watch->tracks = calloc(n + 1, sizeof(*watch->tracks));
	watch->swings = calloc(n + 1, sizeof(*watch->swings));
	watch->step_uj = calloc(n + 1, sizeof(*watch->step_uj));
	watch->has_step = calloc(n + 1, sizeof(*watch->has_step));
	watch->n_same = calloc(n + 1, sizeof(*watch->n_same));
	watch->n_other = calloc(n + 1, sizeof(*watch->n_other));
	watch->first_die = calloc(n + 1, sizeof(*watch->first_die));
	if (!watch->tracks || !watch->swings || !watch->step_uj || !watch->has_step ||
	    !watch->n_same || !watch->n_other || !watch->first_die) {
		es_watch_finish(watch);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		int64_t gap_ns = es_domain_period_ns(&domains[i], planned_ns) / 4 * 7;

		if (gap_ns < domains[i].hold_ns)
			gap_ns = domains[i].hold_ns;
		es_track_init(&watch->tracks[i], &domains[i], domains[i].is_power ? gap_ns : 0);
		watch->tracks[i].max_over_ns = domains[i].is_power ? 0 : updates_ns(&domains[i], 5);
	}
	find_first_dies(watch);
	return 0;
}

void es_watch_finish(struct es_watch *watch)
{
	free(watch->tracks);
	free(watch->swings);
	free(watch->step_uj);
	free(watch->has_step);
	free(watch->n_same);
	free(watch->n_other);
	free(watch->first_die);
	*watch = (struct es_watch){ .n = 0 };
}

static void swing(struct es_swing *swing, const struct es_sample *sample)
{
	uint64_t power_mw;

	if (sample->is_gap) {
		swing->energy_uj = 0;
		swing->covered_ns = 0;
		return;
	}
	swing->energy_uj += sample->energy_uj;
	swing->covered_ns += sample->t1_ns - sample->t0_ns;
	if (swing->covered_ns < ES_SWING_NS)
		return;
	power_mw = es_mean_power_mw(swing->energy_uj, swing->covered_ns);
	if (!swing->has_any || power_mw < swing->lowest_mw)
		swing->lowest_mw = power_mw;
	if (!swing->has_any || power_mw > swing->highest_mw)
		swing->highest_mw = power_mw;
	swing->has_any = true;
	swing->energy_uj = 0;
	swing->covered_ns = 0;
}

static void take_samples(struct es_watch *watch, size_t domain, const struct es_sample *samples,
			 int n)
{
	for (int i = 0; i < n; i++) {
		if (!samples[i].is_gap) {
			watch->step_uj[domain] = samples[i].energy_uj;
			watch->has_step[domain] = true;
		}
		swing(&watch->swings[domain], &samples[i]);
		if (watch->on_sample)
			watch->on_sample(watch->arg, domain, &samples[i]);
	}
}

void es_watch_reading(struct es_watch *watch, size_t domain, int64_t t_ns, uint64_t value,
		      int64_t activity_ns)
{
	struct es_sample samples[2];

	take_samples(watch, domain, samples,
		     es_track_feed(&watch->tracks[domain], t_ns, value, samples));
	if (!watch->domains[domain].has_activity)
		return;
	if (!watch->has_busy) {
		watch->has_busy = true;
		watch->busy_first_ns = activity_ns;
		watch->busy_t0_ns = t_ns;
	}
	watch->busy_last_ns = activity_ns;
	watch->busy_t1_ns = t_ns;
}

void es_watch_sleep(struct es_watch *watch, int64_t slept_ns)
{
	for (size_t i = 0; i < watch->n; i++)
		es_track_sleep(&watch->tracks[i], slept_ns);
}

void es_watch_row(struct es_watch *watch)
{
	for (size_t i = 0; i < watch->n; i++) {
		int32_t first = watch->first_die[i];
		uint64_t a, b, unit_uj;

		if (first < 0 || !watch->has_step[i] || !watch->has_step[first])
			continue;
		a = watch->step_uj[i];
		b = watch->step_uj[first];
		/* Two values truncated to µJ differ by one more than the step. */
		unit_uj = watch->domains[i].range.unit_nj / 1000 + 2;
		if (a == 0 && b == 0)
			continue;
		if ((a > b ? a - b : b - a) <= unit_uj)
			watch->n_same[i]++;
		else
			watch->n_other[i]++;
	}
	for (size_t i = 0; i < watch->n; i++)
		watch->has_step[i] = false;
}

void es_watch_end(struct es_watch *watch)
{
	es_watch_row(watch);
	for (size_t i = 0; i < watch->n; i++) {
		struct es_sample samples[2];

		take_samples(watch, i, samples, es_track_finish(&watch->tracks[i], samples));
	}
}

/* Whether CPU time alone proves that the CPU of this domain was busy. */
static bool is_busy_proven(const struct es_watch *watch, const struct es_domain *domain,
			   uint32_t n_cpus, uint32_t n_packages)
{
	int64_t dur_ns = watch->busy_t1_ns - watch->busy_t0_ns,
		busy_ns = watch->busy_last_ns - watch->busy_first_ns;
	int64_t elsewhere_ns = 0;

	if (!watch->has_busy || n_cpus == 0 || dur_ns < NS_PER_S ||
	    domain->type == ES_DOMAIN_DRAM || domain->type == ES_DOMAIN_UNCORE ||
	    domain->type == ES_DOMAIN_GPU || domain->type == ES_DOMAIN_OTHER)
		return false;
	if (domain->package >= 0 && n_packages > 1)
		elsewhere_ns = dur_ns * (n_cpus - n_cpus / n_packages);
	if (domain->package >= 0 && n_packages == 0)
		return false;
	return busy_ns - elsewhere_ns >= BUSY_PROOF_NS;
}

void es_watch_evidence(const struct es_watch *watch, uint32_t n_cpus, uint32_t n_packages,
		       bool is_probed, struct es_evidence *ret)
{
	bool has_any = false; /* else nobody was read: that says nothing about one of them */

	for (size_t i = 0; i < watch->n; i++)
		has_any = has_any || watch->tracks[i].n_samples > 0;
	for (size_t i = 0; i < watch->n; i++) {
		const struct es_track *track = &watch->tracks[i];
		const struct es_domain *domain = &watch->domains[i];
		int64_t standing_ns = updates_ns(domain, STANDING_UPDATES);
		/* A slow meter of the whole may give one reading: others stand for the node then. */
		bool is_whole = domain->type == ES_DOMAIN_NODE || domain->type == ES_DOMAIN_PSYS ||
				domain->type == ES_DOMAIN_MODULE;
		bool is_cpu = domain->type != ES_DOMAIN_DRAM && domain->type != ES_DOMAIN_UNCORE &&
			      domain->type != ES_DOMAIN_GPU && domain->type != ES_DOMAIN_OTHER;

		standing_ns = standing_ns > STANDING_MIN_NS ? standing_ns : STANDING_MIN_NS;
		ret[i] = (struct es_evidence){
			.was_watched = track->n_samples > 0,
			.has_moved = track->has_moved,
			.was_busy = (is_probed && is_cpu) ||
				    is_busy_proven(watch, domain, n_cpus, n_packages),
			.is_unknown =
				(track->n_samples > 0 && !track->has_moved && !domain->is_power &&
				 domain->kind != ES_KIND_ATTRIBUTED &&
				 track->covered_ns > standing_ns) ||
				((is_whole ? track->n_samples : track->n_readings) == 0 && has_any),
			.energy_uj = track->energy_uj,
			.covered_ns = track->covered_ns,
			.swing_mw = watch->swings[i].highest_mw - watch->swings[i].lowest_mw,
			/* The counter may refresh between the reads of two dies that show it: now and then a row differs. */
			.mirrors = watch->n_same[i] > watch->n_other[i] ? watch->first_die[i] : -1,
		};
	}
}
