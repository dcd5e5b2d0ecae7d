/*
 * message.h - what is said through a local socket, and its bytes
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_IPC_MESSAGE_H
#define ES_IPC_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

/*
 * One packet is one message. Little-endian:
 *
 *     u32 magic, u16 version, u16 type, u32 length of what follows the number, u32 number
 *     i64 time, i64 value, u16 bytes of the name, u16 bytes of the text, name, text
 *
 * A later field comes behind the text: who does not know it passes over it. A type of another shape gets a number
 * of its own. The number is chosen by who asks, and repeated in the answer.
 */
#define ES_IPC_MAGIC 0x50495345U /* "ESIP" */
#define ES_IPC_VERSION 1U
#define ES_IPC_HEADER_BYTES 16U

/* Numbers are spoken between programs of different versions: add, never renumber. From 128 on: answers. */
enum es_ipc_type {
	ES_IPC_TAG_START = 1, /* time: CLOCK_BOOTTIME of the edge; name */
	ES_IPC_TAG_STOP = 2, /* likewise */
	ES_IPC_STATUS = 3, /* who listens */
	ES_IPC_END = 4, /* end the recording; answered when its files are complete */
	ES_IPC_RELEASE =
		5, /* let devices go; name: which (gpu); value: for how long, ns, 0: until taken; again: how far is it */
	ES_IPC_TAKE = 6, /* have them again; name */
	ES_IPC_ANSWER =
		128, /* value: enum es_ipc_verdict; time: as recorded; text: words for people */
	ES_IPC_STATUS_IS =
		129, /* time: since when, wall clock; value: process; name: job; text: recording */
};

enum es_ipc_verdict {
	ES_IPC_OK = 0,
	ES_IPC_MOVED = 1, /* recorded, at another time than asked for */
	ES_IPC_NOT_OPEN = 2, /* a stop without a start: not recorded */
	ES_IPC_BAD_NAME = 3, /* not recorded */
	ES_IPC_TOO_MANY = 4, /* not recorded */
	ES_IPC_LOST = 5, /* it could not be recorded */
	ES_IPC_BAD_VERSION = 6, /* and the connection is closed, as for all that follow */
	ES_IPC_BAD_TYPE = 7,
	ES_IPC_BAD_MESSAGE = 8,
	ES_IPC_DENIED = 9,
	ES_IPC_PENDING = 10, /* it is not done yet, ask again; the connection stays */
};

/** struct es_ipc_message - one message */
struct es_ipc_message {
	uint16_t type;
	uint32_t number;
	int64_t t_ns, value;
	char name[ES_NAME_MAX_BYTES], text[ES_IPC_TEXT_MAX_BYTES];
};

/** es_ipc_encode - the bytes of a message; returns how many */
size_t es_ipc_encode(const struct es_ipc_message *message,
		     uint8_t out[static ES_IPC_MESSAGE_MAX_BYTES]);

/**
 * es_ipc_decode - a message from a packet that anybody may have sent
 *
 * Returns 0; -EBADMSG: no message of ours, cut off, or lengths that do not fit; -EMSGSIZE: longer than any message
 * may be; -EPROTONOSUPPORT: another version; -EOPNOTSUPP: a type that is not known. The number is set for the last
 * two, so that they can be answered.
 */
int es_ipc_decode(const void *data, size_t n, struct es_ipc_message *ret);

/**
 * es_ipc_name_problem - why a tag cannot have this name, in words behind "tag 'NAME': "; NULL: it can
 *
 * 1 to 255 bytes of UTF-8 without control characters, and none of those that every recording has by itself.
 */
const char *es_ipc_name_problem(const char *name);

#endif
