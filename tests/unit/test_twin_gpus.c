/*
 * test_twin_gpus.c - GPUs of a simulated node: their places on the bus, their meters, their knobs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/amdgpu_metrics.h"
#include "support/test.h"
#include "twin/gpus.h"

#define MS INT64_C(1000000)
#define S INT64_C(1000000000)
#define START_NS (1000 * S)
#define FJ_PER_MJ UINT64_C(1000000000000)
#define FJ_PER_UJ UINT64_C(1000000000)

/** struct fixture - a node of a kind that is the test's own */
struct fixture {
	struct es_twin_kind kind;
	struct es_twin_host *host;
	struct es_buf out;
	int load;
};

static void make_node(struct fixture *f)
{
	const struct es_twin_options options = { .is_quiet = true, .start_ns = START_NS };
	struct es_error err = { .code = 0 };

	es_buf_init(&f->out, 65536);
	f->load = -1;
	if (es_twin_host_create(&f->kind, &options, "node01", "", &f->host, &err) < 0)
		fail_msg("%s", err.text);
}

/* Four A100; @is_hopper: chips whose driver tells means. */
static void nvidia(struct fixture *f, bool is_hopper)
{
	f->kind = *es_twin_kind_find("genoa2s-a100x4", NULL);
	if (is_hopper) {
		f->kind.gpu.architecture = 9;
		f->kind.gpu.device_id = 0x2330;
	}
	make_node(f);
}

/* The same node with two devices of two chips, as MI250X. */
static void amd(struct fixture *f)
{
	f->kind = *es_twin_kind_find("genoa2s-a100x4", NULL);
	f->kind.n_gpus = 2;
	f->kind.gpu.vendor = "amd";
	f->kind.gpu.vendor_id = 0x1002;
	f->kind.gpu.device_id = 0x740c;
	f->kind.gpu.class = 0x038000;
	f->kind.gpu.n_chips = 2;
	f->kind.meters.has_nvml = false;
	f->kind.meters.has_amdgpu = true;
	f->kind.meters.has_rocm = true;
	make_node(f);
}

static void finish(struct fixture *f)
{
	es_buf_finish(&f->out);
	es_twin_host_destroy(f->host);
}

static void run(struct fixture *f, const char *text)
{
	struct es_twin_program program;
	struct es_error err = { .code = 0 };

	if (es_twin_program_parse(text, strlen(text), &program, &err) < 0)
		fail_msg("%s", err.text);
	f->load = es_twin_load_begin(f->host->node, &program, &err);
	es_twin_program_finish(&program);
	assert_true(f->load >= 0);
}

static const struct es_twin_entry *find(const struct fixture *f, const char *path)
{
	const struct es_twin_entry *entry = es_twin_tree_find(f->host->tree, path);

	if (!entry)
		fail_msg("no '%s'", path);
	return entry;
}

static const char *show(struct fixture *f, const char *path, int64_t t_ns)
{
	const struct es_twin_entry *entry = find(f, path);
	int r;

	es_twin_advance(f->host->node, t_ns);
	es_buf_reset(&f->out);
	r = es_twin_entry_ops(entry)->show(es_twin_entry_file(entry), NULL, t_ns, &f->out);
	if (r < 0)
		fail_msg("'%s': %d", path, r);
	assert_int_equal(es_buf_u8(&f->out, 0), 0);
	return (const char *)f->out.data;
}

static int store(const struct fixture *f, const char *path, const char *text)
{
	const struct es_twin_entry *entry = find(f, path);

	return es_twin_entry_ops(entry)->store(es_twin_entry_file(entry), NULL,
					       es_twin_now_ns(f->host->node), text);
}

/* The number behind "KEY " in the text of a GPU. */
static uint64_t told(struct fixture *f, unsigned gpu, const char *key, int64_t t_ns)
{
	char path[64], line[64];
	const char *text, *at;

	(void)snprintf(path, sizeof(path), ES_TWIN_GPU_TEXTS "/%u", gpu);
	(void)snprintf(line, sizeof(line), "\n%s ", key);
	text = show(f, path, t_ns);
	at = strstr(text, line);
	if (!at)
		fail_msg("no '%s' in '%s'", key, text);
	return strtoull(at + strlen(line), NULL, 10);
}

