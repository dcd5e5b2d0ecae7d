/*
 * test_source_daemon.c - meters through a daemon: the same domains, and no joule lost or made up when it goes and comes
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "core/track.h"
#include "ipc/message.h"
#include "sampler/sampler.h"
#include "source/daemon.h"
#include "support/failing_malloc.h"
#include "support/local_daemon.h"

#define N 3U
#define WAIT_NS (20 * ES_NS_PER_S) /* more than any of it takes on a busy machine */

struct fixture {
	struct local_daemon daemon;
	struct es_source *source;
	struct es_reading readings[LOCAL_DAEMON_DOMAINS];
};

static int set_up(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	local_daemon_init(&f->daemon);
	local_daemon_start(&f->daemon);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	if (f->source)
		f->source->ops->close(f->source);
	local_daemon_finish(&f->daemon);
	test_free(f);
	return 0;
}

static void open_source(struct fixture *f)
{
	struct es_error err = { .code = 0 };
	int r = es_daemon_open(f->daemon.path, 10 * ES_NS_PER_MS, WAIT_NS, &f->source, &err);

	if (r < 0)
		fail_msg("%s", err.text);
}

static void read_source(struct fixture *f)
{
	assert_int_equal(f->source->ops->read(f->source, f->readings, N), 0);
}

/* What the sampler does with each sweep. */
static void tick(struct fixture *f)
{
	read_source(f);
	f->source->ops->ask(f->source);
}

/* Until the first domain can be read, or cannot be any more. */
static void tick_until(struct fixture *f, int error)
{
	int64_t until_ns = es_clock_mono_ns() + WAIT_NS;
	const struct timespec pause = { .tv_nsec = 5 * ES_NS_PER_MS };

	do {
		tick(f);
		if (f->readings[0].error == error)
			return;
		(void)nanosleep(&pause, NULL);
		/* So that it is not stale: this machine may be busy. */
		if (error == 0)
			local_daemon_write(&f->daemon, es_clock_boot_ns());
	} while (es_clock_mono_ns() < until_ns);
	fail_msg("still %d", f->readings[0].error);
}

static void write_now(struct fixture *f, uint64_t energy_uj)
{
	local_daemon_add(&f->daemon, energy_uj);
	local_daemon_write(&f->daemon, es_clock_boot_ns() + ES_NS_PER_S);
}

static void domains_are_those_of_the_node(void **state)
{
	struct fixture *f = *state;
	const struct es_domain *domain;
	struct es_plan plan;

	f->daemon.domains[2].least_period_ns = 5 * ES_NS_PER_S;
	open_source(f);

	assert_int_equal(f->source->n_domains, N);
	domain = &f->source->domains[2];
	assert_string_equal(domain->id, "powercap/dram-1");
	assert_string_equal(domain->name, "dram-1");
	assert_string_equal(domain->source, "powercap");
	assert_int_equal(domain->type, ES_DOMAIN_DRAM);
	assert_int_equal(domain->kind, ES_KIND_MEASURED);
	assert_int_equal(domain->state, ES_STATE_OK);
	assert_int_equal(domain->package, 1);
	assert_int_equal(domain->parent, 1);
	assert_int_equal(domain->duplicate_of, -1);
	assert_int_equal(domain->read_period_ns, 5 * ES_NS_PER_S);
	assert_int_equal(domain->range.unit_nj, 61035);
	assert_int_equal(domain->range.modulus_nj, 0); /* the daemon's sums do not wrap */
	assert_int_equal(f->source->ops->plan(f->source, &plan), 0);
	assert_int_equal(plan.at_most_ns, 100 * ES_NS_PER_MS);
	assert_int_equal(plan.at_least_ns, INT64_MAX);
	assert_string_equal(es_daemon_welcome(f->source)->node, "node1");
}

