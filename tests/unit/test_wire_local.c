/*
 * test_wire_local.c - what is said to the daemon: there and back, cut off anywhere, with more behind, hostile
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ipc/packet.h"
#include "wire/local.h"

#define NUMBER 0xcafe1234U

/* One message of each kind, and how it is put and got. */
union any {
	struct {
		char text[64];
		uint32_t value;
	} text;
	int64_t period_ns;
	struct es_local_job job;
	struct es_local_end end;
	struct es_local_welcome welcome;
	struct es_local_domain domain;
	uint32_t count;
	struct es_local_page page;
	struct es_local_job_is job_is;
};

static int put_text(const union any *any, uint8_t *out, size_t size)
{
	return es_local_put_text(ES_LOCAL_JOB_OPEN, NUMBER, any->text.text, any->text.value, out,
				 size);
}

static int get_text(const void *body, size_t n, union any *ret)
{
	return es_local_get_text(body, n, ret->text.text, sizeof(ret->text.text), &ret->text.value);
}

static int put_watch(const union any *any, uint8_t *out, size_t size)
{
	return es_local_put_watch(NUMBER, any->period_ns, out, size);
}

static int get_watch(const void *body, size_t n, union any *ret)
{
	return es_local_get_watch(body, n, &ret->period_ns);
}

static int put_last(const union any *any, uint8_t *out, size_t size)
{
	return es_local_put_last(NUMBER, any->count, out, size);
}

static int get_last(const void *body, size_t n, union any *ret)
{
	return es_local_get_last(body, n, &ret->count);
}

#define PAIR(name)                                                             \
	static int put_##name(const union any *any, uint8_t *out, size_t size) \
	{                                                                      \
		return es_local_put_##name(NUMBER, &any->name, out, size);     \
	}                                                                      \
	static int get_##name(const void *body, size_t n, union any *ret)      \
	{                                                                      \
		return es_local_get_##name(body, n, &ret->name);               \
	}

PAIR(job)
PAIR(end)
PAIR(welcome)
PAIR(domain)
PAIR(page)
PAIR(job_is)

struct kind {
	uint16_t type;
	void (*fill)(union any *any);
	int (*put)(const union any *any, uint8_t *out, size_t size);
	int (*get)(const void *body, size_t n, union any *ret);
	size_t n_later; /* bytes of fields that came with a later version: whoever does not know them ends before */
};

static void fill_text(union any *any)
{
	memcpy(any->text.text, "1234.batch", 11);
	any->text.value = 0x87654321;
}

static void fill_watch(union any *any)
{
	any->period_ns = 1000000007;
}

static void fill_last(union any *any)
{
	any->count = 0xfedcba98;
}

static const struct es_local_job a_job = {
	.id = "123_4+1.[x]:y-z",
	.step = "batch",
	.scheduler = "slurm",
	.uid = 4294967294U,
	.has_uid = true,
	.flags = ES_LOCAL_SHARED | ES_LOCAL_RESTARTED | 1U << 31,
	.n_cpus = 17,
	.cpus = "0-3,8,12-15",
	.has_gpus = true,
	.gpus = "0,GPU-1a2b,0000:17:00.0,MIG-GPU-9/1/0,gpu_x",
	.cgroup = "/slurm/uid_1000/job_123..x",
	.pid = INT32_MAX,
	.n_nodes = 1024,
	.node_index = 1023,
	.nodes = "node[0001-1024],gpu7",
	.name = "caf\xc3\xa9 \xe6\xb8\xac\xe8\xa9\xa6",
	.cluster = "big",
	.account = "physics",
	.partition = "gpu",
	.restarts = 3,
	.t_ns = -5,
};

static void fill_job(union any *any)
{
	any->job = a_job;
}

static void fill_end(union any *any)
{
	any->end = (struct es_local_end){
		.id = "7", .step = "0", .has_status = true, .status = -3, .t_ns = ES_TIME_MAX_NS
	};
}

static void fill_welcome(union any *any)
{
	any->welcome = (struct es_local_welcome){ .version = "0.1.0",
						  .node = "node0001",
						  .boot_id = "0d9c4f5c-1111",
						  .least_period_ns = 100000000,
						  .view = ES_LOCAL_VIEW_SHARE,
						  .job = "123",
						  .words = "shared nodes show shares" };
}

