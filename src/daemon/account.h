/*
 * daemon/account.h - the node's book: what each sweep's joules were used for
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Follows each domain through core/track.h (wraps, resets, sleeps), shares each part of the fine cover out by core/attribution.h, and
 * what the node's own meter shows beyond its parts as a part named "rest". Cumulative integers in µJ: jobs + idle + unattributed = node,
 * always; what the node's meter shows less than its parts is carried as residual until it has made up for it. doc/attribution.md has
 * the rules.
 *
 * Order in which things are called: es_jobs_create, es_account_create, es_account_load; for each sweep es_jobs_read_time,
 * es_account_feed; when a job is told to end: a sweep out of turn first, so that its last moments are in the book, then es_jobs_end, and
 * at ES_JOBS_ENDED es_account_of (what it had) and es_account_close.
 */
#ifndef ES_DAEMON_ACCOUNT_H
#define ES_DAEMON_ACCOUNT_H

#include "base/buf.h"
#include "core/attribution.h"
#include "daemon/jobs.h"
#include "daemon/sweep.h"
#include "ipc/page.h"

#define ES_ACCOUNT_REST \
	"rest" /* the part that is no domain: what the node draws beside its parts */

struct es_account;

/** struct es_account_options - idle power, where the site knows it; where things are. All borrowed while the account lives; zero: not known */
struct es_account_options {
	uint64_t idle_mw; /* of the node, over all parts by what they draw at the quietest; 0: as seen */
	int64_t settle_ns; /* quietest mean over so long counts as idle as seen; 0: 60 s */
	uint32_t n_cpus; /* hardware threads of the node; 0: whether it is quiet is told by its having no job */
	const struct es_root *root; /* of the meters: numbers of GPUs' device files */
	const struct es_root *jobs_root; /* of the cgroups: which devices a job may use */
	/* Who computes on GPUs now, as their library says (es_sampler_users()); how many of @max, or negative errno. NULL: nobody tells. */
	int (*users)(void *arg, struct es_gpu_user *ret, size_t max);
	void *arg;
};

/** struct es_account_part - one line of the book: energy = idle + rest + ended + the shares of all running jobs */
struct es_account_part {
	char domain[ES_NAME_MAX_BYTES]; /* its name: package-0, gpu-2, rest */
	enum es_kind kind; /* of the meter */
	const struct es_domain *meter; /* the account's; NULL: of "rest" */
	enum es_domain_type type; /* of "rest": ES_DOMAIN_OTHER, it is not the node */
	uint64_t energy_uj; /* since the epoch */
	uint64_t idle_uj, rest_uj; /* nobody's: not allocated, and used by no job */
	uint64_t ended_uj; /* of jobs that are over */
	enum es_idle_method idle_method; /* in force */
	uint64_t idle_mw; /* by that method; 0 with ES_IDLE_NONE */
	int64_t gap_ns; /* time since the epoch in which its meter showed nothing that counts */
};

/** struct es_account_share - a job's line of a part */
struct es_account_share {
	enum es_share_rule rule; /* the last in force */
	enum es_idle_method idle_method;
	uint64_t dynamic_uj, idle_uj;
};

int es_account_create(const struct es_account_options *options,
		      const struct es_node_domains *domains, struct es_account **ret,
		      struct es_error *err);
void es_account_destroy(struct es_account *account);

/**
 * es_account_feed - one sweep; es_jobs_read_time() was called for it
 * Jobs get their accounts with their first sweep. One that began or ended since the last sweep has its share of that interval by time.
 * Returns 0; -ENOMEM: a job has no account yet, the next sweep tries again (its energy counts as nobody's until then).
 */
int es_account_feed(struct es_account *account, struct es_jobs *jobs, const struct es_sweep *sweep);

/** es_account_leave - jobs no longer have accounts in this one, which is about to be destroyed while they go on */
void es_account_leave(struct es_account *account, struct es_jobs *jobs);
/** es_account_close - a job is over: its account is freed (es_account_of() before) */
void es_account_close(struct es_account *account, struct es_job *job);

size_t es_account_n_parts(const struct es_account *account);
const struct es_account_part *es_account_part(const struct es_account *account, size_t part);
/** es_account_part_name - of a job's share of it, and its type: a meter of the whole node is a part beside their sum, which is named node */
enum es_domain_type es_account_part_name(const struct es_account_part *part, char *ret,
					 size_t size);
/** es_account_of - a job's lines, [n_parts]; NULL: it has none yet, or nothing is known by which it could have any. @ret_node_uj: their sum */
const struct es_account_share *es_account_of(const struct es_account *account,
					     const struct es_job *job, uint64_t *ret_node_uj);
/** es_account_gap_ns - for how long since its first sweep some part of the node showed a job nothing that counts (0: its time is covered) */
int64_t es_account_gap_ns(const struct es_account *account, const struct es_job *job);
/** es_account_node - the node's total since the epoch, its kind, mean power of the last interval, and the residual (parts above the total) */
bool es_account_node(const struct es_account *account, uint64_t *ret_uj, uint64_t *ret_mw,
		     enum es_kind *ret_kind, uint64_t *ret_residual_uj);

/** struct es_account_sums - over all parts: node = jobs + idle + unattributed */
struct es_account_sums {
	uint64_t node_uj;
	uint64_t jobs_uj; /* running or over */
	uint64_t idle_uj, unattributed_uj;
	uint64_t residual_uj; /* of the node's, above what its meter showed */
	uint64_t idle_mw; /* of the parts whose idle power is known */
	size_t n_idle_known;
};
void es_account_sum(const struct es_account *account, struct es_account_sums *ret);

/** es_account_values - cumulative values of all of the node's domains for pages, [n domains] */
void es_account_values(const struct es_account *account, struct es_page_value *ret);

/** es_account_epoch - of the values: that of the domains, or the one that was loaded: pages go on with it, so that clients lose nothing */
uint64_t es_account_epoch(const struct es_account *account);

/** es_account_before - what a job had by the books of other meters before this one; no part of es_account_of() */
uint64_t es_account_before(const struct es_account *account, const struct es_job *job);

/** es_account_gpus_words - how the owners of GPUs are known here, or why not, for logs and the daemon's state; borrowed */
const char *es_account_gpus_words(const struct es_account *account);

/**
 * es_account_save, es_account_load - for a file that outlives a kill: raw values, CPU times, sums
 * After load the first sweep closes the gap: its energy is shared out by the CPU times over the gap. 0; -ESTALE: of another
 * boot or other domains (then the book begins anew, and the caller says so: of the same boot jobs keep what they had, es_account_before());
 * -EBADMSG, -ENOMEM: nothing is taken.
 */
int es_account_save(const struct es_account *account, const struct es_jobs *jobs,
		    const char *boot_id, struct es_buf *out);
int es_account_load(struct es_account *account, struct es_jobs *jobs, const char *boot_id,
		    const void *data, size_t n);

#endif
