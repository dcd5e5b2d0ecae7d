/*
 * account.c - the node's book: what each sweep's joules were used for
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "daemon/account.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/account_private.h"

void es_account_destroy(struct es_account *account)
{
	if (!account)
		return;
	while (account->n_jobs > 0)
		es_account_job_destroy(account, account->jobs[0]);
	es_account_gpus_destroy(account->gpus);
	free(account->domains);
	free(account->meters);
	free(account->lines);
	free(account->busy_ns);
	free(account->busy_step_ns);
	free(account->jobs);
	free(account->claims);
	free(account->portions);
	free(account);
}

static void add_line(struct es_account *account, size_t meter)
{
	struct es_account_line *line = &account->lines[account->n_parts++];
	const struct es_domain *domain = &account->domains[meter];

	line->meter = meter;
	line->scope = domain->type == ES_DOMAIN_GPU ? ES_SCOPE_GPU : ES_SCOPE_NODE;
	line->gpu.domain = domain;
	line->part.kind = domain->kind;
	line->part.meter = domain;
	line->part.type = domain->type;
	memcpy(line->part.domain, domain->name, sizeof(line->part.domain));
	account->has_gpu_parts |= line->scope == ES_SCOPE_GPU;
}

/* A sum is as sure as its least sure part: the kinds are in that order. */
static void find_node_kind(struct es_account *account)
{
	for (size_t i = 0; i < account->n_domains; i++) {
		const struct es_domain *domain = &account->domains[i];

		if (!domain->is_chosen_total)
			continue;
		account->has_node = true;
		if (domain->kind > account->node_kind)
			account->node_kind = domain->kind;
	}
}

static void add_lines(struct es_account *account)
{
	bool has_fine = false;

	for (size_t i = 0; i < account->n_domains; i++)
		has_fine = has_fine || account->domains[i].is_chosen;
	for (size_t i = 0; i < account->n_domains; i++) {
		const struct es_domain *domain = &account->domains[i];
		struct es_account_meter *meter = &account->meters[i];

		meter->is_total_only = has_fine && domain->is_chosen_total && !domain->is_chosen;
		meter->is_in = domain->is_chosen || domain->is_chosen_total;
		account->has_rest |= meter->is_total_only;
		if (has_fine ? domain->is_chosen : domain->is_chosen_total)
			add_line(account, i);
	}
	find_node_kind(account);
	if (account->has_rest) {
		struct es_account_line *line = &account->lines[account->n_parts++];

		line->scope = ES_SCOPE_REST;
		line->part.kind = account->node_kind;
		line->part.type = ES_DOMAIN_OTHER;
		(void)snprintf(line->part.domain, sizeof(line->part.domain), ES_ACCOUNT_REST);
	}
}

void es_account_meter_init(struct es_account_meter *meter, const struct es_domain *domain)
{
	bool is_in = meter->is_in, is_total_only = meter->is_total_only;

	*meter = (struct es_account_meter){ .is_in = is_in, .is_total_only = is_total_only };
	es_track_init(&meter->track, domain, 0);
	meter->track.max_over_ns = INT64_MAX; /* nobody asks for the peak */
	meter->value.error = -ENODATA;
}

int es_account_create(const struct es_account_options *options,
		      const struct es_node_domains *domains, struct es_account **ret,
		      struct es_error *err)
{
	struct es_account *account = calloc(1, sizeof(*account));

	if (!account)
		return es_error_set(err, -ENOMEM, "account");
	account->options = *options;
	account->epoch = domains->epoch;
	account->n_domains = domains->n;
	account->domains = calloc(domains->n + 1, sizeof(*account->domains));
	account->meters = calloc(domains->n + 1, sizeof(*account->meters));
	account->lines = calloc(domains->n + 1, sizeof(*account->lines));
	if (!account->domains || !account->meters || !account->lines)
		goto fail;
	if (domains->n)
		memcpy(account->domains, domains->domains, domains->n * sizeof(*account->domains));
	for (size_t i = 0; i < domains->n; i++)
		es_account_meter_init(&account->meters[i], &account->domains[i]);
	add_lines(account);
	if (account->has_gpu_parts && es_account_gpus_create(account) < 0)
		goto fail;
	*ret = account;
	return 0;
fail:
	es_account_destroy(account);
	return es_error_set(err, -ENOMEM, "account");
}

