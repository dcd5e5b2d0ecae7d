/*
 * hsmp_file.c - a file that stands for /dev/hsmp: what the firmware of each socket would answer
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Synthetic: after Linux drivers/platform/x86/amd/hsmp (validation of messages, errors) and the driver amd/amd_hsmp.
 */
#include "support/hsmp_file.h"

#include <errno.h>
#include <linux/ioctl.h>
#include <unistd.h>

#include "sys/hsmp.h"

int hsmp_file_answer(int fd, unsigned long request, void *data)
{
	struct es_hsmp_message *message = data;
	struct hsmp_socket socket;
	uint16_t n_answers = 1;
	uint32_t answer[2] = { 0 };

	if ((uint32_t)request != (uint32_t)ES_HSMP_IOCTL)
		return -ENOTTY;
	if (message->socket >= HSMP_SOCKETS_MAX ||
	    pread(fd, &socket, sizeof(socket), (off_t)(message->socket * sizeof(socket))) !=
		    (ssize_t)sizeof(socket))
		return -ENODEV;
	if (socket.error < 0)
		return socket.error;
	switch (message->id) {
	case ES_HSMP_SOCKET_POWER:
		answer[0] = socket.power_mw;
		break;
	case ES_HSMP_POWER_LIMIT:
		answer[0] = socket.limit_mw;
		break;
	case ES_HSMP_POWER_LIMIT_MAX:
		answer[0] = socket.limit_max_mw;
		break;
	case ES_HSMP_RAPL_UNITS:
		answer[0] = 0xa << 16 | socket.shift << 8;
		break;
	case ES_HSMP_RAPL_PACKAGE:
		answer[0] = (uint32_t)socket.steps;
		answer[1] = (uint32_t)(socket.steps >> 32);
		n_answers = 2;
		break;
	default:
		return -ENOMSG;
	}
	if (message->id >= ES_HSMP_RAPL_UNITS && socket.shift == 0)
		return -ENOMSG;
	if (message->n_args != 0 || message->n_answers != n_answers)
		return -EINVAL;
	for (uint16_t i = 0; i < n_answers; i++)
		message->words[i] = answer[i];
	return 0;
}
