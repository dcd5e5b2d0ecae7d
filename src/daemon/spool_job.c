/*
 * spool_job.c - the recording of one job
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "daemon/spool_private.h"
#include "daemon/spool_report.h"
#include "ipc/message.h"

#define EARLY_MAX 64U

static void name_file(struct es_spool_job *kept)
{
	const struct es_local_job *about = &kept->is.job;
	char restarts[16] = "", generation[16] = "";

	if (about->restarts)
		(void)snprintf(restarts, sizeof(restarts), ".r%u", about->restarts);
	if (kept->generation)
		(void)snprintf(generation, sizeof(generation), ".%u", kept->generation + 1);
	(void)snprintf(kept->stem, sizeof(kept->stem), "%s%s-%llu%s", about->id, restarts,
		       (unsigned long long)kept->serial, generation);
	(void)snprintf(kept->is.recording, sizeof(kept->is.recording), "%.240s.esr", kept->stem);
}

void es_spool_job_about(struct es_spool_job *kept, const struct es_job *job)
{
	kept->is.job = job->about;
	kept->is.start_unix_ns = job->start_unix_ns;
	kept->is.stop_unix_ns = job->stop_ns ? job->stop_unix_ns : 0;
	if (job->stop_ns)
		kept->is.dur_ns = job->stop_ns - job->start_ns;
}

/* A meter of the whole node, or of its board, stands for it: not the sum of its parts. */
static bool has_node_meter(const struct es_spool *spool)
{
	for (size_t i = 0; i < spool->domains->n; i++) {
		const struct es_domain *domain = &spool->domains->domains[i];

		if (domain->is_chosen_total &&
		    (domain->type == ES_DOMAIN_NODE || domain->type == ES_DOMAIN_PSYS))
			return true;
	}
	return false;
}

struct es_spool_job *es_spool_job_create(struct es_spool *spool, const struct es_job *job)
{
	struct es_spool_job *kept = calloc(1, sizeof(*kept));

	if (!kept)
		return NULL;
	kept->serial = job->serial;
	kept->start_ns = job->start_ns;
	kept->is_new = job->start_ns >= spool->opened_ns;
	es_spool_job_about(kept, job);
	(void)snprintf(kept->is.node, sizeof(kept->is.node), "%s", spool->meta.nodes[0].name);
	es_spool_machine(&spool->meta, &kept->is.machine);
	kept->is.machine.has_node_meter = has_node_meter(spool);
	name_file(kept);
	return kept;
}

void es_spool_job_destroy(struct es_spool_job *kept)
{
	if (!kept)
		return;
	if (kept->has_file)
		es_spool_file_finish(&kept->file);
	free(kept->rules);
	free(kept->early);
	free(kept);
}

/* What of the node is in each of its recordings. */
static int copy_meta(const struct es_spool *spool, struct es_meta *ret)
{
	struct es_meta meta = spool->meta;
	int r;

	meta.nodes = NULL;
	meta.domains = NULL;
	meta.signals = NULL;
	meta.n_nodes = meta.n_domains = meta.n_signals = 0;
	r = es_meta_add_node(&meta, spool->meta.nodes[0].name);
	if (r < 0)
		return r;
	meta.nodes[0] = spool->meta.nodes[0];
	*ret = meta;
	return 0;
}

int es_spool_raw_meta(const struct es_spool *spool, struct es_meta *ret)
{
	struct es_meta meta;
	int r = copy_meta(spool, &meta);

	for (size_t i = 0; r == 0 && i < spool->domains->n; i++) {
		struct es_domain domain = spool->domains->domains[i];

		domain.node = 0;
		r = es_meta_add_domain(&meta, &domain);
		if (r < 0)
			es_meta_finish(&meta);
	}
	if (r == 0)
		*ret = meta;
	return r;
}