/* How many packages there are is known by the jobs, whose CPU times are in them. */
int es_account_prepare(struct es_account *account, const struct es_jobs *jobs)
{
	size_t n = es_jobs_n_packages(jobs);

	if (account->busy_ns)
		return 0;
	account->busy_ns = calloc(n + 1, sizeof(*account->busy_ns));
	account->busy_step_ns = calloc(n + 1, sizeof(*account->busy_step_ns));
	if (!account->busy_ns || !account->busy_step_ns) {
		free(account->busy_ns);
		free(account->busy_step_ns);
		account->busy_ns = NULL;
		account->busy_step_ns = NULL;
		return -ENOMEM;
	}
	account->n_packages = n;
	for (size_t i = 0; i < n; i++)
		account->busy_ns[i] = -1;
	for (size_t i = 0; i < account->n_parts; i++) {
		struct es_account_line *line = &account->lines[i];
		int32_t package =
			line->scope == ES_SCOPE_NODE ? account->domains[line->meter].package : -1;

		if (package < 0 || (size_t)package >= n || line->part.type == ES_DOMAIN_NODE)
			continue;
		line->scope = ES_SCOPE_PACKAGE;
		line->package = (size_t)package;
	}
	return 0;
}

static int make_room(struct es_account *account)
{
	size_t cap = account->jobs_cap ? 2 * account->jobs_cap : 16;
	void *jobs, *claims, *portions;

	if (account->n_jobs < account->jobs_cap)
		return 0;
	jobs = reallocarray(account->jobs, cap, sizeof(struct es_account_job *));
	if (jobs)
		account->jobs = jobs;
	claims = reallocarray(account->claims, cap, sizeof(*account->claims));
	if (claims)
		account->claims = claims;
	portions = reallocarray(account->portions, cap, sizeof(*account->portions));
	if (portions)
		account->portions = portions;
	if (!jobs || !claims || !portions)
		return -ENOMEM;
	account->jobs_cap = cap;
	return 0;
}

static void free_job(struct es_account_job *own)
{
	free(own->cpu_ns);
	free(own->step_ns);
	free(own->claims);
	free(own->shares);
	free(own->holds);
	free(own);
}

struct es_account_job *es_account_job_create(struct es_account *account, uint64_t serial)
{
	struct es_account_job *own;

	if (make_room(account) < 0)
		return NULL;
	own = calloc(1, sizeof(*own));
	if (!own)
		return NULL;
	own->serial = serial;
	own->cpu_ns = calloc(account->n_packages + 1, sizeof(*own->cpu_ns));
	own->step_ns = calloc(account->n_packages + 1, sizeof(*own->step_ns));
	own->claims = calloc(account->n_parts + 1, sizeof(*own->claims));
	own->shares = calloc(account->n_parts + 1, sizeof(*own->shares));
	own->holds = calloc(account->n_parts + 1, sizeof(*own->holds));
	if (!own->cpu_ns || !own->step_ns || !own->claims || !own->shares || !own->holds) {
		free_job(own);
		return NULL;
	}
	for (size_t i = 0; i < account->n_packages; i++)
		own->cpu_ns[i] = -1;
	for (size_t i = 0; i < account->n_parts; i++) {
		const struct es_account_line *line = &account->lines[i];

		own->shares[i].rule = line->scope == ES_SCOPE_GPU    ? ES_SHARE_DIRECT
				      : line->scope == ES_SCOPE_REST ? ES_SHARE_PARTS
								     : ES_SHARE_CPU_TIME;
		own->shares[i].idle_method = line->part.idle_method;
	}
	own->place = account->n_jobs;
	account->jobs[account->n_jobs++] = own;
	return own;
}

void es_account_job_destroy(struct es_account *account, struct es_account_job *own)
{
	for (size_t i = 0; i < account->n_parts; i++)
		account->lines[i].part.ended_uj +=
			own->shares[i].dynamic_uj + own->shares[i].idle_uj;
	es_account_gpus_forget(account->gpus, own);
	account->jobs[own->place] = account->jobs[--account->n_jobs];
	account->jobs[own->place]->place = own->place;
	free_job(own);
}

void es_account_close(struct es_account *account, struct es_job *job)
{
	if (job->account)
		es_account_job_destroy(account, job->account);
	job->account = NULL;
}

void es_account_leave(struct es_account *account, struct es_jobs *jobs)
{
	struct es_job *job;

	for (size_t i = 0; (job = es_jobs_at(jobs, i)); i++)
		es_account_close(account, job);
}

/* For how long some part showed nothing that counts; a job had its time in it. */
static void note_gaps(struct es_account *account)
{
	int64_t longest_ns = 0;

	for (size_t i = 0; i < account->n_domains; i++)
		if (account->meters[i].is_in && account->meters[i].gap_step_ns > longest_ns)
			longest_ns = account->meters[i].gap_step_ns;
	for (size_t j = 0; longest_ns && j < account->n_jobs; j++) {
		struct es_account_job *own = account->jobs[j];
		int64_t ran_ns = own->is_here ? own->seen_ns - own->job->start_ns : 0;

		own->gap_ns += ran_ns < longest_ns ? ran_ns : longest_ns;
	}
}

static void note_part(struct es_account *account, struct es_account_line *line)
{
	int64_t gap_ns = 0;

	if (line->scope != ES_SCOPE_REST) {
		const struct es_account_meter *meter = &account->meters[line->meter];

		line->part.gap_ns = meter->gap_ns + meter->blind_ns;
		return;
	}
	for (size_t i = 0; i < account->n_domains; i++) {
		const struct es_account_meter *meter = &account->meters[i];

		if (meter->is_total_only && meter->gap_ns + meter->blind_ns > gap_ns)
			gap_ns = meter->gap_ns + meter->blind_ns;
	}
	line->part.gap_ns = gap_ns;
}

