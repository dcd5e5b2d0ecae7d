/*
 * sys/ipmi_device.c - commands to this machine's BMC through the kernel's driver
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <linux/ipmi.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "sys/ipmi.h"

#define MESSAGES_MAX 64 /* answers to others' questions and events, before ours */

/* Where kernels of all ages and udev's rules put it; which of two BMCs is the first is the driver's choice. */
static const char *const paths[] = { "dev/ipmi0", "dev/ipmi/0", "dev/ipmidev/0" };

struct device {
	struct es_ipmi ipmi;
	int fd;
	long last_id; /* of the last request: what is answered late is known by it */
	int64_t timeout_ns;
};

static int send_request(struct device *device, const struct es_ipmi_request *request,
			struct es_error *err)
{
	struct ipmi_system_interface_addr address = {
		.addr_type = IPMI_SYSTEM_INTERFACE_ADDR_TYPE,
		.channel = IPMI_BMC_CHANNEL,
		.lun = request->lun,
	};
	uint8_t data[ES_IPMI_DATA_MAX_BYTES];
	struct ipmi_req req = {
		.addr = (unsigned char *)&address,
		.addr_len = sizeof(address),
		.msgid = ++device->last_id,
		.msg = { .netfn = request->netfn,
			 .cmd = request->command,
			 .data_len = (unsigned short)request->n,
			 .data = data },
	};

	if (request->n > sizeof(data))
		return es_error_set(err, -EMSGSIZE, "IPMI request");
	if (request->n > 0)
		memcpy(data, request->data, request->n);
	if (ioctl(device->fd, IPMICTL_SEND_COMMAND, &req) < 0)
		return es_error_set(err, -errno, "the BMC's driver takes no request");
	return 0;
}

/* The next message that is there; -EAGAIN: none, or none of ours. */
static ssize_t take_message(struct device *device, uint8_t *ret, size_t size)
{
	struct ipmi_addr address;
	struct ipmi_recv recv = {
		.addr = (unsigned char *)&address,
		.addr_len = sizeof(address),
		.msg = { .data = ret, .data_len = (unsigned short)size },
	};

	/* Too long a message is cut off, and taken out of the queue, by this call only. */
	if (ioctl(device->fd, IPMICTL_RECEIVE_MSG_TRUNC, &recv) < 0 && errno != EMSGSIZE)
		return -errno;
	if (recv.recv_type != IPMI_RESPONSE_RECV_TYPE || recv.msgid != device->last_id)
		return -EAGAIN;
	return recv.msg.data_len <= size ? (ssize_t)recv.msg.data_len : -EBADMSG;
}

static int wait_for_message(const struct device *device, int64_t until_ns)
{
	for (;;) {
		struct pollfd poll_fd = { .fd = device->fd, .events = POLLIN };
		int64_t left_ns = until_ns - es_clock_mono_ns();
		int r = left_ns <= 0 ? 0
				     : poll(&poll_fd, 1,
					    (int)((left_ns + ES_NS_PER_MS - 1) / ES_NS_PER_MS));

		if (r > 0)
			return poll_fd.revents & POLLIN ? 0 : -ENODEV;
		if (r == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

static ssize_t device_ask(struct es_ipmi *ipmi, const struct es_ipmi_request *request, uint8_t *ret,
			  size_t size, struct es_error *err)
{
	struct device *device = (struct device *)ipmi;
	int64_t until_ns = es_clock_mono_ns() + device->timeout_ns;
	int r = send_request(device, request, err);
	ssize_t n = -EAGAIN;

	if (r < 0)
		return r;
	for (int i = 0; n == -EAGAIN && i < MESSAGES_MAX; i++) {
		n = wait_for_message(device, until_ns);
		if (n == 0)
			n = take_message(device, ret, size);
	}
	if (n == -EAGAIN)
		n = -ETIMEDOUT;
	if (n == -ETIMEDOUT)
		return es_error_say(err, -ETIMEDOUT, "the BMC did not answer within %lld ms",
				    (long long)(device->timeout_ns / ES_NS_PER_MS));
	if (n < 0)
		return es_error_set(err, (int)n, "the BMC's driver gives no answer");
	return n;
}

static void device_close(struct es_ipmi *ipmi)
{
	struct device *device = (struct device *)ipmi;

	es_closep(&device->fd);
	free(device);
}

static const struct es_ipmi_ops device_ops = {
	.ask = device_ask,
	.close = device_close,
};

const char *es_ipmi_device_path(const struct es_root *root)
{
	for (size_t i = 0; i < ES_ARRAY_SIZE(paths); i++)
		if (es_root_exists(root, paths[i]))
			return paths[i];
	return NULL;
}

int es_ipmi_open_device(const struct es_root *root, int64_t timeout_ns, struct es_ipmi **ret,
			struct es_error *err)
{
	struct device *device;
	const char *path;
	int fd;

	if (!root->is_machine)
		return es_error_say(err, -ENODEV,
				    "not this machine: the BMC of a tree cannot be asked");
	path = es_ipmi_device_path(root);
	if (!path)
		return es_error_say(err, -ENOENT, "this machine has no /%s", paths[0]);
	fd = es_root_openat(root, path, O_RDWR);
	if (fd < 0)
		return es_error_set(err, fd, "cannot open '/%s'", path);
	device = calloc(1, sizeof(*device));
	if (!device) {
		(void)close(fd);
		return es_error_set(err, -ENOMEM, "IPMI");
	}
	*device = (struct device){ .ipmi = { .ops = &device_ops },
				   .fd = fd,
				   .timeout_ns = timeout_ns };
	*ret = &device->ipmi;
	return 0;
}
