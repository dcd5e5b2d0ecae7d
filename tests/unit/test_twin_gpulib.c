/*
 * test_twin_gpulib.c - look-alikes of GPU libraries, in a folder that looks like a simulated node
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/folder.h"
#include "support/test.h"
#include "support/tree.h"
#include "support/tree_write.h"
#include "sys/nvml.h"
#include "sys/rocmsmi.h"
#include "twin/gpus.h"

#define A100 "architecture 7\nis_ga100 1\nis_passive 1\ndevice_id 20b0\nvendor_id 10de\n"
#define H100 \
	"architecture 9\nis_ga100 0\nis_passive 1\nhas_mean 1\ndevice_id 2342\nvendor_id 10de\n"
#define MOVING                                                                                  \
	"error none\nloads 0\ndelay_ms 0\nvalue_ns 5\nwall_us 2000007\nvalue_wall_us 2000000\n" \
	"is_primary 1\nenergy 123456789\npower_mw 310500\ninstant_mw 322000\nlimit_mw 400000\n" \
	"limit_min_mw 100000\nlimit_max_mw 400000\nlimit_default_mw 400000\nclock_mhz 1305\n"   \
	"min_mhz 210\ntop_mhz 1410\nstep_mhz 15\nmemory_mhz 1593\nmemory_top_mhz 1593\n"        \
	"busy_ppm 870000\nmemory_busy_ppm 250000\ntemperature_mc 61700\n"                       \
	"memory_temperature_mc 70200\nis_by_power 1\npower_limited_ns 77\nmemory_bytes 42949672960\n"

/** struct fixture - a folder, and what was opened of it */
struct fixture {
	char folder[64];
	struct es_root root;
	struct es_nvml nvml;
	struct es_rocmsmi rocm;
};

static void put(const struct fixture *f, unsigned gpu, const char *fixed, const char *moving)
{
	char path[64], text[4096];

	(void)snprintf(path, sizeof(path), ES_TWIN_GPU_TEXTS "/%u", gpu);
	(void)snprintf(text, sizeof(text),
		       "vendor nvidia\nname NVIDIA A100-SXM4-40GB\n"
		       "uuid GPU-00000000-1111-2222-3333-44444444000%u\nnumber 00ab\n"
		       "bus 0000:%02x:00.0\n%s%s",
		       gpu, 7 + 8 * gpu, fixed, moving);
	assert_int_equal(es_tree_write(f->folder, path, text, 0644), 0);
}

/* The library @variable, as @name in a folder that has GPUs, or none. */
static void make(struct fixture *f, const char *variable, const char *name)
{
	const char *built = getenv(variable);
	char path[192];

	assert_non_null(built);
	*f = (struct fixture){ .nvml = { .dl = { .handle = NULL } } };
	assert_int_equal(es_test_folder(f->folder, sizeof(f->folder)), 0);
	assert_int_equal(es_tree_write(f->folder, ES_TWIN_LIB_FOLDER "/.keep", "", 0444), 0);
	(void)snprintf(path, sizeof(path), "%s/" ES_TWIN_LIB_FOLDER "/%s", f->folder, name);
	assert_int_equal(es_tree_copy(built, path), 0);
	assert_int_equal(es_root_open(f->folder, -1, &f->root, NULL), 0);
}

static void open_nvml(struct fixture *f, const char *fixed, const char *moving)
{
	make(f, "ES_TWIN_NVML", "libnvidia-ml.so.1");
	put(f, 0, fixed, moving);
	put(f, 1, fixed, moving);
	assert_int_equal(es_nvml_open(&f->root, &f->nvml, NULL), 0);
}

static void finish(struct fixture *f)
{
	if (f->nvml.dl.handle)
		es_nvml_close(&f->nvml);
	if (f->rocm.dl.handle)
		es_rocmsmi_close(&f->rocm);
	es_root_close(&f->root);
	es_tree_remove(f->folder);
}

static struct es_nvml_device *first(const struct fixture *f)
{
	struct es_nvml_device *device = NULL;

	assert_int_equal(f->nvml.by_index(0, &device), ES_NVML_OK);
	assert_non_null(device);
	return device;
}

