/*
 * spank.c - energyscopium-spank.so: tells the daemon when jobs and steps begin and end
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * In srun, sbatch and salloc it only knows an option; in slurmd's prolog and epilog, and in slurmstepd, it sends packets and waits for
 * nothing. Whatever goes wrong here, Slurm and the job never notice: each callback returns success.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <slurm/slurm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "slurm/about.h"
#include "slurm/args.h"
#include "slurm/detach.h"
#include "slurm/output.h"
#include "slurm/tell.h"

#define OPTION "energyscopium"
#define CGROUPS_MAX_BYTES 8192U

/* What Slurm looks up by name, and nothing else, is seen from outside. */
#pragma GCC visibility push(default)
#include <slurm/spank.h>

const char plugin_name[] = "energyscopium", plugin_type[] = "spank";
const unsigned int plugin_version = SLURM_VERSION_NUMBER, spank_plugin_version = 1;
#pragma GCC visibility pop

/* Slurm's own programs have these in libslurmfull; where not, the index of a node is not known. */
#pragma weak slurm_hostlist_create
#pragma weak slurm_hostlist_find
#pragma weak slurm_hostlist_destroy

/*
 * Opened with root's rights, written with the user's: the two callbacks run one after the other in the process that becomes the job,
 * and SPANK hands nothing from one to the next.
 */
static int output_fd = -1;

/** struct plug - what each callback finds out anew */
struct plug {
	struct es_slurm_args args;
	char node[ES_NAME_MAX_BYTES]; /* its name in Slurm */
	uint32_t job, step;
	uid_t uid;
	enum es_slurm_wish wish;
};

static int get_own(void *arg, const char *name, char *ret, size_t size)
{
	const char *value = getenv(name);

	(void)arg;
	if (!value)
		return -ENOENT;
	return (size_t)snprintf(ret, size, "%s", value) < size ? 0 : -ENAMETOOLONG;
}

static int get_of_job(void *arg, const char *name, char *ret, size_t size)
{
	return spank_getenv((spank_t)arg, name, ret, (int)size) == ESPANK_SUCCESS ? 0 : -ENOENT;
}

static int option_given(int value, const char *text, int is_remote)
{
	enum es_slurm_wish wish;

	(void)value;
	if (is_remote || es_slurm_wish_read(text, &wish) == 0)
		return 0;
	slurm_error("--" OPTION "=%s: say off or measure", text);
	return -1;
}

static void option_fill(struct spank_option *ret, char name[static sizeof(OPTION)],
			char info[static 12], char usage[static 80])
{
	(void)snprintf(name, sizeof(OPTION), OPTION);
	(void)snprintf(info, 12, "off|measure");
	(void)snprintf(usage, 80, "whether a batch job's output ends with its energy");
	*ret = (struct spank_option){
		.name = name, .arginfo = info, .usage = usage, .has_arg = 2, .cb = option_given
	};
}

/* The option of srun, sbatch or salloc; else the job's variable. */
static enum es_slurm_wish wish_of(spank_t sp)
{
	char name[sizeof(OPTION)], info[12], usage[80], text[16], *given = NULL;
	enum es_slurm_wish wish = ES_SLURM_WISH_USUAL;
	struct spank_option option;

	option_fill(&option, name, info, usage);
	if (spank_option_getopt(sp, &option, &given) == ESPANK_SUCCESS)
		(void)es_slurm_wish_read(given, &wish);
	else if (spank_remote(sp) == 1 && get_of_job(sp, "ENERGYSCOPIUM", text, sizeof(text)) == 0)
		(void)es_slurm_wish_read(text, &wish);
	return wish;
}

/*
 * slurmd gives its scripts SLURMD_NODENAME; in slurmstepd that of the job's environment may be another node's, and the topology's
 * address ends in the name.
 */
