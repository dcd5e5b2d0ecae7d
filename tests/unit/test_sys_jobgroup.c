/*
 * test_sys_jobgroup.c - which job a cgroup is about, by its path alone
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <string.h>

#include "sys/jobgroup.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define POD "550e8400-e29b-41d4-a716-446655440000"
#define POD_ "550e8400_e29b_41d4_a716_446655440000"
#define KUBELET "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/"

static const struct {
	const char *path, *scheduler, *id, *step, *node;
	int64_t uid; /* -1: not told */
	const char *job; /* the job's own cgroup */
} known[] = {
	{ "/slurm/uid_2001/job_17/step_0/task_1", "slurm", "17", "0", "", 2001,
	  "/slurm/uid_2001/job_17" },
	{ "/slurm/uid_2001/job_17", "slurm", "17", "", "", 2001, "/slurm/uid_2001/job_17" },
	{ "/slurm/uid_0/job_3/step_batch", "slurm", "3", "batch", "", 0, "/slurm/uid_0/job_3" },
	{ "/slurm_n1/uid_5/job_8/step_extern/task_0", "slurm", "8", "extern", "n1", 5,
	  "/slurm_n1/uid_5/job_8" },
	{ "/system.slice/slurmstepd.scope/job_42/step_0/user/task_3", "slurm", "42", "0", "", -1,
	  "/system.slice/slurmstepd.scope/job_42" },
	{ "/system.slice/n3_slurmstepd.scope/job_42/step_interactive/slurm", "slurm", "42",
	  "interactive", "n3", -1, "/system.slice/n3_slurmstepd.scope/job_42" },
	{ "/kubepods/burstable/pod" POD "/" HEX64, "kubernetes", POD, "0123456789ab", "", -1,
	  "/kubepods/burstable/pod" POD },
	{ "/kubepods/pod" POD "/" HEX64, "kubernetes", POD, "0123456789ab", "", -1,
	  "/kubepods/pod" POD },
	{ "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" POD_
	  ".slice/cri-containerd-" HEX64 ".scope",
	  "kubernetes", POD, "0123456789ab", "", -1,
	  "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" POD_ ".slice" },
	{ "/kubepods.slice/kubepods-pod" POD_ ".slice/crio-" HEX64 ".scope/container", "kubernetes",
	  POD, "0123456789ab", "", -1, "/kubepods.slice/kubepods-pod" POD_ ".slice" },
	{ KUBELET
	  "kubelet-kubepods-burstable-podc704ef4c297ab11032b83ce52cbfc87b.slice/docker-" HEX64
	  ".scope",
	  "kubernetes", "c704ef4c297ab11032b83ce52cbfc87b", "0123456789ab", "", -1,
	  KUBELET "kubelet-kubepods-burstable-podc704ef4c297ab11032b83ce52cbfc87b.slice" },
	{ "/system.slice/containerd.service/kubepods-burstable-pod" POD_
	  ".slice:cri-containerd:" HEX64,
	  "kubernetes", POD, "", "", -1,
	  "/system.slice/containerd.service/kubepods-burstable-pod" POD_
	  ".slice:cri-containerd:" HEX64 },
	{ "/docker/" HEX64, "docker", "0123456789ab", "", "", -1, "/docker/" HEX64 },
	{ "/system.slice/docker-" HEX64 ".scope/init", "docker", "0123456789ab", "", "", -1,
	  "/system.slice/docker-" HEX64 ".scope" },
	{ "/machine.slice/libpod-" HEX64 ".scope/container", "podman", "0123456789ab", "", "", -1,
	  "/machine.slice/libpod-" HEX64 ".scope" },
	{ "/machine.slice/machine-libpod_pod_0123.slice/libpod-" HEX64 ".scope", "podman",
	  "0123456789ab", "", "", -1,
	  "/machine.slice/machine-libpod_pod_0123.slice/libpod-" HEX64 ".scope" },
	{ "/libpod_parent/libpod-" HEX64, "podman", "0123456789ab", "", "", -1,
	  "/libpod_parent/libpod-" HEX64 },
	{ "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" HEX64
	  ".scope/container",
	  "podman", "0123456789ab", "", "", 1000,
	  "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" HEX64 ".scope" },
	{ "/user.slice/user-1000.slice/user@1000.service/user.slice/apptainer-4711.scope",
	  "apptainer", "4711", "", "", 1000,
	  "/user.slice/user-1000.slice/user@1000.service/user.slice/apptainer-4711.scope" },
	{ "/apptainer/4711", "apptainer", "4711", "", "", -1, "/apptainer/4711" },
	{ "/singularity/4711", "apptainer", "4711", "", "", -1, "/singularity/4711" },
	{ "/oar/jean_claude_1234", "oar", "1234", "", "", -1, "/oar/jean_claude_1234" },
	{ "/oar.slice/oar-u1000.slice/oar-u1000-j45670.slice/oar-u1000-j45670-s1.scope", "oar",
	  "45670", "", "", 1000, "/oar.slice/oar-u1000.slice/oar-u1000-j45670.slice" },
	{ "/pbs_jobs.service/jobid/12345.gadi-pbs", "pbs", "12345.gadi-pbs", "", "", -1,
	  "/pbs_jobs.service/jobid/12345.gadi-pbs" },
	{ "/pbs_jobs.service/jobs/12[3].pbs/x", "pbs", "12[3].pbs", "", "", -1,
	  "/pbs_jobs.service/jobs/12[3].pbs" },
	{ "/pbspro.slice/pbspro-7.gadi\\x2dpbs.slice", "pbs", "7.gadi-pbs", "", "", -1,
	  "/pbspro.slice/pbspro-7.gadi\\x2dpbs.slice" },
	{ "/pbspro/12.server", "pbs", "12.server", "", "", -1, "/pbspro/12.server" },
	{ "/lsf/cluster1/job.99.12345.1700000000", "lsf", "99", "", "", -1,
	  "/lsf/cluster1/job.99.12345.1700000000" },
	{ "/lsf/cluster1/job.99[3].12345.1700000000", "lsf", "99[3]", "", "", -1,
	  "/lsf/cluster1/job.99[3].12345.1700000000" },
	{ "/system.slice/imp-shell-0-f28QP3kqBZ.service", "flux", "f28QP3kqBZ", "", "", -1,
	  "/system.slice/imp-shell-0-f28QP3kqBZ.service" },
	{ "/user.slice/user-993.slice/user@993.service/shell-1-\\xc6\\x9228QP3kqBZ.service", "flux",
	  "f28QP3kqBZ", "", "", -1,
	  "/user.slice/user-993.slice/user@993.service/shell-1-\\xc6\\x9228QP3kqBZ.service" },
};

