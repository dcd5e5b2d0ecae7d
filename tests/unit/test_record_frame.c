/*
 * test_record_frame.c - checksummed frames: whole, cut off, broken
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "record/frame.h"

static void put_frame(struct es_buf *out, uint32_t number, const char *payload)
{
	size_t at = es_frame_begin(out, ES_FRAME_EVENT, number);

	assert_int_equal(es_buf_str(out, payload), 0);
	assert_int_equal(es_frame_finish(out, at), 0);
}

static void frames_follow_each_other(void **state)
{
	static const char *const payloads[] = { "first", "", "the third, a longer one" };
	struct es_frame frame;
	struct es_buf out;
	size_t at = 0, need;

	(void)state;
	es_buf_init(&out, 1000);
	for (uint32_t i = 0; i < ES_ARRAY_SIZE(payloads); i++)
		put_frame(&out, i + 7, payloads[i]);

	for (uint32_t i = 0; i < ES_ARRAY_SIZE(payloads); i++) {
		assert_int_equal(es_frame_parse(out.data + at, out.len - at, &frame, &need), 0);
		assert_int_equal(frame.type, ES_FRAME_EVENT);
		assert_int_equal(frame.number, i + 7);
		assert_int_equal(frame.payload_bytes, strlen(payloads[i]));
		assert_memory_equal(frame.payload, payloads[i], frame.payload_bytes);
		assert_int_equal(frame.total_bytes, frame.payload_bytes + ES_FRAME_OVERHEAD_BYTES);
		at += frame.total_bytes;
	}
	assert_int_equal(at, out.len);
	es_buf_finish(&out);
}

static void a_frame_that_is_cut_off_says_what_it_needs(void **state)
{
	struct es_frame frame;
	struct es_buf out;

	(void)state;
	es_buf_init(&out, 1000);
	put_frame(&out, 0, "payload");
	for (size_t n = 0; n < out.len; n++) {
		size_t need = 0;

		assert_int_equal(es_frame_parse(out.data, n, &frame, &need), -EAGAIN);
		assert_int_equal(need, n < 16 ? 16 : out.len);
	}
	es_buf_finish(&out);
}

static void each_flipped_bit_is_seen(void **state)
{
	struct es_frame frame;
	struct es_buf out;
	size_t need;

	(void)state;
	es_buf_init(&out, 1000);
	put_frame(&out, 3, "payload");
	for (size_t bit = 0; bit < out.len * 8; bit++) {
		int r;

		out.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
		r = es_frame_parse(out.data, out.len, &frame, &need);
		/* A length that became larger asks for more bytes. */
		assert_true(r == -EBADMSG || (r == -EAGAIN && bit / 8 >= 8 && bit / 8 < 12));
		out.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	es_buf_finish(&out);
}

static void a_length_over_the_limit_is_refused_at_once(void **state)
{
	struct es_frame frame;
	struct es_buf out;
	size_t need;

	(void)state;
	es_buf_init(&out, 1000);
	put_frame(&out, 3, "payload");
	out.data[11] = 2; /* 32 MiB */
	assert_int_equal(es_frame_parse(out.data, 16, &frame, &need), -EBADMSG);
	es_buf_finish(&out);
}

static void a_payload_over_the_limit_is_not_made(void **state)
{
	struct es_buf out;
	size_t at;

	(void)state;
	es_buf_init(&out, ES_FRAME_PAYLOAD_MAX_BYTES * 2);
	at = es_frame_begin(&out, ES_FRAME_BLOCK, 0);
	assert_int_equal(es_buf_reserve(&out, ES_FRAME_PAYLOAD_MAX_BYTES + 100), 0);
	memset(out.data + out.len, 0, ES_FRAME_PAYLOAD_MAX_BYTES + 1);
	out.len += ES_FRAME_PAYLOAD_MAX_BYTES + 1;
	assert_int_equal(es_frame_finish(&out, at), -EMSGSIZE);
	es_buf_reset(&out);

	out.max = 10;
	at = es_frame_begin(&out, ES_FRAME_BLOCK, 0);
	assert_int_equal(es_frame_finish(&out, at), -EMSGSIZE);
	es_buf_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_follow_each_other),
		cmocka_unit_test(a_frame_that_is_cut_off_says_what_it_needs),
		cmocka_unit_test(each_flipped_bit_is_seen),
		cmocka_unit_test(a_length_over_the_limit_is_refused_at_once),
		cmocka_unit_test(a_payload_over_the_limit_is_not_made),
	};

	return cmocka_run_group_tests_name("record/frame", tests, NULL, NULL);
}
