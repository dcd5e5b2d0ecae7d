/*
 * gpulib_tree.c - trees with GPUs of AMD and Intel on their bus, and stubs of their libraries
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "support/gpulib_table.h"
#include "support/tree_write.h"

static int put(const char *root, const char *bus, const char *file, const char *text)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "sys/devices/pci0000:00/%s/%s", bus, file);
	return es_tree_write(root, path, text, 0444);
}

/* As sysfs has it: the bus lists links to where the devices are. */
static int put_on_bus(const char *root, const struct gpulib_gpu *gpu)
{
	char path[160], target[160], text[32];
	int r;

	(void)snprintf(text, sizeof(text), "0x%06x\n", gpu->class);
	r = put(root, gpu->bus, "class", text);
	(void)snprintf(text, sizeof(text), "0x%04x\n", gpu->device_id);
	r = r < 0 ? r : put(root, gpu->bus, "device", text);
	(void)snprintf(text, sizeof(text), "0x%04x\n", gpu->vendor);
	r = r < 0 ? r : put(root, gpu->bus, "vendor", text);
	(void)snprintf(text, sizeof(text), "%s\n", gpu->status);
	r = r < 0 ? r : put(root, gpu->bus, "power/runtime_status", text);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "sys/bus/pci/devices/%s", gpu->bus);
	(void)snprintf(target, sizeof(target), "sys/devices/pci0000:00/%s", gpu->bus);
	r = es_tree_put_link(root, path, target);
	/* A model that has GPUs of its own may have this one. */
	return r == -EEXIST ? 0 : r;
}

int gpulib_tree_make(const char *root, const char *table_path)
{
	char path[4400];
	struct gpulib_table table;
	struct gpulib_state *state;
	int r = gpulib_table_read(table_path, &table);

	for (unsigned i = 0; r == 0 && i < table.n; i++)
		if (!table.gpus[i].is_absent_from_bus)
			r = put_on_bus(root, &table.gpus[i]);
	r = r < 0 ? r : es_tree_write(root, GPULIB_FOLDER "/" GPULIB_TABLE, "", 0644);
	(void)snprintf(path, sizeof(path), "%s/" GPULIB_FOLDER "/" GPULIB_TABLE, root);
	r = r < 0 ? r : es_tree_copy(table_path, path);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "%s/" GPULIB_FOLDER "/" GPULIB_STATE, root);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/" GPULIB_FOLDER, root);
	state = gpulib_state_map(path, &table);
	gpulib_state_unmap(state);
	return state ? 0 : -EIO;
}

int gpulib_tree_add(const char *root, const char *stub, const char *name)
{
	char path[4400];

	(void)snprintf(path, sizeof(path), "%s/" GPULIB_FOLDER "/%s", root, name);
	return es_tree_copy(stub, path);
}

struct gpulib_state *gpulib_tree_open(const char *root, struct gpulib_table *ret_table)
{
	char path[4400];

	(void)snprintf(path, sizeof(path), "%s/" GPULIB_FOLDER "/" GPULIB_TABLE, root);
	if (gpulib_table_read(path, ret_table) < 0)
		return NULL;
	(void)snprintf(path, sizeof(path), "%s/" GPULIB_FOLDER, root);
	return gpulib_state_map(path, ret_table);
}
