/*
 * failing_malloc.c - let the n-th allocation of this process fail
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/failing_malloc.h"

#include <errno.h>
#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
#define HAS_SANITIZER
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER
#endif

static unsigned long countdown;
static bool was_hit;
static long n_live;

bool failing_malloc_hit(void)
{
	return was_hit;
}

long failing_malloc_live(void)
{
	return n_live;
}

void failing_malloc_at(unsigned long n)
{
	countdown = n;
	was_hit = false;
}

#ifdef HAS_SANITIZER

bool failing_malloc_works(void)
{
	return false;
}

#else

/* glibc's own, under the names that stay when a program defines malloc. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void __libc_free(void *p);

void *malloc(size_t n);
void *calloc(size_t n, size_t size);
void *realloc(void *p, size_t n);
void free(void *p);

bool failing_malloc_works(void)
{
	return true;
}

static bool must_fail(void)
{
	if (countdown == 0 || --countdown > 0)
		return false;
	was_hit = true;
	errno = ENOMEM;
	return true;
}

__attribute__((visibility("default"))) void *malloc(size_t n)
{
	void *p = must_fail() ? NULL : __libc_malloc(n);

	n_live += p != NULL;
	return p;
}

__attribute__((visibility("default"))) void *calloc(size_t n, size_t size)
{
	void *p = must_fail() ? NULL : __libc_calloc(n, size);

	n_live += p != NULL;
	return p;
}

__attribute__((visibility("default"))) void *realloc(void *p, size_t n)
{
	void *q = must_fail() ? NULL : __libc_realloc(p, n);

	n_live += !p && q;
	return q;
}

__attribute__((visibility("default"))) void free(void *p)
{
	n_live -= p != NULL;
	__libc_free(p);
}

#endif
