/*
 * test_core_track.c - readings of a domain followed over time: nothing wrong enters, nothing doubtful is hidden
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <string.h>

#include "core/track.h"

__extension__ typedef unsigned __int128 es_u128;

#define MS INT64_C(1000000)
#define S (1000 * MS)
#define STEPS (UINT64_C(1) << 32)
#define N_SEQUENCES 100000
#define N_READINGS 24

static struct es_domain make(uint64_t unit_nj)
{
	struct es_domain domain;

	es_domain_init(&domain, "test", ES_DOMAIN_PACKAGE, 0, -1);
	domain.range = (struct es_counter_range){ unit_nj, STEPS * unit_nj };
	domain.update_period_ns = MS;
	return domain;
}

static int feed(struct es_track *track, int64_t t_ns, uint64_t value,
		struct es_sample ret[static 2])
{
	ret[0] = ret[1] = (struct es_sample){ .t0_ns = 0 };
	return es_track_feed(track, t_ns, value, ret);
}

static void a_glitch_is_rejected_and_costs_nothing(void **state)
{
	struct es_domain domain = make(61035);
	struct es_sample s[2];
	struct es_track track;

	(void)state;
	es_track_init(&track, &domain, 0);
	assert_int_equal(feed(&track, 1 * S, 1000000000, s), 0);
	assert_int_equal(feed(&track, 2 * S, 1100000000, s), 1);
	assert_int_equal(feed(&track, 3 * S, 0, s), 0); /* a failed read shown as 0 elsewhere */
	assert_int_equal(feed(&track, 4 * S, 1300000000, s), 1);
	assert_true(s[0].t0_ns == 2 * S && s[0].t1_ns == 4 * S);

	assert_int_equal(track.energy_uj, 300000000);
	assert_int_equal(track.n_rejected, 1);
	assert_int_equal(track.n_resets, 0);
	assert_int_equal(track.n_gaps, 0);
}

static void a_reset_costs_only_the_interval_it_is_in(void **state)
{
	struct es_domain domain = make(61035);
	struct es_sample s[2];
	struct es_track track;

	(void)state;
	es_track_init(&track, &domain, 0);
	(void)feed(&track, 1 * S, 100000000000, s);
	(void)feed(&track, 2 * S, 100100000000, s);
	assert_int_equal(feed(&track, 3 * S, 50000000, s), 0);
	assert_int_equal(feed(&track, 4 * S, 150000000, s), 2);
	assert_true(s[0].is_gap && s[0].t0_ns == 2 * S && s[0].t1_ns == 3 * S);
	assert_true(!s[1].is_gap && s[1].energy_uj == 100000000);

	assert_int_equal(track.energy_uj, 200000000);
	assert_int_equal(track.n_resets, 1);
	assert_true(track.gap_total_ns == S);
}

static void what_still_waits_at_the_end_was_a_reset(void **state)
{
	struct es_domain domain = make(61035);
	struct es_sample s[2];
	struct es_track track;

	(void)state;
	es_track_init(&track, &domain, 0);
	(void)feed(&track, 1 * S, 100000000000, s);
	(void)feed(&track, 2 * S, 50000000, s);
	assert_int_equal(es_track_finish(&track, s), 1);
	assert_true(s[0].is_gap && s[0].t0_ns == 1 * S && s[0].t1_ns == 2 * S);
	assert_int_equal(es_track_finish(&track, s), 0);
	assert_int_equal(track.n_resets, 1);
}

static void a_standing_counter_adds_nothing_and_is_counted(void **state)
{
	struct es_domain domain = make(61035);
	struct es_sample s[2];
	struct es_track track;

	(void)state;
	es_track_init(&track, &domain, 0);
	for (int i = 1; i <= 10; i++)
		(void)feed(&track, i * S, 1000000, s);

	assert_int_equal(track.energy_uj, 0);
	assert_int_equal(track.n_standing, 9);
	assert_false(track.has_moved);
	assert_true(track.covered_ns == 9 * S);
}

