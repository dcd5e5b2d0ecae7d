/*
 * test_source_amdgpu.c - gpu_metrics: every version, sleeping GPUs, APUs, and every fault
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "core/cover.h"
#include "core/track.h"
#include "source/amdgpu_metrics.h"
#include "source/amdgpu_signals.h"
#include "source/gpu.h"
#include "support/sourced.h"

#define TABLE_BYTES 4096U
#define GPU0 "sys/devices/pci0000:00/0000:c1:00.0/"

static int set_up(void **state)
{
	return sourced_set_up(state, &es_source_amdgpu);
}

static void put_le(uint8_t *data, size_t offset, unsigned n, uint64_t v)
{
	for (unsigned i = 0; i < n; i++)
		data[offset + i] = (uint8_t)(v >> 8 * i);
}

/* As the firmware leaves it: all ones where nothing is supported. */
static void begin(uint8_t data[TABLE_BYTES], unsigned format, unsigned content, unsigned size)
{
	memset(data, 0xff, TABLE_BYTES);
	put_le(data, 0, 2, size);
	data[2] = (uint8_t)format;
	data[3] = (uint8_t)content;
}

static void every_version_has_its_own_places(void **state)
{
	static const struct {
		unsigned content, size, energy, n_energy, power, clock, firmware;
	} versions[] = {
		{ 0, 80, 36, 4, 34, 8, 0 },	{ 1, 96, 24, 8, 22, 32, 0 },
		{ 2, 104, 24, 8, 22, 32, 96 },	{ 3, 120, 24, 8, 22, 32, 96 },
		{ 4, 288, 24, 8, 10, 32, 232 }, { 5, 360, 88, 8, 10, 96, 304 },
		{ 6, 384, 88, 8, 10, 96, 328 }, { 7, 2208, 24, 8, 10, 32, 288 },
		{ 8, 344, 24, 8, 10, 32, 288 },
	};
	uint8_t data[TABLE_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		struct es_amdgpu_metrics m;

		begin(data, 1, versions[i].content, versions[i].size);
		assert_int_equal(es_amdgpu_metrics_parse(data, versions[i].size, &m), 0);
		assert_false(m.has_energy || m.has_power || m.has_clock || m.has_firmware);
		put_le(data, versions[i].energy, versions[i].n_energy, 123456789);
		put_le(data, versions[i].power, 2, 321);
		put_le(data, versions[i].clock, 8, 55000);
		if (versions[i].firmware)
			put_le(data, versions[i].firmware, 8, 777);
		assert_int_equal(es_amdgpu_metrics_parse(data, versions[i].size, &m), 0);
		assert_true(m.has_energy && m.energy_steps == 123456789);
		assert_true(m.has_power && m.power_mw == 321000);
		assert_true(m.has_clock && m.clock_ns == 55000);
		assert_true(m.has_firmware == (versions[i].firmware > 0));
		assert_true(!m.has_firmware || m.firmware_ns == 7770);
		assert_true(m.is_32_bits == (versions[i].content == 0));
		/* A longer table of the same version is one that grew; a shorter one was cut off. */
		assert_int_equal(es_amdgpu_metrics_parse(data, TABLE_BYTES, &m), 0);
		assert_int_equal(es_amdgpu_metrics_parse(data, versions[i].size - 1, &m), -EBADMSG);
		put_le(data, 0, 2, versions[i].size - 1);
		assert_int_equal(es_amdgpu_metrics_parse(data, TABLE_BYTES, &m), -EBADMSG);
	}
}

static void a_version_that_grew_is_told_by_its_size(void **state)
{
	struct es_amdgpu_metrics m;
	uint8_t data[TABLE_BYTES];

	(void)state;
	begin(data, 1, 6, 1664);
	put_le(data, 16, 8, 4711);
	put_le(data, 24, 8, 55000);
	put_le(data, 256, 8, 888);
	put_le(data, 4, 2, 67);
	assert_int_equal(es_amdgpu_metrics_parse(data, 1664, &m), 0);
	assert_true(m.has_energy && m.energy_steps == 4711 && m.clock_ns == 55000);
	assert_true(m.firmware_ns == 8880 && m.temp_c.value == 67);
}