static void find_node(spank_t sp, char ret[static ES_NAME_MAX_BYTES])
{
	char address[ES_NAME_MAX_BYTES];
	const char *name = NULL, *dot;

	if (get_own(NULL, "SLURMD_NODENAME", ret, ES_NAME_MAX_BYTES) == 0 && ret[0])
		return;
	if (spank_remote(sp) == 1 &&
	    get_of_job(sp, "SLURM_TOPOLOGY_ADDR", address, sizeof(address)) == 0) {
		dot = strrchr(address, '.');
		name = dot ? dot + 1 : address;
	} else if (gethostname(address, sizeof(address)) == 0) {
		address[sizeof(address) - 1] = '\0';
		address[strcspn(address, ".")] = '\0';
		name = address;
	}
	(void)snprintf(ret, ES_NAME_MAX_BYTES, "%s", name ? name : "");
	if (strchr(ret, '/'))
		ret[0] = '\0';
}

/* False: not of a job, and there is nothing to do. */
static bool plug_init(spank_t sp, int argc, char *argv[], struct plug *ret)
{
	*ret = (struct plug){ .uid = (uid_t)-1 };
	find_node(sp, ret->node);
	(void)es_slurm_args_read(argc, argv, ret->node, &ret->args, NULL);
	if (spank_get_item(sp, S_JOB_ID, &ret->job) != ESPANK_SUCCESS || ret->job == 0)
		return false;
	(void)spank_get_item(sp, S_JOB_UID, &ret->uid);
	ret->step = SLURM_PENDING_STEP;
	if (spank_remote(sp) == 1)
		(void)spank_get_item(sp, S_JOB_STEPID, &ret->step);
	return true;
}

static int index_of(const char *nodes, const char *node)
{
	/* Since 23.11 hostlist_t is what lists are made of, no longer a pointer to it. */
	__typeof__(slurm_hostlist_create(nodes)) list;
	int index;

	if (!nodes[0] || !slurm_hostlist_create || !slurm_hostlist_find || !slurm_hostlist_destroy)
		return -1;
	list = slurm_hostlist_create(nodes);
	if (!list)
		return -1;
	index = slurm_hostlist_find(list, node);
	slurm_hostlist_destroy(list);
	return index;
}

static void about(spank_t sp, const struct plug *plug, es_slurm_get_fn get, void *arg, bool is_sure,
		  struct es_local_job *ret)
{
	char cpus[ES_LOCAL_LIST_MAX_BYTES];
	int index;

	*ret = (struct es_local_job){ .scheduler = "slurm",
				      .uid = plug->uid,
				      .has_uid = plug->uid != (uid_t)-1 };
	(void)snprintf(ret->id, sizeof(ret->id), "%" PRIu32, plug->job);
	es_slurm_about_job(get, arg, is_sure, ret);
	index = index_of(ret->nodes, plug->node);
	if (index >= 0)
		ret->node_index = (uint32_t)index;
	if (index >= 0 && get(arg, "SLURM_JOB_CPUS_PER_NODE", cpus, sizeof(cpus)) == 0)
		ret->n_cpus = es_slurm_cpus_at(cpus, (uint32_t)index);
	if (!is_sure)
		(void)spank_get_item(sp, S_SLURM_RESTART_COUNT, &ret->restarts);
	if (ret->restarts > 0)
		ret->flags |= ES_LOCAL_RESTARTED;
	if (plug->args.is_exclusive)
		ret->flags |= ES_LOCAL_EXCLUSIVE;
	if (plug->wish == ES_SLURM_WISH_OFF)
		ret->flags |= ES_LOCAL_OFF;
}

/* -1: it is not root's alone, or cannot be made. */
static int open_state(const char *path, bool may_make)
{
	es_cleanup(es_closep) int fd = -1;
	struct stat status;

	if (may_make)
		(void)mkdir(path, 0700);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) < 0 || status.st_uid != 0 || (status.st_mode & 077))
		return -1;
	return es_steal_fd(&fd);
}

/* Said once, in slurmd's log, and not to every user. */
static void check_site(spank_t sp, int argc, char *argv[])
{
	es_cleanup(es_closep) int state = -1;
	char node[ES_NAME_MAX_BYTES];
	struct es_slurm_args args;
	struct es_error err = { .code = 0 };

	find_node(sp, node);
	if (es_slurm_args_read(argc, argv, node, &args, &err) < 0)
		slurm_error("energyscopium: %s", err.text);
	state = open_state(args.state, true);
	if (state < 0)
		slurm_error(
			"energyscopium: the folder '%s' is not root's alone (0700), or cannot be "
			"made: no job has its line",
			args.state);
}

