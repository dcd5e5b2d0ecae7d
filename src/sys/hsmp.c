/*
 * sys/hsmp.c - AMD's host system management port: messages to the firmware of an EPYC processor
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "sys/hsmp.h"

#include <assert.h>
#include <errno.h>
#include <linux/ioctl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

static_assert(sizeof(struct es_hsmp_message) == 44, "struct hsmp_message, packed to 4");

int es_hsmp_open(const struct es_root *root)
{
	/* Opened for reading the driver takes only messages that ask, never one that sets. */
	es_cleanup(es_closep) int fd = es_root_openat(root, ES_HSMP_PATH, O_RDONLY);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (root->is_machine ? !S_ISCHR(st.st_mode) : !S_ISREG(st.st_mode))
		return -ENODEV;
	return es_steal_fd(&fd);
}

int es_hsmp_ask(const struct es_root *root, int fd, enum es_hsmp_message_id id, uint16_t socket,
		uint16_t n_answers, uint32_t *ret)
{
	struct es_hsmp_message message = { .id = id, .n_answers = n_answers, .socket = socket };
	int r;

	if (n_answers > ES_HSMP_WORDS)
		return -EINVAL;
	if (root->device_ioctl)
		r = root->device_ioctl(root->device_arg, fd, ES_HSMP_IOCTL, &message);
	else
		r = ioctl(fd, ES_HSMP_IOCTL, &message) < 0 ? -errno : 0;
	if (r == 0)
		memcpy(ret, message.words, n_answers * sizeof(*ret));
	return r;
}
