/*
 * cluster_node.c - the life of one node of a simulated cluster: idle, at work, down; read every period
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hot.h"
#include "record/recorder.h"
#include "twin/cluster_private.h"

#define FJ_PER_UJ UINT64_C(1000000000)
#define UW_PER_MW 1000
#define ROWS_OF_BLOCK 1024U
#define HISTORY \
	16 /* segments: more than two seconds of them, for means of a second that ended up to one ago */
#define QUANTUM_NS ES_NS_PER_S
#define CANCEL_LOOKS 4096 /* steps between two looks */

/* A node from power on to power off. */
struct life {
	struct es_twin_node *twin; /* its clock: boot time */
	int64_t boot_ns; /* when it was 0, in the cluster's time */
	int64_t next_ns; /* reading; in the cluster's time */
	struct es_cluster_energy before; /* of earlier lives */
	struct es_rows rows;
	struct es_recorder *recorder; /* NULL: the truth only */
	char path[ES_PATH_MAX_BYTES], part[ES_PATH_MAX_BYTES]; /* part: while it is written */
};

struct living {
	struct es_cluster *cluster;
	size_t index;
	struct es_cluster_node *node;
	const struct es_cluster_meters *meters;
	const struct es_twin_kind *kind;
	struct es_cluster_meter mine[ES_CLUSTER_METERS_MAX];
	struct life life;
	const _Atomic bool *is_cancelled;
	unsigned steps;
	uint64_t n_bytes, n_recordings;
	struct es_error *err;
};

static uint64_t sum_uj(const struct es_twin_node *twin, enum es_twin_part part)
{
	int64_t now_ns = es_twin_now_ns(twin);
	es_u128 sum_fj = 0;

	for (size_t i = 0; i < es_twin_n(twin, part); i++)
		sum_fj += es_twin_energy_fj(twin, part, i, now_ns);
	return (uint64_t)(sum_fj / FJ_PER_UJ);
}

/* What it has used up to now, in all its lives. */
static struct es_cluster_energy look(const struct living *living)
{
	const struct es_twin_node *twin = living->life.twin;
	struct es_cluster_energy now = living->life.before;

	if (!twin)
		return now;
	now.node_uj += sum_uj(twin, ES_TWIN_NODE);
	now.package_uj += sum_uj(twin, ES_TWIN_PACKAGE);
	now.dram_uj += sum_uj(twin, ES_TWIN_DRAM);
	now.gpu_uj += sum_uj(twin, ES_TWIN_GPU);
	return now;
}

static int make_meta(const struct living *living, struct es_meta *meta)
{
	const struct es_cluster_options *options = &living->cluster->options;
	const struct es_twin_kind *kind = living->kind;
	char name[ES_NAME_MAX_BYTES];
	struct es_node_info *info;
	int r;

	es_meta_init(meta);
	(void)snprintf(meta->tool, sizeof(meta->tool), "%s", options->tool ? options->tool : "");
	(void)es_cluster_node_name(living->cluster, living->index, name);
	(void)snprintf(meta->job, sizeof(meta->job), "%.200s", name);
	(void)snprintf(meta->comment, sizeof(meta->comment),
		       "simulated: a node of kind %s, seed %" PRIu64, kind->name, options->seed);
	meta->period_ns = options->period_ns;
	meta->start_boot_ns = meta->start_mono_ns = living->life.next_ns - living->life.boot_ns;
	meta->start_unix_ns = options->start_unix_ns + living->life.next_ns;
	meta->virt = kind->meters.is_vm ? ES_VIRT_VM : ES_VIRT_NONE;
	meta->has_battery = kind->meters.has_battery;
	meta->n_cpus = kind->n_packages * kind->cpu.n_cores * kind->cpu.n_threads;
	r = es_meta_add_node(meta, name);
	if (r < 0)
		return r;
	info = &meta->nodes[0];
	(void)snprintf(info->cpu_model, sizeof(info->cpu_model), "%s", kind->cpu.model);
	info->n_cpus = meta->n_cpus;
	info->n_packages = kind->n_packages;
	info->n_gpus = kind->n_gpus;
	if (kind->n_gpus > 0)
		(void)snprintf(info->gpu_model, sizeof(info->gpu_model), "%s", kind->gpu.name);
	info->memory_bytes = kind->memory_bytes;
	for (size_t i = 0; r == 0 && i < living->meters->n; i++)
		r = es_meta_add_domain(meta, &living->meters->domains[i]);
	return r;
}

