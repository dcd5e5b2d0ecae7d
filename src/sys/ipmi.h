/*
 * sys/ipmi.h - commands to a management controller (BMC): the one of this machine, and those across a network
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SYS_IPMI_H
#define ES_SYS_IPMI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/dl.h"
#include "base/error.h"
#include "sys/root.h"

/* IPMI 2.0 specification, table 5-1 and section 5.3 */
#define ES_IPMI_NETFN_SENSOR 0x04U
#define ES_IPMI_NETFN_STORAGE 0x0AU
#define ES_IPMI_NETFN_GROUP 0x2CU
#define ES_IPMI_DATA_MAX_BYTES 272U /* the longest answer of a system interface */

/** struct es_ipmi_request - one command; @data is borrowed */
struct es_ipmi_request {
	uint8_t netfn, lun, command;
	const uint8_t *data;
	size_t n;
};

struct es_ipmi;

/** struct es_ipmi_ops - one way to reach a BMC */
struct es_ipmi_ops {
	/* @ret: the answer from its completion code on. Returns its length (which the caller checks) or negative errno. */
	ssize_t (*ask)(struct es_ipmi *ipmi, const struct es_ipmi_request *request, uint8_t *ret,
		       size_t size, struct es_error *err);
	void (*close)(struct es_ipmi *ipmi);
};

/** struct es_ipmi - the start of each way's own struct */
struct es_ipmi {
	const struct es_ipmi_ops *ops;
};

/**
 * es_ipmi_open_device - the BMC of this machine through the kernel's driver (ipmi_devintf)
 * @timeout_ns: how long an answer may take
 * Returns 0; -ENOENT: no device; -EACCES; -ENODEV: a tree, whose BMC is not this machine's; other errors of open.
 */
int es_ipmi_open_device(const struct es_root *root, int64_t timeout_ns, struct es_ipmi **ret,
			struct es_error *err);
/** es_ipmi_device_path - where the kernel's device is ("dev/ipmi0"), or NULL: there is none. It is not opened. */
const char *es_ipmi_device_path(const struct es_root *root);

/** struct es_ipmi_library - FreeIPMI's functions that we use */
struct es_ipmi_library {
	struct es_dl dl;
	void *(*create)(void);
	void (*destroy)(void *context);
	int (*open)(void *context, const char *host, const char *user, const char *password,
		    const unsigned char *k_g, unsigned k_g_len, uint8_t privilege, uint8_t cipher,
		    unsigned session_timeout_ms, unsigned retransmission_timeout_ms,
		    unsigned workarounds, unsigned flags);
	int (*close)(void *context);
	int (*raw)(void *context, uint8_t lun, uint8_t netfn, const void *request, unsigned n,
		   void *answer, unsigned size);
	int (*error)(void *context);
};

/**
 * es_ipmi_library_open - find FreeIPMI and make it ready for use by several threads; es_ipmi_library_close() it
 * One thread only may call this at a time. Returns 0; -ENOENT: it is not installed; -ENOSYS: one of another kind.
 */
int es_ipmi_library_open(struct es_ipmi_library *ret, struct es_error *err);
void es_ipmi_library_close(struct es_ipmi_library *library);

enum es_ipmi_privilege {
	ES_IPMI_USER = 2,
	ES_IPMI_OPERATOR = 3,
	ES_IPMI_ADMIN = 4,
};

/** struct es_ipmi_lan - how to reach a BMC across a network: IPMI 2.0 over UDP, always with authentication */
struct es_ipmi_lan {
	const char *host;
	uint16_t port; /* 0: 623 */
	const char *user, *password;
	enum es_ipmi_privilege privilege;
	uint8_t cipher; /* 0: 17 where the BMC has it, else 3 */
	int64_t timeout_ns; /* how long an answer may take */
	int64_t idle_ns; /* the longest time between two commands; so much longer a lost BMC may be waited for */
};

/**
 * es_ipmi_open_lan - begin a session with a BMC
 * @library: borrowed for as long as the session is open
 * Returns 0; -EACCES: user, password or privilege is refused; -ETIMEDOUT: no answer; -EPROTONOSUPPORT: no such cipher
 * suite, or no IPMI 2.0; -EHOSTUNREACH: no such name; others.
 */
int es_ipmi_open_lan(const struct es_ipmi_library *library, const struct es_ipmi_lan *lan,
		     struct es_ipmi **ret, struct es_error *err);

/**
 * es_ipmi_ask - give a command and take its answer, without the completion code
 * Returns the length of the answer; -ENOTCONN: the session is lost; -ETIMEDOUT; -EBADMSG: no completion code;
 * what es_ipmi_judge() makes of a completion code.
 */
ssize_t es_ipmi_ask(struct es_ipmi *ipmi, const struct es_ipmi_request *request, uint8_t *ret,
		    size_t size, struct es_error *err);
void es_ipmi_close(struct es_ipmi *ipmi);

/**
 * es_ipmi_judge - a completion code as negative errno, 0 for success
 * -EOPNOTSUPP: no such command; -EACCES: not with these rights; -EBUSY, -ETIMEDOUT: later, perhaps; -ENODATA: not now;
 * -ENOENT: no such record or sensor; -EMSGSIZE: not so many bytes at once; -EAGAIN: the reservation is gone; -EINVAL; -EIO.
 */
int es_ipmi_judge(uint8_t code);
/** es_ipmi_words - a completion code in words */
const char *es_ipmi_words(uint8_t code);

#endif
