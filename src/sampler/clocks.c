/*
 * clocks.c - what the clocks and the processors did since somebody last looked
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "sampler/clocks.h"

#include <stdlib.h>
#include <sys/timex.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hot.h"
#include "sys/machine.h"

#define SUSPEND_MIN_NS (2 * ES_NS_PER_MS)
#define CLOCK_STEP_MIN_NS \
	(20 * ES_NS_PER_MS) /* slewing moves the wall clock by 0.5 ms a second at most */

/* The three clocks at one instant: read again where something came between the reads. */
es_hot static void read_clocks(int64_t *ret_boot_ns, int64_t *ret_mono_ns, int64_t *ret_unix_ns)
{
	for (int tries = 0; tries < 5; tries++) {
		*ret_boot_ns = es_clock_boot_ns();
		*ret_mono_ns = es_clock_mono_ns();
		*ret_unix_ns = es_clock_unix_ns();
		if (es_clock_boot_ns() - *ret_boot_ns < SUSPEND_MIN_NS / 4)
			break;
	}
}

int es_clocks_tell_wall(struct es_recorder *recorder, int64_t t_ns)
{
	struct es_event event = { .type = ES_EVENT_WALL_CLOCK, .t_ns = t_ns, .value = -1 };
	struct timex state = { .modes = 0 };
	int r = adjtimex(&state); /* asks only: anybody may */

	if (r >= 0 && r != TIME_ERROR && !(state.status & STA_UNSYNC))
		event.value = (int64_t)state.maxerror * ES_NS_PER_US;
	return es_recorder_event(recorder, &event);
}

void es_clocks_start(struct es_clocks *clocks, struct es_recorder *recorder)
{
	int64_t boot_ns, mono_ns, unix_ns;

	read_clocks(&boot_ns, &mono_ns, &unix_ns);
	*clocks = (struct es_clocks){ .looked_ns = boot_ns,
				      .slept_ns = boot_ns - mono_ns,
				      .wall_ahead_ns = unix_ns - boot_ns };
	(void)es_recorder_clock(recorder, boot_ns, mono_ns, unix_ns);
	(void)es_clocks_tell_wall(recorder, boot_ns);
}

es_hot void es_clocks_look(struct es_clocks *clocks, struct es_recorder *recorder)
{
	int64_t boot_ns, mono_ns, unix_ns, slept_ns, stepped_ns, slewed_ns;
	struct es_event event = { .type = 0 };
	bool has_slept, has_stepped;

	read_clocks(&boot_ns, &mono_ns, &unix_ns);
	slept_ns = boot_ns - mono_ns - clocks->slept_ns;
	stepped_ns = unix_ns - boot_ns - clocks->wall_ahead_ns;
	/* What adjtime(3) can have moved the wall clock by since the last look: 500 ppm. */
	slewed_ns = (boot_ns - clocks->looked_ns) / 2000;
	has_slept = slept_ns > SUSPEND_MIN_NS;
	has_stepped = llabs(stepped_ns) > CLOCK_STEP_MIN_NS + slewed_ns;
	clocks->slept_ns += slept_ns;
	clocks->wall_ahead_ns += stepped_ns;
	clocks->looked_ns = boot_ns;
	event.t_ns = boot_ns;
	if (has_slept) {
		event.type = ES_EVENT_SUSPEND;
		event.value = slept_ns;
		(void)es_recorder_event(recorder, &event);
	}
	if (has_stepped) {
		event.type = ES_EVENT_CLOCK_STEP;
		event.value = stepped_ns;
		(void)es_recorder_event(recorder, &event);
	}
	if (has_slept || has_stepped)
		(void)es_recorder_clock(recorder, boot_ns, mono_ns, unix_ns);
}

/* 0 where the list cannot be read, or is none. */
es_hot static uint32_t count_online(int fd)
{
	char list[ES_SYSFS_FILE_MAX_BYTES];
	ssize_t n = fd < 0 ? -1 : pread(fd, list, sizeof(list) - 1, 0);

	if (n <= 0 || list[n - 1] != '\n')
		return 0;
	list[n - 1] = '\0';
	return es_cpulist_count(list);
}

void es_online_open(const struct es_root *root, struct es_online *ret)
{
	int fd = es_root_openat(root, "sys/devices/system/cpu/online", O_RDONLY);

	*ret = (struct es_online){ .fd = fd < 0 ? -1 : fd, .n = count_online(fd) };
}

void es_online_close(struct es_online *online)
{
	es_closep(&online->fd);
	online->fd = -1;
}

es_hot bool es_online_look(struct es_online *online)
{
	uint32_t n = count_online(online->fd);

	if (n == 0 || n == online->n)
		return false;
	online->n = n;
	return true;
}
