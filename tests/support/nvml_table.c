/*
 * nvml_table.c - machines with NVIDIA GPUs: what the stub of the library shows, and what moves in it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/nvml_table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void copy_text(char *to, size_t size, const char *value)
{
	(void)snprintf(to, size, "%s", value);
	for (char *p = to; *p; p++)
		*p = *p == '_' ? ' ' : *p;
}

static void set_migs(struct nvml_gpu *gpu, char *value)
{
	gpu->is_mig = true;
	for (char *rest = value, *word; (word = strtok_r(rest, "+", &rest)) != NULL;) {
		if (strcmp(word, "none") == 0 || gpu->n_migs == NVML_MIGS_MAX)
			continue;
		gpu->slices[gpu->n_migs] = (unsigned)strtoul(word, NULL, 10);
		(void)snprintf(gpu->migs[gpu->n_migs++], sizeof(gpu->migs[0]), "%.15s", word);
	}
}

static int set_signal(struct nvml_gpu *gpu, const char *key, unsigned number)
{
	const struct {
		const char *key;
		unsigned *value;
	} signals[] = {
		{ "sm_mhz", &gpu->sm_mhz },   { "mem_mhz", &gpu->memory_mhz },
		{ "busy", &gpu->busy },	      { "mem_busy", &gpu->memory_busy },
		{ "temp", &gpu->temp_c },     { "mem_temp", &gpu->memory_temp_c },
		{ "reasons", &gpu->reasons },
	};

	if (strcmp(key, "policies") == 0)
		gpu->has_policies = number;
	else if (strcmp(key, "gpm") == 0)
		gpu->has_gpm = number;
	else
		for (size_t i = 0; i <= sizeof(signals) / sizeof(*signals); i++) {
			if (i == sizeof(signals) / sizeof(*signals))
				return -EBADMSG;
			if (strcmp(key, signals[i].key) != 0)
				continue;
			*signals[i].value = number;
			break;
		}
	return 0;
}

static int set_key(struct nvml_gpu *gpu, const char *key, char *value)
{
	bool is_hexadecimal = strcmp(key, "device") == 0 || strcmp(key, "reasons") == 0;
	unsigned long long number = strtoull(value, NULL, is_hexadecimal ? 16 : 10);

	if (strcmp(key, "name") == 0)
		copy_text(gpu->name, sizeof(gpu->name), value);
	else if (strcmp(key, "uuid") == 0)
		copy_text(gpu->uuid, sizeof(gpu->uuid), value);
	else if (strcmp(key, "bus") == 0)
		copy_text(gpu->bus, sizeof(gpu->bus), value);
	else if (strcmp(key, "device") == 0)
		gpu->device_id = (unsigned)number;
	else if (strcmp(key, "arch") == 0)
		gpu->arch = (unsigned)number;
	else if (strcmp(key, "counter") == 0) {
		gpu->has_field = strcmp(value, "field") == 0;
		gpu->has_call = gpu->has_field || strcmp(value, "call") == 0;
	} else if (strcmp(key, "instant") == 0)
		gpu->has_instant = number;
	else if (strcmp(key, "usage") == 0)
		gpu->has_usage = number;
	else if (strcmp(key, "module") == 0)
		gpu->has_module = number;
	else if (strcmp(key, "limit") == 0)
		gpu->limit_w = (unsigned)number;
	else if (strcmp(key, "numa") == 0)
		gpu->numa = (int)number;
	else if (strcmp(key, "mig") == 0)
		set_migs(gpu, value);
	else if (strcmp(key, "energy") == 0)
		gpu->energy_mj = number;
	else if (strcmp(key, "power") == 0)
		gpu->power_mw = number;
	else if (strcmp(key, "open") == 0)
		gpu->open_return = (int)number;
	else
		return set_signal(gpu, key, (unsigned)number);
	return 0;
}

static int read_gpu(struct nvml_table *table, char *rest)
{
	struct nvml_gpu *gpu = &table->gpus[table->n];
	int r = 0;

	if (table->n == NVML_GPUS_MAX)
		return -E2BIG;
	*gpu = (struct nvml_gpu){ .has_usage = true,
				  .numa = -1,
				  .sm_mhz = NVML_NOT_TOLD,
				  .memory_mhz = NVML_NOT_TOLD,
				  .busy = NVML_NOT_TOLD,
				  .memory_busy = NVML_NOT_TOLD,
				  .temp_c = NVML_NOT_TOLD,
				  .memory_temp_c = NVML_NOT_TOLD,
				  .reasons = NVML_NOT_TOLD };
	(void)snprintf(gpu->uuid, sizeof(gpu->uuid), "GPU-00000000-0000-0000-0000-%012u", table->n);
	(void)snprintf(gpu->bus, sizeof(gpu->bus), "0000:%02x:00.0", 0x17 + 8 * table->n);
	for (char *word; r == 0 && (word = strtok_r(rest, " \t", &rest)) != NULL;) {
		char *value = strchr(word, '=');

		if (!value)
			return -EBADMSG;
		*value++ = '\0';
		r = set_key(gpu, word, value);
	}
	table->n++;
	return r;
}

static int read_line(struct nvml_table *table, char *line)
{
	char *rest = line, *word;

	line[strcspn(line, "#\n")] = '\0';
	word = strtok_r(rest, " \t", &rest);
	if (!word)
		return 0;
	if (strcmp(word, "gpu") == 0)
		return read_gpu(table, rest);
	rest += strspn(rest, " \t");
	if (strcmp(word, "driver") == 0)
		copy_text(table->driver, sizeof(table->driver), rest);
	else if (strcmp(word, "init") == 0)
		table->init_return = (int)strtol(rest, NULL, 10);
	else if (strcmp(word, "init_ms") == 0)
		table->init_ms = (unsigned)strtoul(rest, NULL, 10);
	else if (strcmp(word, "without") == 0 && table->n_without < NVML_WITHOUT_MAX)
		(void)snprintf(table->without[table->n_without++], sizeof(table->without[0]),
			       "%.63s", rest);
	else
		return -EBADMSG;
	return 0;
}

int nvml_table_read(const char *path, struct nvml_table *ret)
{
	FILE *file = fopen(path, "re");
	char line[1024];
	int r = 0;

	if (!file)
		return -errno;
	memset(ret, 0, sizeof(*ret));
	while (r == 0 && fgets(line, sizeof(line), file))
		r = read_line(ret, line);
	(void)fclose(file);
	return r;
}

static void fill_told(struct nvml_telling *told, const struct nvml_gpu *gpu)
{
	atomic_store(&told->sm_mhz, gpu->sm_mhz);
	atomic_store(&told->memory_mhz, gpu->memory_mhz);
	atomic_store(&told->busy, gpu->busy);
	atomic_store(&told->memory_busy, gpu->memory_busy);
	atomic_store(&told->temp_c, gpu->temp_c);
	atomic_store(&told->memory_temp_c, gpu->memory_temp_c);
	atomic_store(&told->reasons, gpu->reasons);
	atomic_store(&told->limit_mw, gpu->limit_w * 1000);
	atomic_store(&told->sm_percent, 80);
	atomic_store(&told->tensor_percent, 45);
	atomic_store(&told->dram_percent, 60);
}

static void fill(struct nvml_state *state, const struct nvml_table *table)
{
	atomic_store(&state->init_return, table->init_return);
	for (unsigned i = 0; i < table->n; i++) {
		atomic_store(&state->gpus[i].energy_mj, table->gpus[i].energy_mj);
		atomic_store(&state->gpus[i].power_mw, (uint32_t)table->gpus[i].power_mw);
		atomic_store(&state->gpus[i].module_mw, (uint32_t)table->gpus[i].power_mw + 120000);
		fill_told(&state->told[i], &table->gpus[i]);
	}
}

struct nvml_state *nvml_state_map(const char *dir, const struct nvml_table *table)
{
	struct nvml_state *state;
	char path[4200];
	struct stat st;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/" NVML_STATE, dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &st) < 0 || ftruncate(fd, sizeof(*state)) < 0) {
		if (fd >= 0)
			(void)close(fd);
		return NULL;
	}
	state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (state == MAP_FAILED)
		return NULL;
	if (st.st_size < (off_t)sizeof(*state))
		fill(state, table);
	return state;
}

void nvml_state_unmap(struct nvml_state *state)
{
	if (state)
		(void)munmap(state, sizeof(*state));
}
