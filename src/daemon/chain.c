/*
 * daemon/chain.c - what becomes of a sweep: CPU times of jobs, the node's book, recordings
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "daemon/chain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/daemon.h"
#include "daemon/rights.h"
#include "sys/pci.h"

#define EDGES_AT_ONCE 4U /* of users' jobs */
#define SAVE_NS (ES_NS_PER_S * 9 / 10) /* with each sweep of a second */

static void put_words(void *arg, int error, const char *words)
{
	struct es_chain *chain = arg;

	es_log_say(&chain->daemon->log, error ? ES_LOG_WARNING : ES_LOG_NOTICE, "%s", words);
}

static void tell_of_job(struct es_chain *chain, enum es_jobs_news news, const struct es_job *job)
{
	struct es_log *log = &chain->daemon->log;
	const char *how = job->about.flags & ES_LOCAL_REPAIRED ? ", as its cgroup tells" : "";

	if (news == ES_JOBS_BEGUN)
		es_log_say(log, ES_LOG_INFO, "job %s begins%s", job->about.id, how);
	else if (news == ES_JOBS_ENDED)
		es_log_say(log, ES_LOG_INFO, "job %s has ended%s", job->about.id, how);
}

/* Recordings hold no more than their owners may see while they are made. */
static int64_t recorded_every_ns(const struct es_chain *chain)
{
	const struct es_daemon_config *config = &chain->daemon->config;
	int64_t least_ns = config->has_fast_readings ? 0 : ES_RIGHTS_EXCLUSIVE_NS;
	const struct es_job *job;

	for (size_t i = 0; !config->has_fast_readings && (job = es_jobs_at(chain->jobs, i)); i++)
		if (!es_jobs_is_exclusive(chain->jobs, job))
			least_ns = ES_RIGHTS_SHARED_NS;
	return config->period_ns > least_ns ? config->period_ns : least_ns;
}

/* A sweep beside those planned is recorded: the scheduler's word, or a user's, who could tell of edges without end. */
static bool is_edge(struct es_chain *chain, bool is_users)
{
	return !is_users || !chain->jobs ||
	       es_pace_take(&chain->edges, es_clock_mono_ns(), recorded_every_ns(chain),
			    EDGES_AT_ONCE);
}

/* Order matters: the spool closes a job's recording with what the book has of it. */
static void on_news(void *arg, enum es_jobs_news news, struct es_job *job, const char *step,
		    int64_t t_ns)
{
	struct es_chain *chain = arg;

	tell_of_job(chain, news, job);
	if (chain->spool)
		es_spool_news(chain->spool, news, job, step, t_ns);
	if (news == ES_JOBS_ENDED && chain->account)
		es_account_close(chain->account, job);
	chain->has_news = true;
	/* The end of a user's job was recorded with the sweep that it waited for. */
	if (!chain->has_edge && !(news == ES_JOBS_ENDED && es_jobs_is_users(job)))
		chain->has_edge = is_edge(chain, es_jobs_is_users(job));
}

static void describe_node(struct es_chain *chain)
{
	const struct es_daemon *daemon = chain->daemon;
	const struct es_machine *machine = &daemon->node->machine;
	struct es_meta *meta = &chain->meta;
	struct es_pci_gpu gpus[ES_PCI_GPUS_MAX];
	struct es_node_info *node;

	es_meta_finish(meta);
	es_meta_init(meta);
	if (es_meta_add_node(meta, daemon->node->name) < 0)
		return;
	node = &meta->nodes[0];
	(void)snprintf(node->cpu_model, sizeof(node->cpu_model), "%s", machine->cpu_model);
	node->n_cpus = machine->n_cpus;
	node->n_packages = machine->n_packages;
	node->memory_bytes = machine->memory_bytes;
	node->n_gpus = es_pci_find_gpus(&daemon->node->root, gpus);
	if (node->n_gpus)
		(void)snprintf(node->gpu_model, sizeof(node->gpu_model), "%s", gpus[0].model);
	(void)snprintf(meta->tool, sizeof(meta->tool), "energyscopiumd %s", ES_VERSION);
	(void)snprintf(meta->cluster, sizeof(meta->cluster), "%s", daemon->config.cluster);
	(void)snprintf(meta->boot_id, sizeof(meta->boot_id), "%s", machine->boot_id);
	(void)snprintf(meta->country, sizeof(meta->country), "%s", machine->country);
	(void)snprintf(meta->timezone, sizeof(meta->timezone), "%s", machine->timezone);
	meta->virt = machine->is_container ? ES_VIRT_CONTAINER
		     : machine->is_vm	   ? ES_VIRT_VM
					   : ES_VIRT_NONE;
	meta->has_battery = machine->has_battery;
	meta->period_ns = daemon->config.period_ns;
	meta->start_boot_ns = es_clock_boot_ns();
	meta->start_mono_ns = es_clock_mono_ns();
	meta->start_unix_ns = es_clock_unix_ns();
}

