/*
 * doctor_slurm.c - energyscopium doctor on a host of Slurm: its configuration and our plug-ins there
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/doctor_slurm.h"
#include "cli/slurm_conf.h"
#include "cli/slurm_module.h"

#define ENERGY_TYPE "acct_gather_energy/energyscopium"
#define ENERGY_MODULE "acct_gather_energy_energyscopium.so"
#define SPANK_MODULE "energyscopium-spank.so"
/* An energy plug-in is loaded by the very version it was built for; a SPANK plug-in by all of its release. Source: Slurm, src/common/plugin.c */
#define SAME_VERSION 0xffffffU
#define SAME_RELEASE 0xffff00U
#define BUILD_ANEW "meson setup build -Dslurm_include=DIR && ninja -C build slurm-plugins"

struct host {
	const struct es_root *root;
	struct es_findings *findings;
	struct es_slurm_conf conf;
	bool has_version;
	uint32_t version; /* of slurmd here */
};

/* Where Slurm's programs look, in their order, then where packages put it. */
static const char *find_conf(const struct es_root *root)
{
	static const char *const places[] = { "/etc/slurm/slurm.conf", "/run/slurm/conf/slurm.conf",
					      "/etc/slurm-llnl/slurm.conf",
					      "/usr/local/etc/slurm.conf",
					      "/opt/slurm/etc/slurm.conf" };
	const char *named = root->is_machine ? getenv("SLURM_CONF") : NULL;

	if (named && named[0])
		return named;
	for (size_t i = 0; i < ES_ARRAY_SIZE(places); i++)
		if (es_root_exists(root, places[i]))
			return places[i];
	return NULL;
}

/* Slurm's programs take no file that names a folder which is not there, users' commands neither. */
static void check_folders(const struct host *host)
{
	const char *folders = es_slurm_conf_get(&host->conf, ES_SLURM_PLUGIN_DIR);

	while (*folders) {
		char path[ES_PATH_MAX_BYTES], fix[ES_NAME_MAX_BYTES];
		size_t n = strcspn(folders, ":");

		(void)snprintf(path, sizeof(path), "%.*s", (int)n, folders);
		(void)snprintf(fix, sizeof(fix),
			       "PluginDir in slurm.conf without it, or: sudo mkdir -p %.180s",
			       path);
		if (n > 0 && !es_root_exists(host->root, path))
			es_find(host->findings, "slurm", ES_VERDICT_PROBLEM, fix,
				"PluginDir names '%.500s', which is not there: nothing of Slurm starts",
				path);
		folders += n + (folders[n] ? 1 : 0);
	}
}

static void check_versions(struct host *host)
{
	char path[ES_PATH_MAX_BYTES], text[ES_SLURM_VERSION_TEXT_BYTES];
	int r;

	if (!host->root->is_machine)
		return; /* nothing of a tree is run */
	r = es_slurm_installed_version(&host->version, path);
	host->has_version = r == 0;
	if (r == 0)
		es_find(host->findings, "slurm", ES_VERDICT_OK, "", "slurmd %s ('%.500s')",
			es_slurm_version_text(host->version, text), path);
	else if (r != -ENOENT)
		es_find(host->findings, "slurm", ES_VERDICT_NOTE, "",
			"'%.500s -V' tells no version: %s", path, es_strerror(r));
}

/* Which file a plug-in is: @name, in the first of PluginDir's folders that has it. */
static bool find_module(const struct host *host, const char *name, char *ret)
{
	static const char standard[] =
		"/usr/lib/x86_64-linux-gnu/slurm-wlm:/usr/lib/aarch64-linux-gnu/slurm-wlm:"
		"/usr/lib64/slurm:/usr/lib/slurm:/usr/local/lib/slurm:/opt/slurm/lib/slurm";
	const char *folders = es_slurm_conf_get(&host->conf, ES_SLURM_PLUGIN_DIR);

	if (name[0] == '/') {
		(void)snprintf(ret, ES_PATH_MAX_BYTES, "%s", name);
		return es_root_exists(host->root, name);
	}
	if (!folders[0])
		folders = standard;
	while (*folders) {
		size_t n = strcspn(folders, ":");
		int length = snprintf(ret, ES_PATH_MAX_BYTES, "%.*s/%s", (int)n, folders, name);

		if (n > 0 && length > 0 && (size_t)length < ES_PATH_MAX_BYTES &&
		    es_root_exists(host->root, ret))
			return true;
		folders += n + (folders[n] ? 1 : 0);
	}
	return false;
}