/* A function that sys/nvml.h does not know. */
static void *more(const struct fixture *f, const char *name)
{
	void *function = dlsym(f->nvml.dl.handle, name);

	assert_non_null(function);
	return function;
}

static void tells_what_the_node_shows(void **state)
{
	struct es_nvml_field fields[] = { { .field = 83 },  { .field = 185 },
					  { .field = 186 }, { .field = 186, .scope = 1 },
					  { .field = 187 }, { .field = 82 } };
	struct es_nvml_utilization use;
	unsigned long long energy_mj = 0, reasons = 0;
	struct es_nvml_device *device;
	struct es_nvml_pci pci;
	unsigned v = 0;
	struct fixture f;
	char text[96];

	(void)state;
	open_nvml(&f, A100, MOVING);
	assert_int_equal(f.nvml.init(), ES_NVML_OK);
	assert_int_equal(f.nvml.count(&v), ES_NVML_OK);
	assert_int_equal(v, 2);
	device = first(&f);
	assert_int_equal(f.nvml.name(device, text, sizeof(text)), ES_NVML_OK);
	assert_string_equal(text, "NVIDIA A100-SXM4-40GB");
	assert_int_equal(f.nvml.name(device, text, 5), 7);
	assert_int_equal(f.nvml.uuid(device, text, sizeof(text)), ES_NVML_OK);
	assert_string_equal(text, "GPU-00000000-1111-2222-3333-444444440000");
	assert_int_equal(f.nvml.pci(device, &pci), ES_NVML_OK);
	assert_string_equal(pci.bus_id, "00000000:07:00.0");
	assert_int_equal(pci.bus, 7);
	assert_int_equal(pci.device_id, 0x20b010de);
	assert_int_equal(f.nvml.energy(device, &energy_mj), ES_NVML_OK);
	assert_int_equal(energy_mj, 123456789);
	assert_int_equal(f.nvml.power(device, &v), ES_NVML_OK);
	assert_int_equal(v, 310500);
	assert_int_equal(f.nvml.clock(device, ES_NVML_CLOCK_SM, &v), ES_NVML_OK);
	assert_int_equal(v, 1305);
	assert_int_equal(f.nvml.utilization(device, &use), ES_NVML_OK);
	assert_int_equal(use.gpu, 87);
	assert_int_equal(use.memory, 25);
	assert_int_equal(f.nvml.temperature(device, 0, &v), ES_NVML_OK);
	assert_int_equal(v, 61);
	assert_int_equal(f.nvml.reasons(device, &reasons), ES_NVML_OK);
	assert_int_equal(reasons, ES_NVML_REASON_POWER_CAP);
	assert_int_equal(f.nvml.fields(device, 6, fields), ES_NVML_OK);
	assert_int_equal(fields[0].value.ull, 123456789);
	assert_int_equal(fields[0].timestamp_us, 2000000);
	assert_int_equal(fields[1].error, ES_NVML_NOT_SUPPORTED);
	assert_int_equal(fields[2].value.ui, 322000);
	assert_int_equal(fields[3].error, ES_NVML_NOT_SUPPORTED);
	assert_int_equal(fields[4].value.ui, 100000);
	assert_int_equal(fields[5].value.ui, 70);
	assert_int_equal(f.nvml.shut_down(), ES_NVML_OK);
	assert_int_equal(f.nvml.shut_down(), ES_NVML_UNINITIALIZED);
	assert_int_equal(f.nvml.power(device, &v), ES_NVML_UNINITIALIZED);
	finish(&f);
}

static void has_a_mean_and_a_module_where_the_board_has(void **state)
{
	struct es_nvml_field fields[] = { { .field = 185 }, { .field = 186, .scope = 1 } };
	struct es_nvml_gpm_support support = { .version = ES_NVML_GPM_VERSION };
	struct fixture f;

	(void)state;
	open_nvml(&f, H100 "module_mw 500000\nmodule_instant_mw 510000\n", MOVING);
	assert_int_equal(f.nvml.init(), ES_NVML_OK);
	assert_int_equal(f.nvml.fields(first(&f), 2, fields), ES_NVML_OK);
	assert_int_equal(fields[0].value.ui, 310500);
	assert_int_equal(fields[1].value.ui, 510000);
	assert_int_equal(f.nvml.gpm_support(first(&f), &support), ES_NVML_OK);
	assert_int_equal(support.is_supported, 1);
	finish(&f);
}

