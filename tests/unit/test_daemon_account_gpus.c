/*
 * test_daemon_account_gpus.c - whose a GPU is, and how several jobs share one
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/account_gpus.h"
#include "support/book.h"
#include "support/tree.h"

#define S INT64_C(1000000000)
#define J UINT64_C(1000000)
#define WHOLE 1000000U
#define USERS_MAX 8U

struct gpus {
	struct book book; /* 0, 1: GPUs; 2: the package */
	struct es_gpu_user users[USERS_MAX];
	int n_users;
	char dir[64];
	struct es_root root;
	bool has_tree;
};

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct gpus));
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	struct gpus *g = *state;

	book_close(&g->book);
	if (g->has_tree) {
		es_root_close(&g->root);
		es_tree_remove(g->dir);
	}
	free(g);
	return 0;
}

static int tell_users(void *arg, struct es_gpu_user *ret, size_t max)
{
	struct gpus *g = arg;

	assert_true(max >= USERS_MAX);
	memcpy(ret, g->users, sizeof(g->users));
	return g->n_users;
}

static void two_gpus(struct gpus *g)
{
	struct book *book = &g->book;

	for (int32_t i = 0; i < 2; i++) {
		struct es_domain *domain = &book->domains[book_add(book, ES_DOMAIN_GPU, i, 0)];

		(void)snprintf(domain->source, sizeof(domain->source), "nvml");
		(void)snprintf(domain->pci, sizeof(domain->pci), "0000:%02x:00.0", 0x17 + i);
		(void)snprintf(domain->uuid, sizeof(domain->uuid),
			       "GPU-%08x-0000-0000-0000-000000000000", 0xabc0 + (unsigned)i);
	}
	book_add(book, ES_DOMAIN_PACKAGE, 0, 0);
	book->options.users = tell_users;
	book->options.arg = g;
	g->n_users = -EOPNOTSUPP;
}

static void start(struct gpus *g)
{
	book_open(&g->book, 1);
	book_sweep(&g->book, S);
}

static struct es_job *job_with(struct gpus *g, const char *gpus)
{
	struct es_job *job = fake_job(&g->book.jobs, g->book.now_ns, WHOLE / 4);

	if (gpus) {
		job->about.has_gpus = true;
		(void)snprintf(job->about.gpus, sizeof(job->about.gpus), "%s", gpus);
	}
	g->book.jobs.pids[fake_job_index(&g->book.jobs, job)] =
		100 + (pid_t)fake_job_index(&g->book.jobs, job);
	return job;
}

static void use(struct gpus *g, unsigned gpu, const struct es_job *job, int busy_percent)
{
	struct es_gpu_user *user = &g->users[g->n_users > 0 ? g->n_users : 0];

	*user = (struct es_gpu_user){
		.pid = job ? 100 + (int64_t)fake_job_index(&g->book.jobs, job) : 7,
		.gpu_instance = -1,
		.compute_instance = -1,
		.has_busy = busy_percent >= 0,
		.busy_ppm = busy_percent >= 0 ? (uint32_t)busy_percent * 10000 : 0,
	};
	memcpy(user->uuid, g->book.domains[gpu].uuid, sizeof(user->uuid));
	g->n_users = g->n_users > 0 ? g->n_users + 1 : 1;
}

static void sweep(struct gpus *g)
{
	book_draw(&g->book, 0, 300 * J);
	book_draw(&g->book, 1, 60 * J);
	book_sweep(&g->book, S);
	(void)book_assert_closed(&g->book);
}

static uint64_t had(const struct gpus *g, const struct es_job *job, size_t gpu)
{
	const struct es_account_share *share = book_share(&g->book, job, gpu);

	return share->dynamic_uj + share->idle_uj;
}

