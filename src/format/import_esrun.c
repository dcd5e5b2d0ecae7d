/*
 * import_esrun.c - a run of the original tool from its raw dumps
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/import_esrun.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "format/import_escpu.h"
#include "format/import_estime.h"
#include "format/import_holes.h"
#include "format/import_place.h"

#define TOOL "Energy Scope 2022 (es_read_rt.py@inria)"
#define PERIOD_DEFAULT_MS 500U /* of its es_config.json */
#define UPDATE_PERIOD_NS ES_NS_PER_MS /* of RAPL counters */
#define CLOCK_TOLERANCE_PERCENT 2
/* See es_place_rule: packages have time stamps of their own. */
#define OVER_PERCENT 20
#define OVER_PERCENT_GPU 10

/* Where a node's import is. */
struct node {
	const struct es_esrun_node *files;
	const struct es_dump *raw;
	struct es_import_job *job;
	struct es_esarch arch;
	struct es_estime time;
	uint32_t index; /* in the job */
	int64_t start_ns; /* of this node's zero on the job's clock */
	size_t first_domain;
	size_t n_unsure, n_unsure_of, n_unsure_domains; /* readings left out, of how many */
};

static int warn_clock(struct node *node, const struct es_escpu *cpu, uint64_t khz)
{
	uint64_t name_khz = cpu ? es_escpu_name_khz(cpu) : 0;
	uint64_t apart = khz > name_khz ? khz - name_khz : name_khz - khz;

	if (name_khz == 0 || apart * 100 <= name_khz * CLOCK_TOLERANCE_PERCENT)
		return 0;
	return es_import_warn(
		node->job->result,
		"'%s': the time stamp counter runs at %.2f GHz by its register, %.2f GHz by the name '%s'; the register is believed",
		node->files->name, (double)khz / 1e6, (double)name_khz / 1e6, cpu->model_name);
}

/* Without any other clue: so that the median distance of sweeps is the planned one. */
static uint64_t guess_khz(const struct node *node, uint32_t phy, int64_t period_ns)
{
	const struct es_dump *raw = node->raw;
	uint64_t first = 0, last = 0, n = 0;

	for (size_t i = 0; i < raw->n_stamps; i++) {
		if (raw->stamps[i].phy != phy || raw->stamps[i].tsc <= last)
			continue;
		last = raw->stamps[i].tsc;
		first = n++ ? first : last;
	}
	return n > 1 ? (uint64_t)((double)(last - first) * 1e6 /
				  ((double)(n - 1) * (double)period_ns))
		     : 0;
}

static int find_khz(struct node *node, uint32_t phy, int64_t period_ns, uint64_t *ret_khz)
{
	const struct es_escpu *cpu = es_esarch_find(&node->arch, node->raw->phys[phy].name);
	uint64_t khz = cpu ? es_escpu_tsc_khz(cpu) : 0;

	if (khz > 0) {
		*ret_khz = khz;
		return warn_clock(node, cpu, khz);
	}
	*ret_khz = cpu ? es_escpu_name_khz(cpu) : 0;
	if (*ret_khz > 0)
		return es_import_warn(
			node->job->result,
			"'%s': package %s: clock by the model's name, %.2f GHz: its register is missing",
			node->files->name, node->raw->phys[phy].name, (double)*ret_khz / 1e6);
	*ret_khz = guess_khz(node, phy, period_ns);
	return es_import_warn(
		node->job->result,
		"'%s': package %s: nothing tells the clock of its time stamps; taken as %.3f GHz so that the period is the planned one",
		node->files->name, node->raw->phys[phy].name, (double)*ret_khz / 1e6);
}

static int find_times(struct node *node)
{
	int64_t period_ns = node->job->meta.period_ns;
	uint64_t khz[ES_DUMP_PHYS_MAX] = { 0 };
	int r;

	for (uint32_t phy = 0; phy < node->raw->n_phys; phy++) {
		if (node->raw->phys[phy].last_stamp == ES_DUMP_NO_TSC)
			continue;
		r = find_khz(node, phy, period_ns, &khz[phy]);
		if (r < 0)
			return r;
	}
	r = es_estime_init(&node->time, node->raw, khz, period_ns);
	if (r == 0 && node->time.n_out_of_step > 0)
		r = es_import_warn(
			node->job->result,
			"'%s': the time stamps of %u packages were not in step with the first one's; put in step",
			node->files->name, node->time.n_out_of_step);
	if (r == 0 && node->time.is_planned)
		r = es_import_warn(
			node->job->result,
			"'%s': no time stamps (0x010): readings are put where they were planned, every %lld ms",
			node->files->name, (long long)(period_ns / ES_NS_PER_MS));
	return r;
}