static struct es_twin_meter *meter_of(const struct fixture *f, const char *name)
{
	for (size_t i = 0; i < f->host->n_meters; i++)
		if (strcmp(f->host->meters[i].name, name) == 0)
			return &f->host->meters[i];
	fail_msg("no meter '%s'", name);
	return NULL;
}

static void shows_each_gpu_on_the_bus(void **state)
{
	struct fixture f;

	(void)state;
	nvidia(&f, false);
	assert_string_equal(es_twin_entry_target(find(&f, "sys/bus/pci/devices/0000:47:00.0")),
			    "../../../devices/pci0000:00/0000:47:00.0");
	assert_string_equal(show(&f, "sys/devices/pci0000:00/0000:47:00.0/vendor", START_NS),
			    "0x10de\n");
	assert_string_equal(show(&f, "sys/devices/pci0000:00/0000:47:00.0/device", START_NS),
			    "0x20b2\n");
	assert_string_equal(show(&f, "sys/devices/pci0000:00/0000:47:00.0/class", START_NS),
			    "0x030200\n");
	/* Two of four at each package. */
	assert_string_equal(show(&f, "sys/devices/pci0000:00/0000:0f:00.0/numa_node", START_NS),
			    "0\n");
	assert_string_equal(show(&f, "sys/devices/pci0000:00/0000:47:00.0/numa_node", START_NS),
			    "1\n");
	assert_string_equal(
		es_twin_entry_target(find(&f, "sys/devices/pci0000:00/0000:4e:00.0/driver")),
		"../../../bus/pci/drivers/nvidia");
	assert_int_equal(es_twin_entry_mode(find(&f, "dev/nvidia3")), 0666);
	assert_non_null(
		strstr(show(&f, "proc/driver/nvidia/gpus/0000:4e:00.0/information", START_NS),
		       "Device Minor: \t 3\n"));
	finish(&f);
	f.kind = *es_twin_kind_find("genoa2s-a100x4", NULL);
	f.kind.n_gpus = 0;
	f.kind.meters.has_nvml = false;
	make_node(&f);
	assert_null(es_twin_tree_find(f.host->tree, "sys/bus/pci/drivers/nvidia"));
	assert_null(es_twin_tree_find(f.host->tree, "proc/driver/nvidia"));
	assert_null(es_twin_tree_find(f.host->tree, ES_TWIN_GPU_TEXTS));
	finish(&f);
}

static void puts_each_of_a_superchip_in_a_domain_of_its_own(void **state)
{
	struct fixture f = { .load = -1 };
	char address[ES_TWIN_ADDRESS_BYTES];

	(void)state;
	f.kind = *es_twin_kind_find("genoa2s-a100x4", NULL);
	f.kind.meters.has_grace = true;
	es_twin_gpu_address(&f.kind, 0, address);
	assert_string_equal(address, "0009:01:00.0");
	es_twin_gpu_address(&f.kind, 3, address);
	assert_string_equal(address, "0039:01:00.0");
}

/* The counter is the exact energy of the time that it says, to one mJ. */
static void counts_the_energy_of_the_gpu(void **state)
{
	uint64_t first, last, value_ns;
	es_u128 first_fj, last_fj;
	struct fixture f;

	(void)state;
	nvidia(&f, false);
	run(&f, "burn 30s gpu=80% gpu-memory=20% gpus=2\n");
	first = told(&f, 1, "energy", START_NS + 3 * S);
	assert_true(first > 1000000);
	value_ns = told(&f, 1, "value_ns", START_NS + 3 * S);
	assert_true(value_ns <= START_NS + 3 * S && value_ns > START_NS + 3 * S - 100 * MS);
	first_fj = es_twin_energy_fj(f.host->node, ES_TWIN_GPU, 1, (int64_t)value_ns);
	last = told(&f, 1, "energy", START_NS + 20 * S);
	value_ns = told(&f, 1, "value_ns", START_NS + 20 * S);
	last_fj = es_twin_energy_fj(f.host->node, ES_TWIN_GPU, 1, (int64_t)value_ns);
	assert_in_range(last - first, (uint64_t)((last_fj - first_fj) / FJ_PER_MJ),
			(uint64_t)((last_fj - first_fj) / FJ_PER_MJ) + 1);
	assert_true(last - first > 17 * 200 * 1000);
	finish(&f);
}