/* What the daemon reads once in 5 s leaves no holes in a recording at 100 ms. */
static void a_slow_meter_is_planned_as_the_daemon_reads_it(void **state)
{
	struct fixture *f = *state;
	char folder[sizeof(f->daemon.path)];
	const struct es_domain *domains;
	struct es_sampler *sampler;
	struct es_root root;
	size_t n;

	f->daemon.domains[2].least_period_ns = 5 * ES_NS_PER_S;
	open_source(f);
	memcpy(folder, f->daemon.path, sizeof(folder));
	*strrchr(folder, '/') = '\0';
	assert_int_equal(es_root_open(folder, -1, &root, NULL), 0);
	assert_int_equal(es_sampler_create(&root, NULL, &sampler, NULL), 0);
	assert_int_equal(es_sampler_add(sampler, f->source), 0);
	f->source = NULL;
	es_sampler_plan(sampler, 10 * ES_NS_PER_MS);
	domains = es_sampler_domains(sampler, &n);

	assert_true(n >= N);
	assert_int_equal(domains[n - 2].read_period_ns, 100 * ES_NS_PER_MS);
	assert_int_equal(domains[n - 1].read_period_ns, 5 * ES_NS_PER_S);
	assert_int_equal(domains[n - 1].parent, n - 2);
	es_sampler_destroy(sampler);
	es_root_close(&root);
}

static void words_that_are_not_known_make_a_domain_absent(void **state)
{
	struct fixture *f = *state;

	memcpy(f->daemon.domains[0].type, "quantum", 8);
	memcpy(f->daemon.domains[1].kind, "guessed", 8);
	memcpy(f->daemon.domains[2].state, "tired", 6);
	f->daemon.domains[2].parent = 99;

	open_source(f);

	assert_int_equal(f->source->domains[0].type, ES_DOMAIN_OTHER);
	assert_int_equal(f->source->domains[0].state, ES_STATE_OK);
	assert_int_equal(f->source->domains[1].state, ES_STATE_ABSENT);
	assert_non_null(strstr(f->source->domains[1].reason, "guessed"));
	assert_int_equal(f->source->domains[2].state, ES_STATE_ABSENT);
	assert_int_equal(f->source->domains[2].parent, -1);
}

static void energies_are_those_of_the_page(void **state)
{
	struct fixture *f = *state;
	uint64_t first;

	f->daemon.domains[1].is_power = true;
	f->daemon.values[1].power_mw = 4321;
	f->daemon.values[2].activity_ns = 55;
	open_source(f);
	write_now(f, 0);
	read_source(f);
	first = f->readings[0].value;
	write_now(f, 12345);
	read_source(f);

	assert_int_equal(f->readings[0].error, 0);
	assert_int_equal(f->readings[0].value - first, 12345);
	assert_int_equal(f->readings[0].t_ns, f->daemon.swept_ns);
	assert_int_equal(f->readings[0].width_ns, 20000);
	assert_int_equal(f->readings[1].value, 4321);
	assert_int_equal(f->readings[2].activity_ns, 55);
}

static void a_meter_that_fails_fails_alone(void **state)
{
	struct fixture *f = *state;

	open_source(f);
	f->daemon.values[1].error = -EIO;
	write_now(f, 0);
	read_source(f);

	assert_int_equal(f->readings[0].error, 0);
	assert_int_equal(f->readings[1].error, -EIO);
	assert_int_equal(f->readings[1].t_ns, f->daemon.swept_ns);
}

static void nobody_there_is_said(void **state)
{
	struct fixture *f = *state;
	struct es_error err = { .code = 0 };

	local_daemon_stop(&f->daemon);
	assert_int_equal(es_daemon_open(f->daemon.path, ES_NS_PER_S, WAIT_NS, &f->source, &err),
			 -ENOENT);
	assert_non_null(strstr(err.text, f->daemon.path));
	assert_null(f->source);
	assert_int_equal(es_daemon_open("/dev/null", ES_NS_PER_S, WAIT_NS, &f->source, &err),
			 -ECONNREFUSED);
}

static void one_that_says_nothing_is_waited_for_no_longer_than_wanted(void **state)
{
	struct fixture *f = *state;
	struct es_error err = { .code = 0 };

	(void)pthread_mutex_lock(&f->daemon.lock);
	f->daemon.is_silent = true;
	(void)pthread_mutex_unlock(&f->daemon.lock);
	/* Were it waited for as long as it lives this would never end. */
	assert_int_equal(es_daemon_open(f->daemon.path, ES_NS_PER_S, 20 * ES_NS_PER_MS, &f->source,
					&err),
			 -ETIMEDOUT);
	assert_non_null(strstr(err.text, "does not answer"));
	assert_null(f->source);
}

