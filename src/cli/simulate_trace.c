/*
 * simulate_trace.c - the jobs that energyscopium simulate replays, from a trace
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "cli/onefile.h"
#include "cli/simulate.h"

static bool is_usable(const struct es_swf_job *job)
{
	return job->run_s >= 0 && es_swf_procs(job) > 0;
}

static int look_through(const char *path, uint32_t procs, struct es_simulate_trace *trace,
			struct es_error *err)
{
	const struct es_swf_job *first = NULL;
	size_t n_larger = 0;

	for (size_t i = 0; i < trace->swf.n; i++) {
		const struct es_swf_job *job = &trace->swf.jobs[i];

		if (!is_usable(job)) {
			trace->n_left_out++;
			continue;
		}
		trace->n_without_request += job->requested_s < 0;
		if (es_swf_procs(job) <= (int64_t)procs)
			continue;
		first = first ? first : job;
		n_larger++;
	}
	if (first)
		return es_error_say(err, -ERANGE,
				    "'%s': %zu %s larger than the %s's %" PRIu32
				    " processors; the first is job %" PRId64 " with %" PRId32,
				    path, n_larger, n_larger == 1 ? "job is" : "jobs are",
				    trace->is_classed ? "largest class" : "machine", procs,
				    first->number, es_swf_procs(first));
	if (trace->n_left_out == trace->swf.n)
		return es_error_say(err, -ENODATA,
				    "'%s': no job has both a run time and processors", path);
	return 0;
}

int es_simulate_trace_read(const char *command, const char *path, bool is_strict, uint32_t procs,
			   struct es_simulate_trace *trace, struct es_error *err)
{
	int r = es_one_file_swf(command, path, is_strict, &trace->swf, err);

	return r < 0 ? r : look_through(path, procs, trace, err);
}

void es_simulate_trace_finish(struct es_simulate_trace *trace)
{
	es_swf_finish(&trace->swf);
	free(trace->held);
	trace->held = NULL;
}

static struct es_sim_job job_of(const struct es_simulate_trace *trace, size_t index)
{
	const struct es_swf_job *job = &trace->swf.jobs[index];
	bool has_request = trace->is_requested && job->requested_s >= 0;

	return (struct es_sim_job){
		.id = (uint64_t)job->number,
		.index = (uint32_t)index,
		.submit_s = job->submit_s,
		.run_s = job->run_s,
		.estimate_s = has_request ? job->requested_s : job->run_s,
		.procs = (uint32_t)es_swf_procs(job),
	};
}

/* Those of one second in the order of the trace. */
static int by_arrival(const void *a, const void *b)
{
	const struct es_simulate_held *x = a, *y = b;

	if (x->arrival_s != y->arrival_s)
		return x->arrival_s < y->arrival_s ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

int es_simulate_trace_hold(struct es_simulate_trace *trace, es_simulate_hold_fn hold, void *arg)
{
	trace->held = calloc(trace->swf.n, sizeof(*trace->held));
	if (!trace->held)
		return -ENOMEM;
	for (size_t i = 0; i < trace->swf.n; i++) {
		struct es_simulate_held *held = &trace->held[trace->n_held];
		struct es_sim_job job;

		if (!is_usable(&trace->swf.jobs[i]))
			continue;
		job = job_of(trace, i);
		held->hold_s = hold(arg, &job);
		held->arrival_s = job.submit_s + held->hold_s;
		held->index = (uint32_t)i;
		trace->n_held++;
	}
	qsort(trace->held, trace->n_held, sizeof(*trace->held), by_arrival);
	return 0;
}

int es_simulate_trace_next(struct es_simulate_trace *trace, struct es_sim_job *ret)
{
	if (trace->held) {
		if (trace->next == trace->n_held)
			return 0;
		*ret = job_of(trace, trace->held[trace->next].index);
		ret->hold_s = trace->held[trace->next++].hold_s;
		return 1;
	}
	while (trace->next < trace->swf.n) {
		size_t index = trace->next++;

		if (!is_usable(&trace->swf.jobs[index]))
			continue;
		*ret = job_of(trace, index);
		return 1;
	}
	return 0;
}