/* A counter that is refreshed every 100 ms and read as often shows no power in one step, but in five. */
static void the_highest_power_is_that_of_steps_together_long_enough(void **state)
{
	struct es_domain domain = make(1000000);
	const uint64_t steps_uj[] = { 20, 0, 40, 20, 20, 60, 60, 60, 60, 60, 0, 0 };
	struct es_sample s[2];
	struct es_track track;
	uint64_t value_uj = 0;

	(void)state;
	domain.range.modulus_nj = 0;
	es_track_init(&track, &domain, 0);
	track.max_over_ns = 500 * MS;
	assert_int_equal(feed(&track, S, value_uj, s), 0);
	for (size_t i = 0; i < sizeof(steps_uj) / sizeof(steps_uj[0]); i++) {
		value_uj += steps_uj[i] * 1000000;
		assert_int_equal(feed(&track, S + (int64_t)(i + 1) * 100 * MS, value_uj, s), 1);
	}

	assert_int_equal(track.max_mw, 600000); /* neither 400 W of one step nor 200 W of all */
}

static void a_failed_reading_makes_the_window_longer_and_nothing_else(void **state)
{
	struct es_domain domain = make(61035);
	struct es_sample s[2];
	struct es_track track;

	(void)state;
	es_track_init(&track, &domain, 0);
	(void)feed(&track, 1 * S, 1000000, s);
	es_track_fail(&track);
	assert_int_equal(feed(&track, 3 * S, 5000000, s), 1);
	assert_true(s[0].t0_ns == 1 * S && s[0].energy_uj == 4000000);
	assert_int_equal(track.n_failed, 1);
}

static void readings_right_after_a_late_one_are_no_glitches(void **state)
{
	struct es_domain domain = make(61035);
	struct es_sample s[2];
	struct es_track track;

	(void)state;
	es_track_init(&track, &domain, 0);
	(void)feed(&track, 1000 * MS, 1000000, s);
	/* 600 W for the millisecond of an update, seen 0.1 ms after the last look: 6 kW by the clock alone. */
	assert_int_equal(feed(&track, 1000 * MS + MS / 10, 1600000, s), 1);
	assert_int_equal(track.n_rejected, 0);
}

static void time_that_does_not_advance_is_rejected(void **state)
{
	struct es_domain domain = make(61035);
	struct es_sample s[2];
	struct es_track track;

	(void)state;
	es_track_init(&track, &domain, 0);
	(void)feed(&track, 2 * S, 1000000, s);
	assert_int_equal(feed(&track, 2 * S, 2000000, s), 0);
	assert_int_equal(feed(&track, 1 * S, 2000000, s), 0);
	assert_int_equal(track.n_rejected, 2);
	assert_int_equal(track.energy_uj, 0);
}

static void powers_are_integrated_by_trapezoids_and_gaps_stay_gaps(void **state)
{
	struct es_domain domain = make(0);
	struct es_sample s[2];
	struct es_track track;

	(void)state;
	domain.is_power = true;
	domain.range = (struct es_counter_range){ 0, 0 };
	es_track_init(&track, &domain, 2 * S);
	(void)feed(&track, 1 * S, 100000, s);
	assert_int_equal(feed(&track, 2 * S, 200000, s), 1);
	assert_int_equal(s[0].energy_uj, 150000000);
	assert_int_equal(feed(&track, 3 * S, 999999999, s), 0); /* a million watts: not a reading */
	assert_int_equal(track.n_rejected, 1);
	assert_int_equal(feed(&track, 10 * S, 200000, s), 1);
	assert_true(s[0].is_gap);
	assert_int_equal(track.energy_uj, 150000000);
	assert_true(track.gap_total_ns == 8 * S);
}

static void rests_of_powers_below_a_microjoule_are_not_lost(void **state)
{
	struct es_domain domain = make(0);
	struct es_sample s[2];
	struct es_track track;

	(void)state;
	domain.is_power = true;
	domain.range = (struct es_counter_range){ 0, 0 };
	es_track_init(&track, &domain, 0);
	for (int64_t i = 0; i <= 1000; i++)
		(void)feed(&track, 1 + i * 333, 1001, s); /* a third of a nanojoule each */
	assert_int_equal(track.energy_uj, 1001ULL * 333 * 1000 / 1000000);
}

