/*
 * ipmi_device.c - the kernel's IPMI device, with a BMC behind it that answers what a file says; for tests
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Linked into a test, or preloaded: it stands in for the C library's openat() and ioctl(). With ES_BMC=FILE /dev/ipmi0 is
 * there and answers by FILE (see bmc.h); ES_BMC_MODE=0 denies it. Without ES_BMC nothing is changed. poll() is the real one.
 */
/* Both names of openat() are ours, whichever the program was built with. */
#undef _FILE_OFFSET_BITS
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ipmi.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "support/bmc.h"
#include "support/ipmi_device.h"

#define FILES_MAX 1024
#define ANSWERS_MAX 8

struct answer {
	long id;
	int type;
	size_t n;
	uint8_t netfn, command;
	uint8_t data[BMC_ANSWER_BYTES];
};

/* One device as one process has it open; a test program has no threads that use it at the same time. */
static struct {
	bool is_open[FILES_MAX];
	struct bmc bmc;
	struct answer answers[ANSWERS_MAX];
	size_t n_answers;
	int event; /* put before the next answer: 1: an event, 2: an answer to another question */
} device;

static bool is_ours(const char *path)
{
	return getenv("ES_BMC") && strcmp(path, "dev/ipmi0") == 0;
}

/* A descriptor that poll() finds readable when the answer is due. */
static int open_device(int flags)
{
	int fd;

	if (getenv("ES_BMC_MODE") && !(flags & O_PATH)) {
		errno = EACCES;
		return -1;
	}
	fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (fd >= 0 && fd < FILES_MAX)
		device.is_open[fd] = !(flags & O_PATH);
	return fd;
}

void ipmi_device_send_before(int event)
{
	device.event = event;
}

unsigned ipmi_device_asked(void)
{
	return device.bmc.n_asked;
}

static int call_openat(const char *name, int dir, const char *path, int flags, mode_t mode)
{
	void *address = dlsym(RTLD_NEXT, name);
	int (*real)(int, const char *, int, ...);

	memcpy(&real, &address, sizeof(real));
	return real(dir, path, flags, mode);
}

static mode_t take_mode(int flags, va_list args)
{
	return flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
}

__attribute__((visibility("default"))) int openat(int dir, const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = take_mode(flags, args);
	va_end(args);
	return is_ours(path) ? open_device(flags) : call_openat("openat", dir, path, flags, mode);
}

__attribute__((visibility("default"))) int openat64(int dir, const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = take_mode(flags, args);
	va_end(args);
	return is_ours(path) ? open_device(flags) : call_openat("openat64", dir, path, flags, mode);
}

static struct answer *add_answer(long id, int type, const struct ipmi_msg *msg)
{
	struct answer *answer = &device.answers[device.n_answers];

	if (device.n_answers == ANSWERS_MAX)
		return NULL;
	device.n_answers++;
	*answer = (struct answer){
		.id = id, .type = type, .netfn = (uint8_t)(msg->netfn + 1), .command = msg->cmd
	};
	return answer;
}

static int set_timer(int fd, unsigned delay_ms)
{
	const struct itimerspec when = {
		.it_value = { .tv_sec = delay_ms / 1000,
			      .tv_nsec = delay_ms ? (long)(delay_ms % 1000) * 1000000 : 1 },
	};

	return timerfd_settime(fd, 0, &when, NULL);
}

static int take_request(int fd, const struct ipmi_req *request)
{
	const struct ipmi_system_interface_addr *address =
		(const struct ipmi_system_interface_addr *)(const void *)request->addr;
	struct answer *answer;
	size_t n;
	uint8_t data[BMC_ANSWER_BYTES];

	if (request->addr_len != sizeof(*address) ||
	    address->addr_type != IPMI_SYSTEM_INTERFACE_ADDR_TYPE ||
	    address->channel != IPMI_BMC_CHANNEL || bmc_load(&device.bmc, getenv("ES_BMC")) < 0) {
		errno = EINVAL;
		return -1;
	}
	n = bmc_answer(&device.bmc, request->msg.netfn, request->msg.cmd, request->msg.data,
		       request->msg.data_len, data);
	if (device.event == 1)
		(void)add_answer(0, IPMI_ASYNC_EVENT_RECV_TYPE, &request->msg);
	if (device.event == 2)
		(void)add_answer(request->msgid - 1, IPMI_RESPONSE_RECV_TYPE, &request->msg);
	device.event = 0;
	if (device.bmc.is_mute)
		return 0;
	answer = add_answer(request->msgid, IPMI_RESPONSE_RECV_TYPE, &request->msg);
	if (answer) {
		answer->n = n;
		memcpy(answer->data, data, n);
	}
	return set_timer(fd, device.bmc.delay_ms);
}

static int give_answer(int fd, struct ipmi_recv *recv)
{
	struct answer answer = device.answers[0];
	uint64_t n_expired;
	bool is_long;

	/* The timer has not fired, or nothing is there. */
	if (device.n_answers == 0 || read(fd, &n_expired, sizeof(n_expired)) < 0) {
		errno = EAGAIN;
		return -1;
	}
	memmove(device.answers, device.answers + 1, --device.n_answers * sizeof(answer));
	if (device.n_answers > 0)
		(void)set_timer(fd, 0);
	is_long = answer.n > recv->msg.data_len;
	recv->recv_type = answer.type;
	recv->msgid = answer.id;
	recv->msg.netfn = answer.netfn;
	recv->msg.cmd = answer.command;
	if (!is_long)
		recv->msg.data_len = (unsigned short)answer.n;
	memcpy(recv->msg.data, answer.data, recv->msg.data_len);
	if (is_long)
		errno = EMSGSIZE;
	return is_long ? -1 : 0;
}

__attribute__((visibility("default"))) int ioctl(int fd, unsigned long request, ...)
{
	int (*real)(int, unsigned long, ...);
	void *argument, *address;
	va_list args;

	va_start(args, request);
	argument = va_arg(args, void *);
	va_end(args);
	if (fd >= 0 && fd < FILES_MAX && device.is_open[fd]) {
		if (request == IPMICTL_SEND_COMMAND)
			return take_request(fd, argument);
		if (request == IPMICTL_RECEIVE_MSG_TRUNC)
			return give_answer(fd, argument);
		errno = ENOTTY;
		return -1;
	}
	address = dlsym(RTLD_NEXT, "ioctl");
	memcpy(&real, &address, sizeof(real));
	return real(fd, request, argument);
}