/* Built for this Slurm, and the loader takes it: true where nothing was found to be wrong. */
static bool check_module(const struct host *host, const char *what, const char *path, uint32_t mask)
{
	char built[ES_SLURM_VERSION_TEXT_BYTES], here[ES_SLURM_VERSION_TEXT_BYTES];
	struct es_error err = { .code = 0 };
	es_cleanup(es_freep) char *data = NULL;
	uint32_t version = 0;
	ssize_t n = es_root_read_file(host->root, path, ES_SLURM_MODULE_MAX_BYTES, &data);
	int r = n < 0 ? (int)n : es_slurm_module_version(data, (size_t)n, &version);

	if (r < 0) {
		es_find(host->findings, what, ES_VERDICT_PROBLEM, BUILD_ANEW,
			"'%.500s' is no plug-in that Slurm would load: %s", path, es_strerror(r));
		return false;
	}
	if (host->has_version && (version & mask) != (host->version & mask)) {
		es_find(host->findings, what, ES_VERDICT_PROBLEM, BUILD_ANEW,
			"'%.500s' is built for Slurm %s, and slurmd is %s: it is not loaded", path,
			es_slurm_version_text(version, built),
			es_slurm_version_text(host->version, here));
		return false;
	}
	if (host->root->is_machine && es_slurm_module_load(path, &err) < 0) {
		es_find(host->findings, what, ES_VERDICT_PROBLEM, BUILD_ANEW,
			"'%.400s' cannot be loaded: %.500s", path, err.text);
		return false;
	}
	es_find(host->findings, what, ES_VERDICT_OK, "", "'%.500s', built for Slurm %s", path,
		es_slurm_version_text(version, built));
	return true;
}

static void stack_path(const struct host *host, char *ret)
{
	const char *named = es_slurm_conf_get(&host->conf, ES_SLURM_PLUG_STACK_CONFIG);
	const char *slash = strrchr(host->conf.path, '/');

	if (named[0])
		(void)snprintf(ret, ES_PATH_MAX_BYTES, "%s", named);
	else
		(void)snprintf(ret, ES_PATH_MAX_BYTES, "%.*s/plugstack.conf",
			       (int)(slash - host->conf.path), host->conf.path);
}

static void check_spank(struct host *host)
{
	char path[ES_PATH_MAX_BYTES], module[ES_PATH_MAX_BYTES], fix[ES_NAME_MAX_BYTES];
	es_cleanup(es_freep) struct es_slurm_stack *stack = calloc(1, sizeof(*stack));
	struct es_error err = { .code = 0 };
	int r;

	if (!stack)
		return;
	stack_path(host, path);
	r = es_slurm_stack_read(host->root, path, SPANK_MODULE, stack, &err);
	(void)snprintf(fix, sizeof(fix), "echo 'optional " SPANK_MODULE "' | sudo tee -a %.180s",
		       path);
	if (r < 0 && r != -ENOENT) {
		es_find(host->findings, "spank", ES_VERDICT_PROBLEM, "", "plugstack.conf: %s",
			err.text);
	} else if (!stack->is_named) {
		es_find(host->findings, "spank", ES_VERDICT_NOTE, fix,
			"'%.500s' does not name " SPANK_MODULE
			": jobs are found by their cgroups, and print no line",
			path);
	} else if (!find_module(host, stack->plugin, module)) {
		es_find(host->findings, "spank",
			stack->is_required ? ES_VERDICT_PROBLEM : ES_VERDICT_NOTE,
			"its whole path there, or the folder that it is in to PluginDir in slurm.conf",
			"'%.400s' names '%.400s', which is not there: %s", path, stack->plugin,
			stack->is_required ? "no job can start"
					   : "jobs are found by their cgroups, and print no line");
	} else if (check_module(host, "spank", module, SAME_RELEASE) && stack->is_required) {
		es_find(host->findings, "spank", ES_VERDICT_NOTE, "optional in its place",
			"'%.500s' says required: with optional no job would depend on it", path);
	}
	if (stack->n_times > 1)
		es_find(host->findings, "spank", ES_VERDICT_NOTE, "one line of it",
			"'%.500s' and what it includes name it %u times", path, stack->n_times);
}

static void check_prolog(const struct host *host)
{
	const char *flags = es_slurm_conf_get(&host->conf, ES_SLURM_PROLOG_FLAGS);
	bool has_contain = es_slurm_conf_lists(flags, "Contain") ||
			   es_slurm_conf_lists(flags, "X11");
	bool has_alloc = has_contain || es_slurm_conf_lists(flags, "Alloc") ||
			 es_slurm_conf_lists(flags, "Serial") ||
			 es_slurm_conf_lists(flags, "NoHold");

	if (!has_alloc)
		es_find(host->findings, "prolog", ES_VERDICT_NOTE,
			"PrologFlags=Alloc,Contain in slurm.conf",
			"PrologFlags lacks Alloc: a node's daemon learns of a job at its first step there, not at its beginning");
	else if (!has_contain)
		es_find(host->findings, "prolog", ES_VERDICT_NOTE,
			"PrologFlags=Alloc,Contain in slurm.conf",
			"PrologFlags lacks Contain: sacct's energy of a job is that of its srun steps alone, and a plain batch job has none");
	else
		es_find(host->findings, "prolog", ES_VERDICT_OK, "", "PrologFlags=%.200s", flags);
}

