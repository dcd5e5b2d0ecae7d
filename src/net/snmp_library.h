/*
 * snmp_library.h - what we use of net-snmp, declared here so that building needs no header of it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_NET_SNMP_LIBRARY_H
#define ES_NET_SNMP_LIBRARY_H

#include <sys/select.h>
#include <sys/time.h>

#include "base/dl.h"
#include "base/error.h"

/*
 * Of net-snmp/types.h and net-snmp/library/{asn1,snmp,snmp_api,default_store,large_fd_set}.h of version 5.9; layouts and
 * numbers are those of libnetsnmp.so.40, the names are ours. es_netsnmp_open() looks whether the library has them.
 */
enum {
	NETSNMP_VERSION_1 = 0,
	NETSNMP_VERSION_2C = 1,
	NETSNMP_VERSION_3 = 3,
	NETSNMP_LEVEL_NOAUTH = 1,
	NETSNMP_LEVEL_AUTHNOPRIV = 2,
	NETSNMP_LEVEL_AUTHPRIV = 3,
	NETSNMP_USM = 3,
	NETSNMP_MSG_GET = 0xa0,
	NETSNMP_MSG_RESPONSE = 0xa2,
	NETSNMP_MSG_REPORT = 0xa8,
	NETSNMP_OP_RECEIVED = 1,
	NETSNMP_OP_TIMED_OUT = 2,
	NETSNMP_OP_RESEND = 6,
	NETSNMP_KEY_BYTES = 64,
	NETSNMP_DS_LIBRARY = 0,
	NETSNMP_DS_DONT_READ_CONFIGS = 6, /* among booleans */
	NETSNMP_DS_APPTYPE = 6, /* among strings */
	NETSNMP_DS_DONT_PERSIST_STATE = 32,
	NETSNMP_CALLBACK_LIBRARY = 0,
	NETSNMP_CALLBACK_POST_READ_CONFIG = 0,
	NETSNMP_CALLBACK_POST_PREMIB_READ_CONFIG = 3,
	NETSNMP_LOGHANDLER_NONE = 6,
	NETSNMP_LOG_DEBUG = 7,
	NETSNMP_ERR_TOOBIG = 1,
	NETSNMP_ERR_NOSUCHNAME = 2,
	NETSNMP_ERR_AUTHORIZATION = 16,
};

/* Codes of the library itself (snmp_api.h). */
enum {
	NETSNMP_E_BAD_CONTEXT = -17,
	NETSNMP_E_TIMEOUT = -24,
	NETSNMP_E_UNSUPPORTED_SEC_LEVEL = -34,
	NETSNMP_E_UNKNOWN_USER_NAME = -33,
	NETSNMP_E_AUTHENTICATION_FAILURE = -35,
	NETSNMP_E_NOT_IN_TIME_WINDOW = -36,
	NETSNMP_E_DECRYPTION = -37,
};

typedef unsigned long netsnmp_id; /* oid */

struct netsnmp_variable { /* struct variable_list */
	struct netsnmp_variable *next;
	netsnmp_id *name;
	size_t n_name;
	unsigned char type;
	union {
		long *integer;
		unsigned char *string;
		struct {
			unsigned long high, low;
		} * counter64;
		float *real;
		double *long_real;
	} value;
	size_t n_value;
};

struct netsnmp_pdu { /* struct snmp_pdu */
	long version;
	int command;
	long reqid, msgid, transid, sessid;
	long errstat, errindex;
	unsigned long time, flags;
	int security_model, security_level, parse_model;
	long max_size;
	void *transport_data;
	int n_transport_data;
	const netsnmp_id *domain;
	size_t n_domain;
	struct netsnmp_variable *variables;
};

struct netsnmp_session;
typedef int (*netsnmp_callback_fn)(int operation, struct netsnmp_session *session, int reqid,
				   struct netsnmp_pdu *pdu, void *magic);

struct netsnmp_session { /* struct snmp_session */
	long version;
	int retries;
	long timeout_us;
	unsigned long flags;
	struct netsnmp_session *subsession, *next;
	char *peername;
	unsigned short remote_port;
	char *localname;
	unsigned short local_port;
	void *authenticator;
	netsnmp_callback_fn callback;
	void *magic;
	int sys_error, error;
	long id;
	unsigned char *community;
	size_t n_community;
	size_t receive_max, send_max;
	unsigned char is_authoritative;
	unsigned char *context_engine;
	size_t n_context_engine;
	unsigned engine_boots, engine_time;
	char *context;
	size_t n_context;
	unsigned char *security_engine;
	size_t n_security_engine;
	char *security_name;
	size_t n_security_name;
	netsnmp_id *auth_protocol;
	size_t n_auth_protocol;
	unsigned char auth_key[NETSNMP_KEY_BYTES];
	size_t n_auth_key;
	unsigned char *auth_local_key;
	size_t n_auth_local_key;
	netsnmp_id *priv_protocol;
	size_t n_priv_protocol;
	unsigned char priv_key[NETSNMP_KEY_BYTES];
	size_t n_priv_key;
	unsigned char *priv_local_key;
	size_t n_priv_local_key;
	int security_model, security_level;
	/* What follows there is not used; the library sets its whole struct to zero. */
	unsigned char rest[512];
};

struct netsnmp_fd_set { /* netsnmp_large_fd_set: more descriptors than select(2) knows */
	unsigned size;
	fd_set *set;
	fd_set buffer;
};

/** struct es_netsnmp - the library's functions */
struct es_netsnmp {
	struct es_dl dl;
	void (*sess_init)(struct netsnmp_session *);
	void *(*sess_open)(struct netsnmp_session *);
	int (*sess_close)(void *);
	struct netsnmp_session *(*sess_session)(void *);
	int (*sess_send)(void *, struct netsnmp_pdu *);
	int (*sess_read)(void *, struct netsnmp_fd_set *);
	void (*sess_timeout)(void *);
	int (*sess_select_info)(void *, int *, struct netsnmp_fd_set *, struct timeval *, int *);
	void (*fd_set_init)(struct netsnmp_fd_set *, int);
	void (*fd_set_cleanup)(struct netsnmp_fd_set *);
	struct netsnmp_pdu *(*pdu_create)(int);
	void (*pdu_free)(struct netsnmp_pdu *);
	struct netsnmp_variable *(*add_null_var)(struct netsnmp_pdu *, const netsnmp_id *, size_t);
	int (*report_type)(struct netsnmp_pdu *);
	const char *(*words)(int);
	int (*generate_ku)(const netsnmp_id *, unsigned, const unsigned char *, size_t,
			   unsigned char *, size_t *);
	void *(*register_loghandler)(int, int);
	void (*init_callbacks)(void);
	void (*init_v3)(const char *);
	int (*call_callbacks)(int, int, void *);
	int (*ds_set_boolean)(int, int, int);
	int (*ds_set_string)(int, int, const char *);
	void *(*find_sec_mod)(int);
};

/**
 * es_netsnmp_open - open the library; the first time in a process it is set up, without files and without a word
 *
 * It is never closed: what it has taken would be lost. Its functions are called with es_shared_lock(). Returns 0, -ENOENT with the package, or -ENOSYS.
 */
int es_netsnmp_open(struct es_netsnmp *ret, struct es_error *err);

#endif
