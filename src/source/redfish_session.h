/*
 * source/redfish_session.h - documents of a Redfish service, as somebody who has logged in
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_REDFISH_SESSION_H
#define ES_SOURCE_REDFISH_SESSION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "source/redfish.h"
#include "source/web.h"

/**
 * struct es_redfish_session - one login, which lasts over lost connections: a controller has few
 *
 * Where there are no sessions, or none is left, user and password go with each request.
 */
struct es_redfish_session {
	struct es_web web;
	struct es_remote *remote; /* of the call under way */
	char token[600]; /* a header, "": none */
	char place[ES_REDFISH_LINK_BYTES]; /* where it is deleted */
	bool has_no_sessions;
	int64_t denied_ns; /* boot clock: not to be tried before, or the account is locked; 0: it may */
	int64_t until_ns; /* boot clock: when the call under way has to be done */
	uint64_t mark; /* of all documents of this sweep */
};

/** es_redfish_get - es_redfish_get_fn, @arg being a session; -EACCES: user or password are wrong, and not tried for a while */
int es_redfish_get(void *arg, const char *path, json_t **ret, struct es_error *err);
/** es_redfish_login - be somebody there, if the user named whom; 0, -EACCES, or errors of es_web_ask() */
int es_redfish_login(struct es_redfish_session *session, const struct es_meter_url *url,
		     struct es_error *err);
/** es_redfish_logout - end the session there, so that others find a place */
void es_redfish_logout(struct es_redfish_session *session);

#endif