static void a_reading_a_little_too_high_is_waited_for_and_costs_nothing(void **state)
{
	static const uint64_t values_j[] = { 100, 110, 150, 130, 140, 150, 160, 170 };
	struct es_domain domain = make(61035);
	struct es_sample s[2];
	struct es_track track;

	(void)state;
	es_track_init(&track, &domain, 0);
	/* 40 J in a second are no impossible power; the readings after it tell. */
	for (size_t i = 0; i < sizeof(values_j) / sizeof(values_j[0]); i++)
		(void)feed(&track, (int64_t)(i + 1) * S, values_j[i] * 1000000, s);
	assert_int_equal(es_track_finish(&track, s), 0);

	assert_int_equal(track.energy_uj, 70000000);
	assert_int_equal(track.n_resets, 0);
	assert_int_equal(track.n_gaps, 0);
	assert_int_equal(track.rejected.n, track.n_rejected);
	assert_true(track.rejected.first_t_ns == 4 * S && track.doubt_uj == 0);
}

static void what_is_still_too_high_at_the_end_is_known(void **state)
{
	struct es_domain domain = make(61035);
	struct es_sample s[2];
	struct es_track track;

	(void)state;
	es_track_init(&track, &domain, 0);
	(void)feed(&track, 1 * S, 100000000, s);
	(void)feed(&track, 2 * S, 110000000, s);
	(void)feed(&track, 3 * S, 190000000, s);
	(void)feed(&track, 4 * S, 130000000, s);
	(void)feed(&track, 5 * S, 140000000, s);
	assert_int_equal(es_track_finish(&track, s), 1);
	assert_false(s[0].is_gap);
	assert_int_equal(track.energy_uj - track.doubt_uj, 40000000);

	/* One reading against one: it may be either. */
	es_track_init(&track, &domain, 0);
	(void)feed(&track, 1 * S, 100000000, s);
	(void)feed(&track, 2 * S, 110000000, s);
	(void)feed(&track, 3 * S, 190000000, s);
	(void)feed(&track, 4 * S, 130000000, s);
	assert_int_equal(es_track_finish(&track, s), 1);
	assert_true(s[0].is_gap);
	assert_int_equal(track.doubt_uj, 60000000);
}

static void a_counter_that_stood_and_leapt_has_made_up_for_it(void **state)
{
	struct es_domain domain = make(61035);
	struct es_sample s[2];
	struct es_track track;
	uint64_t value_uj = 5000000000;

	(void)state;
	es_track_init(&track, &domain, 0);
	for (int64_t i = 0; i <= 100; i++) /* 1000 W, shown until 2 s, and from 8 s on */
		(void)feed(&track, S + i * 100 * MS,
			   value_uj + 100000000 * (uint64_t)(i > 20 && i < 80 ? 20 : i), s);
	assert_int_equal(es_track_finish(&track, s), 0);

	assert_int_equal(track.energy_uj, 10000000000);
	assert_int_equal(track.n_resets, 0);
	assert_int_equal(track.stood.n, 1);
	assert_true(track.stood_ns == 5900 * MS && track.lost_ns == 0);
	assert_int_equal(track.max_mw, 1000000); /* the leap is no power */
}

static void a_counter_that_stood_and_went_on_as_before_has_lost_something(void **state)
{
	struct es_domain domain = make(61035);
	struct es_sample s[2];
	struct es_track track;

	(void)state;
	es_track_init(&track, &domain, 0);
	for (int64_t i = 0; i <= 30; i++)
		(void)feed(&track, S + i * 100 * MS,
			   1000000000 + 10000000 * (uint64_t)(i < 10   ? i
							      : i < 20 ? 10
								       : i - 10),
			   s);
	(void)es_track_finish(&track, s);
	assert_true(track.stood_ns == track.lost_ns && track.lost_ns >= 900 * MS);

	/* What may draw nothing may stand. */
	domain.type = ES_DOMAIN_UNCORE;
	es_track_init(&track, &domain, 0);
	(void)feed(&track, 1 * S, 1000000, s);
	(void)feed(&track, 2 * S, 2000000, s);
	(void)feed(&track, 9 * S, 2000000, s);
	(void)es_track_finish(&track, s);
	assert_int_equal(track.stood.n, 0);
}