static void documented_layouts_are_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct es_jobgroup group;

		if (!es_jobgroup_parse(known[i].path, &group))
			fail_msg("%s is nobody's", known[i].path);
		assert_string_equal(group.scheduler, known[i].scheduler);
		assert_string_equal(group.id, known[i].id);
		assert_string_equal(group.step, known[i].step);
		assert_string_equal(group.node, known[i].node);
		assert_int_equal(group.has_uid ? (int64_t)group.uid : -1, known[i].uid);
		assert_int_equal(group.job_bytes, strlen(known[i].job));
		assert_memory_equal(known[i].path, known[i].job, group.job_bytes);
	}
}

static void what_leads_to_a_job_is_walked_into(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		for (const char *p = known[i].path; p; p = strchr(p + 1, '/')) {
			size_t n = (size_t)(p - known[i].path);
			struct es_jobgroup group;
			char above[256];

			if (n >= strlen(known[i].job))
				break;
			memcpy(above, known[i].path, n);
			above[n] = '\0';
			assert_false(es_jobgroup_parse(above, &group));
			if (!es_jobgroup_may_hold(above))
				fail_msg("'%s' is not walked into", above);
		}
}

static void others_are_nobodys(void **state)
{
	static const char *const paths[] = {
		"",
		"/",
		"//",
		"slurm/uid_1/job_2",
		"/slurm",
		"/slurm/uid_1",
		"/slurm/uid_x/job_2",
		"/slurm/uid_4294967295/job_2",
		"/slurm/uid_1/job_",
		"/slurm/uid_1/job_a b",
		"/slurm/uid_1/../job_2",
		"/slurm_/uid_1/job_2",
		"/system.slice/sshd.service/job_2",
		"/system.slice/slurmstepd.scope/system",
		"/system.slice/docker.service",
		"/system.slice/docker-xyz.scope",
		"/machine.slice/libpod-conmon-" HEX64 ".scope",
		"/libpod_parent/conmon",
		"/docker/buildkit",
		"/user.slice/user-1000.slice/session-3.scope",
		"/kubepods/burstable",
		"/kubepods.slice/kubepods-burstable.slice",
		"/kubepods/podxyz",
		"/oar/nobody",
		"/oar/_12",
		"/pbspro.slice/pbspro-7\\x.slice",
		"/pbspro.slice/pbspro-7\\x00.slice",
		"/lsf/cluster1/other.99",
		"/system.slice/imp-shell-x-f2.service",
		("/slurm/uid_1/job_"
		 "0123456789012345678901234567890123456789012345678901234567890123456789"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct es_jobgroup group;

		if (es_jobgroup_parse(paths[i], &group))
			fail_msg("'%s' is job %s", paths[i], group.id);
	}
}

/* A user may make any folder below what systemd has handed over. */
static void what_a_user_makes_is_no_schedulers(void **state)
{
#define OWN "/user.slice/user-1000.slice/user@1000.service"
	static const char *const paths[] = {
		OWN "/slurm/uid_1/job_2",
		OWN "/app.slice/slurmstepd.scope/job_2",
		OWN "/kubepods/pod" POD "/" HEX64,
		OWN "/evil.service/docker-" HEX64 ".scope",
		OWN "/pbs_jobs.service/jobid/12.server",
		"/docker/a/slurm/uid_1/job_2",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct es_jobgroup group;

		assert_false(es_jobgroup_parse(paths[i], &group));
	}
}

static void other_folders_are_not_walked_into(void **state)
{
	(void)state;
	assert_true(es_jobgroup_may_hold(""));
	assert_true(es_jobgroup_may_hold("/"));
	assert_false(es_jobgroup_may_hold("/init.scope"));
	assert_false(es_jobgroup_may_hold("/system.slice/sshd.service"));
	assert_false(es_jobgroup_may_hold("/slurm/uid_1/job_2"));
	assert_false(es_jobgroup_may_hold("/slurm/../etc"));
	assert_false(es_jobgroup_may_hold("/process_api/0123"));
	assert_false(es_jobgroup_may_hold("/user.slice/user-1.slice/session-2.scope/x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documented_layouts_are_known),
		cmocka_unit_test(what_leads_to_a_job_is_walked_into),
		cmocka_unit_test(others_are_nobodys),
		cmocka_unit_test(what_a_user_makes_is_no_schedulers),
		cmocka_unit_test(other_folders_are_not_walked_into),
	};

	return cmocka_run_group_tests_name("sys/jobgroup", tests, NULL, NULL);
}
