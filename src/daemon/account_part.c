/*
 * daemon/account_part.c - what a job's share of a part of the node is called
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <stdio.h>

#include "daemon/account.h"

enum es_domain_type es_account_part_name(const struct es_account_part *part, char *ret, size_t size)
{
	if (part->type != ES_DOMAIN_NODE) {
		(void)snprintf(ret, size, "%s", part->domain);
		return part->type;
	}
	(void)snprintf(ret, size, "%.31s-%.200s", part->meter->source, part->domain);
	return ES_DOMAIN_OTHER;
}
