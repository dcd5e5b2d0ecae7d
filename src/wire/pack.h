/*
 * pack.h - numbers and texts into bytes and back, bounded
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Little-endian. A text is u16 bytes, then the bytes without a NUL. Both sides remember the first thing that went wrong, so that only
 * the end is checked.
 */
#ifndef ES_WIRE_PACK_H
#define ES_WIRE_PACK_H

#include <stddef.h>
#include <stdint.h>

/** struct es_packer - writes into the caller's memory */
struct es_packer {
	uint8_t *out;
	size_t size, n;
	int error; /* 0, or -EMSGSIZE: it did not fit; -EINVAL: a text with more than 65,535 bytes */
};

/** struct es_unpacker - reads what anybody may have sent; never past its end */
struct es_unpacker {
	const uint8_t *in;
	size_t size, n;
	int error; /* 0, or -EBADMSG: cut off, a text with a NUL or control characters in it, or one that does not fit */
};

void es_pack_u8(struct es_packer *packer, uint8_t value);
void es_pack_u16(struct es_packer *packer, uint16_t value);
void es_pack_u32(struct es_packer *packer, uint32_t value);
void es_pack_u64(struct es_packer *packer, uint64_t value);
void es_pack_i64(struct es_packer *packer, int64_t value);
void es_pack_text(struct es_packer *packer, const char *text);

uint8_t es_unpack_u8(struct es_unpacker *unpacker);
uint16_t es_unpack_u16(struct es_unpacker *unpacker);
uint32_t es_unpack_u32(struct es_unpacker *unpacker);
uint64_t es_unpack_u64(struct es_unpacker *unpacker);
int64_t es_unpack_i64(struct es_unpacker *unpacker);
/** es_unpack_text - @ret has @size bytes; "" after an error */
void es_unpack_text(struct es_unpacker *unpacker, char *ret, size_t size);

#endif
