/*
 * sysfs.c - what the kernel's files have in common: how they read numbers, and what every device has
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Behaviour after Linux 6.12: lib/kstrtox.c, lib/vsprintf.c, drivers/base/core.c, drivers/base/power/sysfs.c.
 */
#include "twin/sysfs.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

#define HWMONS_MAX 256U

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

int es_twin_kstrtou64(const char *text, unsigned base, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;
	bool overflows = false;

	if (*text == '+')
		text++;
	if (base == 0) {
		base = 10;
		if (text[0] == '0' && (text[1] | 0x20) == 'x' && digit_of(text[2]) < 16)
			base = 16;
		else if (text[0] == '0')
			base = 8;
	}
	if (base == 16 && text[0] == '0' && (text[1] | 0x20) == 'x')
		text += 2;
	if (digit_of(*text) >= (int)base)
		return -EINVAL;
	for (; digit_of(*text) < (int)base; text++)
		if (__builtin_mul_overflow(v, (uint64_t)base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)digit_of(*text), &v))
			overflows = true;
	/* Digits that do not fit come before what is behind them, as the kernel has it. */
	if (overflows)
		return -ERANGE;
	if (*text != '\0')
		return -EINVAL;
	if (v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

int es_twin_kstrtobool(const char *text, bool *ret)
{
	switch (text[0]) {
	case 'y':
	case 'Y':
	case 't':
	case 'T':
	case '1':
		*ret = true;
		return 0;
	case 'n':
	case 'N':
	case 'f':
	case 'F':
	case '0':
		*ret = false;
		return 0;
	case 'o':
	case 'O':
		if ((text[1] | 0x20) != 'n' && (text[1] | 0x20) != 'f')
			return -EINVAL;
		*ret = (text[1] | 0x20) == 'n';
		return 0;
	default:
		return -EINVAL;
	}
}

int es_twin_scan_u32(const char *text, uint32_t *ret)
{
	uint32_t v = 0;

	while (isspace((unsigned char)*text))
		text++;
	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	for (; isdigit((unsigned char)*text); text++)
		v = v * 10 + (uint32_t)(*text - '0');
	*ret = v;
	return 0;
}

int es_twin_scan_word(const char *text, char *ret, size_t size)
{
	size_t n = 0;

	while (isspace((unsigned char)*text))
		text++;
	while (text[n] && !isspace((unsigned char)text[n]) && n < size - 1)
		n++;
	if (n == 0)
		return -EINVAL;
	memcpy(ret, text, n);
	ret[n] = '\0';
	return 0;
}

int es_twin_put_u64(struct es_buf *out, uint64_t v)
{
	return es_buf_printf(out, "%" PRIu64 "\n", v);
}

/* Its event is sent to nobody here; other words are refused as kobject_synth_uevent() does. */
static int store_uevent(const struct es_twin_file *file, void *handle, int64_t t_ns,
			const char *text)
{
	static const char *const words[] = { "add",    "remove",  "change", "move",
					     "online", "offline", "bind",   "unbind" };
	size_t n = strcspn(text, " ");

	(void)file;
	(void)handle;
	(void)t_ns;
	for (size_t i = 0; i < ES_ARRAY_SIZE(words); i++)
		if (strlen(words[i]) == n && strncmp(words[i], text, n) == 0)
			return 0;
	return -EINVAL;
}

static int show_nothing(const struct es_twin_file *file, void *handle, int64_t t_ns,
			struct es_buf *out)
{
	(void)file;
	(void)handle;
	(void)t_ns;
	(void)out;
	return 0;
}

static int show_control(const struct es_twin_file *file, void *handle, int64_t t_ns,
			struct es_buf *out)
{
	const bool *is_on = file->data;

	(void)handle;
	(void)t_ns;
	return es_buf_str(out, *is_on ? "on\n" : "auto\n");
}

static int store_control(const struct es_twin_file *file, void *handle, int64_t t_ns,
			 const char *text)
{
	bool *is_on = (bool *)file->data;

	(void)handle;
	(void)t_ns;
	if (strcmp(text, "on") != 0 && strcmp(text, "auto") != 0)
		return -EINVAL;
	*is_on = strcmp(text, "on") == 0;
	return 0;
}

/* What has no driver that uses autosuspend says so by an error; tools that slurp folders stumble over it. */
static int show_autosuspend(const struct es_twin_file *file, void *handle, int64_t t_ns,
			    struct es_buf *out)
{
	(void)file;
	(void)handle;
	(void)t_ns;
	(void)out;
	return -EIO;
}

static int store_autosuspend(const struct es_twin_file *file, void *handle, int64_t t_ns,
			     const char *text)
{
	(void)file;
	(void)handle;
	(void)t_ns;
	(void)text;
	return -EIO;
}

static const struct es_twin_file_ops uevent_ops = { .show = show_nothing, .store = store_uevent };
static const struct es_twin_file_ops control_ops = { .show = show_control, .store = store_control };
static const struct es_twin_file_ops autosuspend_ops = { .show = show_autosuspend,
							 .store = store_autosuspend };

void es_twin_make_device(struct es_twin_tree *tree, const char *dir, const char *subsystem)
{
	const struct es_twin_file control = { .data = es_twin_tree_keep(tree, sizeof(bool)) };
	const struct es_twin_file none = { .data = NULL };

	if (!control.data)
		return;
	es_twin_put_file(tree, 0644, dir, "uevent", &uevent_ops, &none);
	es_twin_put_file(tree, 0644, dir, "power/control", &control_ops, &control);
	es_twin_put_file(tree, 0644, dir, "power/autosuspend_delay_ms", &autosuspend_ops, &none);
	es_twin_put_text(tree, 0444, dir, "power/runtime_active_time", "0\n");
	es_twin_put_text(tree, 0444, dir, "power/runtime_status", "unsupported\n");
	es_twin_put_text(tree, 0444, dir, "power/runtime_suspended_time", "0\n");
	if (subsystem)
		es_twin_put_link(tree, dir, "subsystem", subsystem);
}

static bool join(struct es_twin_tree *tree, char path[static ES_TWIN_SYSFS_PATH_BYTES],
		 const char *dir, const char *name)
{
	if (snprintf(path, ES_TWIN_SYSFS_PATH_BYTES, "%s/%s", dir, name) <
	    (int)ES_TWIN_SYSFS_PATH_BYTES)
		return true;
	es_twin_tree_fail(tree, dir, -ENAMETOOLONG);
	return false;
}

void es_twin_put_text(struct es_twin_tree *tree, unsigned mode, const char *dir, const char *name,
		      const char *fmt, ...)
{
	char path[ES_TWIN_SYSFS_PATH_BYTES], text[4096];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (n < 0 || n >= (int)sizeof(text))
		es_twin_tree_fail(tree, dir, -EMSGSIZE);
	else if (join(tree, path, dir, name))
		es_twin_tree_text(tree, mode, path, "%s", text);
}

void es_twin_put_file(struct es_twin_tree *tree, unsigned mode, const char *dir, const char *name,
		      const struct es_twin_file_ops *ops, const struct es_twin_file *file)
{
	char path[ES_TWIN_SYSFS_PATH_BYTES];

	if (join(tree, path, dir, name))
		es_twin_tree_file(tree, mode, path, ops, file);
}

void es_twin_put_link(struct es_twin_tree *tree, const char *dir, const char *name,
		      const char *target)
{
	char path[ES_TWIN_SYSFS_PATH_BYTES];

	if (join(tree, path, dir, name))
		es_twin_tree_link(tree, path, target);
}

uint64_t es_twin_hash(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	/* The last letter reaches the upper half only now. */
	hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
	hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return hash ^ hash >> 33;
}

void es_twin_put_hwmon(struct es_twin_tree *tree, const char *device, const char *name,
		       char dir[static ES_TWIN_SYSFS_PATH_BYTES])
{
	char path[ES_TWIN_SYSFS_PATH_BYTES];
	unsigned n = 0;

	do
		(void)snprintf(path, sizeof(path), "sys/class/hwmon/hwmon%u", n);
	while (es_twin_tree_find(tree, path) && ++n < HWMONS_MAX);
	(void)snprintf(dir, ES_TWIN_SYSFS_PATH_BYTES, "%.200s/hwmon/hwmon%u", device, n);
	es_twin_put_text(tree, 0444, dir, "name", "%s\n", name);
	es_twin_put_link(tree, dir, "device", device);
	es_twin_make_device(tree, dir, "sys/class/hwmon");
	es_twin_tree_link(tree, path, dir);
}
