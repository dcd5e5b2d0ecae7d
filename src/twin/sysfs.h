/*
 * sysfs.h - what the kernel's files have in common: how they read numbers, and what every device has
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TWIN_SYSFS_H
#define ES_TWIN_SYSFS_H

#include <stdbool.h>
#include <stdint.h>

#include "twin/tree.h"

#define ES_TWIN_SYSFS_PATH_BYTES 256U

/** es_twin_kstrtou64 - as kstrtoull() of the kernel reads what was written; @base 10, or 0: 0x and 0 before the digits say it. 0, -EINVAL, -ERANGE (above @max) */
int es_twin_kstrtou64(const char *text, unsigned base, uint64_t max, uint64_t *ret);
/** es_twin_kstrtobool - as kstrtobool(): y n t f on off 1 0, and whatever comes behind; 0 or -EINVAL */
int es_twin_kstrtobool(const char *text, bool *ret);
/** es_twin_scan_u32 - as sscanf("%u") of the kernel: blanks before it and anything behind it are ignored, and it wraps; 0 or -EINVAL */
int es_twin_scan_u32(const char *text, uint32_t *ret);
/** es_twin_scan_word - as sscanf("%<n>s"), n = @size - 1; 0 or -EINVAL: nothing but blanks */
int es_twin_scan_word(const char *text, char *ret, size_t size);

/** es_twin_put_u64 - a number and its newline, as sysfs shows it */
int es_twin_put_u64(struct es_buf *out, uint64_t v);

/** es_twin_make_device - what driver core puts into the folder @dir of each device: uevent, power/, and subsystem where @subsystem (a path) is given */
void es_twin_make_device(struct es_twin_tree *tree, const char *dir, const char *subsystem);
/** es_twin_put_text - constant text in @dir/@name */
void es_twin_put_text(struct es_twin_tree *tree, unsigned mode, const char *dir, const char *name,
		      const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/** es_twin_put_file - a file of callbacks in @dir/@name */
void es_twin_put_file(struct es_twin_tree *tree, unsigned mode, const char *dir, const char *name,
		      const struct es_twin_file_ops *ops, const struct es_twin_file *file);
/** es_twin_put_link - @dir/@name to the path @target */
void es_twin_put_link(struct es_twin_tree *tree, const char *dir, const char *name,
		      const char *target);
/** es_twin_put_hwmon - a hwmon of @device called @name, under the first number that is free, with all that hwmon_device_register() makes; @dir: its folder */
void es_twin_put_hwmon(struct es_twin_tree *tree, const char *device, const char *name,
		       char dir[static ES_TWIN_SYSFS_PATH_BYTES]);
/** es_twin_hash - a number from @text: what is spread by chance and yet always the same */
uint64_t es_twin_hash(const char *text);

#endif
