/*
 * packet.h - whole packets of any type through a local socket, with a descriptor where there is one
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_IPC_PACKET_H
#define ES_IPC_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/message.h"

/** struct es_packet_head - the header of ipc/message.h */
struct es_packet_head {
	uint16_t version, type;
	uint32_t length; /* of what follows the number */
	uint32_t number;
};

/** es_packet_head_put - the ES_IPC_HEADER_BYTES of a header */
void es_packet_head_put(const struct es_packet_head *head, uint8_t out[static ES_IPC_HEADER_BYTES]);
/** es_packet_head_get - 0; -EBADMSG: none of ours, or not as long as it says; -EPROTONOSUPPORT: another version (the number is set) */
int es_packet_head_get(const void *data, size_t n, struct es_packet_head *ret);

/**
 * es_packet_send - never waits
 * @pass_fd: a descriptor for the other side, -1: none
 *
 * Returns 0; -EAGAIN: it reads nothing; -EPIPE: it left; -ETOOMANYREFS: more descriptors of this user than it may have
 * open are on their way to sides that do not read: give nobody another before it has taken the first.
 */
int es_packet_send(int fd, const void *data, size_t n, int pass_fd);

/**
 * es_packet_take_no_descriptors - what others send along is refused by the kernel (6.16), and they get an error
 * Elsewhere it is closed where it is received, and closing can take long: a socket may linger. Who listens does it with
 * the listening socket, whose connections are like it from the start.
 */
void es_packet_take_no_descriptors(int fd);

/**
 * es_packet_has_descriptors - whether the next packet, which stays where it is, brings some
 * Who takes it closes them, also with an es_packet_receive() that lets them go, and so does who closes @fd.
 */
bool es_packet_has_descriptors(int fd);

/**
 * es_packet_receive - the next packet
 * @until_ns: monotonic clock; 0: do not wait
 * @ret: ES_IPC_MESSAGE_MAX_BYTES; @ret_n its bytes
 * @ret_fd: a descriptor that came along, owned by caller, close-on-exec, -1: none; NULL: those that come are let go
 *
 * Returns 0; -ETIMEDOUT; -EAGAIN: nothing there (@until_ns 0); -EPIPE: the other side left; -EMSGSIZE: longer than any
 * packet may be, or with several descriptors (all closed); -EMFILE: one came, and this process has no room for it.
 * But for -EPIPE the next call gives the next packet.
 */
int es_packet_receive(int fd, int64_t until_ns, uint8_t *ret, size_t *ret_n, int *ret_fd);

/**
 * es_packet_ask - send a packet and wait for the answer with its number; others that come meanwhile are dropped
 * Returns 0 and the answer as es_packet_receive() does, with its header; what these and es_packet_head_get() return.
 */
int es_packet_ask(int fd, const void *data, size_t n, int64_t until_ns, uint8_t *ret, size_t *ret_n,
		  struct es_packet_head *ret_head, int *ret_fd);

#endif