static void signals_are_where_each_version_has_them(void **state)
{
	static const struct {
		unsigned content, size, temp, memory_temp, busy, memory_busy, clock, n_clocks,
			memory;
	} versions[] = {
		{ 0, 80, 18, 20, 28, 30, 54, 1, 58 },	{ 1, 96, 6, 8, 16, 18, 54, 1, 58 },
		{ 2, 104, 6, 8, 16, 18, 54, 1, 58 },	{ 3, 120, 6, 8, 16, 18, 54, 1, 58 },
		{ 4, 288, 4, 6, 12, 14, 240, 8, 280 },	{ 5, 360, 4, 6, 12, 14, 312, 8, 352 },
		{ 6, 384, 4, 6, 12, 14, 336, 8, 376 },	{ 6, 1664, 4, 6, 12, 14, 264, 8, 304 },
		{ 7, 2208, 4, 6, 12, 14, 296, 8, 336 }, { 8, 3864, 4, 6, 12, 14, 296, 8, 336 },
	};
	uint8_t data[TABLE_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		struct es_amdgpu_metrics m;

		begin(data, 1, versions[i].content, versions[i].size);
		assert_int_equal(es_amdgpu_metrics_parse(data, versions[i].size, &m), 0);
		assert_false(m.temp_c.is_known || m.memory_temp_c.is_known ||
			     m.busy_percent.is_known || m.memory_busy_percent.is_known ||
			     m.clock_mhz.is_known || m.memory_mhz.is_known || m.has_throttle ||
			     m.has_cycles);
		put_le(data, versions[i].temp, 2, 71);
		put_le(data, versions[i].memory_temp, 2, 66);
		put_le(data, versions[i].busy, 2, 98);
		put_le(data, versions[i].memory_busy, 2, 41);
		put_le(data, versions[i].clock, 2, 1700);
		if (versions[i].n_clocks > 1)
			put_le(data, versions[i].clock + 2, 2, 1500);
		put_le(data, versions[i].memory, 2, 1600);
		assert_int_equal(es_amdgpu_metrics_parse(data, versions[i].size, &m), 0);
		assert_int_equal(m.temp_c.value, 71);
		assert_int_equal(m.memory_temp_c.value, 66);
		assert_int_equal(m.busy_percent.value, 98);
		assert_int_equal(m.memory_busy_percent.value, 41);
		assert_int_equal(m.clock_mhz.value, versions[i].n_clocks > 1 ? 1600 : 1700);
		assert_int_equal(m.memory_mhz.value, 1600);
	}
}

static void reasons_of_throttling_are_those_of_all_makers(void **state)
{
	struct es_reading readings[ES_N_AMDGPU_SIGNALS];
	struct es_signal signals[ES_N_AMDGPU_SIGNALS];
	struct es_amdgpu_told told;
	uint8_t data[TABLE_BYTES];
	struct es_amdgpu_metrics m;

	(void)state;
	begin(data, 1, 3, 120);
	put_le(data, 112, 8, UINT64_C(1) << 5 | UINT64_C(1) << 17 | UINT64_C(1) << 47);
	assert_int_equal(es_amdgpu_metrics_parse(data, 120, &m), 0);
	assert_int_equal(es_amdgpu_signals_describe(&m, "gpu-0", signals, 0, &told), 1);
	assert_string_equal(signals[0].id, "amdgpu/gpu-0:throttle");
	es_amdgpu_signals_take(&told, readings);
	assert_int_equal(readings[0].error, -ENODATA); /* no sweep yet */
	told.metrics = m;
	told.t_ns = 7;
	es_amdgpu_signals_take(&told, readings);
	assert_int_equal(readings[0].error, 0);
	assert_int_equal(readings[0].value, 1 << ES_THROTTLE_POWER_CAP | 1 << ES_THROTTLE_CURRENT |
						    1 << ES_THROTTLE_HEAT);

	/* Newer tables count for how long: what held for half of the time since the last look is a reason. */
	begin(data, 1, 7, 2208);
	for (unsigned i = 0; i < 6; i++)
		put_le(data, 40 + 4 * i, 4, i ? 50 : 4294967000);
	assert_int_equal(es_amdgpu_metrics_parse(data, 2208, &m), 0);
	assert_int_equal(es_amdgpu_signals_describe(&m, "gpu-0", signals, 0, &told), 1);
	told.metrics = m;
	told.t_ns = 7;
	es_amdgpu_signals_take(&told, readings);
	assert_int_equal(readings[0].error, -ENODATA); /* since nothing */
	told.metrics.cycles = 704; /* wrapped: 1000 on */
	told.metrics.held_cycles[0] += 600;
	told.metrics.held_cycles[1] += 400;
	es_amdgpu_signals_take(&told, readings);
	assert_int_equal(readings[0].error, 0);
	assert_int_equal(readings[0].value, 1 << ES_THROTTLE_POWER_CAP);
}

