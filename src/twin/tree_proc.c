/*
 * tree_proc.c - what /proc tells of a simulated node: its CPUs, their times, its memory, its name
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * After Linux 6.12: arch/x86/kernel/cpu/proc.c, arch/arm64/kernel/cpuinfo.c, fs/proc/stat.c, meminfo.c, loadavg.c, uptime.c. The
 * node has no processes: what runs on it is load.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "twin/sysfs.h"
#include "twin/tree_cpus.h"

#define TICK_NS (10 * ES_NS_PER_MS)
#define RELEASE "6.12.0-twin"
#define SYSTEM_SHARE 50 /* of what a load takes, 1/50 is spent in the kernel */
#define ARM_IMPLEMENTER 0x41
#define HOSTNAME_BYTES 65U

#define FLAGS_COMMON                                                                            \
	"fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx "  \
	"fxsr sse sse2 ht syscall nx pdpe1gb rdtscp lm constant_tsc rep_good nopl nonstop_tsc " \
	"cpuid aperfmperf pni pclmulqdq monitor ssse3 fma cx16 sse4_1 sse4_2 movbe popcnt aes " \
	"xsave avx f16c rdrand lahf_lm abm"
#define FLAGS_INTEL                                                                             \
	"acpi ss tm pbe dts arch_perfmon pebs bts est tm2 epb tsc_deadline_timer ida arat pln " \
	"pts hwp hwp_act_window hwp_epp hwp_pkg_req"
#define FLAGS_AMD                                                                          \
	"mmxext fxsr_opt extd_apicid cmp_legacy svm extapic cr8_legacy sse4a misalignsse " \
	"topoext perfctr_core cpb cat_l3 cdp_l3 hw_pstate rapl cppc"

/** struct proc - what the files share */
struct proc {
	int64_t start_ns;
	char hostname[HOSTNAME_BYTES];
	uint32_t paranoid; /* two's complement */
	/* Running means of how many CPUs are busy. */
	int64_t load_ns, busy_ns;
	double loads[3];
};

static struct proc *proc_of(const struct es_twin_file *file)
{
	return (struct proc *)file->data;
}

static void put_x86(const struct es_twin_host *host, unsigned cpu, struct es_buf *out)
{
	const struct es_twin_kind *kind = host->kind;
	const struct es_twin_cpu *model = &kind->cpu;
	unsigned long long khz = es_twin_core_khz(host->node, cpu);
	unsigned package = es_twin_cpu_package(kind, cpu), core = es_twin_cpu_core(kind, cpu);
	unsigned thread = cpu / (kind->n_packages * model->n_cores);
	unsigned apic = (package * model->n_cores + core) * model->n_threads + thread;

	(void)es_buf_printf(
		out,
		"processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\n"
		"model name\t: %s\nstepping\t: %u\nmicrocode\t: 0x1\ncpu MHz\t\t: %llu.%03llu\n"
		"cache size\t: 1024 KB\nphysical id\t: %u\nsiblings\t: %u\ncore id\t\t: %u\n"
		"cpu cores\t: %u\napicid\t\t: %u\ninitial apicid\t: %u\nfpu\t\t: yes\n"
		"fpu_exception\t: yes\ncpuid level\t: 22\nwp\t\t: yes\nflags\t\t: %s %s%s\n"
		"bugs\t\t:\nbogomips\t: %u.00\nclflush size\t: 64\ncache_alignment\t: 64\n"
		"address sizes\t: 46 bits physical, 48 bits virtual\npower management:\n\n",
		cpu, model->vendor, model->family, model->number, model->model, model->stepping,
		khz / 1000, khz % 1000, package, model->n_cores * model->n_threads, core,
		model->n_cores, apic, apic, FLAGS_COMMON,
		es_twin_is_intel(kind) ? FLAGS_INTEL : FLAGS_AMD,
		kind->meters.is_vm ? " hypervisor" : "", 2 * model->base_mhz);
}

