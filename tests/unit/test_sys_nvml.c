/*
 * test_sys_nvml.c - where NVIDIA's library is looked for, and what its answers mean
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/nvml_table.h"
#include "support/tree.h"
#include "sys/nvml.h"

struct fixture {
	char dir[64];
	struct es_root root;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(es_tree_temp(f->dir), 0);
	assert_int_equal(es_root_open(f->dir, -1, &f->root, NULL), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_root_close(&f->root);
	es_tree_remove(f->dir);
	free(f);
	return 0;
}

static void put_machine(const struct fixture *f, const char *stub)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/tests/machines/nvml/v100x2.table",
		       getenv("ES_SOURCE_ROOT"));
	assert_int_equal(nvml_tree_make(f->dir, path, getenv(stub)), 0);
}

static void the_layouts_are_the_librarys(void **state)
{
	(void)state;
	/* nvml.h: nvmlFieldValue_t and nvmlPciInfo_t on 64-bit Linux. */
	assert_int_equal(sizeof(struct es_nvml_field), 40);
	assert_int_equal(offsetof(struct es_nvml_field, timestamp_us), 8);
	assert_int_equal(offsetof(struct es_nvml_field, type), 24);
	assert_int_equal(offsetof(struct es_nvml_field, error), 28);
	assert_int_equal(offsetof(struct es_nvml_field, value), 32);
	assert_int_equal(sizeof(struct es_nvml_pci), 68);
	assert_int_equal(offsetof(struct es_nvml_pci, device_id), 28);
	assert_int_equal(offsetof(struct es_nvml_pci, bus_id), 36);
}

static void a_library_below_the_root_is_found_and_works(void **state)
{
	struct fixture *f = *state;
	struct es_nvml nvml;
	unsigned n = 0;

	put_machine(f, "ES_NVML_STUB");
	assert_int_equal(es_nvml_open(&f->root, &nvml, NULL), 0);
	assert_int_equal(nvml.init(), ES_NVML_OK);
	assert_int_equal(nvml.count(&n), ES_NVML_OK);
	assert_int_equal(n, 2);
	assert_int_equal(nvml.shut_down(), ES_NVML_OK);
	es_nvml_close(&nvml);
}

static void a_tree_without_a_library_does_not_get_the_machines(void **state)
{
	struct fixture *f = *state;
	struct es_error err = { .code = 0 };
	struct es_nvml nvml;

	assert_int_equal(es_nvml_open(&f->root, &nvml, &err), -ENOENT);
	assert_non_null(strstr(err.text, "not this machine"));
}

static void a_library_that_others_may_write_is_not_run(void **state)
{
	struct fixture *f = *state;
	struct es_error err = { .code = 0 };
	struct es_nvml nvml;
	char path[256];

	put_machine(f, "ES_NVML_STUB");
	(void)snprintf(path, sizeof(path), "%s/" NVML_FOLDER "/libnvidia-ml.so.1", f->dir);
	assert_int_equal(chmod(path, 0777), 0);

	assert_int_equal(es_nvml_open(&f->root, &nvml, &err), -EPERM);
	assert_non_null(strstr(err.text, "others may write it"));
}

static void a_link_out_of_the_tree_is_not_followed(void **state)
{
	struct fixture *f = *state;
	struct es_nvml nvml;
	char path[256];

	put_machine(f, "ES_NVML_STUB");
	(void)snprintf(path, sizeof(path), "%s/" NVML_FOLDER "/libnvidia-ml.so.1", f->dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(getenv("ES_NVML_STUB"), path), 0);

	assert_int_equal(es_nvml_open(&f->root, &nvml, NULL), -ENOENT);
}

static void what_is_no_library_is_refused(void **state)
{
	struct fixture *f = *state;
	struct es_error err = { .code = 0 };
	struct es_nvml nvml;

	assert_int_equal(es_tree_write(f->dir, "usr/lib64/libnvidia-ml.so.1", "no library\n", 0644),
			 0);
	assert_true(es_nvml_open(&f->root, &nvml, &err) < 0);
	assert_true(err.text[0] != '\0');
}

