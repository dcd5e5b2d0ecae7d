/*
 * tree_gpus.c - GPUs on the bus of a simulated node, their driver, and what look-alikes of their libraries read
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "sys/nvml.h"
#include "twin/fault.h"
#include "twin/gpus.h"
#include "twin/sysfs.h"

#define FJ_PER_MJ UINT64_C(1000000000000)
#define FJ_PER_J UINT64_C(1000000000000000)
#define STEPS_PER_J 65536U /* AMD: 15.259 uJ */
#define GA100_IDS 0x20U /* the upper byte of the PCI device ids of A100, A800, A30: pci.ids */
#define ARCH_HOPPER 9U
/* arXiv 2312.02741: powers change each 20 ms (Pascal, Volta) or 100 ms; A100 and H100 look at a quarter of it. */
#define UPDATE_FAST_NS (20 * ES_NS_PER_MS)
#define UPDATE_NS (100 * ES_NS_PER_MS)
#define QUARTER_PPM 250000U
#define MEAN_WINDOWS 10 /* nvml.h: mean of one second on Ampere and later, but GA100 */
#define BUSES 8U
#define CLASS_VGA 0x0300U /* with a display, and a fan of its own */

unsigned es_twin_n_devices(const struct es_twin_kind *kind)
{
	return kind->n_gpus * (kind->gpu.n_chips > 1 ? kind->gpu.n_chips : 1);
}

unsigned es_twin_gpu_of(const struct es_twin_kind *kind, unsigned device, unsigned *ret_chip)
{
	unsigned n = kind->gpu.n_chips > 1 ? kind->gpu.n_chips : 1;

	if (ret_chip)
		*ret_chip = device % n;
	return device / n;
}

static bool is_nvidia(const struct es_twin_kind *kind)
{
	return strcmp(kind->gpu.vendor, "nvidia") == 0;
}

/* The buses that such boards have: DGX A100, HPE EX235a, and Grace, where each GPU has a domain of its own. */
void es_twin_gpu_address(const struct es_twin_kind *kind, unsigned device,
			 char ret[static ES_TWIN_ADDRESS_BYTES])
{
	static const unsigned char nvidia[BUSES] = {
		0x07, 0x0f, 0x47, 0x4e, 0x87, 0x90, 0xb7, 0xbd
	};
	static const unsigned char amd[BUSES] = { 0xc1, 0xc6, 0xc9, 0xce, 0xd1, 0xd6, 0xd9, 0xde };
	unsigned domain = device / BUSES, bus;

	if (kind->meters.has_grace) {
		domain = 9 + 16 * device;
		bus = 1;
	} else {
		bus = is_nvidia(kind) ? nvidia[device % BUSES] : amd[device % BUSES];
	}
	(void)snprintf(ret, ES_TWIN_ADDRESS_BYTES, "%04x:%02x:00.0", domain & 0xffff, bus);
}

void es_twin_gpu_folder(const struct es_twin_kind *kind, unsigned device,
			char ret[static ES_TWIN_DEVICE_BYTES])
{
	char address[ES_TWIN_ADDRESS_BYTES];

	es_twin_gpu_address(kind, device, address);
	(void)snprintf(ret, ES_TWIN_DEVICE_BYTES, "sys/devices/pci%.4s:00/%s", address, address);
}

/* Stirred as in splitmix64: names differ in a digit only. */
uint64_t es_twin_gpu_number(const struct es_twin_host *host, unsigned device)
{
	uint64_t v = es_twin_hash(host->name) + UINT64_C(0x9e3779b97f4a7c15) * (device + 1);

	v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
	return v ^ v >> 31;
}

static void uuid_of(const struct es_twin_host *host, unsigned device, char ret[48])
{
	uint64_t a = es_twin_gpu_number(host, device), b = es_twin_gpu_number(host, device + 256);

	(void)snprintf(ret, 48, "%08x-%04x-%04x-%04x-%012" PRIx64, (unsigned)(a >> 32),
		       (unsigned)(a >> 16) & 0xffff, 0x4000U | ((unsigned)a & 0xfff),
		       0x8000U | ((unsigned)(b >> 48) & 0x3fff), b & UINT64_C(0xffffffffffff));
}

static bool is_ga100(const struct es_twin_gpu *gpu)
{
	return gpu->device_id >> 8 == GA100_IDS;
}

/* Whether its driver tells the mean of a second; without: what was measured last. */
static bool tells_mean(const struct es_twin_gpu *gpu)
{
	return gpu->architecture >= ES_NVML_ARCH_AMPERE && !is_ga100(gpu);
}

