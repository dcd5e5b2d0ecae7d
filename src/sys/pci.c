/*
 * sys/pci.c - devices for computing on the PCI bus
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "sys/pci.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define DEVICES "sys/bus/pci/devices"

/* PCI ids of vendors: pci.ids. */
enum {
	VENDOR_AMD = 0x1002,
	VENDOR_NVIDIA = 0x10de,
	VENDOR_INTEL = 0x8086,
};

/* Base class and subclass: PCI Code and ID Assignment Specification 1.11, 3 and 18. */
#define CLASS_DISPLAY 0x03U
#define CLASS_VGA 0x0300U
#define CLASS_ACCELERATOR 0x12U

/* A hexadecimal file of a device, with or without 0x; 0 where there is none: no vendor or class is 0. */
static uint32_t read_hex(const struct es_root *root, const char *address, const char *file)
{
	char path[128], text[32];

	(void)snprintf(path, sizeof(path), DEVICES "/%s/%s", address, file);
	if (es_root_read_line(root, path, text, sizeof(text)) <= 0)
		return 0;
	return (uint32_t)strtoul(text, NULL, 16);
}

static bool has_file(const struct es_root *root, const char *address, const char *file)
{
	char path[128];

	(void)snprintf(path, sizeof(path), DEVICES "/%s/%s", address, file);
	return es_root_exists(root, path);
}

/* Graphics that sit in the processor: their joules are the package's. */
static bool is_in_package(const struct es_root *root, const char *address, uint32_t vendor,
			  uint32_t class)
{
	if (vendor == VENDOR_INTEL)
		return strlen(address) > 4 && strcmp(address + 4, ":00:02.0") == 0;
	return vendor == VENDOR_AMD && class == CLASS_VGA &&
	       read_hex(root, address, "boot_vga") == 1 &&
	       read_hex(root, "0000:00:00.0", "vendor") == 0x1022;
}

static const char *vendor_name(uint32_t vendor)
{
	return vendor == VENDOR_NVIDIA ? "NVIDIA" : vendor == VENDOR_AMD ? "AMD" : "Intel";
}

static void name_driver(const struct es_root *root, struct es_pci_gpu *gpu)
{
	char path[128], target[256];
	es_cleanup(es_closep) int fd = -1;
	const char *slash;
	ssize_t n;

	(void)snprintf(path, sizeof(path), DEVICES "/%s", gpu->address);
	fd = es_root_openat(root, path, O_PATH | O_DIRECTORY);
	n = fd < 0 ? -1 : readlinkat(fd, "driver", target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	slash = strrchr(target, '/');
	(void)snprintf(gpu->driver, sizeof(gpu->driver), "%.31s", slash ? slash + 1 : target);
}

static bool look_at(const struct es_root *root, const char *address, struct es_pci_gpu *ret)
{
	uint32_t class = read_hex(root, address, "class") >> 8, vendor;

	if (class >> 8 != CLASS_DISPLAY && class >> 8 != CLASS_ACCELERATOR)
		return false;
	vendor = read_hex(root, address, "vendor");
	if ((vendor != VENDOR_NVIDIA && vendor != VENDOR_AMD && vendor != VENDOR_INTEL) ||
	    is_in_package(root, address, vendor, class) || has_file(root, address, "physfn"))
		return false;
	(void)snprintf(ret->address, sizeof(ret->address), "%.15s", address);
	(void)snprintf(ret->model, sizeof(ret->model), "%s %04x:%04x", vendor_name(vendor), vendor,
		       read_hex(root, address, "device"));
	name_driver(root, ret);
	return true;
}

static int by_address(const void *a, const void *b)
{
	const struct es_pci_gpu *x = a, *y = b;

	return strcmp(x->address, y->address);
}

uint32_t es_pci_find_gpus(const struct es_root *root, struct es_pci_gpu *ret)
{
	es_cleanup(es_closedirp) DIR *dir = NULL;
	const struct dirent *entry;
	uint32_t n = 0;
	int r;

	dir = es_root_opendir(root, DEVICES, &r);
	while (dir && n < ES_PCI_GPUS_MAX && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && strlen(entry->d_name) < sizeof(ret->address))
			n += look_at(root, entry->d_name, &ret[n]);
	if (n)
		qsort(ret, n, sizeof(*ret), by_address);
	return n;
}
