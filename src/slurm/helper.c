/*
 * helper.c - energyscopium-slurm-line: writes a job's line when the job is over, apart from Slurm
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Started by the plug-in in the epilog of the first node; nobody sees its output, so what fails is told to syslog.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "slurm/line.h"

#define GRACE_NS 10000000000LL /* for programs to start on a node that is busy with the next job */

struct options {
	uint32_t job;
	const char *socket, *program, *wait, *state;
	int64_t wait_ns;
};

static int read_job(const char *text, uint32_t *ret)
{
	uint64_t value;

	if (es_parse_u64(text, &value) < 0 || value == 0 || value > UINT32_MAX)
		return -EINVAL;
	*ret = (uint32_t)value;
	return 0;
}

static int read_options(int argc, char *argv[], struct options *ret)
{
	static const struct option known[] = {
		{ "job", required_argument, NULL, 'j' },
		{ "socket", required_argument, NULL, 's' },
		{ "program", required_argument, NULL, 'p' },
		{ "wait", required_argument, NULL, 'w' },
		{ "state", required_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*ret = (struct options){ .wait = "2s", .wait_ns = 2000000000LL };
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 'j' && read_job(optarg, &ret->job) < 0)
			return -EINVAL;
		if (c == 's')
			ret->socket = optarg;
		if (c == 'p')
			ret->program = optarg;
		if (c == 't')
			ret->state = optarg;
		if (c == 'w') {
			ret->wait = optarg;
			if (es_parse_duration_ns(optarg, &ret->wait_ns) < 0)
				return -EINVAL;
		}
		if (c == '?')
			return -EINVAL;
	}
	return optind == argc && ret->job && ret->socket && ret->program && ret->state ? 0
										       : -EINVAL;
}

static int write_line(const struct options *options, struct es_error *err)
{
	const int64_t until_ns = es_clock_mono_ns() + options->wait_ns + GRACE_NS;
	es_cleanup(es_freep) char *text = malloc(ES_SLURM_LINE_MAX_BYTES);
	struct es_slurm_output output;
	size_t n = 0;
	int r = 0;

	if (!text)
		return es_error_set(err, -ENOMEM, "no memory for a line");
	r = es_slurm_take_output(options->state, &output, err);
	if (r == 0)
		r = es_slurm_become_user(&output, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < output.n_jobs; i++) {
		size_t n_line = 0;

		r = es_slurm_ask_line(options->program, options->socket, output.jobs[i],
				      options->wait, until_ns, text + n,
				      ES_SLURM_LINE_MAX_BYTES - n, &n_line, err);
		n += r == 0 ? n_line : 0;
	}
	return n == 0 ? r : es_slurm_output_append(&output, text, n, err);
}

int main(int argc, char *argv[])
{
	struct es_error err = { .code = 0 };
	struct options options;

	if (read_options(argc, argv, &options) < 0) {
		(void)fprintf(
			stderr,
			"usage: energyscopium-slurm-line --job ID --socket PATH --program PATH "
			"--state FILE [--wait TIME]\n"
			"Started by the plug-in for Slurm; see energyscopium-slurm(7).\n");
		return 2;
	}
	(void)umask(077);
	/* A file as large as the user's limit is an error of write(), not the end of this program. */
	(void)signal(SIGXFSZ, SIG_IGN);
	openlog("energyscopium-slurm-line", LOG_PID, LOG_DAEMON);
	if (write_line(&options, &err) < 0 && err.code != -ENODATA) {
		syslog(LOG_WARNING, "job %" PRIu32 ": %s, its output has no line", options.job,
		       err.text);
		return 1;
	}
	return 0;
}
