/*
 * shared.c - one at a time where a library has one state for the whole process
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "net/shared.h"

#include <pthread.h>

/* As those libraries' variables are the process's, so is the lock that guards them. */
static pthread_mutex_t es_shared_mutex = PTHREAD_MUTEX_INITIALIZER;

void es_shared_lock(void)
{
	(void)pthread_mutex_lock(&es_shared_mutex);
}

void es_shared_unlock(void)
{
	(void)pthread_mutex_unlock(&es_shared_mutex);
}