static void fill_domain(union any *any)
{
	struct es_local_domain *domain = &any->domain;

	*domain = (struct es_local_domain){ .id = "nvml/gpu-3",
					    .name = "gpu-3",
					    .source = "nvml",
					    .type = "gpu",
					    .kind = "measured",
					    .state = "duplicate",
					    .may_mirror = true,
					    .is_there = true,
					    .has_activity = true,
					    .package = -1,
					    .die = 3,
					    .core = INT32_MIN,
					    .parent = -1,
					    .duplicate_of = 7,
					    .unit_nj = 1,
					    .modulus_nj = UINT64_MAX,
					    .peak_mw = 2,
					    .limit_mw = 3,
					    .limit_kind = "tdp",
					    .update_period_ns = 100000000,
					    .hold_ns = 5,
					    .idle_mw = 6,
					    .full_mw = 7,
					    .idle_spread_ppm = 8,
					    .spread_ppm = 9,
					    .accuracy_ppm = 10,
					    .pci = "0000:17:00.0",
					    .model = "A100",
					    .uuid = "GPU-1",
					    .reason = "because",
					    .fix = "sudo true",
					    .n_instances = ES_LOCAL_INSTANCES_MAX,
					    .least_period_ns = 1000000000 };
	for (uint32_t i = 0; i < ES_LOCAL_INSTANCES_MAX; i++) {
		domain->instances[i] = (struct es_local_instance){ .gpu_instance = i,
								   .compute_instance = 10 + i,
								   .gpu_slices = 20 + i,
								   .compute_slices = 30 + i,
								   .memory_bytes = 1ULL << 40 };
		(void)snprintf(domain->instances[i].uuid, 64, "MIG-%u", i);
	}
}

static void fill_page(union any *any)
{
	any->page = (struct es_local_page){ .epoch = UINT64_MAX - 1,
					    .n_domains = 4096,
					    .period_ns = 1 };
}

static void fill_job_is(union any *any)
{
	struct es_local_job_is *job = &any->job_is;

	*job = (struct es_local_job_is){ .job = a_job,
					 .node = "node0001",
					 .start_unix_ns = 1,
					 .stop_unix_ns = 2,
					 .dur_ns = 3,
					 .has_energy = true,
					 .energy_uj = UINT64_MAX,
					 .uncertainty_uj = 4,
					 .kind = "attributed",
					 .idle_method = "seen",
					 .covered_ppm = 999999,
					 .recording = "123-7.esr",
					 .machine = { .cpu_model = "EPYC",
						      .gpu_model = "A100",
						      .n_cpus = 5,
						      .n_packages = 6,
						      .n_gpus = 7,
						      .memory_bytes = 8,
						      .virt = 3,
						      .has_battery = true,
						      .has_node_meter = true,
						      .country = "FR",
						      .timezone = "Europe/Paris" },
					 .n_parts = ES_LOCAL_PARTS_MAX };
	for (uint32_t i = 0; i < ES_LOCAL_PARTS_MAX; i++) {
		job->parts[i] = (struct es_local_part){
			.kind = "measured", .rule = "cpu_time", .dynamic_uj = i, .idle_uj = 99 - i
		};
		(void)snprintf(job->parts[i].domain, ES_NAME_MAX_BYTES, "package-%u", i);
	}
}

static const struct kind kinds[] = {
	{ ES_LOCAL_JOB_OPEN, fill_text, put_text, get_text, 0 },
	{ ES_LOCAL_WATCH, fill_watch, put_watch, get_watch, 0 },
	{ ES_LOCAL_JOB_BEGIN, fill_job, put_job, get_job, 0 },
	{ ES_LOCAL_JOB_END, fill_end, put_end, get_end, 0 },
	{ ES_LOCAL_WELCOME, fill_welcome, put_welcome, get_welcome, 0 },
	{ ES_LOCAL_DOMAIN, fill_domain, put_domain, get_domain, 8 },
	{ ES_LOCAL_LAST, fill_last, put_last, get_last, 0 },
	{ ES_LOCAL_PAGE, fill_page, put_page, get_page, 0 },
	{ ES_LOCAL_JOB, fill_job_is, put_job_is, get_job_is, 53 },
};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static union any sent, got, untouched;
static uint8_t bytes[ES_IPC_MESSAGE_MAX_BYTES];

