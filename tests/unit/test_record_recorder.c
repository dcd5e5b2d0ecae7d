/*
 * test_record_recorder.c - writing a recording: its file, and a disk that takes nothing
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/recorder.h"
#include "record/recording.h"
#include "support/small_recording.h"

struct place {
	char folder[64], path[96], other[96];
	struct es_meta meta;
};

static int make_place(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	snprintf(place->folder, sizeof(place->folder), "/tmp/es-recorder-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	snprintf(place->path, sizeof(place->path), "%s/job.esr", place->folder);
	snprintf(place->other, sizeof(place->other), "%s/other", place->folder);
	assert_int_equal(test_meta(&place->meta), 0);
	*state = place;
	return 0;
}

static int remove_place(void **state)
{
	struct place *place = *state;

	unlink(place->path);
	unlink(place->other);
	rmdir(place->folder);
	es_meta_finish(&place->meta);
	free(place);
	return 0;
}

static int count_sweep(void *arg, int64_t t_ns)
{
	int64_t *n = arg;

	assert_true(t_ns == TEST_RECORDING_START_NS + *n * 100000000);
	(*n)++;
	return 0;
}

static int64_t n_sweeps(const char *path, const struct es_buf *kept, bool *ret_is_whole)
{
	static const struct es_visitor visitor = { .sweep = count_sweep };
	struct es_recording *recording;
	int64_t n = 0;

	assert_int_equal(es_recording_open(path, kept, &recording, NULL), 0);
	assert_int_equal(es_recording_walk(recording, &visitor, &n), 0);
	assert_int_equal(es_recording_lost_bytes(recording), 0);
	*ret_is_whole = es_recording_is_whole(recording);
	es_recording_close(recording);
	return n;
}

static void a_file_is_its_owners_alone(void **state)
{
	const struct place *place = *state;
	struct es_recorder *recorder;
	mode_t mask = umask(0);
	struct stat st;

	assert_int_equal(es_recorder_create(place->path, false, &place->meta, &recorder, NULL), 0);
	umask(mask);
	assert_int_equal(stat(place->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(es_recorder_sync(recorder), 0);
	es_recorder_close(recorder);

	/* Also one that replaces a file that others could read. */
	assert_int_equal(chmod(place->path, 0644), 0);
	assert_int_equal(es_recorder_create(place->path, true, &place->meta, &recorder, NULL), 0);
	assert_int_equal(stat(place->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	es_recorder_close(recorder);
	es_recorder_close(NULL);
}

static void a_file_that_is_being_written_is_not_replaced(void **state)
{
	const struct place *place = *state;
	struct es_recorder *recorder, *another;
	struct es_error err = { .code = 0 };
	struct stat before, after;

	assert_int_equal(es_recorder_create(place->path, false, &place->meta, &recorder, NULL), 0);
	assert_int_equal(stat(place->path, &before), 0);
	assert_int_equal(es_recorder_create(place->path, true, &place->meta, &another, &err),
			 -EBUSY);
	assert_non_null(strstr(err.text, "another process"));
	assert_int_equal(stat(place->path, &after), 0);
	assert_int_equal(after.st_size, before.st_size);

	es_recorder_close(recorder);
	assert_int_equal(es_recorder_create(place->path, true, &place->meta, &another, &err), 0);
	es_recorder_close(another);
}

static void an_existing_file_is_kept_unless_it_may_be_replaced(void **state)
{
	const struct place *place = *state;
	struct es_error err = { .code = 0 };
	struct es_recorder *recorder = NULL;
	bool is_whole;

	assert_int_equal(es_recorder_create(place->path, false, &place->meta, &recorder, NULL), 0);
	assert_int_equal(test_record_sweeps(recorder, &place->meta, 0, 5), 0);
	es_recorder_close(recorder);
	recorder = NULL;

	assert_int_equal(es_recorder_create(place->path, false, &place->meta, &recorder, &err),
			 -EEXIST);
	assert_null(recorder);
	assert_non_null(strstr(err.text, "File exists"));
	assert_int_equal(n_sweeps(place->path, NULL, &is_whole), 5);

	assert_int_equal(es_recorder_create(place->path, true, &place->meta, &recorder, &err), 0);
	es_recorder_close(recorder);
	assert_int_equal(n_sweeps(place->path, NULL, &is_whole), 0);
}

static void links_and_what_is_no_file_are_refused(void **state)
{
	const struct place *place = *state;
	struct es_recorder *recorder = NULL;
	struct es_error err = { .code = 0 };

	for (int may_replace = 0; may_replace < 2; may_replace++) {
		assert_int_equal(symlink(place->other, place->path), 0);
		assert_true(es_recorder_create(place->path, may_replace, &place->meta, &recorder,
					       &err) < 0);
		assert_int_equal(access(place->other, F_OK), -1);
		assert_int_equal(unlink(place->path), 0);

		/* A FIFO nobody reads, and one that somebody does: neither makes us wait. */
		assert_int_equal(mkfifo(place->path, 0600), 0);
		assert_true(es_recorder_create(place->path, may_replace, &place->meta, &recorder,
					       &err) < 0);
		assert_int_equal(unlink(place->path), 0);
		assert_true(es_recorder_create(place->folder, may_replace, &place->meta, &recorder,
					       &err) < 0);
	}
	assert_int_equal(mkfifo(place->other, 0600), 0);
	int fd = open(place->other, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(es_recorder_create(place->other, true, &place->meta, &recorder, &err),
			 -EINVAL);
	close(fd);
	assert_int_equal(es_recorder_create("/nowhere/at/all", true, &place->meta, &recorder, &err),
			 -ENOENT);
	assert_null(recorder);
}

static void set_file_limit(rlim_t n_bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = n_bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static rlim_t file_size(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return (rlim_t)st.st_size;
}

static void what_a_full_disk_does_not_take_is_kept_and_read(void **state)
{
	const struct place *place = *state;
	const struct es_event end = { .type = ES_EVENT_END, .t_ns = 5 };
	struct es_recorder *recorder;
	bool is_whole;
	rlim_t size;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(es_recorder_create(place->path, false, &place->meta, &recorder, NULL), 0);
	assert_int_equal(test_record_sweeps(recorder, &place->meta, 0, 10), 0);
	assert_int_equal(es_recorder_problem(recorder), 0);
	size = file_size(place->path);

	/* Room for half a frame: it is written whole or not at all. */
	set_file_limit(size + 30);
	for (int64_t i = 1; i < 4; i++)
		assert_int_equal(test_record_sweeps(recorder, &place->meta, i * 10, 10), 0);
	assert_int_equal(es_recorder_event(recorder, &end), 0);
	set_file_limit(RLIM_INFINITY);
	assert_int_equal(es_recorder_problem(recorder), -EFBIG);
	assert_int_equal(file_size(place->path), size);
	assert_true(es_recorder_kept(recorder)->len > 0);

	assert_int_equal(n_sweeps(place->path, NULL, &is_whole), 10);
	assert_false(is_whole);
	assert_int_equal(n_sweeps(place->path, es_recorder_kept(recorder), &is_whole), 40);
	assert_true(is_whole);
	es_recorder_close(recorder);
}

static void what_was_kept_is_written_when_there_is_room_again(void **state)
{
	const struct place *place = *state;
	struct es_recorder *recorder;
	bool is_whole;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(es_recorder_create(place->path, false, &place->meta, &recorder, NULL), 0);
	set_file_limit(file_size(place->path));
	assert_int_equal(test_record_sweeps(recorder, &place->meta, 0, 10), 0);
	assert_int_equal(es_recorder_clock(recorder, 1, 2, 3), 0);
	set_file_limit(RLIM_INFINITY);
	assert_int_equal(es_recorder_problem(recorder), -EFBIG);

	assert_int_equal(test_record_sweeps(recorder, &place->meta, 10, 10), 0);
	assert_int_equal(es_recorder_problem(recorder), 0);
	assert_int_equal(es_recorder_kept(recorder)->len, 0);
	assert_int_equal(n_sweeps(place->path, NULL, &is_whole), 20);
	es_recorder_close(recorder);
}

/* However much is kept, the oldest frames go first, and what has no room yet stays. */
static void a_little_room_takes_the_oldest_frames(void **state)
{
	const struct place *place = *state;
	struct es_recorder *recorder;
	bool is_whole;
	size_t n_kept;
	rlim_t size;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(es_recorder_create(place->path, false, &place->meta, &recorder, NULL), 0);
	size = file_size(place->path);
	set_file_limit(size);
	for (int64_t i = 0; i < 8; i++)
		assert_int_equal(test_record_sweeps(recorder, &place->meta, i * 10, 10), 0);
	n_kept = es_recorder_kept(recorder)->len;
	set_file_limit(size + n_kept / 2);
	assert_int_equal(test_record_sweeps(recorder, &place->meta, 80, 10), 0);
	set_file_limit(RLIM_INFINITY);
	assert_int_equal(es_recorder_problem(recorder), -EFBIG);

	assert_in_range(n_sweeps(place->path, NULL, &is_whole), 30, 40);
	assert_true(es_recorder_kept(recorder)->len < n_kept);
	assert_int_equal(n_sweeps(place->path, es_recorder_kept(recorder), &is_whole), 90);
	es_recorder_close(recorder);
}

static void a_disk_that_is_full_at_the_start_is_told(void **state)
{
	const struct place *place = *state;
	struct es_recorder *recorder = NULL;
	struct es_error err = { .code = 0 };

	signal(SIGXFSZ, SIG_IGN);
	set_file_limit(100);
	assert_int_equal(es_recorder_create(place->path, false, &place->meta, &recorder, &err),
			 -EFBIG);
	set_file_limit(RLIM_INFINITY);
	assert_null(recorder);
	assert_int_equal(access(place->path, F_OK), -1);
}

static void a_description_that_cannot_be_written_is_told(void **state)
{
	struct place *place = *state;
	struct es_recorder *recorder = NULL;
	struct es_error err = { .code = 0 };

	place->meta.domains[0].peak_mw = UINT64_MAX;
	assert_int_equal(es_recorder_create(place->path, false, &place->meta, &recorder, &err),
			 -ERANGE);
	assert_null(recorder);
	assert_int_equal(access(place->path, F_OK), -1);
}

static void frames_of_the_reserved_size_take_no_memory(void **state)
{
	const struct place *place = *state;
	struct es_recorder *recorder;
	struct es_rows rows;

	assert_int_equal(es_recorder_create(place->path, false, &place->meta, &recorder, NULL), 0);
	assert_int_equal(es_rows_init(&rows, place->meta.domains, 2, 1000), 0);
	assert_int_equal(es_recorder_reserve(recorder, &rows), 0);
	assert_int_equal(es_recorder_rows(recorder, &rows), 0);
	assert_int_equal(file_size(place->path) > 0, 1);
	es_rows_finish(&rows);
	es_recorder_close(recorder);
}

/* The bytes of a whole file; *ret_n of them. */
static uint8_t *slurp(const char *path, size_t *ret_n)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data;

	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	*ret_n = (size_t)ftell(file);
	rewind(file);
	data = malloc(*ret_n + 1);
	assert_non_null(data);
	assert_int_equal(fread(data, 1, *ret_n, file), *ret_n);
	assert_int_equal(fclose(file), 0);
	return data;
}

static void put(const char *path, const uint8_t *data, size_t n)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, n, file), n);
	assert_int_equal(fclose(file), 0);
}