static void a_sleeping_gpu_is_asked_for_no_signals(void **state)
{
	struct es_reading readings[ES_N_AMDGPU_SIGNALS];
	struct sourced *f = *state;

	sourced_make(f, "radeon-asleep");
	sourced_put(f, GPU0 "gpu_metrics", "garbage");
	assert_int_equal(sourced_open_as(f, -1, NULL), 0);
	/* It may tell anything once it is awake. */
	assert_int_equal(f->source->n_signals, ES_N_AMDGPU_SIGNALS);
	assert_int_equal(sourced_read(f, "amdgpu/gpu-0")->error, -ECANCELED);
	assert_int_equal(es_source_amdgpu.read_signals(f->source, readings, ES_N_AMDGPU_SIGNALS),
			 0);
	for (size_t i = 0; i < ES_N_AMDGPU_SIGNALS; i++)
		assert_int_equal(readings[i].error, -ENODATA);
}

static void tables_without_energy_and_unknown_ones_say_so(void **state)
{
	struct es_amdgpu_metrics m;
	uint8_t data[TABLE_BYTES];

	(void)state;
	for (unsigned format = 2; format <= 3; format++) {
		begin(data, format, 1, 128);
		assert_int_equal(es_amdgpu_metrics_parse(data, 128, &m), 0);
		assert_true(m.is_apu && !m.has_energy && !m.has_power);
	}
	begin(data, 1, 9, 400);
	assert_int_equal(es_amdgpu_metrics_parse(data, 400, &m), -EOPNOTSUPP);
	assert_true(m.format == 1 && m.content == 9);
	assert_int_equal(es_amdgpu_metrics_parse(data, 0, &m), -ENODATA);
	assert_int_equal(es_amdgpu_metrics_parse(data, 3, &m), -EBADMSG);
}

static void energy_is_true_to_one_step_of_15_microjoules(void **state)
{
	struct sourced *f = *state;
	struct es_track track;
	struct es_sample samples[2];
	const struct es_tree_zone *zone;
	size_t i;

	sourced_open(f, "mi250x");
	i = sourced_index(f, "amdgpu/gpu-2");
	zone = &f->tree.zones[es_tree_find(&f->tree, "gpu-2")];
	es_track_init(&track, &f->source->domains[i], 0);
	for (unsigned step = 0; step < 50; step++) {
		const struct es_reading *reading = sourced_read(f, "amdgpu/gpu-2");

		assert_int_equal(reading->error, 0);
		(void)es_track_feed(&track, reading->t_ns, reading->value, samples);
		if (step < 49)
			assert_int_equal(
				es_tree_advance(&f->tree, (size_t)(zone - f->tree.zones), 7919), 0);
	}
	assert_true(track.n_gaps == 0 && track.n_rejected == 0);
	assert_true(llabs((int64_t)track.energy_uj -
			  (int64_t)es_tree_energy_uj(zone, zone->n_steps)) <= 16);
	assert_int_equal(f->source->domains[i].limit_mw, 560000);
	assert_string_equal(f->source->domains[i].pci, "0000:d1:00.0");
	assert_int_equal(f->source->domains[i].package, 2);
}

static void an_accumulator_that_is_not_new_is_no_reading(void **state)
{
	struct sourced *f = *state;

	sourced_open(f, "mi250x");
	assert_int_equal(sourced_read(f, "amdgpu/gpu-0")->error, 0);
	assert_int_equal(sourced_read(f, "amdgpu/gpu-0")->error, -ECANCELED);
	assert_int_equal(es_tree_advance(&f->tree, (size_t)es_tree_find(&f->tree, "gpu-0"), 5), 0);
	assert_int_equal(sourced_read(f, "amdgpu/gpu-0")->error, 0);
}

static void a_gpu_that_sleeps_is_not_woken(void **state)
{
	struct sourced *f = *state;
	const struct es_domain *d;

	sourced_make(f, "radeon-asleep");
	/* It would not even be noticed: a read of the table fails the test. */
	sourced_put(f, GPU0 "gpu_metrics", "garbage");
	assert_int_equal(sourced_open_as(f, -1, NULL), 0);
	d = sourced_domain(f, "amdgpu/gpu-0");
	assert_int_equal(d->state, ES_STATE_UNPROVEN);
	assert_non_null(strstr(d->reason, "asleep"));
	assert_int_equal(d->limit_mw, 0); /* reading the cap wakes it, too */
	assert_int_equal(sourced_read(f, "amdgpu/gpu-0")->error, -ECANCELED);
	sourced_put(f, GPU0 "power/runtime_status", "active\n");
	assert_int_equal(sourced_read(f, "amdgpu/gpu-0")->error, -EBADMSG);
	sourced_put(f, GPU0 "power/runtime_status", "suspending\n");
	assert_int_equal(sourced_read(f, "amdgpu/gpu-0")->error, -ECANCELED);
}

