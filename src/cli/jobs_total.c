/*
 * jobs_total.c - what daemons say of a job on its nodes, as a report
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/jobs_total.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "core/share_rule.h"
#include "record/frame.h"
#include "record/rows.h"

#define BYTES_MAX (1U << 20) /* of one such recording: some KB */
#define DUR_MIN_NS ES_NS_PER_MS
#define NEAR_PPM 10000U /* parts that are the node to that are the node */

/* Numbers behind the hyphens of a name: package-0, package-0-die-1, gpu-3. */
static void place(const char *name, int32_t *ret_first, int32_t *ret_second)
{
	const char *p = strchr(name, '-');
	char *end = NULL;
	long number;

	*ret_first = *ret_second = -1;
	if (!p)
		return;
	number = strtol(p + 1, &end, 10);
	if (end == p + 1 || number < 0 || number > INT16_MAX)
		return;
	*ret_first = (int32_t)number;
	p = strrchr(end, '-');
	if (!p)
		return;
	number = strtol(p + 1, &end, 10);
	if (end != p + 1 && *end == '\0' && number >= 0 && number <= INT16_MAX)
		*ret_second = (int32_t)number;
}

static enum es_domain_type type_of(const char *name)
{
	enum es_domain_type type = ES_DOMAIN_OTHER;
	char word[32];

	(void)snprintf(word, sizeof(word), "%.*s", (int)strcspn(name, "-"), name);
	(void)es_domain_type_from_name(word, &type);
	return type == ES_DOMAIN_PACKAGE && strstr(name, "-die-") ? ES_DOMAIN_DIE : type;
}

static void add_domain(const struct es_local_job_is *job, const char *name, const char *kind_name,
		       enum es_domain_type type, struct es_meta *meta, int *r)
{
	enum es_kind kind = ES_KIND_ESTIMATED; /* of several kinds: that is the most careful one */
	double ppm = job->energy_uj ? 1e6 * (double)job->uncertainty_uj / (double)job->energy_uj
				    : 0;
	struct es_domain domain;
	int32_t first, second;

	(void)es_kind_from_name(kind_name, &kind);
	place(name, &first, &second);
	es_domain_init(&domain, "daemon", type, first, second);
	(void)snprintf(domain.name, sizeof(domain.name), "%s", name);
	(void)snprintf(domain.id, sizeof(domain.id), "daemon/%.200s", name);
	domain.kind = kind;
	domain.range.unit_nj = 1000;
	domain.peak_mw = INT64_MAX / ES_NS_PER_S; /* it was judged where it was read */
	if (kind == ES_KIND_ESTIMATED)
		domain.spread_ppm = (uint32_t)fmin(ppm, 1e9);
	else
		domain.accuracy_ppm = (uint32_t)fmin(ppm, 1e9);
	if (*r == 0)
		*r = es_meta_add_domain(meta, &domain);
}

/* The parts are the node where no meter of the whole is, and none is missing from the list. */
static bool has_parts(const struct es_local_job_is *job)
{
	uint64_t sum_uj = 0, apart_uj;

	for (uint32_t i = 0; i < job->n_parts; i++)
		sum_uj += job->parts[i].dynamic_uj + job->parts[i].idle_uj;
	apart_uj = sum_uj > job->energy_uj ? sum_uj - job->energy_uj : job->energy_uj - sum_uj;
	return job->n_parts > 0 && !job->machine.has_node_meter &&
	       apart_uj <= job->energy_uj / (1000000U / NEAR_PPM);
}

static int describe(const struct es_local_job_is *job, int64_t dur_ns, int64_t start_unix_ns,
		    struct es_meta *meta)
{
	const struct es_local_machine *machine = &job->machine;
	struct es_node_info *node;
	int r = es_meta_add_node(meta, job->node);

