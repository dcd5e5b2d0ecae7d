/*
 * account_claims.c - the node's book: what each job did, and what it is given for it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "daemon/account_private.h"

#define UNKNOWN UINT64_MAX

/* Claims on what is held are in ppm times µs: 200 days of all of it fit. */
static uint64_t held_for(uint32_t held_ppm, int64_t dur_ns)
{
	return (uint64_t)held_ppm * (uint64_t)(dur_ns / ES_NS_PER_US);
}

static int64_t longer(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static uint64_t step_of(int64_t now_ns, int64_t then_ns)
{
	return now_ns < 0 || then_ns < 0 || now_ns < then_ns ? UNKNOWN
							     : (uint64_t)(now_ns - then_ns);
}

static uint64_t sum_known(const uint64_t *steps, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		if (steps[i] == UNKNOWN)
			return UNKNOWN;
		sum += steps[i];
	}
	return n ? sum : UNKNOWN;
}

static void read_busy(struct es_account *account, const struct es_jobs *jobs)
{
	for (size_t i = 0; i < account->n_packages; i++) {
		int64_t busy_ns = es_jobs_busy_ns(jobs, i);

		account->busy_step_ns[i] = step_of(busy_ns, account->busy_ns[i]);
		account->busy_ns[i] = busy_ns;
	}
}

/* From when to when it ran since the last sweep, and with what CPU time. */
static void meet(struct es_account *account, struct es_account_job *own, const struct es_job *job,
		 int64_t now_ns, int64_t dur_ns)
{
	int64_t since_ns = longer(now_ns - dur_ns, longer(own->seen_ns, job->start_ns));
	int64_t upto_ns = job->stop_ns && job->stop_ns < now_ns ? job->stop_ns : now_ns;
	bool is_new = own->seen_ns == 0, is_whole = is_new && job->start_ns >= now_ns - dur_ns;

	own->is_here = true;
	own->job = job;
	own->here_ns = longer(upto_ns - since_ns, 0);
	own->seen_ns = now_ns;
	own->drawn_uj = 0;
	for (size_t i = 0; i < account->n_packages; i++) {
		int64_t cpu_ns = job->cpu_ns ? job->cpu_ns[i] : -1;

		/* One that began since the last sweep has used all that it has in this one. */
		own->step_ns[i] = step_of(cpu_ns, is_whole ? 0 : own->cpu_ns[i]);
		own->cpu_ns[i] = cpu_ns;
	}
}

static int meet_all(struct es_account *account, struct es_jobs *jobs, int64_t now_ns,
		    int64_t dur_ns)
{
	struct es_job *job;
	int r = 0;

	for (size_t i = 0; i < account->n_jobs; i++) {
		account->jobs[i]->is_here = account->jobs[i]->is_exclusive = false;
		account->jobs[i]->here_ns = 0;
		account->jobs[i]->drawn_uj = 0;
	}
	for (size_t i = 0; (job = es_jobs_at(jobs, i)); i++) {
		if (!job->account)
			job->account = es_account_job_create(account, job->serial);
		if (!job->account) {
			r = -ENOMEM;
			continue;
		}
		meet(account, job->account, job, now_ns, dur_ns);
		((struct es_account_job *)job->account)->is_exclusive =
			es_jobs_is_exclusive(jobs, job);
	}
	return r;
}

/* Of the CPUs of a package, or of all. */
static uint32_t allocated_ppm(const struct es_account *account, const struct es_account_line *line,
			      const struct es_account_job *own)
{
	const uint32_t *of = own->job->allocated_ppm;
	uint64_t sum = 0;

	if (!of)
		return 0;
	if (line->scope == ES_SCOPE_PACKAGE)
		return of[line->package];
	for (size_t i = 0; i < account->n_packages; i++)
		sum += of[i];
	return account->n_packages ? (uint32_t)(sum / account->n_packages) : 0;
}

static uint64_t cpu_step(const struct es_account *account, const struct es_account_line *line,
			 const struct es_account_job *own)
{
	return line->scope == ES_SCOPE_PACKAGE ? own->step_ns[line->package]
					       : sum_known(own->step_ns, account->n_packages);
}

/* Whether this job alone may use the part, and nobody else's job did. */
static bool is_sole(const struct es_account *account, const struct es_account_line *line, size_t i,
		    const struct es_account_job *own)
{
	if (line->scope == ES_SCOPE_GPU)
		return line->gpu.n_holders == 1 && own->holds[i].is_held &&
		       own->holds[i].held_ppm == ES_ACCOUNT_WHOLE_PPM;
	if (line->scope != ES_SCOPE_PACKAGE ||
	    allocated_ppm(account, line, own) < ES_ACCOUNT_WHOLE_PPM)
		return false;
	for (size_t j = 0; j < account->n_jobs; j++) {
		const struct es_account_job *other = account->jobs[j];

		if (other->is_here && other != own &&
		    (allocated_ppm(account, line, other) || cpu_step(account, line, other)))
			return false;
	}
	return true;
}

