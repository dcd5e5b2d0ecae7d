/*
 * test_source_hsmp.c - AMD's HSMP: counters, powers and tables of sockets, and every fault
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <endian.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cover.h"
#include "source/hsmp_table.h"
#include "support/sourced.h"

#define TABLE1 "sys/devices/platform/amd_hsmp/socket1/metrics_bin"

static int set_up(void **state)
{
	return sourced_set_up(state, &es_source_hsmp);
}

static void put_bytes(const struct sourced *f, const char *path, off_t at, const void *data,
		      size_t n)
{
	char full[512];
	int fd;

	(void)snprintf(full, sizeof(full), "%s/%s", f->dir, path);
	assert_int_equal(chmod(full, 0600), 0);
	fd = open(full, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, n, at), n);
	(void)close(fd);
}

static void set_socket(const struct sourced *f, unsigned i, struct hsmp_socket socket)
{
	put_bytes(f, "dev/hsmp", (off_t)(i * sizeof(socket)), &socket, sizeof(socket));
}

static void a_counter_is_preferred_to_power_and_true_to_a_step(void **state)
{
	struct sourced *f = *state;
	const struct es_domain *d;

	sourced_open(f, "genoa-hsmp");
	assert_int_equal(f->source->n_domains, 2);
	d = sourced_domain(f, "hsmp/package-1");
	assert_int_equal(d->kind, ES_KIND_MEASURED);
	assert_false(d->is_power);
	assert_int_equal(d->limit_mw, 360000);
	assert_int_equal(d->range.unit_nj, 15259);
	assert_int_equal(d->range.modulus_nj, 0);

	/* More than 32 bits: 2^40 steps of 2^-16 J are 2^24 J. */
	set_socket(f, 1, (struct hsmp_socket){ .steps = UINT64_C(1) << 40, .shift = 16 });
	assert_int_equal(sourced_read(f, "hsmp/package-1")->error, 0);
	assert_int_equal(f->readings[1].value, UINT64_C(16777216) * 1000000);
	assert_true(f->readings[1].t_ns > 0);
}

static void older_firmware_tells_power_only(void **state)
{
	struct sourced *f = *state;
	const struct es_domain *d;

	sourced_open(f, "milan-hsmp");
	d = sourced_domain(f, "hsmp/package-1");
	assert_int_equal(d->kind, ES_KIND_INTEGRATED);
	assert_true(d->is_power);
	assert_int_equal(sourced_read(f, "hsmp/package-1")->value, 100001);
	assert_int_equal(d->package, 1);

	/* Firmware whose counter stands at 0 has none. */
	sourced_make(f, "genoa-hsmp");
	set_socket(f, 0, (struct hsmp_socket){ .shift = 16, .power_mw = 7 });
	assert_int_equal(sourced_open_as(f, -1, NULL), 0);
	assert_true(sourced_domain(f, "hsmp/package-0")->is_power);
	assert_false(sourced_domain(f, "hsmp/package-1")->is_power);
}

static void firmware_that_does_not_answer_is_an_error_of_its_socket(void **state)
{
	struct sourced *f = *state;

	sourced_open(f, "genoa-hsmp");
	set_socket(f, 0, (struct hsmp_socket){ .steps = 9, .shift = 16, .error = -ETIMEDOUT });
	assert_int_equal(sourced_read(f, "hsmp/package-0")->error, -ETIMEDOUT);
	assert_int_equal(f->readings[1].error, 0);
	set_socket(f, 0, (struct hsmp_socket){ .steps = UINT64_C(1) << 16, .shift = 16 });
	assert_int_equal(sourced_read(f, "hsmp/package-0")->value, 1000000);

	/* From the start: listed, with the reason. */
	set_socket(f, 0, (struct hsmp_socket){ .error = -EREMOTEIO });
	assert_int_equal(sourced_open_as(f, -1, NULL), 0);
	assert_int_equal(sourced_domain(f, "hsmp/package-0")->state, ES_STATE_ABSENT);
	assert_non_null(strstr(sourced_domain(f, "hsmp/package-0")->reason, "firmware"));
	assert_int_equal(sourced_domain(f, "hsmp/package-1")->state, ES_STATE_UNPROVEN);
}

static void absurd_counters_are_out_of_range(void **state)
{
	struct sourced *f = *state;

	sourced_open(f, "genoa-hsmp");
	set_socket(f, 0, (struct hsmp_socket){ .steps = UINT64_MAX, .shift = 16 });
	assert_int_equal(sourced_read(f, "hsmp/package-0")->error, -ERANGE);
}

static void a_driver_that_goes_and_comes_back_goes_on(void **state)
{
	struct sourced *f = *state;
	char path[512], away[512];
	int fd, r = -ENODEV;

	sourced_open(f, "genoa-hsmp");
	(void)snprintf(path, sizeof(path), "%s/dev/hsmp", f->dir);
	(void)snprintf(away, sizeof(away), "%s/away", f->dir);
	/* What the kernel does to the sockets of a driver that is unloaded: the old device knows none. */
	assert_int_equal(rename(path, away), 0);
	assert_int_equal(truncate(away, 0), 0);
	assert_int_equal(sourced_read(f, "hsmp/package-0")->error, -ENODEV);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	(void)close(fd);
	set_socket(f, 0, (struct hsmp_socket){ .steps = UINT64_C(3) << 16, .shift = 16 });
	for (int tries = 0; tries < 1000 && r < 0; tries++) {
		(void)usleep(10000);
		r = sourced_read(f, "hsmp/package-0")->error;
	}
	assert_int_equal(r, 0);
	assert_int_equal(f->readings[0].value, 3000000);
}