int slurm_spank_init(spank_t sp, int argc, char *argv[])
{
	char name[sizeof(OPTION)], info[12], usage[80];
	struct spank_option option;

	option_fill(&option, name, info, usage);
	(void)spank_option_register(sp, &option);
	if (spank_context() == S_CTX_SLURMD)
		check_site(sp, argc, argv);
	return 0;
}

int slurm_spank_job_prolog(spank_t sp, int argc, char *argv[])
{
	struct es_local_job job;
	struct plug plug;

	if (!plug_init(sp, argc, argv, &plug))
		return 0;
	plug.wish = wish_of(sp);
	about(sp, &plug, get_own, NULL, true, &job);
	(void)es_slurm_tell_begin(plug.args.socket, &job, "");
	return 0;
}

/* slurmstepd itself is in the job's cgroup by now. */
static void find_cgroup(struct es_local_job *job, uint32_t id)
{
	es_cleanup(es_closep) int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
	char text[CGROUPS_MAX_BYTES];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n < 0)
		return;
	text[n] = '\0';
	(void)es_slurm_cgroup_of(text, id, job->cgroup, sizeof(job->cgroup));
}

int slurm_spank_init_post_opt(spank_t sp, int argc, char *argv[])
{
	char step[ES_LOCAL_ID_MAX_BYTES];
	struct es_local_job job;
	struct plug plug;

	if (spank_remote(sp) != 1 || !plug_init(sp, argc, argv, &plug))
		return 0;
	if (plug.args.is_own_socket)
		(void)spank_setenv(sp, "ENERGYSCOPIUM_DAEMON", plug.args.socket, 0);
	about(sp, &plug, get_of_job, sp, false, &job);
	find_cgroup(&job, plug.job);
	es_slurm_step_name(plug.step, step, sizeof(step));
	(void)es_slurm_tell_begin(plug.args.socket, &job, step);
	return 0;
}

static void name_state(const struct plug *plug, char *ret, size_t size)
{
	(void)snprintf(ret, size, "%s.%" PRIu32, plug->node, plug->job);
}

int slurm_spank_task_init_privileged(spank_t sp, int argc, char *argv[])
{
	es_cleanup(es_closep) int folder = -1;
	char name[ES_NAME_MAX_BYTES + 16];
	struct plug plug;

	if (!plug_init(sp, argc, argv, &plug) || plug.step != SLURM_BATCH_SCRIPT)
		return 0;
	plug.wish = wish_of(sp);
	if (plug.wish == ES_SLURM_WISH_OFF ||
	    (!plug.args.has_line && plug.wish != ES_SLURM_WISH_MEASURE))
		return 0;
	folder = open_state(plug.args.state, true);
	if (folder < 0)
		return 0;
	name_state(&plug, name, sizeof(name));
	(void)unlinkat(folder, name, 0); /* a requeued job's */
	output_fd =
		openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return 0;
}

int slurm_spank_task_init(spank_t sp, int argc, char *argv[])
{
	es_cleanup(es_closep) int fd = es_steal_fd(&output_fd);
	char text[ES_SLURM_OUTPUT_MAX_BYTES];
	struct es_slurm_output output;
	struct plug plug;
	int n;

	if (fd < 0 || !plug_init(sp, argc, argv, &plug) ||
	    es_slurm_output_of(STDOUT_FILENO, &output) < 0)
		return 0;
	output.n_jobs = es_slurm_parts_of(get_of_job, sp, output.jobs, ES_SLURM_PARTS_MAX);
	if (output.n_jobs == 0)
		output.jobs[output.n_jobs++] = plug.job;
	n = es_slurm_output_put(&output, text, sizeof(text));
	/* A part of it is no such file, and stays unread. */
	if (n > 0 && write(fd, text, (size_t)n) != n)
		(void)ftruncate(fd, 0);
	return 0;
}

int slurm_spank_exit(spank_t sp, int argc, char *argv[])
{
	struct es_local_end end = { .t_ns = 0 };
	struct plug plug;

	if (spank_remote(sp) != 1 || !plug_init(sp, argc, argv, &plug))
		return 0;
	(void)snprintf(end.id, sizeof(end.id), "%" PRIu32, plug.job);
	es_slurm_step_name(plug.step, end.step, sizeof(end.step));
	(void)es_slurm_tell_end(plug.args.socket, &end);
	return 0;
}

