/*
 * net/curl.h - what we call of libcurl, and where its functions are
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_NET_CURL_H
#define ES_NET_CURL_H

#include <stdbool.h>

#include "base/dl.h"

/*
 * What we call of libcurl, declared here so that building needs no header of it. The numbers are part of its ABI
 * (curl/curl.h, curl/multi.h) and do not change within libcurl.so.4.
 */
typedef void CURL;
typedef void CURLM;
struct curl_slist;
enum {
	CURL_GLOBAL_DEFAULT = 3,
	CURLE_COULDNT_RESOLVE_HOST = 6,
	CURLE_COULDNT_CONNECT = 7,
	CURLE_WRITE_ERROR = 23,
	CURLE_OPERATION_TIMEDOUT = 28,
	CURLE_SSL_CONNECT_ERROR = 35,
	CURLE_GOT_NOTHING = 52,
	CURLE_SEND_ERROR = 55,
	CURLE_RECV_ERROR = 56,
	CURLE_PEER_FAILED_VERIFICATION = 60, /* before 7.62: 51 */
	CURLE_FILESIZE_EXCEEDED = 63,
	CURLE_SSL_CACERT_BADFILE = 77,
	CURLE_SSL_PINNEDPUBKEYNOTMATCH = 90,
	CURLE_OLD_PEER_FAILED_VERIFICATION = 51,
	CURLOPT_NOPROGRESS = 43,
	CURLOPT_FOLLOWLOCATION = 52,
	CURLOPT_HTTPGET = 80,
	CURLOPT_NOSIGNAL = 99,
	CURLOPT_TIMEOUT_MS = 155,
	CURLOPT_CONNECTTIMEOUT_MS = 156,
	CURLOPT_HTTPAUTH = 107,
	CURLOPT_POST = 47,
	CURLOPT_SSL_VERIFYPEER = 64,
	CURLOPT_SSL_VERIFYHOST = 81,
	CURLOPT_POSTFIELDSIZE = 60,
	CURLOPT_POSTFIELDS = 10015,
	CURLOPT_HEADERDATA = 10029,
	CURLOPT_CUSTOMREQUEST = 10036,
	CURLOPT_CAINFO = 10065,
	CURLOPT_CAPATH = 10097,
	CURLOPT_USERNAME = 10173,
	CURLOPT_PASSWORD = 10174,
	CURLOPT_PINNEDPUBLICKEY = 10230,
	CURLOPT_HEADERFUNCTION = 20079,
	CURLAUTH_BASIC = 1,
	CURLOPT_PROTOCOLS = 181,
	CURLOPT_QUICK_EXIT = 322,
	CURLOPT_WRITEDATA = 10001,
	CURLOPT_URL = 10002,
	CURLOPT_PROXY = 10004,
	CURLOPT_ERRORBUFFER = 10010,
	CURLOPT_USERAGENT = 10018,
	CURLOPT_HTTPHEADER = 10023,
	CURLOPT_WRITEFUNCTION = 20011,
	CURLOPT_MAXFILESIZE_LARGE = 30117,
	CURLPROTO_HTTP = 1,
	CURLPROTO_HTTPS = 2,
	CURLMOPT_SOCKETDATA = 10002,
	CURLMOPT_TIMERDATA = 10005,
	CURLMOPT_SOCKETFUNCTION = 20001,
	CURLMOPT_TIMERFUNCTION = 20004,
	CURLINFO_RESPONSE_CODE = 0x200002,
	CURLMSG_DONE = 1,
	CURL_POLL_IN = 1,
	CURL_POLL_OUT = 2,
	CURL_POLL_REMOVE = 4,
	CURL_CSELECT_IN = 1,
	CURL_CSELECT_OUT = 2,
	CURL_CSELECT_ERR = 4,
	CURL_SOCKET_TIMEOUT = -1,
	CURL_ERROR_BYTES = 256,
};
struct curl_message {
	int what;
	CURL *easy;
	union {
		void *whatever;
		int result;
	} data;
};

struct es_http_library {
	struct es_dl dl;
	bool is_begun; /* libcurl's own state is set up */
	bool is_kept; /* and stays, for threads may be in it */
	int (*global_init)(long);
	void (*global_cleanup)(void);
	CURL *(*easy_init)(void);
	void (*easy_cleanup)(CURL *);
	int (*easy_setopt)(CURL *, int, ...);
	int (*easy_getinfo)(CURL *, int, ...);
	const char *(*easy_strerror)(int);
	CURLM *(*multi_init)(void);
	int (*multi_cleanup)(CURLM *);
	int (*multi_setopt)(CURLM *, int, ...);
	int (*multi_add_handle)(CURLM *, CURL *);
	int (*multi_remove_handle)(CURLM *, CURL *);
	int (*multi_socket_action)(CURLM *, int, int, int *);
	struct curl_message *(*multi_info_read)(CURLM *, int *);
	struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
	void (*slist_free_all)(struct curl_slist *);
};

#endif