	if (r < 0)
		return r;
	node = &meta->nodes[0];
	(void)snprintf(node->cpu_model, sizeof(node->cpu_model), "%s", machine->cpu_model);
	(void)snprintf(node->gpu_model, sizeof(node->gpu_model), "%s", machine->gpu_model);
	node->n_cpus = machine->n_cpus;
	node->n_packages = machine->n_packages;
	node->n_gpus = machine->n_gpus;
	node->memory_bytes = machine->memory_bytes;
	meta->virt = machine->virt <= ES_VIRT_CONTAINER ? (enum es_virt)machine->virt
							: ES_VIRT_UNKNOWN;
	meta->has_battery = machine->has_battery;
	(void)snprintf(meta->country, sizeof(meta->country), "%s", machine->country);
	(void)snprintf(meta->timezone, sizeof(meta->timezone), "%s", machine->timezone);
	(void)snprintf(meta->job, sizeof(meta->job), "%s", job->job.id);
	(void)snprintf(meta->cluster, sizeof(meta->cluster), "%s", job->job.cluster);
	(void)snprintf(meta->account, sizeof(meta->account), "%s", job->job.account);
	(void)snprintf(meta->partition, sizeof(meta->partition), "%s", job->job.partition);
	meta->n_cpus = job->job.n_cpus;
	meta->n_job_nodes = job->job.n_nodes;
	meta->restarts = job->job.restarts;
	meta->has_uid = job->job.has_uid;
	meta->uid = job->job.uid;
	meta->sharing = strcmp(job->kind, es_kind_name(ES_KIND_ATTRIBUTED)) == 0
				? ES_SHARING_SHARED
				: ES_SHARING_EXCLUSIVE;
	meta->period_ns = dur_ns;
	meta->start_unix_ns = start_unix_ns;
	if (!job->has_energy)
		return 0;
	if (!has_parts(job))
		add_domain(job, "node", job->kind, ES_DOMAIN_NODE, meta, &r);
	for (uint32_t i = 0; r == 0 && has_parts(job) && i < job->n_parts; i++)
		add_domain(job, job->parts[i].domain, job->parts[i].kind,
			   type_of(job->parts[i].domain), meta, &r);
	return r;
}

static int put_event(uint32_t type, int64_t t_ns, int64_t value, const char *text,
		     struct es_buf *out)
{
	struct es_event event = { .type = type, .t_ns = t_ns, .value = value };
	size_t at = es_frame_begin(out, type == ES_EVENT_END ? ES_FRAME_END : ES_FRAME_EVENT, 0);
	int r;

	(void)snprintf(event.text, sizeof(event.text), "%s", text);
	r = es_event_put(&event, out);
	return r == 0 ? es_frame_finish(out, at) : r;
}

/* Nothing at the begin, all of it at the end. */
static int put_rows(const struct es_local_job_is *job, const struct es_meta *meta, int64_t dur_ns,
		    struct es_buf *out)
{
	bool is_one = !has_parts(job);
	struct es_rows rows;
	size_t at;
	int r = es_rows_init(&rows, meta->domains, meta->n_domains, 2);

	if (r < 0)
		return r;
	for (int k = 0; k < 2; k++) {
		(void)es_rows_add(&rows, k * dur_ns);
		for (size_t i = 0; i < meta->n_domains; i++) {
			uint64_t energy_uj =
				is_one ? job->energy_uj
				       : job->parts[i].dynamic_uj + job->parts[i].idle_uj;

			es_rows_set(&rows, i, k * dur_ns, k ? energy_uj : 0, 0);
		}
	}
	at = es_frame_begin(out, ES_FRAME_BLOCK, 0);
	r = es_rows_encode(&rows, out);
	es_rows_finish(&rows);
	return r == 0 ? es_frame_finish(out, at) : r;
}

static int put_rules(const struct es_local_job_is *job, struct es_buf *out)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < job->n_parts; i++) {
		char text[64];

		(void)snprintf(text, sizeof(text), "%.16s %.16s", job->parts[i].rule,
			       job->idle_method);
		r = put_event(ES_EVENT_SHARED, 0, 0, text, out);
	}
	return r;
}

