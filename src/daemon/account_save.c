/*
 * account_save.c - the node's book in a file that outlives a kill
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Little-endian, with a checksum at its end: magic, version, checksums of the boot id and of
 * which domains are in which covers, then what is needed to go on. Of a
 * track that is the last reading that counted, not what waits: that is read again. A file of this boot only, so no version is kept alive.
 */
#include <errno.h>
#include <string.h>

#include "block/crc32c.h"
#include "daemon/account_private.h"
#include "sys/grouptime.h"

#define MAGIC 0x42415345U /* "ESAB" */
#define VERSION 2U
#define CHECKSUM_BYTES 4U
#define VALUE_MAX (INT64_MAX / 16) /* 18 years in ns, 570 GJ in µJ: sums of some fit */

static void put_i64(struct es_buf *out, int64_t value)
{
	(void)es_buf_le64(out, (uint64_t)value);
}

static int64_t get_i64(struct es_cursor *in)
{
	int64_t value = (int64_t)es_cursor_le64(in);

	if (value > VALUE_MAX || value < -VALUE_MAX) {
		in->error = -EBADMSG;
		value = 0;
	}
	return value;
}

static uint64_t get_u64(struct es_cursor *in)
{
	uint64_t value = es_cursor_le64(in);

	if (value > VALUE_MAX) {
		in->error = -EBADMSG;
		value = 0;
	}
	return value;
}

static uint32_t sum_of_boot(const char *boot_id)
{
	return es_crc32c(0, boot_id, strlen(boot_id) + 1);
}

/* Of all meters, which must be the same for a saved book to go on. */
static uint32_t fingerprint(const struct es_account *account)
{
	uint32_t crc = 0;

	for (size_t i = 0; i < account->n_domains; i++) {
		const struct es_domain *domain = &account->domains[i];
		const uint8_t of[] = { domain->is_chosen, domain->is_chosen_total,
				       domain->is_power };

		crc = es_crc32c(crc, domain->id, strlen(domain->id) + 1);
		crc = es_crc32c(crc, of, sizeof(of));
	}
	return crc;
}

static void put_meter(struct es_buf *out, const struct es_account_meter *meter)
{
	const struct es_track *track = &meter->track;

	(void)es_buf_u8(out, track->has_first);
	put_i64(out, track->first_t_ns);
	put_i64(out, track->last_t_ns);
	put_i64(out, track->same_t_ns);
	(void)es_buf_le64(out, track->last_value);
	(void)es_buf_le64(out, track->energy_uj);
	(void)es_buf_le64(out, track->rest_pj);
	(void)es_buf_le64(out, track->n_resets);
	put_i64(out, track->covered_ns);
	put_i64(out, meter->gap_ns);
	put_i64(out, meter->blind_ns);
	put_i64(out, meter->grown_t_ns);
	put_i64(out, meter->step_t0_ns);
	(void)es_buf_le64(out, meter->step_uj);
	put_i64(out, meter->step_ns);
	(void)es_buf_le64(out, meter->step_mw);
	(void)es_buf_le64(out, meter->upto_uj);
}

static void get_meter(struct es_cursor *in, struct es_account_meter *meter)
{
	struct es_track *track = &meter->track;

	track->has_first = es_cursor_u8(in) != 0;
	track->first_t_ns = get_i64(in);
	track->last_t_ns = get_i64(in);
	track->same_t_ns = get_i64(in);
	track->last_value = es_cursor_le64(in);
	track->first_value = track->least_mw = track->most_mw = track->last_value;
	track->energy_uj = get_u64(in);
	track->rest_pj = get_u64(in) % 1000000;
	track->n_resets = get_u64(in);
	track->covered_ns = get_i64(in);
	meter->gap_ns = get_i64(in);
	meter->blind_ns = get_i64(in);
	meter->grown_t_ns = get_i64(in);
	meter->step_t0_ns = get_i64(in);
	meter->step_uj = get_u64(in);
	meter->step_ns = get_i64(in);
	meter->step_mw = get_u64(in);
	meter->upto_uj = get_u64(in);
	meter->value.energy_uj = track->energy_uj;
	meter->value.n_resets = (uint32_t)track->n_resets;
	/* A value that stood for long may leap: what is said of it by the time since then holds. */
	track->has_moved = track->energy_uj > 0;
}