static void fill_nvidia(const struct es_twin_host *host, unsigned device,
			struct es_twin_meter *meter)
{
	const struct es_twin_gpu *gpu = &host->kind->gpu;
	uint64_t number = es_twin_gpu_number(host, device);
	bool is_fast = gpu->architecture && gpu->architecture <= ES_NVML_ARCH_VOLTA;

	meter->part = ES_TWIN_GPU;
	meter->i = device;
	meter->step_fj_num = FJ_PER_MJ;
	meter->update_ns = is_fast ? UPDATE_FAST_NS : UPDATE_NS;
	meter->phase_ns = (int64_t)(number % (uint64_t)meter->update_ns);
	meter->window_ns = meter->update_ns;
	meter->duty_ppm = is_ga100(gpu) || gpu->architecture >= ARCH_HOPPER ? QUARTER_PPM : 0;
	/* Since the driver was loaded, which is a while ago. */
	meter->start = 1000000 + number % 1000000000;
	es_twin_meter_start(meter, host->node, es_twin_now_ns(host->node));
}

void es_twin_amd_meter(const struct es_twin_host *host, unsigned device,
		       struct es_twin_meter *meter)
{
	uint64_t number = es_twin_gpu_number(host, device);

	meter->part = ES_TWIN_GPU;
	meter->i = es_twin_gpu_of(host->kind, device, NULL);
	meter->step_fj_num = FJ_PER_J;
	meter->step_fj_den = STEPS_PER_J;
	meter->update_ns = ES_NS_PER_MS;
	meter->phase_ns = (int64_t)(number % (uint64_t)meter->update_ns);
	meter->window_ns = 10 * ES_NS_PER_MS;
	meter->grain_uw = 1000000;
	meter->start = STEPS_PER_J * (1000 + number % 1000000);
	es_twin_meter_start(meter, host->node, es_twin_now_ns(host->node));
}

/* As NVML tells it: of chips whose driver tells a mean, of what was seen in each of the last ten windows. */
static uint64_t power_of(const struct es_twin_meter *meter, const struct es_twin_node *node,
			 int64_t t_ns, bool is_mean)
{
	struct es_twin_meter seen = *meter;
	int64_t at_ns = es_twin_meter_time_ns(meter, t_ns);
	uint64_t sum_uw = 0;
	int n = is_mean ? MEAN_WINDOWS : 1;

	/* Why it cannot be read stands in a line of its own. */
	seen.is_gone = false;
	seen.error = 0;
	/* What came before it got stuck may be forgotten: the meter itself kept the last value. */
	if (meter->is_stuck && at_ns < es_twin_history_ns(node, 0)) {
		at_ns = meter->stuck_ns;
		n = 1;
	}
	for (int i = 0; i < n; i++) {
		uint64_t power_uw = 0;

		(void)es_twin_meter_power_uw(&seen, node, at_ns - i * seen.update_ns, &power_uw);
		sum_uw += power_uw;
	}
	return sum_uw / (unsigned)n;
}

static const char *error_word(const struct es_twin_meter *meter)
{
	if (meter->is_loading)
		return "loading";
	return meter->is_gone ? "gone" : meter->error ? "unreadable" : "none";
}

static void show_identity(const struct es_twin_file *file, struct es_buf *out)
{
	const struct es_twin_host *host = file->host;
	const struct es_twin_gpu *gpu = &host->kind->gpu;
	char address[ES_TWIN_ADDRESS_BYTES], uuid[48];

	es_twin_gpu_address(host->kind, file->a, address);
	uuid_of(host, file->a, uuid);
	es_buf_printf(out,
		      "vendor %s\nname %s\nuuid GPU-%s\nnumber %016" PRIx64
		      "\nbus %s\nvendor_id %04x\ndevice_id %04x\narchitecture %u\nis_ga100 %d\n",
		      gpu->vendor, gpu->name, uuid, es_twin_gpu_number(host, file->a), address,
		      gpu->vendor_id, gpu->device_id, gpu->architecture, is_ga100(gpu));
	es_buf_printf(out,
		      "is_passive %d\nmin_mhz %u\ntop_mhz %u\nstep_mhz %u\nmemory_top_mhz %u\n",
		      gpu->class >> 8 != CLASS_VGA, gpu->min_mhz, gpu->top_mhz, gpu->step_mhz,
		      gpu->memory_mhz);
	es_buf_printf(out,
		      "limit_min_mw %u\nlimit_max_mw %u\nlimit_default_mw %u\nhottest_mc %" PRId64
		      "\nmemory_bytes %" PRIu64 "\nn_instances %u\nslices %u\n",
		      gpu->limit_min_w * 1000, gpu->limit_max_w * 1000, gpu->limit_w * 1000,
		      gpu->hottest_mc, gpu->memory_bytes, gpu->n_instances, gpu->instance_slices);
}

