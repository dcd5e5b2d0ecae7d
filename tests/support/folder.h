/*
 * folder.h - a new empty folder for a test
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_SUPPORT_FOLDER_H
#define ES_TESTS_SUPPORT_FOLDER_H

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/** es_test_folder - make one, in memory where there is such a place: a busy disk takes seconds for a hundred files. 0 or negative errno */
static inline int es_test_folder(char *folder, size_t size)
{
	static const char *const places[] = { "/dev/shm", "/tmp" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		(void)snprintf(folder, size, "%s/es-test-XXXXXX", places[i]);
		if (mkdtemp(folder))
			return 0;
	}
	return -errno;
}

#endif
