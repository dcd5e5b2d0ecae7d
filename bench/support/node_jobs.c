/*
 * node_jobs.c - a made-up tree of cgroups with many jobs, and a daemon that is told of them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/node_jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "ipc/address.h"
#include "ipc/message.h"
#include "ipc/packet.h"
#include "wire/local.h"

#define PATIENCE_NS (5 * ES_NS_PER_S)
#define SCOPE "system.slice/slurmstepd.scope"

static int put_file(const char *root, const char *name, const char *text)
{
	char path[600];
	es_cleanup(es_closep) int fd = -1;

	(void)snprintf(path, sizeof(path), "%s/%s", root, name);
	for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		(void)mkdir(path, 0755);
		*slash = '/';
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	return fd < 0 ? -errno : es_write_all(fd, text, strlen(text));
}

int es_node_jobs_make(const char *folder, const char *title, unsigned n, struct es_node_jobs *ret)
{
	int r;

	(void)snprintf(ret->root, sizeof(ret->root), "%s/%s", folder, title);
	if (mkdir(ret->root, 0755) < 0)
		return -errno;
	r = put_file(ret->root, "proc/self/mountinfo",
		     "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n");
	if (r == 0)
		r = put_file(ret->root, "proc/stat",
			     "cpu  1000 0 100 90000 0 0 0 0 0 0\ncpu0 1000 0 100 90000 0 0 0\n");
	if (r == 0)
		r = put_file(ret->root, "sys/fs/cgroup/cgroup.controllers", "cpuset cpu memory\n");
	for (unsigned i = 0; r == 0 && i < n; i++) {
		char name[128];

		(void)snprintf(name, sizeof(name), "sys/fs/cgroup/" SCOPE "/job_%u/cpu.stat",
			       i + 1);
		r = put_file(ret->root, name,
			     "usage_usec 5000000\nuser_usec 4000000\nsystem_usec 1000000\n");
		(void)snprintf(name, sizeof(name), "sys/fs/cgroup/" SCOPE "/job_%u/cgroup.procs",
			       i + 1);
		if (r == 0)
			r = put_file(ret->root, name, "");
	}
	return r;
}

static int begin(int fd, uint32_t number)
{
	struct es_local_job job = { .scheduler = "slurm", .has_uid = true, .n_cpus = 1 };
	uint8_t question[ES_IPC_MESSAGE_MAX_BYTES], answer[ES_IPC_MESSAGE_MAX_BYTES];
	struct es_packet_head head;
	struct es_ipc_message said;
	size_t n_answer;
	int n, r;

	(void)snprintf(job.id, sizeof(job.id), "%u", number);
	(void)snprintf(job.cgroup, sizeof(job.cgroup), "/" SCOPE "/job_%u", number);
	job.uid = (uint32_t)geteuid();
	job.flags = ES_LOCAL_SHARED;
	n = es_local_put_job(number, &job, question, sizeof(question));
	if (n < 0)
		return n;
	r = es_packet_ask(fd, question, (size_t)n, es_clock_mono_ns() + PATIENCE_NS, answer,
			  &n_answer, &head, NULL);
	if (r < 0)
		return r;
	r = es_ipc_decode(answer, n_answer, &said);
	if (r < 0)
		return r;
	if (said.type == ES_IPC_ANSWER && said.value == ES_IPC_OK)
		return 0;
	(void)fprintf(stderr, "job %u: %s\n", number, said.text);
	return -EPROTO;
}

int es_node_jobs_begin(const char *path, unsigned n)
{
	es_cleanup(es_closep) int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;
	int r = fd < 0 ? -errno : es_ipc_address(path, &address);

	if (r == 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		r = -errno;
	for (unsigned i = 0; r == 0 && i < n; i++)
		r = begin(fd, i + 1);
	return r;
}