/* What both helpers want to know. They take seconds, and so are programs of their own. */
struct helper {
	char path[ES_SLURM_PATH_MAX_BYTES + 64], job[16], wait[24];
};

static void helper_init(struct helper *helper, const struct plug *plug, const char *name)
{
	(void)snprintf(helper->path, sizeof(helper->path), "%s/%s", plug->args.helpers, name);
	(void)snprintf(helper->job, sizeof(helper->job), "%" PRIu32, plug->job);
	(void)snprintf(helper->wait, sizeof(helper->wait), "%" PRId64 "ms",
		       plug->args.wait_ns / 1000000);
}

static void start_line(struct plug *plug, const char *name)
{
	char state[ES_SLURM_PATH_MAX_BYTES + ES_NAME_MAX_BYTES + 32];
	struct helper helper = { .job = "" };
	char *argv[] = { helper.path,
			 (char[]){ "--job" },
			 helper.job,
			 (char[]){ "--socket" },
			 plug->args.socket,
			 (char[]){ "--wait" },
			 helper.wait,
			 (char[]){ "--state" },
			 state,
			 (char[]){ "--program" },
			 plug->args.program,
			 NULL };

	helper_init(&helper, plug, "energyscopium-slurm-line");
	(void)snprintf(state, sizeof(state), "%s/%s", plug->args.state, name);
	(void)es_slurm_start(helper.path, argv);
}

static void start_comment(struct plug *plug)
{
	char cluster[ES_NAME_MAX_BYTES], conf[ES_SLURM_PATH_MAX_BYTES], field[16];
	struct helper helper = { .job = "" };
	char *argv[] = { helper.path,
			 (char[]){ "--job" },
			 helper.job,
			 (char[]){ "--socket" },
			 plug->args.socket,
			 (char[]){ "--wait" },
			 helper.wait,
			 (char[]){ "--field" },
			 field,
			 (char[]){ "--cluster" },
			 cluster,
			 (char[]){ "--conf" },
			 conf,
			 NULL };

	if (get_own(NULL, "SLURM_CLUSTER_NAME", cluster, sizeof(cluster)) < 0)
		return;
	if (get_own(NULL, "SLURM_CONF", conf, sizeof(conf)) < 0)
		argv[ES_ARRAY_SIZE(argv) - 3] = NULL;
	helper_init(&helper, plug, "energyscopium-slurm-comment");
	(void)snprintf(field, sizeof(field), "%s", es_slurm_comment_name(plug->args.comment));
	(void)es_slurm_start(helper.path, argv);
}

int slurm_spank_job_epilog(spank_t sp, int argc, char *argv[])
{
	es_cleanup(es_closep) int folder = -1;
	char name[ES_NAME_MAX_BYTES + 16], text[ES_LOCAL_NODES_MAX_BYTES];
	struct es_local_end end = { .t_ns = 0 };
	struct plug plug;
	bool has_output;
	uint64_t status;

	if (!plug_init(sp, argc, argv, &plug))
		return 0;
	(void)snprintf(end.id, sizeof(end.id), "%" PRIu32, plug.job);
	if (get_own(NULL, "SLURM_JOB_EXIT_CODE", text, sizeof(text)) == 0 &&
	    es_parse_u64(text, &status) == 0 && status <= INT32_MAX) {
		end.has_status = true;
		end.status = (int32_t)status;
	}
	(void)es_slurm_tell_end(plug.args.socket, &end);

	name_state(&plug, name, sizeof(name));
	folder = open_state(plug.args.state, false);
	has_output = folder >= 0 && faccessat(folder, name, R_OK, 0) == 0;
	if (wish_of(sp) == ES_SLURM_WISH_OFF)
		return 0;
	if (has_output)
		start_line(&plug, name);
	if (plug.args.comment != ES_SLURM_COMMENT_NONE &&
	    get_own(NULL, "SLURM_NODELIST", text, sizeof(text)) == 0 &&
	    index_of(text, plug.node) == 0)
		start_comment(&plug);
	return 0;
}
