/*
 * source/msr.c - RAPL counters from the processors' own registers
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hot.h"
#include "source/msr_places.h"
#include "source/source.h"

#define MASK_32 UINT64_C(0xffffffff)
#define NOT_IN_BATCH SIZE_MAX

/** struct meter - one register of one place; in the order of the domains */
struct meter {
	size_t place;
	uint32_t reg;
	struct es_msr_unit unit;
	uint64_t mask;
	int error; /* it is not read at all: denied, or not there */
	bool is_unwanted;
	bool is_batchable;
	size_t op; /* its operation in the batch */
};

struct msr {
	struct es_source source;
	struct es_root root; /* a descriptor of its own */
	struct es_msr_processor processor;
	struct es_msr_places places;
	struct meter *meters;
	int batch_fd; /* -1: each register by a call of its own */
	struct es_msr_op *ops;
	size_t n_ops;
};

static void say_allow(struct es_domain *domain, uint32_t reg)
{
	(void)snprintf(domain->reason, sizeof(domain->reason),
		       "register 0x%x is not in msr-safe's allow-list", reg);
	/* Each write replaces the whole list: it must come in one. */
	(void)snprintf(domain->fix, sizeof(domain->fix),
		       "(sudo cat /dev/cpu/msr_allowlist; echo 0x%08x 0x0000000000000000) | "
		       "sudo dd of=/dev/cpu/msr_allowlist bs=1M iflag=fullblock",
		       reg);
}

static void say_closed(const struct msr *msr, uint32_t cpu, const struct es_msr_failure *failure,
		       struct es_domain *domain)
{
	const struct es_root *root = &msr->root;
	uid_t uid = root->judges_rights ? root->uid : geteuid();
	gid_t gid = root->judges_rights ? root->gid : getegid();
	const char *name = failure->device == ES_MSR_SAFE ? "msr_safe" : "msr";

	if (uid == 0) {
		(void)snprintf(
			domain->reason, sizeof(domain->reason),
			"refused even to root: this container has no right to /dev/cpu/%u/%s", cpu,
			name);
		(void)snprintf(
			domain->fix, sizeof(domain->fix),
			"start the container with --cap-add SYS_RAWIO --device /dev/cpu/%u/%s", cpu,
			name);
	} else if (failure->device == ES_MSR_SAFE) {
		(void)snprintf(domain->reason, sizeof(domain->reason),
			       "/dev/cpu/%u/msr_safe may be read by its group only", cpu);
		(void)snprintf(domain->fix, sizeof(domain->fix),
			       "sudo sh -c 'cd /dev/cpu; chgrp %u */msr_safe msr_batch; "
			       "chmod g+r */msr_safe msr_batch'",
			       (unsigned)gid);
	} else {
		if (failure->error == -EPERM)
			(void)snprintf(domain->reason, sizeof(domain->reason),
				       "/dev/cpu/%u/msr needs the capability CAP_SYS_RAWIO", cpu);
		else
			(void)snprintf(domain->reason, sizeof(domain->reason),
				       "/dev/cpu/%u/msr may be read by root only", cpu);
		(void)snprintf(domain->fix, sizeof(domain->fix),
			       "sudo sh -c 'chgrp %u /dev/cpu/*/msr; chmod g+r /dev/cpu/*/msr; "
			       "setcap cap_sys_rawio=ep \"$1\"' sh \"$(command -v energyscopium)\"",
			       (unsigned)gid);
	}
}

static void say_absent(struct es_domain *domain, const char *reason)
{
	domain->state = ES_STATE_ABSENT;
	(void)snprintf(domain->reason, sizeof(domain->reason), "%s", reason);
}