static int open_recording(struct living *living)
{
	const struct es_cluster_options *options = &living->cluster->options;
	struct life *life = &living->life;
	char name[ES_NAME_MAX_BYTES], ending[32] = "";
	struct es_meta meta;
	int r;

	/* Where a kind has no meter there is nothing to record. */
	if (!options->out || !options->has_readings || living->meters->n == 0)
		return 0;
	(void)es_cluster_node_name(living->cluster, living->index, name);
	if (living->node->n_boots > 1)
		(void)snprintf(ending, sizeof(ending), "-boot%u", living->node->n_boots);
	if (snprintf(life->path, sizeof(life->path), "%s/nodes/%s%s.esrec", options->out, name,
		     ending) >= (int)sizeof(life->path) ||
	    snprintf(life->part, sizeof(life->part), "%s/nodes/.%s%s.part", options->out, name,
		     ending) >= (int)sizeof(life->part))
		return es_error_set(living->err, -ENAMETOOLONG, "recording of '%s'", name);
	r = make_meta(living, &meta);
	if (r == 0)
		r = es_recorder_create(life->part, true, &meta, &life->recorder, living->err);
	else
		(void)es_error_set(living->err, r, "recording of '%s'", name);
	es_meta_finish(&meta);
	if (r == 0)
		r = es_recorder_clock(life->recorder, life->next_ns - life->boot_ns,
				      life->next_ns - life->boot_ns,
				      options->start_unix_ns + life->next_ns);
	return r;
}

/* Where the disk takes no more it is said at once: nothing is kept in memory here. */
static int check(struct living *living, int r)
{
	if (r == 0)
		r = es_recorder_problem(living->life.recorder);
	if (r < 0)
		return es_error_set(living->err, r, "cannot write '%s'", living->life.path);
	return 0;
}

static int flush(struct living *living)
{
	struct life *life = &living->life;
	int r;

	if (!life->recorder || life->rows.n_rows == 0)
		return 0;
	r = es_recorder_rows(life->recorder, &life->rows);
	es_rows_clear(&life->rows);
	return check(living, r);
}

static int close_recording(struct living *living, int64_t t_ns)
{
	struct es_event end = { .type = ES_EVENT_END };
	struct life *life = &living->life;
	struct stat st;
	int r;

	if (!life->recorder)
		return 0;
	end.t_ns = t_ns - life->boot_ns;
	r = flush(living);
	if (r == 0)
		r = check(living, es_recorder_event(life->recorder, &end));
	es_recorder_close(life->recorder);
	life->recorder = NULL;
	if (r < 0)
		return r;
	if (rename(life->part, life->path) < 0 || stat(life->path, &st) < 0)
		return es_error_set(living->err, -errno, "cannot write '%s'", life->path);
	life->part[0] = '\0';
	living->n_bytes += (uint64_t)st.st_size;
	living->n_recordings++;
	return 0;
}

/* Counters begin anywhere, as those of nodes that have been up for long: so they wrap at different times. */
static void start_meters(struct living *living)
{
	for (size_t i = 0; i < living->meters->n; i++) {
		struct es_cluster_random random =
			es_cluster_stream(living->cluster->options.seed, ES_CLUSTER_STREAM_METER,
					  living->index * ES_CLUSTER_METERS_MAX + i);
		struct es_twin_meter *meter = &living->mine[i].meter;

		living->mine[i] = living->meters->meters[i];
		if (living->mine[i].uj_den > 0 && living->node->n_boots == 1)
			meter->start = es_cluster_random(&random) >> 32;
		if (meter->update_ns > 0)
			meter->phase_ns =
				(int64_t)(es_cluster_random(&random) % (uint64_t)meter->update_ns);
		es_twin_meter_start(meter, living->life.twin, es_twin_now_ns(living->life.twin));
	}
}

