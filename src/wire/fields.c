/*
 * fields.c - fields of packets: what may be in a text, an id, a time
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "wire/fields.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "ipc/packet.h"
#include "wire/local.h"

void es_fields_begin(struct es_packer *packer, uint8_t *out, size_t size)
{
	*packer = (struct es_packer){ .out = out, .size = size, .n = ES_IPC_HEADER_BYTES };
	if (size < ES_IPC_HEADER_BYTES)
		packer->error = -EMSGSIZE;
}

int es_fields_end(struct es_packer *packer, uint16_t type, uint32_t number)
{
	struct es_packet_head head = { .version = ES_IPC_VERSION, .type = type, .number = number };

	if (packer->error)
		return packer->error;
	if (packer->n > ES_IPC_MESSAGE_MAX_BYTES)
		return -EMSGSIZE;
	head.length = (uint32_t)(packer->n - ES_IPC_HEADER_BYTES);
	es_packet_head_put(&head, packer->out);
	return (int)packer->n;
}

struct es_unpacker es_fields_open(const void *body, size_t n)
{
	return (struct es_unpacker){ .in = body, .size = n };
}

void es_fields_refuse(struct es_unpacker *unpacker, bool is_wrong)
{
	if (is_wrong && !unpacker->error)
		unpacker->error = -EBADMSG;
}

void es_fields_reject(struct es_packer *packer, bool is_wrong)
{
	if (is_wrong && !packer->error)
		packer->error = -EINVAL;
}

/* Length of the character at @text that may be shown to people; 0: it may not. */
static size_t shown_length(const char *text, size_t n)
{
	unsigned char first = (unsigned char)text[0];
	size_t length = es_utf8_length(text, n);

	if (first < 0x20 || first == 0x7f)
		return 0;
	return length == 2 && first == 0xc2 && (unsigned char)text[1] < 0xa0 ? 0 : length;
}

void es_put_text(struct es_packer *packer, const char *text)
{
	size_t start = packer->n + 2, length;

	es_pack_text(packer, text);
	if (packer->error)
		return;
	for (size_t i = start; i < packer->n; i += length) {
		length = shown_length((const char *)packer->out + i, packer->n - i);
		if (length > 0)
			continue;
		packer->out[i] = '?';
		length = 1;
	}
}

void es_get_text(struct es_unpacker *unpacker, char *ret, size_t size)
{
	size_t n, length;

	es_unpack_text(unpacker, ret, size);
	n = strlen(ret);
	for (size_t i = 0; i < n; i += length) {
		length = shown_length(ret + i, n - i);
		es_fields_refuse(unpacker, length == 0);
		if (length == 0)
			return;
	}
}

bool es_is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

const char *es_local_id_problem(const char *id)
{
	if (!es_is_letter_or_digit(id[0]))
		return "an id begins with a letter or digit";
	for (const char *c = id; *c; c++)
		if (!es_is_letter_or_digit(*c) && !strchr("._+-:[]", *c))
			return "an id has letters, digits and ._+-:[] only";
	if (strlen(id) >= ES_LOCAL_ID_MAX_BYTES)
		return "an id has at most 63 bytes";
	return NULL;
}

bool es_is_id(const char *id, bool is_needed)
{
	return id[0] ? !es_local_id_problem(id) : !is_needed;
}

static bool is_time(int64_t t_ns)
{
	return t_ns >= -ES_TIME_MAX_NS && t_ns <= ES_TIME_MAX_NS;
}

void es_put_time(struct es_packer *packer, int64_t t_ns)
{
	es_fields_reject(packer, !is_time(t_ns));
	es_pack_i64(packer, t_ns);
}

int64_t es_get_time(struct es_unpacker *unpacker)
{
	int64_t t_ns = es_unpack_i64(unpacker);

	es_fields_refuse(unpacker, !is_time(t_ns));
	return t_ns;
}

void es_put_bool(struct es_packer *packer, bool value)
{
	es_pack_u8(packer, value);
}

bool es_get_bool(struct es_unpacker *unpacker)
{
	uint8_t value = es_unpack_u8(unpacker);

	es_fields_refuse(unpacker, value > 1);
	return value != 0;
}