static void put_line(struct es_buf *out, const struct es_account_line *line)
{
	(void)es_buf_le64(out, line->part.energy_uj);
	(void)es_buf_le64(out, line->part.idle_uj);
	(void)es_buf_le64(out, line->part.rest_uj);
	(void)es_buf_le64(out, line->part.ended_uj);
	put_i64(out, line->open_ns);
	put_i64(out, line->whole_ns);
	(void)es_buf_le64(out, line->used);
	(void)es_buf_le64(out, line->held);
	(void)es_buf_u8(out, line->has_quiet);
	(void)es_buf_le64(out, line->quiet_mw);
}

static void get_line(struct es_cursor *in, struct es_account_line *line)
{
	line->part.energy_uj = get_u64(in);
	line->part.idle_uj = get_u64(in);
	line->part.rest_uj = get_u64(in);
	line->part.ended_uj = get_u64(in);
	line->open_ns = get_i64(in);
	line->whole_ns = get_i64(in);
	line->used = es_cursor_le64(in);
	line->held = es_cursor_le64(in);
	line->has_quiet = es_cursor_u8(in) != 0;
	line->quiet_mw = get_u64(in);
	/* What nobody watched tells of no quiet: it is watched for anew. */
	line->was_held = true;
	es_account_forget_window(line);
}

static void put_job(const struct es_account *account, struct es_buf *out,
		    const struct es_account_job *own)
{
	(void)es_buf_le64(out, own->serial);
	(void)es_buf_le64(out, own->before_uj);
	put_i64(out, own->seen_ns);
	put_i64(out, own->gap_ns);
	for (size_t i = 0; i < account->n_packages; i++)
		put_i64(out, own->cpu_ns[i]);
	for (size_t i = 0; i < account->n_parts; i++) {
		(void)es_buf_le64(out, own->claims[i].used);
		(void)es_buf_le64(out, own->claims[i].held);
		(void)es_buf_le64(out, own->claims[i].whole_ns);
		(void)es_buf_u8(out, (uint8_t)own->shares[i].rule);
		(void)es_buf_u8(out, (uint8_t)own->shares[i].idle_method);
		(void)es_buf_le64(out, own->shares[i].dynamic_uj);
		(void)es_buf_le64(out, own->shares[i].idle_uj);
	}
}

static void get_job(const struct es_account *account, struct es_cursor *in,
		    struct es_account_job *own)
{
	own->before_uj = get_u64(in);
	own->seen_ns = get_i64(in);
	own->gap_ns = get_i64(in);
	own->sum_uj = 0;
	for (size_t i = 0; i < account->n_packages; i++)
		own->cpu_ns[i] = get_i64(in);
	for (size_t i = 0; i < account->n_parts; i++) {
		struct es_account_share *share = &own->shares[i];
		uint8_t rule, method;

		own->claims[i].used = es_cursor_le64(in);
		own->claims[i].held = es_cursor_le64(in);
		own->claims[i].whole_ns = es_cursor_le64(in);
		rule = es_cursor_u8(in);
		method = es_cursor_u8(in);
		share->dynamic_uj = get_u64(in);
		share->idle_uj = get_u64(in);
		own->sum_uj += share->dynamic_uj + share->idle_uj;
		if (rule >= ES_N_SHARE_RULES || method >= ES_N_IDLE_METHODS) {
			in->error = -EBADMSG;
			return;
		}
		share->rule = (enum es_share_rule)rule;
		share->idle_method = (enum es_idle_method)method;
	}
}

int es_account_save(const struct es_account *account, const struct es_jobs *jobs,
		    const char *boot_id, struct es_buf *out)
{
	(void)jobs;
	es_buf_reset(out);
	(void)es_buf_le32(out, MAGIC);
	(void)es_buf_le32(out, VERSION);
	(void)es_buf_le32(out, sum_of_boot(boot_id));
	(void)es_buf_le32(out, fingerprint(account));
	(void)es_buf_le32(out, (uint32_t)account->n_domains);
	(void)es_buf_le32(out, (uint32_t)account->n_parts);
	(void)es_buf_le32(out, (uint32_t)account->n_packages);
	(void)es_buf_le32(out, (uint32_t)account->n_jobs);
	(void)es_buf_le64(out, account->epoch);
	(void)es_buf_u8(out, account->has_sweep);
	put_i64(out, account->sweep_ns);
	put_i64(out, account->sweep_mono_ns);
	put_i64(out, account->total_off_uj);
	put_i64(out, account->beyond_uj);
	put_i64(out, account->held_uj);
	(void)es_buf_le64(out, account->booked_rest_uj);
	(void)es_buf_le64(out, account->residual_uj);
	for (size_t i = 0; i < account->n_packages; i++)
		put_i64(out, account->busy_ns[i]);
	for (size_t i = 0; i < account->n_domains; i++)
		put_meter(out, &account->meters[i]);
	for (size_t i = 0; i < account->n_parts; i++)
		put_line(out, &account->lines[i]);
	for (size_t j = 0; j < account->n_jobs; j++)
		put_job(account, out, account->jobs[j]);
	if (out->error == 0)
		(void)es_buf_le32(out, es_crc32c(0, out->data, out->len));
	return out->error;
}

