/*
 * test_sys_pmu.c - events that the kernel's PMUs name, and where their terms' bits go
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "support/tree.h"
#include "sys/pmu.h"

#define IMC "sys/bus/event_source/devices/uncore_imc_0/"

struct fixture {
	char dir[64];
	struct es_root root;
};

static void put(const struct fixture *f, const char *path, const char *text)
{
	assert_int_equal(es_tree_write(f->dir, path, text, 0644), 0);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(es_tree_temp(f->dir), 0);
	assert_int_equal(es_root_open(f->dir, -1, &f->root, NULL), 0);
	put(f, IMC "type", "24\n");
	put(f, IMC "cpumask", "0,18\n");
	put(f, IMC "format/event", "config:0-7\n");
	put(f, IMC "format/umask", "config:8-15,32-35\n");
	put(f, IMC "format/inv", "config:23\n");
	put(f, IMC "format/filter", "config1:0-63\n");
	put(f, IMC "events/cas_count_read", "event=0x04,umask=0xf0f\n");
	put(f, IMC "events/cas_count_read.scale", "6.103515625e-5\n");
	put(f, IMC "events/cas_count_read.unit", "MiB\n");
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

static void a_named_event_has_its_bits_scale_and_unit(void **state)
{
	struct fixture *f = *state;
	struct es_pmu_event event;

	assert_int_equal(es_pmu_event(&f->root, "uncore_imc_0", "cas_count_read", &event), 0);

	assert_int_equal(event.type, 24);
	/* umask 0xf0f: its lowest eight bits at 8, the others at 32. */
	assert_true(event.config[0] ==
		    (UINT64_C(0x04) | UINT64_C(0x0f) << 8 | UINT64_C(0xf) << 32));
	assert_true(event.has_scale);
	assert_true(event.scale.factor == 6.103515625e-5);
	assert_string_equal(event.unit, "MiB");
}

static void what_is_not_named_is_not_found(void **state)
{
	struct fixture *f = *state;
	struct es_pmu_event event;

	assert_int_equal(es_pmu_event(&f->root, "uncore_imc_0", "cas_count_write", &event),
			 -ENOENT);
	assert_int_equal(es_pmu_event(&f->root, "amd_umc_0", "cas_count_read", &event), -ENOENT);
	assert_int_equal(es_pmu_encode(&f->root, "uncore_imc_0", "event=1,nothing=1", &event),
			 -ENOENT);
}

static void an_event_without_a_name_is_made_of_terms(void **state)
{
	struct fixture *f = *state;
	struct es_pmu_event event;

	assert_int_equal(es_pmu_encode(&f->root, "uncore_imc_0",
				       "event=0x0a,inv,filter=7,config2=9", &event),
			 0);

	assert_true(event.config[0] == (0x0a | 1U << 23));
	assert_true(event.config[1] == 7);
	assert_true(event.config[2] == 9);
	assert_false(event.has_scale);
}

static void values_too_large_for_their_bits_are_refused(void **state)
{
	struct fixture *f = *state;
	struct es_pmu_event event;

	assert_int_equal(es_pmu_encode(&f->root, "uncore_imc_0", "event=0x104", &event), -ERANGE);
	assert_int_equal(es_pmu_encode(&f->root, "uncore_imc_0", "inv=2", &event), -ERANGE);
}

static void texts_of_no_sense_are_refused(void **state)
{
	static const char *const formats[] = {
		"",	     "config",	     "config:",		"config:8-0",
		"config3:0", "config:0-64",  "conf:0",		"config:0-7,4",
		"config:0,", "config:0-7 x", "config:1,2,3,4,5"
	};
	static const char *const terms[] = { ",",
					     "event=",
					     "event=0x",
					     "event=1,",
					     "ev ent=1",
					     "event=-1",
					     "event=99999999999999999999" };
	struct es_pmu_format format;
	struct es_pmu_term term;

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(formats); i++)
		assert_int_equal(es_pmu_parse_format(formats[i], &format), -EBADMSG);
	for (size_t i = 0; i < ES_ARRAY_SIZE(terms); i++) {
		const char *text = terms[i];

		assert_int_equal(es_pmu_next_term(&text, &term), -EBADMSG);
	}
}

static void pmus_of_a_kind_are_listed_in_order(void **state)
{
	struct fixture *f = *state;
	char names[8][ES_PMU_NAME_BYTES];

	put(f, "sys/bus/event_source/devices/uncore_imc_10/type", "30\n");
	put(f, "sys/bus/event_source/devices/uncore_imc_2/type", "26\n");
	put(f, "sys/bus/event_source/devices/uncore_imcx/type", "31\n");
	put(f, "sys/bus/event_source/devices/uncore_iio_0/type", "32\n");

	assert_int_equal(es_pmu_list(&f->root, "uncore_imc", names, 8), 3);
	assert_string_equal(names[0], "uncore_imc_0");
	assert_string_equal(names[1], "uncore_imc_2");
	assert_string_equal(names[2], "uncore_imc_10");
	assert_int_equal(es_pmu_list(&f->root, "power", names, 8), 0);
}

static void cpus_are_those_of_the_mask(void **state)
{
	struct fixture *f = *state;
	unsigned cpus[4];

	assert_int_equal(es_pmu_cpus(&f->root, "uncore_imc_0", cpus, 4), 2);
	assert_int_equal(cpus[0], 0);
	assert_int_equal(cpus[1], 18);
	assert_int_equal(es_pmu_cpus(&f->root, "uncore_imc_0", cpus, 1), -E2BIG);
	assert_int_equal(es_pmu_cpus(&f->root, "power", cpus, 4), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_named_event_has_its_bits_scale_and_unit, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_not_named_is_not_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_event_without_a_name_is_made_of_terms, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(values_too_large_for_their_bits_are_refused, set_up,
						tear_down),
		cmocka_unit_test(texts_of_no_sense_are_refused),
		cmocka_unit_test_setup_teardown(pmus_of_a_kind_are_listed_in_order, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(cpus_are_those_of_the_mask, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("sys/pmu", tests, NULL, NULL);
}
