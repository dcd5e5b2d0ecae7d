/*
 * gpulib_table.c - machines with GPUs of AMD and Intel: what stubs of their libraries show, and what moves in it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/gpulib_table.h"

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

static void set_parts(struct gpulib_gpu *gpu, char *value)
{
	gpu->n_parts = 0;
	for (char *rest = value, *word; (word = strtok_r(rest, "+", &rest)) != NULL;)
		if (strcmp(word, "none") != 0 && gpu->n_parts < GPULIB_PARTS_MAX)
			(void)snprintf(gpu->parts[gpu->n_parts++], sizeof(gpu->parts[0]), "%.15s",
				       word);
}

static bool set_text(struct gpulib_gpu *gpu, const char *key, char *value)
{
	if (strcmp(key, "name") == 0)
		copy_text(gpu->name, sizeof(gpu->name), value);
	else if (strcmp(key, "uuid") == 0)
		copy_text(gpu->uuid, sizeof(gpu->uuid), value);
	else if (strcmp(key, "bus") == 0)
		copy_text(gpu->bus, sizeof(gpu->bus), value);
	else if (strcmp(key, "status") == 0)
		copy_text(gpu->status, sizeof(gpu->status), value);
	else if (strcmp(key, "parts") == 0)
		set_parts(gpu, value);
	else
		return false;
	return true;
}

static int set_key(struct gpulib_gpu *gpu, const char *key, char *value)
{
	bool is_hex = strcmp(key, "device") == 0 || strcmp(key, "vendor") == 0 ||
		      strcmp(key, "class") == 0;
	unsigned long long number = strtoull(value, NULL, is_hex ? 16 : 10);

	if (set_text(gpu, key, value))
		return 0;
	if (strcmp(key, "vendor") == 0)
		gpu->vendor = (unsigned)number;
	else if (strcmp(key, "device") == 0)
		gpu->device_id = (unsigned)number;
	else if (strcmp(key, "class") == 0)
		gpu->class = (unsigned)number;
	else if (strcmp(key, "counter") == 0)
		gpu->has_counter = number;
	else if (strcmp(key, "bus_has") == 0)
		gpu->is_absent_from_bus = !number;
	else if (strcmp(key, "limit") == 0)
		gpu->limit_w = (unsigned)number;
	else if (strcmp(key, "energy") == 0)
		gpu->energy = number;
	else if (strcmp(key, "power") == 0)
		gpu->has_power = (gpu->power_mw = number) > 0;
	else
		return -EBADMSG;
	return 0;
}

static int read_gpu(struct gpulib_table *table, char *rest)
{
	struct gpulib_gpu *gpu = &table->gpus[table->n];
	int r = 0;

	if (table->n == GPULIB_GPUS_MAX)
		return -E2BIG;
	*gpu = (struct gpulib_gpu){ .vendor = 0x1002,
				    .class = 0x120000,
				    .has_counter = true,
				    .status = "active",
				    .parts = { "card" },
				    .n_parts = 1 };
	(void)snprintf(gpu->bus, sizeof(gpu->bus), "0000:%02x:00.0", 0x29 + 8 * table->n);
	(void)snprintf(gpu->uuid, sizeof(gpu->uuid), "%08x-0000-1000-8000-00000000000%u", 0x74a1,
		       table->n);
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

static int read_line(struct gpulib_table *table, char *line)
{
	char *rest = line, *word;

	line[strcspn(line, "#\n")] = '\0';
	word = strtok_r(rest, " \t", &rest);
	if (!word)
		return 0;
	if (strcmp(word, "gpu") == 0)
		return read_gpu(table, rest);
	rest += strspn(rest, " \t");
	if (strcmp(word, "init") == 0)
		table->init_status = (unsigned)strtoul(rest, NULL, 0);
	else if (strcmp(word, "words") == 0)
		table->words = (unsigned)strtoul(rest, NULL, 10);
	else if (strcmp(word, "without") == 0 && table->n_without < GPULIB_WITHOUT_MAX)
		(void)snprintf(table->without[table->n_without++], sizeof(table->without[0]),
			       "%.63s", rest);
	else
		return -EBADMSG;
	return 0;
}

int gpulib_table_read(const char *path, struct gpulib_table *ret)
{
	FILE *file = fopen(path, "re");
	char line[1024];
	int r = 0;

	if (!file)
		return -errno;
	memset(ret, 0, sizeof(*ret));
	ret->words = 25;
	while (r == 0 && fgets(line, sizeof(line), file))
		r = read_line(ret, line);
	(void)fclose(file);
	return r;
}

static void fill(struct gpulib_state *state, const struct gpulib_table *table)
{
	atomic_store(&state->init_status, table->init_status);
	for (unsigned i = 0; i < table->n; i++) {
		for (unsigned j = 0; j < GPULIB_PARTS_MAX; j++)
			atomic_store(&state->gpus[i].energy[j], table->gpus[i].energy);
		atomic_store(&state->gpus[i].power_mw, (uint32_t)table->gpus[i].power_mw);
	}
}

struct gpulib_state *gpulib_state_map(const char *dir, const struct gpulib_table *table)
{
	struct gpulib_state *state;
	char path[4200];
	struct stat st;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/" GPULIB_STATE, dir);
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

void gpulib_state_unmap(struct gpulib_state *state)
{
	if (state)
		(void)munmap(state, sizeof(*state));
}

/* The file that this code was mapped from, whatever name it was opened by. */
static int find_folder(char *ret, size_t size)
{
	static const char anchor[] = "in this file";
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long me = (unsigned long)(uintptr_t)anchor, from, to;
	char line[4400];
	int r = -1;

	while (maps && r < 0 && fgets(line, sizeof(line), maps)) {
		char *path = strchr(line, '/');

		if (sscanf(line, "%lx-%lx", &from, &to) != 2 || !path || me < from || me >= to)
			continue;
		*strrchr(path, '/') = '\0';
		r = snprintf(ret, size, "%s", path) < (int)size ? 0 : -1;
	}
	if (maps)
		(void)fclose(maps);
	return r;
}

int gpulib_stub_start(struct gpulib_table *ret_table, struct gpulib_state **ret_state)
{
	char folder[4096], path[4200];

	if (!*ret_state) {
		if (find_folder(folder, sizeof(folder)) < 0)
			return -1;
		(void)snprintf(path, sizeof(path), "%s/" GPULIB_TABLE, folder);
		if (gpulib_table_read(path, ret_table) < 0)
			return -1;
		*ret_state = gpulib_state_map(folder, ret_table);
		if (!*ret_state)
			return -1;
	}
	(void)atomic_fetch_add(&(*ret_state)->n_inits, 1);
	return 0;
}
