/*
 * test_sys_msr.c - registers in files of a tree, rights to them, and the traps of msr-safe's batches
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/tree.h"
#include "sys/msr.h"

#define STRANGER 54321

struct fixture {
	char dir[64];
	struct es_root root;
	struct es_msr msr;
	/* What the stand-in for msr-safe does with a batch. */
	int result; /* of the call */
	int32_t errors[8];
	bool is_done[8];
	uint64_t values[8];
};

static int fake_batch(void *arg, int fd, struct es_msr_batch *batch)
{
	struct fixture *f = arg;

	(void)fd;
	assert_true(batch->n <= 8);
	for (uint32_t i = 0; i < batch->n; i++) {
		assert_true(batch->ops[i].is_read);
		batch->ops[i].error = f->errors[i];
		if (f->is_done[i])
			batch->ops[i].value = f->values[i];
	}
	return f->result;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(es_tree_temp(f->dir), 0);
	assert_int_equal(es_root_open(f->dir, -1, &f->root, NULL), 0);
	f->msr.fd = -1;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_msr_close(&f->msr);
	es_root_close(&f->root);
	es_tree_remove(f->dir);
	free(f);
	return 0;
}

static void put(const struct fixture *f, const char *path, uint64_t offset, uint64_t value)
{
	char full[256];
	int fd;

	(void)snprintf(full, sizeof(full), "%s/%s", f->dir, path);
	if (access(full, F_OK) < 0)
		assert_int_equal(es_tree_write(f->dir, path, "", 0600), 0);
	fd = open(full, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, &value, sizeof(value), (off_t)offset), sizeof(value));
	(void)close(fd);
}

static void adjacent_registers_of_a_tree_do_not_overlap(void **state)
{
	struct fixture *f = *state;
	uint64_t value;

	put(f, "dev/cpu/3/msr", 8 * UINT64_C(0xc0010299), 0xa1003);
	put(f, "dev/cpu/3/msr", 8 * UINT64_C(0xc001029a), UINT64_C(0x1122334455667788));
	put(f, "dev/cpu/3/msr", 8 * UINT64_C(0xc001029b), 42);
	assert_int_equal(es_msr_open(&f->root, ES_MSR_KERNEL, 3, &f->msr), 0);

	assert_false(f->msr.is_packed);
	assert_int_equal(es_msr_read(&f->root, &f->msr, 0xc0010299, &value), 0);
	assert_int_equal(value, 0xa1003);
	assert_int_equal(es_msr_read(&f->root, &f->msr, 0xc001029a, &value), 0);
	assert_true(value == UINT64_C(0x1122334455667788));
	assert_int_equal(es_msr_read(&f->root, &f->msr, 0xc001029b, &value), 0);
	assert_int_equal(value, 42);
	/* Beyond the end there is no register, as a processor says that it has none. */
	assert_int_equal(es_msr_read(&f->root, &f->msr, 0xc001029c, &value), -EIO);
}

static void a_file_laid_out_as_the_device_is_known(void **state)
{
	struct fixture *f = *state;
	uint64_t value;

	put(f, "dev/cpu/0/msr", 0x606, 0xa0e03);
	put(f, "dev/cpu/0/msr", 0x611, 123456);
	assert_int_equal(es_msr_open(&f->root, ES_MSR_KERNEL, 0, &f->msr), 0);

	assert_true(f->msr.is_packed);
	assert_int_equal(es_msr_read(&f->root, &f->msr, 0x606, &value), 0);
	assert_int_equal(value & 0xffffff, 0xa0e03);
	assert_int_equal(es_msr_read(&f->root, &f->msr, 0x611, &value), 0);
	assert_int_equal(value, 123456);
}

static void an_emptied_file_is_a_cpu_that_went_offline(void **state)
{
	struct fixture *f = *state;
	uint64_t value;
	char path[128];

	put(f, "dev/cpu/0/msr", 8 * 0x606, 0xa0e03);
	assert_int_equal(es_msr_open(&f->root, ES_MSR_KERNEL, 0, &f->msr), 0);
	(void)snprintf(path, sizeof(path), "%s/dev/cpu/0/msr", f->dir);
	assert_int_equal(truncate(path, 0), 0);

	assert_int_equal(es_msr_read(&f->root, &f->msr, 0x606, &value), -ENXIO);
}

