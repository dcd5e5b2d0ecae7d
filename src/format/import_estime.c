/*
 * import_estime.c - when the rows of a raw dump were read
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/import_estime.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"

__extension__ typedef unsigned __int128 es_u128;

#define OUT_OF_STEP_NS (10 * ES_NS_PER_S)
#define LONGEST_NS          \
	(3660 * 24 * 3600 * \
	 ES_NS_PER_S) /* ten years: no run is longer, and sums stay far from overflow */
#define NEVER_NS (3600 * ES_NS_PER_S) /* how unsure a reading is that nothing follows */

static int64_t distance_ns(uint64_t from, uint64_t to, uint64_t khz)
{
	es_u128 ns = khz ? (es_u128)(to > from ? to - from : from - to) * 1000000 / khz : 0;

	if (khz == 0 || ns > LONGEST_NS)
		return ES_ESTIME_NONE;
	return to > from ? (int64_t)ns : -(int64_t)ns;
}

/* Each package's stamps from its own counter, with one zero for all: the smallest first count. */
static void convert(struct es_estime *time, const uint64_t *khz)
{
	const struct es_dump *dump = time->dump;
	uint64_t zero = UINT64_MAX;
	bool seen[ES_DUMP_PHYS_MAX] = { false };

	for (size_t i = 0; i < dump->n_stamps; i++) {
		const struct es_dump_stamp *stamp = &dump->stamps[i];

		if (!seen[stamp->phy] && stamp->tsc < zero)
			zero = stamp->tsc;
		seen[stamp->phy] = true;
	}
	for (size_t i = 0; i < dump->n_stamps; i++)
		time->stamp_ns[i] =
			distance_ns(zero, dump->stamps[i].tsc, khz[dump->stamps[i].phy]);
}

/* The smallest distance of a package's stamps to those of package @ref in the same sweeps. */
static int64_t offset_of(const struct es_estime *time, uint32_t phy, uint32_t ref)
{
	int64_t ref_ns = ES_ESTIME_NONE, least_ns = ES_ESTIME_NONE;
	uint32_t ref_sweep = 0;

	for (size_t i = 0; i < time->dump->n_stamps; i++) {
		const struct es_dump_stamp *stamp = &time->dump->stamps[i];
		int64_t d_ns;

		if (time->stamp_ns[i] == ES_ESTIME_NONE)
			continue;
		if (stamp->phy == ref) {
			ref_ns = time->stamp_ns[i];
			ref_sweep = stamp->sweep;
		}
		if (stamp->phy != phy || ref_ns == ES_ESTIME_NONE || ref_sweep != stamp->sweep)
			continue;
		d_ns = time->stamp_ns[i] - ref_ns;
		if (least_ns == ES_ESTIME_NONE || llabs(d_ns) < llabs(least_ns))
			least_ns = d_ns;
	}
	return least_ns;
}

static void shift(struct es_estime *time, uint32_t phy, int64_t by_ns)
{
	for (size_t i = 0; i < time->dump->n_stamps; i++)
		if (time->dump->stamps[i].phy == phy && time->stamp_ns[i] != ES_ESTIME_NONE)
			time->stamp_ns[i] += by_ns;
}

static void put_in_step(struct es_estime *time)
{
	const struct es_dump *dump = time->dump;
	int64_t least_ns = INT64_MAX;
	uint32_t ref;

	if (dump->n_stamps == 0)
		return;
	ref = dump->stamps[0].phy;
	for (uint32_t phy = 0; phy < dump->n_phys; phy++) {
		int64_t d_ns = phy == ref || dump->phys[phy].last_stamp == ES_DUMP_NO_TSC
				       ? 0
				       : offset_of(time, phy, ref);

		if (d_ns == ES_ESTIME_NONE || llabs(d_ns) <= OUT_OF_STEP_NS)
			continue;
		shift(time, phy, -d_ns);
		time->n_out_of_step++;
	}
	if (time->n_out_of_step == 0)
		return;
	for (size_t i = 0; i < dump->n_stamps; i++)
		if (time->stamp_ns[i] != ES_ESTIME_NONE && time->stamp_ns[i] < least_ns)
			least_ns = time->stamp_ns[i];
	for (uint32_t phy = 0; least_ns != INT64_MAX && phy < dump->n_phys; phy++)
		shift(time, phy, -least_ns);
}