static void stands_between_updates(void **state)
{
	uint64_t first, value_ns;
	struct fixture f;

	(void)state;
	nvidia(&f, false);
	run(&f, "burn 30s gpu=100%\n");
	value_ns = told(&f, 0, "value_ns", START_NS + 3 * S) + 100 * (uint64_t)MS;
	first = told(&f, 0, "energy", (int64_t)value_ns);
	assert_int_equal(told(&f, 0, "energy", (int64_t)value_ns + 99 * MS), first);
	assert_true(told(&f, 0, "energy", (int64_t)value_ns + 100 * MS) > first + 20000);
	finish(&f);
}

/* A quarter of each window is seen, and a mean of a second follows a step slowly. */
static void averages_power_as_the_chip_does(void **state)
{
	struct fixture f;
	uint64_t value_ns, seen_uw;
	int64_t t_ns = START_NS + 10 * S + 450 * MS;

	(void)state;
	nvidia(&f, false);
	assert_int_equal(told(&f, 0, "has_mean", START_NS + 10 * S), 0);
	run(&f, "burn 30s gpu=100%\n");
	value_ns = told(&f, 0, "value_ns", t_ns);
	seen_uw =
		es_twin_mean_uw(f.host->node, ES_TWIN_GPU, 0, (int64_t)value_ns - 75 * MS, 25 * MS);
	assert_int_equal(told(&f, 0, "power_mw", t_ns), seen_uw / 1000);
	assert_int_equal(told(&f, 0, "instant_mw", t_ns), seen_uw / 1000);
	finish(&f);
	nvidia(&f, true);
	assert_int_equal(told(&f, 0, "has_mean", START_NS + 10 * S), 1);
	run(&f, "burn 30s gpu=100%\n");
	assert_true(told(&f, 0, "power_mw", t_ns) < told(&f, 0, "instant_mw", t_ns) * 3 / 4);
	t_ns += 3 * S;
	assert_true(told(&f, 0, "power_mw", t_ns) > told(&f, 0, "instant_mw", t_ns) * 9 / 10);
	finish(&f);
}

static void keeps_who_computes_as_it_was_told(void **state)
{
	struct fixture f;

	(void)state;
	nvidia(&f, false);
	assert_string_equal(show(&f, ES_TWIN_GPU_PROCESSES "/0", START_NS), "");
	assert_int_equal(store(&f, ES_TWIN_GPU_PROCESSES "/0", "41 60\n42 0"), 0);
	assert_string_equal(show(&f, ES_TWIN_GPU_PROCESSES "/0", START_NS), "41 60\n42 0\n");
	assert_int_equal(store(&f, ES_TWIN_GPU_PROCESSES "/0", "0 60"), -EINVAL);
	assert_int_equal(store(&f, ES_TWIN_GPU_PROCESSES "/0", "41 101"), -EINVAL);
	assert_int_equal(store(&f, ES_TWIN_GPU_PROCESSES "/0", "41 60 0"), -EINVAL);
	assert_int_equal(store(&f, ES_TWIN_GPU_PROCESSES "/0", "41"), -EINVAL);
	assert_int_equal(store(&f, ES_TWIN_GPU_PROCESSES "/0", "all of them"), -EINVAL);
	assert_string_equal(show(&f, ES_TWIN_GPU_PROCESSES "/0", START_NS), "41 60\n42 0\n");
	assert_int_equal(store(&f, ES_TWIN_GPU_PROCESSES "/0", ""), 0);
	assert_string_equal(show(&f, ES_TWIN_GPU_PROCESSES "/0", START_NS), "");
	finish(&f);
}

