/*
 * fuzz_page.c - any bytes as the memory that a daemon shares
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/limits.h"
#include "fuzz/target.h"
#include "ipc/page.h"

#define NOW_NS 1000000000000LL
#define N_MAX 64U

static void copy(struct es_page_view *view)
{
	struct es_page_value values[N_MAX];
	struct es_page_copy copy = { .n = 0 };
	int r = es_page_copy(view, NOW_NS, values, N_MAX, &copy);

	fuzz_require(r == 0 || r == -EAGAIN || r == -ESTALE || r == -EPIPE || r == -EBADMSG);
	fuzz_require(r != -EPIPE || es_page_has_ended(view));
	if (r < 0)
		return;
	fuzz_require(copy.n == es_page_n(view) && copy.n <= N_MAX);
	fuzz_require(copy.sequence > 0 && copy.sequence % 2 == 0);
	fuzz_require(copy.period_ns > 0 && copy.period_ns <= ES_PERIOD_MAX_NS);
	fuzz_require(NOW_NS - copy.sweep_ns <= 3 * copy.period_ns);
	for (size_t i = 0; i < copy.n; i++)
		fuzz_require(values[i].t_ns >= 0 && values[i].t_ns <= ES_TIME_MAX_NS &&
			     values[i].error <= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct es_page_view *view;
	int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || write(fd, data, n) != (ssize_t)n ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0)
		abort();
	if (es_page_open(fd, &view, NULL) == 0) {
		copy(view);
		es_page_close(view);
	}
	(void)close(fd);
	return 0;
}