static void name_domain(const struct es_msr_place *place, enum es_domain_type type,
			struct es_domain *domain)
{
	if (type == ES_DOMAIN_PACKAGE && place->die >= 0)
		type = ES_DOMAIN_DIE;
	/* The names that powercap and perf give them, so that the same meter is known as the same. */
	if (type == ES_DOMAIN_PSYS) {
		es_domain_init(domain, es_source_msr.name, type, -1, -1);
		if (place->package > 0)
			(void)snprintf(domain->name, sizeof(domain->name), "psys-%d",
				       place->package);
	} else {
		es_domain_init(domain, es_source_msr.name, type, place->package, place->die);
	}
	if (place->core >= 0) {
		domain->core = place->core;
		domain->is_partial = true;
		(void)snprintf(domain->name, sizeof(domain->name), "core-%d-cpu-%u", place->package,
			       place->cpus[0].cpu);
		(void)snprintf(domain->reason, sizeof(domain->reason),
			       "one core only, not the cores of the package");
	}
	(void)snprintf(domain->id, sizeof(domain->id), "%s/%.200s", es_source_msr.name,
		       domain->name);
	domain->kind = ES_KIND_MEASURED;
	domain->update_period_ns = ES_NS_PER_MS;
}

/* The limit in force, else the power that the maker states; and the highest one, where that is above what we believe. */
static void find_limits(const struct msr *msr, const struct es_msr_place *place,
			struct es_domain *domain)
{
	const struct es_msr_processor *processor = &msr->processor;
	uint64_t value, power_mw, most_mw = 4 * domain->peak_mw;

	if (processor->limit_reg == 0 || place->msr.is_packed)
		return;
	if (es_msr_read(&msr->root, &place->msr, processor->info_reg, &value) == 0) {
		domain->limit_mw = es_msr_power_mw(processor, place->unit_value, value & 0x7fff);
		if (domain->limit_mw)
			(void)snprintf(domain->limit_kind, sizeof(domain->limit_kind), "tdp");
		power_mw = 2 * es_msr_power_mw(processor, place->unit_value, value >> 32 & 0x7fff);
		if (power_mw > domain->peak_mw)
			domain->peak_mw = power_mw < most_mw ? power_mw : most_mw;
	}
	if (es_msr_read(&msr->root, &place->msr, processor->limit_reg, &value) < 0 ||
	    !(value & 1U << 15))
		return;
	power_mw = es_msr_power_mw(processor, place->unit_value, value & 0x7fff);
	if (power_mw) {
		domain->limit_mw = power_mw;
		(void)snprintf(domain->limit_kind, sizeof(domain->limit_kind), "long_term");
	}
}

/*
 * What is known after a first reading; false: it is not worth a line. A register that stands at 0 is none: the kernel's
 * drivers leave such a domain out, too. Only a package keeps the doubt, until it was busy and did not count.
 */
static bool judge_first(const struct msr *msr, const struct es_msr_register *row,
			const struct es_msr_place *place, struct meter *meter,
			struct es_domain *domain, uint64_t first)
{
	bool is_package = row->type == ES_DOMAIN_PACKAGE;

	meter->unit = es_msr_energy_unit(&msr->processor, row->type, place->unit_value);
	meter->mask = MASK_32;
	domain->range = es_msr_range(&meter->unit);
	/* The lower half of a wide counter is a counter too; the upper half is taken once it has been seen to count. */
	if (msr->processor.may_be_64 && first > MASK_32) {
		meter->mask = UINT64_MAX;
		domain->range.modulus_nj = 0;
	} else if (domain->range.modulus_nj == 0) {
		(void)snprintf(domain->reason, sizeof(domain->reason),
			       "its range does not fit: a wrap is taken for a reset");
	}
	if (place->unit_value == 0)
		say_absent(domain, "its unit register reads 0: the host of this VM shows none");
	else if (first == 0 && !is_package)
		say_absent(domain, "its register reads 0: it is not counted here");
	if (domain->state == ES_STATE_ABSENT)
		meter->error = -ENODEV;
	return domain->state != ES_STATE_ABSENT || is_package ||
	       (row->is_sure && place->unit_value != 0);
}

/* One register of a place that can be read, or why it cannot (@failure); false: it is not worth a line. */
static bool open_meter(const struct msr *msr, size_t place_index, const struct es_msr_register *row,
		       struct es_msr_failure failure, struct meter *meter, struct es_domain *domain)
{
	struct es_msr_place *place = &msr->places.place[place_index];
	uint64_t first = 0;

