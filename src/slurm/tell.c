/*
 * tell.c - packets to the daemon of this node, without ever waiting for it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "slurm/tell.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ipc/address.h"
#include "ipc/packet.h"

int es_slurm_dial(const char *path)
{
	struct sockaddr_un address;
	es_cleanup(es_closep) int fd = -1;
	int r = es_ipc_address(path, &address);

	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return es_steal_fd(&fd);
}

/* What Slurm says of a job besides its id is worth less than the job: where it makes no packet it stays behind. */
static int put_job(uint32_t number, const struct es_local_job *job, uint8_t *out, size_t size)
{
	struct es_local_job bare = { .has_uid = job->has_uid, .uid = job->uid };
	int n = es_local_put_job(number, job, out, size);

	if (n >= 0)
		return n;
	(void)snprintf(bare.id, sizeof(bare.id), "%s", job->id);
	(void)snprintf(bare.step, sizeof(bare.step), "%s", job->step);
	(void)snprintf(bare.scheduler, sizeof(bare.scheduler), "%s", job->scheduler);
	bare.flags = job->flags;
	return es_local_put_job(number, &bare, out, size);
}

static int send_job(int fd, uint32_t number, const struct es_local_job *job)
{
	uint8_t packet[ES_IPC_MESSAGE_MAX_BYTES];
	int n = put_job(number, job, packet, sizeof(packet));

	return n < 0 ? n : es_packet_send(fd, packet, (size_t)n, -1);
}

int es_slurm_tell_begin(const char *socket, const struct es_local_job *job, const char *step)
{
	es_cleanup(es_closep) int fd = es_slurm_dial(socket);
	struct es_local_job of_step;
	int r;

	if (fd < 0)
		return fd;
	r = send_job(fd, 1, job);
	if (r < 0 || !step[0])
		return r;
	of_step = *job;
	(void)snprintf(of_step.step, sizeof(of_step.step), "%s", step);
	return send_job(fd, 2, &of_step);
}

int es_slurm_tell_end(const char *socket, const struct es_local_end *end)
{
	es_cleanup(es_closep) int fd = es_slurm_dial(socket);
	uint8_t packet[ES_IPC_MESSAGE_MAX_BYTES];
	int n;

	if (fd < 0)
		return fd;
	n = es_local_put_end(1, end, packet, sizeof(packet));
	return n < 0 ? n : es_packet_send(fd, packet, (size_t)n, -1);
}
