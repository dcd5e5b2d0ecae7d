/*
 * test_source_msr_rights.c - who may read energy registers, and msr-safe's batches of them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/fake_msr.h"

static void the_kernels_device_is_denied_with_the_right_that_is_missing(void **state)
{
	struct fixture *f = *state;
	const int64_t stranger = 54321;
	const struct es_domain *d;

	make_skylake(f);
	f->kernel_error = -EACCES;
	assert_int_equal(open_as(f, stranger, NULL), 0);
	d = domain(f, "msr/package-0");
	assert_int_equal(f->source->n_domains, 4);
	assert_int_equal(d->state, ES_STATE_DENIED);
	assert_non_null(strstr(d->reason, "root only"));
	assert_non_null(strstr(d->fix, "chgrp 54321 /dev/cpu/*/msr"));
	f->kernel_error = -EPERM;
	assert_int_equal(open_as(f, stranger, NULL), 0);
	d = domain(f, "msr/dram-1");
	assert_non_null(strstr(d->reason, "CAP_SYS_RAWIO"));
	assert_non_null(strstr(d->fix, "setcap cap_sys_rawio=ep"));
	read_all(f);
	assert_int_equal(f->n_reads, 0);
	assert_int_equal(reading(f, "msr/dram-1")->error, -EPERM);
	/* Root without the capability is in a container. */
	assert_int_equal(open_as(f, 0, NULL), 0);
	assert_non_null(strstr(domain(f, "msr/package-0")->fix, "--cap-add SYS_RAWIO"));
}

static void msr_safe_is_asked_first_and_says_what_its_list_lacks(void **state)
{
	struct fixture *f = *state;
	const struct es_domain *d;

	make_skylake(f);
	f->safe_error = 0;
	f->kernel_error = -EACCES;
	assert_int_equal(open_as(f, 54321, NULL), 0);
	read_all(f);
	assert_int_equal(reading(f, "msr/package-1")->value, 200000000);
	/* One register that the site did not list. */
	cell_at(f, 0, 0x619)->is_unlisted = true;
	assert_int_equal(open_as(f, 54321, NULL), 0);
	d = domain(f, "msr/dram-0");
	assert_int_equal(d->state, ES_STATE_DENIED);
	assert_non_null(strstr(d->reason, "0x619"));
	assert_non_null(strstr(d->fix, "msr_allowlist"));
	assert_int_equal(domain(f, "msr/package-0")->state, ES_STATE_UNPROVEN);
	/* Without the package's the whole place is, and the kernel's own device would do. */
	cell_at(f, 0, 0x611)->is_unlisted = true;
	assert_int_equal(open_as(f, 54321, NULL), 0);
	assert_non_null(strstr(domain(f, "msr/package-0")->reason, "0x611"));
	f->kernel_error = 0;
	assert_int_equal(open_as(f, -1, NULL), 0);
	assert_int_equal(domain(f, "msr/package-0")->state, ES_STATE_UNPROVEN);
	/* And where its devices are the group's alone. */
	f->safe_error = f->kernel_error = -EACCES;
	assert_int_equal(open_as(f, 54321, NULL), 0);
	assert_non_null(strstr(domain(f, "msr/package-0")->fix, "chgrp 54321 */msr_safe"));
}

static void a_batch_reads_all_registers_by_one_call(void **state)
{
	struct fixture *f = *state;

	make_skylake(f);
	f->safe_error = 0;
	f->has_batch = true;
	assert_int_equal(open_as(f, -1, NULL), 0);
	read_all(f);

	assert_int_equal(f->n_batches, 1);
	assert_int_equal(f->n_ops, 4);
	assert_int_equal(f->n_reads, 0);
	assert_int_equal(reading(f, "msr/package-0")->value, 100000000);
	assert_int_equal(reading(f, "msr/dram-1")->value, 30600000);
	assert_int_equal(reading(f, "msr/dram-1")->error, 0);
}