static void tells_how_busy_it_was_between_two_samples(void **state)
{
	struct es_nvml_gpm_sample *samples[2] = { NULL, NULL };
	struct es_nvml_gpm_metrics *metrics = calloc(1, sizeof(*metrics));
	struct fixture f;

	(void)state;
	assert_non_null(metrics);
	open_nvml(&f, H100, MOVING "t_ns 1000\nbusy_ns 500\nmemory_busy_ns 400\n");
	assert_int_equal(f.nvml.init(), ES_NVML_OK);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(f.nvml.gpm_alloc(&samples[i]), ES_NVML_OK);
	metrics->version = ES_NVML_GPM_VERSION;
	metrics->n = 3;
	metrics->from = samples[0];
	metrics->to = samples[1];
	metrics->metrics[0].id = ES_NVML_GPM_SM;
	metrics->metrics[1].id = ES_NVML_GPM_DRAM;
	metrics->metrics[2].id = ES_NVML_GPM_TENSOR;
	assert_int_equal(f.nvml.gpm_metrics(metrics), ES_NVML_INVALID_ARGUMENT);
	assert_int_equal(f.nvml.gpm_sample(first(&f), samples[0]), ES_NVML_OK);
	put(&f, 0, H100, MOVING "t_ns 3000\nbusy_ns 2000\nmemory_busy_ns 900\n");
	assert_int_equal(f.nvml.gpm_sample(first(&f), samples[1]), ES_NVML_OK);
	assert_int_equal(f.nvml.gpm_metrics(metrics), ES_NVML_OK);
	assert_true(metrics->metrics[0].value > 74.9 && metrics->metrics[0].value < 75.1);
	assert_true(metrics->metrics[1].value > 24.9 && metrics->metrics[1].value < 25.1);
	assert_int_equal(metrics->metrics[2].error, ES_NVML_NOT_SUPPORTED);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(f.nvml.gpm_free(samples[i]), ES_NVML_OK);
	free(metrics);
	finish(&f);
}

static void says_in_its_own_words_what_is_wrong(void **state)
{
	struct es_nvml_device *device, *again = NULL;
	struct fixture f;
	unsigned v = 0;

	(void)state;
	open_nvml(&f, A100, MOVING);
	assert_int_equal(f.nvml.power((struct es_nvml_device *)(uintptr_t)0x1001, &v),
			 ES_NVML_UNINITIALIZED);
	assert_int_equal(f.nvml.init(), ES_NVML_OK);
	device = first(&f);
	assert_int_equal(f.nvml.power(NULL, &v), ES_NVML_INVALID_ARGUMENT);
	assert_int_equal(f.nvml.by_index(2, &again), ES_NVML_INVALID_ARGUMENT);
	put(&f, 0, A100, "error gone\nloads 0\n");
	assert_int_equal(f.nvml.power(device, &v), ES_NVML_GPU_IS_LOST);
	assert_int_equal(f.nvml.by_index(0, &again), ES_NVML_GPU_IS_LOST);
	put(&f, 0, A100, "error unreadable\nloads 0\n");
	assert_int_equal(f.nvml.power(device, &v), ES_NVML_UNKNOWN);
	/* While the driver is loaded, and afterwards: the old handle leads nowhere. */
	put(&f, 0, A100, "error loading\nloads 1\n");
	assert_int_equal(f.nvml.power(device, &v), ES_NVML_UNINITIALIZED);
	assert_int_equal(f.nvml.by_index(0, &again), ES_NVML_DRIVER_NOT_LOADED);
	assert_int_equal(f.nvml.init(), ES_NVML_OK);
	put(&f, 1, A100, "error loading\nloads 1\n");
	assert_int_equal(f.nvml.init(), ES_NVML_DRIVER_NOT_LOADED);
	put(&f, 0, A100, "error none\nloads 1\npower_mw 7\n");
	assert_int_equal(f.nvml.power(device, &v), ES_NVML_GPU_IS_LOST);
	device = first(&f);
	assert_int_equal(f.nvml.power(device, &v), ES_NVML_OK);
	assert_int_equal(v, 7);
	/* A node that went down, or says what nobody understands. */
	put(&f, 0, A100, "error strange\nloads 1\n");
	assert_int_equal(f.nvml.power(device, &v), ES_NVML_UNKNOWN);
	es_tree_remove(f.folder);
	assert_int_equal(f.nvml.power(device, &v), ES_NVML_UNKNOWN);
	finish(&f);
}

