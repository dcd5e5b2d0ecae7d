/*
 * test_record_signals.c - what is recorded beside energy: into frames and back, cut off anywhere, and from hostile files
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "record/recorder.h"
#include "record/recording.h"
#include "support/folder.h"
#include "support/small_recording.h"

#define S ES_NS_PER_S
#define START_NS TEST_RECORDING_START_NS
#define SEEN_MAX 64

struct seen {
	size_t n;
	struct {
		size_t signal;
		int64_t t_ns;
		uint64_t value;
	} values[SEEN_MAX];
};

static int see(void *arg, size_t signal, int64_t t_ns, uint64_t value)
{
	struct seen *seen = arg;

	assert_true(seen->n < SEEN_MAX);
	seen->values[seen->n].signal = signal;
	seen->values[seen->n].t_ns = t_ns;
	seen->values[seen->n++].value = value;
	return 0;
}

static void values_come_back_with_their_times_and_what_failed_does_not(void **state)
{
	const struct es_signal_value values[] = {
		{ .t_ns = START_NS + 1000, .value = 0 },
		{ .t_ns = START_NS + 1400, .value = (uint64_t)INT64_MAX - 1 },
		{ .error = -EIO },
		{ .t_ns = START_NS + 1000, .value = 1410000 },
		{ .t_ns = START_NS + 2 * S, .value = 7 },
		{ .t_ns = -5000, .value = 9 },
		{ .t_ns = START_NS, .value = (uint64_t)INT64_MAX }, /* no row could hold it */
		{ .t_ns = INT64_MAX, .value = 1 }, /* no clock shows it */
		{ .t_ns = START_NS, .error = -ECANCELED },
	};
	struct seen seen = { .n = 0 };
	struct es_buf out;

	(void)state;
	es_buf_init(&out, 4096);
	assert_int_equal(es_signals_encode(values, ES_ARRAY_SIZE(values), &out), 0);
	assert_int_equal(es_signals_check(out.data, out.len, ES_ARRAY_SIZE(values)), 0);
	assert_int_equal(es_signals_decode(out.data, out.len, ES_ARRAY_SIZE(values), see, &seen),
			 0);

	assert_int_equal(seen.n, 5);
	assert_int_equal(seen.values[0].value, 0);
	assert_true(seen.values[1].value == (uint64_t)INT64_MAX - 1);
	assert_true(seen.values[1].t_ns == START_NS + 1000);
	assert_int_equal(seen.values[2].signal, 3);
	assert_int_equal(seen.values[2].value, 1410000);
	assert_true(seen.values[3].signal == 4 && seen.values[3].t_ns == START_NS + 2 * S);
	assert_true(seen.values[4].signal == 5 && seen.values[4].t_ns == -5000);
	/* A second of one GPU takes some twenty bytes. */
	es_buf_reset(&out);
	assert_int_equal(es_signals_encode(values, 1, &out), 0);
	assert_in_range(out.len, 1, 12);
	es_buf_finish(&out);
}

static void payloads_that_cannot_be_are_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} vectors[] = {
		{ "\x02", 1 }, /* cut off */
		{ "\x02\x00", 2 },
		{ "\x02\x00\x01", 3 },
		{ "\x02\x00\x00", 3 }, /* a run of nothing */
		{ "\x02\x02\x01\x05", 4 }, /* there are two signals only */
		{ "\x02\x00\x03\x05\x05\x05", 6 },
		{ "\x02\x01\x02\x05\x05", 5 },
		{ "\x02\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x05", 13 },
		{ "\x02\x00\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
		  13 }, /* too large a value */
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00\x01\x05", 13 }, /* and time */
		{ "\x02\x00\x01\x80", 4 },
	};

	(void)state;
	assert_int_equal(es_signals_check("\x02\x00\x02\x05\x00", 5, 2), 0);
	assert_int_equal(es_signals_check("", 0, 0), 0);
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++)
		assert_int_equal(es_signals_check(vectors[i].bytes, vectors[i].n, 2), -EBADMSG);
}