static enum es_domain_type type_of(enum es_register reg)
{
	switch (reg) {
	case ES_REG_DRAM_ENERGY:
		return ES_DOMAIN_DRAM;
	case ES_REG_CORE_ENERGY:
		return ES_DOMAIN_CORE;
	case ES_REG_UNCORE_ENERGY:
		return ES_DOMAIN_UNCORE;
	case ES_REG_GPU_ENERGY:
		return ES_DOMAIN_GPU;
	case ES_REG_PACKAGE_ENERGY:
	case ES_REG_AMD_PACKAGE_ENERGY:
	case ES_REG_TSC:
	case ES_REG_PLATFORM_INFO:
	case ES_REG_UNIT:
	case ES_REG_PACKAGE_INFO:
	case ES_REG_PSTATE_0:
		break;
	}
	return ES_DOMAIN_PACKAGE;
}

/* The number at the end of "0" or "gpu-nvidia-3"; -1 where there is none. */
static int32_t number_of(const char *phy)
{
	const char *p = phy + strlen(phy);
	uint64_t v;

	while (p > phy && p[-1] >= '0' && p[-1] <= '9')
		p--;
	return es_parse_u64(p, &v) == 0 && v < 100000 ? (int32_t)v : -1;
}

static bool stands_still(const struct es_dump_channel *channel)
{
	for (size_t i = 1; i < channel->n; i++)
		if (channel->rows[i].value != channel->rows[0].value)
			return false;
	return true;
}

/* Unit, width and plausible power of a channel. */
static int describe(struct node *node, const struct es_dump_channel *channel,
		    struct es_domain *domain, struct es_place_rule *rule)
{
	const char *phy = node->raw->phys[channel->phy].name;
	const struct es_escpu *cpu = es_esarch_find(&node->arch, phy);
	enum es_domain_type type = type_of(channel->reg);
	bool is_gpu = type == ES_DOMAIN_GPU;
	uint64_t tdp_mw;

	es_domain_init(domain, is_gpu ? "nvml" : "msr", type, number_of(phy), -1);
	domain->node = node->index;
	domain->kind = ES_KIND_MEASURED;
	domain->range.unit_nj = 1000;
	*rule = (struct es_place_rule){
		.unit_num = 1000, .unit_den = 1, .width_bits = 64, .peak_mw = domain->peak_mw
	};
	if (is_gpu) {
		rule->drop_ns = node->time.usual_ns;
		rule->over_percent = OVER_PERCENT_GPU;
		return 0;
	}
	domain->update_period_ns = UPDATE_PERIOD_NS;
	rule->width_bits = 32;
	rule->over_percent = OVER_PERCENT;
	if (channel->reg ==
	    ES_REG_AMD_PACKAGE_ENERGY) /* some count 64 bits; one value above 32 proves it */
		for (size_t i = 0; i < channel->n; i++)
			rule->width_bits = channel->rows[i].value > UINT32_MAX ? 64
									       : rule->width_bits;
	if (!cpu)
		return -ENODATA;
	tdp_mw = es_escpu_tdp_mw(cpu);
	if (type == ES_DOMAIN_PACKAGE && tdp_mw > 0) {
		domain->limit_mw = rule->limit_mw = tdp_mw;
		memcpy(domain->limit_kind, "tdp", sizeof("tdp"));
	}
	/* What a wrap is told from a reset by: no package draws three times its TDP, no memory one and a half times. */
	if (tdp_mw > 0)
		rule->peak_mw = type == ES_DOMAIN_DRAM ? tdp_mw + tdp_mw / 2 : tdp_mw * 3;
	if (es_escpu_unit(cpu, channel->reg, &rule->unit_num, &rule->unit_den))
		return 0;
	return es_import_warn(
		node->job->result,
		"'%s': package %s: no unit register (0x606): energies take the usual unit, 1/%llu J",
		node->files->name, phy, (unsigned long long)rule->unit_den);
}

/*
 * Above what a step can be no wrap: the part's own bound, and no more than eight times what it is seen to draw, or every
 * hole of some length would make a DRAM counter of 65 kJ look as if it might have wrapped.
 */
