/*
 * sys/jobgroup.c - which job a cgroup is about, by its path alone
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Where the layouts are from:
 *   Slurm      src/plugins/cgroup/v1 and v2 of its source, slurm.schedmd.com/cgroup_v2.html; NODE where it is built for several slurmd
 *   Kubernetes pkg/kubelet/cm/cgroup_manager_linux.go: drivers cgroupfs and systemd, which puts the parents' names before each slice's
 *   docker     docs.docker.com, "Runtime metrics": /docker/ID by cgroupfs, docker-ID.scope by systemd
 *   podman     libpod/container_internal_linux.go: libpod-ID.scope, /libpod_parent/libpod-ID; crun's "container" below
 *   Apptainer  internal/pkg/cgroups/manager_linux.go: /apptainer/PID; apptainer-PID.scope in system.slice or user.slice
 *   OAR        sources/core/tools/job_resource_manager_cgroups.pl: /oar/USER_JOB; with systemd /oar.slice/oar-uUID.slice/oar-uUID-jJOB.slice
 *   PBS        src/hooks/cgroups/pbs_cgroups.PY of OpenPBS: /pbs_jobs.service/jobid/JOB (v2: jobs), before 2020 /pbspro.slice/pbspro-JOB.slice
 *              with the name escaped for systemd, and /pbspro/JOB
 *   LSF        LSF documentation, "Memory and swap limit enforcement based on Linux cgroups": /lsf/CLUSTER/job.JOB.PID.TIME,
 *              of an array's element job.JOB[INDEX].PID.TIME (CEEMS, internal/common, which accounts for both)
 *   Flux       flux-core, sdexec: imp-shell-RANK-JOB.service or shell-RANK-JOB.service, in system.slice or its user's slice
 */
#include "sys/jobgroup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"

#define PARTS_MAX 16U
#define CONTAINER_ID_BYTES 12U

/** struct part - one name in a path */
struct part {
	const char *text;
	size_t n;
};

struct parts {
	const char *path;
	struct part part[PARTS_MAX];
	size_t n;
};

/* False where the path is not one of the kernel's; what is deeper than we look is left off. */
static bool split(const char *path, struct parts *ret)
{
	const char *p = path;

	*ret = (struct parts){ .path = path };
	while (*p == '/' && p[1] != '\0') {
		size_t n = strcspn(p + 1, "/");

		if (n == 0 || (n <= 2 && strncmp(p + 1, "..", n) == 0))
			return false;
		if (ret->n < PARTS_MAX)
			ret->part[ret->n++] = (struct part){ .text = p + 1, .n = n };
		p += 1 + n;
	}
	return *p == '\0' || strcmp(p, "/") == 0;
}

static bool part_is(const struct part *part, const char *text)
{
	return part->n == strlen(text) && memcmp(part->text, text, part->n) == 0;
}

/* What is between @before and @behind; false where the name is not of that shape, or nothing is there. */
static bool between(const struct part *part, const char *before, const char *behind,
		    struct part *ret)
{
	size_t n_before = strlen(before), n_behind = strlen(behind);

	if (part->n <= n_before + n_behind || memcmp(part->text, before, n_before) != 0 ||
	    memcmp(part->text + part->n - n_behind, behind, n_behind) != 0)
		return false;
	*ret = (struct part){ .text = part->text + n_before, .n = part->n - n_before - n_behind };
	return true;
}

static bool ends_with(const struct part *part, const char *behind)
{
	struct part rest;

	return between(part, "", behind, &rest) || part_is(part, behind);
}

static bool is_id_letter(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       strchr("._+-:[]", c);
}

static bool take_id(const struct part *part, char ret[static ES_JOBGROUP_ID_MAX_BYTES])
{
	if (part->n == 0 || part->n >= ES_JOBGROUP_ID_MAX_BYTES || strchr("._+-:[]", part->text[0]))
		return false;
	for (size_t i = 0; i < part->n; i++)
		if (part->text[i] == '\0' || !is_id_letter(part->text[i]))
			return false;
	memcpy(ret, part->text, part->n);
	ret[part->n] = '\0';
	return true;
}

