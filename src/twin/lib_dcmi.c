/*
 * lib_dcmi.c - DCMI for OpenIPMI's simulator of a BMC (ipmi_sim), which has none: that of a simulated node
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * A module: loadlib "libes-twin-dcmi.so" "MOUNT/.twin/bmc/dcmi" in its lan.conf. That file is read anew for each answer, and
 * limits are written there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <OpenIPMI/mcserv.h>
#include <OpenIPMI/serv.h>

#include "twin/dcmi.h"

#define GROUP 0xDC
#define BUSY 0xC0
#define EXPORTED __attribute__((visibility("default")))

int ipmi_sim_module_init(sys_data_t *sys, const char *options);
int ipmi_sim_module_print_version(sys_data_t *sys, char *options);

static int read_state(const char *path, struct es_twin_dcmi *ret)
{
	char text[ES_TWIN_DCMI_TEXT_BYTES];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	int r = n < 0 ? -errno : 0;

	if (fd >= 0)
		(void)close(fd);
	if (r < 0)
		return r;
	text[n] = '\0';
	return es_twin_dcmi_parse(text, ret);
}

static int hand_on(void *arg, const char *order)
{
	int fd = open(arg, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, order, strlen(order));
	int r = n < 0 ? -errno : 0;

	if (fd >= 0)
		(void)close(fd);
	return r;
}

static void answer(lmc_data_t *mc, msg_t *msg, unsigned char *ret, unsigned int *ret_n, void *arg)
{
	uint8_t data[ES_TWIN_DCMI_ANSWER_BYTES];
	struct es_twin_dcmi dcmi;
	size_t n = 1;

	(void)mc;
	/* The simulator cannot be silent: a completion code is the least it sends. */
	data[0] = BUSY;
	if (read_state(arg, &dcmi) == 0)
		n = es_twin_dcmi_answer(&dcmi, msg->cmd, msg->data, msg->len, hand_on, arg, data);
	memcpy(ret, data, n);
	*ret_n = (unsigned)n;
}

EXPORTED int ipmi_sim_module_print_version(sys_data_t *sys, char *options)
{
	(void)sys;
	(void)options;
	(void)printf("EnergyScopium's DCMI of a simulated node\n");
	return 0;
}

EXPORTED int ipmi_sim_module_init(sys_data_t *sys, const char *options)
{
	/* The simulator keeps it to its end. */
	char *path = options ? strdup(options) : NULL;

	(void)sys;
	if (!path)
		return -1;
	ipmi_emu_register_group_extension_handler(GROUP, answer, path);
	return 0;
}
