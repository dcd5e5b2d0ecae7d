/*
 * clock.h - the clocks, and times in words
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_BASE_CLOCK_H
#define ES_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define ES_NS_PER_S 1000000000LL
#define ES_NS_PER_MS 1000000LL
#define ES_NS_PER_US 1000LL

/** es_clock_boot_ns - CLOCK_BOOTTIME: goes on while the machine is suspended; what every reading is stamped with */
int64_t es_clock_boot_ns(void);
/** es_clock_mono_ns - CLOCK_MONOTONIC: stands still while the machine is suspended; what deadlines are kept by */
int64_t es_clock_mono_ns(void);
/** es_clock_unix_ns - CLOCK_REALTIME: the wall clock; may step */
int64_t es_clock_unix_ns(void);

#define ES_TIME_TEXT_BYTES 80U

/** es_time_rfc3339 - @t_unix_ns in local time with its offset, ms: 2026-03-13T23:59:50.123+01:00; returns @text */
char *es_time_rfc3339(int64_t t_unix_ns, char text[static ES_TIME_TEXT_BYTES]);
/** es_time_rfc3339_us - the same with microseconds */
char *es_time_rfc3339_us(int64_t t_unix_ns, char text[static ES_TIME_TEXT_BYTES]);
/** es_time_rfc3339_utc - the same in UTC: …Z */
char *es_time_rfc3339_utc(int64_t t_unix_ns, char text[static ES_TIME_TEXT_BYTES]);
/** es_time_local_seconds - @t_unix_ns as the original tool writes it: 2023-03-13T23:59:50 (local, whole seconds) */
char *es_time_local_seconds(int64_t t_unix_ns, char text[static ES_TIME_TEXT_BYTES]);

/**
 * es_time_parse - a date and time as people and tools write it
 * @text: RFC 3339 (zone Z, +hh:mm, +hhmm; without a zone local time), 'T' or one space between date and time,
 *        '-' or '/' between the numbers of the date, fraction of any length; or @SECONDS since 1970
 *
 * Returns 0, or -EBADMSG.
 */
int es_time_parse(const char *text, int64_t *ret_unix_ns);

#endif
