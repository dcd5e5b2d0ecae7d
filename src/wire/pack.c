/*
 * pack.c - numbers and texts into bytes and back, bounded
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "wire/pack.h"

#include <errno.h>
#include <string.h>

static void pack(struct es_packer *packer, uint64_t value, size_t n_bytes)
{
	if (packer->error)
		return;
	if (packer->size - packer->n < n_bytes) {
		packer->error = -EMSGSIZE;
		return;
	}
	for (size_t i = 0; i < n_bytes; i++)
		packer->out[packer->n++] = (uint8_t)(value >> (8 * i));
}

void es_pack_u8(struct es_packer *packer, uint8_t value)
{
	pack(packer, value, 1);
}

void es_pack_u16(struct es_packer *packer, uint16_t value)
{
	pack(packer, value, 2);
}

void es_pack_u32(struct es_packer *packer, uint32_t value)
{
	pack(packer, value, 4);
}

void es_pack_u64(struct es_packer *packer, uint64_t value)
{
	pack(packer, value, 8);
}

void es_pack_i64(struct es_packer *packer, int64_t value)
{
	pack(packer, (uint64_t)value, 8);
}

void es_pack_text(struct es_packer *packer, const char *text)
{
	size_t n = strlen(text);

	if (n > UINT16_MAX && !packer->error)
		packer->error = -EINVAL;
	pack(packer, n, 2);
	if (packer->error)
		return;
	if (packer->size - packer->n < n) {
		packer->error = -EMSGSIZE;
		return;
	}
	memcpy(packer->out + packer->n, text, n);
	packer->n += n;
}

static uint64_t unpack(struct es_unpacker *unpacker, size_t n_bytes)
{
	uint64_t value = 0;

	if (unpacker->error)
		return 0;
	if (unpacker->size - unpacker->n < n_bytes) {
		unpacker->error = -EBADMSG;
		return 0;
	}
	for (size_t i = 0; i < n_bytes; i++)
		value |= (uint64_t)unpacker->in[unpacker->n++] << (8 * i);
	return value;
}

uint8_t es_unpack_u8(struct es_unpacker *unpacker)
{
	return (uint8_t)unpack(unpacker, 1);
}

uint16_t es_unpack_u16(struct es_unpacker *unpacker)
{
	return (uint16_t)unpack(unpacker, 2);
}

uint32_t es_unpack_u32(struct es_unpacker *unpacker)
{
	return (uint32_t)unpack(unpacker, 4);
}

uint64_t es_unpack_u64(struct es_unpacker *unpacker)
{
	return unpack(unpacker, 8);
}

int64_t es_unpack_i64(struct es_unpacker *unpacker)
{
	return (int64_t)unpack(unpacker, 8);
}

void es_unpack_text(struct es_unpacker *unpacker, char *ret, size_t size)
{
	size_t n = es_unpack_u16(unpacker);

	ret[0] = '\0';
	if (unpacker->error)
		return;
	if (unpacker->size - unpacker->n < n || n >= size) {
		unpacker->error = -EBADMSG;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		uint8_t byte = unpacker->in[unpacker->n + i];

		if (byte < 0x20 || byte == 0x7f) {
			unpacker->error = -EBADMSG;
			return;
		}
	}
	memcpy(ret, unpacker->in + unpacker->n, n);
	ret[n] = '\0';
	unpacker->n += n;
}
