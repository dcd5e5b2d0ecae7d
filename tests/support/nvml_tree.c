/*
 * nvml_tree.c - trees with NVIDIA GPUs on their bus, and a stub of their library
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/nvml_table.h"
#include "support/tree.h"

static int put(const char *root, const char *bus, const char *file, const char *text)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "sys/devices/pci0000:00/%s/%s", bus, file);
	return es_tree_write(root, path, text, 0444);
}

/* As sysfs has it: the bus lists links to where the devices are. */
static int put_on_bus(const char *root, const struct nvml_gpu *gpu)
{
	char path[4400], target[160], text[32];
	int r = put(root, gpu->bus, "class", "0x030200\n");

	(void)snprintf(text, sizeof(text), "0x%04x\n", gpu->device_id);
	r = r < 0 ? r : put(root, gpu->bus, "device", text);
	r = r < 0 ? r : put(root, gpu->bus, "vendor", "0x10de\n");
	(void)snprintf(text, sizeof(text), "%d\n", gpu->numa);
	r = r < 0 ? r : put(root, gpu->bus, "numa_node", text);
	r = r < 0 ? r : es_tree_write(root, "sys/bus/pci/drivers/nvidia/uevent", "", 0200);
	r = r < 0 ? r : es_tree_write(root, "sys/bus/pci/devices/.keep", "", 0444);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "%s/sys/devices/pci0000:00/%s/driver", root, gpu->bus);
	(void)unlink(path);
	if (symlink("../../../bus/pci/drivers/nvidia", path) < 0)
		return -errno;
	(void)snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s", root, gpu->bus);
	(void)snprintf(target, sizeof(target), "../../../devices/pci0000:00/%s", gpu->bus);
	(void)unlink(path);
	return symlink(target, path) < 0 ? -errno : 0;
}

/* What a library is read from may not be written while it is in use: a new file each time. */
int es_tree_copy(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out;
	char data[65536];
	ssize_t n = 0;

	if (in < 0)
		return -errno;
	(void)unlink(to);
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (out < 0) {
		(void)close(in);
		return -errno;
	}
	(void)fchmod(out, 0755);
	while ((n = read(in, data, sizeof(data))) > 0)
		if (write(out, data, (size_t)n) != n)
			break;
	(void)close(in);
	(void)close(out);
	return n == 0 ? 0 : -EIO;
}

int nvml_tree_make(const char *root, const char *table_path, const char *stub)
{
	char path[4400];
	struct nvml_table table;
	struct nvml_state *state;
	int r = nvml_table_read(table_path, &table);

	for (unsigned i = 0; r == 0 && i < table.n; i++)
		r = put_on_bus(root, &table.gpus[i]);
	r = r < 0 ? r : es_tree_write(root, NVML_FOLDER "/" NVML_TABLE, "", 0644);
	(void)snprintf(path, sizeof(path), "%s/" NVML_FOLDER "/" NVML_TABLE, root);
	r = r < 0 ? r : es_tree_copy(table_path, path);
	(void)snprintf(path, sizeof(path), "%s/" NVML_FOLDER "/libnvidia-ml.so.1", root);
	if (r == 0 && stub)
		r = es_tree_copy(stub, path);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "%s/" NVML_FOLDER "/" NVML_STATE, root);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/" NVML_FOLDER, root);
	state = nvml_state_map(path, &table);
	nvml_state_unmap(state);
	return state ? 0 : -EIO;
}

struct nvml_state *nvml_tree_open(const char *root, struct nvml_table *ret_table)
{
	char path[4400];

	(void)snprintf(path, sizeof(path), "%s/" NVML_FOLDER "/" NVML_TABLE, root);
	if (nvml_table_read(path, ret_table) < 0)
		return NULL;
	(void)snprintf(path, sizeof(path), "%s/" NVML_FOLDER, root);
	return nvml_state_map(path, ret_table);
}
