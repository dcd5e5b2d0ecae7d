/*
 * test_base_text.c - words from outside: valid, harmless, nearly right
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

static void valid_characters_have_their_length(void **state)
{
	static const struct {
		const char *s;
		size_t n, length;
	} vectors[] = {
		{ "", 0, 0 },
		{ "\0", 1, 1 },
		{ "a", 1, 1 },
		{ "\x7f", 1, 1 },
		{ "\x80", 1, 0 },
		{ "\xbf", 1, 0 },
		{ "\xc0\x80", 2, 0 },
		{ "\xc1\xbf", 2, 0 },
		{ "\xc2\x80", 2, 2 },
		{ "\xc3\xa9", 2, 2 },
		{ "\xc3\xa9", 1, 0 },
		{ "\xc3\x29", 2, 0 },
		{ "\xe0\x9f\xbf", 3, 0 },
		{ "\xe0\xa0\x80", 3, 3 },
		{ "\xe2\x82\xac", 3, 3 },
		{ "\xe2\x82\xac", 2, 0 },
		{ "\xe2\x82\x2c", 3, 0 },
		{ "\xed\x9f\xbf", 3, 3 },
		{ "\xed\xa0\x80", 3, 0 },
		{ "\xef\xbf\xbf", 3, 3 },
		{ "\xf0\x8f\xbf\xbf", 4, 0 },
		{ "\xf0\x9f\x98\x80", 4, 4 },
		{ "\xf4\x8f\xbf\xbf", 4, 4 },
		{ "\xf4\x90\x80\x80", 4, 0 },
		{ "\xf5\x80\x80\x80", 4, 0 },
		{ "\xff", 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++)
		assert_int_equal(es_utf8_length(vectors[i].s, vectors[i].n), vectors[i].length);
}

static void control_characters_become_question_marks(void **state)
{
	char text[] = "a\x1b[2J\r\n\tb\x7f\xc2\x9b"
		      "c\xc2\xa0\xc3\xa9\xc2";
	char same[sizeof(text)];

	(void)state;
	memcpy(same, text, sizeof(text));
	es_text_make_safe(text, false);
	assert_string_equal(text, "a?[2J???b???c\xc2\xa0\xc3\xa9\xc2");

	es_text_make_safe(same, true);
	assert_string_equal(same, "a?[2J?\n?b???c\xc2\xa0\xc3\xa9\xc2");
}

static void distance_counts_letters_to_change(void **state)
{
	static const struct {
		const char *a, *b;
		size_t distance;
	} vectors[] = {
		{ "", "", 0 },
		{ "", "abc", 3 },
		{ "abc", "", 3 },
		{ "zone", "zone", 0 },
		{ "zoen", "zone", 1 },
		{ "zon", "zone", 1 },
		{ "zzone", "zone", 1 },
		{ "zune", "zone", 1 },
		{ "kitten", "sitting", 3 },
		{ "period", "perido", 1 },
		{ "abcdef", "badcfe", 3 },
		{ "a", "b", 1 },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		assert_int_equal(es_text_distance(vectors[i].a, vectors[i].b), vectors[i].distance);
		assert_int_equal(es_text_distance(vectors[i].b, vectors[i].a), vectors[i].distance);
	}
}

static void long_words_are_near_nothing(void **state)
{
	char word[ES_WORD_MAX_BYTES + 2];

	(void)state;
	memset(word, 'a', sizeof(word));
	word[sizeof(word) - 1] = '\0';
	assert_true(es_text_distance(word, "a") == SIZE_MAX);
	assert_true(es_text_distance("a", word) == SIZE_MAX);
	word[ES_WORD_MAX_BYTES] = '\0';
	assert_int_equal(es_text_distance(word, "a"), ES_WORD_MAX_BYTES - 1);
}

static void near_is_a_third_of_the_letters(void **state)
{
	(void)state;
	assert_true(es_text_is_near(1, 4));
	assert_true(es_text_is_near(2, 4));
	assert_false(es_text_is_near(3, 4));
	assert_false(es_text_is_near(1, 1));
	assert_true(es_text_is_near(4, 9));
	assert_false(es_text_is_near(SIZE_MAX, 9));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_characters_have_their_length),
		cmocka_unit_test(control_characters_become_question_marks),
		cmocka_unit_test(distance_counts_letters_to_change),
		cmocka_unit_test(long_words_are_near_nothing),
		cmocka_unit_test(near_is_a_third_of_the_letters),
	};

	return cmocka_run_group_tests_name("base/text", tests, NULL, NULL);
}