static void an_old_library_lacks_only_what_is_optional(void **state)
{
	struct fixture *f = *state;
	struct es_nvml nvml;

	put_machine(f, "ES_NVML_OLD_STUB");
	assert_int_equal(es_nvml_open(&f->root, &nvml, NULL), 0);
	assert_null(nvml.energy);
	assert_null(nvml.fields);
	assert_non_null(nvml.power);
	es_nvml_close(&nvml);
}

static void every_answer_is_an_errno(void **state)
{
	(void)state;
	assert_int_equal(es_nvml_error(ES_NVML_OK), 0);
	assert_int_equal(es_nvml_error(ES_NVML_NO_PERMISSION), -EACCES);
	assert_int_equal(es_nvml_error(ES_NVML_GPU_IS_LOST), -ENODEV);
	assert_int_equal(es_nvml_error(ES_NVML_NOT_SUPPORTED), -EOPNOTSUPP);
	assert_int_equal(es_nvml_error(ES_NVML_UNKNOWN), -EIO);
	assert_int_equal(es_nvml_error(-5), -EIO);
	assert_int_equal(es_nvml_error(INT_MAX), -EIO);
	assert_string_equal(es_nvml_words(ES_NVML_DRIVER_NOT_LOADED),
			    "the NVIDIA driver is not loaded");
	assert_true(es_nvml_words(4711)[0] != '\0');
}

static void a_field_is_a_number_or_an_error(void **state)
{
	const struct {
		struct es_nvml_field field;
		int r;
		uint64_t value;
	} rows[] = {
		{ { .type = ES_NVML_UNSIGNED_INT, .value.ui = 7 }, 0, 7 },
		{ { .type = ES_NVML_UNSIGNED_LONG, .value.ul = 8 }, 0, 8 },
		{ { .type = ES_NVML_UNSIGNED_LONG_LONG, .value.ull = UINT64_MAX }, 0, UINT64_MAX },
		{ { .type = ES_NVML_SIGNED_LONG_LONG, .value.sll = 9 }, 0, 9 },
		{ { .type = ES_NVML_SIGNED_LONG_LONG, .value.sll = -1 }, -ERANGE, 0 },
		{ { .type = ES_NVML_SIGNED_INT, .value.si = -1 }, -ERANGE, 0 },
		{ { .type = ES_NVML_DOUBLE, .value.d = 10.5 }, 0, 10 },
		{ { .type = ES_NVML_DOUBLE, .value.d = -1 }, -ERANGE, 0 },
		{ { .type = ES_NVML_DOUBLE, .value.d = 1e300 }, -ERANGE, 0 },
		{ { .type = ES_NVML_DOUBLE, .value.d = __builtin_nan("") }, -ERANGE, 0 },
		{ { .type = 99, .value.ui = 7 }, -ERANGE, 0 },
		{ { .error = ES_NVML_NOT_SUPPORTED, .value.ui = 7 }, -EOPNOTSUPP, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t value = 0;

		assert_int_equal(es_nvml_field_u64(&rows[i].field, &value), rows[i].r);
		assert_true(value == rows[i].value);
	}
}

static void the_library_is_worth_opening_where_something_tells_of_a_gpu(void **state)
{
	struct fixture *f = *state;

	assert_false(es_nvml_may_be_here(&f->root));
	assert_int_equal(es_tree_write(f->dir, "dev/dxg", "", 0666), 0);
	assert_false(es_nvml_may_be_here(&f->root));
	put_machine(f, "ES_NVML_STUB");
	assert_true(es_nvml_may_be_here(&f->root));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_layouts_are_the_librarys),
		cmocka_unit_test_setup_teardown(a_library_below_the_root_is_found_and_works, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_tree_without_a_library_does_not_get_the_machines,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_library_that_others_may_write_is_not_run, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_link_out_of_the_tree_is_not_followed, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_library_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_old_library_lacks_only_what_is_optional, set_up,
						tear_down),
		cmocka_unit_test(every_answer_is_an_errno),
		cmocka_unit_test(a_field_is_a_number_or_an_error),
		cmocka_unit_test_setup_teardown(
			the_library_is_worth_opening_where_something_tells_of_a_gpu, set_up,
			tear_down),
	};

	return cmocka_run_group_tests_name("sys/nvml", tests, NULL, NULL);
}