static void open_spool(struct es_chain *chain)
{
	struct es_daemon *daemon = chain->daemon;
	const struct es_spool_options options = {
		.folder = daemon->config.spool,
		.shared = daemon->config.shared[0] ? daemon->config.shared : NULL,
		.quota_bytes = daemon->config.quota_bytes,
		.keep_ns = daemon->config.keep_ns,
		.keeps_node = daemon->config.keeps_node,
		.meta = &chain->meta,
	};
	struct es_error err = { .code = 0 };

	if (es_spool_open(&options, &daemon->node->list, put_words, chain, &chain->spool, &err) < 0)
		es_log_say(&daemon->log, ES_LOG_ERROR, "%s: jobs are not recorded", err.text);
	if (!chain->state.is_open &&
	    es_state_file_open(daemon->config.spool, &chain->state, &err) < 0)
		es_log_say(&daemon->log, ES_LOG_ERROR,
			   "%s: a restart will lose the energy of running jobs", err.text);
}

static void sync_journal(void *arg, int fd)
{
	const struct es_chain *chain = arg;

	es_jobs_sync_file(chain->sync, fd);
}

static int open_jobs(struct es_chain *chain, struct es_error *err)
{
	struct es_daemon *daemon = chain->daemon;
	char journal[ES_PATH_MAX_BYTES + 16];
	struct es_jobs_options options = {
		.root = &chain->root,
		.journal = chain->state.is_open ? journal : NULL,
		.boot_id = daemon->node->machine.boot_id,
		/* A host's own name need not be what Slurm calls it. */
		.node_name = daemon->config.node_name,
		.tell = on_news,
		.arg = chain,
	};
	struct es_error why = { .code = 0 };
	int r;

	(void)snprintf(journal, sizeof(journal), "%s/jobs.journal", daemon->config.spool);
	if (options.journal && es_jobs_sync_create(&chain->sync) == 0)
		options.sync = sync_journal;
	r = es_jobs_create(&options, es_clock_boot_ns(), es_clock_unix_ns(), &chain->jobs, &why);
	if (r == 0 && why.text[0])
		es_log_say(&daemon->log, ES_LOG_WARNING, "%s", why.text);
	return r < 0 ? es_error_say(err, r, "jobs: %s", why.text) : 0;
}

/* Where a daemon before this one stopped, or was stopped. */
static void load_state(struct es_chain *chain)
{
	struct es_log *log = &chain->daemon->log;
	struct es_buf data;
	int r;

	if (!chain->state.is_open)
		return;
	es_buf_init(&data, ES_STATE_FILE_MAX_BYTES);
	r = es_state_file_read(&chain->state, &data);
	if (r == 0)
		r = es_account_load(chain->account, chain->jobs,
				    chain->daemon->node->machine.boot_id, data.data, data.len);
	es_buf_finish(&data);
	if (r == -ESTALE)
		es_log_say(
			log, ES_LOG_NOTICE,
			"what was counted before is of another boot, or of other meters: jobs keep what they had by these, and what was drawn since the last sweep is not known");
	else if (r < 0 && r != -ENOENT)
		es_log_say(log, ES_LOG_WARNING,
			   "what was counted before cannot be read (%s): jobs go on from zero",
			   es_strerror(r));
}

