/*
 * lib_gpu.c - what look-alikes of GPU libraries have in common: the simulated node that they lie in, and its GPUs' texts
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/lib_gpu.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "twin/gpus.h"

#define LINE_BYTES (ES_PATH_MAX_BYTES + 256U)

/* Such libraries have one state for the whole process. */
static struct {
	pthread_mutex_t lock; /* of all */
	unsigned n_users;
	unsigned n_gpus;
	char mount[ES_PATH_MAX_BYTES];
} library = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Its address tells where the library was mapped from. */
static const char anchor[] = "in this file";

#define HERE(member) offsetof(struct es_lib_gpu, member)
static const struct {
	const char *key;
	size_t at;
	int base; /* 0: a text */
} keys[] = {
	{ "vendor", HERE(vendor), 0 },
	{ "name", HERE(name), 0 },
	{ "uuid", HERE(uuid), 0 },
	{ "bus", HERE(bus), 0 },
	{ "error", HERE(error_word), 0 },
	{ "number", HERE(number), 16 },
	{ "vendor_id", HERE(vendor_id), 16 },
	{ "device_id", HERE(device_id), 16 },
	{ "architecture", HERE(architecture), 10 },
	{ "is_ga100", HERE(is_ga100), 10 },
	{ "is_passive", HERE(is_passive), 10 },
	{ "is_primary", HERE(is_primary), 10 },
	{ "min_mhz", HERE(min_mhz), 10 },
	{ "top_mhz", HERE(top_mhz), 10 },
	{ "step_mhz", HERE(step_mhz), 10 },
	{ "memory_top_mhz", HERE(memory_top_mhz), 10 },
	{ "limit_min_mw", HERE(limit_min_mw), 10 },
	{ "limit_max_mw", HERE(limit_max_mw), 10 },
	{ "limit_default_mw", HERE(limit_default_mw), 10 },
	{ "hottest_mc", HERE(hottest_mc), 10 },
	{ "memory_bytes", HERE(memory_bytes), 10 },
	{ "n_instances", HERE(n_instances), 10 },
	{ "slices", HERE(slices), 10 },
	{ "loads", HERE(loads), 10 },
	{ "delay_ms", HERE(delay_ms), 10 },
	{ "t_ns", HERE(t_ns), 10 },
	{ "value_ns", HERE(value_ns), 10 },
	{ "wall_us", HERE(wall_us), 10 },
	{ "value_wall_us", HERE(value_wall_us), 10 },
	{ "energy", HERE(energy), 10 },
	{ "power_mw", HERE(power_mw), 10 },
	{ "instant_mw", HERE(instant_mw), 10 },
	{ "has_mean", HERE(has_mean), 10 },
	{ "module_mw", HERE(module_mw), 10 },
	{ "module_instant_mw", HERE(module_instant_mw), 10 },
	{ "clock_mhz", HERE(clock_mhz), 10 },
	{ "memory_mhz", HERE(memory_mhz), 10 },
	{ "busy_ppm", HERE(busy_ppm), 10 },
	{ "memory_busy_ppm", HERE(memory_busy_ppm), 10 },
	{ "temperature_mc", HERE(temperature_mc), 10 },
	{ "memory_temperature_mc", HERE(memory_temperature_mc), 10 },
	{ "fan_percent", HERE(fan_percent), 10 },
	{ "limit_mw", HERE(limit_mw), 10 },
	{ "lock_min_mhz", HERE(lock_min_mhz), 10 },
	{ "lock_max_mhz", HERE(lock_max_mhz), 10 },
	{ "is_idle", HERE(is_idle), 10 },
	{ "is_by_power", HERE(is_by_power), 10 },
	{ "is_by_heat", HERE(is_by_heat), 10 },
	{ "is_by_clock", HERE(is_by_clock), 10 },
	{ "power_limited_ns", HERE(power_limited_ns), 10 },
	{ "heat_limited_ns", HERE(heat_limited_ns), 10 },
	{ "busy_ns", HERE(busy_ns), 10 },
	{ "memory_busy_ns", HERE(memory_busy_ns), 10 },
	{ "instance_0_busy_ppm", HERE(instance_busy_ppm[0]), 10 },
	{ "instance_1_busy_ppm", HERE(instance_busy_ppm[1]), 10 },
	{ "instance_2_busy_ppm", HERE(instance_busy_ppm[2]), 10 },
	{ "instance_3_busy_ppm", HERE(instance_busy_ppm[3]), 10 },
	{ "instance_4_busy_ppm", HERE(instance_busy_ppm[4]), 10 },
	{ "instance_5_busy_ppm", HERE(instance_busy_ppm[5]), 10 },
	{ "instance_6_busy_ppm", HERE(instance_busy_ppm[6]), 10 },
};