/* There is no name of the model, nor of the maker: numbers only. */
static void put_arm(const struct es_twin_host *host, unsigned cpu, struct es_buf *out)
{
	const struct es_twin_cpu *model = &host->kind->cpu;

	(void)es_buf_printf(out,
			    "processor\t: %u\nBogoMIPS\t: 2000.00\n"
			    "Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp "
			    "asimdhp cpuid asimdrdm jscvt fcma lrcpc dcpop sha3 sm3 sm4 asimddp "
			    "sha512 sve asimdfhm dit uscat ilrcpc flagm ssbs sb\n"
			    "CPU implementer\t: 0x%02x\nCPU architecture: %u\nCPU variant\t: 0x0\n"
			    "CPU part\t: 0x%03x\nCPU revision\t: %u\n\n",
			    cpu, ARM_IMPLEMENTER, model->family, model->number, model->stepping);
}

static int show_cpuinfo(const struct es_twin_file *file, void *handle, int64_t t_ns,
			struct es_buf *out)
{
	const struct es_twin_kind *kind = file->host->kind;
	bool is_x86 = es_twin_is_intel(kind) || es_twin_is_amd(kind);

	(void)handle;
	(void)t_ns;
	for (unsigned cpu = 0; cpu < es_twin_n_cpus(kind); cpu++)
		(is_x86 ? put_x86 : put_arm)(file->host, cpu, out);
	return out->error;
}

/** struct times - of a CPU or of all, in ns */
struct times {
	int64_t user_ns, system_ns, idle_ns;
};

static struct times times_of(const struct es_twin_host *host, unsigned cpu)
{
	struct es_twin_cpu_state state;
	int64_t system_ns;

	es_twin_cpu_state(host->node, cpu, &state);
	system_ns = state.busy_ns / SYSTEM_SHARE;
	return (struct times){ .user_ns = state.busy_ns - system_ns,
			       .system_ns = system_ns,
			       .idle_ns = state.idle_ns };
}

static void put_times(struct es_buf *out, const char *name, const struct times *times)
{
	(void)es_buf_printf(out, "%s %lld 0 %lld %lld 0 0 0 0 0 0\n", name,
			    (long long)(times->user_ns / TICK_NS),
			    (long long)(times->system_ns / TICK_NS),
			    (long long)(times->idle_ns / TICK_NS));
}

static struct times all_times(const struct es_twin_host *host, unsigned *ret_n_busy)
{
	struct times all = { 0 };

	*ret_n_busy = 0;
	for (unsigned cpu = 0; cpu < es_twin_n_cpus(host->kind); cpu++) {
		struct times times = times_of(host, cpu);

		all.user_ns += times.user_ns;
		all.system_ns += times.system_ns;
		all.idle_ns += times.idle_ns;
	}
	for (int load = 0; load < (int)ES_TWIN_LOADS_MAX; load++) {
		struct es_twin_progress progress;

		*ret_n_busy += es_twin_load_progress(host->node, load, &progress) == 0 &&
			       !progress.is_done;
	}
	return all;
}

static int64_t unix_ns(const struct es_twin_host *host)
{
	return es_clock_unix_ns() + host->wall_step_ns;
}

static int show_stat(const struct es_twin_file *file, void *handle, int64_t t_ns,
		     struct es_buf *out)
{
	const struct es_twin_host *host = file->host;
	const struct proc *proc = proc_of(file);
	unsigned n_busy;
	struct times times = all_times(host, &n_busy);
	unsigned long long n_ticks = (unsigned long long)((t_ns - proc->start_ns) / TICK_NS);

	(void)handle;
	put_times(out, "cpu ", &times);
	for (unsigned cpu = 0; cpu < es_twin_n_cpus(host->kind); cpu++) {
		char name[16];

		times = times_of(host, cpu);
		(void)snprintf(name, sizeof(name), "cpu%u", cpu);
		put_times(out, name, &times);
	}
	return es_buf_printf(out,
			     "intr %llu\nctxt %llu\nbtime %lld\nprocesses %llu\nprocs_running %u\n"
			     "procs_blocked 0\nsoftirq %llu 0 %llu 0 0 0 0 0 0 0 0\n",
			     10 * n_ticks, 20 * n_ticks,
			     (long long)((unix_ns(host) - (t_ns - proc->start_ns)) / ES_NS_PER_S),
			     100 + n_ticks / 100, n_busy + 1, n_ticks, n_ticks);
}

