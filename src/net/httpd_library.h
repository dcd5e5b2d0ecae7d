/*
 * net/httpd_library.h - what we call of libmicrohttpd, and where its functions are
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_NET_HTTPD_LIBRARY_H
#define ES_NET_HTTPD_LIBRARY_H

#include <stddef.h>
#include <stdint.h>

#include "base/dl.h"

/*
 * Declared here so that building needs no header of it. The numbers are part of its ABI (microhttpd.h) and do not change within
 * libmicrohttpd.so.12: 0.9.59 to 0.9.77.
 */
struct MHD_Daemon;
struct MHD_Connection;
struct MHD_Response;
enum {
	MHD_NO = 0,
	MHD_YES = 1,
	MHD_USE_TLS = 2,
	MHD_USE_INTERNAL_POLLING_THREAD = 8,
	MHD_USE_EPOLL = 512,
	MHD_USE_ITC = 1024,
	MHD_OPTION_END = 0,
	MHD_OPTION_CONNECTION_MEMORY_LIMIT = 1, /* size_t */
	MHD_OPTION_CONNECTION_LIMIT = 2, /* unsigned */
	MHD_OPTION_NOTIFY_COMPLETED = 4, /* function, argument */
	MHD_OPTION_PER_IP_CONNECTION_LIMIT = 5, /* unsigned */
	MHD_OPTION_HTTPS_MEM_KEY = 8, /* text */
	MHD_OPTION_HTTPS_MEM_CERT = 9, /* text */
	MHD_OPTION_HTTPS_PRIORITIES = 11, /* text, of GnuTLS */
	MHD_OPTION_LISTEN_SOCKET = 12, /* int */
	MHD_OPTION_THREAD_POOL_SIZE = 14, /* unsigned */
	MHD_OPTION_ARRAY = 15, /* struct MHD_OptionItem [] */
	MHD_OPTION_UNESCAPE_CALLBACK = 16, /* function, argument */
	MHD_OPTION_NOTIFY_CONNECTION = 27, /* function, argument */
	MHD_OPTION_STRICT_FOR_CLIENT = 29, /* int */
	MHD_CONNECTION_INFO_CLIENT_ADDRESS = 2,
	MHD_CONNECTION_INFO_CONNECTION_FD = 6,
	MHD_CONNECTION_INFO_SOCKET_CONTEXT = 7,
	MHD_CONNECTION_NOTIFY_STARTED = 0,
	MHD_HEADER_KIND = 1,
	MHD_GET_ARGUMENT_KIND = 8,
	MHD_FEATURE_SSL = 2,
	MHD_FEATURE_EPOLL = 7,
	MHD_RESPMEM_PERSISTENT = 0,
	MHD_RESPMEM_MUST_FREE = 1,
};

struct MHD_OptionItem {
	int option;
	intptr_t value;
	void *pointer;
};

union MHD_ConnectionInfo {
	int fd;
	const void *address; /* struct sockaddr */
	void *context;
};

typedef int (*es_mhd_handler_fn)(void *arg, struct MHD_Connection *connection, const char *url,
				 const char *method, const char *version, const char *data,
				 size_t *n, void **request);

struct es_httpd_library {
	struct es_dl dl;
	struct MHD_Daemon *(*start_daemon)(unsigned flags, uint16_t port, void *policy,
					   void *policy_arg, es_mhd_handler_fn handler, void *arg,
					   ...);
	void (*stop_daemon)(struct MHD_Daemon *);
	int (*quiesce_daemon)(struct MHD_Daemon *);
	const union MHD_ConnectionInfo *(*get_connection_info)(struct MHD_Connection *, int, ...);
	const char *(*lookup_connection_value)(struct MHD_Connection *, int, const char *);
	struct MHD_Response *(*create_response_from_buffer)(size_t, void *, int);
	void (*destroy_response)(struct MHD_Response *);
	int (*add_response_header)(struct MHD_Response *, const char *, const char *);
	int (*queue_response)(struct MHD_Connection *, unsigned, struct MHD_Response *);
	int (*is_feature_supported)(int);
};

#endif
