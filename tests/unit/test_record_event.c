/*
 * test_record_event.c - events into bytes and back
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "record/event.h"

static void an_event_comes_back(void **state)
{
	static const struct es_event events[] = {
		{ .type = ES_EVENT_COMMAND_START, .t_ns = 123456789012345, .value = 4711 },
		{ .type = ES_EVENT_TAG_START, .t_ns = -5, .value = 0, .text = "phase \xc3\xa9" },
		{ .type = UINT32_MAX, .t_ns = ES_TIME_MAX_NS, .value = INT64_MIN, .text = "new" },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(events); i++) {
		struct es_event back;
		struct es_buf out;

		es_buf_init(&out, 1000);
		assert_int_equal(es_event_put(&events[i], &out), 0);
		assert_int_equal(es_event_get(out.data, out.len, &back), 0);
		assert_true(back.type == events[i].type && back.t_ns == events[i].t_ns &&
			    back.value == events[i].value);
		assert_string_equal(back.text, events[i].text);
		es_buf_finish(&out);
	}
}

static void bytes_that_are_no_event_are_refused(void **state)
{
	struct es_event event = { .type = ES_EVENT_NOTE, .value = 1 }, back = { .type = 99 };
	struct es_buf out;

	(void)state;
	memset(event.text, 'x', sizeof(event.text) - 1);
	es_buf_init(&out, 1000);
	assert_int_equal(es_event_put(&event, &out), 0);
	assert_int_equal(es_event_get(out.data, out.len, &back), 0);
	for (size_t n = 0; n < 20; n++)
		assert_int_equal(es_event_get(out.data, n, &back), -EBADMSG);

	/* too long, a NUL inside, a time no clock shows */
	assert_int_equal(es_buf_u8(&out, 'x'), 0);
	assert_int_equal(es_event_get(out.data, out.len, &back), -EBADMSG);
	out.data[30] = 0;
	assert_int_equal(es_event_get(out.data, 100, &back), -EBADMSG);
	out.data[30] = 'x';
	out.data[11] = 0x7f;
	assert_int_equal(es_event_get(out.data, 100, &back), -EBADMSG);
	out.data[11] = 0x80;
	assert_int_equal(es_event_get(out.data, 100, &back), -EBADMSG);
	es_buf_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_comes_back),
		cmocka_unit_test(bytes_that_are_no_event_are_refused),
	};

	return cmocka_run_group_tests_name("record/event", tests, NULL, NULL);
}
