/*
 * node_exporter.c - prometheus-node-exporter as a peer: what else reads the same counters once a second
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/node_exporter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "support/process.h"

#define PORT 39173
#define TRIES 200U

int es_node_exporter_scrape(void)
{
	static const char question[] = "GET /metrics HTTP/1.0\r\n\r\n";
	const struct sockaddr_in address = { .sin_family = AF_INET,
					     .sin_port = htons(PORT),
					     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	es_cleanup(es_closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char text[4096];
	ssize_t n;

	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    write(fd, question, sizeof(question) - 1) < 0)
		return -errno;
	do
		n = read(fd, text, sizeof(text));
	while (n > 0);
	return n < 0 ? -errno : 0;
}

pid_t es_node_exporter_start(const char *tree)
{
	char sysfs[512], procfs[512], listen[64];
	char *argv[] = { "prometheus-node-exporter",
			 "--collector.disable-defaults",
			 "--collector.rapl",
			 "--web.disable-exporter-metrics",
			 sysfs,
			 procfs,
			 listen,
			 NULL };
	pid_t pid;

	(void)snprintf(sysfs, sizeof(sysfs), "--path.sysfs=%s/sys", tree);
	(void)snprintf(procfs, sizeof(procfs), "--path.procfs=%s/proc", tree);
	(void)snprintf(listen, sizeof(listen), "--web.listen-address=127.0.0.1:%d", PORT);
	pid = es_bench_spawn(argv, -1, ES_BENCH_ANY_CPU);
	for (unsigned i = 0; pid > 0 && i < TRIES; i++) {
		if (es_node_exporter_scrape() == 0)
			return pid;
		(void)usleep(20000);
	}
	if (pid > 0) {
		(void)kill(pid, SIGKILL);
		(void)es_bench_wait(pid, NULL);
	}
	return -ENOENT;
}