static void does_not_start_outside_of_a_node(void **state)
{
	struct fixture f;

	(void)state;
	make(&f, "ES_TWIN_NVML", "libnvidia-ml.so.1");
	assert_int_equal(es_nvml_open(&f.root, &f.nvml, NULL), 0);
	assert_int_equal(f.nvml.init(), ES_NVML_UNKNOWN);
	finish(&f);
}

static void finds_the_node_that_the_user_names(void **state)
{
	struct fixture node, elsewhere;
	unsigned n = 0;

	(void)state;
	open_nvml(&node, A100, MOVING);
	make(&elsewhere, "ES_TWIN_NVML", "libnvidia-ml.so.1");
	assert_int_equal(es_nvml_open(&elsewhere.root, &elsewhere.nvml, NULL), 0);
	assert_int_equal(setenv("ENERGYSCOPIUM_TWIN", "/nonexistent", 1), 0);
	assert_int_equal(elsewhere.nvml.init(), ES_NVML_UNKNOWN);
	assert_int_equal(setenv("ENERGYSCOPIUM_TWIN", node.folder, 1), 0);
	assert_int_equal(elsewhere.nvml.init(), ES_NVML_OK);
	assert_int_equal(elsewhere.nvml.count(&n), ES_NVML_OK);
	assert_int_equal(n, 2);
	assert_int_equal(unsetenv("ENERGYSCOPIUM_TWIN"), 0);
	finish(&elsewhere);
	finish(&node);
}

/* What was written to the first GPU: a plain file takes it at its beginning, whatever it is. */
static void expect_written(const struct fixture *f, const char *line)
{
	char path[128], text[64] = "";
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/" ES_TWIN_GPU_TEXTS "/0", f->folder);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	(void)fclose(file);
	assert_string_equal(text, line);
}

static void turns_knobs_by_lines(void **state)
{
	int (*set_limit)(struct es_nvml_device *, unsigned);
	int (*lock)(struct es_nvml_device *, unsigned, unsigned);
	int (*unlock)(struct es_nvml_device *);
	int (*set_application)(struct es_nvml_device *, unsigned, unsigned);
	struct es_nvml_device *device;
	struct fixture f;

	(void)state;
	open_nvml(&f, A100, MOVING);
	*(void **)&set_limit = more(&f, "nvmlDeviceSetPowerManagementLimit");
	*(void **)&lock = more(&f, "nvmlDeviceSetGpuLockedClocks");
	*(void **)&set_application = more(&f, "nvmlDeviceSetApplicationsClocks");
	*(void **)&unlock = more(&f, "nvmlDeviceResetGpuLockedClocks");
	assert_int_equal(f.nvml.init(), ES_NVML_OK);
	device = first(&f);
	assert_int_equal(lock(device, 0, 0), ES_NVML_INVALID_ARGUMENT);
	assert_int_equal(lock(device, 900, 600), ES_NVML_INVALID_ARGUMENT);
	assert_int_equal(set_limit(device, 250000), ES_NVML_OK);
	expect_written(&f, "power_limit_mw 250000\n");
	put(&f, 0, A100, MOVING);
	assert_int_equal(lock(device, 210, 600), ES_NVML_OK);
	expect_written(&f, "lock_mhz 210 600\n");
	put(&f, 0, A100, MOVING);
	assert_int_equal(set_application(device, 1000, 900), ES_NVML_INVALID_ARGUMENT);
	assert_int_equal(set_application(device, 1593, 900), ES_NVML_OK);
	expect_written(&f, "lock_mhz 900 900\n");
	put(&f, 0, A100, MOVING);
	assert_int_equal(unlock(device), ES_NVML_OK);
	expect_written(&f, "lock_mhz 0 0\n");
	if (geteuid() != 0) {
		char path[128];

		put(&f, 0, A100, MOVING);
		(void)snprintf(path, sizeof(path), "%s/" ES_TWIN_GPU_TEXTS "/0", f.folder);
		assert_int_equal(chmod(path, 0444), 0);
		assert_int_equal(set_limit(device, 250000), ES_NVML_NO_PERMISSION);
	}
	finish(&f);
}

