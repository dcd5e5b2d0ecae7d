/*
 * tree_amdgpu.c - what the driver amdgpu shows of the GPUs of a simulated node
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * As of MI250X (aldebaran_ppt.c of the kernel): of the chips on a device only the first one shows energy and power, those of
 * the whole device, and takes a limit; the others show 0.
 */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "twin/gpus.h"
#include "twin/sysfs.h"

#define TICK_NS 10 /* of the firmware's clock */
#define CRITICAL_MC \
	110000 /* where the hardware turns itself off, at least: beyond the throttling point */

/** struct metrics - struct gpu_metrics_v1_3 of the kernel (kgd_pp_interface.h), little endian */
struct metrics {
	uint16_t size;
	uint8_t format, content;
	uint16_t temp_edge, temp_hotspot, temp_mem, temp_vrgfx, temp_vrsoc, temp_vrmem;
	uint16_t gfx_activity, umc_activity, mm_activity;
	uint16_t socket_power; /* W */
	uint64_t energy;
	uint64_t clock_ns; /* boot clock */
	uint16_t mean_gfxclk, mean_socclk, mean_uclk, mean_vclk0, mean_dclk0, mean_vclk1,
		mean_dclk1;
	uint16_t gfxclk, socclk, uclk, vclk0, dclk0, vclk1, dclk1;
	uint32_t throttle;
	uint16_t fan, pcie_width, pcie_speed, padding;
	uint32_t gfx_activity_acc, mem_activity_acc;
	uint16_t temp_hbm[4];
	uint64_t firmware_ticks;
	uint16_t voltage_soc, voltage_gfx, voltage_mem, padding1;
	uint64_t indep_throttle;
};
_Static_assert(sizeof(struct metrics) == 120, "as the kernel's");

/* SMU_THROTTLER_PPT0_BIT and …_TEMP_HOTSPOT_BIT of amdgpu_smu.h */
#define THROTTLED_BY_POWER (UINT64_C(1) << 0)
#define THROTTLED_BY_HEAT (UINT64_C(1) << 36)

static unsigned gpu_of(const struct es_twin_file *file)
{
	return es_twin_gpu_of(file->host->kind, file->a, NULL);
}

static bool is_primary(const struct es_twin_file *file)
{
	unsigned chip;

	(void)es_twin_gpu_of(file->host->kind, file->a, &chip);
	return chip == 0;
}

static void state_of(const struct es_twin_file *file, struct es_twin_gpu_state *ret)
{
	es_twin_gpu_state(file->host->node, gpu_of(file), ret);
}

static uint16_t degrees(int64_t temperature_mc)
{
	return htole16((uint16_t)(temperature_mc > 0 ? temperature_mc / 1000 : 0));
}

static int fill_metrics(const struct es_twin_file *file, int64_t t_ns, struct metrics *ret)
{
	struct es_twin_gpu_state state;
	uint64_t raw = 0, power_uw = 0;
	int r = 0;

	state_of(file, &state);
	/* What a chip does not have is all ones. */
	memset(ret, 0xff, sizeof(*ret));
	if (is_primary(file)) {
		r = es_twin_meter_raw(file->meter, file->host->node, t_ns, &raw);
		if (r == 0)
			r = es_twin_meter_power_uw(file->meter, file->host->node, t_ns, &power_uw);
	}
	ret->size = htole16(sizeof(*ret));
	ret->format = 1;
	ret->content = 3;
	ret->temp_edge = degrees(state.temperature_mc - 5000);
	ret->temp_hotspot = degrees(state.temperature_mc);
	ret->temp_mem = degrees(state.memory_temperature_mc);
	ret->temp_vrgfx = ret->temp_vrsoc = ret->temp_vrmem = ret->temp_edge;
	for (size_t i = 0; i < 4; i++)
		ret->temp_hbm[i] = ret->temp_mem;
	ret->gfx_activity = htole16((uint16_t)(state.busy_ppm / 10000));
	ret->umc_activity = htole16((uint16_t)(state.memory_busy_ppm / 10000));
	ret->mm_activity = 0;
	ret->socket_power = htole16((uint16_t)(power_uw / 1000000));
	ret->energy = htole64(raw);
	ret->clock_ns = htole64((uint64_t)t_ns);
	ret->mean_gfxclk = ret->gfxclk = htole16((uint16_t)state.clock_mhz);
	ret->mean_uclk = ret->uclk = htole16((uint16_t)state.memory_mhz);
	ret->mean_socclk = ret->socclk = htole16(1090);
	ret->throttle = htole32(state.is_by_power ? 1 : 0);
	ret->fan = 0;
	ret->pcie_width = htole16(16);
	ret->pcie_speed = htole16(160);
	ret->firmware_ticks = htole64((uint64_t)es_twin_meter_time_ns(file->meter, t_ns) / TICK_NS);
	ret->indep_throttle = htole64((state.is_by_power ? THROTTLED_BY_POWER : 0) |
				      (state.is_by_heat ? THROTTLED_BY_HEAT : 0));
	return r;
}