static int who_computes(void *arg, struct es_gpu_user *ret, size_t max)
{
	return es_sampler_users(arg, ret, max);
}

static int open_account(struct es_chain *chain, struct es_error *err)
{
	const struct es_daemon *daemon = chain->daemon;
	const struct es_account_options options = {
		.idle_mw = daemon->config.idle_mw,
		.n_cpus = daemon->node->machine.n_cpus,
		.root = &daemon->node->root,
		.jobs_root = &chain->root,
		.users = who_computes,
		.arg = daemon->node->sampler,
	};

	chain->values = calloc(daemon->node->n + 1, sizeof(*chain->values));
	if (!chain->values)
		return es_error_set(err, -ENOMEM, "account");
	return es_account_create(&options, &daemon->node->list, &chain->account, err);
}

int es_chain_open(struct es_chain *chain, struct es_daemon *daemon, struct es_error *err)
{
	const char *root = daemon->places.jobs_root ? daemon->places.jobs_root
						    : daemon->places.root;
	int r;

	*chain = (struct es_chain){ .daemon = daemon, .root.fd = -1 };
	es_buf_init(&chain->saved, ES_STATE_FILE_MAX_BYTES);
	es_meta_init(&chain->meta);
	describe_node(chain);
	r = es_root_open(root, -1, &chain->root, err);
	if (r < 0)
		return r;
	if (daemon->config.spool[0] && mkdir(daemon->config.spool, 0750) < 0 && errno != EEXIST)
		es_log_say(&daemon->log, ES_LOG_ERROR, "spool '%s': %s: jobs are not recorded",
			   daemon->config.spool, es_strerror(errno));
	else if (daemon->config.spool[0])
		open_spool(chain);
	r = open_jobs(chain, err);
	if (r == 0)
		r = open_account(chain, err);
	if (r == 0)
		load_state(chain);
	return r;
}

static void save_state(struct es_chain *chain)
{
	int r;

	if (!chain->state.is_open)
		return;
	es_buf_reset(&chain->saved);
	r = es_account_save(chain->account, chain->jobs, chain->daemon->node->machine.boot_id,
			    &chain->saved);
	if (r == 0)
		r = es_state_file_write(&chain->state, chain->saved.data, chain->saved.len);
	if (r < 0)
		es_log_say_seldom(&chain->daemon->log, &chain->lost, ES_LOG_WARNING,
				  "state in '%s': %s: a restart would lose energy of running jobs",
				  chain->daemon->config.spool, es_strerror(r));
}

void es_chain_close(struct es_chain *chain)
{
	if (chain->account && chain->jobs)
		save_state(chain);
	/* First the spool, which borrows all others. */
	es_spool_close(chain->spool);
	es_jobs_destroy(chain->jobs);
	es_jobs_sync_destroy(chain->sync);
	es_account_destroy(chain->account);
	es_state_file_close(&chain->state);
	es_buf_finish(&chain->saved);
	es_meta_finish(&chain->meta);
	free(chain->values);
	es_root_close(&chain->root);
	chain->spool = NULL;
	chain->jobs = NULL;
	chain->sync = NULL;
	chain->account = NULL;
	chain->values = NULL;
}

int es_chain_renew(struct es_chain *chain, struct es_error *err)
{
	bool has_spool = chain->spool != NULL;
	int r;

	es_spool_close(chain->spool);
	chain->spool = NULL;
	es_account_leave(chain->account, chain->jobs);
	es_account_destroy(chain->account);
	chain->account = NULL;
	free(chain->values);
	chain->values = NULL;
	chain->head.sweep_ns = 0;
	describe_node(chain);
	r = open_account(chain, err);
	if (r == 0 && has_spool)
		open_spool(chain);
	return r;
}

static void fill_head(struct es_chain *chain, const struct es_sweep *sweep)
{
	enum es_kind kind = ES_KIND_MEASURED;
	struct es_page_copy *head = &chain->head;

	*head = (struct es_page_copy){ .sweep_ns = sweep->boot_ns, .period_ns = sweep->period_ns };
	head->has_node = es_account_node(chain->account, &head->node_uj, &head->node_mw, &kind,
					 &(uint64_t){ 0 });
	(void)snprintf(head->node_kind, sizeof(head->node_kind), "%s", es_kind_name(kind));
	es_account_values(chain->account, chain->values);
}