/* Power on at @t_ns, when it has been on for @uptime_ns. */
static int switch_on(struct living *living, int64_t t_ns, int64_t uptime_ns)
{
	const struct es_cluster_options *options = &living->cluster->options;
	struct life *life = &living->life;
	int64_t quantum_ns = options->period_ns < QUANTUM_NS ? options->period_ns : QUANTUM_NS;
	struct es_cluster_random random =
		es_cluster_stream(options->seed, ES_CLUSTER_STREAM_NODE,
				  living->index * 65536 + living->node->n_boots);
	struct es_twin_options twin = { .seed = es_cluster_random(&random),
					.start_ns = uptime_ns,
					.quantum_ns = quantum_ns,
					.n_history = HISTORY };
	int r = es_twin_node_create(living->kind, &twin, &life->twin);

	if (r < 0)
		return es_error_set(living->err, r, "a node of kind %s", living->kind->name);
	living->node->n_boots++;
	life->boot_ns = t_ns - uptime_ns;
	/* Recorders start when it has booted. */
	life->next_ns = uptime_ns > 0 ? t_ns : t_ns + ES_CLUSTER_BOOT_NS;
	life->next_ns =
		(life->next_ns + options->period_ns - 1) / options->period_ns * options->period_ns;
	start_meters(living);
	if (life->next_ns > options->duration_ns)
		return 0;
	return open_recording(living);
}

static int switch_off(struct living *living, int64_t t_ns)
{
	int r = close_recording(living, t_ns);

	living->life.before = look(living);
	es_twin_node_destroy(living->life.twin);
	living->life.twin = NULL;
	return r;
}

es_hot static uint64_t read_meter(const struct es_cluster_meter *meter,
				  const struct es_twin_node *twin, int64_t t_ns)
{
	uint64_t value = 0;

	/* No faults here: neither fails. */
	if (meter->uj_den > 0) {
		(void)es_twin_meter_raw(&meter->meter, twin, t_ns, &value);
		return value * meter->uj_num / meter->uj_den;
	}
	(void)es_twin_meter_power_uw(&meter->meter, twin, t_ns, &value);
	return value / UW_PER_MW;
}

es_hot static int sample(struct living *living)
{
	struct life *life = &living->life;
	int64_t t_ns = life->next_ns - life->boot_ns;
	int r = 0;

	life->next_ns += living->cluster->options.period_ns;
	if (!es_rows_add(&life->rows, t_ns)) {
		r = flush(living);
		(void)es_rows_add(&life->rows, t_ns);
	}
	for (size_t i = 0; i < living->meters->n; i++)
		es_rows_set(&life->rows, i, t_ns, read_meter(&living->mine[i], life->twin, t_ns),
			    0);
	living->node->n_samples += living->meters->n;
	return r;
}

/* On to @t_ns of the cluster's time, read on the way. Where nobody reads, the node lives on as it would otherwise. */
es_hot static int live_to(struct living *living, int64_t t_ns)
{
	struct life *life = &living->life;
	int r = atomic_load(living->is_cancelled) ? -ECANCELED : 0;

	while (r == 0 && life->recorder && life->next_ns <= t_ns) {
		es_twin_advance(life->twin, life->next_ns - life->boot_ns);
		r = sample(living);
		if (++living->steps % CANCEL_LOOKS == 0 && atomic_load(living->is_cancelled))
			return -ECANCELED;
	}
	if (r == 0)
		es_twin_advance(life->twin, t_ns - life->boot_ns);
	return r;
}

/* As a prologue and an epilogue would mark it on the node. */
static int mark(struct living *living, uint32_t type, int64_t t_ns,
		const struct es_cluster_job *job)
{
	struct es_event event = { .type = type, .t_ns = t_ns - living->life.boot_ns };
	int r;

	if (!living->life.recorder)
		return 0;
	(void)snprintf(event.text, sizeof(event.text), "job %" PRIu64, job->number);
	r = flush(living);
	return r < 0 ? r : check(living, es_recorder_event(living->life.recorder, &event));
}

