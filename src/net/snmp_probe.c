/*
 * snmp_probe.c - whether an SNMP agent is there at all
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "net/snmp_private.h"

/*
 * Discovery (RFC 3414, 4): a request of version 3 to an unknown engine, of nobody, for nothing. An agent of version 3
 * answers with a report that names its engine.
 */
static const unsigned char question[] = {
	0x30, 0x3e, 0x02, 0x01, 0x03, /* version 3 */
	0x30, 0x11, 0x02, 0x04, 0x45, 0x53, 0x45, 0x53, /* msgID */
	0x02, 0x03, 0x00, 0xff, 0xe3, 0x04, 0x01, 0x04, /* largest answer, reportable */
	0x02, 0x01, 0x03, /* user-based security */
	0x04, 0x10, 0x30, 0x0e, 0x04, 0x00, 0x02, 0x01, 0x00, 0x02, 0x01,
	0x00, 0x04, 0x00, 0x04, 0x00, 0x04, 0x00, /* no engine, no user, no secrets */
	0x30, 0x14, 0x04, 0x00, 0x04, 0x00, 0xa0, 0x0e, 0x02, 0x04, 0x45,
	0x53, 0x45, 0x53, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00, 0x30, 0x00, /* GET of nothing */
};

static int wait_for(int fd, int64_t end_ns)
{
	struct pollfd poller = { .fd = fd, .events = POLLIN };
	int64_t left_ns = end_ns - es_clock_mono_ns();
	int r;

	if (left_ns <= 0)
		return 0;
	r = poll(&poller, 1, (int)(left_ns / ES_NS_PER_MS) + 1);
	return r < 0 && errno != EINTR ? -errno : r;
}

int es_snmp_probe(const struct sockaddr_storage *address, socklen_t n_address, int64_t wait_ns,
		  struct es_error *err)
{
	int64_t end_ns = es_clock_mono_ns() + wait_ns;
	es_cleanup(es_closep) int fd =
		socket(address->ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)address, n_address) < 0 ||
	    send(fd, question, sizeof(question), 0) < 0)
		return es_error_set(err, -errno, "it cannot be reached");
	while (true) {
		unsigned char answer[1500];
		int r = wait_for(fd, end_ns);
		ssize_t n;

		if (r == 0)
			return es_error_say(err, -ETIMEDOUT,
					    "no answer: it is down, does not know "
					    "this community, or a firewall is between");
		n = recv(fd, answer, sizeof(answer), 0);
		/* A sequence, as every message of SNMP is. */
		if (n > 0 && answer[0] == 0x30)
			return 0;
		if (n < 0 && errno == ECONNREFUSED)
			return es_error_say(err, -ECONNREFUSED, "no SNMP agent listens there");
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return es_error_set(err, -errno, "it cannot be reached");
	}
}
