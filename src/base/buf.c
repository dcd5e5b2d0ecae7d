/*
 * buf.c - a bounded byte buffer that grows
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hot.h"

void es_buf_init(struct es_buf *buf, size_t max)
{
	*buf = (struct es_buf){ .max = max };
}

void es_buf_finish(struct es_buf *buf)
{
	free(buf->data);
	*buf = (struct es_buf){ .error = -EINVAL };
}

es_hot void es_buf_reset(struct es_buf *buf)
{
	buf->len = 0;
	buf->error = 0;
}

es_hot int es_buf_reserve(struct es_buf *buf, size_t n)
{
	size_t want, cap;
	uint8_t *data;

	if (buf->error)
		return buf->error;
	if (n > buf->max - buf->len)
		return buf->error = -EMSGSIZE;
	want = buf->len + n;
	if (want <= buf->cap)
		return 0;
	cap = buf->cap ? buf->cap : 256;
	while (cap < want)
		cap = cap > buf->max / 2 ? buf->max : cap * 2;
	/* A byte more than is counted: for the NUL that es_buf_printf() cannot do without. */
	data = realloc(buf->data, cap + 1);
	if (!data)
		return buf->error = -ENOMEM;
	buf->data = data;
	buf->cap = cap;
	return 0;
}

es_hot int es_buf_append(struct es_buf *buf, const void *data, size_t n)
{
	int r = es_buf_reserve(buf, n);

	if (r < 0)
		return r;
	if (n)
		memcpy(buf->data + buf->len, data, n);
	buf->len += n;
	return 0;
}

es_hot int es_buf_u8(struct es_buf *buf, uint8_t v)
{
	return es_buf_append(buf, &v, 1);
}

es_hot static int put_le(struct es_buf *buf, uint64_t v, unsigned n_bytes)
{
	uint8_t b[8];

	for (unsigned i = 0; i < n_bytes; i++)
		b[i] = (uint8_t)(v >> (8 * i));
	return es_buf_append(buf, b, n_bytes);
}

int es_buf_le16(struct es_buf *buf, uint16_t v)
{
	return put_le(buf, v, 2);
}

es_hot int es_buf_le32(struct es_buf *buf, uint32_t v)
{
	return put_le(buf, v, 4);
}

es_hot int es_buf_le64(struct es_buf *buf, uint64_t v)
{
	return put_le(buf, v, 8);
}

es_hot int es_buf_varint(struct es_buf *buf, uint64_t v)
{
	uint8_t b[10];
	size_t n = 0;

	while (v >= 0x80) {
		b[n++] = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	b[n++] = (uint8_t)v;
	return es_buf_append(buf, b, n);
}

int es_buf_str(struct es_buf *buf, const char *s)
{
	return es_buf_append(buf, s, strlen(s));
}

int es_buf_printf(struct es_buf *buf, const char *fmt, ...)
{
	va_list args, again;
	int n, r;

	va_start(args, fmt);
	va_copy(again, args);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	r = n < 0 ? -EINVAL : es_buf_reserve(buf, (size_t)n);
	if (r == 0 && n > 0) {
		(void)vsnprintf((char *)buf->data + buf->len, (size_t)n + 1, fmt, again);
		buf->len += (size_t)n;
	}
	va_end(again);
	return r;
}

void es_cursor_init(struct es_cursor *cur, const void *data, size_t n)
{
	*cur = (struct es_cursor){ .p = data, .end = (const uint8_t *)data + n };
}

const uint8_t *es_cursor_bytes(struct es_cursor *cur, size_t n)
{
	const uint8_t *at = cur->p;

	if (cur->error || n > es_cursor_left(cur)) {
		cur->error = -EBADMSG;
		return NULL;
	}
	cur->p += n;
	return at;
}

static uint64_t get_le(struct es_cursor *cur, unsigned n_bytes)
{
	const uint8_t *b = es_cursor_bytes(cur, n_bytes);
	uint64_t v = 0;

	for (unsigned i = 0; b && i < n_bytes; i++)
		v |= (uint64_t)b[i] << (8 * i);
	return v;
}

uint8_t es_cursor_u8(struct es_cursor *cur)
{
	return (uint8_t)get_le(cur, 1);
}

uint16_t es_cursor_le16(struct es_cursor *cur)
{
	return (uint16_t)get_le(cur, 2);
}

uint32_t es_cursor_le32(struct es_cursor *cur)
{
	return (uint32_t)get_le(cur, 4);
}

uint64_t es_cursor_le64(struct es_cursor *cur)
{
	return get_le(cur, 8);
}

uint64_t es_cursor_varint(struct es_cursor *cur)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 70; shift += 7) {
		const uint8_t *b = es_cursor_bytes(cur, 1);

		if (!b)
			return 0;
		if (shift == 63 && *b > 1)
			break;
		v |= (uint64_t)(*b & 0x7f) << shift;
		if (!(*b & 0x80))
			return v;
	}
	cur->error = -EBADMSG;
	return 0;
}
