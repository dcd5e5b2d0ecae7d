/*
 * fuzz_twin_store.c - any text written to a twin's knobs; it is taken or refused, and the node lives on within reason
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Each line is PATH=TEXT; for registers, dev/cpu/N/msr=REGISTER VALUE, both hexadecimal.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/target.h"
#include "twin/host.h"
#include "twin/kind.h"

#define LINES_MAX 64U
#define MOST_W 5000U

static int write_register(const struct es_twin_entry *entry, int64_t t_ns, const char *text)
{
	char *end;
	uint64_t reg = strtoull(text, &end, 16), value = strtoull(end, NULL, 16);
	ssize_t n = es_twin_entry_ops(entry)->write_at(es_twin_entry_file(entry), t_ns, (off_t)reg,
						       &value, sizeof(value));

	fuzz_require(n == (ssize_t)sizeof(value) || n == -EIO || n == -EINVAL);
	return n < 0 ? (int)n : 0;
}

/* What was refused leaves the file as it was. */
static void write_text(const struct es_twin_entry *entry, int64_t t_ns, const char *text)
{
	const struct es_twin_file_ops *ops = es_twin_entry_ops(entry);
	const struct es_twin_file *file = es_twin_entry_file(entry);
	struct es_buf before, after;
	int r, shown;

	es_buf_init(&before, 1U << 20);
	es_buf_init(&after, 1U << 20);
	shown = ops->show(file, NULL, t_ns, &before);
	r = ops->store(file, NULL, t_ns, text);
	fuzz_require(r <= 0 && r > -4096);
	fuzz_require(ops->show(file, NULL, t_ns, &after) == shown);
	if (r < 0) {
		fuzz_require(after.len == before.len);
		fuzz_require(after.len == 0 || memcmp(after.data, before.data, after.len) == 0);
	}
	es_buf_finish(&before);
	es_buf_finish(&after);
}

static void write_line(struct es_twin_host *host, int64_t t_ns, char *line)
{
	char *text = strchr(line, '=');
	const struct es_twin_entry *entry;
	const struct es_twin_file_ops *ops;

	if (!text || strncmp(line, ".twin", 5) == 0)
		return;
	*text++ = '\0';
	entry = es_twin_tree_find(host->tree, line);
	if (!entry || es_twin_entry_type(entry) != ES_TWIN_IS_FILE)
		return;
	ops = es_twin_entry_ops(entry);
	if (ops->write_at)
		(void)write_register(entry, t_ns, text);
	else if (ops->store && ops->show)
		write_text(entry, t_ns, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct es_twin_options options = { .is_quiet = true, .start_ns = 1 };
	char *text = malloc(n + 1), *rest = text;
	int64_t t_ns = options.start_ns;
	struct es_twin_kind kind = *es_twin_kind_find("laptop", NULL);
	struct es_twin_host *host;
	uint64_t power_uw;

	/* Fewer files to make for each input. */
	kind.cpu.n_cores = 2;
	kind.cpu.turbos[kind.cpu.n_turbos - 1].n_cores = 2;
	fuzz_require(text != NULL);
	if (n)
		memcpy(text, data, n);
	text[n] = '\0';
	fuzz_require(es_twin_host_create(&kind, &options, "fuzz", "/", &host, NULL) == 0);
	for (unsigned i = 0; i < LINES_MAX && rest; i++) {
		write_line(host, t_ns, strsep(&rest, "\n"));
		t_ns += 10000000;
		es_twin_advance(host->node, t_ns);
	}
	power_uw = es_twin_power_uw(host->node, ES_TWIN_NODE, 0, t_ns);
	fuzz_require(power_uw > 0 && power_uw < MOST_W * UINT64_C(1000000));
	es_twin_host_destroy(host);
	free(text);
	return 0;
}
