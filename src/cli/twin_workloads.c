/*
 * twin_workloads.c - what is played on a twin: from a file, from standard input, or by the name of a built-in one
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/twin_workloads.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/twin.h"

#define FILE_MAX_BYTES (4U << 20)

static const struct {
	const char *name, *help, *text;
} workloads[] = {
	{ "cpu", "10 s of arithmetic on all cores", "burn 10s cpu=100%\n" },
	{ "gpu", "10 s on all GPUs, their memory busy to 40 %",
	  "train 10s gpu=100% gpu-memory=40% cpu=5% model=overlapping\n" },
	{ "idle", "10 s of rest", "rest 10s idle=100%\n" },
	{ "memory", "10 s that wait for the memory more than they compute",
	  "stream 10s cpu=20% memory=80%\n" },
	{ "mixed", "a solver: 5 steps that read, compute, exchange and write",
	  "repeat 5\n"
	  "read 500ms cpu=10% idle=90% cores=1\n"
	  "assemble 1s cpu=90% memory=10%\n"
	  "solve 2s cpu=40% memory=60%\n"
	  "exchange 300ms communication=100%\n"
	  "write 200ms cpu=20% idle=80% cores=1\n" },
	{ "stairs", "5 steps of 2 s, each working harder than the one before it, and down again",
	  "step-1 2s cpu=100% activity=0.2\n"
	  "step-2 2s cpu=100% activity=0.4\n"
	  "step-3 2s cpu=100% activity=0.6\n"
	  "step-4 2s cpu=100% activity=0.8\n"
	  "step-5 2s cpu=100%\n"
	  "down-4 2s cpu=100% activity=0.8\n"
	  "down-3 2s cpu=100% activity=0.6\n"
	  "down-2 2s cpu=100% activity=0.4\n"
	  "down-1 2s cpu=100% activity=0.2\n" },
	{ "training", "20 steps of a training on all GPUs, with a checkpoint",
	  "repeat 20\n"
	  "load 50ms cpu=40% idle=60%\n"
	  "forward 150ms gpu=100% gpu-memory=30% cpu=5% model=overlapping\n"
	  "backward 300ms gpu=100% gpu-memory=50% cpu=5% model=overlapping gpu-activity=0.9\n"
	  "allreduce 80ms communication=90% gpu-memory=10%\n"
	  "checkpoint 20ms cpu=10% idle=90% cores=1\n" },
};

int es_twin_workloads_put(struct es_buf *out)
{
	for (size_t i = 0; i < ES_ARRAY_SIZE(workloads); i++)
		(void)es_buf_printf(out, "%-10s  %s\n", workloads[i].name, workloads[i].help);
	return out->error;
}

static int read_all(int fd, struct es_buf *out)
{
	ssize_t n = 1;

	while (n > 0 && es_buf_reserve(out, 65536) == 0) {
		n = read(fd, out->data + out->len, out->cap - out->len);
		if (n > 0)
			out->len += (size_t)n;
		else if (n < 0 && errno == EINTR)
			n = 1;
	}
	return n < 0 ? -errno : out->error;
}

/* A name that is neither a file nor built in may be one of them, spelt wrongly. */
static int not_found(const char *what, struct es_error *err)
{
	const char *names[ES_ARRAY_SIZE(workloads)], *nearest;

	for (size_t i = 0; i < ES_ARRAY_SIZE(workloads); i++)
		names[i] = workloads[i].name;
	nearest = es_twin_nearest(what, names, ES_ARRAY_SIZE(names));
	if (nearest)
		return es_error_say(err, -ENOENT,
				    "'%s' is no file and no built-in workload; did you mean '%s'?",
				    what, nearest);
	return es_error_say(
		err, -ENOENT,
		"'%s' is no file and no built-in workload ('energyscopium twin play --list' shows those)",
		what);
}

static int read_file(const char *path, struct es_twin_program *ret, struct es_error *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	es_cleanup(es_closep) int fd = is_stdin ? dup(STDIN_FILENO)
						: open(path, O_RDONLY | O_CLOEXEC);
	struct es_error why = { .code = 0 };
	struct es_buf text;
	int r;

	if (fd < 0)
		return errno == ENOENT && !strchr(path, '/')
			       ? not_found(path, err)
			       : es_error_set(err, -errno, "cannot open '%s'", path);
	es_buf_init(&text, FILE_MAX_BYTES);
	r = read_all(fd, &text);
	if (r < 0)
		r = es_error_set(err, r, "cannot read '%s'", path);
	else
		r = es_twin_program_parse((const char *)text.data, text.len, ret, &why);
	if (r < 0 && why.text[0])
		(void)es_error_say(err, r, "%s: %.900s", is_stdin ? "standard input" : path,
				   why.text);
	es_buf_finish(&text);
	return r;
}

int es_twin_workload_read(const char *what, struct es_twin_program *ret, struct es_error *err)
{
	for (size_t i = 0; i < ES_ARRAY_SIZE(workloads); i++)
		if (strcmp(what, workloads[i].name) == 0)
			return es_twin_program_parse(workloads[i].text, strlen(workloads[i].text),
						     ret, err);
	return read_file(what, ret, err);
}