static void the_kernels_device_needs_more_than_its_mode(void **state)
{
	struct fixture *f = *state;

	put(f, "dev/cpu/0/msr", 8 * 0x606, 0xa0e03);
	put(f, "dev/cpu/0/msr_safe", 8 * 0x606, 0xa0e03);
	es_root_close(&f->root);
	assert_int_equal(es_root_open(f->dir, STRANGER, &f->root, NULL), 0);
	assert_int_equal(es_msr_open(&f->root, ES_MSR_KERNEL, 0, &f->msr), -EACCES);
	assert_int_equal(es_msr_open(&f->root, ES_MSR_SAFE, 0, &f->msr), -EACCES);
	f->msr.fd = -1;
	assert_int_equal(es_tree_write(f->dir, "dev/cpu/0/msr", "", 0444), 0);
	assert_int_equal(es_tree_write(f->dir, "dev/cpu/0/msr_safe", "", 0444), 0);

	assert_int_equal(es_msr_open(&f->root, ES_MSR_KERNEL, 0, &f->msr), -EPERM);
	assert_int_equal(es_msr_open(&f->root, ES_MSR_SAFE, 0, &f->msr), 0);
	assert_true(es_msr_exists(&f->root, ES_MSR_KERNEL, 0));
	assert_false(es_msr_exists(&f->root, ES_MSR_KERNEL, 1));
}