static int put_recording(const struct es_local_job_is *job, int64_t dur_ns, int64_t start_unix_ns,
			 struct es_buf *out)
{
	static const uint8_t header[ES_RECORD_HEADER_BYTES] = {
		'E', 'S', 'R', 'E', 'C', '\r', '\n', ES_RECORD_VERSION
	};
	struct es_meta meta;
	size_t at;
	int r;

	es_meta_init(&meta);
	r = describe(job, dur_ns, start_unix_ns, &meta);
	(void)es_buf_append(out, header, sizeof(header));
	at = es_frame_begin(out, ES_FRAME_META, 0);
	if (r == 0)
		r = es_meta_write(&meta, out);
	if (r == 0)
		r = es_frame_finish(out, at);
	if (r == 0 && meta.n_domains)
		r = put_rules(job, out);
	if (r == 0)
		r = put_event(ES_EVENT_COMMAND_START, 0, 0, "", out);
	if (r == 0 && meta.n_domains)
		r = put_rows(job, &meta, dur_ns, out);
	if (r == 0)
		r = put_event(ES_EVENT_COMMAND_STOP, dur_ns, -1, "", out);
	if (r == 0)
		r = put_event(ES_EVENT_END, dur_ns, 0, "", out);
	es_meta_finish(&meta);
	return r;
}

static int join(struct es_recording **parts, size_t n, struct es_recording **ret)
{
	int64_t *shift_ns;
	int r;

	if (n == 1) {
		*ret = parts[0];
		return 0;
	}
	shift_ns = calloc(n, sizeof(*shift_ns));
	r = shift_ns ? es_recording_join(parts, shift_ns, n, ret) : -ENOMEM;
	free(shift_ns);
	return r;
}

static int open_all(const struct es_local_job_is *jobs, size_t n, struct es_jobs_total *total,
		    struct es_recording **parts, struct es_error *err)
{
	int64_t dur_ns = DUR_MIN_NS, start_unix_ns = INT64_MAX;
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		dur_ns = jobs[i].dur_ns > dur_ns ? jobs[i].dur_ns : dur_ns;
		start_unix_ns = jobs[i].start_unix_ns < start_unix_ns ? jobs[i].start_unix_ns
								      : start_unix_ns;
	}
	for (size_t i = 0; r == 0 && i < n; i++) {
		es_buf_init(&total->bytes[i], BYTES_MAX);
		total->n = i + 1;
		r = put_recording(&jobs[i], dur_ns, start_unix_ns, &total->bytes[i]);
		if (r < 0)
			return es_error_set(err, r, "node '%s'", jobs[i].node);
		r = es_recording_open_bytes(&total->bytes[i], jobs[i].node, &parts[i], err);
	}
	return r;
}

int es_jobs_total_make(const struct es_local_job_is *jobs, size_t n, struct es_chain *chain,
		       struct es_jobs_total *ret, struct es_error *err)
{
	struct es_jobs_total total = { .bytes = calloc(n, sizeof(*total.bytes)) };
	es_cleanup(es_freep) struct es_recording **parts = calloc(n, sizeof(struct es_recording *));
	struct es_outcome opened = { .recording = NULL };
	int r = total.bytes && parts ? open_all(jobs, n, &total, parts, err)
				     : es_error_set(err, -ENOMEM, "job");

	if (r == 0) {
		r = join(parts, n, &opened.recording);
		if (r < 0)
			(void)es_error_set(err, r, "job of %zu nodes", n);
	}
	if (r < 0) {
		for (size_t i = 0; parts && i < n; i++)
			es_recording_close(parts[i]);
		es_jobs_total_finish(&total);
		return r;
	}
	*ret = total;
	r = es_outcome_make(chain, &opened, &ret->outcome, err);
	if (r < 0)
		es_jobs_total_finish(ret);
	return r;
}

void es_jobs_total_finish(struct es_jobs_total *total)
{
	if (total->outcome.recording)
		es_outcome_finish(&total->outcome);
	for (size_t i = 0; i < total->n; i++)
		es_buf_finish(&total->bytes[i]);
	free(total->bytes);
	*total = (struct es_jobs_total){ .n = 0 };
}