/*
 * The file that this code was mapped from, whatever name it was opened by; and all its pages are had now: a node that goes down
 * takes those with it that were never touched.
 */
static int find_file(char ret[static ES_PATH_MAX_BYTES])
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long me = (unsigned long)(uintptr_t)anchor, from, to;
	char line[LINE_BYTES], file[ES_PATH_MAX_BYTES] = "";
	int r = -ENOENT;

	while (maps && r < 0 && fgets(line, sizeof(line), maps)) {
		const char *path = strchr(line, '/');

		line[strcspn(line, "\n")] = '\0';
		if (path && sscanf(line, "%lx-%lx", &from, &to) == 2 && me >= from && me < to)
			r = snprintf(file, sizeof(file), "%s", path) < (int)sizeof(file)
				    ? 0
				    : -ENAMETOOLONG;
	}
	if (maps)
		rewind(maps);
	while (r == 0 && fgets(line, sizeof(line), maps)) {
		const char *path = strchr(line, '/');

		line[strcspn(line, "\n")] = '\0';
		if (path && strcmp(path, file) == 0 && sscanf(line, "%lx-%lx", &from, &to) == 2)
			(void)madvise((void *)(uintptr_t)from, to - from, MADV_POPULATE_READ);
	}
	if (maps)
		(void)fclose(maps);
	if (r == 0)
		memcpy(ret, file, sizeof(file));
	return r;
}

static bool is_mount(const char *folder)
{
	char path[ES_PATH_MAX_BYTES + 16];

	(void)snprintf(path, sizeof(path), "%s/" ES_TWIN_GPU_TEXTS, folder);
	return access(path, F_OK) == 0;
}

/* From there up, the first folder that is a node's; or, where the library was put elsewhere, the node that the user works with. */
static int find_mount(char ret[static ES_PATH_MAX_BYTES])
{
	const char *usual = secure_getenv("ENERGYSCOPIUM_TWIN");
	char folder[ES_PATH_MAX_BYTES];
	int r = find_file(folder);

	for (char *slash; r == 0 && (slash = strrchr(folder, '/'));) {
		*slash = '\0';
		if (is_mount(folder)) {
			memcpy(ret, folder, sizeof(folder));
			return 0;
		}
	}
	if (!usual || !is_mount(usual))
		return -ENOENT;
	return snprintf(ret, ES_PATH_MAX_BYTES, "%s", usual) < (int)ES_PATH_MAX_BYTES
		       ? 0
		       : -ENAMETOOLONG;
}

static void path_of(const char *mount, const char *folder, unsigned gpu,
		    char ret[static ES_PATH_MAX_BYTES + 32])
{
	(void)snprintf(ret, ES_PATH_MAX_BYTES + 32, "%s/%s/%u", mount, folder, gpu);
}

int es_lib_start(void)
{
	char path[ES_PATH_MAX_BYTES + 32];
	int r = 0;

	(void)pthread_mutex_lock(&library.lock);
	if (library.n_users == 0) {
		r = find_mount(library.mount);
		library.n_gpus = 0;
		while (r == 0 && library.n_gpus < ES_LIB_GPUS_MAX) {
			path_of(library.mount, ES_TWIN_GPU_TEXTS, library.n_gpus, path);
			if (access(path, F_OK) < 0)
				break;
			library.n_gpus++;
		}
	}
	library.n_users += r == 0;
	(void)pthread_mutex_unlock(&library.lock);
	return r;
}

int es_lib_stop(void)
{
	int r = 0;

	(void)pthread_mutex_lock(&library.lock);
	if (library.n_users > 0)
		library.n_users--;
	else
		r = -ENOTCONN;
	(void)pthread_mutex_unlock(&library.lock);
	return r;
}