static void charge(struct living *living, struct es_cluster_job *job,
		   const struct es_cluster_energy *from, const struct es_cluster_energy *to)
{
	struct es_cluster_energy *sum = &living->node->in_jobs;
	const struct es_cluster_energy used = { .node_uj = to->node_uj - from->node_uj,
						.package_uj = to->package_uj - from->package_uj,
						.dram_uj = to->dram_uj - from->dram_uj,
						.gpu_uj = to->gpu_uj - from->gpu_uj };

	/* Sums of integers: the same in whatever order the nodes are done. */
	(void)atomic_fetch_add_explicit(&job->node_uj, used.node_uj, memory_order_relaxed);
	(void)atomic_fetch_add_explicit(&job->package_uj, used.package_uj, memory_order_relaxed);
	(void)atomic_fetch_add_explicit(&job->dram_uj, used.dram_uj, memory_order_relaxed);
	(void)atomic_fetch_add_explicit(&job->gpu_uj, used.gpu_uj, memory_order_relaxed);
	sum->node_uj += used.node_uj;
	sum->package_uj += used.package_uj;
	sum->dram_uj += used.dram_uj;
	sum->gpu_uj += used.gpu_uj;
}

static int work(struct living *living, const struct es_cluster_span *span)
{
	struct es_cluster_job *job = &living->cluster->jobs[span->job];
	struct es_cluster_energy from = look(living), to;
	struct es_twin_program program;
	int r = es_cluster_program(job->app, living->kind,
				   living->cluster->options.seed ^ es_cluster_mix(job->number),
				   &program);
	int load;

	if (r < 0)
		return es_error_set(living->err, r, "program of job %" PRIu64, job->number);
	load = es_twin_load_begin(living->life.twin, &program, living->err);
	es_twin_program_finish(&program);
	if (load < 0)
		return load;
	r = mark(living, ES_EVENT_TAG_START, span->start_ns, job);
	if (r == 0)
		r = live_to(living, span->end_ns);
	es_twin_load_end(living->life.twin, load);
	to = look(living);
	charge(living, job, &from, &to);
	return r < 0 ? r : mark(living, ES_EVENT_TAG_STOP, span->end_ns, job);
}

static int live_span(struct living *living, const struct es_cluster_span *span)
{
	int64_t end_ns = living->cluster->options.duration_ns;
	int r = 0;

	if (living->life.twin)
		r = live_to(living, span->start_ns);
	if (r < 0)
		return r;
	if (span->job != ES_CLUSTER_DOWN)
		return work(living, span);
	r = switch_off(living, span->start_ns);
	if (r == 0 && span->end_ns < end_ns)
		r = switch_on(living, span->end_ns, 0);
	return r;
}

static int live(struct living *living)
{
	int64_t end_ns = living->cluster->options.duration_ns;
	int r = switch_on(living, 0, ES_CLUSTER_UPTIME_NS);

	for (size_t i = 0; r == 0 && i < living->node->n_spans; i++)
		r = live_span(living, &living->node->spans[i]);
	if (r == 0 && living->life.twin)
		r = live_to(living, end_ns);
	if (r == 0 && living->life.twin)
		r = switch_off(living, end_ns);
	living->node->energy = look(living);
	return r;
}

int es_cluster_live(struct es_cluster *cluster, size_t node, const struct es_cluster_meters *meters,
		    const _Atomic bool *is_cancelled, uint64_t *ret_bytes, uint64_t *ret_recordings,
		    struct es_error *err)
{
	struct living *living = calloc(1, sizeof(*living));
	int r;

	if (!living)
		return es_error_set(err, -ENOMEM, "a node");
	living->cluster = cluster;
	living->index = node;
	living->node = &cluster->nodes[node];
	living->meters = meters;
	living->kind = cluster->options.classes[living->node->class].kind;
	living->is_cancelled = is_cancelled;
	living->err = err;
	r = es_rows_init(&living->life.rows, meters->domains, meters->n, ROWS_OF_BLOCK);
	if (r < 0)
		(void)es_error_set(err, r, "a node");
	else
		r = live(living);
	es_recorder_close(living->life.recorder);
	if (r < 0 && living->life.part[0])
		(void)unlink(living->life.part);
	es_twin_node_destroy(living->life.twin);
	es_rows_finish(&living->life.rows);
	*ret_bytes += living->n_bytes;
	*ret_recordings += living->n_recordings;
	free(living);
	return r;
}
