/*
 * test_source_msr.c - the traps of energy registers, with a test in the place of the devices
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/fake_msr.h"

#include "base/clock.h"
#include "core/counter.h"
#include "source/msr_places.h"

static void without_a_device_it_says_what_makes_one(void **state)
{
	struct fixture *f = *state;
	struct es_error err = { .code = 0 };

	make(f, "skx2s", 2, 18);
	f->kernel_error = -ENOENT;
	assert_int_equal(open_as(f, -1, &err), -ENODEV);
	assert_non_null(strstr(err.text, "tree"));
	f->root.is_machine = true;
	assert_int_equal(es_source_msr.open(&f->root, &f->source, &err), -ENODEV);
	assert_non_null(strstr(err.text, "modprobe msr"));
}

static void a_processor_without_registers_is_left_alone(void **state)
{
	struct fixture *f = *state;
	struct es_error err = { .code = 0 };

	make(f, "skx2s", 2, 18);
	assert_int_equal(es_tree_write(f->dir, "proc/cpuinfo",
				       "CPU implementer\t: 0x41\nCPU architecture: 8\n", 0444),
			 0);
	assert_int_equal(open_as(f, -1, &err), -ENODEV);
	assert_non_null(strstr(err.text, "0x41"));
	assert_int_equal(f->n_opens, 0);
}

static void each_package_is_read_by_one_cpu_each_register_by_one_call(void **state)
{
	struct fixture *f = *state;

	make_skylake(f);
	assert_int_equal(open_as(f, -1, NULL), 0);
	read_all(f);

	assert_int_equal(f->source->n_domains, 4);
	assert_int_equal(f->n_reads, 4);
	assert_int_equal(f->n_opens, 0);
	assert_int_equal(reading(f, "msr/package-0")->value, 100000000);
	assert_int_equal(reading(f, "msr/package-1")->value, 200000000);
	/* Memory counts in 15.3 µJ here, whatever the unit register says. */
	assert_int_equal(reading(f, "msr/dram-0")->value, 15300000);
	assert_int_equal(reading(f, "msr/dram-1")->value, 30600000);
	assert_true(domain(f, "msr/package-0")->range.modulus_nj == UINT64_C(262144000000000));
	assert_true(domain(f, "msr/dram-0")->range.modulus_nj == UINT64_C(65712999628800));
}

static void limits_come_from_the_packages_registers(void **state)
{
	struct fixture *f = *state;

	make_skylake(f);
	assert_int_equal(open_as(f, -1, NULL), 0);
	assert_int_equal(domain(f, "msr/package-0")->limit_mw, 140000);
	assert_string_equal(domain(f, "msr/package-0")->limit_kind, "long_term");
	/* A maker that states 1000 W is believed up to twice that. */
	assert_int_equal(domain(f, "msr/package-0")->peak_mw, 2000000);
	assert_int_equal(domain(f, "msr/dram-0")->limit_mw, 0);
	/* Without a limit in force there is the design power. */
	cell_at(f, 0, 0x610)->value = 140 * 8;
	assert_int_equal(open_as(f, -1, NULL), 0);
	assert_int_equal(domain(f, "msr/package-1")->limit_mw, 165000);
	assert_string_equal(domain(f, "msr/package-1")->limit_kind, "tdp");
	cell_at(f, 0, 0x614)->error = -EIO;
	assert_int_equal(open_as(f, -1, NULL), 0);
	assert_int_equal(domain(f, "msr/package-1")->limit_mw, 0);
}

static void psys_of_sapphire_rapids_counts_whole_joules(void **state)
{
	struct fixture *f = *state;

	make(f, "spr2s", 2, 56);
	put(f, -1, 0x606, 0xa0e03);
	put(f, -1, 0x611, 16384);
	put(f, -1, 0x619, 16384);
	put(f, -1, 0x64d, 77);
	assert_int_equal(open_as(f, -1, NULL), 0);
	read_all(f);

	assert_int_equal(reading(f, "msr/psys")->value, 77000000);
	assert_int_equal(reading(f, "msr/psys-1")->value, 77000000);
	/* Memory of Sapphire Rapids has no unit of its own any more. */
	assert_int_equal(reading(f, "msr/dram-0")->value, 1000000);
	assert_int_equal(domain(f, "msr/psys")->package, -1);
	/* PP0 is tried on this processor, and not there. */
	assert_false(has_domain(f, "msr/core-0"));
}

static void the_upper_half_of_a_register_is_reserved_on_intel(void **state)
{
	struct fixture *f = *state;

	make_skylake(f);
	cell_at(f, 0, 0x611)->value |= UINT64_C(0xdeadbeef) << 32;
	assert_int_equal(open_as(f, -1, NULL), 0);
	read_all(f);

	assert_int_equal(reading(f, "msr/package-0")->value, 100000000);
	assert_true(domain(f, "msr/package-0")->range.modulus_nj == UINT64_C(262144000000000));
}

