/*
 * test_record_recording.c - reading a recording as far as it is whole
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "record/frame.h"
#include "record/recorder.h"
#include "record/recording.h"
#include "support/folder.h"
#include "support/small_recording.h"

#define FRAMES_MAX 16U

struct place {
	char folder[64], path[96], cut[96];
	uint8_t *bytes; /* of the whole recording */
	size_t n_bytes;
	size_t frame_end[FRAMES_MAX]; /* [0]: of the first frame */
	size_t n_frames;
};

/* What a walk saw. */
struct seen {
	int64_t n_sweeps, n_events, n_clocks;
	uint64_t n_readings, sum;
	int stop_with;
};

static int on_sweep(void *arg, int64_t t_ns)
{
	struct seen *seen = arg;

	assert_true(t_ns == TEST_RECORDING_START_NS + seen->n_sweeps * 100000000);
	seen->n_sweeps++;
	return seen->stop_with;
}

static int on_reading(void *arg, size_t domain, int64_t t_ns, uint64_t value, int64_t activity_ns)
{
	struct seen *seen = arg;
	int64_t i = seen->n_sweeps - 1;

	assert_true(t_ns ==
		    TEST_RECORDING_START_NS + i * 100000000 + (domain == 0 ? 10000 : 20000));
	assert_true(value == (domain == 0 ? (uint64_t)i * 25000000 : 250000 + (uint64_t)i));
	assert_true(activity_ns == (domain == 0 ? 0 : i * 1000));
	seen->n_readings++;
	return 0;
}

static int on_event(void *arg, const struct es_event *event)
{
	struct seen *seen = arg;

	assert_true(event->value == seen->n_events);
	seen->n_events++;
	return 0;
}

static int on_clock(void *arg, int64_t boot_ns, int64_t mono_ns, int64_t unix_ns)
{
	struct seen *seen = arg;

	assert_true(boot_ns == 11 && mono_ns == -22 && unix_ns == 1700000000000000000);
	seen->n_clocks++;
	return 0;
}

static const struct es_visitor visitor = {
	.reading = on_reading,
	.sweep = on_sweep,
	.event = on_event,
	.clock = on_clock,
};

static size_t size_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return (size_t)st.st_size;
}

static void write_all(const char *path, const uint8_t *data, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, n), n);
	assert_int_equal(close(fd), 0);
}

static void read_all(const char *path, uint8_t **ret, size_t *ret_n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	*ret_n = size_of(path);
	*ret = malloc(*ret_n);
	assert_non_null(*ret);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, *ret, *ret_n), *ret_n);
	close(fd);
}

/* meta, sweeps 0..9, event, clock, sweeps 10..24, event, end */
static void record_all(struct place *place)
{
	struct es_event event = { .type = ES_EVENT_NOTE, .t_ns = 5, .text = "note" };
	struct es_recorder *recorder;
	struct es_meta meta;

	assert_int_equal(test_meta(&meta), 0);
	assert_int_equal(es_recorder_create(place->path, false, &meta, &recorder, NULL), 0);
	place->frame_end[place->n_frames++] = size_of(place->path);
	assert_int_equal(test_record_sweeps(recorder, &meta, 0, 10), 0);
	place->frame_end[place->n_frames++] = size_of(place->path);
	assert_int_equal(es_recorder_event(recorder, &event), 0);
	place->frame_end[place->n_frames++] = size_of(place->path);
	assert_int_equal(es_recorder_clock(recorder, 11, -22, 1700000000000000000), 0);
	place->frame_end[place->n_frames++] = size_of(place->path);
	assert_int_equal(test_record_sweeps(recorder, &meta, 10, 15), 0);
	place->frame_end[place->n_frames++] = size_of(place->path);
	event.value = 1;
	assert_int_equal(es_recorder_event(recorder, &event), 0);
	place->frame_end[place->n_frames++] = size_of(place->path);
	event = (struct es_event){ .type = ES_EVENT_END, .t_ns = 9, .value = 2 };
	assert_int_equal(es_recorder_event(recorder, &event), 0);
	place->frame_end[place->n_frames++] = size_of(place->path);
	es_recorder_close(recorder);
	es_meta_finish(&meta);
}

static int make_place(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	assert_int_equal(es_test_folder(place->folder, sizeof(place->folder)), 0);
	snprintf(place->path, sizeof(place->path), "%s/job.esr", place->folder);
	snprintf(place->cut, sizeof(place->cut), "%s/cut.esr", place->folder);
	record_all(place);
	read_all(place->path, &place->bytes, &place->n_bytes);
	*state = place;
	return 0;
}