static void turns_its_knobs(void **state)
{
	uint64_t before_mw;
	struct fixture f;

	(void)state;
	nvidia(&f, false);
	run(&f, "burn 60s gpu=100%\n");
	before_mw = told(&f, 0, "instant_mw", START_NS + 5 * S);
	assert_true(before_mw > 300000);
	assert_int_equal(told(&f, 0, "limit_mw", START_NS + 5 * S), 400000);
	assert_int_equal(store(&f, ES_TWIN_GPU_TEXTS "/0", "power_limit_mw 99999"), -EINVAL);
	assert_int_equal(store(&f, ES_TWIN_GPU_TEXTS "/0", "power_limit_mw 400001"), -EINVAL);
	assert_int_equal(store(&f, ES_TWIN_GPU_TEXTS "/0", "power_limit_mw 200000x"), -EINVAL);
	assert_int_equal(store(&f, ES_TWIN_GPU_TEXTS "/0", "power_limit_mw"), -EINVAL);
	assert_int_equal(store(&f, ES_TWIN_GPU_TEXTS "/0", "power_limit_mw -1"), -EINVAL);
	assert_int_equal(store(&f, ES_TWIN_GPU_TEXTS "/0", "lock_mhz 600"), -EINVAL);
	assert_int_equal(store(&f, ES_TWIN_GPU_TEXTS "/0", "lock_mhz 600 99999999999"), -EINVAL);
	assert_int_equal(store(&f, ES_TWIN_GPU_TEXTS "/0", ""), -EINVAL);
	assert_int_equal(told(&f, 0, "limit_mw", START_NS + 6 * S), 400000);
	assert_int_equal(store(&f, ES_TWIN_GPU_TEXTS "/0", "power_limit_mw 200000"), 0);
	assert_in_range(told(&f, 0, "instant_mw", START_NS + 16 * S), 150000, 205000);
	assert_int_equal(told(&f, 0, "limit_mw", START_NS + 16 * S), 200000);
	assert_int_equal(told(&f, 0, "is_by_power", START_NS + 16 * S), 1);
	assert_true(told(&f, 0, "power_limited_ns", START_NS + 16 * S) > 5 * (uint64_t)S);
	assert_true(told(&f, 0, "clock_mhz", START_NS + 16 * S) < 1410);
	/* The others go on as they were. */
	assert_int_equal(told(&f, 1, "clock_mhz", START_NS + 16 * S), 1410);
	assert_int_equal(store(&f, ES_TWIN_GPU_TEXTS "/1", "lock_mhz 210 600"), 0);
	assert_int_equal(told(&f, 1, "clock_mhz", START_NS + 17 * S), 600);
	assert_int_equal(store(&f, ES_TWIN_GPU_TEXTS "/1", "lock_mhz 0 0"), 0);
	assert_int_equal(told(&f, 1, "clock_mhz", START_NS + 18 * S), 1410);
	finish(&f);
}

static void tells_its_faults_and_counts_anew_after_a_reload(void **state)
{
	const struct es_twin_node *node;
	struct es_twin_meter *meter;
	struct fixture f;
	int64_t t_ns = START_NS + 5 * S;

	(void)state;
	nvidia(&f, false);
	node = f.host->node;
	meter = meter_of(&f, "nvml/gpu-2");
	assert_true(told(&f, 2, "energy", t_ns) > 1000000);
	assert_non_null(strstr(show(&f, ES_TWIN_GPU_TEXTS "/2", t_ns), "\nerror none\n"));
	es_twin_meter_fault(meter, node, ES_TWIN_FAULT_VANISH, true, t_ns);
	assert_non_null(strstr(show(&f, ES_TWIN_GPU_TEXTS "/2", t_ns), "\nerror gone\n"));
	assert_int_equal(store(&f, ES_TWIN_GPU_TEXTS "/2", "power_limit_mw 200000"), -ENODEV);
	es_twin_meter_fault(meter, node, ES_TWIN_FAULT_VANISH, false, t_ns);
	es_twin_meter_fault(meter, node, ES_TWIN_FAULT_EIO, true, t_ns);
	assert_non_null(strstr(show(&f, ES_TWIN_GPU_TEXTS "/2", t_ns), "\nerror unreadable\n"));
	es_twin_meter_fault(meter, node, ES_TWIN_FAULT_EIO, false, t_ns);
	es_twin_meter_fault(meter, node, ES_TWIN_FAULT_SLOW, true, t_ns);
	assert_int_equal(told(&f, 2, "delay_ms", t_ns), 3000);
	es_twin_meter_fault(meter, node, ES_TWIN_FAULT_SLOW, false, t_ns);
	es_twin_meter_fault(meter, node, ES_TWIN_FAULT_RELOAD, true, t_ns);
	assert_non_null(strstr(show(&f, ES_TWIN_GPU_TEXTS "/2", t_ns), "\nerror loading\n"));
	es_twin_meter_fault(meter, node, ES_TWIN_FAULT_RELOAD, false, t_ns);
	assert_int_equal(told(&f, 2, "loads", t_ns), 1);
	assert_int_equal(told(&f, 2, "energy", t_ns), 0);
	/* One second of an idle GPU: 55 W, in some updates. */
	assert_in_range(told(&f, 2, "energy", t_ns + S), 40000, 70000);
	assert_true(told(&f, 1, "energy", t_ns) > 1000000);
	finish(&f);
}

