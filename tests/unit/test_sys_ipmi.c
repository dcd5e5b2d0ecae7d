/*
 * test_sys_ipmi.c - asking this machine's BMC through the kernel's device
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <linux/ipmi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/ipmi_device.h"
#include "support/tree.h"
#include "sys/dcmi.h"
#include "sys/ipmi.h"

struct fixture {
	char dir[64], file[96];
	struct es_root root;
	struct es_ipmi *ipmi;
};

/* What the BMC answers from now on. */
static void tell(const struct fixture *f, const char *text)
{
	assert_int_equal(es_tree_write(f->dir, "bmc", text, 0644), 0);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(es_tree_temp(f->dir), 0);
	(void)snprintf(f->file, sizeof(f->file), "%s/bmc", f->dir);
	assert_int_equal(setenv("ES_BMC", f->file, 1), 0);
	assert_int_equal(es_root_open("/", -1, &f->root, NULL), 0);
	tell(f, "watts 412\ntime 1700000000\nperiod 1000\n");
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_ipmi_close(f->ipmi);
	es_root_close(&f->root);
	es_tree_remove(f->dir);
	(void)unsetenv("ES_BMC");
	(void)unsetenv("ES_BMC_MODE");
	free(f);
	return 0;
}

static void open_it(struct fixture *f)
{
	assert_int_equal(es_ipmi_open_device(&f->root, 200 * ES_NS_PER_MS, &f->ipmi, NULL), 0);
}

static void the_layouts_are_the_kernels(void **state)
{
	(void)state;
	/* reference values of x86-64, which other programs hard-code */
	if (sizeof(long) == 8) {
		assert_true(IPMICTL_SEND_COMMAND == 0x8028690d);
		assert_true(IPMICTL_RECEIVE_MSG_TRUNC == 0xc030690b);
	}
}

static void commands_are_answered(void **state)
{
	struct fixture *f = *state;
	struct es_dcmi_abilities abilities;
	struct es_dcmi_power power;

	assert_string_equal(es_ipmi_device_path(&f->root), "dev/ipmi0");
	open_it(f);
	assert_int_equal(es_dcmi_ask_abilities(f->ipmi, &abilities, NULL), 0);
	assert_int_equal(es_dcmi_ask_power(f->ipmi, 0, &power, NULL), 0);
	assert_int_equal(power.now_w, 412);
	tell(f, "watts 87\ntime 1700000001\nperiod 1000\n");
	assert_int_equal(es_dcmi_ask_power(f->ipmi, 0, &power, NULL), 0);
	assert_int_equal(power.now_w, 87);
}

static void messages_of_others_are_passed_over(void **state)
{
	static const int kinds[] = { IPMI_DEVICE_EVENT, IPMI_DEVICE_OTHER };
	struct fixture *f = *state;

	open_it(f);
	for (size_t i = 0; i < 2; i++) {
		struct es_dcmi_power power;

		ipmi_device_send_before(kinds[i]);
		assert_int_equal(es_dcmi_ask_power(f->ipmi, 0, &power, NULL), 0);
		assert_int_equal(power.now_w, 412);
	}
}

static void a_late_answer_is_not_taken_for_the_next(void **state)
{
	struct fixture *f = *state;
	struct es_dcmi_power power = { .now_w = 7 };
	struct es_error err = { .code = 0 };

	open_it(f);
	tell(f, "watts 999\ntime 1700000000\nperiod 1000\ndelay 60000\n");
	assert_int_equal(es_dcmi_ask_power(f->ipmi, 0, &power, &err), -ETIMEDOUT);
	assert_non_null(strstr(err.text, "did not answer within 200 ms"));
	assert_int_equal(power.now_w, 7);
	tell(f, "watts 100\ntime 1700000000\nperiod 1000\n");
	assert_int_equal(es_dcmi_ask_power(f->ipmi, 0, &power, NULL), 0);
	assert_int_equal(power.now_w, 100);
}

static void a_mute_bmc_costs_no_more_than_its_time(void **state)
{
	struct fixture *f = *state;
	struct es_dcmi_power power;
	int64_t t0_ns = es_clock_mono_ns();

	open_it(f);
	tell(f, "mute 1\n");
	assert_int_equal(es_dcmi_ask_power(f->ipmi, 0, &power, NULL), -ETIMEDOUT);
	assert_true(es_clock_mono_ns() - t0_ns >= 200 * ES_NS_PER_MS);
}

static void answers_that_are_empty_are_malformed(void **state)
{
	struct fixture *f = *state;
	struct es_dcmi_power power;

	open_it(f);
	tell(f, "watts 412\ncut 19\n");
	assert_int_equal(es_dcmi_ask_power(f->ipmi, 0, &power, NULL), -EBADMSG);
}

static void without_device_or_rights_it_says_so(void **state)
{
	struct fixture *f = *state;
	struct es_error err = { .code = 0 };
	struct es_root tree;

	assert_int_equal(setenv("ES_BMC_MODE", "0", 1), 0);
	assert_int_equal(es_ipmi_open_device(&f->root, ES_NS_PER_S, &f->ipmi, &err), -EACCES);
	assert_non_null(strstr(err.text, "/dev/ipmi0"));
	assert_int_equal(es_root_open(f->dir, -1, &tree, NULL), 0);
	assert_null(es_ipmi_device_path(&tree));
	assert_int_equal(es_ipmi_open_device(&tree, ES_NS_PER_S, &f->ipmi, &err), -ENODEV);
	es_root_close(&tree);
	assert_null(f->ipmi);
}

static void every_completion_code_has_error_and_words(void **state)
{
	(void)state;
	assert_int_equal(es_ipmi_judge(0), 0);
	for (unsigned code = 1; code < 256; code++) {
		assert_true(es_ipmi_judge((uint8_t)code) < 0);
		assert_true(es_ipmi_words((uint8_t)code)[0] != '\0');
	}
	assert_int_equal(es_ipmi_judge(0xC1), -EOPNOTSUPP);
	assert_int_equal(es_ipmi_judge(0xC0), -EBUSY);
	assert_int_equal(es_ipmi_judge(0xD4), -EACCES);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_layouts_are_the_kernels),
		cmocka_unit_test_setup_teardown(commands_are_answered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(messages_of_others_are_passed_over, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_late_answer_is_not_taken_for_the_next, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_mute_bmc_costs_no_more_than_its_time, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(answers_that_are_empty_are_malformed, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(without_device_or_rights_it_says_so, set_up,
						tear_down),
		cmocka_unit_test(every_completion_code_has_error_and_words),
	};

	return cmocka_run_group_tests_name("sys/ipmi", tests, NULL, NULL);
}