static int remove_place(void **state)
{
	struct place *place = *state;

	unlink(place->path);
	unlink(place->cut);
	rmdir(place->folder);
	free(place->bytes);
	free(place);
	return 0;
}

static void a_whole_recording_gives_all_in_order_as_often_as_asked(void **state)
{
	const struct place *place = *state;
	struct es_recording *recording;

	assert_int_equal(es_recording_open(place->path, NULL, &recording, NULL), 0);
	assert_string_equal(es_recording_meta(recording)->job, "job-1");
	assert_int_equal(es_recording_meta(recording)->n_domains, 2);
	for (int i = 0; i < 2; i++) {
		struct seen seen = { .stop_with = 0 };

		assert_int_equal(es_recording_walk(recording, &visitor, &seen), 0);
		assert_int_equal(seen.n_sweeps, 25);
		assert_int_equal(seen.n_readings, 25 + 16);
		assert_int_equal(seen.n_events, 3);
		assert_int_equal(seen.n_clocks, 1);
		assert_true(es_recording_is_whole(recording));
		assert_int_equal(es_recording_lost_bytes(recording), 0);
	}
	es_recording_close(recording);
	es_recording_close(NULL);
}

static void nobody_need_be_told(void **state)
{
	static const struct es_visitor nobody = { .reading = NULL };
	const struct place *place = *state;
	struct es_recording *recording;

	assert_int_equal(es_recording_open(place->path, NULL, &recording, NULL), 0);
	assert_int_equal(es_recording_walk(recording, &nobody, NULL), 0);
	assert_true(es_recording_is_whole(recording));
	es_recording_close(recording);
}

static void any_return_of_a_visitor_stops_the_walk(void **state)
{
	static const int codes[] = { -EIO, -ENOMEM, -EBADMSG, -1 };
	const struct place *place = *state;
	struct es_recording *recording;

	assert_int_equal(es_recording_open(place->path, NULL, &recording, NULL), 0);
	for (size_t i = 0; i < ES_ARRAY_SIZE(codes); i++) {
		struct seen seen = { .stop_with = codes[i] };

		assert_int_equal(es_recording_walk(recording, &visitor, &seen), codes[i]);
		assert_int_equal(seen.n_sweeps, 1);
		assert_false(es_recording_is_whole(recording));
	}
	es_recording_close(recording);
}

/* What the frames before @n bytes hold. */
static void expect_cut(const struct place *place, size_t n, const struct seen *seen,
		       uint64_t lost_bytes)
{
	static const struct {
		int64_t n_sweeps, n_events, n_clocks;
	} after[] = {
		{ 0, 0, 0 },  { 10, 0, 0 }, { 10, 1, 0 }, { 10, 1, 1 },
		{ 25, 1, 1 }, { 25, 2, 1 }, { 25, 3, 1 },
	};
	size_t i = 0;

	while (i + 1 < place->n_frames && place->frame_end[i + 1] <= n)
		i++;
	assert_int_equal(seen->n_sweeps, after[i].n_sweeps);
	assert_int_equal(seen->n_events, after[i].n_events);
	assert_int_equal(seen->n_clocks, after[i].n_clocks);
	assert_int_equal(lost_bytes, n - place->frame_end[i]);
}

static void cut_off_at_any_byte_the_frames_before_are_there(void **state)
{
	const struct place *place = *state;

	for (size_t n = 0; n < place->n_bytes; n++) {
		struct seen seen = { .stop_with = 0 };
		struct es_recording *recording;
		struct es_error err = { .code = 0 };
		int r;

		write_all(place->cut, place->bytes, n);
		r = es_recording_open(place->cut, NULL, &recording, &err);
		assert_int_equal(r, n < place->frame_end[0] ? -EBADMSG : 0);
		if (r < 0) {
			assert_non_null(strstr(err.text, n < 8 ? "no recording" : "breaks off"));
			continue;
		}
		assert_int_equal(es_recording_walk(recording, &visitor, &seen), 0);
		assert_false(es_recording_is_whole(recording));
		expect_cut(place, n, &seen, es_recording_lost_bytes(recording));
		es_recording_close(recording);
	}
}