static ssize_t read_metrics(const struct es_twin_file *file, int64_t t_ns, off_t at, void *data,
			    size_t n)
{
	struct metrics metrics;
	int r;

	if (at < 0)
		return -EINVAL;
	if ((size_t)at >= sizeof(metrics))
		return 0;
	r = fill_metrics(file, t_ns, &metrics);
	if (r < 0)
		return r;
	n = n < sizeof(metrics) - (size_t)at ? n : sizeof(metrics) - (size_t)at;
	memcpy(data, (const char *)&metrics + at, n);
	return (ssize_t)n;
}

/* A number of what the GPU does now; @b says which. */
enum number {
	POWER_UW,
	CAP_UW,
	CAP_MIN_UW,
	CAP_MAX_UW,
	CAP_DEFAULT_UW,
	EDGE_MC,
	HOTSPOT_MC,
	MEMORY_MC,
	CLOCK_HZ,
	MEMORY_HZ,
	BUSY_PERCENT,
	MEMORY_BUSY_PERCENT,
};

static int number_of(const struct es_twin_file *file, int64_t t_ns, uint64_t *ret)
{
	const struct es_twin_gpu *gpu = &file->host->kind->gpu;
	bool has_power = is_primary(file);
	struct es_twin_gpu_state state;
	uint64_t v = 0;
	int r = 0;

	state_of(file, &state);
	switch ((enum number)file->b) {
	case POWER_UW:
		if (has_power)
			r = es_twin_meter_power_uw(file->meter, file->host->node, t_ns, &v);
		break;
	case CAP_UW:
		v = has_power ? state.limit_mw * 1000 : 0;
		break;
	case CAP_DEFAULT_UW:
		v = has_power ? gpu->limit_w * UINT64_C(1000000) : 0;
		break;
	case CAP_MIN_UW:
		v = gpu->limit_min_w * UINT64_C(1000000);
		break;
	case CAP_MAX_UW:
		v = gpu->limit_max_w * UINT64_C(1000000);
		break;
	case EDGE_MC:
		v = (uint64_t)(state.temperature_mc > 5000 ? state.temperature_mc - 5000 : 0) /
		    1000 * 1000;
		break;
	case HOTSPOT_MC:
		v = (uint64_t)(state.temperature_mc > 0 ? state.temperature_mc : 0) / 1000 * 1000;
		break;
	case MEMORY_MC:
		v = (uint64_t)(state.memory_temperature_mc > 0 ? state.memory_temperature_mc : 0) /
		    1000 * 1000;
		break;
	case CLOCK_HZ:
		v = state.clock_mhz * UINT64_C(1000000);
		break;
	case MEMORY_HZ:
		v = state.memory_mhz * UINT64_C(1000000);
		break;
	case BUSY_PERCENT:
		v = state.busy_ppm / 10000;
		break;
	case MEMORY_BUSY_PERCENT:
		v = state.memory_busy_ppm / 10000;
		break;
	}
	*ret = v;
	return r;
}

