/*
 * account_private.h - what the files of the node's book share
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_DAEMON_ACCOUNT_PRIVATE_H
#define ES_DAEMON_ACCOUNT_PRIVATE_H

#include "core/track.h"
#include "daemon/account.h"
#include "daemon/account_gpus.h"

/** struct es_account_meter - one domain of the node, as read */
struct es_account_meter {
	struct es_track track; /* its energy_uj goes on over a restart */
	struct es_page_value value;
	bool is_in, is_total_only; /* in a cover; in the total one and not in the fine one */
	bool is_blind; /* in this sweep it said nothing about the time since its last sample */
	bool has_gap; /* in this sweep: it lost what was before, or began */
	bool has_more; /* and goes on: a sample follows the gap */
	int64_t blind_ns; /* for so long by now */
	int64_t gap_ns, gap_step_ns; /* sum of its gaps; in this sweep */
	/* What a slow meter is ahead of its readings: the power of its last step goes on, for a time. */
	int64_t grown_t_ns; /* when it last grew; 0: not since it began */
	int64_t step_t0_ns; /* its step so far */
	uint64_t step_uj;
	int64_t step_ns; /* its last step: as long as its pace or longer; 0: there was none */
	uint64_t step_mw;
	uint64_t upto_uj; /* that included */
};

/** enum es_account_scope - by what a part is shared */
enum es_account_scope {
	ES_SCOPE_PACKAGE,
	ES_SCOPE_NODE, /* by all packages together */
	ES_SCOPE_GPU,
	ES_SCOPE_REST,
};

/** struct es_account_claim - what a job has yet to be given its share for */
struct es_account_claim {
	uint64_t used; /* ns, or µJ of the other parts where the scope is the rest */
	uint64_t held; /* ppm times µs */
	uint64_t whole_ns; /* it had the part for itself */
};

/** struct es_account_line - a part */
struct es_account_line {
	struct es_account_part part;
	enum es_account_scope scope;
	size_t package; /* of ES_SCOPE_PACKAGE */
	size_t meter; /* but of the rest */
	struct es_account_gpu gpu; /* of ES_SCOPE_GPU */
	/* Since energy was last shared out: the time, that of it in which one job had the part, and what was used. */
	int64_t open_ns, whole_ns;
	uint64_t used, held; /* outside of whole_ns; all that could be */
	bool was_held; /* by some job */
	uint64_t busy_ns; /* CPU time, of whoever */
	bool is_busy_unknown;
	/* The window in which it is seen how quiet this part can be. */
	int64_t window_ns;
	uint64_t window_uj, window_busy_ns;
	bool is_window_held, is_window_unknown;
	bool has_quiet;
	uint64_t quiet_mw;
};

/** struct es_account_job - a job's account */
struct es_account_job {
	uint64_t serial;
	size_t place; /* among the account's jobs */
	uint64_t before_uj; /* by the books of other meters before this one */
	int64_t seen_ns; /* its time up to then is in its claims; boot clock */
	int64_t gap_ns;
	int64_t *cpu_ns; /* [n_packages] as of then; -1: not known */
	struct es_account_claim *claims; /* [n_parts] */
	struct es_account_share *shares; /* [n_parts] */
	struct es_account_hold *holds; /* [n_parts] of GPUs: what it has of them now */
	size_t n_cgroups; /* that its devices were looked for in */
	bool has_devices; /* and a list was found that tells */
	uint64_t sum_uj;
	uint64_t drawn_uj; /* dynamic, of the parts, in this sweep */
	/* In this sweep: */
	bool is_here; /* it is among the running jobs */
	bool is_exclusive;
	bool has_whole; /* the part that is looked at */
	int64_t here_ns; /* for so long */
	uint64_t *step_ns; /* [n_packages] CPU time; UINT64_MAX: not known */
	const struct es_job *job; /* borrowed, while in es_account_feed() */
};

struct es_account {
	struct es_account_options options;
	uint64_t epoch;
	struct es_domain *domains; /* owned copy */
	size_t n_domains;
	struct es_account_meter *meters; /* [n_domains] */
	struct es_account_line *lines; /* [n_parts] the rest is the last */
	size_t n_parts;
	bool has_rest;
	size_t n_packages;
	bool has_gpu_parts;
	/* The rest: what the total cover shows beyond the fine one, and what of it is in the book (the highest so far). */
	int64_t total_off_uj; /* for gaps of the total cover's meters */
	int64_t beyond_uj; /* as of the last sweep */
	int64_t held_uj; /* of that, while something is not known: by how much it is not what the meters show */
	uint64_t booked_rest_uj;
	uint64_t residual_uj;
	enum es_kind node_kind;
	uint64_t node_mw;
	bool has_node;
	/* The last sweep. */
	bool has_sweep;
	int64_t sweep_ns, sweep_mono_ns;
	int64_t *busy_ns; /* [n_packages] as of then; -1: not known */
	uint64_t *busy_step_ns; /* [n_packages] in this sweep; UINT64_MAX: not known */
	struct es_account_job **jobs; /* [n_jobs] */
	size_t n_jobs, jobs_cap;
	uint64_t drawn_uj; /* dynamic energy of the parts in this sweep, whoever had it */
	struct es_share_claim *claims; /* scratch [jobs_cap] */
	struct es_portion *portions; /* scratch [jobs_cap] */
	struct es_account_gpus *gpus; /* how owners of GPUs are found; NULL: there is none */
};

/** es_account_meter_init - nothing read yet; what it is to the covers stays */
void es_account_meter_init(struct es_account_meter *meter, const struct es_domain *domain);
/** es_account_prepare - make room for packages, once; 0 or -ENOMEM */
int es_account_prepare(struct es_account *account, const struct es_jobs *jobs);
/** es_account_read - a sweep's readings into the meters */
void es_account_read(struct es_account *account, const struct es_sweep *sweep);
/** es_account_grown - what part @i has to be given out now, 0: nothing; the rest is to be asked last */
uint64_t es_account_grown(struct es_account *account, size_t i);

/** es_account_claim - what each job did since the last sweep becomes its claims; 0, -ENOMEM: one has no account */
int es_account_claim(struct es_account *account, struct es_jobs *jobs, int64_t now_ns,
		     int64_t dur_ns);
/** es_account_claim_rest - the same for the rest, once the parts are shared out */
void es_account_claim_rest(struct es_account *account, int64_t dur_ns);
/** es_account_share_out - give @energy_uj of part @i to those who have claims */
void es_account_share_out(struct es_account *account, size_t i, uint64_t energy_uj);

/** es_account_idle - the part's idle energy over the time since it was last shared out */
uint64_t es_account_idle(const struct es_account_line *line);
/** es_account_watch_idle - see how quiet it was; when energy is shared out, before the time since then is forgotten */
void es_account_watch_idle(const struct es_account *account, struct es_account_line *line,
			   uint64_t energy_uj);
/** es_account_forget_window - a window of it does not count */
void es_account_forget_window(struct es_account_line *line);
/** es_account_settle_idle - each part's idle power by the method in force */
void es_account_settle_idle(struct es_account *account);

/** es_account_job_create - room for a job; NULL: no memory. es_account_job_destroy() it, which takes it out of the account */
struct es_account_job *es_account_job_create(struct es_account *account, uint64_t serial);
void es_account_job_destroy(struct es_account *account, struct es_account_job *own);

#endif