static size_t put(const struct kind *kind)
{
	int n;

	memset(&sent, 0, sizeof(sent));
	kind->fill(&sent);
	n = kind->put(&sent, bytes, sizeof(bytes));
	assert_true(n >= (int)ES_IPC_HEADER_BYTES);
	return (size_t)n;
}

static int get(const struct kind *kind, size_t n)
{
	return kind->get(bytes + ES_IPC_HEADER_BYTES, n - ES_IPC_HEADER_BYTES, &got);
}

/* What was got is said in the same words; padding may differ. */
static void check_got(const struct kind *kind, size_t n)
{
	static uint8_t again[ES_IPC_MESSAGE_MAX_BYTES];

	assert_int_equal(kind->put(&got, again, sizeof(again)), n);
	assert_memory_equal(again, bytes, n);
}

static void what_is_put_is_got(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_KINDS; i++) {
		struct es_packet_head head;
		size_t n = put(&kinds[i]);

		assert_int_equal(es_packet_head_get(bytes, n, &head), 0);
		assert_int_equal(head.type, kinds[i].type);
		assert_int_equal(head.number, NUMBER);
		assert_int_equal(get(&kinds[i], n), 0);
		check_got(&kinds[i], n);
	}
}

static void nothing_at_all_is_got_back(void **state)
{
	static const struct es_local_domain domain = {
		.id = "a/b", .name = "b", .parent = -1, .duplicate_of = -1
	};
	static const struct es_local_job job = { .id = "1" };

	(void)state;
	assert_true(es_local_put_domain(1, &domain, bytes, sizeof(bytes)) > 0);
	assert_true(es_local_put_job(1, &job, bytes, sizeof(bytes)) > 0);
	assert_int_equal(es_local_put_empty(ES_LOCAL_JOBS, 1, bytes, sizeof(bytes)),
			 ES_IPC_HEADER_BYTES);
}

static void what_is_cut_off_anywhere_is_refused_and_sets_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_KINDS; i++) {
		size_t n = put(&kinds[i]);

		memset(&got, 0xa5, sizeof(got));
		memset(&untouched, 0xa5, sizeof(untouched));
		for (size_t cut = ES_IPC_HEADER_BYTES; cut < n; cut++)
			if (cut != n - kinds[i].n_later)
				assert_int_equal(get(&kinds[i], cut), -EBADMSG);
		assert_memory_equal(&got, &untouched, sizeof(got));
		assert_int_equal(get(&kinds[i], n - kinds[i].n_later), 0);
	}
}

/* Of a later version. */
static void fields_that_are_not_known_are_passed_over(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_KINDS; i++) {
		size_t n = put(&kinds[i]);

		memset(bytes + n, 0xff, sizeof(bytes) - n);
		assert_int_equal(get(&kinds[i], n + 9), 0);
		check_got(&kinds[i], n);
	}
}

static void what_does_not_fit_is_not_put(void **state)
{
	static uint8_t small[ES_IPC_MESSAGE_MAX_BYTES];

	(void)state;
	for (size_t i = 0; i < N_KINDS; i++) {
		size_t n = put(&kinds[i]);

		for (size_t size = 0; size < n; size++) {
			small[size] = 0x77;
			assert_int_equal(kinds[i].put(&sent, small, size), -EMSGSIZE);
			assert_int_equal(small[size], 0x77);
		}
		assert_int_equal(kinds[i].put(&sent, small, n), n);
	}
	assert_int_equal(es_local_put_empty(ES_LOCAL_JOBS, 1, small, 15), -EMSGSIZE);
}

/* Every byte of it any other: nothing is read beyond it, and what is accepted can be said again. */
static void bytes_that_are_changed_never_do_harm(void **state)
{
	static uint8_t again[ES_IPC_MESSAGE_MAX_BYTES];

	(void)state;
	for (size_t i = 0; i < N_KINDS; i++) {
		size_t n = put(&kinds[i]);

		for (size_t at = ES_IPC_HEADER_BYTES; at < n; at++) {
			uint8_t was = bytes[at];

			for (unsigned j = 0; j < 4; j++) {
				bytes[at] = (uint8_t)(was ^ (uint8_t[]){ 1, 0x80, 0xff, was }[j]);
				if (get(&kinds[i], n) == 0)
					assert_true(kinds[i].put(&got, again, sizeof(again)) > 0);
			}
			bytes[at] = was;
		}
	}
}