static int show_number(const struct es_twin_file *file, void *handle, int64_t t_ns,
		       struct es_buf *out)
{
	uint64_t v = 0;
	int r = number_of(file, t_ns, &v);

	(void)handle;
	return r < 0 ? r : es_buf_printf(out, "%" PRIu64 "\n", v);
}

/* amdgpu_hwmon_set_power_cap(): whole watts of what fits into 32 bits; 0 is the limit that is in force. */
static int store_cap(const struct es_twin_file *file, void *handle, int64_t t_ns, const char *text)
{
	uint64_t uw = 0;
	int r = es_twin_kstrtou64(text, 10, UINT32_MAX, &uw);

	(void)handle;
	(void)t_ns;
	if (r < 0 || !is_primary(file))
		return r < 0 ? r : -EINVAL;
	return uw < 1000000
		       ? 0
		       : es_twin_set_gpu_limit(file->host->node, gpu_of(file), uw / 1000000 * 1000);
}

/* aldebaran_print_clk_levels(): the lowest and the highest, and between them what it is now. */
static int show_sclk(const struct es_twin_file *file, void *handle, int64_t t_ns,
		     struct es_buf *out)
{
	const struct es_twin_gpu *gpu = &file->host->kind->gpu;
	struct es_twin_gpu_state state;

	(void)handle;
	(void)t_ns;
	state_of(file, &state);
	if (state.clock_mhz > gpu->min_mhz && state.clock_mhz < gpu->top_mhz)
		return es_buf_printf(out, "0: %uMhz \n1: %uMhz *\n2: %uMhz \n", gpu->min_mhz,
				     state.clock_mhz, gpu->top_mhz);
	return es_buf_printf(out, "0: %uMhz %s\n1: %uMhz %s\n", gpu->min_mhz,
			     state.clock_mhz <= gpu->min_mhz ? "*" : "", gpu->top_mhz,
			     state.clock_mhz >= gpu->top_mhz ? "*" : "");
}

static int show_mclk(const struct es_twin_file *file, void *handle, int64_t t_ns,
		     struct es_buf *out)
{
	const struct es_twin_gpu *gpu = &file->host->kind->gpu;
	struct es_twin_gpu_state state;
	bool is_low;

	(void)handle;
	(void)t_ns;
	state_of(file, &state);
	is_low = state.memory_mhz < gpu->memory_mhz;
	return es_buf_printf(out, "0: %uMhz %s\n1: %uMhz %s\n", gpu->memory_idle_mhz,
			     is_low ? "*" : "", gpu->memory_mhz, is_low ? "" : "*");
}

static const char *level_of(const struct es_twin_gpu *gpu, const struct es_twin_gpu_state *state)
{
	if (state->lock_max_mhz == 0)
		return "auto";
	if (state->lock_min_mhz != state->lock_max_mhz)
		return "manual";
	return state->lock_max_mhz == gpu->min_mhz   ? "low"
	       : state->lock_max_mhz == gpu->top_mhz ? "high"
						     : "manual";
}

static int show_level(const struct es_twin_file *file, void *handle, int64_t t_ns,
		      struct es_buf *out)
{
	struct es_twin_gpu_state state;

	(void)handle;
	(void)t_ns;
	state_of(file, &state);
	return es_buf_printf(out, "%s\n", level_of(&file->host->kind->gpu, &state));
}

static int store_level(const struct es_twin_file *file, void *handle, int64_t t_ns,
		       const char *text)
{
	const struct es_twin_gpu *gpu = &file->host->kind->gpu;
	struct es_twin_node *node = file->host->node;

	(void)handle;
	(void)t_ns;
	if (strcmp(text, "auto") == 0)
		return es_twin_set_gpu_clocks(node, gpu_of(file), 0, 0);
	if (strcmp(text, "low") == 0)
		return es_twin_set_gpu_clocks(node, gpu_of(file), gpu->min_mhz, gpu->min_mhz);
	if (strcmp(text, "high") == 0)
		return es_twin_set_gpu_clocks(node, gpu_of(file), gpu->top_mhz, gpu->top_mhz);
	/* By hand: the whole range, until it is made smaller. */
	if (strcmp(text, "manual") == 0 || strcmp(text, "perf_determinism") == 0)
		return es_twin_set_gpu_clocks(node, gpu_of(file), gpu->min_mhz, gpu->top_mhz);
	return -EINVAL;
}