/* What its meter shows. The chips of one device beside the first show no power: aldebaran_ppt.c of the kernel. */
static void show_meter(const struct es_twin_file *file, int64_t t_ns, struct es_buf *out)
{
	const struct es_twin_host *host = file->host;
	const struct es_twin_meter *meter = file->data;
	struct es_twin_meter seen = *meter, module = *meter;
	int64_t at_ns = es_twin_meter_time_ns(meter, t_ns);
	int64_t wall_ns = es_clock_unix_ns() - t_ns + host->wall_step_ns;
	bool is_mean = is_nvidia(host->kind) && tells_mean(&host->kind->gpu);
	uint64_t raw = 0;

	seen.is_gone = false;
	seen.error = 0;
	(void)es_twin_meter_raw(&seen, host->node, t_ns, &raw);
	es_buf_printf(out,
		      "error %s\nloads %u\ndelay_ms %u\nt_ns %" PRId64 "\nvalue_ns %" PRId64
		      "\nwall_us %" PRId64 "\nvalue_wall_us %" PRId64 "\nis_primary %d\n",
		      error_word(meter), meter->n_loads,
		      meter->is_slow ? (unsigned)(ES_TWIN_SLOW_NS / ES_NS_PER_MS) : 0, t_ns, at_ns,
		      (wall_ns + t_ns) / 1000, (wall_ns + at_ns) / 1000, file->b == 0);
	if (file->b > 0) {
		es_buf_printf(out, "energy 0\npower_mw 0\ninstant_mw 0\n");
		return;
	}
	es_buf_printf(out,
		      "energy %" PRIu64 "\npower_mw %" PRIu64 "\ninstant_mw %" PRIu64
		      "\nhas_mean %d\n",
		      raw, power_of(meter, host->node, t_ns, is_mean) / 1000,
		      power_of(meter, host->node, t_ns, false) / 1000, is_mean);
	if (meter->i >= es_twin_n(host->node, ES_TWIN_MODULE))
		return;
	/* As old as the GPU's; what that got stuck at is not this one's. */
	module.part = ES_TWIN_MODULE;
	module.is_stuck = false;
	es_buf_printf(out, "module_mw %" PRIu64 "\nmodule_instant_mw %" PRIu64 "\n",
		      power_of(&module, host->node, at_ns, true) / 1000,
		      power_of(&module, host->node, at_ns, false) / 1000);
}

static int show_gpu(const struct es_twin_file *file, void *handle, int64_t t_ns, struct es_buf *out)
{
	struct es_twin_gpu_state state;

	(void)handle;
	es_twin_gpu_state(file->host->node, es_twin_gpu_of(file->host->kind, file->a, NULL),
			  &state);
	show_identity(file, out);
	show_meter(file, t_ns, out);
	es_buf_printf(out,
		      "clock_mhz %u\nmemory_mhz %u\nbusy_ppm %u\nmemory_busy_ppm %u\n"
		      "temperature_mc %" PRId64 "\nmemory_temperature_mc %" PRId64
		      "\nfan_percent %u\n",
		      state.clock_mhz, state.memory_mhz, state.busy_ppm, state.memory_busy_ppm,
		      state.temperature_mc, state.memory_temperature_mc, state.fan_percent);
	es_buf_printf(out,
		      "limit_mw %" PRIu64 "\nlock_min_mhz %u\nlock_max_mhz %u\nis_idle %d\n"
		      "is_by_power %d\nis_by_heat %d\nis_by_clock %d\npower_limited_ns %" PRId64
		      "\nheat_limited_ns %" PRId64 "\n",
		      state.limit_mw, state.lock_min_mhz, state.lock_max_mhz, state.is_idle,
		      state.is_by_power, state.is_by_heat, state.is_by_clock, state.power_ns,
		      state.heat_ns);
	es_buf_printf(out, "busy_ns %" PRId64 "\nmemory_busy_ns %" PRId64 "\n", state.busy_ns,
		      state.memory_busy_ns);
	for (unsigned i = 0; i < file->host->kind->gpu.n_instances && i < ES_TWIN_INSTANCES_MAX;
	     i++)
		es_buf_printf(out, "instance_%u_busy_ppm %u\n", i, state.instance_busy_ppm[i]);
	return out->error;
}

static const char *skip_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	return strncmp(text, word, n) == 0 && text[n] == ' ' ? text + n + 1 : NULL;
}