static void check_frequencies(const struct host *host)
{
	const char *type = es_slurm_conf_get(&host->conf, ES_SLURM_GATHER_TYPE);
	const char *node = es_slurm_conf_get(&host->conf, ES_SLURM_ENERGY_NODE_FREQ);
	const char *often = es_slurm_conf_get(&host->conf, ES_SLURM_GATHER_FREQ);

	if (!type[0] || strcasecmp(type, "jobacct_gather/none") == 0)
		es_find(host->findings, "energy", ES_VERDICT_PROBLEM,
			"JobAcctGatherType=jobacct_gather/cgroup in slurm.conf",
			"JobAcctGatherType is none: no step's energy is asked for, sacct and sstat show none");
	if (!node[0] || strtoul(node, NULL, 10) == 0)
		es_find(host->findings, "energy", ES_VERDICT_NOTE,
			"AcctGatherNodeFreq=30 in slurm.conf",
			"AcctGatherNodeFreq is 0: scontrol show node shows power of slurmd's last registration");
	if (strcmp(often, "0") == 0 || strcasestr(often, "task=0"))
		es_find(host->findings, "energy", ES_VERDICT_NOTE,
			"JobAcctGatherFrequency=task=30 in slurm.conf",
			"JobAcctGatherFrequency is %.100s: sstat shows no energy of what runs",
			often);
}

static void check_energy(const struct host *host)
{
	const char *type = es_slurm_conf_get(&host->conf, ES_SLURM_ENERGY_TYPE);
	char path[ES_PATH_MAX_BYTES];

	/* With and without its first half: later versions take both. */
	if (!es_slurm_conf_lists(type, ENERGY_TYPE) &&
	    !es_slurm_conf_lists(type, "energyscopium")) {
		es_find(host->findings, "energy", ES_VERDICT_NOTE,
			"AcctGatherEnergyType=" ENERGY_TYPE " in slurm.conf",
			"AcctGatherEnergyType is %.200s: sacct does not show our joules",
			type[0] ? type : "not set");
		return;
	}
	if (strchr(type, ','))
		es_find(host->findings, "energy", ES_VERDICT_PROBLEM,
			"AcctGatherEnergyType=" ENERGY_TYPE " in slurm.conf",
			"AcctGatherEnergyType is %.200s: Slurm adds them up, and each shows the node",
			type);
	if (!find_module(host, ENERGY_MODULE, path))
		es_find(host->findings, "energy", ES_VERDICT_PROBLEM,
			"PluginDir=DIR:… in slurm.conf, DIR being where it is",
			ENERGY_MODULE
			" is in no folder of PluginDir (%.300s): slurmctld and slurmd do not start",
			es_slurm_conf_get(&host->conf, ES_SLURM_PLUGIN_DIR));
	else
		(void)check_module(host, "energy", path, SAME_VERSION);
	check_frequencies(host);
}

static void check_proctrack(const struct host *host)
{
	const char *type = es_slurm_conf_get(&host->conf, ES_SLURM_PROCTRACK_TYPE);

	/* Since 17.11 it is what is taken where nothing is set. */
	if (!type[0] || strcasecmp(type, "proctrack/cgroup") == 0)
		es_find(host->findings, "proctrack", ES_VERDICT_OK, "",
			"jobs have cgroups: what shares a node can be told apart");
	else
		es_find(host->findings, "proctrack", ES_VERDICT_NOTE,
			"ProctrackType=proctrack/cgroup in slurm.conf",
			"ProctrackType is %.100s: jobs have no cgroups, energy of a shared node cannot be told apart",
			type);
}

void es_doctor_slurm(const struct es_root *root, struct es_findings *findings)
{
	struct host host = { .root = root, .findings = findings };
	const char *path = find_conf(root);
	struct es_error err = { .code = 0 };

	if (!path)
		return; /* no host of Slurm */
	if (es_slurm_conf_read(root, path, &host.conf, &err) < 0) {
		es_find(findings, "slurm",
			err.code == -EACCES ? ES_VERDICT_NOTE : ES_VERDICT_PROBLEM, "",
			"slurm.conf: %s", err.text);
		return;
	}
	es_find(findings, "slurm", ES_VERDICT_OK, "", "'%.500s', %u file%s read", host.conf.path,
		host.conf.n_files, host.conf.n_files == 1 ? "" : "s");
	check_folders(&host);
	check_versions(&host);
	check_spank(&host);
	check_prolog(&host);
	check_energy(&host);
	check_proctrack(&host);
	es_slurm_conf_finish(&host.conf);
}
