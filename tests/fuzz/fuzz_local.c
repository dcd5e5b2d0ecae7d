/*
 * fuzz_local.c - any bytes as a packet between the daemon and who asks it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * The first byte says which message the rest is taken for, a packet with its header.
 */
#include <errno.h>
#include <string.h>

#include "fuzz/target.h"
#include "ipc/packet.h"
#include "wire/local.h"

static union {
	char text[ES_IPC_MESSAGE_MAX_BYTES];
	struct es_local_job job;
	struct es_local_end end;
	struct es_local_welcome welcome;
	struct es_local_domain domain;
	struct es_local_page page;
	struct es_local_job_is job_is;
} it;

static uint32_t value;
static int64_t period_ns;

static int get(unsigned kind, const void *body, size_t n)
{
	switch (kind) {
	case 0:
		return es_local_get_text(body, n, it.text, sizeof(it.text), &value);
	case 1:
		return es_local_get_watch(body, n, &period_ns);
	case 2:
		return es_local_get_job(body, n, &it.job);
	case 3:
		return es_local_get_end(body, n, &it.end);
	case 4:
		return es_local_get_welcome(body, n, &it.welcome);
	case 5:
		return es_local_get_domain(body, n, &it.domain);
	case 6:
		return es_local_get_last(body, n, &value);
	case 7:
		return es_local_get_page(body, n, &it.page);
	default:
		return es_local_get_job_is(body, n, &it.job_is);
	}
}

static int put(unsigned kind, uint8_t *out, size_t size)
{
	switch (kind) {
	case 0:
		return es_local_put_text(ES_LOCAL_FILE, 1, it.text, value, out, size);
	case 1:
		return es_local_put_watch(1, period_ns, out, size);
	case 2:
		return es_local_put_job(1, &it.job, out, size);
	case 3:
		return es_local_put_end(1, &it.end, out, size);
	case 4:
		return es_local_put_welcome(1, &it.welcome, out, size);
	case 5:
		return es_local_put_domain(1, &it.domain, out, size);
	case 6:
		return es_local_put_last(1, value, out, size);
	case 7:
		return es_local_put_page(1, &it.page, out, size);
	default:
		return es_local_put_job_is(1, &it.job_is, out, size);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static uint8_t bytes[ES_IPC_MESSAGE_MAX_BYTES], again[ES_IPC_MESSAGE_MAX_BYTES];
	struct es_packet_head head;
	unsigned kind;
	int r, length;

	if (n < 1 || n - 1 > ES_IPC_MESSAGE_MAX_BYTES)
		return 0;
	kind = data[0] % 9;
	r = es_packet_head_get(data + 1, n - 1, &head);
	fuzz_require(r == 0 || r == -EBADMSG || r == -EPROTONOSUPPORT);
	if (r < 0)
		return 0;
	r = get(kind, data + 1 + ES_IPC_HEADER_BYTES, head.length);
	fuzz_require(r == 0 || r == -EBADMSG);
	if (r < 0)
		return 0;
	/* What was understood is said again in the same way. */
	length = put(kind, bytes, sizeof(bytes));
	fuzz_require(length > 0);
	fuzz_require(es_packet_head_get(bytes, (size_t)length, &head) == 0);
	fuzz_require(get(kind, bytes + ES_IPC_HEADER_BYTES, head.length) == 0);
	fuzz_require(put(kind, again, sizeof(again)) == length);
	fuzz_require(memcmp(again, bytes, (size_t)length) == 0);
	return 0;
}