static void counters_wrap_at_32_bits_and_are_told_from_resets(void **state)
{
	struct fixture *f = *state;
	uint64_t before_uj;
	struct es_step step;

	make_skylake(f);
	cell_at(f, 0, 0x611)->value = UINT32_MAX - 16383;
	assert_int_equal(open_as(f, -1, NULL), 0);
	read_all(f);
	before_uj = reading(f, "msr/package-0")->value;
	cell_at(f, 0, 0x611)->value = 16384 * 9;
	read_all(f);
	assert_int_equal(es_counter_advance(&domain(f, "msr/package-0")->range, before_uj,
					    reading(f, "msr/package-0")->value, ES_NS_PER_S / 10,
					    domain(f, "msr/package-0")->peak_mw, &step),
			 0);
	assert_int_equal(step.verdict, ES_STEP_WRAPPED);
	assert_int_equal(step.energy_uj, 10000000);
	/* From the middle to the start in a tenth of a second is no wrap. */
	assert_int_equal(es_counter_advance(&domain(f, "msr/package-0")->range, before_uj / 2,
					    reading(f, "msr/package-0")->value, ES_NS_PER_S / 10,
					    domain(f, "msr/package-0")->peak_mw, &step),
			 -ESTALE);
}

static void amd_has_packages_and_single_cores(void **state)
{
	struct fixture *f = *state;
	const struct es_domain *core;

	make_milan(f, 1);
	cell_at(f, 3, 0xc001029a)->value = 65536;
	put(f, -1, 0xc001029a, 65536 * 3)->cpu = 3;
	assert_int_equal(open_as(f, -1, NULL), 0);
	read_all(f);
	core = domain(f, "msr/core-0-cpu-3");

	assert_int_equal(f->source->n_domains, 2 + 16);
	assert_int_equal(reading(f, "msr/package-1")->value, 20000000);
	assert_int_equal(reading(f, "msr/core-0-cpu-3")->value, 3000000);
	assert_int_equal(reading(f, "msr/core-1-cpu-8")->value, 1000000);
	assert_true(core->is_partial);
	assert_int_equal(core->core, 3);
	assert_int_equal(core->parent, domain(f, "msr/package-0") - f->source->domains);
	assert_int_equal(domain(f, "msr/core-1-cpu-8")->parent,
			 domain(f, "msr/package-1") - f->source->domains);
}

static void only_cores_that_are_asked_for_are_read_and_kept_open(void **state)
{
	struct fixture *f = *state;
	bool wanted[READINGS_MAX] = { false };

	make_milan(f, 1);
	assert_int_equal(open_as(f, -1, NULL), 0);
	wanted[domain(f, "msr/package-0") - f->source->domains] = true;
	wanted[domain(f, "msr/core-1-cpu-9") - f->source->domains] = true;
	es_source_msr.want(f->source, wanted);
	read_all(f);
	assert_int_equal(f->n_opens, 1);
	read_all(f);

	assert_int_equal(f->n_opens, 0);
	assert_int_equal(f->n_reads, 2);
	assert_int_equal(reading(f, "msr/core-1-cpu-9")->error, 0);
	assert_int_equal(reading(f, "msr/core-1-cpu-8")->error, -ECANCELED);
	assert_int_equal(reading(f, "msr/package-1")->error, -ECANCELED);
}

static void a_wide_counter_is_taken_as_such_once_it_proves_it(void **state)
{
	struct fixture *f = *state;
	const uint64_t wide = UINT64_C(5) << 32 | 65536;

	/* Genoa may be 64 bits wide; below 2^32 nothing tells, and the lower half is right anyway. */
	make_milan(f, 0x11);
	assert_int_equal(open_as(f, -1, NULL), 0);
	assert_true(domain(f, "msr/package-0")->range.modulus_nj == UINT64_C(65536000000000));
	cell_at(f, 0, 0xc001029b)->value = wide;
	read_all(f);
	assert_int_equal(reading(f, "msr/package-0")->value, 1000000);
	assert_int_equal(open_as(f, -1, NULL), 0);
	read_all(f);
	assert_true(domain(f, "msr/package-0")->range.modulus_nj == 0);
	assert_true(reading(f, "msr/package-0")->value == UINT64_C(5) * 65536000000 + 1000000);
	/* Milan is not, whatever stands in the upper half. */
	make_milan(f, 1);
	cell_at(f, 0, 0xc001029b)->value = wide;
	assert_int_equal(open_as(f, -1, NULL), 0);
	read_all(f);
	assert_int_equal(reading(f, "msr/package-0")->value, 1000000);
}