static void write_processes(const struct fixture *f, const char *text)
{
	assert_int_equal(es_tree_write(f->folder, ES_TWIN_GPU_PROCESSES "/0", text, 0644), 0);
}

static void lists_the_processes_that_the_node_was_told_of(void **state)
{
	struct es_nvml_process processes[4];
	struct es_nvml_process_use uses[4];
	unsigned n = 4;
	struct fixture f;

	(void)state;
	open_nvml(&f, A100, MOVING);
	assert_int_equal(f.nvml.init(), ES_NVML_OK);
	assert_int_equal(f.nvml.processes(first(&f), &n, processes), ES_NVML_OK);
	assert_int_equal(n, 0);
	write_processes(&f, "41 60\n42 0\n");
	n = 4;
	assert_int_equal(f.nvml.processes(first(&f), &n, processes), ES_NVML_OK);
	assert_int_equal(n, 2);
	assert_int_equal(processes[1].pid, 42);
	assert_int_equal(processes[1].gpu_instance, ES_NVML_NO_INSTANCE);
	n = 1;
	assert_int_equal(f.nvml.processes(first(&f), &n, processes), ES_NVML_SIZE_TOO_SMALL);
	n = 4;
	assert_int_equal(f.nvml.process_use(first(&f), uses, &n, 0), ES_NVML_OK);
	assert_int_equal(n, 1);
	assert_int_equal(uses[0].sm, 60);
	n = 4;
	assert_int_equal(f.nvml.process_use(first(&f), uses, &n, uses[0].timestamp_us),
			 ES_NVML_NOT_FOUND);
	finish(&f);
}

static void lists_the_processes_of_an_instance(void **state)
{
	struct es_nvml_device *mig = NULL;
	struct es_nvml_process processes[4];
	struct es_nvml_process_use uses[4];
	unsigned n = 4, id = 0;
	struct fixture f;

	(void)state;
	open_nvml(&f, A100 "n_instances 2\nslices 3\n", MOVING);
	assert_int_equal(f.nvml.init(), ES_NVML_OK);
	write_processes(&f, "41 60 0\n42 10 1\n");
	assert_int_equal(f.nvml.mig_by_index(first(&f), 1, &mig), ES_NVML_OK);
	assert_int_equal(f.nvml.gpu_instance(mig, &id), ES_NVML_OK);
	assert_int_equal(f.nvml.processes(mig, &n, processes), ES_NVML_OK);
	assert_int_equal(n, 1);
	assert_int_equal(processes[0].pid, 42);
	assert_int_equal(processes[0].gpu_instance, id);
	n = 4;
	assert_int_equal(f.nvml.processes(first(&f), &n, processes), ES_NVML_OK);
	assert_int_equal(n, 2);
	assert_int_equal(f.nvml.process_use(first(&f), uses, &n, 0), ES_NVML_NOT_SUPPORTED);
	finish(&f);
}

