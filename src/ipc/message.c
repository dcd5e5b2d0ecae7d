/*
 * message.c - what is said through a local socket, and its bytes
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "ipc/message.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

#define FIXED_BYTES 20U /* time, value and the two lengths */

/* The lowest @n bytes of @value; returns the place behind them. No memory is taken: applications will do this, too. */
static uint8_t *put(uint8_t *p, uint64_t value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(value >> (8 * i));
	return p + n;
}

size_t es_ipc_encode(const struct es_ipc_message *message,
		     uint8_t out[static ES_IPC_MESSAGE_MAX_BYTES])
{
	size_t n_name = strnlen(message->name, sizeof(message->name) - 1);
	size_t n_text = strnlen(message->text, sizeof(message->text) - 1);
	uint8_t *p = out;

	p = put(p, ES_IPC_MAGIC, 4);
	p = put(p, ES_IPC_VERSION, 2);
	p = put(p, message->type, 2);
	p = put(p, FIXED_BYTES + n_name + n_text, 4);
	p = put(p, message->number, 4);
	p = put(p, (uint64_t)message->t_ns, 8);
	p = put(p, (uint64_t)message->value, 8);
	p = put(p, n_name, 2);
	p = put(p, n_text, 2);
	memcpy(p, message->name, n_name);
	memcpy(p + n_name, message->text, n_text);
	return (size_t)(p - out) + n_name + n_text;
}

static bool is_known(uint16_t type)
{
	return (type >= ES_IPC_TAG_START && type <= ES_IPC_TAKE) || type == ES_IPC_ANSWER ||
	       type == ES_IPC_STATUS_IS;
}

/* @n bytes as a string; false where they are too many, too few, or hold a NUL. */
static bool take_text(struct es_cursor *cursor, size_t n, char *ret, size_t size)
{
	const uint8_t *bytes = n < size ? es_cursor_bytes(cursor, n) : NULL;

	if (!bytes || memchr(bytes, '\0', n))
		return false;
	memcpy(ret, bytes, n);
	ret[n] = '\0';
	return true;
}

int es_ipc_decode(const void *data, size_t n, struct es_ipc_message *ret)
{
	struct es_ipc_message message = { .type = 0 };
	struct es_cursor cursor;
	uint32_t magic, length;
	uint16_t version, n_name, n_text;

	if (n > ES_IPC_MESSAGE_MAX_BYTES)
		return -EMSGSIZE;
	es_cursor_init(&cursor, data, n);
	magic = es_cursor_le32(&cursor);
	version = es_cursor_le16(&cursor);
	message.type = es_cursor_le16(&cursor);
	length = es_cursor_le32(&cursor);
	message.number = es_cursor_le32(&cursor);
	if (cursor.error || magic != ES_IPC_MAGIC)
		return -EBADMSG;
	/* Behind the number anything may have changed with the version. */
	if (version != ES_IPC_VERSION || !is_known(message.type)) {
		ret->number = message.number;
		return version != ES_IPC_VERSION ? -EPROTONOSUPPORT : -EOPNOTSUPP;
	}
	if (length > ES_IPC_MESSAGE_MAX_BYTES - ES_IPC_HEADER_BYTES)
		return -EMSGSIZE;
	if (length != es_cursor_left(&cursor))
		return -EBADMSG;
	message.t_ns = (int64_t)es_cursor_le64(&cursor);
	message.value = (int64_t)es_cursor_le64(&cursor);
	n_name = es_cursor_le16(&cursor);
	n_text = es_cursor_le16(&cursor);
	if (cursor.error || !take_text(&cursor, n_name, message.name, sizeof(message.name)) ||
	    !take_text(&cursor, n_text, message.text, sizeof(message.text)))
		return -EBADMSG;
	*ret = message;
	return 0;
}

/* C0, DEL, and C1, which UTF-8 writes as 0xc2 0x80 to 0xc2 0x9f. */
static bool is_control(const char *text)
{
	unsigned char first = (unsigned char)text[0], second = (unsigned char)text[1];

	return first < 0x20 || first == 0x7f || (first == 0xc2 && second < 0xa0);
}

const char *es_ipc_name_problem(const char *name)
{
	size_t n = strlen(name), length;

	if (n == 0)
		return "a name has at least one character";
	if (n >= ES_NAME_MAX_BYTES)
		return "a name has at most 255 bytes";
	if (strcmp(name, "es_total") == 0 || strcmp(name, "es_appli_total") == 0)
		return "this name is reserved: every recording has it by itself";
	for (size_t i = 0; i < n; i += length) {
		length = es_utf8_length(name + i, n - i);
		if (length == 0)
			return "a name is UTF-8";
		if (is_control(name + i))
			return "a name has no control characters";
	}
	return NULL;
}