static const struct es_domain *meter_of(const struct es_spool *spool, const char *name,
					size_t *ret_i)
{
	const struct es_domain *found = NULL;

	for (size_t i = 0; i < spool->domains->n; i++) {
		const struct es_domain *domain = &spool->domains->domains[i];

		if (strcmp(domain->name, name) != 0 || (found && !domain->is_chosen))
			continue;
		found = domain;
		*ret_i = i;
		if (domain->is_chosen)
			break;
	}
	return found;
}

/* A part of the node as a counter of its own: what of it is the job's. */
static struct es_domain attributed(const struct es_spool *spool, const char *name,
				   enum es_domain_type type)
{
	size_t i = 0;
	const struct es_domain *meter = meter_of(spool, name, &i);
	struct es_domain domain;

	es_domain_init(&domain, "job", type, -1, -1);
	if (meter && meter->type == type)
		domain = *meter;
	(void)snprintf(domain.source, sizeof(domain.source), "job");
	(void)snprintf(domain.name, sizeof(domain.name), "%s", name);
	(void)snprintf(domain.id, sizeof(domain.id), "job/%.200s", name);
	domain.kind = ES_KIND_ATTRIBUTED;
	domain.state = ES_STATE_UNPROVEN;
	domain.node = 0;
	domain.parent = domain.duplicate_of = -1;
	domain.is_power = domain.has_activity = domain.may_mirror = domain.is_partial = false;
	domain.range = (struct es_counter_range){ .unit_nj = domain.range.unit_nj > 1000
								     ? domain.range.unit_nj
								     : 1000 };
	domain.idle_mw = domain.full_mw = 0; /* of an estimate its spread is what counts */
	domain.limit_mw = 0; /* of the whole part, which is not the job's */
	domain.peak_mw = 0; /* what the book says is not doubted */
	domain.limit_kind[0] = domain.reason[0] = domain.fix[0] = '\0';
	domain.is_chosen = domain.is_chosen_total = false;
	return domain;
}

static int shared_meta(const struct es_spool *spool, const struct es_account *account,
		       struct es_meta *ret)
{
	struct es_domain whole = attributed(spool, "node", ES_DOMAIN_NODE);
	struct es_meta meta;
	int r = copy_meta(spool, &meta);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < es_account_n_parts(account); i++) {
		const struct es_account_part *part = es_account_part(account, i);
		struct es_domain domain = attributed(spool, part->domain, part->type);

		domain.type = es_account_part_name(part, domain.name, sizeof(domain.name));
		(void)snprintf(domain.id, sizeof(domain.id), "job/%.200s", domain.name);

		r = es_meta_add_domain(&meta, &domain);
	}
	whole.core = -1; /* of no feed */
	/* Without a meter of the whole the node is its parts, and a calibration of these can be applied. */
	if (r == 0 && has_node_meter(spool))
		r = es_meta_add_domain(&meta, &whole);
	if (r < 0)
		es_meta_finish(&meta);
	else
		*ret = meta;
	return r;
}

static uint32_t count_list(const char *list)
{
	uint32_t n = list[0] != '\0';

	for (const char *p = list; *p; p++)
		n += *p == ',';
	return n;
}

static void describe_job(const struct es_spool_job *kept, const struct es_job *job, bool is_raw,
			 int64_t period_ns, struct es_meta *meta)
{
	const struct es_local_job *about = &kept->is.job;

	(void)snprintf(meta->job, sizeof(meta->job), "%s", about->id);
	(void)snprintf(meta->cluster, sizeof(meta->cluster), "%s", about->cluster);
	(void)snprintf(meta->account, sizeof(meta->account), "%s", about->account);
	(void)snprintf(meta->partition, sizeof(meta->partition), "%s", about->partition);
	(void)snprintf(meta->comment, sizeof(meta->comment), "%s", about->name);
	meta->n_cpus = about->n_cpus;
	meta->n_gpus = about->has_gpus ? count_list(about->gpus) : 0;
	meta->n_job_nodes = about->n_nodes;
	meta->restarts = about->restarts;
	meta->has_uid = about->has_uid;
	meta->uid = about->uid;
	meta->sharing = is_raw ? ES_SHARING_EXCLUSIVE : ES_SHARING_SHARED;
	meta->period_ns = period_ns;
	meta->start_mono_ns += job->start_ns - meta->start_boot_ns;
	meta->start_boot_ns = job->start_ns;
	meta->start_unix_ns = job->start_unix_ns;
}