static void counts_how_long_it_was_busy(void **state)
{
	uint64_t first_ns, last_ns;
	struct fixture f;

	(void)state;
	nvidia(&f, true);
	assert_int_equal(told(&f, 0, "busy_ns", START_NS + 2 * S), 0);
	run(&f, "burn 60s gpu=50% gpu-memory=25% idle=25%\n");
	first_ns = told(&f, 0, "busy_ns", START_NS + 4 * S);
	last_ns = told(&f, 0, "busy_ns", START_NS + 12 * S);
	/* Something runs in three quarters of the time, whatever it is. */
	assert_in_range(last_ns - first_ns, 5900 * MS, 6600 * MS);
	first_ns = told(&f, 0, "memory_busy_ns", START_NS + 12 * S);
	last_ns = told(&f, 0, "memory_busy_ns", START_NS + 20 * S);
	assert_in_range(last_ns - first_ns, 1400 * MS, 2100 * MS);
	finish(&f);
}

static void keeps_the_latest_powers(void **state)
{
	struct fixture f;
	const char *text, *last = NULL;
	long long before_us = 0;
	unsigned n = 0;
	char *end;

	(void)state;
	nvidia(&f, false);
	run(&f, "burn 60s gpu=100%\n");
	text = show(&f, ES_TWIN_GPU_SAMPLES "/0", START_NS + 30 * S);
	for (const char *line = text; *line; line = strchr(line, '\n') + 1, n++) {
		long long t_us = strtoll(line, &end, 10);

		if (n)
			assert_in_range(t_us - before_us, 99990, 100010);
		before_us = t_us;
		last = end;
	}
	assert_int_equal(n, ES_TWIN_GPU_SAMPLES_MAX);
	assert_in_range(strtoull(last, NULL, 10), 300000, 420000);
	finish(&f);
	/* A node that was just switched on has seen little. */
	nvidia(&f, false);
	n = 0;
	text = show(&f, ES_TWIN_GPU_SAMPLES "/0", START_NS + S);
	for (const char *line = text; *line; line = strchr(line, '\n') + 1)
		n++;
	assert_in_range(n, 8, 10);
	finish(&f);
}

#define AMD_0 "sys/devices/pci0000:00/0000:c1:00.0/"
#define AMD_1 "sys/devices/pci0000:00/0000:c6:00.0/"

static void metrics_at(struct fixture *f, const char *path, int64_t t_ns,
		       struct es_amdgpu_metrics *ret)
{
	const struct es_twin_entry *entry = find(f, path);
	uint8_t data[4096];
	ssize_t n;

	es_twin_advance(f->host->node, t_ns);
	n = es_twin_entry_ops(entry)->read_at(es_twin_entry_file(entry), t_ns, 0, data,
					      sizeof(data));
	assert_int_equal(n, 120);
	assert_int_equal(es_amdgpu_metrics_parse(data, (size_t)n, ret), 0);
	assert_int_equal(ret->format, 1);
	assert_int_equal(ret->content, 3);
	/* In two pieces it is the same. */
	assert_int_equal(es_twin_entry_ops(entry)->read_at(es_twin_entry_file(entry), t_ns, 100,
							   data + 100, sizeof(data) - 100),
			 20);
	assert_int_equal(es_twin_entry_ops(entry)->read_at(es_twin_entry_file(entry), t_ns, 120,
							   data, sizeof(data)),
			 0);
}

