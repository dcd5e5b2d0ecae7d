/*
 * frame.h - checksummed frames, the pieces of a recording
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_RECORD_FRAME_H
#define ES_RECORD_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * A recording is an 8-byte file header (magic and version) and frames:
 *   u32 magic, u8 type, u8[3] zero, u32 length of the payload, u32 number of the frame, payload, u32 CRC-32C of all before
 * all little-endian. A frame whose checksum is wrong, or that is cut off, ends the recording: what is before it is valid.
 */
#define ES_RECORD_MAGIC "ESREC\r\n"
#define ES_RECORD_VERSION 1
#define ES_RECORD_HEADER_BYTES 8U
#define ES_FRAME_MAGIC 0x4d465345U /* "ESFM" */
#define ES_FRAME_OVERHEAD_BYTES 20U
#define ES_FRAME_PAYLOAD_MAX_BYTES (16U << 20)

enum es_frame_type {
	ES_FRAME_META = 1, /* JSON: struct es_meta */
	ES_FRAME_BLOCK = 2, /* readings: es_block of columns, see record/columns.h */
	ES_FRAME_EVENT = 3, /* struct es_event */
	ES_FRAME_CLOCK = 4, /* boot, monotonic and wall clock at one instant */
	ES_FRAME_END = 5, /* the recording was finished; an event of its own */
	ES_FRAME_SIGNALS = 6, /* what is recorded beside energy, see record/signals.h */
};

/** es_frame_begin - reserve the header of a frame in @out; returns its position for es_frame_finish() */
size_t es_frame_begin(struct es_buf *out, enum es_frame_type type, uint32_t number);
/** es_frame_finish - fill in length and checksum of the frame begun at @at; 0 or the buffer's error */
int es_frame_finish(struct es_buf *out, size_t at);

struct es_frame {
	uint8_t type; /* unknown types are to be passed over */
	uint32_t number;
	const uint8_t *payload; /* borrowed from the bytes given */
	size_t payload_bytes;
	size_t total_bytes;
};

/**
 * es_frame_parse - the frame at the start of @n bytes
 * @ret_need: bytes that a whole frame here takes, on -EAGAIN
 *
 * Returns 0; -EAGAIN: the bytes end before the frame does; -EBADMSG: no frame, or a wrong checksum.
 */
int es_frame_parse(const uint8_t *data, size_t n, struct es_frame *ret, size_t *ret_need);

/** es_frame_bytes - how long the frame is that es_frame_finish() made at the start of @n bytes; at most @n */
size_t es_frame_bytes(const uint8_t *data, size_t n);

#endif