/* The time for which one job had all of the part; where several say so, it is divided. Returns how long all of them had it. */
static int64_t claim_whole(struct es_account *account, struct es_account_line *line, size_t i,
			   int64_t dur_ns)
{
	bool has_exclusive = false;
	uint64_t sum_ns = 0;

	for (size_t j = 0; j < account->n_jobs; j++)
		has_exclusive |= account->jobs[j]->is_exclusive && account->jobs[j]->here_ns > 0;
	for (size_t j = 0; j < account->n_jobs; j++) {
		struct es_account_job *own = account->jobs[j];

		own->has_whole = own->is_here && (has_exclusive ? own->is_exclusive
								: is_sole(account, line, i, own));
		sum_ns += own->has_whole ? (uint64_t)own->here_ns : 0;
	}
	for (size_t j = 0; sum_ns && j < account->n_jobs; j++) {
		struct es_account_job *own = account->jobs[j];

		if (!own->has_whole)
			continue;
		own->claims[i].whole_ns +=
			sum_ns > (uint64_t)dur_ns
				? es_part_of((uint64_t)dur_ns, (uint64_t)own->here_ns, sum_ns)
				: (uint64_t)own->here_ns;
		own->shares[i].rule = has_exclusive ? ES_SHARE_EXCLUSIVE : ES_SHARE_DIRECT;
	}
	return sum_ns > (uint64_t)dur_ns ? dur_ns : (int64_t)sum_ns;
}

/* What a job used whose CPU time is not known: as much as its part of the CPUs of what all used, else all of these CPUs. */
static uint64_t guess_used(const struct es_account *account, const struct es_account_line *line,
			   uint32_t held_ppm, uint64_t busy_ns, int64_t here_ns)
{
	uint64_t n_cpus = account->options.n_cpus;

	if (line->scope == ES_SCOPE_PACKAGE && account->n_packages)
		n_cpus /= account->n_packages;
	if (busy_ns == UNKNOWN)
		busy_ns = (uint64_t)here_ns * (n_cpus ? n_cpus : 1);
	return es_part_of(busy_ns, held_ppm, ES_ACCOUNT_WHOLE_PPM);
}

static void claim_cpu(struct es_account *account, struct es_account_line *line, size_t i,
		      int64_t shared_ns)
{
	uint64_t busy_ns = line->scope == ES_SCOPE_PACKAGE
				   ? account->busy_step_ns[line->package]
				   : sum_known(account->busy_step_ns, account->n_packages);
	uint64_t others_ns = 0, whole_ns = 0;

	for (size_t j = 0; j < account->n_jobs; j++) {
		struct es_account_job *own = account->jobs[j];
		uint64_t used_ns = own->is_here ? cpu_step(account, line, own) : 0;
		uint32_t held_ppm = own->is_here ? allocated_ppm(account, line, own) : 0;

		if (own->has_whole)
			whole_ns += used_ns == UNKNOWN ? 0 : used_ns;
		if (own->has_whole || !own->is_here || shared_ns == 0)
			continue;
		own->shares[i].rule = used_ns == UNKNOWN ? ES_SHARE_ALLOCATION : ES_SHARE_CPU_TIME;
		if (used_ns == UNKNOWN)
			used_ns = guess_used(account, line, held_ppm, busy_ns, own->here_ns);
		own->claims[i].used += used_ns;
		own->claims[i].held += held_for(held_ppm, own->here_ns);
		others_ns += used_ns;
	}
	if (busy_ns == UNKNOWN)
		line->is_busy_unknown = true;
	else
		line->busy_ns += busy_ns;
	if (shared_ns == 0)
		return;
	if (busy_ns == UNKNOWN)
		line->used += others_ns;
	else
		line->used += busy_ns > whole_ns ? busy_ns - whole_ns : 0;
}

static void claim_gpu(struct es_account *account, struct es_account_line *line, size_t i,
		      int64_t shared_ns)
{
	for (size_t j = 0; j < account->n_jobs; j++) {
		struct es_account_job *own = account->jobs[j];

		if (own->has_whole || !own->is_here || !own->holds[i].is_held)
			continue;
		own->shares[i].rule = own->holds[i].rule;
		own->claims[i].used += own->holds[i].used;
		own->claims[i].held += held_for(own->holds[i].held_ppm, own->here_ns);
	}
	if (shared_ns > 0)
		line->used += line->gpu.used;
	line->is_busy_unknown = true;
}

static bool holds_any(const struct es_account *account, const struct es_account_line *line,
		      size_t i)
{
	for (size_t j = 0; j < account->n_jobs; j++) {
		const struct es_account_job *own = account->jobs[j];

		if (own->is_here &&
		    (line->scope != ES_SCOPE_GPU || own->is_exclusive || own->holds[i].is_held))
			return true;
	}
	return false;
}

