/*
 * source/gpu.c - what the sources of GPUs share: which one it is, and whether it sleeps
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/gpu.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hot.h"
#include "sys/pci.h"

#define DEVICES "sys/bus/pci/devices"
#define PCI_MI300A 0x74a0UL /* pci.ids */

bool es_gpu_is_address(const char *text)
{
	static const char form[] = "xxxx:xx:xx.x";
	size_t n = strlen(text), extra = n > strlen(form) ? n - strlen(form) : 0;

	/* A domain may have more digits than four (VMD). */
	if (n < strlen(form) || extra > 4)
		return false;
	for (size_t i = 0; i < n; i++) {
		char want = i < extra ? 'x' : form[i - extra];

		if (want == 'x' ? !isxdigit((unsigned char)text[i]) : text[i] != want)
			return false;
	}
	return true;
}

static int32_t find_number(const struct es_root *root, const char *address)
{
	struct es_pci_gpu gpus[ES_PCI_GPUS_MAX];
	uint32_t n = es_pci_find_gpus(root, gpus);

	for (uint32_t i = 0; i < n; i++)
		if (strcmp(gpus[i].address, address) == 0)
			return (int32_t)i;
	return -1;
}

void es_gpu_place(const struct es_root *root, const char *source, const char *address, bool is_apu,
		  int32_t chip, struct es_domain *domain)
{
	int32_t number = find_number(root, address);

	/* The graphics of a desktop's processor are no device of their own: there is one package. */
	if (is_apu && number < 0)
		number = 0;
	es_domain_init(domain, source, is_apu ? ES_DOMAIN_MODULE : ES_DOMAIN_GPU, number, -1);
	domain->die = chip;
	(void)snprintf(domain->pci, sizeof(domain->pci), "%.23s", address);
	if (number >= 0)
		return;
	(void)snprintf(domain->name, sizeof(domain->name), "gpu-%.31s", address);
	(void)snprintf(domain->id, sizeof(domain->id), "%.31s/%.200s", source, domain->name);
}

bool es_gpu_is_apu(const struct es_root *root, const char *address)
{
	char path[128], text[32];

	(void)snprintf(path, sizeof(path), DEVICES "/%.31s/device", address);
	return es_root_read_line(root, path, text, sizeof(text)) > 0 &&
	       strtoul(text, NULL, 16) == PCI_MI300A;
}

void es_gpu_open_status(const struct es_root *root, const char *address, struct es_kept *ret)
{
	char path[128];

	(void)snprintf(path, sizeof(path), DEVICES "/%.31s/power/runtime_status", address);
	(void)es_kept_open(root, path, ret);
}

es_hot bool es_gpu_is_asleep(const struct es_root *root, struct es_kept *status, int64_t now_ns)
{
	char text[32];

	return es_kept_read(root, status, now_ns, text, sizeof(text)) > 0 &&
	       (strncmp(text, "suspend", 7) == 0 || strncmp(text, "resum", 5) == 0);
}

bool es_gpu_is_second_chip(const struct es_root *root, const char *address)
{
	es_cleanup(es_closedirp) DIR *dir = NULL;
	struct es_kept status = { .fd = -1 };
	const struct dirent *entry;
	char path[160];
	bool is_asleep;
	int r = 0;

	es_gpu_open_status(root, address, &status);
	is_asleep = es_gpu_is_asleep(root, &status, 0);
	es_kept_close(&status);
	(void)snprintf(path, sizeof(path), DEVICES "/%.31s/hwmon", address);
	if (!is_asleep)
		dir = es_root_opendir(root, path, &r);
	while (dir && (entry = readdir(dir))) {
		char text[32];
		uint64_t cap_uw;

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), DEVICES "/%.31s/hwmon/%.63s/name", address,
			       entry->d_name);
		if (es_root_read_line(root, path, text, sizeof(text)) <= 0 ||
		    strcmp(text, "amdgpu") != 0)
			continue;
		(void)snprintf(path, sizeof(path), DEVICES "/%.31s/hwmon/%.63s/power1_cap", address,
			       entry->d_name);
		return es_root_read_u64(root, path, &cap_uw) == 0 && cap_uw == 0;
	}
	return false;
}

void es_gpu_say_second_chip(struct es_domain *domain)
{
	domain->state = ES_STATE_ABSENT;
	(void)snprintf(domain->reason, sizeof(domain->reason),
		       "a chip beside the first one of its module, which shows the power of both");
}