	*meter = (struct meter){
		.place = place_index, .reg = row->reg, .op = NOT_IN_BATCH, .is_batchable = true
	};
	name_domain(place, row->type, domain);
	domain->may_mirror = place->die >= 0 && msr->processor.dies_may_mirror;
	if (failure.error == 0) {
		failure.device = place->device;
		failure.reg = row->reg;
		failure.error =
			es_msr_place_read(&msr->root, place, row->reg, es_clock_boot_ns(), &first);
	}
	meter->error = failure.error;
	if (failure.error == 0)
		return judge_first(msr, row, place, meter, domain, first);
	if (failure.error == -EACCES || failure.error == -EPERM) {
		domain->state = ES_STATE_DENIED;
		if (failure.reg)
			say_allow(domain, failure.reg);
		else
			say_closed(msr, es_msr_place_cpu(place), &failure, domain);
	} else if (failure.error == -EIO) {
		say_absent(domain, "its register cannot be read: this processor, or the host of "
				   "this VM, has none");
	} else {
		say_absent(domain, es_strerror(failure.error));
	}
	return row->is_sure || row->type == ES_DOMAIN_PACKAGE;
}

/* The board's counter is one, whatever number of dies shows it. */
static bool is_of(const struct es_msr_register *row, const struct es_msr_places *places, size_t i)
{
	const struct es_msr_place *place = &places->place[i];

	if (row->type == ES_DOMAIN_PSYS && i > 0 && places->place[i - 1].package == place->package)
		return false;
	return row->is_per_core == (place->core >= 0);
}

/* A core is read as its package is, which comes before it; false: that cannot be read either. */
static bool open_core(const struct msr *msr, struct es_msr_place *core)
{
	for (size_t i = 0; i < msr->places.n && msr->places.place[i].core < 0; i++) {
		const struct es_msr_place *package = &msr->places.place[i];

		if (package->package != core->package || !package->can_read)
			continue;
		core->device = package->device;
		core->unit_value = package->unit_value;
		core->can_read = true;
	}
	return core->can_read;
}

static void open_place(struct msr *msr, size_t index)
{
	const struct es_msr_processor *processor = &msr->processor;
	struct es_msr_place *place = &msr->places.place[index];
	struct es_msr_failure failure = { .error = 0 };
	size_t first = msr->source.n_domains;

	if (place->core < 0)
		es_msr_place_try(&msr->root, place, processor->unit_reg,
				 processor->registers[0].reg, &failure);
	else if (!open_core(msr, place))
		return;
	for (size_t i = 0; i < processor->n_registers; i++) {
		const struct es_msr_register *row = &processor->registers[i];
		size_t n = msr->source.n_domains;
		struct es_domain *domain = &msr->source.domains[n];

		if (!is_of(row, &msr->places, index) ||
		    !open_meter(msr, index, row, failure, &msr->meters[n], domain))
			continue;
		if (row->type == ES_DOMAIN_PACKAGE && msr->meters[n].error == 0)
			find_limits(msr, place, domain);
		for (size_t j = first; j < n; j++)
			if (msr->source.domains[j].type != ES_DOMAIN_PSYS &&
			    es_domain_contains(&msr->source.domains[j], domain))
				domain->parent = (int32_t)j;
		msr->source.n_domains++;
	}
}

/* A core's package, by place: they come first. */
static void set_core_parents(struct msr *msr)
{
	for (size_t i = 0; i < msr->source.n_domains; i++) {
		struct es_domain *core = &msr->source.domains[i];

		for (size_t j = 0; core->core >= 0 && j < i && core->parent < 0; j++)
			if (msr->source.domains[j].core < 0 &&
			    msr->source.domains[j].type == ES_DOMAIN_PACKAGE &&
			    es_domain_contains(&msr->source.domains[j], core))
				core->parent = (int32_t)j;
	}
}

static int allocate(struct msr *msr)
{
	size_t n = msr->places.n * ES_MSR_REGISTERS_MAX;

	msr->source.domains = calloc(n, sizeof(*msr->source.domains));
	msr->meters = calloc(n, sizeof(*msr->meters));
	msr->ops = calloc(n, sizeof(*msr->ops));
	return msr->source.domains && msr->meters && msr->ops ? 0 : -ENOMEM;
}