/* Of what may be kept in memory: as much for each. */
static size_t keep_bytes(const struct es_spool *spool)
{
	size_t n = 2, bytes;

	for (const struct es_spool_job *job = spool->jobs; job; job = job->next)
		n++;
	bytes = ES_SPOOL_KEPT_ALL_MAX_BYTES / n;
	return bytes < ES_SPOOL_KEPT_MAX_BYTES ? bytes : ES_SPOOL_KEPT_MAX_BYTES;
}

/* A name that is taken by what cannot be gone on with gets a number behind it. */
static int open_file(struct es_spool *spool, struct es_spool_job *kept, struct es_meta *meta,
		     struct es_error *err)
{
	struct es_meta again;
	char path[ES_PATH_MAX_BYTES];
	int r = -ESTALE;

	for (unsigned tries = 0; tries < 8 && r < 0; tries++, kept->generation += r < 0) {
		name_file(kept);
		if (snprintf(path, sizeof(path), "%s/jobs/%s", spool->folder, kept->is.recording) >=
		    (int)sizeof(path))
			return es_error_set(err, -ENAMETOOLONG, "'%.200s…'", path);
		again = *meta;
		meta->nodes = NULL;
		meta->domains = NULL;
		meta->signals = NULL;
		r = es_spool_file_open(&kept->file, path, &again, err);
		if (r == 0) {
			kept->has_file = true;
			break;
		}
		*meta = kept->file.meta; /* taken back */
		es_meta_init(&kept->file.meta);
		es_spool_file_finish(&kept->file);
	}
	es_meta_finish(meta);
	if (r == 0)
		es_spool_adopt(spool, kept->stem);
	return r;
}

static void replay_early(struct es_spool_job *kept)
{
	for (size_t i = 0; i < kept->n_early; i++)
		(void)es_spool_file_tag(&kept->file, kept->early[i].text,
					kept->early[i].type == ES_EVENT_TAG_START,
					kept->early[i].t_ns);
	free(kept->early);
	kept->early = NULL;
	kept->n_early = 0;
}

/* Of a job that began while this daemon lives the sums began at 0, and its first share is of the time since then. */
static void begin_at_zero(struct es_spool_job *kept)
{
	es_spool_file_row(&kept->file, kept->start_ns);
	for (size_t i = 0; i < kept->file.meta.n_domains; i++)
		es_rows_set(&kept->file.rows, i, kept->start_ns, 0, 0);
}

static int begin_file(struct es_spool *spool, struct es_spool_job *kept, const struct es_job *job,
		      const struct es_account *account, const struct es_sweep *sweep, bool is_raw)
{
	unsigned generation = kept->generation;
	struct es_error err = { .code = 0 };
	struct es_meta meta;
	size_t n_rules;
	int r = is_raw ? es_spool_raw_meta(spool, &meta) : shared_meta(spool, account, &meta);

	if (r < 0)
		return r;
	n_rules = meta.n_domains;
	kept->file.keep_bytes = keep_bytes(spool);
	describe_job(kept, job, is_raw, sweep->period_ns, &meta);
	r = open_file(spool, kept, &meta, &err);
	if (r < 0)
		return r;
	kept->is_raw = is_raw;
	free(kept->rules);
	kept->rules = malloc((n_rules + 1) * sizeof(*kept->rules));
	kept->n_rules = kept->rules ? n_rules : 0;
	for (size_t i = 0; i < kept->n_rules; i++)
		kept->rules[i] = -1;
	if (!kept->file.is_gone_on_with) {
		(void)es_spool_file_event(&kept->file, ES_EVENT_COMMAND_START, job->start_ns,
					  job->about.pid, "");
		if (is_raw)
			(void)es_spool_file_event(&kept->file, ES_EVENT_SHARED, job->start_ns, -1,
						  "exclusive none");
		if (!is_raw && kept->is_new && generation == kept->generation && generation == 0)
			begin_at_zero(kept);
	}
	replay_early(kept);
	return 0;
}