static void no_wrap_hides_in_a_sleep(void **state)
{
	struct es_domain domain = make(61035);
	struct es_sample s[2];
	struct es_track track;

	(void)state;
	/* An hour asleep, and the counter begins at 0: by the clock alone a wrap would fit. */
	es_track_init(&track, &domain, 0);
	(void)feed(&track, 1 * S, 100000000000, s);
	(void)feed(&track, 2 * S, 100100000000, s);
	es_track_sleep(&track, 3600 * S);
	(void)feed(&track, 3603 * S, 50000000, s);
	assert_int_equal(feed(&track, 3604 * S, 150000000, s), 2);
	assert_true(s[0].is_gap);
	assert_int_equal(track.energy_uj, 200000000);
	assert_true(track.gap_total_ns == 3601 * S && track.gap_slept_ns == 3600 * S);

	/* A counter that went on while the machine slept has the energy of the sleep. */
	es_track_init(&track, &domain, 0);
	(void)feed(&track, 1 * S, 100000000000, s);
	es_track_sleep(&track, 3600 * S);
	assert_int_equal(feed(&track, 3602 * S, 101800000000, s), 1);
	assert_int_equal(track.energy_uj, 1800000000);
	assert_int_equal(s[0].verdict, ES_STEP_OK);

	/* The sleep lies between other readings than these: they are judged as ever. */
	es_track_init(&track, &domain, 0);
	(void)feed(&track, 1 * S, 100000000000, s);
	es_track_sleep(&track, 3600 * S);
	assert_int_equal(feed(&track, 2 * S, 100300000000, s), 1);
	assert_int_equal(track.energy_uj, 300000000);
	assert_true(track.slept_ns == 3600 * S);
}

static void what_no_such_counter_shows_is_rejected_at_once(void **state)
{
	struct es_domain domain = make(61035);
	struct es_sample s[2];
	struct es_track track;

	(void)state;
	es_track_init(&track, &domain, 0);
	(void)feed(&track, 1 * S, 100000000, s);
	(void)feed(&track, 2 * S, 400000000000, s);
	assert_int_equal(es_track_finish(&track, s), 0);
	assert_int_equal(track.n_rejected, 1);
	assert_int_equal(track.n_resets, 0);
}

/*
 * The property test: a counter as hardware makes it, read as badly as it can be read, and an oracle that knows the
 * truth. Wraps come by themselves, windows reach from 1 ms to more than a wrap.
 */
enum event {
	EVENT_NONE,
	EVENT_RESET,
	EVENT_GLITCH,
	EVENT_FAIL
};

struct world {
	uint64_t seed;
	struct es_domain domain;
	uint64_t unit_nj;
	es_u128 energy_pj; /* drawn since the start */
	es_u128 base_pj; /* when the counter was last 0 */
	int64_t t_ns;
	size_t n;
	int64_t times_ns[N_READINGS];
	es_u128 truth_pj[N_READINGS];
	enum event events[N_READINGS];
	size_t since_event;
};

static uint64_t next(struct world *w)
{
	uint64_t z = w->seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint64_t shown_uj(const struct world *w)
{
	uint64_t steps = (uint64_t)((w->energy_pj - w->base_pj) / (w->unit_nj * 1000));

	return (uint64_t)((es_u128)(steps % STEPS) * w->unit_nj / 1000);
}

static uint64_t most_uj(const struct world *w, int64_t dur_ns)
{
	return (uint64_t)((es_u128)w->domain.peak_mw *
			  (uint64_t)(dur_ns + w->domain.update_period_ns) / 1000000) +
	       w->unit_nj / 1000 + 3;
}

/* Whether a wrong value could pass for a true one after @from at @dur_ns. */
static bool could_be(const struct world *w, uint64_t from_uj, uint64_t value_uj, int64_t dur_ns)
{
	uint64_t modulus_uj = (uint64_t)((es_u128)STEPS * w->unit_nj / 1000);
	uint64_t step_uj = value_uj >= from_uj ? value_uj - from_uj
					       : modulus_uj - from_uj + value_uj;

	return step_uj <= 2 * most_uj(w, dur_ns);
}

static size_t index_at(const struct world *w, int64_t t_ns)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->times_ns[i] == t_ns)
			return i;
	fail_msg("a sample ends at a time of no reading");
	return 0;
}