static struct es_job *find_job(const struct es_jobs *jobs, uint64_t serial)
{
	struct es_job *job;

	for (size_t i = 0; (job = es_jobs_at(jobs, i)); i++)
		if (job->serial == serial)
			return job;
	return NULL;
}

/* What a job had that is over by now counts as that of ended ones; what it did since then is nobody's. */
static int get_jobs(struct es_account *account, const struct es_jobs *jobs, struct es_cursor *in,
		    uint32_t n)
{
	for (uint32_t k = 0; k < n && !in->error; k++) {
		uint64_t serial = es_cursor_le64(in);
		struct es_account_job *own = es_account_job_create(account, serial);
		struct es_job *job = find_job(jobs, serial);

		if (!own)
			return -ENOMEM;
		get_job(account, in, own);
		if (in->error || !job || job->account)
			es_account_job_destroy(account, own);
		else
			job->account = own;
	}
	return in->error;
}

static void get_all(struct es_account *account, struct es_cursor *in)
{
	account->epoch = es_cursor_le64(in);
	account->has_sweep = es_cursor_u8(in) != 0;
	account->sweep_ns = get_i64(in);
	account->sweep_mono_ns = get_i64(in);
	account->total_off_uj = get_i64(in);
	account->beyond_uj = get_i64(in);
	account->held_uj = get_i64(in);
	account->booked_rest_uj = get_u64(in);
	account->residual_uj = get_u64(in);
	for (size_t i = 0; i < account->n_packages; i++)
		account->busy_ns[i] = get_i64(in);
	for (size_t i = 0; i < account->n_domains; i++)
		get_meter(in, &account->meters[i]);
	for (size_t i = 0; i < account->n_parts; i++)
		get_line(in, &account->lines[i]);
}

/* Whether what was read adds up: jobs + idle + unattributed = part. */
static bool is_closed(const struct es_account *account)
{
	for (size_t i = 0; i < account->n_parts; i++) {
		const struct es_account_part *part = &account->lines[i].part;
		uint64_t of_uj = part->idle_uj + part->rest_uj + part->ended_uj;

		for (size_t j = 0; j < account->n_jobs; j++)
			of_uj += account->jobs[j]->shares[i].dynamic_uj +
				 account->jobs[j]->shares[i].idle_uj;
		if (of_uj != part->energy_uj)
			return false;
	}
	return true;
}

/** struct counts - of a saved book */
struct counts {
	uint32_t n_domains, n_parts, n_packages, n_jobs;
};

static void pass_over(struct es_cursor *in, const struct counts *counts)
{
	struct es_account_meter meter = { .gap_ns = 0 };
	struct es_account_line line = { .open_ns = 0 };

	(void)es_cursor_le64(in);
	(void)es_cursor_u8(in);
	for (int i = 0; i < 7; i++)
		(void)es_cursor_le64(in);
	for (uint32_t i = 0; i < counts->n_packages && !in->error; i++)
		(void)es_cursor_le64(in);
	for (uint32_t i = 0; i < counts->n_domains && !in->error; i++)
		get_meter(in, &meter);
	for (uint32_t i = 0; i < counts->n_parts && !in->error; i++)
		get_line(in, &line);
}

/* What one job had, of all parts, and before these. */
static uint64_t take_sum(struct es_cursor *in, const struct counts *counts)
{
	uint64_t sum_uj = get_u64(in);

	for (uint32_t i = 0; i < counts->n_packages + 2 && !in->error; i++)
		(void)es_cursor_le64(in);
	for (uint32_t i = 0; i < counts->n_parts && !in->error; i++) {
		for (int k = 0; k < 3; k++)
			(void)es_cursor_le64(in);
		(void)es_cursor_u8(in);
		(void)es_cursor_u8(in);
		sum_uj += get_u64(in);
		sum_uj += get_u64(in);
		if (sum_uj > VALUE_MAX)
			in->error = -EBADMSG;
	}
	return sum_uj;
}

