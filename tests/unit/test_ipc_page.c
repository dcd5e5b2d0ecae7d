/*
 * test_ipc_page.c - the shared page: sealed, consistent under a fast writer, and hostile ones refused
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "ipc/page.h"
#include "support/failing_malloc.h"

#define N 5U
#define NOW_NS (1000 * ES_NS_PER_S)
#define PERIOD_NS ES_NS_PER_S
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* Where things are in the memory, by doc/formats.md: words of 8 bytes. */
enum {
	MAGIC,
	SIZE,
	EPOCH,
	COUNT,
	NEWEST,
	ENDED,
	SLOTS = 8,
	SLOT_WORDS = 8 + 6 * N
};
enum {
	SEQUENCE,
	SWEEP,
	PERIOD,
	HAS_NODE,
	NODE_ENERGY,
	NODE_POWER,
	NODE_KIND,
	VALUES = 8
};
#define PAGE_BYTES (8U * (SLOTS + 2 * SLOT_WORDS))

struct fixture {
	struct es_page *page;
	struct es_page_view *view;
	int fd;
	struct es_page_value values[N];
	struct es_page_copy head, copy;
};

static int set_up(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	f->head = (struct es_page_copy){ .sweep_ns = NOW_NS,
					 .period_ns = PERIOD_NS,
					 .has_node = true,
					 .node_uj = 42,
					 .node_mw = 43,
					 .node_kind = "measured" };
	assert_int_equal(es_page_create(N, 99, &f->page, &f->fd, NULL), 0);
	assert_int_equal(es_page_open(f->fd, &f->view, NULL), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_page_close(f->view);
	es_page_destroy(f->page);
	(void)close(f->fd);
	test_free(f);
	return 0;
}

static int copy_at(struct fixture *f, int64_t now_ns)
{
	memset(f->values, 0xee, sizeof(f->values));
	return es_page_copy(f->view, now_ns, f->values, N, &f->copy);
}

static void what_is_written_is_read(void **state)
{
	struct fixture *f = *state;
	struct es_page_value values[N];

	assert_int_equal(es_page_n(f->view), N);
	assert_int_equal(es_page_epoch(f->view), 99);
	for (uint64_t round = 1; round <= 5; round++) {
		memset(values, 0, sizeof(values));
		for (uint32_t i = 0; i < N; i++)
			values[i] = (struct es_page_value){ .t_ns = NOW_NS - i,
							    .width_ns = 7 + i,
							    .energy_uj = UINT64_MAX - round - i,
							    .power_mw = 100 * round + i,
							    .activity_ns = 5 + i,
							    .error = i == 2 ? -EIO : 0,
							    .n_resets = UINT32_MAX - i };
		es_page_write(f->page, values, &f->head);
		assert_int_equal(copy_at(f, NOW_NS), 0);
		assert_memory_equal(f->values, values, sizeof(values));
		assert_int_equal(f->copy.epoch, 99);
		assert_int_equal(f->copy.sequence, 2 * round);
		assert_int_equal(f->copy.n, N);
		assert_int_equal(f->copy.sweep_ns, NOW_NS);
		assert_int_equal(f->copy.period_ns, PERIOD_NS);
		assert_true(f->copy.has_node);
		assert_int_equal(f->copy.node_uj, 42);
		assert_int_equal(f->copy.node_mw, 43);
		assert_string_equal(f->copy.node_kind, "measured");
	}
}

static void a_page_without_a_sweep_has_nothing_yet(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(copy_at(f, NOW_NS), -EAGAIN);
}

static void a_page_of_no_domains_has_the_node(void **state)
{
	struct fixture *f = *state;
	struct es_page *page;
	struct es_page_view *view;
	int fd;

	assert_int_equal(es_page_create(0, 1, &page, &fd, NULL), 0);
	assert_int_equal(es_page_open(fd, &view, NULL), 0);
	es_page_write(page, NULL, &f->head);
	assert_int_equal(es_page_copy(view, NOW_NS, NULL, 0, &f->copy), 0);
	assert_int_equal(f->copy.node_uj, 42);
	es_page_close(view);
	es_page_destroy(page);
	(void)close(fd);
	assert_int_equal(es_page_create(ES_PAGE_DOMAINS_MAX + 1, 1, &page, &fd, NULL), -E2BIG);
}

static void a_page_older_than_three_periods_is_stale(void **state)
{
	struct fixture *f = *state;

	es_page_write(f->page, f->values, &f->head);
	assert_int_equal(copy_at(f, NOW_NS + 3 * PERIOD_NS), 0);
	assert_int_equal(copy_at(f, NOW_NS + 3 * PERIOD_NS + 1), -ESTALE);
	assert_int_equal(f->copy.sweep_ns, NOW_NS);
	es_page_write(f->page, f->values, &f->head);
	assert_int_equal(copy_at(f, NOW_NS), 0);
}

static void who_ends_its_page_says_so(void **state)
{
	struct fixture *f = *state;

	es_page_write(f->page, f->values, &f->head);
	assert_false(es_page_has_ended(f->view));
	es_page_destroy(f->page);
	f->page = NULL;
	assert_true(es_page_has_ended(f->view));
	assert_int_equal(copy_at(f, NOW_NS), -EPIPE);
}

static void too_little_room_is_refused(void **state)
{
	struct fixture *f = *state;

	es_page_write(f->page, f->values, &f->head);
	assert_int_equal(es_page_copy(f->view, NOW_NS, f->values, N - 1, &f->copy), -EBADMSG);
}

static void nobody_changes_its_size_or_writes_to_it(void **state)
{
	struct fixture *f = *state;
	int seals = fcntl(f->fd, F_GET_SEALS);
	void *mine;

	assert_int_equal(seals & SEALS, SEALS);
	assert_int_equal(ftruncate(f->fd, 0), -1);
	assert_int_equal(ftruncate(f->fd, 1 << 20), -1);
	assert_int_equal(fcntl(f->fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	if (!(seals & 0x10)) /* F_SEAL_FUTURE_WRITE: before Linux 5.1 */
		return;
	mine = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
	assert_ptr_equal(mine, MAP_FAILED);
	assert_int_equal(write(f->fd, "x", 1), -1);
	es_page_write(f->page, f->values, &f->head); /* its maker still may */
}

/* Memory of @n bytes with the page's content in it, as a hostile daemon could make it. */
static int forge(const struct fixture *f, size_t n, int seals, const uint64_t *words)
{
	int fd = memfd_create("forged", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	static uint64_t zeros[1024];

	(void)f;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)n), 0);
	assert_true(pwrite(fd, words ? words : zeros, n < PAGE_BYTES ? n : PAGE_BYTES, 0) >= 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static void read_words(const struct fixture *f, uint64_t words[static PAGE_BYTES / 8])
{
	assert_int_equal(pread(f->fd, words, PAGE_BYTES, 0), PAGE_BYTES);
}

static void check_refused(int fd)
{
	struct es_page_view *view = NULL;
	struct es_error err = { .code = 0 };

	assert_int_equal(es_page_open(fd, &view, &err), -EBADMSG);
	assert_true(err.text[0] != '\0');
	assert_null(view);
	(void)close(fd);
}

static void what_is_no_page_is_refused(void **state)
{
	struct fixture *f = *state;
	uint64_t words[PAGE_BYTES / 8], wrong[PAGE_BYTES / 8];
	int pipe_fds[2];

	read_words(f, words);
	check_refused(forge(f, PAGE_BYTES, 0, words)); /* it could shrink under us */
	check_refused(forge(f, PAGE_BYTES, F_SEAL_GROW, words));
	check_refused(forge(f, PAGE_BYTES - 8, SEALS, words));
	check_refused(forge(f, PAGE_BYTES + 4096, SEALS, words));
	check_refused(forge(f, 0, SEALS, words));
	check_refused(forge(f, 1 << 30, SEALS, words)); /* sparse */
	check_refused(forge(f, PAGE_BYTES, SEALS, NULL));
	for (unsigned i = MAGIC; i <= COUNT; i++) {
		memcpy(wrong, words, sizeof(words));
		wrong[i] ^= i == MAGIC ? UINT64_C(1) << 32 : 1;
		if (i != EPOCH)
			check_refused(forge(f, PAGE_BYTES, SEALS, wrong));
	}
	memcpy(wrong, words, sizeof(words));
	wrong[COUNT] = UINT64_MAX / 48; /* its size would overflow */
	check_refused(forge(f, PAGE_BYTES, SEALS, wrong));
	check_refused(open("/dev/zero", O_RDONLY | O_CLOEXEC));
	assert_int_equal(pipe(pipe_fds), 0);
	check_refused(pipe_fds[0]);
	(void)close(pipe_fds[1]);
}

/* A sweep's words as a hostile daemon could set them. */
static int copy_forged(const uint64_t *words)
{
	struct es_page_value values[N];
	struct es_page_copy copy;
	struct es_page_view *view;
	int fd = forge(NULL, PAGE_BYTES, SEALS, words), r;

	assert_int_equal(es_page_open(fd, &view, NULL), 0);
	r = es_page_copy(view, NOW_NS, values, N, &copy);
	es_page_close(view);
	(void)close(fd);
	return r;
}

static void sweeps_that_no_daemon_wrote_are_refused(void **state)
{
	static const struct {
		unsigned word;
		uint64_t value;
		int r;
	} cases[] = {
		{ NEWEST, 1, -EBADMSG },
		{ NEWEST, 4, -EAGAIN }, /* that slot was never finished */
		{ NEWEST, UINT64_MAX - 1, -EAGAIN },
		{ NEWEST, 0, -EAGAIN },
		{ ENDED, 1, -EPIPE },
		{ SLOTS + SLOT_WORDS + SEQUENCE, 1, -EAGAIN }, /* for ever */
		{ SLOTS + SLOT_WORDS + SWEEP, (uint64_t)-1, -EBADMSG },
		{ SLOTS + SLOT_WORDS + SWEEP, INT64_MAX, -EBADMSG },
		{ SLOTS + SLOT_WORDS + SWEEP, 0, -ESTALE },
		{ SLOTS + SLOT_WORDS + PERIOD, 0, -EBADMSG },
		{ SLOTS + SLOT_WORDS + PERIOD, INT64_MAX, -EBADMSG },
		{ SLOTS + SLOT_WORDS + NODE_KIND + 1, UINT64_MAX, -EBADMSG },
		{ SLOTS + SLOT_WORDS + VALUES, (uint64_t)-1, -EBADMSG },
		{ SLOTS + SLOT_WORDS + VALUES + 1, (uint64_t)-1, -EBADMSG },
		{ SLOTS + SLOT_WORDS + VALUES + 4, INT64_MAX, -EBADMSG },
		{ SLOTS + SLOT_WORDS + VALUES + 5, 1, -EBADMSG },
		{ SLOTS + SLOT_WORDS + VALUES + 5, 0x80000000, -EBADMSG },
		{ SLOTS + SLOT_WORDS + VALUES + 2, UINT64_MAX, 0 },
	};
	struct fixture *f = *state;
	uint64_t words[PAGE_BYTES / 8], wrong[PAGE_BYTES / 8];

	es_page_write(f->page, f->values, &f->head);
	read_words(f, words);
	assert_int_equal(copy_forged(words), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(wrong, words, sizeof(words));
		wrong[cases[i].word] = cases[i].value;
		assert_int_equal(copy_forged(wrong), cases[i].r);
	}
}

/* Words of the slot that is being written, up to any point: the other one is whole. */
static void a_writer_that_dies_in_the_middle_leaves_the_sweep_before(void **state)
{
	struct fixture *f = *state;
	uint64_t before[PAGE_BYTES / 8], after[PAGE_BYTES / 8], torn[PAGE_BYTES / 8];
	const unsigned slot = SLOTS; /* of the second sweep */

	f->values[0].energy_uj = 1111;
	es_page_write(f->page, f->values, &f->head);
	read_words(f, before);
	f->values[0].energy_uj = 2222;
	es_page_write(f->page, f->values, &f->head);
	read_words(f, after);
	for (unsigned n = 0; n <= SLOT_WORDS; n++) {
		struct es_page_view *view;
		int fd;

		memcpy(torn, before, sizeof(torn));
		memcpy(torn + slot, after + slot, n * 8);
		torn[slot + SEQUENCE] = 3;
		fd = forge(f, PAGE_BYTES, SEALS, torn);
		assert_int_equal(es_page_open(fd, &view, NULL), 0);
		assert_int_equal(es_page_copy(view, NOW_NS, f->values, N, &f->copy), 0);
		assert_int_equal(f->copy.sequence, 2);
		assert_int_equal(f->values[0].energy_uj, 1111);
		es_page_close(view);
		(void)close(fd);
	}
}

struct race {
	struct es_page *page;
	atomic_bool is_over;
	uint64_t n_written;
};

/* Each sweep has one number all over. */
static void *write_fast(void *arg)
{
	struct race *race = arg;
	struct es_page_value values[N];
	struct es_page_copy head = { .period_ns = PERIOD_NS, .sweep_ns = NOW_NS };

	for (uint64_t i = 1; !atomic_load(&race->is_over); i++) {
		for (unsigned j = 0; j < N; j++)
			values[j] = (struct es_page_value){ .t_ns = (int64_t)i,
							    .width_ns = (int64_t)i,
							    .energy_uj = i,
							    .power_mw = i,
							    .activity_ns = (int64_t)i,
							    .n_resets = (uint32_t)i };
		head.node_uj = i;
		es_page_write(race->page, values, &head);
		race->n_written = i;
	}
	return NULL;
}

static bool is_one_sweep(const struct fixture *f)
{
	uint64_t i = f->copy.node_uj;

	if (f->copy.sequence != 2 * i)
		return false;
	for (unsigned j = 0; j < N; j++) {
		const struct es_page_value *value = &f->values[j];

		if (value->t_ns != (int64_t)i || value->width_ns != (int64_t)i ||
		    value->energy_uj != i || value->power_mw != i ||
		    value->activity_ns != (int64_t)i || value->n_resets != (uint32_t)i)
			return false;
	}
	return true;
}

static void a_copy_is_of_one_sweep_however_fast_they_come(void **state)
{
	struct fixture *f = *state;
	struct race race = { .page = f->page };
	uint64_t last = 0, n_good = 0;
	pthread_t thread;
	int64_t end_ns = es_clock_mono_ns() + 20 * ES_NS_PER_S;

	assert_int_equal(pthread_create(&thread, NULL, write_fast, &race), 0);
	while (n_good < 20000 && es_clock_mono_ns() < end_ns) {
		int r = copy_at(f, NOW_NS);

		/* Against a writer that never rests a reader may lose. */
		assert_true(r == 0 || r == -EAGAIN);
		if (r < 0)
			continue;
		assert_true(is_one_sweep(f));
		assert_true(f->copy.sequence >= last);
		last = f->copy.sequence;
		n_good++;
	}
	atomic_store(&race.is_over, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(n_good > 0);
	assert_int_equal(copy_at(f, NOW_NS), 0);
	assert_int_equal(f->copy.node_uj, race.n_written);
}

static void without_memory_nothing_is_left_behind(void **state)
{
	struct fixture *f = *state;
	struct es_page_view *view = NULL;
	struct es_page *page = NULL;
	int fd = -1;
	long live;

	if (!failing_malloc_works())
		return;
	live = failing_malloc_live();
	failing_malloc_at(1);
	assert_int_equal(es_page_create(N, 1, &page, &fd, NULL), -ENOMEM);
	assert_true(failing_malloc_hit());
	failing_malloc_at(1);
	assert_int_equal(es_page_open(f->fd, &view, NULL), -ENOMEM);
	failing_malloc_at(0);
	assert_int_equal(failing_malloc_live(), live);
	assert_null(page);
	assert_null(view);
	assert_int_equal(fd, -1);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_written_is_read),
		TEST(a_page_without_a_sweep_has_nothing_yet),
		TEST(a_page_of_no_domains_has_the_node),
		TEST(a_page_older_than_three_periods_is_stale),
		TEST(who_ends_its_page_says_so),
		TEST(too_little_room_is_refused),
		TEST(nobody_changes_its_size_or_writes_to_it),
		TEST(what_is_no_page_is_refused),
		TEST(sweeps_that_no_daemon_wrote_are_refused),
		TEST(a_writer_that_dies_in_the_middle_leaves_the_sweep_before),
		TEST(a_copy_is_of_one_sweep_however_fast_they_come),
		TEST(without_memory_nothing_is_left_behind),
	};

	return cmocka_run_group_tests_name("ipc/page", tests, NULL, NULL);
}