static void what_is_no_file_of_registers_is_refused(void **state)
{
	struct fixture *f = *state;
	char path[128];

	assert_int_equal(es_tree_write(f->dir, "dev/cpu/0/x", "", 0600), 0);
	(void)snprintf(path, sizeof(path), "%s/dev/cpu/0/msr", f->dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(es_msr_open(&f->root, ES_MSR_KERNEL, 0, &f->msr), -ENODEV);
	assert_int_equal(es_msr_open(&f->root, ES_MSR_KERNEL, 1, &f->msr), -ENOENT);
	/* A file answers no ioctl. */
	assert_int_equal(es_tree_write(f->dir, "dev/cpu/msr_batch", "", 0600), 0);
	assert_int_equal(es_msr_batch_open(&f->root), -ENODEV);
}

static void on_a_machine_only_devices_count_and_they_have_their_own_layout(void **state)
{
	struct es_msr_op ops[2] = { { .value = 1111 }, { .value = 2222 } };
	struct fixture *f = *state;
	uint64_t value = 1;
	char path[128];
	int fd;

	put(f, "dev/cpu/1/msr", 8 * 0x606, 0xa0e03);
	assert_int_equal(es_tree_write(f->dir, "dev/cpu/0/x", "", 0600), 0);
	(void)snprintf(path, sizeof(path), "%s/dev/cpu/0/msr", f->dir);
	assert_int_equal(symlink("/dev/zero", path), 0);
	(void)snprintf(path, sizeof(path), "%s/dev/cpu/msr_batch", f->dir);
	assert_int_equal(symlink("/dev/zero", path), 0);
	f->root.is_machine = true;

	assert_int_equal(es_msr_open(&f->root, ES_MSR_KERNEL, 1, &f->msr), -ENODEV);
	assert_int_equal(es_msr_open(&f->root, ES_MSR_KERNEL, 0, &f->msr), 0);
	assert_int_equal(f->msr.shift, 0);
	assert_int_equal(es_msr_read(&f->root, &f->msr, 0xc001029b, &value), 0);
	assert_int_equal(value, 0);
	/* A device that knows no batches. */
	fd = es_msr_batch_open(&f->root);
	assert_true(fd >= 0);
	assert_int_equal(es_msr_batch_read(&f->root, fd, ops, 2), -ENOTTY);
	assert_int_equal(ops[1].error, -ENOTTY);
	(void)close(fd);
}

static void a_batch_gives_every_value(void **state)
{
	struct es_msr_op ops[2] = { { .cpu = 0, .reg = 0x611 }, { .cpu = 18, .reg = 0x611 } };
	struct fixture *f = *state;

	f->root.msr_batch = fake_batch;
	f->root.msr_arg = f;
	f->is_done[0] = f->is_done[1] = true;
	f->values[0] = 7;
	assert_int_equal(es_msr_batch_read(&f->root, 0, ops, 2), 0);

	assert_int_equal(ops[0].value, 7);
	assert_int_equal(ops[1].value, 0);
	assert_int_equal(ops[1].error, 0);
}

static void a_refused_batch_read_nothing_and_old_values_are_not_taken_for_new(void **state)
{
	struct es_msr_op ops[2] = { { .value = 1111 }, { .value = 2222 } };
	struct fixture *f = *state;

	f->root.msr_batch = fake_batch;
	f->root.msr_arg = f;
	f->result = -ENXIO;
	f->errors[1] = -ENXIO; /* offline: msr-safe does not try the others */
	assert_int_equal(es_msr_batch_read(&f->root, 0, ops, 2), -ENXIO);

	assert_int_equal(ops[0].error, -EAGAIN);
	assert_int_equal(ops[1].error, -ENXIO);
}

static void a_batch_that_fails_as_a_whole_fails_each(void **state)
{
	struct es_msr_op ops[2] = { { .value = 1111 }, { .value = 2222 } };
	struct fixture *f = *state;

	f->root.msr_batch = fake_batch;
	f->root.msr_arg = f;
	f->result = -ENOTTY;
	assert_int_equal(es_msr_batch_read(&f->root, 0, ops, 2), -ENOTTY);

	assert_int_equal(ops[0].error, -ENOTTY);
	assert_int_equal(ops[1].error, -ENOTTY);
	assert_int_equal(es_msr_batch_read(&f->root, 0, ops, 0), -EINVAL);
}

static void a_cpu_that_goes_offline_inside_the_call_is_not_read_as_its_last_value(void **state)
{
	struct es_msr_op ops[2] = { { .value = 1111 }, { .value = 2222 } };
	struct fixture *f = *state;

	f->root.msr_batch = fake_batch;
	f->root.msr_arg = f;
	f->is_done[0] = true;
	f->values[0] = 1200;
	/* The call succeeds, and says nothing about the second one. */
	assert_int_equal(es_msr_batch_read(&f->root, 0, ops, 2), -EAGAIN);

	assert_int_equal(ops[0].error, 0);
	assert_int_equal(ops[0].value, 1200);
	assert_int_equal(ops[1].error, -EAGAIN);
}

static void one_bad_register_of_a_batch_leaves_the_others(void **state)
{
	struct es_msr_op ops[3] = { { .value = 1 }, { .value = 2 }, { .value = 3 } };
	struct fixture *f = *state;

	f->root.msr_batch = fake_batch;
	f->root.msr_arg = f;
	f->result = -EIO;
	f->errors[1] = -EIO;
	f->is_done[0] = f->is_done[2] = true;
	f->values[0] = 10;
	f->values[2] = 30;
	assert_int_equal(es_msr_batch_read(&f->root, 0, ops, 3), -EIO);

	assert_int_equal(ops[0].error, 0);
	assert_int_equal(ops[0].value, 10);
	assert_int_equal(ops[1].error, -EIO);
	assert_int_equal(ops[2].value, 30);
	/* An error that is none as the kernel writes them is an error all the same. */
	f->errors[1] = 5;
	assert_true(es_msr_batch_read(&f->root, 0, ops, 3) < 0);
	assert_int_equal(ops[1].error, -EIO);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(adjacent_registers_of_a_tree_do_not_overlap),
		T(a_file_laid_out_as_the_device_is_known),
		T(an_emptied_file_is_a_cpu_that_went_offline),
		T(the_kernels_device_needs_more_than_its_mode),
		T(what_is_no_file_of_registers_is_refused),
		T(on_a_machine_only_devices_count_and_they_have_their_own_layout),
		T(a_batch_gives_every_value),
		T(a_refused_batch_read_nothing_and_old_values_are_not_taken_for_new),
		T(a_batch_that_fails_as_a_whole_fails_each),
		T(a_cpu_that_goes_offline_inside_the_call_is_not_read_as_its_last_value),
		T(one_bad_register_of_a_batch_leaves_the_others),
	};
#undef T

	return cmocka_run_group_tests_name("sys/msr", tests, NULL, NULL);
}