/* A counter that steps back (the node was reset, a hostile file) says nothing from there on until it is ahead again. */
static void drop_steps_back(struct es_estime *time)
{
	int64_t latest_ns[ES_DUMP_PHYS_MAX];

	for (size_t i = 0; i < ES_DUMP_PHYS_MAX; i++)
		latest_ns[i] = INT64_MIN;
	for (size_t i = 0; i < time->dump->n_stamps; i++) {
		int64_t *latest = &latest_ns[time->dump->stamps[i].phy];

		if (time->stamp_ns[i] == ES_ESTIME_NONE)
			continue;
		if (time->stamp_ns[i] < *latest || time->stamp_ns[i] < 0)
			time->stamp_ns[i] = ES_ESTIME_NONE;
		else
			*latest = time->stamp_ns[i];
	}
}

static void find_sweeps(struct es_estime *time)
{
	const struct es_dump *dump = time->dump;

	for (uint32_t s = 0; s < dump->n_sweeps; s++)
		time->sweeps[s] = (struct es_estime_sweep){ ES_ESTIME_NONE, ES_ESTIME_NONE };
	for (size_t i = 0; i < dump->n_stamps; i++) {
		struct es_estime_sweep *sweep = &time->sweeps[dump->stamps[i].sweep];
		int64_t t_ns = time->stamp_ns[i];

		if (t_ns == ES_ESTIME_NONE)
			continue;
		if (sweep->first_ns == ES_ESTIME_NONE || t_ns < sweep->first_ns)
			sweep->first_ns = t_ns;
		if (sweep->last_ns == ES_ESTIME_NONE || t_ns > sweep->last_ns)
			sweep->last_ns = t_ns;
	}
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static int find_usual(struct es_estime *time)
{
	int64_t *distances = malloc((time->dump->n_sweeps + 1U) * sizeof(*distances));
	size_t n = 0;

	if (!distances)
		return -ENOMEM;
	for (uint32_t s = 1; s < time->dump->n_sweeps; s++)
		if (time->sweeps[s].first_ns != ES_ESTIME_NONE &&
		    time->sweeps[s - 1].first_ns != ES_ESTIME_NONE &&
		    time->sweeps[s].first_ns > time->sweeps[s - 1].first_ns)
			distances[n++] = time->sweeps[s].first_ns - time->sweeps[s - 1].first_ns;
	if (n > 0)
		qsort(distances, n, sizeof(*distances), by_value);
	time->usual_ns = n > 0 && distances[n / 2] > time->period_ns ? distances[n / 2]
								     : time->period_ns;
	free(distances);
	return 0;
}

int es_estime_init(struct es_estime *time, const struct es_dump *dump, const uint64_t *khz,
		   int64_t period_ns)
{
	*time = (struct es_estime){ .dump = dump, .period_ns = period_ns, .is_planned = true };
	if (period_ns <= 0)
		return -EINVAL;
	time->stamp_ns = malloc((dump->n_stamps + 1) * sizeof(*time->stamp_ns));
	time->sweeps = malloc((dump->n_sweeps + 1U) * sizeof(*time->sweeps));
	if (!time->stamp_ns || !time->sweeps)
		return -ENOMEM;
	convert(time, khz);
	put_in_step(time);
	drop_steps_back(time);
	find_sweeps(time);
	for (size_t i = 0; i < dump->n_stamps; i++)
		time->is_planned = time->is_planned && time->stamp_ns[i] == ES_ESTIME_NONE;
	for (uint32_t s = 0; time->is_planned && s < dump->n_sweeps && s <= LONGEST_NS / period_ns;
	     s++)
		time->sweeps[s] = (struct es_estime_sweep){ s * period_ns, s * period_ns };
	return find_usual(time);
}

void es_estime_finish(struct es_estime *time)
{
	free(time->stamp_ns);
	free(time->sweeps);
	*time = (struct es_estime){ .dump = NULL };
}

/* The stamp of a row: the latest one of its own package (any, for a GPU) before it in its sweep; for a GPU also the first behind it. */
static int64_t stamp_of(const struct es_estime *time, const struct es_dump_channel *channel,
			const struct es_dump_row *row)
{
	bool is_gpu = channel->reg == ES_REG_GPU_ENERGY;
	const struct es_dump_stamp *stamps = time->dump->stamps;
	int64_t any_ns = ES_ESTIME_NONE;

	if (time->is_planned)
		return time->sweeps[row->sweep].first_ns;
	for (size_t i = row->n_stamps; i > 0 && stamps[i - 1].sweep == row->sweep; i--) {
		if (time->stamp_ns[i - 1] == ES_ESTIME_NONE)
			continue;
		if (is_gpu || stamps[i - 1].phy == channel->phy)
			return time->stamp_ns[i - 1];
		any_ns = any_ns == ES_ESTIME_NONE ? time->stamp_ns[i - 1] : any_ns;
	}
	/* A package whose stamp could not be read: its neighbour's, read just before. */
	if (any_ns != ES_ESTIME_NONE)
		return any_ns;
	return time->sweeps[row->sweep].first_ns;
}

static int64_t next_stamp_ns(const struct es_estime *time, const struct es_dump_row *row)
{
	for (size_t i = row->n_stamps; i < time->dump->n_stamps && i < row->n_stamps + 8U; i++)
		if (time->stamp_ns[i] != ES_ESTIME_NONE)
			return time->stamp_ns[i];
	return ES_ESTIME_NONE;
}

/* How long the time is in which the row can have been read; ES_ESTIME_NONE: nothing bounds it. */
static int64_t window_ns(const struct es_estime *time, const struct es_dump_channel *channel,
			 const struct es_dump_row *row, int64_t t_ns)
{
	const struct es_estime_sweep *sweep = &time->sweeps[row->sweep];
	int64_t end_ns;

	if (channel->reg != ES_REG_GPU_ENERGY) {
		end_ns = next_stamp_ns(time, row);
		return end_ns == ES_ESTIME_NONE ? ES_ESTIME_NONE
		       : end_ns > t_ns		? end_ns - t_ns
						: 0;
	}
	if (row->sweep == 0 || row->sweep + 1 >= time->dump->n_sweeps ||
	    sweep[-1].last_ns == ES_ESTIME_NONE || sweep[1].first_ns == ES_ESTIME_NONE ||
	    sweep[1].first_ns < sweep[-1].last_ns)
		return ES_ESTIME_NONE;
	return sweep[1].first_ns - sweep[-1].last_ns;
}

size_t es_estime_readings(const struct es_estime *time, const struct es_dump_channel *channel,
			  struct es_place_reading *ret)
{
	bool is_gpu = channel->reg == ES_REG_GPU_ENERGY;
	int64_t least_ns = INT64_MAX;
	size_t n = 0;

	for (size_t i = 0; i < channel->n; i++) {
		const struct es_dump_row *row = &channel->rows[i];
		int64_t t_ns = stamp_of(time, channel, row), within_ns;

		if (t_ns == ES_ESTIME_NONE)
			continue;
		within_ns = time->is_planned ? 0 : window_ns(time, channel, row, t_ns);
		if (within_ns != ES_ESTIME_NONE && within_ns < least_ns)
			least_ns = within_ns;
		ret[n++] = (struct es_place_reading){ .t_ns = t_ns,
						      .unsure_ns = within_ns,
						      .value = row->value };
		/* The energy between the first and the last reading is spread over no less time than it may have taken. */
		if (is_gpu && n == 1)
			ret[0].t_ns = time->sweeps[row->sweep].first_ns;
		if (is_gpu && i + 1 == channel->n)
			ret[n - 1].t_ns = time->sweeps[row->sweep].last_ns;
	}
	for (size_t i = 0; i < n; i++)
		ret[i].unsure_ns = ret[i].unsure_ns == ES_ESTIME_NONE ? NEVER_NS
								      : ret[i].unsure_ns - least_ns;
	return n;
}