static void the_bytes_stay_as_they_are(void **state)
{
	static const uint8_t end[] = { 'E', 'S', 'I', 'P',  1,	  0,	21,   0,    19,
				       0,   0,	 0,   0x34, 0x12, 0xfe, 0xca, 1,    0,
				       '7', 1,	 0,   '0',  1,	  0xfd, 0xff, 0xff, 0xff };

	(void)state;
	memset(&sent, 0, sizeof(sent));
	fill_end(&sent);
	sent.end.t_ns = 2;
	assert_int_equal(put_end(&sent, bytes, sizeof(bytes)), 35);
	assert_memory_equal(bytes, end, sizeof(end));
	assert_memory_equal(bytes + 27, "\2\0\0\0\0\0\0\0", 8);
}

static int put_id(const char *id)
{
	struct es_local_job job = { .id = "" };

	(void)snprintf(job.id, sizeof(job.id), "%s", id);
	return es_local_put_job(1, &job, bytes, sizeof(bytes));
}

static void ids_have_only_their_letters(void **state)
{
	static const char *const good[] = { "1",
					    "123_4",
					    "12+1",
					    "5.batch",
					    "a:b[1]",
					    "x-y",
					    ("0123456789012345678901234567890123456789"
					     "01234567890123456789012") };
	static const char *const bad[] = { "",	  ".",	 "..", "-x",  "[1]",
					   "a/b", "a b", "*",  "a\n", "caf\xc3\xa9" };
	char longer[ES_LOCAL_ID_MAX_BYTES + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_null(es_local_id_problem(good[i]));
		assert_true(put_id(good[i]) > 0);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_non_null(es_local_id_problem(bad[i]));
		assert_int_equal(put_id(bad[i]), -EINVAL);
	}
	memset(longer, 'a', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_non_null(es_local_id_problem(longer));
}

static void a_text_that_its_user_chose_becomes_harmless(void **state)
{
	static const struct {
		const char *name, *shown;
	} cases[] = {
		{ "a\033[2Jb", "a?[2Jb" },
		{ "caf\xe9", "caf?" },
		{ "cut \xe6\xb8", "cut ??" },
		{ "\xc2\x9b"
		  "1m",
		  "??1m" },
		{ "line\nline\x7f", "line?line?" },
		{ "\xed\xa0\x80", "???" },
		{ "\xc2\xa9", "\xc2\xa9" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&sent, 0, sizeof(sent));
		sent.job.id[0] = '1';
		(void)snprintf(sent.job.name, sizeof(sent.job.name), "%s", cases[i].name);
		assert_true(put_job(&sent, bytes, sizeof(bytes)) > 0);
		assert_int_equal(get_job(bytes + ES_IPC_HEADER_BYTES,
					 sizeof(bytes) - ES_IPC_HEADER_BYTES, &got),
				 0);
		assert_string_equal(got.job.name, cases[i].shown);
	}
}

/* The same texts from somebody who does not make them harmless. */
static void a_text_that_is_not_harmless_is_refused(void **state)
{
	static const char *const texts[] = { "\033[2J",	 "\xe9", "\xe6\xb8",
					     "\xc2\x9b", "\x7f", "a\nb" };
	char text[64];
	uint32_t value;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t n = strlen(texts[i]);

		memset(bytes, 0, 16);
		bytes[0] = (uint8_t)n;
		memcpy(bytes + 2, texts[i], n);
		assert_int_equal(es_local_get_text(bytes, 2 + n + 4, text, sizeof(text), &value),
				 -EBADMSG);
		memset(bytes + 2, 'x', n);
		assert_int_equal(es_local_get_text(bytes, 2 + n + 4, text, sizeof(text), &value),
				 0);
	}
	/* A NUL in it, and one that is longer than there is room. */
	memcpy(bytes, "\3\0a\0b\0\0\0\0", 9);
	assert_int_equal(es_local_get_text(bytes, 9, text, sizeof(text), &value), -EBADMSG);
	memcpy(bytes, "\3\0abc\0\0\0\0", 9);
	assert_int_equal(es_local_get_text(bytes, 9, text, 3, &value), -EBADMSG);
	assert_int_equal(es_local_get_text(bytes, 9, text, 4, &value), 0);
}

