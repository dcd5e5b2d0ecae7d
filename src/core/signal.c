/*
 * signal.c - what is recorded beside energy: clocks, utilisation, temperatures, reasons of throttling, events counted
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/signal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[] = {
	[ES_SIGNAL_GAUGE] = "gauge",
	[ES_SIGNAL_COUNTER] = "counter",
	[ES_SIGNAL_FLAGS] = "flags",
};

const char *es_signal_kind_name(enum es_signal_kind kind)
{
	return kind_names[kind];
}

int es_signal_kind_from_name(const char *name, enum es_signal_kind *ret)
{
	for (unsigned i = 0; i < ES_N_SIGNAL_KINDS; i++) {
		if (strcmp(kind_names[i], name) != 0)
			continue;
		*ret = (enum es_signal_kind)i;
		return 0;
	}
	return -ENOENT;
}

/* In the order of enum es_throttle. */
const char *es_throttle_flags(void)
{
	return "idle,power_cap,heat,current,power_brake,hardware,reliability,fixed_clocks,sync,display,other";
}

void es_signal_init(struct es_signal *signal, const char *source, const char *device,
		    const char *name, const char *unit, enum es_signal_kind kind)
{
	*signal = (struct es_signal){ .kind = kind };
	(void)snprintf(signal->source, sizeof(signal->source), "%s", source);
	(void)snprintf(signal->device, sizeof(signal->device), "%s", device);
	(void)snprintf(signal->name, sizeof(signal->name), "%s", name);
	(void)snprintf(signal->unit, sizeof(signal->unit), "%s", unit);
	(void)snprintf(signal->id, sizeof(signal->id), "%s/%s:%s", source, device, name);
}

bool es_signal_flag(const struct es_signal *signal, unsigned bit, char ret[static 32])
{
	const char *p = signal->flags;
	size_t n;

	for (; bit > 0; bit--) {
		p = strchr(p, ',');
		if (!p)
			return false;
		p++;
	}
	n = strcspn(p, ",");
	if (n == 0 || n >= 32)
		return false;
	memcpy(ret, p, n);
	ret[n] = '\0';
	return true;
}