static void dies_of_intel_are_dies_and_of_amd_they_are_one_package(void **state)
{
	struct fixture *f = *state;

	make(f, "clxap", 2, 48);
	put(f, -1, 0x606, 0xa0e03);
	put(f, -1, 0x611, 16384);
	put(f, -1, 0x619, 16384);
	assert_int_equal(open_as(f, -1, NULL), 0);
	assert_int_equal(f->source->n_domains, 8);
	assert_int_equal(domain(f, "msr/package-1-die-1")->type, ES_DOMAIN_DIE);
	assert_int_equal(domain(f, "msr/dram-0-die-1")->die, 1);
	assert_false(domain(f, "msr/package-0-die-1")->may_mirror);
	/* Of processors whose dies nobody has described, only their steps can tell whether each counts itself. */
	assert_int_equal(
		es_tree_write(f->dir, "proc/cpuinfo",
			      "vendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 173\n", 0444),
		0);
	assert_int_equal(open_as(f, -1, NULL), 0);
	assert_true(domain(f, "msr/package-0-die-1")->may_mirror);
	f->n_cells = 0;
	make(f, "amd-zen1-dies", 2, 32);
	put(f, -1, 0xc0010299, 0xa1003);
	put(f, -1, 0xc001029b, 65536);
	assert_int_equal(open_as(f, -1, NULL), 0);
	assert_int_equal(f->source->n_domains, 2);
	assert_int_equal(domain(f, "msr/package-1")->type, ES_DOMAIN_PACKAGE);
}

static void another_cpu_of_the_package_takes_over(void **state)
{
	struct fixture *f = *state;

	make_skylake(f);
	assert_int_equal(open_as(f, -1, NULL), 0);
	f->is_offline[0] = f->is_offline[36] = f->is_offline[1] = true;
	cell_at(f, 2, 0x611)->value += 16384;
	read_all(f);

	assert_int_equal(reading(f, "msr/package-0")->value, 101000000);
	assert_int_equal(reading(f, "msr/dram-0")->error, 0);
	read_all(f);
	assert_int_equal(f->n_opens, 0);
	assert_int_equal(f->n_reads, 4);
}

static void a_package_whose_cpus_are_all_offline_fails_and_comes_back(void **state)
{
	struct es_msr_processor processor;
	struct es_msr_places places;
	struct es_msr_failure failure;
	struct fixture *f = *state;
	struct es_machine machine = { .cpu_family = 6, .cpu_model_number = 0x55 };
	uint64_t value = 1;

	make_skylake(f);
	assert_int_equal(open_as(f, -1, NULL), 0);
	(void)snprintf(machine.cpu_vendor, sizeof(machine.cpu_vendor), "GenuineIntel");
	assert_int_equal(es_msr_find_processor(&machine, &processor), 0);
	assert_int_equal(es_msr_places_find(&f->root, &processor, &places), 0);
	assert_int_equal(places.n, 2);
	es_msr_place_try(&f->root, &places.place[1], 0x606, 0x611, &failure);
	assert_int_equal(failure.error, 0);
	for (int cpu = 0; cpu < CPUS_MAX; cpu++)
		f->is_offline[cpu] = package_of(f, cpu) == 1;

	assert_int_equal(es_msr_place_read(&f->root, &places.place[1], 0x611, 0, &value), -ENXIO);
	assert_int_equal(value, 1);
	f->n_opens = 0;
	assert_int_equal(es_msr_place_read(&f->root, &places.place[1], 0x611, 1, &value), -ENXIO);
	assert_int_equal(f->n_opens, 0); /* not all of them again at once */
	f->is_offline[30] = false;
	assert_int_equal(
		es_msr_place_read(&f->root, &places.place[1], 0x611, 2 * ES_NS_PER_S, &value), 0);
	assert_int_equal(value, 16384 * 200);
	es_msr_places_finish(&places);
}

static void a_failed_reading_is_an_error_never_0(void **state)
{
	struct fixture *f = *state;

	make_skylake(f);
	assert_int_equal(open_as(f, -1, NULL), 0);
	cell_at(f, 0, 0x619)->error = -EIO;
	read_all(f);

	assert_int_equal(reading(f, "msr/dram-0")->error, -EIO);
	assert_int_equal(reading(f, "msr/package-0")->error, 0);
	assert_int_equal(reading(f, "msr/dram-1")->error, 0);
	cell_at(f, 0, 0x619)->error = 0;
	read_all(f);
	assert_int_equal(reading(f, "msr/dram-0")->value, 15300000);
	assert_int_equal(es_source_msr.read(f->source, f->readings, 3), -EINVAL);
}