static void apus_contain_the_package_and_say_what_they_lack(void **state)
{
	struct sourced *f = *state;
	struct es_domain package;
	const struct es_domain *d;

	sourced_open(f, "mi300a-apu");
	d = sourced_domain(f, "amdgpu/module-1");
	es_domain_init(&package, "powercap", ES_DOMAIN_PACKAGE, 1, -1);
	assert_int_equal(d->type, ES_DOMAIN_MODULE);
	assert_true(es_domain_contains(d, &package));
	assert_false(es_domain_contains(sourced_domain(f, "amdgpu/module-0"), &package));
	sourced_open(f, "amd-apu");
	d = sourced_domain(f, "amdgpu/module-0");
	assert_int_equal(d->state, ES_STATE_ABSENT);
	assert_non_null(strstr(d->reason, "gpu_metrics 2.1"));
	assert_non_null(strstr(d->reason, "no energy"));
	assert_false(d->is_there);
}

static void power_is_added_up_where_there_is_no_energy(void **state)
{
	struct sourced *f = *state;
	const struct es_domain *d;
	uint8_t data[TABLE_BYTES];
	char path[128];
	int fd;

	sourced_make(f, "mi250x");
	begin(data, 1, 4, 288);
	put_le(data, 10, 2, 471);
	(void)snprintf(path, sizeof(path), "%s/" GPU0 "gpu_metrics", f->dir);
	assert_int_equal(chmod(path, 0600), 0); /* an ordinary user's own */
	fd = open(path, O_WRONLY | O_TRUNC);
	assert_true(fd >= 0 && write(fd, data, 288) == 288);
	(void)close(fd);
	assert_int_equal(sourced_open_as(f, -1, NULL), 0);
	d = sourced_domain(f, "amdgpu/gpu-0");
	assert_true(d->is_power && d->kind == ES_KIND_INTEGRATED);
	assert_non_null(strstr(d->reason, "1.4"));
	assert_int_equal(sourced_read(f, "amdgpu/gpu-0")->value, 471000);
}

/* As of MI250X: table and limit of the chip at @dir show 0 W, 0 J, no limit. */
static void make_second_chip(const struct sourced *f, const char *dir)
{
	uint8_t data[TABLE_BYTES];
	char path[160];
	int fd;

	begin(data, 1, 3, 120);
	put_le(data, 22, 2, 0);
	put_le(data, 24, 8, 0);
	put_le(data, 32, 8, 1000000000);
	put_le(data, 96, 8, 100000000);
	(void)snprintf(path, sizeof(path), "%s/%sgpu_metrics", f->dir, dir);
	assert_int_equal(chmod(path, 0600), 0);
	fd = open(path, O_WRONLY | O_TRUNC);
	assert_true(fd >= 0 && write(fd, data, 120) == 120);
	(void)close(fd);
}

static void the_second_chip_of_a_module_is_no_zero(void **state)
{
	struct sourced *f = *state;
	const struct es_domain *d;

	sourced_make(f, "mi250x");
	make_second_chip(f, GPU0);
	/* With a limit it is a GPU whose counter stands. */
	assert_int_equal(sourced_open_as(f, -1, NULL), 0);
	assert_int_not_equal(sourced_domain(f, "amdgpu/gpu-0")->state, ES_STATE_ABSENT);
	sourced_put(f, GPU0 "hwmon/hwmon3/power1_cap", "0\n");
	assert_int_equal(sourced_open_as(f, -1, NULL), 0);
	d = sourced_domain(f, "amdgpu/gpu-0");
	assert_int_equal(d->state, ES_STATE_ABSENT);
	assert_non_null(strstr(d->reason, "the power of both"));
	assert_int_not_equal(sourced_domain(f, "amdgpu/gpu-1")->state, ES_STATE_ABSENT);
	/* Whether one that sleeps is such a chip cannot be seen without waking it. */
	sourced_put(f, GPU0 "power/runtime_status", "suspended\n");
	assert_false(es_gpu_is_second_chip(&f->root, "0000:c1:00.0"));
}