static void fill_batch(struct msr *msr)
{
	msr->n_ops = 0;
	for (size_t i = 0; i < msr->source.n_domains; i++) {
		struct meter *meter = &msr->meters[i];
		const struct es_msr_place *place = &msr->places.place[meter->place];

		meter->op = NOT_IN_BATCH;
		if (msr->batch_fd < 0 || meter->error || meter->is_unwanted ||
		    !meter->is_batchable || !place->is_kept || es_msr_place_cpu(place) > UINT16_MAX)
			continue;
		meter->op = msr->n_ops;
		msr->ops[msr->n_ops++] = (struct es_msr_op){
			.cpu = (uint16_t)es_msr_place_cpu(place),
			.reg = meter->reg,
		};
	}
}

/* Registers that the batch refused are left to single reads, so that they do not spoil it for the others. */
static bool leave_refused(struct msr *msr, bool is_opening)
{
	bool was_refused = false;

	for (size_t i = 0; i < msr->source.n_domains; i++) {
		struct meter *meter = &msr->meters[i];
		int error = meter->op != NOT_IN_BATCH ? msr->ops[meter->op].error : 0;

		/* Later a CPU may come back. */
		if (error == 0 || error == -EAGAIN || (!is_opening && error != -EACCES))
			continue;
		meter->is_batchable = false;
		was_refused = true;
	}
	return was_refused;
}

static void open_batch(struct msr *msr)
{
	msr->batch_fd = es_msr_batch_open(&msr->root);
	do
		fill_batch(msr);
	while (msr->n_ops > 0 &&
	       es_msr_batch_read(&msr->root, msr->batch_fd, msr->ops, msr->n_ops) < 0 &&
	       leave_refused(msr, true));
}

static int set_up(struct msr *msr, struct es_error *err)
{
	if (allocate(msr) < 0)
		return es_error_set(err, -ENOMEM, "msr");
	for (size_t i = 0; i < msr->places.n; i++)
		open_place(msr, i);
	set_core_parents(msr);
	open_batch(msr);
	return 0;
}

static void msr_close(struct es_source *source)
{
	struct msr *msr = (struct msr *)source;

	if (!msr)
		return;
	es_closep(&msr->batch_fd);
	es_msr_places_finish(&msr->places);
	free(msr->meters);
	free(msr->ops);
	free(source->domains);
	es_root_close(&msr->root);
	free(msr);
}

static int msr_open(const struct es_root *root, struct es_source **ret, struct es_error *err)
{
	struct es_machine machine = { .n_cpus = 0 };
	struct es_msr_processor processor;
	struct msr *msr;
	int r;

	es_machine_read_cpu(root, &machine);
	r = es_msr_find_processor(&machine, &processor);
	if (r < 0)
		return es_error_say(err, r, "no energy registers are known of this processor (%s)",
				    machine.cpu_vendor[0] ? machine.cpu_vendor : "unknown");
	if (!es_msr_places_exist(root))
		return es_error_say(
			err, -ENODEV, "%s",
			root->is_machine
				? "there is no /dev/cpu/N/msr: 'sudo modprobe msr' makes it"
				: "not this machine's, and the tree has no dev/cpu/N/msr");
	msr = calloc(1, sizeof(*msr));
	if (!msr)
		return es_error_set(err, -ENOMEM, "msr");
	msr->source.ops = &es_source_msr;
	msr->processor = processor;
	msr->batch_fd = -1;
	r = es_root_dup(root, &msr->root);
	if (r < 0) {
		free(msr);
		return es_error_set(err, r, "msr");
	}
	r = es_msr_places_find(root, &processor, &msr->places);
	if (r < 0)
		(void)es_error_set(err, r, "which CPUs are online");
	else
		r = set_up(msr, err);
	if (r < 0) {
		msr_close(&msr->source);
		return r;
	}
	*ret = &msr->source;
	return 0;
}

static int msr_plan(const struct es_source *source, struct es_plan *ret)
{
	const struct msr *msr = (const struct msr *)source;
	struct es_plan plan = { .at_least_ns = INT64_MAX, .at_most_ns = ES_NS_PER_MS };

	for (size_t i = 0; i < source->n_domains; i++) {
		const struct es_domain *domain = &source->domains[i];
		int64_t wrap_ns = es_counter_wrap_ns(&domain->range, domain->peak_mw);

		if (msr->meters[i].error == 0 && wrap_ns < INT64_MAX &&
		    wrap_ns / 4 < plan.at_least_ns)
			plan.at_least_ns = wrap_ns / 4;
	}
	*ret = plan;
	return 0;
}

