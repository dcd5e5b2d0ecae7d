/*
 * bmc_dcmi.c - DCMI for OpenIPMI's simulator of a BMC (ipmi_sim), which has none
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * A module: loadlib "libes-bmc-dcmi.so" "FILE" in its lan.conf. FILE says what is answered, read anew each time: see bmc.h.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <OpenIPMI/mcserv.h>
#include <OpenIPMI/serv.h>

#include "support/bmc.h"

#define DCMI 0xDC

int ipmi_sim_module_init(sys_data_t *sys, const char *options);
int ipmi_sim_module_print_version(sys_data_t *sys, char *options);

static void answer(lmc_data_t *mc, msg_t *msg, unsigned char *ret, unsigned int *ret_n, void *arg)
{
	uint8_t data[BMC_ANSWER_BYTES];
	struct bmc bmc = { .n_asked = 0 };
	size_t n = 0;

	(void)mc;
	if (bmc_load(&bmc, arg) == 0)
		n = bmc_answer(&bmc, 0x2C, msg->cmd, msg->data, msg->len, data);
	if (bmc.delay_ms > 0)
		(void)nanosleep(&(struct timespec){ .tv_sec = bmc.delay_ms / 1000,
						    .tv_nsec = bmc.delay_ms % 1000 * 1000000L },
				NULL);
	/* The simulator cannot be silent: a completion code is the least it sends. */
	if (n == 0) {
		data[0] = 0xFF;
		n = 1;
	}
	for (size_t i = 0; i < n; i++)
		ret[i] = data[i];
	*ret_n = (unsigned)n;
}

__attribute__((visibility("default"))) int ipmi_sim_module_print_version(sys_data_t *sys,
									 char *options)
{
	(void)sys;
	(void)options;
	(void)printf("EnergyScopium's DCMI for tests\n");
	return 0;
}

__attribute__((visibility("default"))) int ipmi_sim_module_init(sys_data_t *sys,
								const char *options)
{
	static char path[512];

	(void)sys;
	if (!options || snprintf(path, sizeof(path), "%s", options) >= (int)sizeof(path))
		return -1;
	ipmi_emu_register_group_extension_handler(DCMI, answer, path);
	return 0;
}
