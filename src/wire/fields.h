/*
 * fields.h - fields of packets: what may be in a text, an id, a time
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_WIRE_FIELDS_H
#define ES_WIRE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/pack.h"

/** es_fields_begin - a packet into @out, after room for its header */
void es_fields_begin(struct es_packer *packer, uint8_t *out, size_t size);
/** es_fields_end - the header, now that the length is known; returns the packet's bytes or what went wrong first */
int es_fields_end(struct es_packer *packer, uint16_t type, uint32_t number);
/** es_fields_open - the body of a packet, to be taken apart */
struct es_unpacker es_fields_open(const void *body, size_t n);

/** es_fields_refuse - what makes it no packet of ours (-EBADMSG); the first thing that went wrong counts */
void es_fields_refuse(struct es_unpacker *unpacker, bool is_wrong);
/** es_fields_reject - what we would refuse ourselves (-EINVAL) */
void es_fields_reject(struct es_packer *packer, bool is_wrong);

/** es_put_text - what may not be shown to people (not UTF-8, control characters) becomes '?' */
void es_put_text(struct es_packer *packer, const char *text);
/** es_get_text - likewise refused */
void es_get_text(struct es_unpacker *unpacker, char *ret, size_t size);
#define ES_GET_TEXT(unpacker, member) es_get_text(unpacker, member, sizeof(member))

/** es_put_time, es_get_time - within ES_TIME_MAX_NS */
void es_put_time(struct es_packer *packer, int64_t t_ns);
int64_t es_get_time(struct es_unpacker *unpacker);
void es_put_bool(struct es_packer *packer, bool value);
bool es_get_bool(struct es_unpacker *unpacker);

/** es_is_letter_or_digit - of ASCII, whatever the locale says */
bool es_is_letter_or_digit(char c);
/** es_is_id - of a job or step; "" where it need not be known */
bool es_is_id(const char *id, bool is_needed);

#endif
