/*
 * buf.h - a bounded byte buffer that grows
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_BASE_BUF_H
#define ES_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct es_buf - bytes that grow up to a limit
 *
 * The first failure (-ENOMEM, -EMSGSIZE over the limit) sticks in @error; later appends do nothing, so that a
 * writer checks once at its end. A buffer reserved to its need never allocates again.
 */
struct es_buf {
	uint8_t *data;
	size_t len, cap, max;
	int error;
};

/** es_buf_init - an empty buffer of at most @max bytes; free with es_buf_finish() */
void es_buf_init(struct es_buf *buf, size_t max);
void es_buf_finish(struct es_buf *buf);
/** es_buf_reset - forget content and error, keep the memory */
void es_buf_reset(struct es_buf *buf);
/** es_buf_reserve - make room for @n more bytes now; 0, -ENOMEM or -EMSGSIZE */
int es_buf_reserve(struct es_buf *buf, size_t n);
int es_buf_append(struct es_buf *buf, const void *data, size_t n);
int es_buf_u8(struct es_buf *buf, uint8_t v);
int es_buf_le16(struct es_buf *buf, uint16_t v);
int es_buf_le32(struct es_buf *buf, uint32_t v);
int es_buf_le64(struct es_buf *buf, uint64_t v);
/** es_buf_varint - LEB128, at most 10 bytes */
int es_buf_varint(struct es_buf *buf, uint64_t v);
int es_buf_str(struct es_buf *buf, const char *s);
int es_buf_printf(struct es_buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** struct es_cursor - a bounded reader over borrowed bytes; reading past the end sets @error to -EBADMSG and gives 0 */
struct es_cursor {
	const uint8_t *p, *end;
	int error;
};

void es_cursor_init(struct es_cursor *cur, const void *data, size_t n);
uint8_t es_cursor_u8(struct es_cursor *cur);
uint16_t es_cursor_le16(struct es_cursor *cur);
uint32_t es_cursor_le32(struct es_cursor *cur);
uint64_t es_cursor_le64(struct es_cursor *cur);
uint64_t es_cursor_varint(struct es_cursor *cur);
/** es_cursor_bytes - @n bytes in place, or NULL (and the error set) */
const uint8_t *es_cursor_bytes(struct es_cursor *cur, size_t n);
static inline size_t es_cursor_left(const struct es_cursor *cur)
{
	return (size_t)(cur->end - cur->p);
}

#endif