/* The whole and the shared time of this sweep; the latter is returned. */
static int64_t claim_time(struct es_account *account, size_t i, int64_t dur_ns)
{
	struct es_account_line *line = &account->lines[i];
	int64_t whole_ns = claim_whole(account, line, i, dur_ns);

	line->open_ns += dur_ns;
	line->whole_ns += whole_ns;
	line->held += held_for(ES_ACCOUNT_WHOLE_PPM, dur_ns - whole_ns);
	line->was_held |= holds_any(account, line, i);
	return dur_ns - whole_ns;
}

int es_account_claim(struct es_account *account, struct es_jobs *jobs, int64_t now_ns,
		     int64_t dur_ns)
{
	int r;

	read_busy(account, jobs);
	r = meet_all(account, jobs, now_ns, dur_ns);
	es_account_gpus_update(account, jobs, now_ns, dur_ns);
	for (size_t i = 0; dur_ns > 0 && i < account->n_parts; i++) {
		struct es_account_line *line = &account->lines[i];
		int64_t shared_ns;

		if (line->scope == ES_SCOPE_REST)
			continue;
		shared_ns = claim_time(account, i, dur_ns);
		if (line->scope == ES_SCOPE_GPU)
			claim_gpu(account, line, i, shared_ns);
		else
			claim_cpu(account, line, i, shared_ns);
	}
	return r;
}

void es_account_claim_rest(struct es_account *account, int64_t dur_ns)
{
	size_t i = account->n_parts - 1;
	struct es_account_line *line = &account->lines[i];
	uint64_t busy_ns = sum_known(account->busy_step_ns, account->n_packages);
	uint64_t whole_uj = 0;
	int64_t shared_ns;

	if (!account->has_rest || dur_ns <= 0)
		return;
	shared_ns = claim_time(account, i, dur_ns);
	for (size_t j = 0; j < account->n_jobs; j++) {
		struct es_account_job *own = account->jobs[j];

		if (own->has_whole)
			whole_uj += own->drawn_uj;
		if (own->has_whole || !own->is_here || shared_ns == 0)
			continue;
		own->shares[i].rule = ES_SHARE_PARTS;
		own->claims[i].used += own->drawn_uj;
		own->claims[i].held += held_for(allocated_ppm(account, line, own), own->here_ns);
	}
	if (shared_ns > 0)
		line->used += account->drawn_uj - whole_uj;
	line->is_busy_unknown |= busy_ns == UNKNOWN;
	line->busy_ns += busy_ns == UNKNOWN ? 0 : busy_ns;
}

/* By what they had for themselves, or by what they used and held. */
static void give(struct es_account *account, size_t i, const struct es_share_part *part,
		 bool is_whole)
{
	struct es_account_line *line = &account->lines[i];
	uint64_t idle_uj, rest_uj;

	if (part->energy_uj == 0)
		return;
	for (size_t j = 0; j < account->n_jobs; j++) {
		const struct es_account_claim *claim = &account->jobs[j]->claims[i];

		account->claims[j].used = is_whole ? claim->whole_ns : claim->used;
		account->claims[j].held = is_whole ? claim->whole_ns : claim->held;
	}
	es_share_out(part, account->claims, account->n_jobs, account->portions, &idle_uj, &rest_uj);
	account->drawn_uj += rest_uj;
	line->part.idle_uj += idle_uj;
	line->part.rest_uj += rest_uj;
	for (size_t j = 0; j < account->n_jobs; j++) {
		struct es_account_job *own = account->jobs[j];
		const struct es_portion *portion = &account->portions[j];

		own->shares[i].idle_method = line->part.idle_method;
		own->shares[i].dynamic_uj += portion->dynamic_uj;
		own->shares[i].idle_uj += portion->idle_uj;
		own->sum_uj += portion->dynamic_uj + portion->idle_uj;
		own->drawn_uj += portion->dynamic_uj;
		account->drawn_uj += portion->dynamic_uj;
	}
}

void es_account_share_out(struct es_account *account, size_t i, uint64_t energy_uj)
{
	struct es_account_line *line = &account->lines[i];
	uint64_t idle_uj = es_account_idle(line), whole_ns = (uint64_t)line->whole_ns,
		 open_ns = (uint64_t)line->open_ns;
	struct es_share_part whole = { .used = whole_ns, .held = whole_ns };
	struct es_share_part shared = { .used = line->used, .held = line->held };

	idle_uj = idle_uj < energy_uj ? idle_uj : energy_uj;
	whole.energy_uj = es_part_of(energy_uj, whole_ns, open_ns);
	whole.idle_uj = es_part_of(idle_uj, whole_ns, open_ns);
	shared.energy_uj = energy_uj - whole.energy_uj;
	shared.idle_uj = idle_uj - whole.idle_uj;
	give(account, i, &whole, true);
	give(account, i, &shared, false);
	line->part.energy_uj += energy_uj;
	es_account_watch_idle(account, line, energy_uj);
	line->open_ns = line->whole_ns = 0;
	line->used = line->held = line->busy_ns = 0;
	line->was_held = line->is_busy_unknown = false;
	for (size_t j = 0; j < account->n_jobs; j++)
		account->jobs[j]->claims[i] = (struct es_account_claim){ .used = 0 };
}
