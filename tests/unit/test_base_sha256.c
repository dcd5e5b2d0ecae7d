/*
 * test_base_sha256.c - digests against the published examples
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <string.h>

#include "base/sha256.h"

/* FIPS 180-4 examples (NIST, Cryptographic Standards and Guidelines), and a million times 'a'. */
static void published_examples_come_out_in_any_pieces(void **state)
{
	static const char *const vectors[][2] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};
	char text[ES_SHA256_TEXT_BYTES];
	struct es_sha256 sha;

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		for (size_t piece = 1; piece < 9; piece++) {
			const char *data = vectors[i][0];
			size_t n = strlen(data);

			es_sha256_init(&sha);
			for (size_t at = 0; at < n; at += piece)
				es_sha256_add(&sha, data + at, n - at < piece ? n - at : piece);
			assert_string_equal(es_sha256_text(&sha, text), vectors[i][1]);
		}
	es_sha256_init(&sha);
	for (size_t i = 0; i < 100000; i++)
		es_sha256_add(&sha, "aaaaaaaaaa", 10);
	assert_string_equal(es_sha256_text(&sha, text),
			    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_examples_come_out_in_any_pieces),
	};

	return cmocka_run_group_tests_name("base/sha256", tests, NULL, NULL);
}
