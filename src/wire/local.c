/*
 * local.c - what is said to the daemon of this node: who asks, what may be seen, ends of lists
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "wire/local.h"

#include <string.h>

#include "ipc/packet.h"
#include "wire/fields.h"

int es_local_put_empty(uint16_t type, uint32_t number, uint8_t *out, size_t size)
{
	struct es_packer packer;

	es_fields_begin(&packer, out, size);
	return es_fields_end(&packer, type, number);
}

int es_local_put_text(uint16_t type, uint32_t number, const char *text, uint32_t value,
		      uint8_t *out, size_t size)
{
	struct es_packer packer;

	es_fields_begin(&packer, out, size);
	es_put_text(&packer, text);
	es_pack_u32(&packer, value);
	return es_fields_end(&packer, type, number);
}

int es_local_get_text(const void *body, size_t n, char *ret, size_t size, uint32_t *ret_value)
{
	struct es_unpacker unpacker = es_fields_open(body, n);
	char text[ES_IPC_MESSAGE_MAX_BYTES];
	uint32_t value;

	ES_GET_TEXT(&unpacker, text);
	value = es_unpack_u32(&unpacker);
	es_fields_refuse(&unpacker, strlen(text) >= size);
	if (unpacker.error)
		return unpacker.error;
	memcpy(ret, text, strlen(text) + 1);
	*ret_value = value;
	return 0;
}

int es_local_put_watch(uint32_t number, int64_t period_ns, uint8_t *out, size_t size)
{
	struct es_packer packer;

	es_fields_begin(&packer, out, size);
	es_fields_reject(&packer, period_ns < 0);
	es_put_time(&packer, period_ns);
	return es_fields_end(&packer, ES_LOCAL_WATCH, number);
}

int es_local_get_watch(const void *body, size_t n, int64_t *ret_period_ns)
{
	struct es_unpacker unpacker = es_fields_open(body, n);
	int64_t period_ns = es_get_time(&unpacker);

	es_fields_refuse(&unpacker, period_ns < 0);
	if (!unpacker.error)
		*ret_period_ns = period_ns;
	return unpacker.error;
}

int es_local_put_welcome(uint32_t number, const struct es_local_welcome *welcome, uint8_t *out,
			 size_t size)
{
	struct es_packer packer;

	es_fields_begin(&packer, out, size);
	es_fields_reject(&packer, !es_is_id(welcome->job, false) || welcome->least_period_ns < 0);
	es_put_text(&packer, welcome->version);
	es_put_text(&packer, welcome->node);
	es_put_text(&packer, welcome->boot_id);
	es_put_time(&packer, welcome->least_period_ns);
	es_pack_u8(&packer, welcome->view);
	es_put_text(&packer, welcome->job);
	es_put_text(&packer, welcome->words);
	return es_fields_end(&packer, ES_LOCAL_WELCOME, number);
}

int es_local_get_welcome(const void *body, size_t n, struct es_local_welcome *ret)
{
	struct es_unpacker unpacker = es_fields_open(body, n);
	struct es_local_welcome welcome = { .version = "" };

	ES_GET_TEXT(&unpacker, welcome.version);
	ES_GET_TEXT(&unpacker, welcome.node);
	ES_GET_TEXT(&unpacker, welcome.boot_id);
	welcome.least_period_ns = es_get_time(&unpacker);
	welcome.view = es_unpack_u8(&unpacker);
	ES_GET_TEXT(&unpacker, welcome.job);
	ES_GET_TEXT(&unpacker, welcome.words);
	es_fields_refuse(&unpacker, !es_is_id(welcome.job, false) || welcome.least_period_ns < 0);
	if (!unpacker.error)
		*ret = welcome;
	return unpacker.error;
}

int es_local_put_last(uint32_t number, uint32_t count, uint8_t *out, size_t size)
{
	struct es_packer packer;

	es_fields_begin(&packer, out, size);
	es_pack_u32(&packer, count);
	return es_fields_end(&packer, ES_LOCAL_LAST, number);
}

int es_local_get_last(const void *body, size_t n, uint32_t *ret_count)
{
	struct es_unpacker unpacker = es_fields_open(body, n);
	uint32_t count = es_unpack_u32(&unpacker);

	if (!unpacker.error)
		*ret_count = count;
	return unpacker.error;
}

int es_local_put_page(uint32_t number, const struct es_local_page *page, uint8_t *out, size_t size)
{
	struct es_packer packer;

	es_fields_begin(&packer, out, size);
	es_fields_reject(&packer, page->period_ns < 0);
	es_pack_u64(&packer, page->epoch);
	es_pack_u32(&packer, page->n_domains);
	es_put_time(&packer, page->period_ns);
	return es_fields_end(&packer, ES_LOCAL_PAGE, number);
}

int es_local_get_page(const void *body, size_t n, struct es_local_page *ret)
{
	struct es_unpacker unpacker = es_fields_open(body, n);
	struct es_local_page page;

	page.epoch = es_unpack_u64(&unpacker);
	page.n_domains = es_unpack_u32(&unpacker);
	page.period_ns = es_get_time(&unpacker);
	es_fields_refuse(&unpacker, page.period_ns < 0);
	if (!unpacker.error)
		*ret = page;
	return unpacker.error;
}
