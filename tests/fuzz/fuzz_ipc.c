/*
 * fuzz_ipc.c - any bytes as a message through a local socket
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <string.h>

#include "fuzz/target.h"
#include "ipc/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct es_ipc_message message, back;
	uint8_t bytes[ES_IPC_MESSAGE_MAX_BYTES];
	int r;

	message.type = 0;
	r = es_ipc_decode(data, n, &message);
	fuzz_require(r == 0 || r == -EBADMSG || r == -EMSGSIZE || r == -EPROTONOSUPPORT ||
		     r == -EOPNOTSUPP);
	fuzz_require(r == 0 || message.type == 0);
	if (r < 0)
		return 0;
	(void)es_ipc_name_problem(message.name);
	/* What was understood is said again in the same way. */
	n = es_ipc_encode(&message, bytes);
	fuzz_require(es_ipc_decode(bytes, n, &back) == 0);
	fuzz_require(back.type == message.type && back.number == message.number &&
		     back.t_ns == message.t_ns && back.value == message.value);
	fuzz_require(strcmp(back.name, message.name) == 0 && strcmp(back.text, message.text) == 0);
	return 0;
}