static void who_sees_nothing_is_told_why(void **state)
{
	struct fixture *f = *state;
	struct es_error err = { .code = 0 };

	f->daemon.welcome.view = ES_LOCAL_VIEW_NOTHING;
	memcpy(f->daemon.welcome.words, "no job of yours runs here", 26);
	assert_int_equal(es_daemon_open(f->daemon.path, ES_NS_PER_S, WAIT_NS, &f->source, &err),
			 -EACCES);
	assert_non_null(strstr(err.text, "no job of yours"));

	/* It may still be about to answer the rest of what it was asked. */
	(void)pthread_mutex_lock(&f->daemon.lock);
	f->daemon.welcome.view = ES_LOCAL_VIEW_NODE;
	f->daemon.refusal = "not faster than this";
	(void)pthread_mutex_unlock(&f->daemon.lock);
	assert_int_equal(es_daemon_open(f->daemon.path, ES_NS_PER_S, WAIT_NS, &f->source, &err),
			 -EACCES);
	assert_non_null(strstr(err.text, "not faster than this"));
}

static void a_sweep_that_is_asked_for_is_in_the_next_reading(void **state)
{
	struct fixture *f = *state;
	uint64_t first;
	int64_t asked_ns;

	open_source(f);
	f->daemon.sweep_uj = 1000;
	read_source(f);
	first = f->readings[0].value;
	asked_ns = es_clock_boot_ns();
	assert_int_equal(f->source->ops->wait(f->source, WAIT_NS), 0);
	read_source(f);

	assert_int_equal(f->readings[0].value - first, 1000);
	assert_true(f->readings[0].t_ns >= asked_ns);
	assert_int_equal(f->daemon.n_sweeps, 1);
}

/* The second time, which is the end of what is measured, has readings after it even where the daemon holds them back. */
static void the_end_waits_for_a_sweep_that_may_be_seen(void **state)
{
	struct fixture *f = *state;
	int64_t asked_ns;

	f->daemon.least_ns = f->daemon.welcome.least_period_ns = 300 * ES_NS_PER_MS;
	open_source(f);
	assert_int_equal(f->source->ops->wait(f->source, WAIT_NS), 0);
	local_daemon_write(&f->daemon, es_clock_boot_ns());
	asked_ns = es_clock_boot_ns();
	assert_int_equal(f->source->ops->wait(f->source, WAIT_NS), 0);
	read_source(f);

	assert_int_equal(f->readings[0].error, 0);
	assert_true(f->readings[0].t_ns >= asked_ns);
}

static void a_daemon_that_stands_is_no_reading_until_it_goes_on(void **state)
{
	struct fixture *f = *state;

	open_source(f);
	local_daemon_write(&f->daemon, es_clock_boot_ns() - 10 * ES_NS_PER_S);
	tick(f);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(f->readings[i].error, -ETIMEDOUT);
	tick(f);
	write_now(f, 5);
	tick(f);

	assert_int_equal(f->readings[0].error, 0);
	assert_int_equal(f->daemon.n_clients, 1); /* the connection is the same */
}

static void a_daemon_that_does_not_answer_holds_nobody_up_at_the_end(void **state)
{
	struct fixture *f = *state;

	open_source(f);
	f->daemon.is_silent = true;
	assert_int_equal(f->source->ops->wait(f->source, 50 * ES_NS_PER_MS), 0);
	tick(f);
}

/* Follows the first domain as a recording is followed. */
static struct es_track follow(struct fixture *f)
{
	struct es_track track;

	es_track_init(&track, &f->source->domains[0], 0);
	return track;
}

static void feed(struct fixture *f, struct es_track *track)
{
	struct es_sample samples[2];

	read_source(f);
	assert_int_equal(f->readings[0].error, 0);
	(void)es_track_feed(track, f->readings[0].t_ns, f->readings[0].value, samples);
}

static void advance(struct fixture *f, struct es_track *track, uint64_t energy_uj)
{
	local_daemon_add(&f->daemon, energy_uj);
	local_daemon_write(&f->daemon, f->daemon.swept_ns + ES_NS_PER_MS);
	feed(f, track);
}

static void restart(struct fixture *f, bool is_killed)
{
	f->daemon.leaves_page = is_killed;
	if (is_killed)
		local_daemon_write(&f->daemon, es_clock_boot_ns() - 10 * ES_NS_PER_S);
	local_daemon_stop(&f->daemon);
	tick(f);
	assert_int_equal(f->readings[0].error, is_killed ? -ETIMEDOUT : -ENOTCONN);
	tick(f);
}

