/*
 * acct_gather_energy_energyscopium.c - our joules where Slurm looks for energy
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Built with what a site's <slurm/…> has; struct acct_gather_energy grew in 24.11 and 25.05, and Slurm loads no energy plug-in of
 * another version than its own. slurmd asks for the node, slurmstepd for its step; slurmctld loads the plug-in and never asks, so
 * that nothing is opened there. Slurm takes turns (one lock around each call), and from here comes no error: to a failed init
 * Slurm's daemons end, and others of these plug-ins drain their node.
 */
#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>
#include <slurm/spank.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "slurm/node_energy.h"
#include "wire/local.h"

#define SILENCE_NS (60 * ES_NS_PER_S)
#define EXPORTED __attribute__((visibility("default")))

EXPORTED extern const char plugin_name[], plugin_type[];
EXPORTED extern const uint32_t plugin_version;
const char plugin_name[] = "EnergyScopium: energy of the node from its daemon";
const char plugin_type[] = "acct_gather_energy/energyscopium";
const uint32_t plugin_version = SLURM_VERSION_NUMBER;

/* The interface hands no state around: one for the process, which is slurmd's or a step's. */
static struct plugin {
	bool is_ready;
	bool is_step;
	bool is_failing, has_said;
	int64_t said_ns; /* monotonic clock, 0: never */
	struct es_node_energy energy;
	acct_gather_energy_t now; /* as Slurm wants it */
} plugin;

/* Declared by Slurm in headers that sites do not have. */
EXPORTED int init(void);
EXPORTED int fini(void);
EXPORTED int acct_gather_energy_p_update_node_energy(void);
EXPORTED int acct_gather_energy_p_get_data(enum acct_energy_type type, void *data);
EXPORTED int acct_gather_energy_p_set_data(enum acct_energy_type type, void *data);
EXPORTED void acct_gather_energy_p_conf_options(void *options, int *n);
EXPORTED void acct_gather_energy_p_conf_set(int context, void *table);
EXPORTED void acct_gather_energy_p_conf_values(void *data);

/* Once when trouble begins and once when it is over, and not every second where it comes and goes. */
static void say(int problem, const struct es_error *err)
{
	int64_t now_ns = es_clock_mono_ns();

	if (problem < 0 && !plugin.is_failing &&
	    (!plugin.said_ns || now_ns - plugin.said_ns > SILENCE_NS)) {
		slurm_info("energyscopium: %s; %s", err->text,
			   plugin.energy.has_base ? "its last value stays until it answers"
						  : "energy is unknown until it answers");
		plugin.said_ns = now_ns;
		plugin.has_said = true;
	} else if (problem == 0 && plugin.is_failing && plugin.has_said) {
		slurm_info("energyscopium: the daemon's meters are read again");
		plugin.has_said = false;
	}
	plugin.is_failing = problem < 0;
}

static uint32_t watts(uint64_t power_mw)
{
	return (uint32_t)((power_mw + 500) / 1000);
}

/* A stale value keeps its time; that of a node has no power then, that of a step goes into sums and maxima, where NO_VAL would be a number. */
static void translate(const struct es_node_energy_now *now)
{
	acct_gather_energy_t *out = &plugin.now;
	int64_t age_ns = es_clock_boot_ns() - now->t_ns;

	if (!now->is_known) {
		out->consumed_energy = plugin.is_step ? NO_VAL64 : 0;
		out->current_watts = plugin.is_step ? 0 : NO_VAL;
		return;
	}
	out->consumed_energy = (now->energy_uj + 500000) / 1000000;
	out->previous_consumed_energy = out->consumed_energy;
	out->ave_watts = watts(now->mean_mw);
	out->current_watts = now->is_fresh || plugin.is_step ? watts(now->power_mw) : NO_VAL;
	if (now->is_fresh)
		out->poll_time = (time_t)((es_clock_unix_ns() - age_ns) / ES_NS_PER_S);
}

static void update(void)
{
	struct es_node_energy_now now;
	struct es_error err = { .code = 0 };

	if (!plugin.is_ready)
		return;
	say(es_node_energy_read(&plugin.energy, &now, &err), &err);
	translate(&now);
}

int init(void)
{
	const char *path = getenv("ENERGYSCOPIUM_DAEMON");

	es_node_energy_init(&plugin.energy, path && path[0] ? path : ES_LOCAL_SOCKET);
	plugin.now.current_watts = NO_VAL;
	plugin.is_ready = true;
	return SLURM_SUCCESS;
}

int fini(void)
{
	if (plugin.is_ready)
		es_node_energy_finish(&plugin.energy);
	plugin = (struct plugin){ .is_ready = false };
	return SLURM_SUCCESS;
}

int acct_gather_energy_p_update_node_energy(void)
{
	update();
	return SLURM_SUCCESS;
}

int acct_gather_energy_p_get_data(enum acct_energy_type type, void *data)
{
	/* With --profile=energy a step asks for what was read last, also at its end: an old value would miss what came since. */
	if (type == ENERGY_DATA_JOULES_TASK || type == ENERGY_DATA_NODE_ENERGY_UP ||
	    (type == ENERGY_DATA_NODE_ENERGY && plugin.is_step))
		update();
	switch (type) {
	case ENERGY_DATA_JOULES_TASK:
	case ENERGY_DATA_NODE_ENERGY_UP:
	case ENERGY_DATA_STRUCT:
	case ENERGY_DATA_NODE_ENERGY:
		memcpy(data, &plugin.now, sizeof(plugin.now));
		break;
	case ENERGY_DATA_LAST_POLL:
		*(time_t *)data = plugin.now.poll_time;
		break;
	case ENERGY_DATA_SENSOR_CNT:
		*(uint16_t *)data = 1;
		break;
	case ENERGY_DATA_RECONFIG:
	case ENERGY_DATA_PROFILE:
	case ENERGY_DATA_STEP_PTR:
	default:
		break; /* nothing that we were to know */
	}
	return SLURM_SUCCESS;
}

int acct_gather_energy_p_set_data(enum acct_energy_type type, void *data)
{
	(void)data;
	if (type == ENERGY_DATA_STEP_PTR)
		plugin.is_step = true;
	/* A step begins here, before its first process; with --profile=energy readings are asked for by this way only. */
	if (type == ENERGY_DATA_STEP_PTR || type == ENERGY_DATA_PROFILE)
		update();
	return SLURM_SUCCESS;
}

/* acct_gather.conf has nothing for us, and in slurmctld nothing begins. */
void acct_gather_energy_p_conf_options(void *options, int *n)
{
	(void)options;
	(void)n;
}

void acct_gather_energy_p_conf_set(int context, void *table)
{
	(void)context;
	(void)table;
}

void acct_gather_energy_p_conf_values(void *data)
{
	(void)data;
}