/* A whole number, at most 2^32 - 1; what comes behind it, or NULL. */
static const char *take_number(const char *text, uint64_t *ret)
{
	char *end;

	if (!text || *text < '0' || *text > '9')
		return NULL;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	return errno || *ret > UINT32_MAX ? NULL : end;
}

static int store_gpu(const struct es_twin_file *file, void *handle, int64_t t_ns, const char *text)
{
	const struct es_twin_meter *meter = file->data;
	unsigned gpu = es_twin_gpu_of(file->host->kind, file->a, NULL);
	const char *rest = skip_word(text, "power_limit_mw");
	uint64_t a = 0, b = 0;

	(void)handle;
	(void)t_ns;
	if (meter->is_gone)
		return -ENODEV;
	if (meter->error)
		return meter->error;
	/* The limit of all chips is set through the first one. */
	if (rest) {
		rest = take_number(rest, &a);
		return rest && *rest == '\0' && file->b == 0
			       ? es_twin_set_gpu_limit(file->host->node, gpu, a)
			       : -EINVAL;
	}
	rest = take_number(skip_word(text, "lock_mhz"), &a);
	rest = rest && *rest == ' ' ? take_number(rest + 1, &b) : NULL;
	if (!rest || *rest != '\0')
		return -EINVAL;
	return es_twin_set_gpu_clocks(file->host->node, gpu, (unsigned)a, (unsigned)b);
}

static const struct es_twin_file_ops gpu_ops = { .show = show_gpu, .store = store_gpu };

/* The ring of powers that NVML keeps: wall clock in us, mW; oldest first. */
static int show_samples(const struct es_twin_file *file, void *handle, int64_t t_ns,
			struct es_buf *out)
{
	const struct es_twin_meter *meter = file->data;
	int64_t wall_ns = es_clock_unix_ns() - t_ns + file->host->wall_step_ns;
	int64_t at_ns = es_twin_meter_time_ns(meter, t_ns);
	int64_t first_ns = es_twin_history_ns(file->host->node, 0);

	(void)handle;
	for (int i = ES_TWIN_GPU_SAMPLES_MAX - 1; i >= 0; i--) {
		int64_t then_ns = at_ns - i * meter->update_ns;

		if (then_ns - meter->update_ns < first_ns)
			continue;
		es_buf_printf(out, "%" PRId64 " %" PRIu64 "\n", (wall_ns + then_ns) / 1000,
			      power_of(meter, file->host->node, then_ns, false) / 1000);
	}
	return out->error;
}

static const struct es_twin_file_ops samples_ops = { .show = show_samples };

static void put_on_bus(struct es_twin_host *host, unsigned device)
{
	const struct es_twin_kind *kind = host->kind;
	const struct es_twin_gpu *gpu = &kind->gpu;
	struct es_twin_tree *tree = host->tree;
	const char *driver = is_nvidia(kind) ? "nvidia" : "amdgpu";
	char folder[ES_TWIN_DEVICE_BYTES], path[64], address[ES_TWIN_ADDRESS_BYTES];
	unsigned package = es_twin_gpu_of(kind, device, NULL) * kind->n_packages / kind->n_gpus;

	es_twin_gpu_address(kind, device, address);
	es_twin_gpu_folder(kind, device, folder);
	es_twin_put_text(tree, 0444, folder, "vendor", "0x%04x\n", gpu->vendor_id);
	es_twin_put_text(tree, 0444, folder, "device", "0x%04x\n", gpu->device_id);
	es_twin_put_text(tree, 0444, folder, "class", "0x%06x\n", gpu->class);
	es_twin_put_text(tree, 0644, folder, "numa_node", "%u\n", package);
	if (gpu->class >> 8 == CLASS_VGA)
		es_twin_put_text(tree, 0444, folder, "boot_vga", "0\n");
	/* Held awake by its driver. */
	es_twin_put_text(tree, 0444, folder, "power/runtime_status", "active\n");
	es_twin_put_text(tree, 0644, folder, "power/control", "on\n");
	es_twin_put_text(tree, 0644, folder, "uevent",
			 "DRIVER=%s\nPCI_CLASS=%X\nPCI_ID=%04X:%04X\nPCI_SLOT_NAME=%s\n", driver,
			 gpu->class, gpu->vendor_id, gpu->device_id, address);
	(void)snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s", driver);
	es_twin_tree_dir(tree, path);
	es_twin_put_link(tree, folder, "driver", path);
	es_twin_put_link(tree, folder, "subsystem", "sys/bus/pci");
	(void)snprintf(path, sizeof(path), "sys/bus/pci/devices/%s", address);
	es_twin_tree_link(tree, path, folder);
}