static void every_fault_is_an_error_and_named(void **state)
{
	struct sourced *f = *state;
	const struct es_domain *d;
	char path[128];

	sourced_open(f, "mi250x");
	f->failing_fd = -1;
	f->failure = EIO;
	/* With its status unreadable it may be asleep or not: the table is read as ever. */
	assert_int_equal(sourced_read(f, "amdgpu/gpu-0")->error, -EIO);
	f->failure = ENODEV;
	assert_int_equal(sourced_read(f, "amdgpu/gpu-0")->error, -ENODEV);
	f->failing_fd = -2;
	assert_int_equal(sourced_read(f, "amdgpu/gpu-0")->error, 0);
	sourced_put(f, GPU0 "gpu_metrics", "");
	assert_int_equal(sourced_read(f, "amdgpu/gpu-0")->error, -ENODATA);
	sourced_put(f, GPU0 "gpu_metrics", "no table at all");
	assert_int_equal(sourced_read(f, "amdgpu/gpu-0")->error, -EBADMSG);
	assert_int_equal(sourced_open_as(f, -1, NULL), 0);
	d = sourced_domain(f, "amdgpu/gpu-0");
	assert_int_equal(d->state, ES_STATE_ABSENT);
	assert_true(d->is_there);
	assert_non_null(strstr(d->reason, "gpu_metrics cannot be read"));
	(void)snprintf(path, sizeof(path), "%s/" GPU0 "gpu_metrics", f->dir);
	assert_int_equal(chmod(path, 0400), 0);
	assert_int_equal(sourced_open_as(f, (int64_t)getuid() + 12345, NULL), 0);
	d = sourced_domain(f, "amdgpu/gpu-0");
	assert_int_equal(d->state, ES_STATE_DENIED);
	assert_non_null(strstr(d->fix, "gpu_metrics"));
	sourced_make(f, "skx2s");
	assert_int_equal(sourced_open_as(f, -1, NULL), -ENODEV);
}

static void a_driver_that_is_loaded_again_is_a_reset(void **state)
{
	struct sourced *f = *state;
	size_t zone, i;
	struct es_track track;
	struct es_sample samples[2];

	sourced_open(f, "mi250x");
	zone = (size_t)es_tree_find(&f->tree, "gpu-0");
	i = sourced_index(f, "amdgpu/gpu-0");
	es_track_init(&track, &f->source->domains[i], 0);
	for (unsigned step = 0; step < 6; step++) {
		const struct es_reading *reading = sourced_read(f, "amdgpu/gpu-0");

		(void)es_track_feed(&track, reading->t_ns, reading->value, samples);
		usleep(2000);
		if (step == 2)
			assert_int_equal(es_tree_set(&f->tree, zone, 3), 0);
		else
			assert_int_equal(es_tree_advance(&f->tree, zone, 6554), 0);
	}
	(void)es_track_finish(&track, samples);
	assert_int_equal(track.n_resets, 1);
	assert_int_equal(track.n_wraps, 0);
	assert_true(track.energy_uj < 500000);
}

static void hwmon_of_the_same_card_is_its_twin(void **state)
{
	struct sourced *f = *state;
	struct es_domain domains[2];
	struct es_source *hwmon;

	sourced_open(f, "mi250x");
	assert_int_equal(es_source_hwmon.open(&f->root, &hwmon, NULL), 0);
	domains[0] = *sourced_domain(f, "amdgpu/gpu-0");
	domains[1] = hwmon->domains[0];
	es_source_hwmon.close(hwmon);
	assert_string_equal(domains[1].id, "hwmon/amdgpu:gpu-0");
	es_cover_judge(domains, 2, NULL);
	assert_int_equal(domains[1].state, ES_STATE_DUPLICATE);
	assert_int_equal(domains[1].duplicate_of, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, sourced_tear_down)
	const struct CMUnitTest tests[] = {
		T(every_version_has_its_own_places),
		T(a_version_that_grew_is_told_by_its_size),
		T(signals_are_where_each_version_has_them),
		T(reasons_of_throttling_are_those_of_all_makers),
		T(a_sleeping_gpu_is_asked_for_no_signals),
		T(tables_without_energy_and_unknown_ones_say_so),
		T(energy_is_true_to_one_step_of_15_microjoules),
		T(an_accumulator_that_is_not_new_is_no_reading),
		T(a_gpu_that_sleeps_is_not_woken),
		T(apus_contain_the_package_and_say_what_they_lack),
		T(power_is_added_up_where_there_is_no_energy),
		T(the_second_chip_of_a_module_is_no_zero),
		T(every_fault_is_an_error_and_named),
		T(a_driver_that_is_loaded_again_is_a_reset),
		T(hwmon_of_the_same_card_is_its_twin),
	};
#undef T

	return cmocka_run_group_tests_name("source/amdgpu", tests, NULL, NULL);
}
