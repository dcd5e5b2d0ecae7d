/*
 * fuzz_jobs_journal.c - any bytes as the journal of jobs: entries that are whole but for their checksums
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * The input is entries: u8 type, u16 bytes, bytes. They are written with right checksums, so that what is behind them is reached.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/jobs.h"
#include "daemon/jobs_journal.h"
#include "fuzz/target.h"

static int pass(void *arg, uint8_t type, const uint8_t *data, size_t n)
{
	(void)arg;
	(void)type;
	(void)data;
	(void)n;
	return 0;
}

static void write_all(const char *path, const uint8_t *data, size_t n)
{
	struct es_journal *journal;

	if (es_journal_open(path, pass, NULL, &journal, NULL) < 0)
		return;
	while (n >= 3) {
		size_t length = data[1] | (size_t)data[2] << 8;

		if (length > n - 3)
			length = n - 3;
		(void)es_journal_append(journal, data[0], data + 3, length);
		data += 3 + length;
		n -= 3 + length;
	}
	es_journal_close(journal);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char folder[] = "/tmp/es-fuzz-XXXXXX", path[64];
	struct es_root root;
	struct es_jobs_options options = { .root = &root, .journal = path, .boot_id = "b" };
	struct es_error err = { .code = 0 };
	struct es_jobs *jobs;

	if (!mkdtemp(folder))
		return 0;
	(void)snprintf(path, sizeof(path), "%s/journal", folder);
	write_all(path, data, n);
	if (es_root_open(folder, -1, &root, NULL) == 0) {
		for (unsigned i = 0; i < 2; i++) {
			size_t n_jobs = 0;

			fuzz_require(es_jobs_create(&options, 100, 100, &jobs, &err) == 0);
			while (es_jobs_at(jobs, n_jobs))
				fuzz_require(es_jobs_at(jobs, n_jobs++)->about.id[0] != '\0');
			fuzz_require(n_jobs <= ES_JOBS_MAX);
			es_jobs_read_time(jobs);
			(void)es_jobs_scan(jobs, 200, 200);
			es_jobs_destroy(jobs);
		}
		es_root_close(&root);
	}
	(void)unlink(path);
	(void)rmdir(folder);
	return 0;
}
