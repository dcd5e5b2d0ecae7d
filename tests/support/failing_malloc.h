/*
 * failing_malloc.h - let the n-th allocation of this process fail
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_SUPPORT_FAILING_MALLOC_H
#define ES_TESTS_SUPPORT_FAILING_MALLOC_H

#include <stdbool.h>

/* A sanitizer has an allocator of its own: then this is false and the test has nothing to do. */
bool failing_malloc_works(void);
/** failing_malloc_at - the @n-th allocation from now on fails, 1 is the next; 0: none does */
void failing_malloc_at(unsigned long n);
/** failing_malloc_hit - true where one failed since then */
bool failing_malloc_hit(void);
/** failing_malloc_live - blocks allocated and not freed */
long failing_malloc_live(void);

#endif