/* Ten sweeps in frames of one, the last of them cut at each of its bytes: nine are gone on with, and nothing is between. */
static void a_torn_tail_is_cut_at_each_of_its_bytes(void **state)
{
	const struct place *place = *state;
	struct es_recorder *recorder;
	size_t n = 0, n_before = 0;
	uint8_t *data;
	bool is_whole;

	assert_int_equal(es_recorder_create(place->path, false, &place->meta, &recorder, NULL), 0);
	for (int64_t i = 0; i < 10; i++) {
		n_before = (size_t)es_recorder_bytes(recorder);
		assert_int_equal(test_record_sweeps(recorder, &place->meta, i, 1), 0);
	}
	es_recorder_close(recorder);
	data = slurp(place->path, &n);

	for (size_t cut = n_before; cut <= n; cut++) {
		int64_t next = cut == n ? 10 : 9;

		put(place->other, data, cut);
		assert_int_equal(es_recorder_reopen(place->other, &place->meta, NULL, NULL,
						    &recorder, NULL),
				 0);
		assert_int_equal(test_record_sweeps(recorder, &place->meta, next, 2), 0);
		es_recorder_close(recorder);
		assert_int_equal(n_sweeps(place->other, NULL, &is_whole), next + 2);
	}
	free(data);
}