static void a_restart_that_goes_on_loses_no_energy(void **state)
{
	struct fixture *f = *state;
	struct es_track track;

	for (int is_killed = 0; is_killed <= 1; is_killed++) {
		open_source(f);
		track = follow(f);
		advance(f, &track, 0);
		advance(f, &track, 1000);
		restart(f, is_killed);
		local_daemon_add(&f->daemon, 50); /* while nobody looked */
		local_daemon_start(&f->daemon);
		tick_until(f, 0);
		advance(f, &track, 7);
		advance(f, &track, 3);

		assert_int_equal(track.energy_uj, 1060);
		assert_int_equal(track.n_resets, 0);
		f->source->ops->close(f->source);
		f->source = NULL;
	}
}

/* Its sums may be above or below those before: either way they have nothing to do with them. */
static void a_restart_that_begins_anew_is_a_reset(void **state)
{
	static const uint64_t sums_uj[] = { 500, 900000000 };
	struct fixture *f = *state;
	struct es_sample samples[2];
	struct es_track track;

	for (size_t i = 0; i < 2; i++) {
		f->daemon.values[0].energy_uj = 1000000;
		open_source(f);
		track = follow(f);
		advance(f, &track, 0);
		advance(f, &track, 1000);
		restart(f, false);
		f->daemon.epoch++;
		f->daemon.values[0].energy_uj = sums_uj[i];
		local_daemon_start(&f->daemon);
		tick_until(f, 0);
		advance(f, &track, 0);
		advance(f, &track, 30);
		advance(f, &track, 4);
		(void)es_track_finish(&track, samples);

		assert_int_equal(track.energy_uj, 1034);
		assert_int_equal(track.n_resets, 1);
		f->source->ops->close(f->source);
		f->source = NULL;
	}
}

static void a_reset_of_the_hardware_is_a_reset(void **state)
{
	struct fixture *f = *state;
	struct es_track track;

	open_source(f);
	track = follow(f);
	advance(f, &track, 0);
	advance(f, &track, 1000);
	f->daemon.values[0].n_resets++;
	advance(f, &track, 0);
	advance(f, &track, 30);
	advance(f, &track, 4);

	assert_int_equal(track.energy_uj, 1034);
	assert_int_equal(track.n_resets, 1);
}

static void domains_in_another_order_are_found_by_their_ids(void **state)
{
	struct fixture *f = *state;
	struct es_local_domain first;

	open_source(f);
	read_source(f);
	restart(f, false);
	first = f->daemon.domains[0];
	f->daemon.domains[0] = f->daemon.domains[2];
	f->daemon.domains[2] = first;
	f->daemon.n = 4;
	f->daemon.domains[3] = first;
	memcpy(f->daemon.domains[3].id, "nvml/gpu-0", 11);
	memcpy(f->daemon.domains[1].id, "powercap/package-9", 19); /* that one is gone */
	f->daemon.domains[2].is_power = true;
	f->daemon.epoch++;
	local_daemon_start(&f->daemon);
	tick_until(f, 0);
	f->daemon.values[2].energy_uj += 77;
	local_daemon_write(&f->daemon, f->daemon.swept_ns + ES_NS_PER_MS);
	read_source(f);

	assert_int_equal(f->readings[0].value, 77);
	assert_int_equal(f->readings[1].error, -ENODEV);
	assert_int_equal(f->readings[2].error, 0);
	assert_int_equal(f->readings[2].value, 0);
}

static void the_end_has_its_energy_though_the_daemon_just_came_back(void **state)
{
	struct fixture *f = *state;
	struct es_track track;

	open_source(f);
	assert_int_equal(f->source->ops->wait(f->source, WAIT_NS), 0);
	track = follow(f);
	advance(f, &track, 0);
	local_daemon_stop(&f->daemon);
	local_daemon_add(&f->daemon, 4000);
	local_daemon_start(&f->daemon);
	assert_int_equal(f->source->ops->wait(f->source, WAIT_NS), 0);
	feed(f, &track);

	assert_int_equal(track.energy_uj, 4000);
}

static void a_sum_that_goes_back_is_no_value(void **state)
{
	struct fixture *f = *state;

	open_source(f);
	read_source(f);
	f->daemon.values[0].energy_uj = 0;
	local_daemon_write(&f->daemon, es_clock_boot_ns());
	read_source(f);

	assert_int_equal(f->readings[0].error, -ERANGE);
	assert_int_equal(f->readings[1].error, 0);
}