static void what_a_batch_refuses_is_read_alone_and_does_not_spoil_the_others(void **state)
{
	struct fixture *f = *state;

	make_skylake(f);
	f->has_batch = true; /* single reads go to the kernel's device, which has no list */
	cell_at(f, 18, 0x619)->is_unlisted = true;
	assert_int_equal(open_as(f, -1, NULL), 0);
	read_all(f);

	assert_int_equal(f->n_batches, 1);
	assert_int_equal(f->n_ops, 3);
	assert_int_equal(f->n_reads, 1);
	assert_int_equal(reading(f, "msr/dram-1")->value, 30600000);
	assert_int_equal(reading(f, "msr/package-1")->value, 200000000);
	/* The site shortens the list while we read: nothing is lost but speed. */
	cell_at(f, 0, 0x619)->is_unlisted = true;
	read_all(f);
	assert_int_equal(reading(f, "msr/dram-0")->value, 15300000);
	assert_int_equal(reading(f, "msr/package-0")->value, 100000000);
	read_all(f);
	assert_int_equal(f->n_ops, 2);
	assert_int_equal(reading(f, "msr/package-0")->error, 0);
}

static void errors_inside_a_batch_are_those_of_their_registers(void **state)
{
	struct fixture *f = *state;

	make_skylake(f);
	f->safe_error = 0;
	f->has_batch = true;
	assert_int_equal(open_as(f, -1, NULL), 0);
	cell_at(f, 18, 0x619)->error = -EIO;
	read_all(f);

	assert_int_equal(reading(f, "msr/dram-1")->error, -EIO);
	assert_int_equal(reading(f, "msr/dram-1")->value, 0);
	assert_int_equal(reading(f, "msr/package-1")->value, 200000000);
	assert_int_equal(f->n_reads, 0);
	cell_at(f, 18, 0x619)->error = 0;
	read_all(f);
	assert_int_equal(reading(f, "msr/dram-1")->error, 0);
}

static void a_batch_goes_on_when_its_cpu_goes_offline(void **state)
{
	struct fixture *f = *state;

	make_skylake(f);
	f->safe_error = 0;
	f->has_batch = true;
	assert_int_equal(open_as(f, -1, NULL), 0);
	f->is_offline[18] = true;
	cell_at(f, 19, 0x611)->value += 16384;
	read_all(f);
	assert_int_equal(reading(f, "msr/package-1")->value, 201000000);
	assert_int_equal(reading(f, "msr/package-0")->value, 100000000);
	read_all(f);
	assert_int_equal(f->n_batches, 1);
	assert_int_equal(f->n_reads, 0);
	assert_int_equal(reading(f, "msr/dram-1")->value, 30600000);
	/* Between msr-safe's check and its reading: the call succeeds, and one value is the last one's. */
	f->vanishing_cpu = 0;
	cell_at(f, 0, 0x611)->value += 16384;
	read_all(f);
	assert_int_equal(reading(f, "msr/package-0")->value, 101000000);
	assert_int_equal(f->n_reads, 2);
}

static void single_cores_are_in_a_batch_only_when_asked_for(void **state)
{
	struct fixture *f = *state;
	bool wanted[READINGS_MAX] = { false };

	make_milan(f, 1);
	f->safe_error = 0;
	f->has_batch = true;
	assert_int_equal(open_as(f, -1, NULL), 0);
	read_all(f);
	assert_int_equal(f->n_ops, 2);
	wanted[domain(f, "msr/package-0") - f->source->domains] = true;
	wanted[domain(f, "msr/core-1-cpu-9") - f->source->domains] = true;
	es_source_msr.want(f->source, wanted);
	read_all(f);

	assert_int_equal(f->n_ops, 2);
	assert_int_equal(f->n_reads, 0);
	assert_int_equal(reading(f, "msr/core-1-cpu-9")->value, 1000000);
	assert_int_equal(reading(f, "msr/package-1")->error, -ECANCELED);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(the_kernels_device_is_denied_with_the_right_that_is_missing),
		T(msr_safe_is_asked_first_and_says_what_its_list_lacks),
		T(a_batch_reads_all_registers_by_one_call),
		T(what_a_batch_refuses_is_read_alone_and_does_not_spoil_the_others),
		T(errors_inside_a_batch_are_those_of_their_registers),
		T(a_batch_goes_on_when_its_cpu_goes_offline),
		T(single_cores_are_in_a_batch_only_when_asked_for),
	};
#undef T

	return cmocka_run_group_tests_name("source/msr_rights", tests, NULL, NULL);
}