static void lists_instances(void **state)
{
	int (*parent_of)(struct es_nvml_device *, struct es_nvml_device **);
	int (*by_uuid)(const char *, struct es_nvml_device **);
	struct es_nvml_device *device, *mig = NULL, *found = NULL;
	struct es_nvml_attributes attributes;
	struct es_nvml_utilization use;
	unsigned now = 0, pending = 0, id = 0;
	struct fixture f;
	char text[96];

	(void)state;
	open_nvml(&f, A100 "n_instances 2\nslices 3\n", MOVING);
	*(void **)&parent_of = more(&f, "nvmlDeviceGetDeviceHandleFromMigDeviceHandle");
	*(void **)&by_uuid = more(&f, "nvmlDeviceGetHandleByUUID");
	assert_int_equal(f.nvml.init(), ES_NVML_OK);
	device = first(&f);
	assert_int_equal(f.nvml.mig_mode(device, &now, &pending), ES_NVML_OK);
	assert_int_equal(now, 1);
	assert_int_equal(f.nvml.mig_by_index(device, 2, &mig), ES_NVML_NOT_FOUND);
	assert_int_equal(f.nvml.mig_by_index(device, 1, &mig), ES_NVML_OK);
	assert_int_equal(f.nvml.name(mig, text, sizeof(text)), ES_NVML_OK);
	assert_string_equal(text, "NVIDIA A100-SXM4-40GB MIG 3g.20gb");
	assert_int_equal(f.nvml.uuid(mig, text, sizeof(text)), ES_NVML_OK);
	assert_string_equal(text, "MIG-00000000-1111-2222-3333-444444440002");
	assert_int_equal(by_uuid(text, &found), ES_NVML_OK);
	assert_ptr_equal(found, mig);
	assert_int_equal(by_uuid("MIG-none", &found), ES_NVML_NOT_FOUND);
	assert_int_equal(f.nvml.gpu_instance(mig, &id), ES_NVML_OK);
	assert_int_equal(id, 2);
	assert_int_equal(f.nvml.gpu_instance(device, &id), ES_NVML_INVALID_ARGUMENT);
	assert_int_equal(f.nvml.attributes(mig, &attributes), ES_NVML_OK);
	assert_int_equal(attributes.gpu_slices, 3);
	assert_int_equal(attributes.multiprocessors, 42);
	assert_int_equal(attributes.memory_mb, 20480);
	assert_int_equal(parent_of(mig, &found), ES_NVML_OK);
	assert_ptr_equal(found, device);
	/* An instance has no power of its own, and the whole no utilisation. */
	assert_int_equal(f.nvml.power(mig, &id), ES_NVML_INVALID_ARGUMENT);
	assert_int_equal(f.nvml.utilization(device, &use), ES_NVML_NOT_SUPPORTED);
	finish(&f);
}

struct sample {
	unsigned long long t_us;
	union es_nvml_value value;
};

static void gives_the_samples_that_are_new(void **state)
{
	int (*get)(struct es_nvml_device *, int, unsigned long long, int *, unsigned *,
		   struct sample *);
	struct sample samples[2] = { { 0 } };
	int type = 0;
	unsigned n = 0;
	struct fixture f;

	(void)state;
	open_nvml(&f, A100, MOVING);
	assert_int_equal(es_tree_write(f.folder, ES_TWIN_GPU_SAMPLES "/0",
				       "1000 50\n2000 60\n3000 70\nrubbish", 0444),
			 0);
	*(void **)&get = more(&f, "nvmlDeviceGetSamples");
	assert_int_equal(f.nvml.init(), ES_NVML_OK);
	assert_int_equal(get(first(&f), 0, 0, &type, &n, NULL), ES_NVML_OK);
	assert_int_equal(n, 3);
	n = 2;
	assert_int_equal(get(first(&f), 0, 1000, &type, &n, samples), ES_NVML_OK);
	assert_int_equal(n, 2);
	assert_int_equal(type, ES_NVML_UNSIGNED_INT);
	assert_int_equal(samples[0].t_us, 2000);
	assert_int_equal(samples[1].value.ui, 70);
	n = 1;
	assert_int_equal(get(first(&f), 0, 0, &type, &n, samples), ES_NVML_OK);
	assert_int_equal(n, 1);
	assert_int_equal(get(first(&f), 0, 3000, &type, &n, samples), ES_NVML_NOT_FOUND);
	assert_int_equal(get(first(&f), 7, 0, &type, &n, samples), ES_NVML_NOT_SUPPORTED);
	finish(&f);
}

static void *ask_often(void *arg)
{
	struct fixture *f = arg;
	uintptr_t n_wrong = 0;

	for (int i = 0; i < 200; i++) {
		unsigned long long energy_mj = 0;
		struct es_nvml_device *device = NULL;

		n_wrong += f->nvml.init() != ES_NVML_OK;
		n_wrong += f->nvml.by_index(1, &device) != ES_NVML_OK;
		n_wrong += f->nvml.energy(device, &energy_mj) != ES_NVML_OK;
		n_wrong += energy_mj != 123456789;
		n_wrong += f->nvml.shut_down() != ES_NVML_OK;
	}
	return (void *)n_wrong;
}