static uint64_t wrap_peak_mw(const struct es_place_rule *rule, uint64_t ceiling_mw)
{
	uint64_t seen_mw = ceiling_mw < 10000 ? 80000 : ceiling_mw * 8;

	return rule->width_bits == 32 && seen_mw < rule->peak_mw ? seen_mw : rule->peak_mw;
}

/* The channel's readings with their times, sifted, into the domain's series. */
static int fill_series(struct node *node, const struct es_dump_channel *channel, int domain,
		       const struct es_place_rule *rule)
{
	es_cleanup(es_freep) struct es_place_reading *readings =
		calloc(channel->n + 1, sizeof(*readings));
	es_cleanup(es_freep) int64_t *t_ns = calloc(channel->n + 1, sizeof(*t_ns));
	es_cleanup(es_freep) uint64_t *raw = calloc(channel->n + 1, sizeof(*raw));
	struct es_import_job *job = node->job;
	struct es_place_result result;
	uint64_t domain_peak_mw;
	size_t n;
	int r;

	if (!readings || !t_ns || !raw)
		return -ENOMEM;
	n = es_estime_readings(&node->time, channel, readings);
	n = es_place_sift(readings, n, rule, &result);
	for (size_t i = 0; i < n; i++) {
		t_ns[i] = readings[i].t_ns + node->start_ns;
		raw[i] = readings[i].value;
	}
	if (result.n_unsure > 0) {
		node->n_unsure += result.n_unsure;
		node->n_unsure_of += channel->n;
		node->n_unsure_domains++;
	}
	domain_peak_mw = job->meta.domains[domain].peak_mw;
	job->meta.domains[domain].peak_mw = wrap_peak_mw(rule, result.ceiling_mw);
	r = es_import_soften(job, (size_t)domain, t_ns, raw, n, rule->unit_num, rule->unit_den,
			     rule->width_bits);
	job->meta.domains[domain].peak_mw = domain_peak_mw;
	return r;
}

static int warn_unsure(const struct node *node)
{
	if (node->n_unsure == 0)
		return 0;
	return es_import_warn(
		node->job->result,
		"%s: %zu of %zu readings of %zu domains left out: when they were read is too unsure to tell a power; their energy is in the next ones",
		node->job->meta.nodes[node->index].name, node->n_unsure, node->n_unsure_of,
		node->n_unsure_domains);
}

static int add_channel(struct node *node, const struct es_dump_channel *channel)
{
	bool is_part = channel->reg == ES_REG_CORE_ENERGY || channel->reg == ES_REG_UNCORE_ENERGY;
	struct es_place_rule rule;
	struct es_domain domain;
	int r;

	/* Servers have the registers of parts too, where they always show 0. */
	if (is_part && stands_still(channel))
		return 0;
	r = describe(node, channel, &domain, &rule);
	if (r < 0)
		return r == -ENODATA ? 0 : r;
	if (es_import_job_find(node->job, node->index, domain.name) >= 0)
		return es_import_warn(node->job->result,
				      "'%s': '%s' occurs twice, the second one is left out",
				      node->files->name, node->raw->phys[channel->phy].name);
	r = es_import_job_domain(node->job, &domain);
	return r < 0 ? r : fill_series(node, channel, r, &rule);
}

static int describe_node(struct node *node)
{
	struct es_node_info *info = &node->job->meta.nodes[node->index];
	uint32_t n_gpus = 0;

	for (size_t i = 0; i < node->arch.n_cpus; i++) {
		const struct es_escpu *cpu = &node->arch.cpus[i];

		if (strncmp(cpu->name, "gpu", 3) == 0)
			continue;
		info->n_packages++;
		info->n_cpus += cpu->n_cpus;
		if (info->cpu_model[0] == '\0')
			memcpy(info->cpu_model, cpu->model_name, sizeof(info->cpu_model));
	}
	for (size_t i = 0; i < node->raw->n_channels; i++)
		n_gpus += node->raw->channels[i].reg == ES_REG_GPU_ENERGY;
	node->job->meta.n_cpus += info->n_cpus;
	node->job->meta.n_gpus += n_gpus > node->arch.n_gpus ? n_gpus : node->arch.n_gpus;
	if (n_gpus < node->arch.n_gpus)
		return es_import_warn(
			node->job->result,
			"'%s': %u GPUs, of which %u were read: the others' energy is missing",
			node->files->name, node->arch.n_gpus, n_gpus);
	return 0;
}