static int show_uptime(const struct es_twin_file *file, void *handle, int64_t t_ns,
		       struct es_buf *out)
{
	int64_t up = (t_ns - proc_of(file)->start_ns) / TICK_NS;
	unsigned n_busy;
	struct times times = all_times(file->host, &n_busy);
	int64_t idle = times.idle_ns / TICK_NS;

	(void)handle;
	return es_buf_printf(out, "%lld.%02lld %lld.%02lld\n", (long long)(up / 100),
			     (long long)(up % 100), (long long)(idle / 100),
			     (long long)(idle % 100));
}

/* The kernel's means of 1, 5 and 15 min, brought up to date when somebody looks. */
static int show_loadavg(const struct es_twin_file *file, void *handle, int64_t t_ns,
			struct es_buf *out)
{
	static const double minutes[] = { 1, 5, 15 };
	struct proc *proc = proc_of(file);
	unsigned n_busy;
	struct times times = all_times(file->host, &n_busy);
	int64_t busy_ns = times.user_ns + times.system_ns, dt_ns = t_ns - proc->load_ns;

	(void)handle;
	for (size_t i = 0; i < 3 && dt_ns > 0; i++) {
		double kept = exp(-(double)dt_ns / (minutes[i] * 60 * (double)ES_NS_PER_S));

		proc->loads[i] = proc->loads[i] * kept +
				 (double)(busy_ns - proc->busy_ns) / (double)dt_ns * (1 - kept);
	}
	if (dt_ns > 0) {
		proc->load_ns = t_ns;
		proc->busy_ns = busy_ns;
	}
	return es_buf_printf(out, "%.2f %.2f %.2f %u/%u 4242\n", proc->loads[0], proc->loads[1],
			     proc->loads[2], n_busy + 1, 200 + n_busy);
}

static int show_hostname(const struct es_twin_file *file, void *handle, int64_t t_ns,
			 struct es_buf *out)
{
	(void)handle;
	(void)t_ns;
	return es_buf_printf(out, "%s\n", proc_of(file)->hostname);
}

/* What does not fit is cut off, as proc_dostring() has it. */
static int store_hostname(const struct es_twin_file *file, void *handle, int64_t t_ns,
			  const char *text)
{
	(void)handle;
	(void)t_ns;
	(void)snprintf(proc_of(file)->hostname, HOSTNAME_BYTES, "%s", text);
	return 0;
}

static int show_paranoid(const struct es_twin_file *file, void *handle, int64_t t_ns,
			 struct es_buf *out)
{
	(void)handle;
	(void)t_ns;
	return es_buf_printf(out, "%d\n", (int)proc_of(file)->paranoid);
}

static int store_paranoid(const struct es_twin_file *file, void *handle, int64_t t_ns,
			  const char *text)
{
	bool is_negative = *text == '-';
	uint64_t v;

	(void)handle;
	(void)t_ns;
	if (es_twin_kstrtou64(text + is_negative, 0, INT32_MAX, &v) < 0)
		return -EINVAL;
	proc_of(file)->paranoid = is_negative ? 0U - (uint32_t)v : (uint32_t)v;
	return 0;
}

static const struct es_twin_file_ops cpuinfo_ops = { .show = show_cpuinfo };
static const struct es_twin_file_ops stat_ops = { .show = show_stat };
static const struct es_twin_file_ops uptime_ops = { .show = show_uptime };
static const struct es_twin_file_ops loadavg_ops = { .show = show_loadavg };
static const struct es_twin_file_ops hostname_ops = { .show = show_hostname,
						      .store = store_hostname };
static const struct es_twin_file_ops paranoid_ops = { .show = show_paranoid,
						      .store = store_paranoid };