static void check(const struct world *w, unsigned sequence, const struct es_sample *s,
		  int64_t *end_ns)
{
	size_t i0 = index_at(w, s->t0_ns), i1 = index_at(w, s->t1_ns);
	uint64_t slack_uj = w->unit_nj / 1000 + 2,
		 truth_uj = (uint64_t)((w->truth_pj[i1] - w->truth_pj[i0]) / 1000000);
	uint64_t modulus_uj = (uint64_t)((es_u128)STEPS * w->unit_nj / 1000);
	bool has_reset = false;

	if (s->t0_ns != *end_ns || s->t1_ns <= s->t0_ns)
		fail_msg("sequence %u: samples do not follow each other", sequence);
	*end_ns = s->t1_ns;
	if (s->is_gap)
		return;
	for (size_t i = i0 + 1; i <= i1; i++)
		has_reset = has_reset || w->events[i] == EVENT_RESET;
	if (w->events[i0] == EVENT_GLITCH || w->events[i1] == EVENT_GLITCH)
		fail_msg("sequence %u: a glitch was believed", sequence);
	/* Whatever happened: no more than the hardware could have drawn. */
	if (s->energy_uj > most_uj(w, s->t1_ns - s->t0_ns))
		fail_msg("sequence %u: more than physics allows", sequence);
	if (has_reset)
		return;
	if (s->verdict == ES_STEP_AMBIGUOUS) {
		uint64_t missing_uj = truth_uj + slack_uj - s->energy_uj;

		/* Whole wraps may be missing, nothing else. */
		if (s->energy_uj > truth_uj + slack_uj ||
		    missing_uj % modulus_uj > 2 * slack_uj + missing_uj / modulus_uj)
			fail_msg("sequence %u: doubtful, and not by whole wraps", sequence);
		return;
	}
	if (s->energy_uj > truth_uj + slack_uj || s->energy_uj + slack_uj < truth_uj)
		fail_msg("sequence %u: %llu uJ, truth %llu", sequence,
			 (unsigned long long)s->energy_uj, (unsigned long long)truth_uj);
}

/* A window of time in which power is drawn; with a reset somewhere inside. */
static void pass_time(struct world *w, bool is_dead, bool has_reset)
{
	static const int64_t scales_ns[] = { MS, 10 * MS, 100 * MS, S, 10 * S, 100 * S, 1000 * S };
	int64_t dur_ns = scales_ns[next(w) % 7] + (int64_t)(next(w) % (uint64_t)MS);
	uint64_t power_mw = is_dead ? 0 : next(w) % w->domain.peak_mw;
	uint64_t share = next(w) % 1000;
	es_u128 drawn_pj = (es_u128)power_mw * (uint64_t)dur_ns;

	if (has_reset)
		w->base_pj = w->energy_pj + drawn_pj * share / 1000;
	w->energy_pj += drawn_pj;
	w->t_ns += dur_ns;
}

/* Resets and glitches come no closer than four readings: two wrong readings that agree are a right one to anybody. */
static enum event pick_event(struct world *w)
{
	unsigned dice = (unsigned)(next(w) % 100);

	if (dice < 8)
		return EVENT_FAIL;
	if (w->n < 1 || w->since_event < 4)
		return EVENT_NONE;
	return dice < 16 ? EVENT_RESET : dice < 26 ? EVENT_GLITCH : EVENT_NONE;
}

static void run_sequence(struct world *w, unsigned sequence, uint64_t counts[static 4])
{
	struct es_sample s[2];
	struct es_track track;
	int64_t end_ns = 0;
	uint64_t sum_uj = 0;
	int n;

	es_track_init(&track, &w->domain, 0);
	for (unsigned reading = 0; reading < N_READINGS; reading++) {
		enum event event = pick_event(w);
		uint64_t value_uj;

		pass_time(w, next(w) % 4 == 0, event == EVENT_RESET);
		if (event == EVENT_FAIL) {
			es_track_fail(&track);
			continue;
		}
		value_uj = shown_uj(w);
		if (event == EVENT_GLITCH) {
			value_uj = next(w) % (2 * (uint64_t)((es_u128)STEPS * w->unit_nj / 1000));
			if (could_be(w, track.last_value, value_uj, w->t_ns - track.last_t_ns)) {
				event = EVENT_NONE;
				value_uj = shown_uj(w);
			}
		}
		w->since_event = event == EVENT_NONE ? w->since_event + 1 : 0;
		w->times_ns[w->n] = w->t_ns;
		w->truth_pj[w->n] = w->energy_pj;
		w->events[w->n++] = event;
		counts[event]++;
		end_ns = w->n == 1 ? w->t_ns : end_ns;
		n = feed(&track, w->t_ns, value_uj, s);
		for (int i = 0; i < n; i++) {
			check(w, sequence, &s[i], &end_ns);
			sum_uj += s[i].is_gap ? 0 : s[i].energy_uj;
		}
	}
	n = es_track_finish(&track, s);
	for (int i = 0; i < n; i++)
		check(w, sequence, &s[i], &end_ns);
	assert_true(sum_uj == track.energy_uj);
	assert_true(track.covered_ns + track.gap_total_ns == track.last_t_ns - track.first_t_ns);
	assert_int_equal(track.n_readings, w->n);
}