/* As 'node release' does: asked again until it is done. */
static int release(struct fixture *f)
{
	int64_t until_ns = es_clock_mono_ns() + WAIT_NS;
	int r;

	do
		r = f->source->ops->release(f->source);
	while (r == -EINPROGRESS && es_clock_mono_ns() < until_ns);
	return r;
}

static void gpus_are_let_go_and_had_again(void **state)
{
	struct fixture *f = *state;

	open_source(f);
	assert_int_equal(f->source->ops->release(f->source), -EINPROGRESS);
	assert_int_equal(release(f), 0);
	assert_int_equal(release(f), 0);
	assert_int_equal(f->daemon.n_releases, 1); /* it is not asked for what is known */
	f->source->ops->take(f->source);
	assert_int_equal(f->source->ops->wait(f->source, WAIT_NS), 0);
	assert_int_equal(f->daemon.n_takes, 1);

	f->daemon.release_verdict = ES_IPC_DENIED;
	assert_int_equal(release(f), -EBUSY);
	f->daemon.release_verdict = ES_IPC_OK;
	assert_int_equal(release(f), 0);
	f->source->ops->take(f->source);
	local_daemon_stop(&f->daemon);
	assert_int_equal(release(f), -EBUSY);
}

static bool was_asked_thrice(struct fixture *f)
{
	bool is_so;

	(void)pthread_mutex_lock(&f->daemon.lock);
	is_so = f->daemon.n_releases >= 3;
	f->daemon.release_verdict = is_so ? ES_IPC_OK : ES_IPC_PENDING;
	(void)pthread_mutex_unlock(&f->daemon.lock);
	return is_so;
}

static void a_release_that_takes_time_is_asked_about_again(void **state)
{
	struct fixture *f = *state;
	int64_t until_ns = es_clock_mono_ns() + WAIT_NS;

	f->daemon.release_verdict = ES_IPC_PENDING;
	open_source(f);
	while (!was_asked_thrice(f) && es_clock_mono_ns() < until_ns)
		assert_int_equal(f->source->ops->release(f->source), -EINPROGRESS);
	assert_int_equal(release(f), 0);
}

static void without_memory_nothing_is_opened_or_left(void **state)
{
	struct fixture *f = *state;
	unsigned n_failed = 0;
	bool was_hit = true;

	if (!failing_malloc_works())
		return;
	/* One of the daemon's allocations, which is on a thread of this process, may be hit instead: it tries again. */
	for (unsigned long n = 1; was_hit && n < 100; n++) {
		struct es_error err = { .code = 0 };
		int r;

		failing_malloc_at(n);
		r = es_daemon_open(f->daemon.path, ES_NS_PER_S, WAIT_NS, &f->source, &err);
		was_hit = failing_malloc_hit();
		failing_malloc_at(0);
		n_failed += r < 0;
		assert_true(r == 0 || (r == -ENOMEM && err.code == r && !f->source));
		if (f->source)
			f->source->ops->close(f->source);
		f->source = NULL;
	}
	assert_false(was_hit);
	assert_true(n_failed >= 5);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(domains_are_those_of_the_node),
		TEST(a_slow_meter_is_planned_as_the_daemon_reads_it),
		TEST(words_that_are_not_known_make_a_domain_absent),
		TEST(energies_are_those_of_the_page),
		TEST(a_meter_that_fails_fails_alone),
		TEST(nobody_there_is_said),
		TEST(one_that_says_nothing_is_waited_for_no_longer_than_wanted),
		TEST(who_sees_nothing_is_told_why),
		TEST(a_sweep_that_is_asked_for_is_in_the_next_reading),
		TEST(the_end_waits_for_a_sweep_that_may_be_seen),
		TEST(a_daemon_that_stands_is_no_reading_until_it_goes_on),
		TEST(a_daemon_that_does_not_answer_holds_nobody_up_at_the_end),
		TEST(a_restart_that_goes_on_loses_no_energy),
		TEST(a_restart_that_begins_anew_is_a_reset),
		TEST(a_reset_of_the_hardware_is_a_reset),
		TEST(domains_in_another_order_are_found_by_their_ids),
		TEST(the_end_has_its_energy_though_the_daemon_just_came_back),
		TEST(a_sum_that_goes_back_is_no_value),
		TEST(gpus_are_let_go_and_had_again),
		TEST(a_release_that_takes_time_is_asked_about_again),
		TEST(without_memory_nothing_is_opened_or_left),
	};

	return cmocka_run_group_tests_name("source/daemon", tests, NULL, NULL);
}