static void lists_of_schedulers_name_gpus_in_many_ways(void **state)
{
	static const struct {
		const char *list;
		bool is_named;
		uint32_t instances;
	} cases[] = {
		{ "2", true, 0 },
		{ "0,2", true, 0 },
		{ "0-3", true, 0 },
		{ "3-7,0-1", false, 0 },
		{ "", false, 0 },
		{ "22", false, 0 },
		{ "GPU-0123abcd-ef01-2345-6789-abcdef012345", true, 0 },
		{ "gpu-0123abcd", true, 0 },
		{ "GPU-0123", true, 0 },
		{ "GPU-", false, 0 },
		{ "G", false, 0 },
		{ "GPU-9123abcd", false, 0 },
		{ "0000:4e:00.0", true, 0 },
		{ "00000000:4E:00.0", true, 0 },
		{ "4e:00.0", true, 0 },
		{ "0001:4e:00.0", false, 0 },
		{ "0000:4e:00.1", false, 0 },
		{ "2:1", true, 2 },
		{ "2.0", true, 1 },
		{ "2:2", false, 0 },
		{ "1:0", false, 0 },
		{ "MIG-aaaa", true, 1 },
		{ "MIG-aaaa,MIG-bbbb", true, 3 },
		{ "MIG-aaaa,2", true, 0 },
		{ "MIG-cccc", false, 0 },
		{ "MIG-", false, 0 },
		{ ",,, ,2", true, 0 },
		{ "-2", false, 0 },
		{ "2-", false, 0 },
		{ "99999999999999999999", false, 0 },
	};
	struct es_domain domain;

	(void)state;
	es_domain_init(&domain, "nvml", ES_DOMAIN_GPU, 2, -1);
	(void)snprintf(domain.pci, sizeof(domain.pci), "0000:4e:00.0");
	(void)snprintf(domain.uuid, sizeof(domain.uuid),
		       "GPU-0123abcd-ef01-2345-6789-abcdef012345");
	domain.n_instances = 2;
	(void)snprintf(domain.instances[0].uuid, sizeof(domain.instances[0].uuid), "MIG-aaaa");
	(void)snprintf(domain.instances[1].uuid, sizeof(domain.instances[1].uuid), "MIG-bbbb");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t instances = 0;
		bool is_named = es_account_gpu_named(&domain, cases[i].list, &instances);

		if (is_named != cases[i].is_named || (is_named && instances != cases[i].instances))
			fail_msg("'%s': named %d, instances %x", cases[i].list, is_named,
				 instances);
	}
}

static void lists_of_device_cgroups_tell_or_say_nothing(void **state)
{
	(void)state;
	assert_int_equal(es_account_devices_allow("c 195:0 rw\nc 195:255 rw\n", 195, 0), 1);
	assert_int_equal(es_account_devices_allow("c 195:0 rw\nc 195:255 rw\n", 195, 1), 0);
	assert_int_equal(es_account_devices_allow("c 195:* rwm\n", 195, 3), 1);
	assert_int_equal(es_account_devices_allow("c *:* m\n", 195, 3), 0);
	assert_int_equal(es_account_devices_allow("c *:* rwm", 195, 3), 1);
	assert_int_equal(es_account_devices_allow("b 195:3 rwm\n", 195, 3), 0);
	assert_int_equal(es_account_devices_allow("a *:* rwm\n", 195, 3), -ENODATA);
	assert_int_equal(es_account_devices_allow("", 195, 3), 0);
	assert_int_equal(es_account_devices_allow("c 195 rw\n", 195, 0), -EBADMSG);
	assert_int_equal(es_account_devices_allow("c 195:99999999999999999999 rw", 195, 0),
			 -EBADMSG);
}

static void the_schedulers_list_says_whose_a_gpu_is(void **state)
{
	struct gpus *g = *state;
	struct es_job *a, *b;

	two_gpus(g);
	start(g);
	a = job_with(g, "0");
	b = job_with(g, "");
	sweep(g);

	assert_int_equal(had(g, a, 0), 300 * J);
	assert_int_equal(book_share(&g->book, a, 0)->rule, ES_SHARE_DIRECT);
	assert_int_equal(had(g, b, 0) + had(g, b, 1) + had(g, a, 1), 0);
	assert_int_equal(es_account_part(g->book.account, 1)->rest_uj, 60 * J);
}

static void a_gpu_of_two_jobs_goes_by_activity(void **state)
{
	struct gpus *g = *state;
	struct es_job *a, *b;

	two_gpus(g);
	start(g);
	a = job_with(g, "0");
	b = job_with(g, "0");
	use(g, 0, a, 60);
	use(g, 0, b, 20);
	use(g, 0, NULL, 20);
	sweep(g);

	assert_int_equal(book_share(&g->book, a, 0)->rule, ES_SHARE_ACTIVITY);
	assert_int_equal(had(g, a, 0), 180 * J);
	assert_int_equal(had(g, b, 0), 60 * J);
	assert_int_equal(es_account_part(g->book.account, 0)->rest_uj, 60 * J);
}