static void random_counters_are_never_wrong_without_saying_so(void **state)
{
	static const uint64_t units_nj[] = { 61035, 15300, 15258, 1000000000 };
	uint64_t counts[4] = { 0 };

	(void)state;
	for (unsigned i = 0; i < N_SEQUENCES; i++) {
		struct world w = {
			.seed = i, .unit_nj = units_nj[i % 4], .t_ns = 1, .since_event = 4
		};

		w.domain = make(w.unit_nj);
		w.domain.peak_mw = i % 4 == 3 ? 20000000 : 1500000;
		/* Anywhere in its range, often near its end. */
		w.energy_pj = (es_u128)(next(&w) % 2 ? next(&w) % STEPS
						     : STEPS - 1 - next(&w) % 100000000) *
			      w.unit_nj * 1000;
		run_sequence(&w, i, counts);
	}
	/* The dice did fall on everything. */
	assert_true(counts[EVENT_NONE] > N_SEQUENCES && counts[EVENT_RESET] > N_SEQUENCES / 10 &&
		    counts[EVENT_GLITCH] > N_SEQUENCES / 10);
}

/*
 * In windows too short for a wrap to be confused with anything (2 s, and counters away from their end), nothing at all
 * is left in doubt: each reset is a gap, and each window outside of the gaps is right.
 */
static void every_reset_in_short_windows_is_seen(void **state)
{
	uint64_t n_resets = 0;

	(void)state;
	for (unsigned i = 0; i < N_SEQUENCES / 10; i++) {
		struct es_domain domain = make(61035);
		struct world w = { .seed = i };
		struct es_sample s[2];
		struct es_track track;
		uint64_t value_uj = 20000000000 + next(&w) % 100000000000, truth_uj = 0;
		unsigned reset_at = 3 + (unsigned)(next(&w) % 10);

		es_track_init(&track, &domain, 0);
		for (unsigned reading = 0; reading < 20; reading++) {
			uint64_t step_uj = next(&w) % 1400000000;

			if (reading == reset_at) {
				value_uj = next(&w) % 1000000;
			} else {
				value_uj += step_uj;
				truth_uj += reading > 0 ? step_uj : 0;
			}
			(void)feed(&track, (1 + reading) * S, value_uj, s);
		}
		(void)es_track_finish(&track, s);
		n_resets += track.n_resets;
		assert_true(track.energy_uj == truth_uj);
		assert_true(track.gap_total_ns == S);
	}
	assert_int_equal(n_resets, N_SEQUENCES / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_glitch_is_rejected_and_costs_nothing),
		cmocka_unit_test(a_reset_costs_only_the_interval_it_is_in),
		cmocka_unit_test(what_still_waits_at_the_end_was_a_reset),
		cmocka_unit_test(a_standing_counter_adds_nothing_and_is_counted),
		cmocka_unit_test(the_highest_power_is_that_of_steps_together_long_enough),
		cmocka_unit_test(a_failed_reading_makes_the_window_longer_and_nothing_else),
		cmocka_unit_test(readings_right_after_a_late_one_are_no_glitches),
		cmocka_unit_test(time_that_does_not_advance_is_rejected),
		cmocka_unit_test(powers_are_integrated_by_trapezoids_and_gaps_stay_gaps),
		cmocka_unit_test(rests_of_powers_below_a_microjoule_are_not_lost),
		cmocka_unit_test(a_reading_a_little_too_high_is_waited_for_and_costs_nothing),
		cmocka_unit_test(what_is_still_too_high_at_the_end_is_known),
		cmocka_unit_test(a_counter_that_stood_and_leapt_has_made_up_for_it),
		cmocka_unit_test(a_counter_that_stood_and_went_on_as_before_has_lost_something),
		cmocka_unit_test(no_wrap_hides_in_a_sleep),
		cmocka_unit_test(what_no_such_counter_shows_is_rejected_at_once),
		cmocka_unit_test(random_counters_are_never_wrong_without_saying_so),
		cmocka_unit_test(every_reset_in_short_windows_is_seen),
	};

	return cmocka_run_group_tests_name("core/track", tests, NULL, NULL);
}
