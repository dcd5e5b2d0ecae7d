/*
 * fuzz_account.c - any bytes as the saved book of a node, and as lists of GPUs and devices
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * A saved book is overwritten behind what tells whose it is, and gets a right checksum, so that the rest is reached.
 */
#include <string.h>

#include "block/crc32c.h"
#include "daemon/account.h"
#include "daemon/account_gpus.h"
#include "fuzz/target.h"
#include "sys/root.h"

#define BEHIND 16U /* magic, version, fingerprint, domains */
#define CHECKSUM_BYTES 4U
#define SAVED_MAX (1U << 20)

static void read_lists(const uint8_t *data, size_t n)
{
	char text[512];
	struct es_domain domain;
	uint32_t instances = 0;

	n = n < sizeof(text) - 1 ? n : sizeof(text) - 1;
	memcpy(text, data, n);
	text[n] = '\0';
	es_domain_init(&domain, "nvml", ES_DOMAIN_GPU, 1, -1);
	memcpy(domain.uuid, "GPU-01234567", sizeof("GPU-01234567"));
	memcpy(domain.pci, "0000:17:00.0", sizeof("0000:17:00.0"));
	domain.n_instances = 2;
	if (es_account_gpu_named(&domain, text, &instances))
		fuzz_require(instances < 4);
	fuzz_require(es_account_devices_allow(text, 195, 1) <= 1);
}

static void feed(struct es_account *account, struct es_jobs *jobs, size_t n)
{
	struct es_reading readings[2] = { { .t_ns = 1000, .value = 5 }, { .t_ns = 1000 } };
	struct es_sweep sweep = {
		.boot_ns = 1000, .mono_ns = 1000, .period_ns = 1000, .readings = readings, .n = n
	};

	(void)es_account_feed(account, jobs, &sweep);
}

static void load(const uint8_t *data, size_t n, struct es_jobs *jobs)
{
	struct es_account_options options = { .n_cpus = 4 };
	struct es_domain domains[2];
	const struct es_node_domains node = { .epoch = 9, .domains = domains, .n = 2 };
	struct es_account *account = NULL;
	struct es_buf saved;
	uint32_t crc;

	es_domain_init(&domains[0], "test", ES_DOMAIN_PACKAGE, 0, -1);
	es_domain_init(&domains[1], "test", ES_DOMAIN_NODE, -1, -1);
	domains[0].is_chosen = domains[1].is_chosen_total = true;
	es_buf_init(&saved, SAVED_MAX);
	fuzz_require(es_account_create(&options, &node, &account, NULL) == 0);
	feed(account, jobs, 2);
	fuzz_require(es_account_save(account, jobs, "b", &saved) == 0);
	es_account_destroy(account);
	fuzz_require(es_account_create(&options, &node, &account, NULL) == 0);
	if (n > saved.len - BEHIND - CHECKSUM_BYTES)
		n = saved.len - BEHIND - CHECKSUM_BYTES;
	memcpy(saved.data + BEHIND, data, n);
	crc = es_crc32c(0, saved.data, saved.len - CHECKSUM_BYTES);
	for (unsigned i = 0; i < CHECKSUM_BYTES; i++)
		saved.data[saved.len - CHECKSUM_BYTES + i] = (uint8_t)(crc >> 8 * i);
	if (es_account_load(account, jobs, "b", saved.data, saved.len) < 0)
		fuzz_require(es_account_epoch(account) == 9);
	feed(account, jobs, 2);
	es_account_destroy(account);
	es_buf_finish(&saved);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct es_error err = { .code = 0 };
	struct es_jobs *jobs = NULL;
	struct es_root root;

	read_lists(data, n);
	if (es_root_open("/", -1, &root, NULL) < 0)
		return 0;
	if (es_jobs_create(&(struct es_jobs_options){ .root = &root, .boot_id = "b" }, 1, 1, &jobs,
			   &err) == 0)
		load(data, n, jobs);
	es_jobs_destroy(jobs);
	es_root_close(&root);
	return 0;
}