static bool take_number(const struct part *part, uint32_t *ret)
{
	char digits[16];
	uint64_t number;

	if (part->n >= sizeof(digits))
		return false;
	(void)snprintf(digits, sizeof(digits), "%.*s", (int)part->n, part->text);
	if (es_parse_u64(digits, &number) < 0 || number >= UINT32_MAX)
		return false;
	*ret = (uint32_t)number;
	return true;
}

static bool is_number(const struct part *part)
{
	uint32_t number;

	return take_number(part, &number);
}

static bool is_hex(const struct part *part)
{
	for (size_t i = 0; i < part->n; i++)
		if (!strchr("0123456789abcdef", part->text[i]) || part->text[i] == '\0')
			return false;
	return true;
}

/* A container's: 64 digits, of which 12 are shown. */
static bool take_container(const struct part *part, char ret[static ES_JOBGROUP_ID_MAX_BYTES])
{
	const struct part shown = { .text = part->text, .n = CONTAINER_ID_BYTES };

	return part->n >= CONTAINER_ID_BYTES && part->n <= 64 && is_hex(part) &&
	       take_id(&shown, ret);
}

static bool take_uid(const struct part *part, const char *before, const char *behind,
		     struct es_jobgroup *ret)
{
	struct part number;

	ret->has_uid = between(part, before, behind, &number) && take_number(&number, &ret->uid);
	return ret->has_uid;
}

/* The job's cgroup is at part @at. */
static bool found(const struct parts *parts, size_t at, const char *scheduler,
		  struct es_jobgroup *ret)
{
	const struct part *own = &parts->part[at];

	ret->scheduler = scheduler;
	ret->job_bytes = (size_t)(own->text + own->n - parts->path);
	return true;
}

static void take_slurm_step(const struct parts *parts, size_t at, struct es_jobgroup *ret)
{
	struct part step;

	if (at < parts->n && between(&parts->part[at], "step_", "", &step) &&
	    !take_id(&step, ret->step))
		ret->step[0] = '\0';
}

static bool take_slurm_job(const struct parts *parts, size_t at, struct es_jobgroup *ret)
{
	struct part job;

	if (at >= parts->n || !between(&parts->part[at], "job_", "", &job) ||
	    !take_id(&job, ret->id))
		return false;
	take_slurm_step(parts, at + 1, ret);
	return found(parts, at, "slurm", ret);
}

static bool is_slurm_v1(const struct parts *parts, struct es_jobgroup *ret)
{
	struct part node;

	if (parts->n < 3)
		return false;
	if (between(&parts->part[0], "slurm_", "", &node)) {
		if (!take_id(&node, ret->node))
			return false;
	} else if (!part_is(&parts->part[0], "slurm")) {
		return false;
	}
	return take_uid(&parts->part[1], "uid_", "", ret) && take_slurm_job(parts, 2, ret);
}

static bool is_slurm_v2(const struct parts *parts, struct es_jobgroup *ret)
{
	struct part node;

	if (parts->n < 3 || !part_is(&parts->part[0], "system.slice"))
		return false;
	if (between(&parts->part[1], "", "_slurmstepd.scope", &node)) {
		if (!take_id(&node, ret->node))
			return false;
	} else if (!part_is(&parts->part[1], "slurmstepd.scope")) {
		return false;
	}
	return take_slurm_job(parts, 2, ret);
}

/* systemd's driver writes a pod's UID with underscores; static pods have a hash without hyphens. */
static bool take_pod(const struct part *uid, struct es_jobgroup *ret)
{
	if (uid->n < 8 || !take_id(&(struct part){ .text = uid->text, .n = 1 }, ret->id) ||
	    uid->n >= sizeof(ret->id))
		return false;
	for (size_t i = 0; i < uid->n; i++) {
		char c = uid->text[i] == '_' ? '-' : uid->text[i];

		if (!strchr("0123456789abcdef-", c) || c == '\0')
			return false;
		ret->id[i] = c;
	}
	ret->id[uid->n] = '\0';
	return true;
}

