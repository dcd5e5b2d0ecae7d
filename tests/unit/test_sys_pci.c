/*
 * test_sys_pci.c - GPUs on the bus, and what is none
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/tree.h"
#include "sys/pci.h"

struct fixture {
	char dir[64];
	struct es_root root;
	struct es_pci_gpu gpus[ES_PCI_GPUS_MAX];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(es_tree_temp(f->dir), 0);
	assert_int_equal(es_root_open(f->dir, -1, &f->root, NULL), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_root_close(&f->root);
	es_tree_remove(f->dir);
	free(f);
	return 0;
}

static void put(const struct fixture *f, const char *address, const char *file, const char *text)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "sys/devices/pci0000:00/%s/%s", address, file);
	assert_int_equal(es_tree_write(f->dir, path, text, 0444), 0);
}

/* As sysfs has it: the bus lists links to where the devices are. */
static void put_device(const struct fixture *f, const char *address, const char *class,
		       const char *vendor, const char *device, const char *driver)
{
	char path[320], target[160];

	put(f, address, "class", class);
	put(f, address, "vendor", vendor);
	put(f, address, "device", device);
	(void)snprintf(path, sizeof(path), "%s/sys/bus", f->dir);
	(void)mkdir(path, 0755);
	(void)snprintf(path, sizeof(path), "%s/sys/bus/pci", f->dir);
	(void)mkdir(path, 0755);
	(void)snprintf(path, sizeof(path), "%s/sys/bus/pci/devices", f->dir);
	assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
	(void)snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s", f->dir, address);
	(void)snprintf(target, sizeof(target), "../../../devices/pci0000:00/%s", address);
	assert_int_equal(symlink(target, path), 0);
	if (!driver)
		return;
	(void)snprintf(path, sizeof(path), "%s/sys/devices/pci0000:00/%s/driver", f->dir, address);
	(void)snprintf(target, sizeof(target), "../../../bus/pci/drivers/%s", driver);
	assert_int_equal(symlink(target, path), 0);
}

static void a_machine_without_a_bus_has_none(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(es_pci_find_gpus(&f->root, f->gpus), 0);
}

static void gpus_are_found_in_order_with_and_without_driver(void **state)
{
	struct fixture *f = *state;

	put_device(f, "0000:b1:00.0", "0x030200\n", "0x10de\n", "0x2330\n", NULL);
	put_device(f, "0000:17:00.0", "0x030200\n", "0x10de\n", "0x2330\n", "nvidia");
	put_device(f, "0000:41:00.0", "0x120000\n", "0x1002\n", "0x74a1\n", "amdgpu");
	put_device(f, "0000:42:00.0", "0x038000\n", "0x8086\n", "0x0bd5\n", "i915");
	put_device(f, "0000:00:1f.6", "0x020000\n", "0x8086\n", "0x0d4e\n", "e1000e");

	assert_int_equal(es_pci_find_gpus(&f->root, f->gpus), 4);
	assert_string_equal(f->gpus[0].address, "0000:17:00.0");
	assert_string_equal(f->gpus[0].model, "NVIDIA 10de:2330");
	assert_string_equal(f->gpus[0].driver, "nvidia");
	assert_string_equal(f->gpus[1].model, "AMD 1002:74a1");
	assert_string_equal(f->gpus[2].model, "Intel 8086:0bd5");
	assert_string_equal(f->gpus[3].address, "0000:b1:00.0");
	assert_string_equal(f->gpus[3].driver, "");
}

/* The management controller's display, graphics inside the processor, slices of a GPU. */
static void what_only_looks_like_a_gpu_is_left_out(void **state)
{
	struct fixture *f = *state;

	put_device(f, "0000:03:00.0", "0x030000\n", "0x1a03\n", "0x2000\n", "ast");
	put_device(f, "0000:00:02.0", "0x030000\n", "0x8086\n", "0x9a49\n", "i915");
	put_device(f, "0000:17:00.4", "0x030200\n", "0x10de\n", "0x2330\n", NULL);
	put(f, "0000:17:00.4", "physfn", "a link in real life");

	assert_int_equal(es_pci_find_gpus(&f->root, f->gpus), 0);
}

static void an_apus_display_is_in_its_package(void **state)
{
	struct fixture *f = *state;

	put_device(f, "0000:00:00.0", "0x060000\n", "0x1022\n", "0x14d8\n", NULL);
	put_device(f, "0000:0c:00.0", "0x030000\n", "0x1002\n", "0x15bf\n", "amdgpu");
	put(f, "0000:0c:00.0", "boot_vga", "1\n");
	put_device(f, "0000:03:00.0", "0x030000\n", "0x1002\n", "0x744c\n", "amdgpu");
	put(f, "0000:03:00.0", "boot_vga", "0\n");

	assert_int_equal(es_pci_find_gpus(&f->root, f->gpus), 1);
	assert_string_equal(f->gpus[0].address, "0000:03:00.0");
}

static void garbage_and_too_many_do_no_harm(void **state)
{
	struct fixture *f = *state;
	char address[32];

	put_device(f, "0000:01:00.0", "what\n", "0x10de\n", "0x2330\n", NULL);
	put_device(f, "0000:02:00.0", "", "", "", NULL);
	put_device(f, "a-name-that-no-device-would-have", "0x030200\n", "0x10de\n", "1\n", NULL);
	for (unsigned i = 0; i < ES_PCI_GPUS_MAX + 3; i++) {
		(void)snprintf(address, sizeof(address), "0001:%02x:00.0", i);
		put_device(f, address, "0x030200\n", "0x10de\n", "0x2330\n", NULL);
	}

	assert_int_equal(es_pci_find_gpus(&f->root, f->gpus), ES_PCI_GPUS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_machine_without_a_bus_has_none, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(gpus_are_found_in_order_with_and_without_driver,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_only_looks_like_a_gpu_is_left_out, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(an_apus_display_is_in_its_package, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(garbage_and_too_many_do_no_harm, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("sys/pci", tests, NULL, NULL);
}