void es_spool_raw_row(struct es_spool_file *file, const struct es_sweep *sweep)
{
	es_spool_file_row(file, sweep->boot_ns);
	for (size_t i = 0; i < sweep->n && i < file->meta.n_domains; i++) {
		const struct es_reading *reading = &sweep->readings[i];

		/* A slow meter shows the same reading again: it is one, and stands there already. */
		if (reading->t_ns && reading->t_ns == file->read_ns[i])
			continue;
		file->read_ns[i] = reading->t_ns;
		if (reading->error == 0)
			es_rows_set(&file->rows, i, reading->t_ns, reading->value,
				    reading->activity_ns);
		else if (reading->error != -ECANCELED)
			es_faults_failed(&file->faults, i, reading->error, reading->t_ns);
	}
}

static void tell_rule(struct es_spool_job *kept, size_t i, const struct es_account_share *share,
		      int64_t t_ns)
{
	int16_t rule = (int16_t)((int)share->rule * ES_N_IDLE_METHODS + (int)share->idle_method);
	char text[64];

	if (i >= kept->n_rules || kept->rules[i] == rule)
		return;
	kept->rules[i] = rule;
	(void)snprintf(text, sizeof(text), "%s %s", es_share_rule_name(share->rule),
		       es_idle_method_name(share->idle_method));
	(void)es_spool_file_event(&kept->file, ES_EVENT_SHARED, t_ns, (int64_t)i, text);
}

static bool is_read(const struct es_sweep *sweep, const struct es_spool *spool, const char *name)
{
	size_t i = 0;

	return !meter_of(spool, name, &i) || i >= sweep->n || !sweep->readings[i].error;
}

static void shared_row(const struct es_spool *spool, struct es_spool_job *kept,
		       const struct es_account *account, const struct es_account_share *shares,
		       uint64_t node_uj, const struct es_sweep *sweep)
{
	size_t n = es_account_n_parts(account);

	if (n + has_node_meter(spool) != kept->file.meta.n_domains)
		return; /* another epoch: the daemon closes this file and begins anew */
	if (sweep->boot_ns <= kept->start_ns)
		return; /* it was on its way when the job began, which has its zero there */
	es_spool_file_row(&kept->file, sweep->boot_ns);
	for (size_t i = 0; i < n; i++) {
		tell_rule(kept, i, &shares[i], sweep->boot_ns);
		/* The book is as of the sweep, also where a slow meter has shown nothing new. */
		if (is_read(sweep, spool, es_account_part(account, i)->domain))
			es_rows_set(&kept->file.rows, i, sweep->boot_ns,
				    shares[i].dynamic_uj + shares[i].idle_uj, 0);
	}
	if (n < kept->file.meta.n_domains)
		es_rows_set(&kept->file.rows, n, sweep->boot_ns, node_uj, 0);
}