static int put_changed(void (*change)(struct es_local_job *job))
{
	memset(&sent, 0, sizeof(sent));
	fill_job(&sent);
	change(&sent.job);
	return put_job(&sent, bytes, sizeof(bytes));
}

static void bad_cpus(struct es_local_job *job)
{
	memcpy(job->cpus, "0-3;rm", 7);
}

static void bad_gpus(struct es_local_job *job)
{
	memcpy(job->gpus, "0 1", 4);
}

static void relative_cgroup(struct es_local_job *job)
{
	memcpy(job->cgroup, "slurm", 6);
}

static void cgroup_above(struct es_local_job *job)
{
	memcpy(job->cgroup, "/slurm/../../etc", 17);
}

static void cgroup_ending_above(struct es_local_job *job)
{
	memcpy(job->cgroup, "/slurm/..", 10);
}

static void bad_step(struct es_local_job *job)
{
	memcpy(job->step, "a/b", 4);
}

static void negative_pid(struct es_local_job *job)
{
	job->pid = -1;
}

static void huge_pid(struct es_local_job *job)
{
	job->pid = INT64_C(1) << 32;
}

static void far_time(struct es_local_job *job)
{
	job->t_ns = INT64_MIN;
}

static void what_nobody_may_say_is_not_put(void **state)
{
	void (*const changes[])(struct es_local_job *) = {
		bad_cpus, bad_gpus,	relative_cgroup, cgroup_above, cgroup_ending_above,
		bad_step, negative_pid, huge_pid,	 far_time
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		assert_int_equal(put_changed(changes[i]), -EINVAL);
	assert_int_equal(es_local_put_watch(1, -1, bytes, sizeof(bytes)), -EINVAL);
	memset(&sent, 0, sizeof(sent));
	fill_domain(&sent);
	sent.domain.n_instances++;
	assert_int_equal(put_domain(&sent, bytes, sizeof(bytes)), -EINVAL);
	fill_domain(&sent);
	sent.domain.parent = -2;
	assert_int_equal(put_domain(&sent, bytes, sizeof(bytes)), -EINVAL);
	fill_job_is(&sent);
	sent.job_is.n_parts = ES_LOCAL_PARTS_MAX + 1;
	assert_int_equal(put_job_is(&sent, bytes, sizeof(bytes)), -EINVAL);
}

/* The same, said by somebody whose putter does not check: the byte of one field is changed in place. */
static void what_nobody_may_say_is_refused(void **state)
{
	static const char *const parts[] = { "0-3,8", "0,GPU", "/slurm/uid_1000", "batch",
					     "123_4" };
	static const char *const wrong[] = { "0-3;8", "0 GPU", "/slurm/../etc/x", "b/tch",
					     "123/4" };
	const struct kind *kind = &kinds[2];

	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t n = put(kind);
		uint8_t *at = memmem(bytes, n, parts[i], strlen(parts[i]));

		assert_non_null(at);
		memcpy(at, wrong[i], strlen(wrong[i]));
		assert_int_equal(get(kind, n), -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_is_got),
		cmocka_unit_test(nothing_at_all_is_got_back),
		cmocka_unit_test(what_is_cut_off_anywhere_is_refused_and_sets_nothing),
		cmocka_unit_test(fields_that_are_not_known_are_passed_over),
		cmocka_unit_test(what_does_not_fit_is_not_put),
		cmocka_unit_test(bytes_that_are_changed_never_do_harm),
		cmocka_unit_test(the_bytes_stay_as_they_are),
		cmocka_unit_test(ids_have_only_their_letters),
		cmocka_unit_test(a_text_that_its_user_chose_becomes_harmless),
		cmocka_unit_test(a_text_that_is_not_harmless_is_refused),
		cmocka_unit_test(what_nobody_may_say_is_not_put),
		cmocka_unit_test(what_nobody_may_say_is_refused),
	};

	return cmocka_run_group_tests_name("wire/local", tests, NULL, NULL);
}