static void a_gpu_of_two_jobs_whose_activity_is_not_known_is_halved(void **state)
{
	struct gpus *g = *state;
	struct es_job *a, *b;

	two_gpus(g);
	start(g);
	a = job_with(g, "0");
	b = job_with(g, "0");
	sweep(g);

	assert_int_equal(book_share(&g->book, a, 0)->rule, ES_SHARE_SLICES);
	assert_int_equal(had(g, a, 0), 150 * J);
	assert_int_equal(had(g, b, 0), 150 * J);
}

static void idle_energy_of_a_shared_gpu_goes_by_what_is_held(void **state)
{
	struct gpus *g = *state;
	struct es_job *a, *b;

	two_gpus(g);
	g->book.options.settle_ns = 3 * S;
	start(g);
	for (int i = 0; i < 3; i++)
		sweep(g);
	assert_int_equal(es_account_part(g->book.account, 0)->idle_method, ES_IDLE_SEEN);
	a = job_with(g, "0");
	b = job_with(g, "0");
	use(g, 0, a, 80);
	book_draw(&g->book, 0, 100 * J);
	sweep(g);

	assert_int_equal(book_share(&g->book, a, 0)->idle_uj, 150 * J);
	assert_int_equal(book_share(&g->book, b, 0)->idle_uj, 150 * J);
	assert_int_equal(book_share(&g->book, a, 0)->dynamic_uj, 100 * J);
	assert_int_equal(book_share(&g->book, b, 0)->dynamic_uj, 0);
}

static void who_computes_on_a_gpu_has_it_where_nobody_said_more(void **state)
{
	struct gpus *g = *state;
	struct es_job *a, *b;

	two_gpus(g);
	start(g);
	a = job_with(g, NULL);
	b = job_with(g, NULL);
	use(g, 1, b, -1);
	sweep(g);

	assert_int_equal(had(g, b, 1), 60 * J);
	assert_int_equal(book_share(&g->book, b, 1)->rule, ES_SHARE_DIRECT);
	assert_int_equal(had(g, a, 0) + had(g, a, 1) + had(g, b, 0), 0);

	/* It is no longer there: a second later that is known. */
	g->n_users = 0;
	sweep(g);
	sweep(g);
	assert_true(had(g, b, 1) <= 120 * J);
	assert_true(es_account_part(g->book.account, 1)->rest_uj >= 60 * J);
}

static void who_computes_beside_a_stranger_has_its_part(void **state)
{
	struct gpus *g = *state;
	struct es_job *a;

	two_gpus(g);
	start(g);
	a = job_with(g, NULL);
	use(g, 0, a, 20);
	use(g, 0, NULL, 60);
	sweep(g);

	assert_int_equal(book_share(&g->book, a, 0)->rule, ES_SHARE_ACTIVITY);
	assert_int_equal(had(g, a, 0), 75 * J);
}

static void a_stranger_takes_nothing_of_a_gpu_that_was_given(void **state)
{
	struct gpus *g = *state;
	struct es_job *a;

	two_gpus(g);
	start(g);
	a = job_with(g, "0");
	use(g, 0, a, 20);
	use(g, 0, NULL, 60);
	sweep(g);

	assert_int_equal(book_share(&g->book, a, 0)->rule, ES_SHARE_DIRECT);
	assert_int_equal(had(g, a, 0), 300 * J);
}

static void an_ended_jobs_processes_are_nobodys(void **state)
{
	struct gpus *g = *state;
	struct es_job *a;

	two_gpus(g);
	start(g);
	a = job_with(g, NULL);
	use(g, 0, a, 50);
	sweep(g);
	assert_int_equal(had(g, a, 0), 300 * J);
	(void)book_end(&g->book, a);
	/* Sooner than processes are looked at again. */
	book_draw(&g->book, 0, 10 * J);
	book_sweep(&g->book, S / 10);
	(void)book_assert_closed(&g->book);

	assert_int_equal(es_account_part(g->book.account, 0)->rest_uj, 10 * J);
}

