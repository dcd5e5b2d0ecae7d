/*
 * base/sha256.h - digests that name a file by its content
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_BASE_SHA256_H
#define ES_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

/** struct es_sha256 - a digest in the making (FIPS 180-4); es_sha256_init() it */
struct es_sha256 {
	uint32_t state[8];
	uint64_t n_bytes;
	uint8_t block[64];
};

#define ES_SHA256_TEXT_BYTES 65U

void es_sha256_init(struct es_sha256 *sha);
void es_sha256_add(struct es_sha256 *sha, const void *data, size_t n);
/** es_sha256_text - the end: 64 hexadecimal digits; returns @text */
char *es_sha256_text(struct es_sha256 *sha, char text[static ES_SHA256_TEXT_BYTES]);

#endif