int es_account_feed(struct es_account *account, struct es_jobs *jobs, const struct es_sweep *sweep)
{
	int64_t dur_ns = account->has_sweep ? sweep->boot_ns - account->sweep_ns : 0;
	uint64_t node_uj = 0;
	int r = es_account_prepare(account, jobs);

	if (r < 0 || (account->has_sweep && dur_ns <= 0))
		return r;
	es_account_read(account, sweep);
	r = es_account_claim(account, jobs, sweep->boot_ns, dur_ns);
	note_gaps(account);
	account->drawn_uj = 0;
	for (size_t i = 0; i < account->n_parts; i++) {
		struct es_account_line *line = &account->lines[i];
		uint64_t grown_uj;

		if (line->scope == ES_SCOPE_REST)
			es_account_claim_rest(account, dur_ns);
		grown_uj = es_account_grown(account, i);
		if (grown_uj)
			es_account_share_out(account, i, grown_uj);
		node_uj += grown_uj;
		note_part(account, line);
	}
	es_account_settle_idle(account);
	account->node_mw = es_mean_power_mw(node_uj, dur_ns);
	account->has_sweep = true;
	account->sweep_ns = sweep->boot_ns;
	account->sweep_mono_ns = sweep->mono_ns;
	return r;
}

size_t es_account_n_parts(const struct es_account *account)
{
	return account->n_parts;
}

const struct es_account_part *es_account_part(const struct es_account *account, size_t part)
{
	return part < account->n_parts ? &account->lines[part].part : NULL;
}

/* Neither what it uses nor what it was allocated is known: that it had nothing would be said without a reason. */
static bool is_dark(const struct es_account *account, const struct es_job *job)
{
	const struct es_account_job *own = job->account;

	if (own->sum_uj > 0)
		return false;
	for (size_t i = 0; i < account->n_packages; i++)
		if (job->allocated_ppm[i] > 0 || job->cpu_ns[i] >= 0)
			return false;
	return true;
}

const struct es_account_share *es_account_of(const struct es_account *account,
					     const struct es_job *job, uint64_t *ret_node_uj)
{
	const struct es_account_job *own = job->account;

	if (!own || is_dark(account, job))
		return NULL;
	*ret_node_uj = own->sum_uj;
	return own->shares;
}

uint64_t es_account_before(const struct es_account *account, const struct es_job *job)
{
	const struct es_account_job *own = job->account;

	(void)account;
	return own ? own->before_uj : 0;
}

int64_t es_account_gap_ns(const struct es_account *account, const struct es_job *job)
{
	const struct es_account_job *own = job->account;

	(void)account;
	return own ? own->gap_ns : 0;
}

bool es_account_node(const struct es_account *account, uint64_t *ret_uj, uint64_t *ret_mw,
		     enum es_kind *ret_kind, uint64_t *ret_residual_uj)
{
	uint64_t sum_uj = 0, residual_uj = account->residual_uj;

	for (size_t i = 0; i < account->n_parts; i++) {
		const struct es_account_line *line = &account->lines[i];

		sum_uj += line->part.energy_uj;
		if (line->scope != ES_SCOPE_REST &&
		    line->part.energy_uj > account->meters[line->meter].upto_uj)
			residual_uj += line->part.energy_uj - account->meters[line->meter].upto_uj;
	}
	*ret_uj = sum_uj;
	*ret_mw = account->node_mw;
	*ret_kind = account->node_kind;
	*ret_residual_uj = residual_uj;
	return account->has_node;
}

void es_account_sum(const struct es_account *account, struct es_account_sums *ret)
{
	struct es_account_sums sums = { .node_uj = 0 };
	enum es_kind kind;
	uint64_t mw;

	(void)es_account_node(account, &sums.node_uj, &mw, &kind, &sums.residual_uj);
	for (size_t i = 0; i < account->n_parts; i++) {
		const struct es_account_part *part = &account->lines[i].part;

		sums.jobs_uj += part->ended_uj;
		sums.idle_uj += part->idle_uj;
		sums.unattributed_uj += part->rest_uj;
		sums.idle_mw += part->idle_mw;
		sums.n_idle_known += part->idle_method != ES_IDLE_NONE;
	}
	for (size_t j = 0; j < account->n_jobs; j++)
		sums.jobs_uj += account->jobs[j]->sum_uj;
	*ret = sums;
}

void es_account_values(const struct es_account *account, struct es_page_value *ret)
{
	for (size_t i = 0; i < account->n_domains; i++)
		ret[i] = account->meters[i].value;
}

uint64_t es_account_epoch(const struct es_account *account)
{
	return account->epoch;
}