static void may_be_asked_by_several_threads(void **state)
{
	pthread_t threads[4];
	struct fixture f;
	void *n_wrong;

	(void)state;
	open_nvml(&f, A100, MOVING);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &f), 0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], &n_wrong), 0);
		assert_null(n_wrong);
	}
	finish(&f);
}

static void stands_in_for_rocm_too(void **state)
{
	uint32_t (*range)(uint32_t, uint32_t, uint64_t *, uint64_t *);
	uint32_t (*set)(uint32_t, uint32_t, uint64_t);
	uint64_t steps = 0, time_ns = 0, id = 0, low = 0, high = 0;
	float step_uj = 0;
	uint32_t n = 0;
	struct fixture f;

	(void)state;
	make(&f, "ES_TWIN_ROCM", "librocm_smi64.so.7");
	put(&f, 0, "device_id 740c\nvendor_id 1002\n", MOVING);
	put(&f, 1, "device_id 740c\nvendor_id 1002\n",
	    "error none\nis_primary 0\nenergy 0\npower_mw 0\nlimit_mw 500000\n");
	assert_int_equal(es_rocmsmi_open(&f.root, &f.rocm, NULL), 0);
	assert_int_equal(f.rocm.count(&n), ES_ROCMSMI_NOT_STARTED);
	assert_int_equal(f.rocm.init(0), ES_ROCMSMI_OK);
	assert_int_equal(f.rocm.count(&n), ES_ROCMSMI_OK);
	assert_int_equal(n, 2);
	assert_int_equal(f.rocm.energy(0, &steps, &step_uj, &time_ns), ES_ROCMSMI_OK);
	assert_int_equal(steps, 123456789);
	assert_int_equal(time_ns, 5);
	assert_true(step_uj > 15.29F && step_uj < 15.31F);
	assert_int_equal(f.rocm.power(0, 0, &id), ES_ROCMSMI_OK);
	assert_int_equal(id, 310500000);
	assert_int_equal(f.rocm.power(0, 1, &id), ES_ROCMSMI_NOT_SUPPORTED);
	assert_int_equal(f.rocm.pci_id(1, &id), ES_ROCMSMI_OK);
	assert_int_equal(id, 0x0f00);
	assert_int_equal(f.rocm.power_cap(1, 0, &id), ES_ROCMSMI_OK);
	assert_int_equal(id, 0);
	assert_int_equal(f.rocm.energy(2, &steps, &step_uj, &time_ns), ES_ROCMSMI_INVALID);
	*(void **)&range = dlsym(f.rocm.dl.handle, "rsmi_dev_power_cap_range_get");
	*(void **)&set = dlsym(f.rocm.dl.handle, "rsmi_dev_power_cap_set");
	assert_int_equal(range(0, 0, &high, &low), ES_ROCMSMI_OK);
	assert_int_equal(high, 400000000);
	assert_int_equal(low, 100000000);
	assert_int_equal(set(0, 0, 350999999), ES_ROCMSMI_OK);
	expect_written(&f, "power_limit_mw 350000\n");
	put(&f, 0, "", "error gone\n");
	assert_int_equal(f.rocm.power(0, 0, &id), ES_ROCMSMI_FILE_ERROR);
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_what_the_node_shows),
		cmocka_unit_test(has_a_mean_and_a_module_where_the_board_has),
		cmocka_unit_test(tells_how_busy_it_was_between_two_samples),
		cmocka_unit_test(says_in_its_own_words_what_is_wrong),
		cmocka_unit_test(does_not_start_outside_of_a_node),
		cmocka_unit_test(finds_the_node_that_the_user_names),
		cmocka_unit_test(turns_knobs_by_lines),
		cmocka_unit_test(lists_instances),
		cmocka_unit_test(lists_the_processes_that_the_node_was_told_of),
		cmocka_unit_test(lists_the_processes_of_an_instance),
		cmocka_unit_test(gives_the_samples_that_are_new),
		cmocka_unit_test(may_be_asked_by_several_threads),
		cmocka_unit_test(stands_in_for_rocm_too),
	};

	(void)unsetenv("ENERGYSCOPIUM_TWIN");
	return cmocka_run_group_tests_name("twin/gpulib", tests, NULL, NULL);
}