static void put_nvidia_driver(struct es_twin_host *host)
{
	es_twin_tree_text(
		host->tree, 0444, "proc/driver/nvidia/version",
		"NVRM version: NVIDIA UNIX x86_64 Kernel Module  " ES_TWIN_NVIDIA_DRIVER
		"  Fri May 31 09:35:42 UTC 2024\nGCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n");
	es_twin_tree_text(host->tree, 0444, "sys/module/nvidia/version",
			  ES_TWIN_NVIDIA_DRIVER "\n");
	es_twin_tree_text(host->tree, 0666, "dev/nvidiactl", "%s", "");
	for (unsigned i = 0; i < host->kind->n_gpus; i++) {
		char address[ES_TWIN_ADDRESS_BYTES], uuid[48], path[96];

		es_twin_gpu_address(host->kind, i, address);
		uuid_of(host, i, uuid);
		(void)snprintf(path, sizeof(path), "proc/driver/nvidia/gpus/%s/information",
			       address);
		es_twin_tree_text(host->tree, 0444, path,
				  "Model: \t\t %s\nIRQ:   \t\t %u\nGPU UUID: \t GPU-%s\n"
				  "Video BIOS: \t 92.00.45.00.03\nBus Type: \t PCIe\n"
				  "DMA Size: \t 47 bits\nDMA Mask: \t 0x7fffffffffff\n"
				  "Bus Location: \t %s\nDevice Minor: \t %u\nGPU Excluded:\t No\n",
				  host->kind->gpu.name, 100 + i, uuid, address, i);
		(void)snprintf(path, sizeof(path), "dev/nvidia%u", i);
		es_twin_tree_text(host->tree, 0666, path, "%s", "");
	}
}

/* Where this installation has the look-alike; without it a source says that the tree has no such library. */
static void put_library(struct es_twin_host *host, const char *file, const char *const *names)
{
	char real[ES_PATH_MAX_BYTES], path[160];

	if (host->folder[0] == '\0' ||
	    snprintf(real, sizeof(real), "%s/%s", host->folder, file) >= (int)sizeof(real) ||
	    access(real, R_OK) < 0)
		return;
	for (; *names; names++) {
		(void)snprintf(path, sizeof(path), ES_TWIN_LIB_FOLDER "/%s", *names);
		es_twin_tree_real(host->tree, 0755, path, real);
	}
}

static void put_texts(struct es_twin_host *host, unsigned device)
{
	const struct es_twin_kind *kind = host->kind;
	bool has_nvml = kind->meters.has_nvml;
	struct es_twin_meter *meter =
		es_twin_host_meter(host, "%s/gpu-%u", has_nvml ? "nvml" : "rocm", device);
	struct es_twin_file file = { .a = device, .data = meter };
	char path[64];

	if (!meter) {
		es_twin_tree_fail(host->tree, ES_TWIN_GPU_TEXTS, -E2BIG);
		return;
	}
	(void)es_twin_gpu_of(kind, device, &file.b);
	if (has_nvml)
		fill_nvidia(host, device, meter);
	else
		es_twin_amd_meter(host, device, meter);
	/* Faults of the meter are the library's to tell, each in its own words: the files stay. */
	(void)snprintf(path, sizeof(path), ES_TWIN_GPU_TEXTS "/%u", device);
	es_twin_tree_file(host->tree, 0644, path, &gpu_ops, &file);
	(void)snprintf(path, sizeof(path), ES_TWIN_GPU_SAMPLES "/%u", device);
	if (has_nvml)
		es_twin_tree_file(host->tree, 0444, path, &samples_ops, &file);
	if (has_nvml)
		es_twin_put_processes(host, device);
}

void es_twin_make_gpus(struct es_twin_host *host)
{
	static const char *const nvml[] = { "libnvidia-ml.so.1", "libnvidia-ml.so", NULL };
	static const char *const rocm[] = { "librocm_smi64.so.7", "librocm_smi64.so", NULL };
	const struct es_twin_meters *has = &host->kind->meters;
	unsigned n = es_twin_n_devices(host->kind);

	for (unsigned i = 0; i < n; i++)
		put_on_bus(host, i);
	if (n && is_nvidia(host->kind))
		put_nvidia_driver(host);
	for (unsigned i = 0; i < n && (has->has_nvml || has->has_rocm); i++)
		put_texts(host, i);
	if (n && has->has_nvml)
		put_library(host, ES_TWIN_NVML_FILE, nvml);
	else if (n && has->has_rocm)
		put_library(host, ES_TWIN_ROCM_FILE, rocm);
}