/* pp_od_clk_voltage in manual mode: "s 1 1200" is the highest clock, "s 0 600" the lowest, "r" both as delivered; "c" was needed once. */
static int store_clocks(const struct es_twin_file *file, void *handle, int64_t t_ns,
			const char *text)
{
	const struct es_twin_gpu *gpu = &file->host->kind->gpu;
	struct es_twin_gpu_state state;
	unsigned which, mhz;
	int n = 0;

	(void)handle;
	(void)t_ns;
	state_of(file, &state);
	if (strcmp(level_of(gpu, &state), "manual") != 0)
		return -EINVAL;
	if (strcmp(text, "c") == 0)
		return 0;
	if (strcmp(text, "r") == 0)
		return es_twin_set_gpu_clocks(file->host->node, gpu_of(file), gpu->min_mhz,
					      gpu->top_mhz);
	if (strlen(text) > 15 || sscanf(text, "s %1u %5u%n", &which, &mhz, &n) != 2 ||
	    text[n] != '\0' || which > 1 || mhz < gpu->min_mhz || mhz > gpu->top_mhz)
		return -EINVAL;
	if (which == 0)
		return mhz < state.lock_max_mhz
			       ? es_twin_set_gpu_clocks(file->host->node, gpu_of(file), mhz,
							state.lock_max_mhz)
			       : -EINVAL;
	return mhz > state.lock_min_mhz ? es_twin_set_gpu_clocks(file->host->node, gpu_of(file),
								 state.lock_min_mhz, mhz)
					: -EINVAL;
}

static int show_clocks(const struct es_twin_file *file, void *handle, int64_t t_ns,
		       struct es_buf *out)
{
	const struct es_twin_gpu *gpu = &file->host->kind->gpu;
	struct es_twin_gpu_state state;

	(void)handle;
	(void)t_ns;
	state_of(file, &state);
	return es_buf_printf(out, "GFXCLK:\n0: %uMhz\n1: %uMhz\n",
			     state.lock_max_mhz ? state.lock_min_mhz : gpu->min_mhz,
			     state.lock_max_mhz ? state.lock_max_mhz : gpu->top_mhz);
}

static const struct es_twin_file_ops metrics_ops = { .read_at = read_metrics };
static const struct es_twin_file_ops number_ops = { .show = show_number };
static const struct es_twin_file_ops cap_ops = { .show = show_number, .store = store_cap };
static const struct es_twin_file_ops sclk_ops = { .show = show_sclk };
static const struct es_twin_file_ops mclk_ops = { .show = show_mclk };
static const struct es_twin_file_ops level_ops = { .show = show_level, .store = store_level };
static const struct es_twin_file_ops clocks_ops = { .show = show_clocks, .store = store_clocks };