/* Readers may have the meters read faster than recordings are planned; edges of jobs are always in them. */
static bool is_recorded(struct es_chain *chain, const struct es_sweep *sweep)
{
	const struct es_ends *ends = &chain->daemon->ends;
	int64_t since_ns = sweep->mono_ns - chain->recorded_ns;

	if (chain->has_edge || since_ns >= recorded_every_ns(chain) / 16 * 15)
		return true;
	for (size_t i = 0; i < ends->n; i++)
		if (ends->told[i].wish_ns <= sweep->mono_ns &&
		    is_edge(chain, ends->told[i].uid != 0))
			return true;
	return false;
}

void es_chain_feed(struct es_chain *chain, const struct es_sweep *sweep)
{
	int r;

	es_jobs_read_time(chain->jobs);
	r = es_account_feed(chain->account, chain->jobs, sweep);
	if (r < 0)
		es_log_say_seldom(&chain->daemon->log, &chain->lost, ES_LOG_ERROR,
				  "a sweep could not be shared out: %s", es_strerror(r));
	if (chain->spool && is_recorded(chain, sweep)) {
		struct es_sweep recorded = *sweep;

		/* Who watches faster has no part in what is planned for recordings. */
		recorded.period_ns = recorded_every_ns(chain);
		chain->recorded_ns = sweep->mono_ns;
		chain->has_edge = false;
		es_spool_feed(chain->spool, chain->jobs, chain->account, &recorded);
	}
	fill_head(chain, sweep);
	/* More often is of no use: after a kill the counters tell what went on since. */
	if (sweep->mono_ns - chain->saved_ns >= SAVE_NS) {
		chain->saved_ns = sweep->mono_ns;
		save_state(chain);
	}
}

void es_chain_tick(struct es_chain *chain, int64_t now_mono_ns)
{
	int64_t period_ns = chain->daemon->config.scan_period_ns;
	const char *problem = es_jobs_problem(chain->jobs);
	int r;

	if (chain->spool)
		es_spool_tick(chain->spool, es_clock_unix_ns());
	if (problem)
		es_log_say_seldom(&chain->daemon->log, &chain->journal_log, ES_LOG_WARNING, "%s",
				  problem);
	es_jobs_seek(chain->jobs, es_clock_boot_ns(), es_clock_unix_ns());
	if (period_ns == 0 || now_mono_ns - chain->scanned_ns < period_ns)
		return;
	chain->scanned_ns = now_mono_ns;
	r = es_jobs_scan(chain->jobs, es_clock_boot_ns(), es_clock_unix_ns());
	if (r < 0)
		es_log_say_seldom(&chain->daemon->log, &chain->scan_log, ES_LOG_WARNING,
				  "cgroups cannot be looked through for jobs: %s", es_strerror(r));
}

void es_chain_job_is(const struct es_chain *chain, const struct es_job *job,
		     struct es_local_job_is *ret)
{
	const struct es_local_job_is *is = chain->spool ? es_spool_running(chain->spool, job)
							: NULL;
	uint64_t node_uj = 0;

	if (is) {
		*ret = *is;
		return;
	}
	*ret = (struct es_local_job_is){ .job = job->about, .start_unix_ns = job->start_unix_ns };
	(void)snprintf(ret->node, sizeof(ret->node), "%s", chain->daemon->node->name);
	ret->dur_ns = es_clock_boot_ns() - job->start_ns;
	ret->has_energy = es_account_of(chain->account, job, &node_uj) != NULL;
	ret->energy_uj = node_uj + es_account_before(chain->account, job);
	(void)snprintf(ret->kind, sizeof(ret->kind), "%s", es_kind_name(ES_KIND_ATTRIBUTED));
}

size_t es_chain_count_jobs(const struct es_chain *chain)
{
	size_t n = 0;

	while (chain->jobs && es_jobs_at(chain->jobs, n))
		n++;
	return n;
}