static void registers_of_a_vm_that_read_0_are_no_meter(void **state)
{
	struct fixture *f = *state;

	make(f, "skx2s", 2, 18);
	put(f, -1, 0x606, 0);
	put(f, -1, 0x611, 0);
	put(f, -1, 0x619, 0);
	assert_int_equal(open_as(f, -1, NULL), 0);
	read_all(f);

	assert_int_equal(f->source->n_domains, 2);
	assert_int_equal(domain(f, "msr/package-0")->state, ES_STATE_ABSENT);
	assert_non_null(strstr(domain(f, "msr/package-0")->reason, "VM"));
	assert_int_equal(reading(f, "msr/package-0")->error, -ENODEV);
}

static void a_part_that_reads_0_is_not_counted_here_a_package_may_be(void **state)
{
	struct fixture *f = *state;

	make_skylake(f);
	cell_at(f, 0, 0x611)->value = 0;
	cell_at(f, 0, 0x619)->value = 0;
	put(f, -1, 0x639, 0); /* PP0: tried, and nothing there: not worth a line */
	assert_int_equal(open_as(f, -1, NULL), 0);

	assert_int_equal(domain(f, "msr/package-0")->state, ES_STATE_UNPROVEN);
	assert_int_equal(domain(f, "msr/dram-0")->state, ES_STATE_ABSENT);
	assert_non_null(strstr(domain(f, "msr/dram-0")->reason, "reads 0"));
	assert_int_equal(domain(f, "msr/dram-1")->state, ES_STATE_UNPROVEN);
	assert_false(has_domain(f, "msr/core-0"));
}

static void registers_that_do_not_exist_are_absent(void **state)
{
	struct fixture *f = *state;

	make_skylake(f);
	cell_at(f, 0, 0x606)->error = -EIO; /* #GP: the host of this VM has none */
	assert_int_equal(open_as(f, -1, NULL), 0);
	assert_int_equal(domain(f, "msr/package-1")->state, ES_STATE_ABSENT);
	assert_non_null(strstr(domain(f, "msr/package-1")->reason, "VM"));
	/* A processor that the table does not know: what answers is a domain. */
	assert_int_equal(
		es_tree_write(f->dir, "proc/cpuinfo",
			      "vendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 254\n", 0444),
		0);
	cell_at(f, 0, 0x606)->error = 0;
	put(f, -1, 0x639, 16384);
	put(f, -1, 0x64d, 0);
	assert_int_equal(open_as(f, -1, NULL), 0);
	assert_int_equal(f->source->n_domains, 6);
	assert_int_equal(domain(f, "msr/core-1")->type, ES_DOMAIN_CORE);
	assert_int_equal(domain(f, "msr/core-1")->parent,
			 domain(f, "msr/package-1") - f->source->domains);
}

static void readings_come_before_a_quarter_of_a_wrap(void **state)
{
	struct fixture *f = *state;
	struct es_plan plan;

	make_skylake(f);
	assert_int_equal(open_as(f, -1, NULL), 0);
	assert_int_equal(es_source_msr.plan(f->source, &plan), 0);
	/* 65.7 kJ of memory at 600 W, 262 kJ of a package at 2 kW */
	assert_true(plan.at_least_ns < 28 * ES_NS_PER_S && plan.at_least_ns > 20 * ES_NS_PER_S);
	assert_true(plan.at_most_ns == ES_NS_PER_MS);
	assert_true(es_source_msr.is_spare);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(without_a_device_it_says_what_makes_one),
		T(a_processor_without_registers_is_left_alone),
		T(each_package_is_read_by_one_cpu_each_register_by_one_call),
		T(limits_come_from_the_packages_registers),
		T(psys_of_sapphire_rapids_counts_whole_joules),
		T(the_upper_half_of_a_register_is_reserved_on_intel),
		T(counters_wrap_at_32_bits_and_are_told_from_resets),
		T(amd_has_packages_and_single_cores),
		T(only_cores_that_are_asked_for_are_read_and_kept_open),
		T(a_wide_counter_is_taken_as_such_once_it_proves_it),
		T(dies_of_intel_are_dies_and_of_amd_they_are_one_package),
		T(another_cpu_of_the_package_takes_over),
		T(a_package_whose_cpus_are_all_offline_fails_and_comes_back),
		T(a_failed_reading_is_an_error_never_0),
		T(registers_of_a_vm_that_read_0_are_no_meter),
		T(a_part_that_reads_0_is_not_counted_here_a_package_may_be),
		T(registers_that_do_not_exist_are_absent),
		T(readings_come_before_a_quarter_of_a_wrap),
	};
#undef T

	return cmocka_run_group_tests_name("source/msr", tests, NULL, NULL);
}
