/*
 * sys/hsmp.h - AMD's host system management port: messages to the firmware of an EPYC processor
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SYS_HSMP_H
#define ES_SYS_HSMP_H

#include <stddef.h>
#include <stdint.h>

#include "sys/root.h"

#define ES_HSMP_PATH "dev/hsmp"
#define ES_HSMP_WORDS 8U

/*
 * Linux arch/x86/include/uapi/asm/amd_hsmp.h; the last two came with the driver amd/amd_hsmp 2.x and answer on newer
 * firmware only.
 */
enum es_hsmp_message_id {
	ES_HSMP_SOCKET_POWER = 0x04, /* mW, a mean */
	ES_HSMP_POWER_LIMIT = 0x06, /* mW */
	ES_HSMP_POWER_LIMIT_MAX = 0x07, /* mW */
	ES_HSMP_RAPL_UNITS = 0x30, /* bits 12:8: a step is 2^-n J */
	ES_HSMP_RAPL_PACKAGE = 0x32, /* steps, 64 bits in two words */
};

/** struct es_hsmp_message - struct hsmp_message, as the driver's ioctl takes it: 44 bytes */
struct es_hsmp_message {
	uint32_t id;
	uint16_t n_args;
	uint16_t n_answers; /* the driver wants the exact number */
	uint32_t words[ES_HSMP_WORDS]; /* arguments, then the answer */
	uint16_t socket;
	uint16_t padding;
};

#define ES_HSMP_IOCTL _IOWR(0xF8, 0, struct es_hsmp_message)

/**
 * es_hsmp_open - the driver's device, for messages that only ask
 *
 * In a tree it is a file that answers the driver's ioctl, such as a file system in user space can have; a device would be
 * this machine's.
 * Returns a descriptor; -ENOENT: there is none; -ENODEV: a file of another kind; other errors of open.
 */
int es_hsmp_open(const struct es_root *root);

/**
 * es_hsmp_ask - one message without arguments
 * @ret: @n_answers words
 * Returns 0; -ENODEV: no such socket; -ENOMSG: driver or firmware do not know it; -ETIMEDOUT, -EBUSY, -EIO: the
 * firmware did not answer; -ENOTTY: this is no such device.
 */
int es_hsmp_ask(const struct es_root *root, int fd, enum es_hsmp_message_id id, uint16_t socket,
		uint16_t n_answers, uint32_t *ret);

#endif