static void descriptions_come_back_and_hostile_ones_are_refused(void **state)
{
#define HEAD "{\"schema\":\"energyscopium.recording/1\",\"nodes\":[{\"name\":\"n\"}],\"signals\":["
	static const struct {
		const char *text, *says;
	} vectors[] = {
		{ HEAD "5]}", "'kind'" },
		{ HEAD "{\"id\":\"a\",\"name\":\"a\",\"kind\":\"level\"}]}", "'kind'" },
		{ HEAD "{\"name\":\"a\",\"kind\":\"gauge\"}]}", "'name'" },
		{ HEAD "{\"id\":\"a\",\"kind\":\"gauge\"}]}", "'name'" },
		{ HEAD "{\"id\":\"a\",\"name\":\"a\",\"kind\":\"gauge\",\"node\":1}]}", "'node'" },
		{ HEAD
		  "{\"id\":\"a\",\"name\":\"0123456789012345678901234567890123\",\"kind\":\"gauge\"}]}",
		  "'name'" },
		{ HEAD
		  "{\"id\":\"a\",\"name\":\"a\",\"unit\":\"furlongs/fortnight\",\"kind\":\"gauge\"}]}",
		  "'unit'" },
	};
	struct es_meta meta, back;
	struct es_signal signal;
	struct es_buf out;
	char flag[32];

	(void)state;
	assert_int_equal(test_meta(&meta), 0);
	es_signal_init(&signal, "nvml", "gpu-3", ES_SIGNAL_THROTTLE, ES_SIGNAL_FLAGS_UNIT,
		       ES_SIGNAL_FLAGS);
	(void)snprintf(signal.flags, sizeof(signal.flags), "%s", es_throttle_flags());
	assert_int_equal(es_meta_add_signal(&meta, &signal), 0);
	es_buf_init(&out, 1 << 20);
	assert_int_equal(es_meta_write(&meta, &out), 0);
	assert_int_equal(es_meta_read((const char *)out.data, out.len, &back, NULL), 0);
	assert_int_equal(back.n_signals, 1);
	assert_string_equal(back.signals[0].id, "nvml/gpu-3:throttle");
	assert_string_equal(back.signals[0].device, "gpu-3");
	assert_string_equal(back.signals[0].unit, "flags");
	assert_int_equal(back.signals[0].kind, ES_SIGNAL_FLAGS);
	assert_true(es_signal_flag(&back.signals[0], ES_THROTTLE_POWER_BRAKE, flag));
	assert_string_equal(flag, "power_brake");
	assert_true(es_signal_flag(&back.signals[0], ES_N_THROTTLES - 1, flag));
	assert_string_equal(flag, "other");
	assert_false(es_signal_flag(&back.signals[0], ES_N_THROTTLES, flag));
	es_meta_finish(&back);
	es_meta_finish(&meta);
	es_buf_finish(&out);
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		struct es_error err = { .code = 0 };

		assert_int_equal(es_meta_read(vectors[i].text, strlen(vectors[i].text), &back,
					      &err),
				 -EBADMSG);
		if (!strstr(err.text, vectors[i].says))
			fail_msg("%zu: %s", i, err.text);
	}
}

static void too_many_signals_are_refused(void **state)
{
	static const char one[] = "{\"id\":\"a\",\"name\":\"a\",\"kind\":\"gauge\"},";
	const size_t n_bytes = sizeof(HEAD) + (ES_SIGNALS_MAX + 2) * sizeof(one);
	char *text = malloc(n_bytes), *p = text;
	struct es_meta meta;

	(void)state;
	assert_non_null(text);
	p += sprintf(p, "%s", HEAD);
	for (unsigned i = 0; i <= ES_SIGNALS_MAX; i++)
		p += sprintf(p, "%s", one);
	p[-1] = ']';
	p += sprintf(p, "}");
	assert_int_equal(es_meta_read(text, (size_t)(p - text), &meta, NULL), -E2BIG);
	free(text);
}

