/*
 * tree_processes.c - who computes on the GPUs of a simulated node, as its look-alikes tell
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "twin/gpus.h"
#include "twin/sysfs.h"

#define PERCENT_MAX 100U

/* The text as it was written: the tree's. */
static char *text_of(const struct es_twin_file *file)
{
	return (char *)file->data;
}

static int show(const struct es_twin_file *file, void *handle, int64_t t_ns, struct es_buf *out)
{
	(void)handle;
	(void)t_ns;
	return es_buf_str(out, text_of(file));
}

/* "PID PERCENT" or "PID PERCENT INSTANCE", a line each; nothing: nobody computes. */
static bool is_right(const struct es_twin_file *file, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		unsigned pid, percent, instance;
		char line[64], end;
		int found;

		if (n >= sizeof(line))
			return false;
		memcpy(line, text, n);
		line[n] = '\0';
		found = sscanf(line, "%9u %9u %9u %c", &pid, &percent, &instance, &end);
		if (n && ((found != 2 && found != 3) || pid == 0 || percent > PERCENT_MAX))
			return false;
		if (n && found == 3 && instance >= file->host->kind->gpu.n_instances)
			return false;
		text += n + (text[n] != '\0');
	}
	return true;
}

static int store(const struct es_twin_file *file, void *handle, int64_t t_ns, const char *text)
{
	(void)handle;
	(void)t_ns;
	if (strlen(text) >= ES_TWIN_PROCESSES_BYTES - 1)
		return -EMSGSIZE;
	if (!is_right(file, text))
		return -EINVAL;
	(void)snprintf(text_of(file), ES_TWIN_PROCESSES_BYTES, "%s%s", text, *text ? "\n" : "");
	return 0;
}

static const struct es_twin_file_ops ops = { .show = show, .store = store };

void es_twin_put_processes(struct es_twin_host *host, unsigned device)
{
	struct es_twin_file file = { .a = device };
	char path[64];

	file.data = es_twin_tree_keep(host->tree, ES_TWIN_PROCESSES_BYTES);
	if (!file.data)
		return;
	(void)snprintf(path, sizeof(path), ES_TWIN_GPU_PROCESSES "/%u", device);
	es_twin_tree_file(host->tree, 0644, path, &ops, &file);
}
