/*
 * hsmp_file.h - a file that stands for /dev/hsmp: what the firmware of each socket would answer
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_SUPPORT_HSMP_FILE_H
#define ES_TESTS_SUPPORT_HSMP_FILE_H

#include <stdint.h>

#define HSMP_SOCKETS_MAX 8

/** struct hsmp_socket - one socket; the file is an array of them, and has as many as the machine */
struct hsmp_socket {
	uint64_t steps; /* of 2^-shift J */
	uint32_t shift; /* 0: firmware that does not know the messages of energy */
	uint32_t power_mw, limit_mw, limit_max_mw;
	int32_t error; /* negative errno of every message; 0: none */
	uint32_t n_asked;
};

/** hsmp_file_answer - do what the driver would do to struct hsmp_message @data; 0 or negative errno. @fd: the file. */
int hsmp_file_answer(int fd, unsigned long request, void *data);

#endif