static void take_pod_container(const struct parts *parts, size_t at, struct es_jobgroup *ret)
{
	static const char *const before[] = { "cri-containerd-", "crio-", "docker-",
					      "containerd-" };
	struct part id;

	if (at >= parts->n || take_container(&parts->part[at], ret->step))
		return;
	for (size_t i = 0; i < ES_ARRAY_SIZE(before); i++)
		if (between(&parts->part[at], before[i], ".scope", &id) &&
		    take_container(&id, ret->step))
			return;
	ret->step[0] = '\0';
}

/* "kubepods-burstable-podUID.slice", or what is behind its last "-pod" */
static bool is_pod_slice(const struct part *part, struct part *ret_uid)
{
	struct part name;

	if (!between(part, "", ".slice", &name))
		return false;
	for (size_t i = name.n; i >= 4; i--)
		if (memcmp(name.text + i - 4, "-pod", 4) == 0) {
			*ret_uid = (struct part){ .text = name.text + i, .n = name.n - i };
			return true;
		}
	return false;
}

static bool is_kubernetes(const struct parts *parts, struct es_jobgroup *ret)
{
	struct part rest, uid;

	if (parts->n < 2 || !between(&parts->part[0], "kube", "", &rest))
		return false;
	for (size_t i = 1; i < parts->n; i++) {
		if (!between(&parts->part[i], "pod", "", &uid) &&
		    !is_pod_slice(&parts->part[i], &uid))
			continue;
		if (!take_pod(&uid, ret))
			return false;
		take_pod_container(parts, i + 1, ret);
		return found(parts, i, "kubernetes", ret);
	}
	return false;
}

/* containerd by cgroupfs below a kubelet by systemd: /system.slice/containerd.service/kubepods-burstable-podUID.slice:cri-containerd:ID */
static bool is_mixed_kubernetes(const struct parts *parts, struct es_jobgroup *ret)
{
	struct part slice, uid;
	const char *colon;

	if (parts->n < 2)
		return false;
	slice = parts->part[parts->n < 3 ? parts->n - 1 : 2];
	colon = memchr(slice.text, ':', slice.n);
	if (!colon || !part_is(&parts->part[0], "system.slice") ||
	    strncmp(slice.text, "kube", 4) != 0)
		return false;
	slice.n = (size_t)(colon - slice.text);
	/* Each container has a cgroup of its own beside the others: the pod's is none of them. */
	return is_pod_slice(&slice, &uid) && take_pod(&uid, ret) &&
	       found(parts, parts->n < 3 ? parts->n - 1 : 2, "kubernetes", ret);
}

/** struct unit - how a container's cgroup is called, by systemd or below a folder of its runtime */
struct unit {
	const char *before, *behind, *scheduler;
	bool is_number; /* a process; else a container's id */
};

static bool is_unit(const struct part *part, const struct unit *unit, struct es_jobgroup *ret)
{
	struct part id;

	if (!between(part, unit->before, unit->behind, &id))
		return false;
	return unit->is_number ? is_number(&id) && take_id(&id, ret->id)
			       : take_container(&id, ret->id);
}

/* system.slice, machine.slice, a user's: only slices and the user's manager may be between. */
static bool is_container_unit(const struct parts *parts, struct es_jobgroup *ret)
{
	static const struct unit units[] = {
		{ "docker-", ".scope", "docker", false },
		{ "libpod-", ".scope", "podman", false },
		{ "apptainer-", ".scope", "apptainer", true },
		{ "singularity-", ".scope", "apptainer", true },
	};

	if (parts->n < 2 ||
	    (!part_is(&parts->part[0], "system.slice") &&
	     !part_is(&parts->part[0], "machine.slice") && !part_is(&parts->part[0], "user.slice")))
		return false;
	for (size_t i = 1; i < parts->n; i++) {
		for (size_t k = 0; k < ES_ARRAY_SIZE(units); k++)
			if (is_unit(&parts->part[i], &units[k], ret))
				return found(parts, i, units[k].scheduler, ret);
		if (!ret->has_uid && take_uid(&parts->part[i], "user-", ".slice", ret))
			continue;
		if (!ends_with(&parts->part[i], ".slice") &&
		    strncmp(parts->part[i].text, "user@", 5) != 0)
			return false;
	}
	return false;
}

