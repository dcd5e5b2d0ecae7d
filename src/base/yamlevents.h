/*
 * yamlevents.h - what the readers of YAML have in common
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_BASE_YAMLEVENTS_H
#define ES_BASE_YAMLEVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

/** es_yaml_is_plain - neither anchor, alias nor tag: they let a file say what its lines do not show */
bool es_yaml_is_plain(const yaml_event_t *event);
/** es_yaml_bad_line - the line of the first byte that is no UTF-8; 0: all are */
size_t es_yaml_bad_line(const char *text, size_t n);
/** es_yaml_mark_bytes - of the byte order mark that some editors put first; 0: there is none */
size_t es_yaml_mark_bytes(const char *text, size_t n);

#endif