/* A description, ten seconds of two signals, each second a frame of its own, and an end. */
static void record(const char *path, size_t n_signals)
{
	struct es_recorder *recorder;
	struct es_signal signal;
	struct es_meta meta;

	assert_int_equal(test_meta(&meta), 0);
	es_signal_init(&signal, "nvml", "gpu-0", ES_SIGNAL_SM_CLOCK, ES_SIGNAL_KHZ,
		       ES_SIGNAL_GAUGE);
	for (size_t i = 0; i < n_signals; i++)
		assert_int_equal(es_meta_add_signal(&meta, &signal), 0);
	assert_int_equal(es_recorder_create(path, false, &meta, &recorder, NULL), 0);
	for (int64_t i = 0; i < 10; i++) {
		const struct es_signal_value values[] = {
			{ .t_ns = START_NS + i * S, .value = 1000 + (uint64_t)i },
			{ .t_ns = START_NS + i * S, .value = 5, .error = i % 2 ? -EIO : 0 },
		};

		assert_int_equal(test_record_sweeps(recorder, &meta, i * 10, 10), 0);
		assert_int_equal(es_recorder_signals(recorder, values, 2), 0);
	}
	assert_int_equal(es_recorder_problem(recorder), 0);
	es_recorder_close(recorder);
	es_meta_finish(&meta);
}

static size_t walk(const char *path, struct seen *seen)
{
	static const struct es_visitor visitor = { .signal = see };
	struct es_recording *recording;
	size_t lost;

	seen->n = 0;
	assert_int_equal(es_recording_open(path, NULL, &recording, NULL), 0);
	assert_int_equal(es_recording_walk(recording, &visitor, seen), 0);
	lost = (size_t)es_recording_lost_bytes(recording);
	es_recording_close(recording);
	return lost;
}

static void a_recording_cut_off_anywhere_keeps_the_whole_seconds_before(void **state)
{
	char folder[64], path[96];
	struct seen seen;
	off_t n_bytes;
	size_t most = SEEN_MAX;

	(void)state;
	assert_int_equal(es_test_folder(folder, sizeof(folder)), 0);
	(void)snprintf(path, sizeof(path), "%s/j.esr", folder);
	record(path, 2);
	assert_int_equal(walk(path, &seen), 0);
	assert_int_equal(seen.n, 15);
	assert_int_equal(seen.values[14].value, 1009);
	{
		FILE *file = fopen(path, "rb");

		assert_non_null(file);
		assert_int_equal(fseek(file, 0, SEEK_END), 0);
		n_bytes = ftell(file);
		(void)fclose(file);
	}
	/* Ever shorter, down to its description: never more values than before, and those there are right. */
	for (; n_bytes > 1600; n_bytes -= 7) {
		assert_int_equal(truncate(path, n_bytes), 0);
		(void)walk(path, &seen);
		assert_true(seen.n <= most);
		most = seen.n;
		for (size_t i = 0; i < seen.n; i++)
			assert_true(seen.values[i].value ==
				    (seen.values[i].signal
					     ? 5
					     : 1000 + (uint64_t)(seen.values[i].t_ns - START_NS) /
							       (uint64_t)S));
	}
	assert_true(most < 5);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void signals_that_the_description_lacks_are_left_out(void **state)
{
	char folder[64], path[96];
	struct seen seen;

	(void)state;
	assert_int_equal(es_test_folder(folder, sizeof(folder)), 0);
	(void)snprintf(path, sizeof(path), "%s/j.esr", folder);
	record(path, 1);
	assert_int_equal(walk(path, &seen), 0);
	assert_int_equal(seen.n, 10);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_come_back_with_their_times_and_what_failed_does_not),
		cmocka_unit_test(payloads_that_cannot_be_are_refused),
		cmocka_unit_test(descriptions_come_back_and_hostile_ones_are_refused),
		cmocka_unit_test(too_many_signals_are_refused),
		cmocka_unit_test(a_recording_cut_off_anywhere_keeps_the_whole_seconds_before),
		cmocka_unit_test(signals_that_the_description_lacks_are_left_out),
	};

	return cmocka_run_group_tests_name("record signals", tests, NULL, NULL);
}