static void fills_the_table_of_amdgpu(void **state)
{
	struct es_amdgpu_metrics first, last;
	es_u128 energy_fj;
	uint64_t energy_uj;
	struct fixture f;

	(void)state;
	amd(&f);
	run(&f, "burn 60s gpu=100%\n");
	metrics_at(&f, AMD_0 "gpu_metrics", START_NS + 5 * S, &first);
	metrics_at(&f, AMD_0 "gpu_metrics", START_NS + 15 * S + 300000, &last);
	assert_true(last.has_firmware && last.has_clock && last.has_power && last.has_energy);
	assert_int_equal(last.clock_ns, START_NS + 15 * S + 300000);
	assert_true(last.firmware_ns <= last.clock_ns && last.firmware_ns > last.clock_ns - 2 * MS);
	/* The whole device's, in steps of 2^-16 J; its clock is told in 10 ns. */
	energy_fj = es_twin_energy_fj(f.host->node, ES_TWIN_GPU, 0, (int64_t)last.firmware_ns) -
		    es_twin_energy_fj(f.host->node, ES_TWIN_GPU, 0, (int64_t)first.firmware_ns);
	energy_uj = (uint64_t)(energy_fj / FJ_PER_UJ);
	assert_in_range((last.energy_steps - first.energy_steps) * 1000000 / 65536, energy_uj - 40,
			energy_uj + 40);
	assert_in_range(last.power_mw, 250000, 420000);
	assert_int_equal(last.power_mw % 1000, 0);
	assert_int_equal(last.busy_percent.value, 100);
	assert_int_equal(last.clock_mhz.value, 1410);
	/* The second chip has neither energy nor power, but all else. */
	metrics_at(&f, AMD_1 "gpu_metrics", START_NS + 15 * S, &last);
	assert_int_equal(last.energy_steps, 0);
	assert_int_equal(last.power_mw, 0);
	assert_int_equal(last.busy_percent.value, 100);
	assert_int_equal(told(&f, 1, "energy", START_NS + 15 * S), 0);
	assert_int_equal(told(&f, 1, "is_primary", START_NS + 15 * S), 0);
	finish(&f);
}

static void has_the_hwmon_and_the_knobs_of_amdgpu(void **state)
{
	char hwmon[128], path[192];
	const struct es_twin_entry *dir;
	struct fixture f;
	uint64_t before_uw;

	(void)state;
	amd(&f);
	run(&f, "burn 60s gpu=100%\n");
	dir = find(&f, AMD_0 "hwmon");
	(void)snprintf(hwmon, sizeof(hwmon), AMD_0 "hwmon/%s",
		       es_twin_entry_name(es_twin_entry_child(dir, 0)));
	(void)snprintf(path, sizeof(path), "%s/name", hwmon);
	assert_string_equal(show(&f, path, START_NS), "amdgpu\n");
	(void)snprintf(path, sizeof(path), "%s/power1_average", hwmon);
	before_uw = strtoull(show(&f, path, START_NS + 10 * S), NULL, 10);
	assert_in_range(before_uw, 250000000, 420000000);
	assert_int_equal(before_uw % 1000000, 0);
	(void)snprintf(path, sizeof(path), "%s/power1_cap", hwmon);
	assert_int_equal(store(&f, path, "99000000"), -EINVAL);
	assert_int_equal(store(&f, path, "401000000"), -EINVAL);
	assert_int_equal(store(&f, path, "5000000000"), -ERANGE);
	assert_int_equal(store(&f, path, "200 W"), -EINVAL);
	assert_int_equal(store(&f, path, "0"), 0);
	assert_string_equal(show(&f, path, START_NS + 10 * S), "400000000\n");
	assert_int_equal(store(&f, path, "200999999"), 0);
	assert_string_equal(show(&f, path, START_NS + 10 * S), "200000000\n");
	(void)snprintf(path, sizeof(path), "%s/power1_average", hwmon);
	assert_in_range(strtoull(show(&f, path, START_NS + 20 * S), NULL, 10), 150000000,
			205000000);
	/* Which both chips feel; the second one takes no limit. */
	dir = find(&f, AMD_1 "hwmon");
	(void)snprintf(path, sizeof(path), AMD_1 "hwmon/%s/power1_cap",
		       es_twin_entry_name(es_twin_entry_child(dir, 0)));
	assert_string_equal(show(&f, path, START_NS + 20 * S), "0\n");
	assert_int_equal(store(&f, path, "300000000"), -EINVAL);
	assert_non_null(
		strstr(show(&f, AMD_1 "pp_dpm_sclk", START_NS + 20 * S), "Mhz *\n2: 1410Mhz"));
	assert_string_equal(es_twin_entry_target(find(&f, "sys/class/drm/card1")),
			    "../../devices/pci0000:00/0000:c6:00.0/drm/card1");
	assert_non_null(find(&f, "sys/class/drm/renderD131"));
	finish(&f);
}

