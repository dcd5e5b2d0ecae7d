/*
 * daemon/main.c - energyscopiumd: reads the meters of a node for everybody on it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "daemon/daemon.h"

#define MAPPED_FROM_BYTES (256 * 1024)

static const char usage[] =
	"usage: energyscopiumd [options]\n"
	"\n"
	"Reads the meters of this node once for everybody, knows its jobs and what each of them drew.\n"
	"It stays in the foreground: a service manager starts it.\n"
	"\n"
	"  --config FILE     configuration (default: " ES_DAEMON_CONFIG ")\n"
	"  --check-config    tell what is wrong with it, and end\n"
	"  --root DIR        a tree or a twin that stands for the machine of the meters\n"
	"  --jobs-root DIR   where cgroups and processes are (default: as --root)\n"
	"  --socket PATH     in place of the configured one\n"
	"  --help            this text\n"
	"  --version         the program's version\n"
	"\n"
	"energyscopiumd(8) tells more, energyscopiumd.yaml(5) what can be configured.\n";

struct command_line {
	struct es_daemon_places places;
	bool checks;
};

/* 0: go on; else the exit status, plus one. */
static int parse(int argc, char **argv, struct command_line *ret)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check-config", no_argument, NULL, 'k' },
		{ "root", required_argument, NULL, 'r' },
		{ "jobs-root", required_argument, NULL, 'j' },
		{ "socket", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (option) {
		case 'c':
			ret->places.config = optarg;
			break;
		case 'k':
			ret->checks = true;
			break;
		case 'r':
			ret->places.root = optarg;
			break;
		case 'j':
			ret->places.jobs_root = optarg;
			break;
		case 's':
			ret->places.socket = optarg;
			break;
		case 'h':
			(void)fputs(usage, stdout);
			return 1;
		case 'V':
			(void)printf("energyscopiumd %s\n", ES_VERSION);
			return 1;
		default:
			(void)fputs("energyscopiumd --help tells what there is\n", stderr);
			return 3;
		}
	}
	if (optind < argc) {
		(void)fprintf(stderr, "energyscopiumd: '%s': no operand is taken\n", argv[optind]);
		return 3;
	}
	return 0;
}

int main(int argc, char **argv)
{
	es_cleanup(es_freep) struct es_daemon *daemon = calloc(1, sizeof(*daemon));
	es_cleanup(es_freep) char *problems = NULL;
	struct command_line line = { .checks = false };
	struct es_error err = { .code = 0 };
	int status = parse(argc, argv, &line);

	if (status > 0)
		return status - 1;
	/* Workers ask for megabytes for a moment: what they free goes back to the system, and is not kept for each of them. */
	(void)mallopt(M_MMAP_THRESHOLD, MAPPED_FROM_BYTES);
	(void)mallopt(M_ARENA_MAX, 2);
	if (!daemon)
		return 1;
	daemon->places = line.places;
	es_log_init(&daemon->log);
	if (es_daemon_config_load(line.places.config, &daemon->config, &problems, &err) < 0) {
		es_log_say(&daemon->log, ES_LOG_ERROR, "%s", problems ? problems : err.text);
		return 1;
	}
	if (line.checks) {
		if (!line.places.config && access(ES_DAEMON_CONFIG, F_OK) < 0)
			(void)printf("the configuration '%s' is not there: defaults are taken\n",
				     ES_DAEMON_CONFIG);
		else
			(void)printf("the configuration '%s' is right\n",
				     line.places.config ? line.places.config : ES_DAEMON_CONFIG);
	} else {
		daemon->log.most = daemon->config.log_level;
		status = es_daemon_run(daemon);
	}
	es_daemon_config_finish(&daemon->config);
	return status;
}