static bool is_container_folder(const struct parts *parts, struct es_jobgroup *ret)
{
	static const struct {
		const char *folder;
		struct unit unit;
	} folders[] = {
		{ "docker", { "", "", "docker", false } },
		{ "libpod_parent", { "libpod-", "", "podman", false } },
		{ "apptainer", { "", "", "apptainer", true } },
		{ "singularity", { "", "", "apptainer", true } },
	};

	for (size_t i = 0; i < ES_ARRAY_SIZE(folders); i++)
		if (parts->n > 1 && part_is(&parts->part[0], folders[i].folder) &&
		    is_unit(&parts->part[1], &folders[i].unit, ret))
			return found(parts, 1, folders[i].unit.scheduler, ret);
	return false;
}

/* A user's name may have underscores: the job is behind the last one. */
static bool is_oar(const struct parts *parts, struct es_jobgroup *ret)
{
	const struct part *own = &parts->part[1];
	struct part job;
	const char *mark;

	if (parts->n < 2 || !part_is(&parts->part[0], "oar"))
		return false;
	mark = memrchr(own->text, '_', own->n);
	if (!mark || mark == own->text)
		return false;
	job = (struct part){ .text = mark + 1, .n = own->n - (size_t)(mark + 1 - own->text) };
	return is_number(&job) && take_id(&job, ret->id) && found(parts, 1, "oar", ret);
}