static int count_event(void *arg, const struct es_event *event)
{
	*(unsigned *)arg += event->type == ES_EVENT_TAG_START;
	return 0;
}

static void what_is_in_it_already_is_told(void **state)
{
	static const struct es_visitor visitor = { .event = count_event };
	const struct es_event event = { .type = ES_EVENT_TAG_START,
					.t_ns = TEST_RECORDING_START_NS,
					.text = "step 0" };
	const struct place *place = *state;
	struct es_recorder *recorder;
	unsigned n = 0;

	assert_int_equal(es_recorder_create(place->path, false, &place->meta, &recorder, NULL), 0);
	assert_int_equal(es_recorder_event(recorder, &event), 0);
	es_recorder_close(recorder);
	assert_int_equal(
		es_recorder_reopen(place->path, &place->meta, &visitor, &n, &recorder, NULL), 0);
	es_recorder_close(recorder);
	assert_int_equal(n, 1);
}

/* What cannot be gone on with stays as it is, to the byte. */
static void what_is_no_such_recording_is_not_changed(void **state)
{
	struct place *place = *state;
	const struct es_event end = { .type = ES_EVENT_END, .t_ns = TEST_RECORDING_START_NS };
	struct es_recorder *recorder, *another;
	struct es_error err = { .code = 0 };
	struct stat st;
	size_t n = 0;
	uint8_t *data;

	assert_int_equal(es_recorder_reopen(place->path, &place->meta, NULL, NULL, &recorder, NULL),
			 -ENOENT);
	put(place->path, (const uint8_t *)"ESREC", 5);
	assert_int_equal(es_recorder_reopen(place->path, &place->meta, NULL, NULL, &recorder, NULL),
			 -EBADMSG);
	assert_int_equal(stat(place->path, &st), 0);
	assert_int_equal(st.st_size, 5);
	assert_int_equal(es_recorder_create(place->path, true, &place->meta, &recorder, NULL), 0);
	assert_int_equal(es_recorder_reopen(place->path, &place->meta, NULL, NULL, &another, &err),
			 -EBUSY);
	es_recorder_close(recorder);

	snprintf(place->meta.boot_id, sizeof(place->meta.boot_id), "another");
	assert_int_equal(es_recorder_reopen(place->path, &place->meta, NULL, NULL, &another, &err),
			 -ESTALE);
	assert_non_null(strstr(err.text, "another boot"));
	place->meta.boot_id[0] = '\0';
	place->meta.n_domains--;
	assert_int_equal(es_recorder_reopen(place->path, &place->meta, NULL, NULL, &another, &err),
			 -ESTALE);
	place->meta.n_domains++;

	assert_int_equal(es_recorder_reopen(place->path, &place->meta, NULL, NULL, &recorder, &err),
			 0);
	assert_int_equal(es_recorder_event(recorder, &end), 0);
	es_recorder_close(recorder);
	data = slurp(place->path, &n);
	assert_int_equal(es_recorder_reopen(place->path, &place->meta, NULL, NULL, &recorder, &err),
			 -EALREADY);
	assert_int_equal(stat(place->path, &st), 0);
	assert_int_equal((size_t)st.st_size, n);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_is_its_owners_alone, make_place,
						remove_place),
		cmocka_unit_test_setup_teardown(a_file_that_is_being_written_is_not_replaced,
						make_place, remove_place),
		cmocka_unit_test_setup_teardown(an_existing_file_is_kept_unless_it_may_be_replaced,
						make_place, remove_place),
		cmocka_unit_test_setup_teardown(links_and_what_is_no_file_are_refused, make_place,
						remove_place),
		cmocka_unit_test_setup_teardown(what_a_full_disk_does_not_take_is_kept_and_read,
						make_place, remove_place),
		cmocka_unit_test_setup_teardown(what_was_kept_is_written_when_there_is_room_again,
						make_place, remove_place),
		cmocka_unit_test_setup_teardown(a_little_room_takes_the_oldest_frames, make_place,
						remove_place),
		cmocka_unit_test_setup_teardown(a_disk_that_is_full_at_the_start_is_told,
						make_place, remove_place),
		cmocka_unit_test_setup_teardown(a_description_that_cannot_be_written_is_told,
						make_place, remove_place),
		cmocka_unit_test_setup_teardown(a_torn_tail_is_cut_at_each_of_its_bytes, make_place,
						remove_place),
		cmocka_unit_test_setup_teardown(what_is_in_it_already_is_told, make_place,
						remove_place),
		cmocka_unit_test_setup_teardown(what_is_no_such_recording_is_not_changed,
						make_place, remove_place),
		cmocka_unit_test_setup_teardown(frames_of_the_reserved_size_take_no_memory,
						make_place, remove_place),
	};

	return cmocka_run_group_tests_name("record/recorder", tests, NULL, NULL);
}
