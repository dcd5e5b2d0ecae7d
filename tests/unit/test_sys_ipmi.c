/*
 * test_sys_ipmi.c - asking this machine's BMC through the kernel's device
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <linux/ipmi.h>
#include <stdbool.h>
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

/* FreeIPMI as a test wants it: what it was asked for, and what it says. */
static struct {
	char host[320];
	uint8_t ciphers[4];
	unsigned n_opens, n_destroyed;
	unsigned session_ms, again_ms;
	int error_of_17, error; /* of its enumeration; 0: success */
	uint8_t answer[8];
	int n_answer;
	int failure; /* of the last call */
} freeipmi;

static void *fake_create(void)
{
	return &freeipmi;
}

static void fake_destroy(void *context)
{
	assert_ptr_equal(context, &freeipmi);
	freeipmi.n_destroyed++;
}

static int fake_open(void *context, const char *host, const char *user, const char *password,
		     const unsigned char *k_g, unsigned k_g_len, uint8_t privilege, uint8_t cipher,
		     unsigned session_timeout_ms, unsigned retransmission_timeout_ms,
		     unsigned workarounds, unsigned flags)
{
	(void)context;
	assert_string_equal(user, "monitor");
	assert_string_equal(password, "secret");
	assert_true(!k_g && k_g_len == 0 && privilege == ES_IPMI_OPERATOR && flags == 0);
	assert_int_equal(workarounds, 0x10);
	(void)snprintf(freeipmi.host, sizeof(freeipmi.host), "%s", host);
	freeipmi.ciphers[freeipmi.n_opens++ % 4] = cipher;
	freeipmi.session_ms = session_timeout_ms;
	freeipmi.again_ms = retransmission_timeout_ms;
	freeipmi.failure = cipher == 17 ? freeipmi.error_of_17 : freeipmi.error;
	return freeipmi.failure ? -1 : 0;
}

static int fake_close(void *context)
{
	(void)context;
	return 0;
}

static int fake_raw(void *context, uint8_t lun, uint8_t netfn, const void *request, unsigned n,
		    void *answer, unsigned size)
{
	(void)context;
	assert_true(lun == 0 && netfn == ES_IPMI_NETFN_GROUP && n == 5 && size > 8);
	assert_memory_equal(request, "\x02\xDC\x01\x00\x00", 5);
	memcpy(answer, freeipmi.answer, sizeof(freeipmi.answer));
	freeipmi.failure = freeipmi.error;
	return freeipmi.n_answer;
}

static int fake_error(void *context)
{
	(void)context;
	return freeipmi.failure;
}

static const struct es_ipmi_library fake_library = {
	.create = fake_create,
	.destroy = fake_destroy,
	.open = fake_open,
	.close = fake_close,
	.raw = fake_raw,
	.error = fake_error,
};

static int open_lan(const char *host, uint16_t port, struct es_ipmi **ret, struct es_error *err)
{
	const struct es_ipmi_lan lan = { .host = host,
					 .port = port,
					 .user = "monitor",
					 .password = "secret",
					 .privilege = ES_IPMI_OPERATOR,
					 .timeout_ns = 3 * ES_NS_PER_S,
					 .idle_ns = 2 * ES_NS_PER_S };

	return es_ipmi_open_lan(&fake_library, &lan, ret, err);
}

static void the_best_cipher_suite_is_tried_first(void **state)
{
	struct es_ipmi *ipmi = NULL;

	(void)state;
	memset(&freeipmi, 0, sizeof(freeipmi));
	assert_int_equal(open_lan("bmc", 0, &ipmi, NULL), 0);
	assert_string_equal(freeipmi.host, "bmc");
	assert_true(freeipmi.n_opens == 1 && freeipmi.ciphers[0] == 17);
	assert_true(freeipmi.session_ms == 5000 && freeipmi.again_ms == 2000);
	es_ipmi_close(ipmi);
	/* It has no such suite, in each of the ways in which BMCs say so. */
	for (size_t i = 0; i < 3; i++) {
		static const int refusals[] = { 10, 25, 32 };

		memset(&freeipmi, 0, sizeof(freeipmi));
		freeipmi.error_of_17 = refusals[i];
		assert_int_equal(open_lan("::1", 6230, &ipmi, NULL), 0);
		assert_string_equal(freeipmi.host, "[::1]:6230");
		assert_true(freeipmi.n_opens == 2 && freeipmi.ciphers[1] == 3);
		es_ipmi_close(ipmi);
		assert_int_equal(freeipmi.n_destroyed, 2);
	}
	/* A wrong password is no reason to try a weaker one. */
	memset(&freeipmi, 0, sizeof(freeipmi));
	freeipmi.error_of_17 = 5;
	assert_int_equal(open_lan("bmc", 1, &ipmi, NULL), -EACCES);
	assert_true(freeipmi.n_opens == 1 && freeipmi.n_destroyed == 1);
}

static void errors_of_the_library_have_words(void **state)
{
	static const struct {
		int code, r;
	} rows[] = { { 4, -EACCES },	       { 5, -EACCES },
		     { 7, -EACCES },	       { 8, -EACCES },
		     { 10, -EPROTONOSUPPORT }, { 11, -EACCES },
		     { 12, -EPROTONOSUPPORT }, { 13, -ETIMEDOUT },
		     { 14, -ETIMEDOUT },       { 16, -ENOTCONN },
		     { 27, -EBUSY },	       { 29, -EHOSTUNREACH },
		     { 33, -EHOSTUNREACH },    { 99, -EIO } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct es_error err = { .code = 0 };
		struct es_ipmi *ipmi = NULL;

		memset(&freeipmi, 0, sizeof(freeipmi));
		freeipmi.error_of_17 = freeipmi.error = rows[i].code;
		assert_int_equal(open_lan("bmc", 0, &ipmi, &err), rows[i].r);
		assert_null(ipmi);
		assert_true(strlen(err.text) > 4);
		assert_int_equal(freeipmi.n_destroyed, freeipmi.n_opens);
	}
}

static void answers_that_do_not_fit_the_question_are_malformed(void **state)
{
	static const struct {
		int n;
		uint8_t first;
		int r;
	} rows[] = { { 0, 2, -EBADMSG },
		     { 1, 2, -EBADMSG },
		     { 3, 1, -EBADMSG },
		     { 4096, 2, -EBADMSG },
		     { -1, 2, -ETIMEDOUT } };
	struct es_dcmi_power power = { .now_w = 7 };
	struct es_ipmi *ipmi = NULL;

	(void)state;
	memset(&freeipmi, 0, sizeof(freeipmi));
	assert_int_equal(open_lan("bmc", 0, &ipmi, NULL), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		freeipmi.n_answer = rows[i].n;
		freeipmi.answer[0] = rows[i].first;
		freeipmi.error = rows[i].n < 0 ? 14 : 0;
		assert_int_equal(es_dcmi_ask_power(ipmi, 0, &power, NULL), rows[i].r);
	}
	assert_int_equal(power.now_w, 7);
	es_ipmi_close(ipmi);
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
		cmocka_unit_test(the_best_cipher_suite_is_tried_first),
		cmocka_unit_test(errors_of_the_library_have_words),
		cmocka_unit_test(answers_that_do_not_fit_the_question_are_malformed),
		cmocka_unit_test(every_completion_code_has_error_and_words),
	};

	return cmocka_run_group_tests_name("sys/ipmi", tests, NULL, NULL);
}
