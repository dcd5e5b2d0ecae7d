/*
 * share_rule.c - names of the rules by which energy is shared out
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/share_rule.h"

#include <errno.h>
#include <string.h>

static const char *const rule_names[ES_N_SHARE_RULES] = {
	[ES_SHARE_EXCLUSIVE] = "exclusive", [ES_SHARE_DIRECT] = "direct",
	[ES_SHARE_CPU_TIME] = "cpu_time",   [ES_SHARE_ACTIVITY] = "activity",
	[ES_SHARE_SLICES] = "slices",	    [ES_SHARE_ALLOCATION] = "allocation",
	[ES_SHARE_PARTS] = "parts",
};

static const char *const method_names[ES_N_IDLE_METHODS] = {
	[ES_IDLE_NONE] = "none",
	[ES_IDLE_CONFIGURED] = "configured",
	[ES_IDLE_SEEN] = "seen",
};

const char *es_share_rule_name(enum es_share_rule rule)
{
	return rule_names[rule];
}

const char *es_idle_method_name(enum es_idle_method method)
{
	return method_names[method];
}

int es_share_rule_from_name(const char *name, enum es_share_rule *ret)
{
	for (int i = 0; i < ES_N_SHARE_RULES; i++) {
		if (strcmp(rule_names[i], name) != 0)
			continue;
		*ret = (enum es_share_rule)i;
		return 0;
	}
	return -ENOENT;
}

int es_idle_method_from_name(const char *name, enum es_idle_method *ret)
{
	for (int i = 0; i < ES_N_IDLE_METHODS; i++) {
		if (strcmp(method_names[i], name) != 0)
			continue;
		*ret = (enum es_idle_method)i;
		return 0;
	}
	return -ENOENT;
}
