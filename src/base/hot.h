/*
 * hot.h - functions that run in each sweep, or once a second to write them down
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_BASE_HOT_H
#define ES_BASE_HOT_H

/*
 * The linker puts these side by side. A sweep comes after a wait in which other programs had the caches: a few pages
 * that are fetched together cost less than a line here and there in all of the program.
 */
#define es_hot __attribute__((hot))

#endif