/* The kernel keeps 1/64 of it for itself before anybody counts. */
static void make_meminfo(struct es_twin_host *host)
{
	unsigned long long total_kb = host->kind->memory_bytes / 1024 / 64 * 63;
	unsigned long long free_kb = total_kb / 16 * 15, cached_kb = total_kb / 32;

	es_twin_put_text(host->tree, 0444, "proc", "meminfo",
			 "MemTotal:       %8llu kB\nMemFree:        %8llu kB\n"
			 "MemAvailable:   %8llu kB\nBuffers:            4096 kB\n"
			 "Cached:         %8llu kB\nSwapCached:            0 kB\n"
			 "Active:         %8llu kB\nInactive:       %8llu kB\n"
			 "SwapTotal:             0 kB\nSwapFree:              0 kB\n"
			 "Dirty:                 0 kB\nWriteback:             0 kB\n"
			 "Shmem:              2048 kB\nSlab:             131072 kB\n"
			 "HugePages_Total:       0\nHugePages_Free:        0\n"
			 "Hugepagesize:       2048 kB\n",
			 total_kb, free_kb, free_kb + cached_kb / 2, cached_kb, cached_kb / 2,
			 cached_kb / 2);
}

/* One of its own for each time that it is switched on. */
static void make_boot_id(struct es_twin_host *host, int64_t start_ns)
{
	char seed[ES_NAME_MAX_BYTES + 64];
	uint64_t a, b;

	(void)snprintf(seed, sizeof(seed), "%s %lld", host->name, (long long)start_ns);
	a = es_twin_hash(seed);
	(void)snprintf(seed, sizeof(seed), "%lld %s", (long long)start_ns, host->name);
	b = es_twin_hash(seed);
	es_twin_put_text(host->tree, 0444, "proc/sys/kernel/random", "boot_id",
			 "%08x-%04x-4%03x-%04x-%012llx\n", (unsigned)(a >> 32),
			 (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff),
			 (unsigned)(b >> 48 & 0x3fff) | 0x8000U,
			 (unsigned long long)(b & UINT64_C(0xffffffffffff)));
}

static void make_texts(struct es_twin_host *host)
{
	const char *kernel = "proc/sys/kernel";

	es_twin_put_text(host->tree, 0444, kernel, "osrelease", RELEASE "\n");
	es_twin_put_text(host->tree, 0444, kernel, "ostype", "Linux\n");
	es_twin_put_text(host->tree, 0444, kernel, "version", "#1 SMP PREEMPT_DYNAMIC\n");
	es_twin_put_text(host->tree, 0444, "proc", "version",
			 "Linux version " RELEASE " (twin) #1 SMP PREEMPT_DYNAMIC\n");
	es_twin_put_text(host->tree, 0444, "proc", "cmdline", "ro quiet\n");
	es_twin_put_text(host->tree, 0444, "proc", "filesystems", "nodev\tsysfs\nnodev\tproc\n");
	es_twin_put_text(host->tree, 0444, "proc", "diskstats", "%s", "");
	es_twin_put_text(host->tree, 0444, "proc", "vmstat", "pgfault 0\npgmajfault 0\n");
	es_twin_put_text(host->tree, 0444, "proc/net", "dev",
			 "Inter-|   Receive                                                |"
			 "  Transmit\n"
			 " face |bytes    packets errs drop fifo frame compressed multicast|"
			 "bytes    packets errs drop fifo colls carrier compressed\n"
			 "    lo:       0       0    0    0    0     0          0         0 "
			 "       0       0    0    0    0     0       0          0\n");
}

void es_twin_make_proc(struct es_twin_host *host)
{
	struct proc *proc = es_twin_tree_keep(host->tree, sizeof(*proc));
	const struct es_twin_file file = { .data = proc };

	if (!proc)
		return;
	proc->start_ns = proc->load_ns = es_twin_now_ns(host->node);
	proc->paranoid = 2;
	(void)snprintf(proc->hostname, sizeof(proc->hostname), "%.64s", host->name);
	es_twin_put_file(host->tree, 0444, "proc", "cpuinfo", &cpuinfo_ops, &file);
	es_twin_put_file(host->tree, 0444, "proc", "stat", &stat_ops, &file);
	es_twin_put_file(host->tree, 0444, "proc", "uptime", &uptime_ops, &file);
	es_twin_put_file(host->tree, 0444, "proc", "loadavg", &loadavg_ops, &file);
	es_twin_put_file(host->tree, 0644, "proc/sys/kernel", "hostname", &hostname_ops, &file);
	es_twin_put_file(host->tree, 0644, "proc/sys/kernel", "perf_event_paranoid", &paranoid_ops,
			 &file);
	make_meminfo(host);
	make_boot_id(host, proc->start_ns);
	make_texts(host);
}