/* Cores that were asked for keep their device open; what nobody asked for is left unread. */
static void msr_want(struct es_source *source, const bool *wanted)
{
	struct msr *msr = (struct msr *)source;

	for (size_t i = 0; i < source->n_domains; i++) {
		struct es_msr_place *place = &msr->places.place[msr->meters[i].place];

		msr->meters[i].is_unwanted = !wanted[i];
		if (place->core >= 0)
			place->is_kept = wanted[i];
		if (!place->is_kept)
			es_msr_close(&place->msr);
	}
	fill_batch(msr);
}

es_hot static void put(const struct meter *meter, uint64_t raw, int64_t t0_ns, int64_t t1_ns,
		       int error, struct es_reading *ret)
{
	uint64_t value_uj = error ? 0 : es_msr_energy_uj(&meter->unit, raw & meter->mask);

	*ret = (struct es_reading){
		.t_ns = t0_ns + (t1_ns - t0_ns) / 2,
		.width_ns = t1_ns - t0_ns,
		.value = value_uj == UINT64_MAX ? 0 : value_uj,
		.error = value_uj == UINT64_MAX ? -ERANGE : error,
	};
}

/* What a batch did not try, or refused, may well be read alone; a register that does not answer is asked once. */
es_hot static bool is_worth_more(int error)
{
	return error == -EAGAIN || error == -ENXIO || error == -EACCES;
}

/* All of the batch; what it could not read is left to single reads. */
es_hot static void read_batch(struct msr *msr, struct es_reading *ret)
{
	int64_t t0_ns = es_clock_boot_ns(), t1_ns;
	bool was_refused = false;

	if (msr->n_ops == 0)
		return;
	(void)es_msr_batch_read(&msr->root, msr->batch_fd, msr->ops, msr->n_ops);
	t1_ns = es_clock_boot_ns();
	for (size_t i = 0; i < msr->source.n_domains; i++) {
		struct meter *meter = &msr->meters[i];
		struct es_msr_place *place = &msr->places.place[meter->place];
		const struct es_msr_op *op;

		if (meter->op == NOT_IN_BATCH)
			continue;
		op = &msr->ops[meter->op];
		put(meter, op->value, t0_ns, t1_ns, op->error, &ret[i]);
		if (op->error == -ENXIO && op->cpu == es_msr_place_cpu(place))
			es_msr_place_leave(place);
		was_refused = was_refused || op->error == -EACCES;
	}
	if (was_refused)
		(void)leave_refused(msr, false);
}

es_hot static int msr_read(struct es_source *source, struct es_reading *ret, size_t n)
{
	struct msr *msr = (struct msr *)source;
	bool has_moved = false;
	int64_t t0_ns;

	if (n < source->n_domains)
		return -EINVAL;
	read_batch(msr, ret);
	t0_ns = es_clock_boot_ns();
	for (size_t i = 0; i < source->n_domains; i++) {
		const struct meter *meter = &msr->meters[i];
		bool is_read = meter->error == 0 && !meter->is_unwanted;
		int r = meter->error ? meter->error : -ECANCELED;
		int64_t t1_ns = t0_ns;
		uint64_t raw = 0;

		if (meter->op != NOT_IN_BATCH && !is_worth_more(ret[i].error))
			continue;
		has_moved = has_moved || meter->op != NOT_IN_BATCH;
		if (is_read) {
			r = es_msr_place_read(&msr->root, &msr->places.place[meter->place],
					      meter->reg, t0_ns, &raw);
			t1_ns = es_clock_boot_ns();
		}
		put(meter, raw, t0_ns, t1_ns, r, &ret[i]);
		t0_ns = t1_ns;
	}
	/* Other CPUs may read from now on, or fewer registers may be in it. */
	if (has_moved)
		fill_batch(msr);
	return 0;
}

const struct es_source_ops es_source_msr = {
	.name = "msr",
	.is_spare = true,
	.open = msr_open,
	.plan = msr_plan,
	.want = msr_want,
	.read = msr_read,
	.close = msr_close,
};