static void takes_levels_and_clocks_as_amdgpu(void **state)
{
	static const char level[] = AMD_0 "power_dpm_force_performance_level";
	static const char clocks[] = AMD_0 "pp_od_clk_voltage";
	struct fixture f;

	(void)state;
	amd(&f);
	run(&f, "burn 60s gpu=100%\n");
	assert_string_equal(show(&f, level, START_NS + S), "auto\n");
	assert_int_equal(store(&f, clocks, "s 1 900"), -EINVAL);
	assert_int_equal(store(&f, level, "fast"), -EINVAL);
	assert_int_equal(store(&f, level, "low"), 0);
	assert_string_equal(show(&f, level, START_NS + S), "low\n");
	assert_string_equal(show(&f, AMD_0 "pp_dpm_sclk", START_NS + 2 * S),
			    "0: 210Mhz *\n1: 1410Mhz \n");
	assert_int_equal(store(&f, level, "manual"), 0);
	assert_string_equal(show(&f, level, START_NS + 2 * S), "manual\n");
	assert_string_equal(show(&f, AMD_0 "pp_dpm_sclk", START_NS + 3 * S),
			    "0: 210Mhz \n1: 1410Mhz *\n");
	assert_int_equal(store(&f, clocks, "s 1 2000"), -EINVAL);
	assert_int_equal(store(&f, clocks, "s 2 900"), -EINVAL);
	assert_int_equal(store(&f, clocks, "s 1 900 1"), -EINVAL);
	assert_int_equal(store(&f, clocks, "s 1 900"), 0);
	assert_int_equal(store(&f, clocks, "c"), 0);
	assert_string_equal(show(&f, AMD_0 "pp_dpm_sclk", START_NS + 4 * S),
			    "0: 210Mhz \n1: 900Mhz *\n2: 1410Mhz \n");
	assert_string_equal(show(&f, clocks, START_NS + 4 * S), "GFXCLK:\n0: 210Mhz\n1: 900Mhz\n");
	assert_int_equal(store(&f, clocks, "r"), 0);
	assert_int_equal(store(&f, level, "auto"), 0);
	assert_string_equal(show(&f, level, START_NS + 5 * S), "auto\n");
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shows_each_gpu_on_the_bus),
		cmocka_unit_test(puts_each_of_a_superchip_in_a_domain_of_its_own),
		cmocka_unit_test(counts_the_energy_of_the_gpu),
		cmocka_unit_test(stands_between_updates),
		cmocka_unit_test(averages_power_as_the_chip_does),
		cmocka_unit_test(keeps_who_computes_as_it_was_told),
		cmocka_unit_test(turns_its_knobs),
		cmocka_unit_test(tells_its_faults_and_counts_anew_after_a_reload),
		cmocka_unit_test(counts_how_long_it_was_busy),
		cmocka_unit_test(keeps_the_latest_powers),
		cmocka_unit_test(fills_the_table_of_amdgpu),
		cmocka_unit_test(has_the_hwmon_and_the_knobs_of_amdgpu),
		cmocka_unit_test(takes_levels_and_clocks_as_amdgpu),
	};

	return cmocka_run_group_tests_name("twin/gpus", tests, NULL, NULL);
}