static void frames_cut_off_go_on_in_what_was_kept(void **state)
{
	const struct place *place = *state;

	for (size_t i = 0; i < place->n_frames; i++) {
		size_t at = place->frame_end[i];
		struct seen seen = { .stop_with = 0 };
		struct es_recording *recording;
		struct es_buf kept;

		write_all(place->cut, place->bytes, at);
		es_buf_init(&kept, 1 << 20);
		assert_int_equal(es_buf_append(&kept, place->bytes + at, place->n_bytes - at), 0);
		assert_int_equal(es_recording_open(place->cut, &kept, &recording, NULL), 0);
		assert_int_equal(es_recording_walk(recording, &visitor, &seen), 0);
		assert_true(es_recording_is_whole(recording));
		expect_cut(place, place->n_bytes, &seen, 0);
		es_recording_close(recording);
		es_buf_finish(&kept);
	}
}

static void a_flipped_bit_ends_the_recording_before_its_frame(void **state)
{
	const struct place *place = *state;

	for (size_t bit = 0; bit < place->n_bytes * 8; bit++) {
		size_t byte = bit / 8, i = 0;
		struct seen seen = { .stop_with = 0 };
		struct es_recording *recording;
		struct es_error err = { .code = 0 };
		int r;

		place->bytes[byte] ^= (uint8_t)(1U << bit % 8);
		write_all(place->cut, place->bytes, place->n_bytes);
		place->bytes[byte] ^= (uint8_t)(1U << bit % 8);
		r = es_recording_open(place->cut, NULL, &recording, &err);
		if (byte < place->frame_end[0]) {
			assert_int_equal(r, byte == 7 && bit % 8 > 0 ? -ENOTSUP : -EBADMSG);
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(es_recording_walk(recording, &visitor, &seen), 0);
		while (place->frame_end[i] <= byte)
			i++;
		assert_int_equal(es_recording_lost_bytes(recording),
				 place->n_bytes - place->frame_end[i - 1]);
		assert_false(es_recording_is_whole(recording));
		es_recording_close(recording);
	}
}

static void a_newer_version_is_told(void **state)
{
	const struct place *place = *state;
	struct es_recording *recording = NULL;
	struct es_error err = { .code = 0 };

	place->bytes[7] = 2;
	write_all(place->cut, place->bytes, place->n_bytes);
	assert_int_equal(es_recording_open(place->cut, NULL, &recording, &err), -ENOTSUP);
	assert_null(recording);
	assert_non_null(strstr(err.text, "has format 2, this program reads format 1"));
}

/* A frame of any type and payload behind the first @n_frames. */
static void append_frame(const struct place *place, size_t n_frames, unsigned type,
			 const char *payload, size_t n)
{
	size_t at = place->frame_end[n_frames - 1];
	struct es_buf out;

	es_buf_init(&out, 1 << 20);
	assert_int_equal(es_buf_append(&out, place->bytes, at), 0);
	at = es_frame_begin(&out, (enum es_frame_type)type, 9);
	assert_int_equal(es_buf_append(&out, payload, n), 0);
	assert_int_equal(es_frame_finish(&out, at), 0);
	at = place->frame_end[n_frames - 1];
	assert_int_equal(es_buf_append(&out, place->bytes + at, place->n_bytes - at), 0);
	write_all(place->cut, out.data, out.len);
	es_buf_finish(&out);
}

static void frames_of_a_later_version_are_passed_over(void **state)
{
	const struct place *place = *state;
	struct seen seen = { .stop_with = 0 };
	struct es_recording *recording;

	append_frame(place, 3, 200, "later", 5);
	assert_int_equal(es_recording_open(place->cut, NULL, &recording, NULL), 0);
	assert_int_equal(es_recording_walk(recording, &visitor, &seen), 0);
	assert_int_equal(seen.n_sweeps, 25);
	assert_true(es_recording_is_whole(recording));
	es_recording_close(recording);
}

static void a_frame_that_is_right_with_a_content_that_is_not_ends_the_recording(void **state)
{
	static const struct {
		unsigned type;
		const char *payload;
		size_t n;
	} vectors[] = {
		{ ES_FRAME_BLOCK, "", 0 },
		{ ES_FRAME_BLOCK, "\x02\x01\x00", 3 },
		{ ES_FRAME_EVENT, "short", 5 },
		{ ES_FRAME_END, "short", 5 },
		{ ES_FRAME_CLOCK, "short", 5 },
		{ ES_FRAME_CLOCK,
		  "0000000\x7f"
		  "0000000\x00"
		  "0000000\x00",
		  24 },
	};
	const struct place *place = *state;

	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		struct seen seen = { .stop_with = 0 };
		struct es_recording *recording;

		append_frame(place, 2, vectors[i].type, vectors[i].payload, vectors[i].n);
		assert_int_equal(es_recording_open(place->cut, NULL, &recording, NULL), 0);
		assert_int_equal(es_recording_walk(recording, &visitor, &seen), 0);
		assert_int_equal(seen.n_sweeps, 10);
		assert_int_equal(seen.n_events, 0);
		assert_false(es_recording_is_whole(recording));
		assert_int_equal(es_recording_lost_bytes(recording),
				 place->n_bytes - place->frame_end[1] + vectors[i].n +
					 ES_FRAME_OVERHEAD_BYTES);
		es_recording_close(recording);
	}
}

