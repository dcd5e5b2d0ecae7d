/*
 * frame.c - checksummed frames, the pieces of a recording
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "record/frame.h"

#include <errno.h>

#include "base/hot.h"
#include "block/crc32c.h"

#define HEADER_BYTES 16U

es_hot size_t es_frame_begin(struct es_buf *out, enum es_frame_type type, uint32_t number)
{
	size_t at = out->len;

	(void)es_buf_le32(out, ES_FRAME_MAGIC);
	(void)es_buf_le32(out, (uint32_t)type);
	(void)es_buf_le32(out, 0);
	(void)es_buf_le32(out, number);
	return at;
}

es_hot int es_frame_finish(struct es_buf *out, size_t at)
{
	size_t payload_bytes;

	if (out->error)
		return out->error;
	payload_bytes = out->len - at - HEADER_BYTES;
	if (payload_bytes > ES_FRAME_PAYLOAD_MAX_BYTES)
		return out->error = -EMSGSIZE;
	for (unsigned i = 0; i < 4; i++)
		out->data[at + 8 + i] = (uint8_t)(payload_bytes >> (8 * i));
	return es_buf_le32(out, es_crc32c(0, out->data + at, out->len - at));
}

int es_frame_parse(const uint8_t *data, size_t n, struct es_frame *ret, size_t *ret_need)
{
	struct es_cursor cursor;
	struct es_frame frame;
	uint32_t type, length;

	if (n < HEADER_BYTES) {
		*ret_need = HEADER_BYTES;
		return -EAGAIN;
	}
	es_cursor_init(&cursor, data, n);
	if (es_cursor_le32(&cursor) != ES_FRAME_MAGIC)
		return -EBADMSG;
	type = es_cursor_le32(&cursor);
	length = es_cursor_le32(&cursor);
	frame.number = es_cursor_le32(&cursor);
	if (type > UINT8_MAX || length > ES_FRAME_PAYLOAD_MAX_BYTES)
		return -EBADMSG;
	frame.type = (uint8_t)type;
	frame.payload_bytes = length;
	frame.total_bytes = length + ES_FRAME_OVERHEAD_BYTES;
	if (n < frame.total_bytes) {
		*ret_need = frame.total_bytes;
		return -EAGAIN;
	}
	frame.payload = es_cursor_bytes(&cursor, length);
	if (es_cursor_le32(&cursor) != es_crc32c(0, data, HEADER_BYTES + length))
		return -EBADMSG;
	*ret = frame;
	return 0;
}

size_t es_frame_bytes(const uint8_t *data, size_t n)
{
	size_t payload_bytes = 0;

	if (n < ES_FRAME_OVERHEAD_BYTES)
		return n;
	for (unsigned i = 0; i < 4; i++)
		payload_bytes |= (size_t)data[8 + i] << (8 * i);
	return payload_bytes < n - ES_FRAME_OVERHEAD_BYTES ? payload_bytes + ES_FRAME_OVERHEAD_BYTES
							   : n;
}