static void denied_packages_are_listed_with_the_command_that_helps(void **state)
{
	struct sourced *f = *state;
	char path[512];
	const struct es_domain *d;

	sourced_make(f, "genoa-hsmp");
	(void)snprintf(path, sizeof(path), "%s/dev/hsmp", f->dir);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(sourced_open_as(f, (int64_t)getuid() + 12345, NULL), 0);
	assert_int_equal(f->source->n_domains, 2);
	d = sourced_domain(f, "hsmp/package-1");
	assert_int_equal(d->state, ES_STATE_DENIED);
	assert_non_null(strstr(d->fix, "/dev/hsmp"));
	assert_int_equal(f->ops->read(f->source, f->readings, SOURCED_MAX), -EACCES);
}

static void machines_without_it_say_what_it_takes(void **state)
{
	struct sourced *f = *state;
	struct es_error err = { .code = 0 };

	sourced_make(f, "skx2s");
	assert_int_equal(sourced_open_as(f, -1, &err), -ENODEV);
	assert_non_null(strstr(err.text, "BIOS"));

	/* A file that is no such device. */
	f->root.device_ioctl = NULL;
	sourced_put(f, "dev/hsmp", "");
	assert_int_equal(f->ops->open(&f->root, &f->source, &err), -ENODEV);
	assert_non_null(strstr(err.text, "/dev/hsmp"));
}

static void an_mi300a_socket_is_a_module_by_its_table(void **state)
{
	struct sourced *f = *state;
	const struct es_domain *d;
	uint64_t both[2] = { htole64(500000000), htole64(UINT64_C(5) << 16) };
	struct es_domain package;

	sourced_open(f, "mi300a-hsmp");
	assert_int_equal(f->source->n_domains, 4);
	d = sourced_domain(f, "hsmp/module-1");
	assert_int_equal(d->type, ES_DOMAIN_MODULE);
	assert_int_equal(d->kind, ES_KIND_MEASURED);
	es_domain_init(&package, "powercap", ES_DOMAIN_PACKAGE, 1, -1);
	assert_true(es_domain_contains(d, &package));

	put_bytes(f, TABLE1, 52, both, sizeof(both));
	assert_int_equal(sourced_read(f, "hsmp/module-1")->error, 0);
	assert_int_equal(f->readings[1].value, 5000000);
	/* The same time once more is nothing new. */
	assert_int_equal(sourced_read(f, "hsmp/module-1")->error, -ECANCELED);
	/* Began again: what it shows is told as it is. */
	both[0] = htole64(500000001);
	both[1] = 0;
	put_bytes(f, TABLE1, 52, both, sizeof(both));
	assert_int_equal(sourced_read(f, "hsmp/module-1")->value, 0);
	/* Garbage. */
	both[0] = both[1] = UINT64_MAX;
	put_bytes(f, TABLE1, 52, both, sizeof(both));
	assert_int_equal(sourced_read(f, "hsmp/module-1")->error, -EBADMSG);
	sourced_put(f, TABLE1, "short");
	assert_int_equal(sourced_read(f, "hsmp/module-1")->error, -EBADMSG);
	sourced_put(f, TABLE1, "");
	assert_int_equal(sourced_read(f, "hsmp/module-1")->error, -ENODATA);
	assert_int_equal(f->readings[0].error == 0 || f->readings[0].error == -ECANCELED, 1);
}

static void tables_are_read_as_they_are_laid_out(void **state)
{
	unsigned char data[ES_HSMP_TABLE_BYTES] = { 0 };
	struct es_hsmp_table table;

	(void)state;
	assert_int_equal(es_hsmp_table_parse(data, 0, &table), -ENODATA);
	assert_int_equal(es_hsmp_table_parse(data, sizeof(data), &table), -ENODATA);
	data[0] = 3;
	assert_int_equal(es_hsmp_table_parse(data, sizeof(data), &table), -EBADMSG);
	data[52] = 100;
	data[60] = 0xff;
	data[67] = 1;
	assert_int_equal(es_hsmp_table_parse(data, sizeof(data) - 1, &table), -EBADMSG);
	assert_int_equal(es_hsmp_table_parse(data, sizeof(data), &table), 0);
	assert_int_equal(table.n_updates, 3);
	assert_int_equal(table.time_ns, 1000);
	assert_int_equal(table.energy_steps, (UINT64_C(1) << 56) + 255);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, sourced_tear_down)
	const struct CMUnitTest tests[] = {
		T(a_counter_is_preferred_to_power_and_true_to_a_step),
		T(older_firmware_tells_power_only),
		T(firmware_that_does_not_answer_is_an_error_of_its_socket),
		T(absurd_counters_are_out_of_range),
		T(a_driver_that_goes_and_comes_back_goes_on),
		T(denied_packages_are_listed_with_the_command_that_helps),
		T(machines_without_it_say_what_it_takes),
		T(an_mi300a_socket_is_a_module_by_its_table),
		cmocka_unit_test(tables_are_read_as_they_are_laid_out),
	};

	return cmocka_run_group_tests_name("source/hsmp", tests, NULL, NULL);
}
