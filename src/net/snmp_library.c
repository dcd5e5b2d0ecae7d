/*
 * snmp_library.c - net-snmp's library, opened when used
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "net/snmp_library.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "net/shared.h"

#define LIBRARY "libnetsnmp.so.40"
#define PACKAGE "libsnmp40"
#define APPLICATION "energyscopium"

/*
 * What init_snmp() does, but for what it reads and changes besides: it would read snmp.conf of the user and of the machine,
 * parse MIBs, and set the process's locale. Without a
 * handler of its own it logs to stderr.
 */
static void set_up(const struct es_netsnmp *lib)
{
	if (lib->find_sec_mod(NETSNMP_USM))
		return;
	(void)lib->register_loghandler(NETSNMP_LOGHANDLER_NONE, NETSNMP_LOG_DEBUG);
	(void)lib->ds_set_boolean(NETSNMP_DS_LIBRARY, NETSNMP_DS_DONT_READ_CONFIGS, 1);
	(void)lib->ds_set_boolean(NETSNMP_DS_LIBRARY, NETSNMP_DS_DONT_PERSIST_STATE, 1);
	(void)lib->ds_set_string(NETSNMP_DS_LIBRARY, NETSNMP_DS_APPTYPE, APPLICATION);
	lib->init_callbacks();
	lib->init_v3(APPLICATION);
	(void)lib->call_callbacks(NETSNMP_CALLBACK_LIBRARY,
				  NETSNMP_CALLBACK_POST_PREMIB_READ_CONFIG, NULL);
	(void)lib->call_callbacks(NETSNMP_CALLBACK_LIBRARY, NETSNMP_CALLBACK_POST_READ_CONFIG,
				  NULL);
}

/* Its struct of a session has what we know where we know it, and is not larger than our room for it. */
static int check_layout(const struct es_netsnmp *lib, struct es_error *err)
{
	struct netsnmp_session session;
	const unsigned char *end = (const unsigned char *)&session + sizeof(session);

	memset(&session, 0x5a, sizeof(session));
	lib->sess_init(&session);
	if (session.version == -1 && session.retries == -1 && session.timeout_us == -1 &&
	    !session.peername && !session.security_name && session.receive_max > 0 &&
	    session.receive_max == session.send_max && session.n_auth_key == 0 &&
	    session.n_priv_key == 0 && session.security_model == -1 &&
	    session.security_level == 0 && end[-1] == 0x5a)
		return 0;
	return es_error_say(err, -ENOSYS, "library '" LIBRARY "' has another layout than 5.9's");
}

int es_netsnmp_open(struct es_netsnmp *ret, struct es_error *err)
{
	struct es_netsnmp lib = { .dl = { .handle = NULL } };
	const struct es_dl_symbol symbols[] = {
		{ "snmp_sess_init", &lib.sess_init, true },
		{ "snmp_sess_open", &lib.sess_open, true },
		{ "snmp_sess_close", &lib.sess_close, true },
		{ "snmp_sess_session", &lib.sess_session, true },
		{ "snmp_sess_send", &lib.sess_send, true },
		{ "snmp_sess_read2", &lib.sess_read, true },
		{ "snmp_sess_timeout", &lib.sess_timeout, true },
		{ "snmp_sess_select_info2", &lib.sess_select_info, true },
		{ "netsnmp_large_fd_set_init", &lib.fd_set_init, true },
		{ "netsnmp_large_fd_set_cleanup", &lib.fd_set_cleanup, true },
		{ "snmp_pdu_create", &lib.pdu_create, true },
		{ "snmp_free_pdu", &lib.pdu_free, true },
		{ "snmp_add_null_var", &lib.add_null_var, true },
		{ "snmpv3_get_report_type", &lib.report_type, true },
		{ "snmp_api_errstring", &lib.words, true },
		{ "generate_Ku", &lib.generate_ku, true },
		{ "netsnmp_register_loghandler", &lib.register_loghandler, true },
		{ "init_callbacks", &lib.init_callbacks, true },
		{ "init_snmpv3", &lib.init_v3, true },
		{ "snmp_call_callbacks", &lib.call_callbacks, true },
		{ "netsnmp_ds_set_boolean", &lib.ds_set_boolean, true },
		{ "netsnmp_ds_set_string", &lib.ds_set_string, true },
		{ "find_sec_mod", &lib.find_sec_mod, true },
	};
	struct es_error why = { .code = 0 };
	int r = es_dl_open(&lib.dl, LIBRARY, symbols, ES_ARRAY_SIZE(symbols), &why);

	if (r == -ENOENT)
		return es_error_say(err, r,
				    "SNMP needs " LIBRARY ", which is not installed: "
				    "sudo apt-get install " PACKAGE);
	if (r < 0)
		return es_error_say(err, r, "%s", why.text);
	es_shared_lock();
	set_up(&lib);
	r = check_layout(&lib, err);
	es_shared_unlock();
	if (r == 0)
		*ret = lib;
	return r;
}