static void what_is_no_recording_is_told(void **state)
{
	const struct place *place = *state;
	struct es_recording *recording = NULL;
	struct es_error err = { .code = 0 };

	assert_int_equal(es_recording_open("/nowhere/at/all", NULL, &recording, &err), -ENOENT);
	assert_int_equal(es_recording_open(place->folder, NULL, &recording, &err), -EINVAL);
	assert_int_equal(mkfifo(place->cut, 0600), 0);
	assert_int_equal(es_recording_open(place->cut, NULL, &recording, &err), -EINVAL);
	assert_int_equal(unlink(place->cut), 0);
	write_all(place->cut, (const uint8_t *)"time,power\n1,2\n", 15);
	assert_int_equal(es_recording_open(place->cut, NULL, &recording, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "is no recording of energyscopium"));

	/* the description is there, but wrong */
	assert_int_equal(truncate(place->cut, 0), 0);
	{
		struct es_buf out;
		size_t at;

		es_buf_init(&out, 1000);
		assert_int_equal(es_buf_append(&out, place->bytes, ES_RECORD_HEADER_BYTES), 0);
		at = es_frame_begin(&out, ES_FRAME_META, 0);
		assert_int_equal(es_buf_str(&out, "{\"schema\":\"other\"}"), 0);
		assert_int_equal(es_frame_finish(&out, at), 0);
		write_all(place->cut, out.data, out.len);
		es_buf_finish(&out);
	}
	assert_int_equal(es_recording_open(place->cut, NULL, &recording, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "its schema is 'other'"));
	assert_null(recording);
}

static void a_recording_that_grows_is_read_as_it_was_when_opened(void **state)
{
	const struct place *place = *state;
	struct seen seen = { .stop_with = 0 };
	struct es_recording *recording;

	write_all(place->cut, place->bytes, place->frame_end[1]);
	assert_int_equal(es_recording_open(place->cut, NULL, &recording, NULL), 0);
	write_all(place->cut, place->bytes, place->n_bytes);
	assert_int_equal(es_recording_walk(recording, &visitor, &seen), 0);
	assert_int_equal(seen.n_sweeps, 10);
	es_recording_close(recording);
}

static void a_recording_that_shrinks_breaks_off(void **state)
{
	const struct place *place = *state;
	struct seen seen = { .stop_with = 0 };
	struct es_recording *recording;

	write_all(place->cut, place->bytes, place->n_bytes);
	assert_int_equal(es_recording_open(place->cut, NULL, &recording, NULL), 0);
	assert_int_equal(truncate(place->cut, (off_t)place->frame_end[1] + 3), 0);
	assert_int_equal(es_recording_walk(recording, &visitor, &seen), 0);
	assert_false(es_recording_is_whole(recording) && es_recording_lost_bytes(recording) > 0);
	es_recording_close(recording);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_whole_recording_gives_all_in_order_as_often_as_asked),
		TEST(nobody_need_be_told),
		TEST(any_return_of_a_visitor_stops_the_walk),
		TEST(cut_off_at_any_byte_the_frames_before_are_there),
		TEST(frames_cut_off_go_on_in_what_was_kept),
		TEST(a_flipped_bit_ends_the_recording_before_its_frame),
		TEST(a_newer_version_is_told),
		TEST(frames_of_a_later_version_are_passed_over),
		TEST(a_frame_that_is_right_with_a_content_that_is_not_ends_the_recording),
		TEST(what_is_no_recording_is_told),
		TEST(a_recording_that_grows_is_read_as_it_was_when_opened),
		TEST(a_recording_that_shrinks_breaks_off),
	};

	return cmocka_run_group_tests_name("record/recording", tests, NULL, NULL);
}