/* The book is of other meters: what those that run had by it stays theirs. */
static int take_before(struct es_account *account, const struct es_jobs *jobs, struct es_cursor *in,
		       const struct counts *counts)
{
	pass_over(in, counts);
	for (uint32_t k = 0; k < counts->n_jobs && !in->error; k++) {
		uint64_t serial = es_cursor_le64(in), sum_uj = take_sum(in, counts);
		struct es_job *job = in->error ? NULL : find_job(jobs, serial);
		struct es_account_job *own;

		if (!job || job->account)
			continue;
		own = es_account_job_create(account, serial);
		if (!own)
			return -ENOMEM;
		own->before_uj = sum_uj;
		job->account = own;
	}
	return in->error || es_cursor_left(in) ? -EBADMSG : -ESTALE;
}

/* As it was made: nothing of what was read is left. */
static void forget_all(struct es_account *account, struct es_jobs *jobs, uint64_t epoch)
{
	es_account_leave(account, jobs);
	while (account->n_jobs > 0)
		es_account_job_destroy(account, account->jobs[0]);
	account->epoch = epoch;
	account->has_sweep = false;
	account->sweep_ns = account->sweep_mono_ns = 0;
	account->total_off_uj = account->beyond_uj = account->held_uj = 0;
	account->booked_rest_uj = account->residual_uj = 0;
	for (size_t i = 0; i < account->n_packages; i++)
		account->busy_ns[i] = -1;
	for (size_t i = 0; i < account->n_domains; i++)
		es_account_meter_init(&account->meters[i], &account->domains[i]);
	for (size_t i = 0; i < account->n_parts; i++) {
		struct es_account_line *line = &account->lines[i];

		line->part.energy_uj = line->part.idle_uj = line->part.rest_uj = 0;
		line->part.ended_uj = 0;
		line->open_ns = line->whole_ns = 0;
		line->used = line->held = line->quiet_mw = 0;
		line->has_quiet = line->was_held = false;
	}
}

int es_account_load(struct es_account *account, struct es_jobs *jobs, const char *boot_id,
		    const void *data, size_t n)
{
	struct es_cursor in;
	uint64_t epoch = account->epoch;
	struct counts counts;
	uint32_t meters;
	int r = es_account_prepare(account, jobs);

	if (r < 0)
		return r;
	if (account->has_sweep || n < CHECKSUM_BYTES)
		return account->has_sweep ? -EBUSY : -EBADMSG;
	es_cursor_init(&in, (const uint8_t *)data + n - CHECKSUM_BYTES, CHECKSUM_BYTES);
	if (es_cursor_le32(&in) != es_crc32c(0, data, n - CHECKSUM_BYTES))
		return -EBADMSG;
	es_cursor_init(&in, data, n - CHECKSUM_BYTES);
	if (es_cursor_le32(&in) != MAGIC)
		return -EBADMSG;
	if (es_cursor_le32(&in) != VERSION || es_cursor_le32(&in) != sum_of_boot(boot_id))
		return -ESTALE;
	meters = es_cursor_le32(&in);
	counts.n_domains = es_cursor_le32(&in);
	counts.n_parts = es_cursor_le32(&in);
	counts.n_packages = es_cursor_le32(&in);
	counts.n_jobs = es_cursor_le32(&in);
	if (counts.n_jobs > ES_JOBS_MAX || counts.n_packages > ES_GROUP_PACKAGES_MAX)
		return -EBADMSG;
	if (meters != fingerprint(account) || counts.n_domains != account->n_domains ||
	    counts.n_parts != account->n_parts || counts.n_packages != account->n_packages) {
		r = take_before(account, jobs, &in, &counts);
	} else {
		get_all(account, &in);
		r = get_jobs(account, jobs, &in, counts.n_jobs);
		if (r == 0 && (in.error || es_cursor_left(&in) || !is_closed(account)))
			r = -EBADMSG;
	}
	if (r < 0 && r != -ESTALE)
		forget_all(account, jobs, epoch);
	es_account_settle_idle(account);
	return r;
}