int es_lib_count(void)
{
	int n;

	(void)pthread_mutex_lock(&library.lock);
	n = library.n_users ? (int)library.n_gpus : -ENOTCONN;
	(void)pthread_mutex_unlock(&library.lock);
	return n;
}

/* Where the text of @gpu is, if it may be asked for. */
static int find_text(const char *folder, unsigned gpu, char ret[static ES_PATH_MAX_BYTES + 32])
{
	int r = 0;

	(void)pthread_mutex_lock(&library.lock);
	if (library.n_users == 0)
		r = -ENOTCONN;
	else if (gpu >= library.n_gpus)
		r = -EINVAL;
	else
		path_of(library.mount, folder, gpu, ret);
	(void)pthread_mutex_unlock(&library.lock);
	return r;
}

static ssize_t read_text(const char *path, char *ret, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t r = fd < 0 ? -errno : 1;

	while (r > 0 && n < size - 1) {
		r = read(fd, ret + n, size - 1 - n);
		if (r < 0)
			r = errno == EINTR ? 1 : -errno;
		else
			n += (size_t)r;
	}
	if (fd >= 0)
		(void)close(fd);
	ret[n] = '\0';
	return r < 0 ? r : (ssize_t)n;
}

static void take_line(char *line, struct es_lib_gpu *ret)
{
	char *value = strchr(line, ' ');

	if (!value)
		return;
	*value++ = '\0';
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		char *member = (char *)ret + keys[i].at;

		if (strcmp(keys[i].key, line) != 0)
			continue;
		if (keys[i].base == 0)
			(void)snprintf(member, ES_LIB_TEXT_BYTES, "%s", value);
		else
			*(uint64_t *)(void *)member =
				*value == '-' ? 0 : strtoull(value, NULL, keys[i].base);
		return;
	}
}

static enum es_lib_error error_of(const char *word)
{
	if (strcmp(word, "none") == 0)
		return ES_LIB_NONE;
	if (strcmp(word, "gone") == 0)
		return ES_LIB_GONE;
	return strcmp(word, "loading") == 0	 ? ES_LIB_LOADING
	       : strcmp(word, "unreadable") == 0 ? ES_LIB_UNREADABLE
						 : ES_LIB_BROKEN;
}

static void pause_ms(uint64_t ms)
{
	struct timespec left = { .tv_sec = (time_t)(ms / 1000),
				 .tv_nsec = (long)(ms % 1000) * 1000000 };

	while (ms && nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

int es_lib_read(unsigned gpu, struct es_lib_gpu *ret)
{
	char path[ES_PATH_MAX_BYTES + 32], text[ES_TWIN_GPU_TEXT_BYTES], *rest = text, *line;
	int r = find_text(ES_TWIN_GPU_TEXTS, gpu, path);

	if (r < 0)
		return r;
	memset(ret, 0, sizeof(*ret));
	ret->error = ES_LIB_BROKEN;
	if (read_text(path, text, sizeof(text)) < 0)
		return 0;
	while ((line = strsep(&rest, "\n")))
		take_line(line, ret);
	ret->error = error_of(ret->error_word);
	pause_ms(ret->delay_ms);
	return 0;
}

int es_lib_write(unsigned gpu, const char *line)
{
	char path[ES_PATH_MAX_BYTES + 32];
	int r = find_text(ES_TWIN_GPU_TEXTS, gpu, path), fd;
	ssize_t n;

	if (r < 0)
		return r;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, line, strlen(line));
	r = n < 0 ? -errno : (size_t)n == strlen(line) ? 0 : -EIO;
	/* What a mount tells late, at the closing, counts too. */
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r;
}

ssize_t es_lib_samples(unsigned gpu, char *ret, size_t size)
{
	char path[ES_PATH_MAX_BYTES + 32];
	int r = find_text(ES_TWIN_GPU_SAMPLES, gpu, path);

	return r < 0 ? r : read_text(path, ret, size);
}

ssize_t es_lib_processes(unsigned gpu, char *ret, size_t size)
{
	char path[ES_PATH_MAX_BYTES + 32];
	int r = find_text(ES_TWIN_GPU_PROCESSES, gpu, path);

	return r < 0 ? r : read_text(path, ret, size);
}