static int warn_damage(struct node *node)
{
	const struct es_dump *raw = node->raw;
	int r = 0;

	if (raw->is_cut)
		r = es_import_warn(node->job->result,
				   "'%s' breaks off at byte %zu: the %zu rows before that are used",
				   node->files->name, raw->cut_at, raw->n_rows);
	if (r == 0 && raw->n_bad_rows > 0)
		r = es_import_warn(node->job->result,
				   "'%s': %zu of %zu rows have no value that makes sense: left out",
				   node->files->name, raw->n_bad_rows, raw->n_rows);
	return r;
}

static int import_node(struct node *node)
{
	int r = es_esarch_read(&node->arch, node->files->text, node->files->n_text,
			       node->files->discovery);

	if (r == -EBADMSG || r == -E2BIG)
		r = es_import_warn(node->job->result,
				   "'%s': its discovery names no packages ('arch')",
				   node->files->name);
	if (r == 0)
		r = warn_damage(node);
	if (r == 0)
		r = describe_node(node);
	if (r == 0)
		r = find_times(node);
	node->first_domain = node->job->meta.n_domains;
	for (size_t i = 0; r == 0 && i < node->raw->n_channels; i++)
		r = add_channel(node, &node->raw->channels[i]);
	if (r == 0)
		r = warn_unsure(node);
	if (r == 0)
		r = es_import_warn_holes(node->job, node->first_domain);
	return r;
}

/* When the node's first sweep began, by its own clock: no zone is written, so it is taken for local time. */
static int64_t start_of(const struct es_esrun_node *node)
{
	int64_t t_unix_ns;

	if (es_time_parse(node->raw->timestamp, &t_unix_ns) == 0 ||
	    es_time_parse(node->raw->date, &t_unix_ns) == 0 ||
	    es_time_parse(node->discovery->date, &t_unix_ns) == 0)
		return t_unix_ns;
	return 0;
}

static int begin(struct es_import_job *job, const struct es_esrun *run)
{
	const struct es_dump *raw = run->nodes[0].raw, *discovery = run->nodes[0].discovery;
	uint64_t period_ms = raw->period_ms ? raw->period_ms : run->period_ms;
	struct es_meta *meta = &job->meta;

	(void)snprintf(meta->tool, sizeof(meta->tool), "%s", TOOL);
	es_import_set_text(meta->job, sizeof(meta->job), discovery->job);
	if (period_ms < 1 || period_ms > (uint64_t)(ES_PERIOD_MAX_NS / ES_NS_PER_MS))
		period_ms = PERIOD_DEFAULT_MS;
	meta->period_ns = (int64_t)period_ms * ES_NS_PER_MS;
	for (size_t i = 0; i < run->n_nodes; i++) {
		int64_t start_ns = start_of(&run->nodes[i]);

		if (start_ns != 0 && (meta->start_unix_ns == 0 || start_ns < meta->start_unix_ns))
			meta->start_unix_ns = start_ns;
	}
	if (meta->start_unix_ns == 0)
		return es_import_warn(job->result, "'%s': no start time in it: dates mean nothing",
				      run->nodes[0].name);
	return es_import_warn(job->result,
			      "job %s: its times have no zone, they are taken for local time here",
			      meta->job);
}

int es_import_esrun(struct es_import_job *job, const struct es_esrun *run, struct es_error *err)
{
	size_t n_readings = 0;
	int r = begin(job, run);

	for (size_t i = 0; r >= 0 && i < run->n_nodes; i++) {
		struct node node = { .files = &run->nodes[i],
				     .raw = run->nodes[i].raw,
				     .job = job };
		int64_t start_ns = start_of(node.files);

		r = es_import_job_node(
			job, node.files->discovery->node[0] ? node.files->discovery->node : "node");
		if (r < 0)
			break;
		node.index = (uint32_t)r;
		node.start_ns = start_ns ? start_ns - job->meta.start_unix_ns : 0;
		r = import_node(&node);
		es_esarch_finish(&node.arch);
		es_estime_finish(&node.time);
	}
	for (size_t i = 0; i < job->meta.n_domains; i++)
		n_readings += job->series[i].n;
	if (r >= 0 && n_readings == 0)
		return es_error_say(err, -ENODATA, "'%s' has no reading of energy in %zu rows",
				    run->nodes[0].name, run->nodes[0].raw->n_rows);
	if (r >= 0 && run->cmd)
		r = es_import_escmd(job, run->cmd);
	if (r >= 0 && run->info)
		r = es_import_esinfo(job, run->info, run->n_info, !run->cmd);
	return r < 0 ? es_error_set(err, r, "cannot import '%s'", run->nodes[0].name) : 0;
}