static void put_hwmon(struct es_twin_host *host, const char *device,
		      const struct es_twin_file *given)
{
	static const struct {
		const char *name;
		enum number number;
	} numbers[] = {
		{ "power1_average", POWER_UW },	  { "power1_cap_min", CAP_MIN_UW },
		{ "power1_cap_max", CAP_MAX_UW }, { "power1_cap_default", CAP_DEFAULT_UW },
		{ "temp1_input", EDGE_MC },	  { "temp2_input", HOTSPOT_MC },
		{ "temp3_input", MEMORY_MC },	  { "freq1_input", CLOCK_HZ },
		{ "freq2_input", MEMORY_HZ },
	};
	static const char *const texts[][2] = {
		{ "power1_label", "PPT" }, { "temp1_label", "edge" }, { "temp2_label", "junction" },
		{ "temp3_label", "mem" },  { "freq1_label", "sclk" }, { "freq2_label", "mclk" },
	};
	struct es_twin_file file = *given;
	char folder[ES_TWIN_SYSFS_PATH_BYTES];

	es_twin_put_hwmon(host->tree, device, "amdgpu", folder);
	for (size_t j = 0; j < ES_ARRAY_SIZE(texts); j++)
		es_twin_put_text(host->tree, 0444, folder, texts[j][0], "%s\n", texts[j][1]);
	for (size_t j = 0; j < ES_ARRAY_SIZE(numbers); j++) {
		file.b = numbers[j].number;
		es_twin_put_file(host->tree, 0444, folder, numbers[j].name, &number_ops, &file);
	}
	file.b = CAP_UW;
	es_twin_put_file(host->tree, 0644, folder, "power1_cap", &cap_ops, &file);
	es_twin_put_text(host->tree, 0444, folder, "temp2_crit", "%" PRId64 "\n",
			 host->kind->gpu.hottest_mc);
	es_twin_put_text(host->tree, 0444, folder, "temp2_emergency", "%d\n", CRITICAL_MC);
}

/* The nodes that programs open: card and render, each with its device beside it. */
static void put_drm(struct es_twin_host *host, const char *device, const char *name,
		    unsigned number)
{
	char folder[128], path[64];

	(void)snprintf(folder, sizeof(folder), "%s/drm/%s%u", device, name, number);
	es_twin_put_link(host->tree, folder, "device", device);
	es_twin_make_device(host->tree, folder, "sys/class/drm");
	(void)snprintf(path, sizeof(path), "sys/class/drm/%s%u", name, number);
	es_twin_tree_link(host->tree, path, folder);
	(void)snprintf(path, sizeof(path), "dev/dri/%s%u", name, number);
	es_twin_tree_text(host->tree, 0666, path, "%s", "");
}

static void put_gpu(struct es_twin_host *host, unsigned device)
{
	struct es_twin_tree *tree = host->tree;
	struct es_twin_file file = { .a = device };
	char folder[ES_TWIN_DEVICE_BYTES];

	es_twin_gpu_folder(host->kind, device, folder);
	file.meter = es_twin_host_meter(host, "amdgpu/gpu-%u", device);
	if (!file.meter) {
		es_twin_tree_fail(tree, folder, -E2BIG);
		return;
	}
	es_twin_amd_meter(host, device, file.meter);
	es_twin_put_file(tree, 0444, folder, "gpu_metrics", &metrics_ops, &file);
	put_hwmon(host, folder, &file);
	file.b = BUSY_PERCENT;
	es_twin_put_file(tree, 0444, folder, "gpu_busy_percent", &number_ops, &file);
	file.b = MEMORY_BUSY_PERCENT;
	es_twin_put_file(tree, 0444, folder, "mem_busy_percent", &number_ops, &file);
	es_twin_put_file(tree, 0644, folder, "pp_dpm_sclk", &sclk_ops, &file);
	es_twin_put_file(tree, 0644, folder, "pp_dpm_mclk", &mclk_ops, &file);
	es_twin_put_file(tree, 0644, folder, "power_dpm_force_performance_level", &level_ops,
			 &file);
	es_twin_put_file(tree, 0644, folder, "pp_od_clk_voltage", &clocks_ops, &file);
	es_twin_put_text(tree, 0444, folder, "unique_id", "%016" PRIx64 "\n",
			 es_twin_gpu_number(host, device));
	put_drm(host, folder, "card", device);
	put_drm(host, folder, "renderD", 128 + device);
}

void es_twin_make_amdgpu(struct es_twin_host *host)
{
	unsigned n = es_twin_n_devices(host->kind);

	for (unsigned i = 0; host->kind->meters.has_amdgpu && i < n; i++)
		put_gpu(host, i);
}
