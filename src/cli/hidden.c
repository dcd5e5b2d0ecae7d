/*
 * hidden.c - meters that a container's runtime hides, and what would show them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/hidden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "sys/machine.h"

#define CLASS "sys/class/powercap"
#define ZONES "/sys/devices/virtual/powercap"
#define MOUNTS_MAX_BYTES (1U << 20)

/*
 * Since containerd 1.6.19, Docker 20.10.24 and Podman 4.7 the folder with the zones is covered by an empty one, against
 * CVE-2020-8694. A volume at the same place does not help: masks come after volumes. At another place it does.
 */
static const struct {
	const char *name, *fix;
} runtimes[ES_RUNTIMES] = {
	[ES_RUNTIME_NONE] = { NULL, "" },
	[ES_RUNTIME_DOCKER] = { "docker",
				"docker run --security-opt systempaths=unconfined ..., or "
				"-v /sys:/host/sys:ro -v /proc:/host/proc:ro and "
				"energyscopium COMMAND --root /host" },
	[ES_RUNTIME_PODMAN] = { "podman", "podman run --security-opt unmask=ALL ..., or "
					  "-v /sys:/host/sys:ro -v /proc:/host/proc:ro and "
					  "energyscopium COMMAND --root /host" },
	[ES_RUNTIME_KUBERNETES] = { "kubernetes",
				    "hostPath volumes of /sys and /proc at /host/sys and /host/proc, "
				    "readOnly, and energyscopium COMMAND --root /host; "
				    "or securityContext: {procMount: Unmasked}" },
	[ES_RUNTIME_APPTAINER] = { "apptainer",
				   "apptainer exec --bind /sys ..., without --no-mount sys" },
	[ES_RUNTIME_OTHER] = { "the container",
			       "bind the host's /sys and /proc, read only, at /host/sys and "
			       "/host/proc, and energyscopium COMMAND --root /host" },
};

const char *es_runtime_name(enum es_runtime runtime)
{
	return runtimes[runtime].name;
}

static bool has_any(const struct es_root *root, const char *const *paths, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (es_root_exists(root, paths[i]))
			return true;
	return false;
}

/* A pod's container is one of Docker or containerd, too: kubernetes is asked first. */
static enum es_runtime find_runtime(const struct es_root *root)
{
	static const char *const pod[] = { "var/run/secrets/kubernetes.io",
					   "run/secrets/kubernetes.io" };
	static const char *const apptainer[] = { ".singularity.d", "singularity" };
	char groups[ES_SYSFS_FILE_MAX_BYTES] = "";
	struct es_machine machine;

	(void)es_root_read(root, "proc/1/cgroup", groups, sizeof(groups));
	if (has_any(root, pod, ES_ARRAY_SIZE(pod)) || strstr(groups, "kubepods"))
		return ES_RUNTIME_KUBERNETES;
	if (es_root_exists(root, "run/.containerenv") || strstr(groups, "/libpod"))
		return ES_RUNTIME_PODMAN;
	if (es_root_exists(root, ".dockerenv") || strstr(groups, "/docker"))
		return ES_RUNTIME_DOCKER;
	if (has_any(root, apptainer, ES_ARRAY_SIZE(apptainer)))
		return ES_RUNTIME_APPTAINER;
	es_machine_read(root, &machine);
	return machine.is_container ? ES_RUNTIME_OTHER : ES_RUNTIME_NONE;
}

/* proc_pid_mountinfo(5): the fifth field is the place. */
static bool is_covered(const struct es_root *root)
{
	es_cleanup(es_freep) char *mounts = NULL;

	if (es_root_read_file(root, "proc/self/mountinfo", MOUNTS_MAX_BYTES, &mounts) < 0)
		return false;
	for (const char *line = mounts; line && *line;
	     line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		const char *field = line;

		for (int i = 0; i < 4; i++) {
			field += strcspn(field, " \n");
			field += *field == ' ';
		}
		if (strncmp(field, ZONES " ", sizeof(ZONES)) == 0 ||
		    strncmp(field, "/" CLASS " ", sizeof("/" CLASS)) == 0)
			return true;
	}
	return false;
}

/* The links of the class point to nothing, or the class is empty below a mount. Without the class there is nothing to hide. */
static enum es_hidden_how find_how(const struct es_root *root)
{
	int r;
	es_cleanup(es_closedirp) DIR *dir = NULL;
	bool has_links = false;

	if (!es_root_exists(root, "sys/class") && !es_root_exists(root, "sys/devices"))
		return ES_HIDDEN_NO_SYS;
	dir = es_root_opendir(root, CLASS, &r);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		char path[sizeof(CLASS) + ES_NAME_MAX_BYTES];

		if (entry->d_name[0] == '.')
			continue;
		has_links = true;
		if (snprintf(path, sizeof(path), CLASS "/%s", entry->d_name) < (int)sizeof(path) &&
		    es_root_exists(root, path))
			return ES_HIDDEN_NOT;
	}
	return has_links || (dir && is_covered(root)) ? ES_HIDDEN_MASKED : ES_HIDDEN_NOT;
}

/* user_namespaces(7): the first one maps all numbers to themselves. */
static bool is_user_namespace(const struct es_root *root)
{
	char map[ES_SYSFS_FILE_MAX_BYTES] = "";
	unsigned long inside, outside, count;
	char *end;

	if (es_root_read(root, "proc/self/uid_map", map, sizeof(map)) <= 0)
		return false;
	inside = strtoul(map, &end, 10);
	outside = strtoul(end, &end, 10);
	count = strtoul(end, &end, 10);
	return count > 0 && !(inside == 0 && outside == 0 && count == 4294967295UL);
}

void es_hidden_find(const struct es_root *root, struct es_hidden *ret)
{
	struct es_hidden hidden = { .runtime = find_runtime(root) };
	const char *name = runtimes[hidden.runtime].name;

	hidden.is_user_namespace = is_user_namespace(root);
	/* A tree that stands for a machine may well lack parts of it. */
	hidden.how = root->is_machine || name ? find_how(root) : ES_HIDDEN_NOT;
	/* Outside of containers somebody else covered it: a sandbox, a unit of systemd with ProtectKernelTunables. */
	if (hidden.how == ES_HIDDEN_MASKED)
		(void)snprintf(hidden.reason, sizeof(hidden.reason), "%s hides " ZONES,
			       name ? name : "what started us");
	else if (hidden.how == ES_HIDDEN_NO_SYS)
		(void)snprintf(hidden.reason, sizeof(hidden.reason), "%s shows no /sys",
			       name ? name : "what started us");
	if (hidden.how != ES_HIDDEN_NOT)
		(void)snprintf(hidden.fix, sizeof(hidden.fix), "%s",
			       name ? runtimes[hidden.runtime].fix
				    : runtimes[ES_RUNTIME_OTHER].fix);
	*ret = hidden;
}