static void instances_share_their_gpu_by_slices(void **state)
{
	struct gpus *g = *state;
	struct es_job *a, *b;
	struct es_domain *domain;

	two_gpus(g);
	domain = &g->book.domains[0];
	domain->n_instances = 3;
	for (unsigned i = 0; i < 3; i++) {
		static const uint32_t slices[] = { 4, 2, 1 };

		domain->instances[i].gpu_instance = i + 1;
		domain->instances[i].gpu_slices = slices[i];
		(void)snprintf(domain->instances[i].uuid, sizeof(domain->instances[i].uuid),
			       "MIG-%u", i);
	}
	g->book.options.settle_ns = S;
	start(g);
	/* Idle: 70 W, ten for each slice. */
	book_draw(&g->book, 0, 70 * J);
	book_sweep(&g->book, S);
	a = job_with(g, "MIG-0");
	b = job_with(g, "MIG-1");
	g->n_users = 0;
	use(g, 0, a, -1);
	g->users[0].gpu_instance = 1;
	book_draw(&g->book, 0, 370 * J);
	book_sweep(&g->book, S);
	(void)book_assert_closed(&g->book);

	assert_int_equal(book_share(&g->book, a, 0)->rule, ES_SHARE_SLICES);
	/* Of the millionths of the GPU, which are whole numbers, a unit may be missing. */
	assert_in_range(book_share(&g->book, a, 0)->idle_uj, 40 * J - 100, 40 * J);
	assert_in_range(book_share(&g->book, b, 0)->idle_uj, 20 * J - 100, 20 * J);
	/* The third instance is nobody's and nothing runs there. */
	assert_in_range(book_share(&g->book, a, 0)->dynamic_uj, 200 * J - 500, 200 * J + 500);
	assert_in_range(book_share(&g->book, b, 0)->dynamic_uj, 100 * J - 500, 100 * J + 500);
}

static void put(const struct gpus *g, const char *path, const char *text)
{
	assert_int_equal(es_tree_write(g->dir, path, text, 0644), 0);
}

static void the_device_cgroup_says_whose_a_gpu_is(void **state)
{
	struct gpus *g = *state;
	struct es_error err = { .code = 0 };
	struct es_job *a, *b;

	assert_int_equal(es_tree_temp(g->dir), 0);
	g->has_tree = true;
	put(g, "proc/self/mountinfo",
	    "30 23 0:26 / /sys/fs/cgroup/devices rw - cgroup cgroup rw,devices\n");
	put(g, "sys/fs/cgroup/devices/docker/a/devices.list",
	    "c 1:3 rwm\nc 195:255 rw\nc 195:4 rw\n");
	put(g, "sys/fs/cgroup/devices/docker/b/devices.list", "a *:* rwm\n");
	put(g, "proc/driver/nvidia/gpus/0000:17:00.0/information",
	    "Model: \t\t NVIDIA A100\nDevice Minor: \t 4\n");
	put(g, "proc/driver/nvidia/gpus/0000:18:00.0/information",
	    "Model: \t\t NVIDIA A100\nDevice Minor: \t 0\n");
	assert_int_equal(es_root_open(g->dir, -1, &g->root, &err), 0);
	two_gpus(g);
	g->book.options.root = g->book.options.jobs_root = &g->root;
	start(g);
	a = job_with(g, NULL);
	(void)snprintf(a->cgroups[a->n_cgroups++], sizeof(a->cgroups[0]), "/docker/a");
	b = job_with(g, NULL);
	(void)snprintf(b->cgroups[b->n_cgroups++], sizeof(b->cgroups[0]), "/docker/b");
	sweep(g);

	assert_int_equal(had(g, a, 0), 300 * J);
	assert_int_equal(had(g, a, 1) + had(g, b, 0) + had(g, b, 1), 0);
	assert_non_null(strstr(es_account_gpus_words(g->book.account), "device cgroup"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		cmocka_unit_test(lists_of_schedulers_name_gpus_in_many_ways),
		cmocka_unit_test(lists_of_device_cgroups_tell_or_say_nothing),
		TEST(the_schedulers_list_says_whose_a_gpu_is),
		TEST(a_gpu_of_two_jobs_goes_by_activity),
		TEST(a_gpu_of_two_jobs_whose_activity_is_not_known_is_halved),
		TEST(idle_energy_of_a_shared_gpu_goes_by_what_is_held),
		TEST(who_computes_on_a_gpu_has_it_where_nobody_said_more),
		TEST(who_computes_beside_a_stranger_has_its_part),
		TEST(a_stranger_takes_nothing_of_a_gpu_that_was_given),
		TEST(an_ended_jobs_processes_are_nobodys),
		TEST(instances_share_their_gpu_by_slices),
		TEST(the_device_cgroup_says_whose_a_gpu_is),
	};

	return cmocka_run_group_tests_name("daemon/account_gpus", tests, NULL, NULL);
}