static bool is_oar_slice(const struct parts *parts, struct es_jobgroup *ret)
{
	struct part name, job;
	const char *mark;

	if (parts->n < 3 || !part_is(&parts->part[0], "oar.slice") ||
	    !take_uid(&parts->part[1], "oar-u", ".slice", ret) ||
	    !between(&parts->part[2], "oar-u", "", &name))
		return false;
	if (ends_with(&name, ".slice"))
		name.n -= strlen(".slice");
	mark = memmem(name.text, name.n, "-j", 2);
	if (!mark)
		return false;
	job = (struct part){ .text = mark + 2, .n = name.n - (size_t)(mark + 2 - name.text) };
	return is_number(&job) && take_id(&job, ret->id) && found(parts, 2, "oar", ret);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* systemd-escape(1): what cannot be in a unit's name is \xNN. */
static bool take_escaped(const struct part *part, char ret[static ES_JOBGROUP_ID_MAX_BYTES])
{
	struct part plain;
	char text[ES_JOBGROUP_ID_MAX_BYTES];
	size_t n = 0;

	for (size_t i = 0; i < part->n; i++) {
		char c = part->text[i];

		if (n == sizeof(text))
			return false;
		if (c == '\\') {
			int high = i + 3 < part->n ? hex_digit(part->text[i + 2]) : -1;
			int low = i + 3 < part->n ? hex_digit(part->text[i + 3]) : -1;

			if (high < 0 || low < 0 || part->text[i + 1] != 'x')
				return false;
			c = (char)(high << 4 | low);
			i += 3;
		}
		text[n++] = c;
	}
	plain = (struct part){ .text = text, .n = n };
	return take_id(&plain, ret);
}

static bool is_pbs(const struct parts *parts, struct es_jobgroup *ret)
{
	struct part name, job;

	if (parts->n > 2 && between(&parts->part[0], "pbs", ".service", &name) &&
	    (part_is(&parts->part[1], "jobid") || part_is(&parts->part[1], "jobs")))
		return take_id(&parts->part[2], ret->id) && found(parts, 2, "pbs", ret);
	if (parts->n > 1 && part_is(&parts->part[0], "pbspro.slice") &&
	    between(&parts->part[1], "pbspro-", ".slice", &job))
		return take_escaped(&job, ret->id) && found(parts, 1, "pbs", ret);
	if (parts->n > 1 && part_is(&parts->part[0], "pbspro"))
		return take_id(&parts->part[1], ret->id) && found(parts, 1, "pbs", ret);
	return false;
}

static bool is_lsf(const struct parts *parts, struct es_jobgroup *ret)
{
	struct part job;
	const char *dot;

	if (parts->n < 3 || !part_is(&parts->part[0], "lsf") ||
	    !between(&parts->part[2], "job.", "", &job))
		return false;
	dot = memchr(job.text, '.', job.n);
	if (dot)
		job.n = (size_t)(dot - job.text);
	return take_id(&job, ret->id) && found(parts, 2, "lsf", ret);
}

/* The name ends in the job's id in base 58, which may begin with ƒ. */
static bool is_flux(const struct parts *parts, struct es_jobgroup *ret)
{
	char text[ES_JOBGROUP_ID_MAX_BYTES];
	struct part name, rank, job;
	const char *mark;
	size_t i;

	for (i = 1; i < parts->n; i++)
		if (between(&parts->part[i], "imp-shell-", ".service", &name) ||
		    between(&parts->part[i], "shell-", ".service", &name))
			break;
	if (i >= parts->n ||
	    (!part_is(&parts->part[0], "system.slice") && !part_is(&parts->part[0], "user.slice")))
		return false;
	mark = memchr(name.text, '-', name.n);
	if (!mark)
		return false;
	rank = (struct part){ .text = name.text, .n = (size_t)(mark - name.text) };
	job = (struct part){ .text = mark + 1, .n = name.n - rank.n - 1 };
	if (!is_number(&rank))
		return false;
	/* U+0192 as systemd escapes it; F58 ids may be written with a plain f in its place (flux-job(1)). */
	if (job.n <= 8 || memcmp(job.text, "\\xc6\\x92", 8) != 0)
		return take_id(&job, ret->id) && found(parts, i, "flux", ret);
	(void)snprintf(text, sizeof(text), "f%.*s", (int)(job.n - 8), job.text + 8);
	job = (struct part){ .text = text, .n = job.n - 7 };
	return job.n < sizeof(text) && take_id(&job, ret->id) && found(parts, i, "flux", ret);
}

bool es_jobgroup_parse(const char *path, struct es_jobgroup *ret)
{
	static bool (*const layouts[])(const struct parts *, struct es_jobgroup *) = {
		is_slurm_v1,
		is_slurm_v2,
		is_kubernetes,
		is_mixed_kubernetes,
		is_oar,
		is_oar_slice,
		is_pbs,
		is_lsf,
		is_flux,
		is_container_unit,
		is_container_folder,
	};
	struct parts parts;

	if (!split(path, &parts))
		return false;
	for (size_t i = 0; i < ES_ARRAY_SIZE(layouts); i++) {
		struct es_jobgroup group = { .scheduler = "" };

		if (!layouts[i](&parts, &group))
			continue;
		*ret = group;
		return true;
	}
	return false;
}

/* Folders of a depth at most in which jobs may be; deeper ones hold none. */
static bool is_slices_only(const struct parts *parts)
{
	for (size_t i = 1; i < parts->n; i++)
		if (!ends_with(&parts->part[i], ".slice") &&
		    strncmp(parts->part[i].text, "user@", 5) != 0)
			return false;
	return true;
}

bool es_jobgroup_may_hold(const char *path)
{
	static const struct {
		const char *name;
		size_t depth;
	} folders[] = {
		{ "slurm", 2 }, { "docker", 1 },       { "libpod_parent", 1 }, { "apptainer", 1 },
		{ "oar", 1 },	{ "oar.slice", 2 },    { "singularity", 1 },   { "pbspro", 1 },
		{ "lsf", 2 },	{ "pbspro.slice", 1 },
	};
	struct parts parts;
	struct part rest;

	if (!split(path, &parts))
		return false;
	if (parts.n == 0)
		return true;
	for (size_t i = 0; i < ES_ARRAY_SIZE(folders); i++)
		if (part_is(&parts.part[0], folders[i].name))
			return parts.n <= folders[i].depth;
	if (between(&parts.part[0], "slurm_", "", &rest))
		return parts.n <= 2;
	if (between(&parts.part[0], "kube", "", &rest))
		return parts.n <= 4;
	if (between(&parts.part[0], "pbs", ".service", &rest))
		return parts.n <= 2;
	if (part_is(&parts.part[0], "system.slice") && parts.n == 2 &&
	    (ends_with(&parts.part[1], "slurmstepd.scope") ||
	     part_is(&parts.part[1], "containerd.service")))
		return true;
	return (part_is(&parts.part[0], "system.slice") ||
		part_is(&parts.part[0], "machine.slice") ||
		part_is(&parts.part[0], "user.slice")) &&
	       parts.n <= 6 && is_slices_only(&parts);
}
