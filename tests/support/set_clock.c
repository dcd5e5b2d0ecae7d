/*
 * set_clock.c - a wall clock that is set, and a machine that sleeps, for one process: preloaded by tests
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * ES_SET_CLOCK names a file of two numbers, i64 in ns, which the test writes at any time: how far the wall clock was set, and for how long
 * the machine slept (then the boot clock and the wall clock went on, the monotonic one did not).
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000LL

static _Atomic int64_t *shared;

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("ES_SET_CLOCK");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *at = fd < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	if (at != MAP_FAILED)
		shared = at;
	if (fd >= 0)
		(void)close(fd);
}

__attribute__((visibility("default"))) int clock_gettime(clockid_t id, struct timespec *ret)
{
	int64_t ns = 0;
	long r = syscall(SYS_clock_gettime, id, ret);

	if (r != 0 || !shared)
		return (int)r;
	if (id == CLOCK_REALTIME)
		ns = atomic_load(&shared[0]) + atomic_load(&shared[1]);
	else if (id == CLOCK_BOOTTIME)
		ns = atomic_load(&shared[1]);
	ns += ret->tv_sec * NS_PER_S + ret->tv_nsec;
	ret->tv_sec = ns / NS_PER_S;
	ret->tv_nsec = ns % NS_PER_S;
	return 0;
}
