/*
 * snmp_options.c - who asks an agent: communities of SNMP 1 and 2c, users and secrets of 3
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "net/snmp_private.h"

#define SECRET_MIN_BYTES 8U /* RFC 3414, 11.2 */
#define USER_MAX_BYTES 32U /* SnmpAdminString of usmUserName */

struct protocol {
	const char *name;
	netsnmp_id id[12];
	size_t n;
};

/* SNMP-USER-BASED-SM-MIB (RFC 3414), RFC 7860, SNMP-USM-AES-MIB (RFC 3826). */
static const struct protocol auths[] = {
	{ "MD5", { 1, 3, 6, 1, 6, 3, 10, 1, 1, 2 }, 10 },
	{ "SHA", { 1, 3, 6, 1, 6, 3, 10, 1, 1, 3 }, 10 },
	{ "SHA-224", { 1, 3, 6, 1, 6, 3, 10, 1, 1, 4 }, 10 },
	{ "SHA-256", { 1, 3, 6, 1, 6, 3, 10, 1, 1, 5 }, 10 },
	{ "SHA-384", { 1, 3, 6, 1, 6, 3, 10, 1, 1, 6 }, 10 },
	{ "SHA-512", { 1, 3, 6, 1, 6, 3, 10, 1, 1, 7 }, 10 },
};
static const struct protocol privs[] = {
	{ "DES", { 1, 3, 6, 1, 6, 3, 10, 1, 2, 2 }, 10 },
	{ "AES", { 1, 3, 6, 1, 6, 3, 10, 1, 2, 4 }, 10 },
};

static const struct {
	const char *name;
	int level;
} levels[] = {
	{ "noAuthNoPriv", NETSNMP_LEVEL_NOAUTH },
	{ "authNoPriv", NETSNMP_LEVEL_AUTHNOPRIV },
	{ "authPriv", NETSNMP_LEVEL_AUTHPRIV },
};

static const struct protocol *find_protocol(const struct protocol *protocols, size_t n,
					    const char *name)
{
	for (size_t i = 0; i < n && name; i++)
		if (strcmp(protocols[i].name, name) == 0)
			return &protocols[i];
	return NULL;
}

static int find_level(const char *name)
{
	for (size_t i = 0; i < ES_ARRAY_SIZE(levels) && name; i++)
		if (strcmp(levels[i].name, name) == 0)
			return levels[i].level;
	return 0;
}

static int check_secret(const char *secret, const char *which, struct es_error *err)
{
	if (!secret || !secret[0])
		return es_error_say(err, -EINVAL, "the credentials have no %s", which);
	return strlen(secret) < SECRET_MIN_BYTES
		       ? es_error_say(err, -EINVAL, "the %s is shorter than %u bytes", which,
				      SECRET_MIN_BYTES)
		       : 0;
}

static int check_v3(const struct es_snmp_options *options, struct es_error *err)
{
	int level = find_level(options->level), r = 0;

	if (!options->user || !options->user[0])
		return es_error_say(err, -EINVAL,
				    "version 3 needs a user: credentials=FILE with 'user: NAME'");
	if (strlen(options->user) > USER_MAX_BYTES)
		return es_error_say(err, -EINVAL, "a user's name has %u bytes at most",
				    USER_MAX_BYTES);
	if (level == 0)
		return es_error_say(err, -EINVAL,
				    "level '%.32s' is none of noAuthNoPriv, authNoPriv, authPriv",
				    options->level ? options->level : "");
	if (level >= NETSNMP_LEVEL_AUTHNOPRIV &&
	    !find_protocol(auths, ES_ARRAY_SIZE(auths), options->auth))
		return es_error_say(
			err, -EINVAL,
			"auth '%.32s' is none of MD5, SHA, SHA-224, SHA-256, SHA-384, SHA-512",
			options->auth ? options->auth : "");
	if (level >= NETSNMP_LEVEL_AUTHNOPRIV)
		r = check_secret(options->auth_secret, "password", err);
	if (r == 0 && level == NETSNMP_LEVEL_AUTHPRIV &&
	    !find_protocol(privs, ES_ARRAY_SIZE(privs), options->priv))
		return es_error_say(err, -EINVAL, "priv '%.32s' is none of DES, AES",
				    options->priv ? options->priv : "");
	if (r == 0 && level == NETSNMP_LEVEL_AUTHPRIV)
		r = check_secret(options->priv_secret, "privacy secret", err);
	return r;
}

int es_snmp_options_check(const struct es_snmp_options *options, struct es_error *err)
{
	if (!options->host || !options->host[0])
		return es_error_say(err, -EINVAL, "no host");
	if (options->version == 3)
		return check_v3(options, err);
	if (options->version != 1 && options->version != 2)
		return es_error_say(err, -EINVAL, "its version is none of 1, 2c, 3");
	if (!options->community || !options->community[0])
		return es_error_say(err, -EINVAL, "no community");
	return 0;
}

/* The library copies what it is given; it takes it as not constant. */
static void *borrow(const void *p)
{
	void *ret;

	memcpy(&ret, &p, sizeof(ret));
	return ret;
}

static int make_key(const struct es_netsnmp *lib, const struct protocol *auth, const char *secret,
		    unsigned char key[NETSNMP_KEY_BYTES], size_t *ret_n)
{
	size_t n = NETSNMP_KEY_BYTES;

	if (lib->generate_ku(auth->id, (unsigned)auth->n, (const unsigned char *)secret,
			     strlen(secret), key, &n) != 0)
		return -EOPNOTSUPP;
	*ret_n = n;
	return 0;
}

static int fill_v3(const struct es_netsnmp *lib, const struct es_snmp_options *options,
		   struct netsnmp_session *session, struct es_error *err)
{
	const struct protocol *auth = find_protocol(auths, ES_ARRAY_SIZE(auths), options->auth);
	const struct protocol *priv = find_protocol(privs, ES_ARRAY_SIZE(privs), options->priv);
	int r = 0;

	session->version = NETSNMP_VERSION_3;
	session->security_model = NETSNMP_USM;
	session->security_level = find_level(options->level);
	session->security_name = borrow(options->user);
	session->n_security_name = strlen(options->user);
	session->context = borrow(options->context ? options->context : "");
	session->n_context = strlen(session->context);
	if (session->security_level >= NETSNMP_LEVEL_AUTHNOPRIV) {
		session->auth_protocol = borrow(auth->id);
		session->n_auth_protocol = auth->n;
		r = make_key(lib, auth, options->auth_secret, session->auth_key,
			     &session->n_auth_key);
	}
	if (r == 0 && session->security_level == NETSNMP_LEVEL_AUTHPRIV) {
		session->priv_protocol = borrow(priv->id);
		session->n_priv_protocol = priv->n;
		r = make_key(lib, auth, options->priv_secret, session->priv_key,
			     &session->n_priv_key);
	}
	return r < 0 ? es_error_say(err, r, "this net-snmp was built without %s", options->auth)
		     : 0;
}

int es_snmp_fill_session(const struct es_netsnmp *lib, const struct es_snmp_options *options,
			 struct netsnmp_session *session, struct es_error *err)
{
	if (options->version == 3)
		return fill_v3(lib, options, session, err);
	session->version = options->version == 1 ? NETSNMP_VERSION_1 : NETSNMP_VERSION_2C;
	session->community = borrow(options->community);
	session->n_community = strlen(options->community);
	return 0;
}
