/*
 * test_slurm_tell.c - unit tests for slurm/tell.c and slurm/detach.c
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "slurm/tell.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ipc/address.h"
#include "ipc/packet.h"
#include "slurm/detach.h"
#include "support/test.h"

static char folder[] = "/tmp/es-tell-XXXXXX";

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[64];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return chdir("/") == 0 ? system(command) : -1;
}

static int listen_at(const char *path)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(es_ipc_address(path, &address), 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void hear(int fd, uint16_t type, struct es_local_job *ret)
{
	uint8_t packet[ES_IPC_MESSAGE_MAX_BYTES];
	struct es_packet_head head;
	size_t n;

	assert_int_equal(
		es_packet_receive(fd, es_clock_mono_ns() + 10000000000LL, packet, &n, NULL), 0);
	assert_int_equal(es_packet_head_get(packet, n, &head), 0);
	assert_int_equal(head.type, type);
	assert_int_equal(
		es_local_get_job(packet + ES_IPC_HEADER_BYTES, n - ES_IPC_HEADER_BYTES, ret), 0);
}

static void job_and_step_are_told_although_nobody_listens_yet(void **state)
{
	static const struct es_local_job job = { .id = "7", .scheduler = "slurm", .nodes = "n1" };
	es_cleanup(es_closep) int listener = listen_at("a");
	es_cleanup(es_closep) int peer = -1;
	struct es_local_job heard;

	(void)state;
	assert_int_equal(es_slurm_tell_begin("a", &job, "batch"), 0);
	peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(peer >= 0);
	hear(peer, ES_LOCAL_JOB_BEGIN, &heard);
	assert_string_equal(heard.id, "7");
	assert_string_equal(heard.step, "");
	assert_string_equal(heard.nodes, "n1");
	hear(peer, ES_LOCAL_JOB_BEGIN, &heard);
	assert_string_equal(heard.step, "batch");
}

static void a_job_is_told_without_what_makes_no_packet(void **state)
{
	struct es_local_job job = {
		.id = "7", .scheduler = "slurm", .gpus = "; rm -rf /", .flags = ES_LOCAL_OFF
	};
	es_cleanup(es_closep) int listener = listen_at("b");
	es_cleanup(es_closep) int peer = -1;
	struct es_local_job heard;

	(void)state;
	job.uid = 5;
	job.has_uid = true;
	assert_int_equal(es_slurm_tell_begin("b", &job, ""), 0);
	peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(peer >= 0);
	hear(peer, ES_LOCAL_JOB_BEGIN, &heard);
	assert_string_equal(heard.id, "7");
	assert_int_equal(heard.uid, 5);
	assert_int_equal(heard.flags, ES_LOCAL_OFF);
	assert_string_equal(heard.gpus, "");
}

static void a_stopped_daemon_is_not_waited_for(void **state)
{
	static const struct es_local_end end = { .id = "7" };
	es_cleanup(es_closep) int listener = listen_at("c");
	int r = 0;

	(void)state;
	for (int i = 0; i < 10 && r == 0; i++)
		r = es_slurm_tell_end("c", &end);
	assert_int_equal(r, -EAGAIN);
	assert_int_equal(es_slurm_tell_end("nobody", &end), -ENOENT);
	es_closep(&listener);
	listener = -1;
	assert_int_equal(es_slurm_tell_end("c", &end), -ECONNREFUSED);
}

static void a_program_is_started_apart(void **state)
{
	es_cleanup(es_closep) int fifo = -1, kept = -1;
	char program[64], name[64], text[64] = "";
	char *argv[] = { program, (char[]){ "word" }, NULL };
	FILE *file;

	(void)state;
	(void)snprintf(program, sizeof(program), "%s/program", folder);
	(void)snprintf(name, sizeof(name), "%s/fifo", folder);
	assert_int_equal(mkfifo(name, 0600), 0);
	file = fopen(program, "w");
	assert_non_null(file);
	/* $$ leads its session's only group but not the session; 9 is a descriptor of ours */
	(void)fprintf(
		file,
		"#!/bin/sh\ntest -e /proc/self/fd/9 && kept=9\necho \"$1 $HOME $kept $(pwd)\" >%s\n",
		name);
	assert_int_equal(fchmod(fileno(file), 0700), 0);
	assert_int_equal(fclose(file), 0);
	kept = dup3(STDERR_FILENO, 9, 0);
	assert_int_equal(kept, 9);

	assert_int_equal(es_slurm_start(program, argv), 0);
	fifo = open(name, O_RDONLY | O_CLOEXEC);
	assert_true(fifo >= 0);
	assert_true(read(fifo, text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "word   /\n");
	assert_int_equal(es_slurm_start("/nonexistent/program", argv), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(job_and_step_are_told_although_nobody_listens_yet),
		cmocka_unit_test(a_job_is_told_without_what_makes_no_packet),
		cmocka_unit_test(a_stopped_daemon_is_not_waited_for),
		cmocka_unit_test(a_program_is_started_apart),
	};

	return cmocka_run_group_tests_name("slurm/tell", tests, set_up, tear_down);
}