static void take_shares(struct es_spool_job *kept, const struct es_account *account,
			const struct es_account_share *shares, uint64_t node_uj, bool is_exclusive)
{
	struct es_local_job_is *is = &kept->is;
	enum es_kind kind = ES_KIND_ATTRIBUTED;
	enum es_idle_method method = ES_IDLE_NONE;
	uint64_t uj, mw, residual_uj;

	if (is_exclusive)
		(void)es_account_node(account, &uj, &mw, &kind, &residual_uj);
	is->has_energy = true;
	is->energy_uj = node_uj;
	(void)snprintf(is->kind, sizeof(is->kind), "%s", es_kind_name(kind));
	is->n_parts = 0;
	for (size_t i = 0; i < es_account_n_parts(account); i++) {
		const struct es_account_part *about = es_account_part(account, i);
		struct es_local_part *part;

		method = shares[i].idle_method > method ? shares[i].idle_method : method;
		if (is->n_parts >= ES_LOCAL_PARTS_MAX)
			continue;
		part = &is->parts[is->n_parts++];
		memset(part, 0, sizeof(*part));
		(void)snprintf(part->domain, sizeof(part->domain), "%s", about->domain);
		(void)snprintf(part->kind, sizeof(part->kind), "%s",
			       es_kind_name(is_exclusive ? about->kind : ES_KIND_ATTRIBUTED));
		(void)snprintf(part->rule, sizeof(part->rule), "%s",
			       es_share_rule_name(shares[i].rule));
		part->dynamic_uj = shares[i].dynamic_uj;
		part->idle_uj = shares[i].idle_uj;
	}
	(void)snprintf(is->idle_method, sizeof(is->idle_method), "%s", es_idle_method_name(method));
}

/* Who shares the node from now on sees no more of it: this file ends, and the job goes on in another one. */
static void end_raw_file(struct es_spool *spool, struct es_spool_job *kept, int64_t t_ns)
{
	struct es_spool_entry *entry;

	(void)es_spool_file_end(&kept->file, t_ns);
	entry = es_spool_add(spool, kept->stem, false);
	if (entry) {
		memcpy(entry->id, kept->is.job.id, sizeof(entry->id));
		entry->serial = kept->serial;
		entry->uid = kept->is.job.uid;
		entry->has_uid = kept->is.job.has_uid;
		entry->stop_unix_ns = es_clock_unix_ns();
		entry->has_recording = true;
		entry->size_bytes = kept->file.recorder ? es_recorder_bytes(kept->file.recorder)
							: 0;
	}
	es_spool_file_finish(&kept->file);
	kept->has_file = false;
	kept->generation++;
}

int es_spool_job_feed(struct es_spool *spool, struct es_spool_job *kept, const struct es_job *job,
		      const struct es_account *account, const struct es_sweep *sweep,
		      bool is_exclusive)
{
	uint64_t node_uj = 0;
	const struct es_account_share *shares = es_account_of(account, job, &node_uj);
	int r;

	if (shares)
		take_shares(kept, account, shares, node_uj + es_account_before(account, job),
			    is_exclusive);
	kept->is.dur_ns = sweep->boot_ns > kept->start_ns ? sweep->boot_ns - kept->start_ns : 0;
	if (kept->has_file && kept->is_raw && !is_exclusive)
		end_raw_file(spool, kept, sweep->boot_ns);
	if (!kept->has_file) {
		if (!is_exclusive && !shares)
			return 0;
		r = begin_file(spool, kept, job, account, sweep, is_exclusive);
		if (r < 0)
			return r;
	}
	if (kept->is_raw)
		es_spool_raw_row(&kept->file, sweep);
	else if (shares)
		shared_row(spool, kept, account, shares, node_uj, sweep);
	return es_spool_file_flush(&kept->file, sweep->boot_ns, false);
}

int es_spool_job_mark(struct es_spool_job *kept, const char *name, bool is_start, int64_t t_ns)
{
	struct es_event *early;

	if (kept->has_file)
		return es_spool_file_tag(&kept->file, name, is_start, t_ns);
	if (es_ipc_name_problem(name))
		return ES_IPC_BAD_NAME;
	if (kept->n_early >= EARLY_MAX)
		return ES_IPC_TOO_MANY;
	early = reallocarray(kept->early, kept->n_early + 1, sizeof(*early));
	if (!early)
		return ES_IPC_LOST;
	kept->early = early;
	early[kept->n_early] =
		(struct es_event){ .type = is_start ? ES_EVENT_TAG_START : ES_EVENT_TAG_STOP,
				   .t_ns = t_ns };
	(void)snprintf(early[kept->n_early].text, sizeof(early->text), "%s", name);
	kept->n_early++;
	return ES_IPC_OK;
}
