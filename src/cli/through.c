/*
 * through.c - the meters of this node through its daemon, for who may not read them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/through.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/daemonlink.h"
#include "ipc/address.h"
#include "record/event.h"
#include "source/daemon.h"

#define ANSWER_NS ES_NS_PER_S /* for a daemon that nobody asked for */
#define NAMED_MORE_NS (4 * ES_NS_PER_S)

static bool is_of_ours(const struct es_sampler_source *entry)
{
	return entry->source && !entry->ops->schemes;
}

/* Nothing that has to be read is refused: what is spare shows what others show too. */
static bool can_read_all(struct es_sampler *sampler)
{
	size_t n_sources, n_domains;
	const struct es_sampler_source *sources = es_sampler_sources(sampler, &n_sources);
	const struct es_domain *domains = es_sampler_domains(sampler, &n_domains);
	bool has_meter = false;

	for (size_t i = 0; i < n_sources; i++) {
		if (!is_of_ours(&sources[i]))
			continue;
		for (size_t j = 0; j < sources[i].n; j++) {
			const struct es_domain *domain = &domains[sources[i].first_domain + j];

			if (domain->kind == ES_KIND_ESTIMATED)
				continue;
			if (domain->state == ES_STATE_DENIED && !sources[i].ops->is_spare)
				return false;
			has_meter = has_meter || es_sampler_can_read(domain);
		}
	}
	return has_meter;
}

static void put_aside(struct es_domain *domain, const char *reason)
{
	domain->is_there = false;
	domain->state = ES_STATE_ABSENT;
	domain->fix[0] = '\0';
	(void)snprintf(domain->reason, sizeof(domain->reason), "%s", reason);
}

/* One of ours and one of theirs of the same part: which of both is read. */
static void settle(struct es_domain *ours, struct es_domain *theirs, bool keeps_ours)
{
	bool is_same = strcmp(theirs->id, ours->id) == 0;

	if (!es_sampler_can_read(theirs) || ours->state == ES_STATE_ABSENT)
		return;
	if (is_same && keeps_ours)
		put_aside(theirs, "read directly");
	else if (!keeps_ours && (is_same || (theirs->kind != ES_KIND_ESTIMATED &&
					     es_domain_is_twin(theirs, ours))))
		put_aside(ours, "read through energyscopiumd");
}

/*
 * Of what both have one is read: ours, if it can be, unless the daemon was asked for. An estimate is as good here as
 * there. Shares and meters are not mixed.
 */
static void choose(struct es_sampler *sampler, size_t n_ours, bool is_share, bool is_named)
{
	size_t n, n_sources;
	struct es_domain *domains = es_sampler_domains(sampler, &n);
	const struct es_sampler_source *sources = es_sampler_sources(sampler, &n_sources);

	for (size_t i = 0; i < n_sources; i++) {
		for (size_t j = 0; is_of_ours(&sources[i]) && j < sources[i].n; j++) {
			size_t at = sources[i].first_domain + j;
			struct es_domain *ours = &domains[at];
			bool is_estimate = ours->kind == ES_KIND_ESTIMATED;
			bool keeps_ours = es_sampler_can_read(ours) &&
					  (is_estimate || (!is_share && !is_named));

			if (at >= n_ours)
				continue;
			if (is_share && !is_estimate)
				put_aside(ours, "of the whole node: this job's share is read");
			for (size_t k = n_ours; k < n; k++)
				settle(ours, &domains[k], keeps_ours);
		}
	}
}

static void take_note(struct es_source *source, int64_t period_ns, struct es_report_daemon *ret)
{
	const struct es_local_welcome *welcome = es_daemon_welcome(source);
	struct es_report_daemon note = { .is_used = true, .period_ns = period_ns };
	struct es_plan plan = { .at_most_ns = 0 };

	note.is_share = welcome->view == ES_LOCAL_VIEW_SHARE;
	if (source->ops->plan(source, &plan) == 0 && plan.at_most_ns > 0)
		note.period_ns = plan.at_most_ns;
	note.asked_ns = period_ns;
	(void)snprintf(note.version, sizeof(note.version), "%s", welcome->version);
	(void)snprintf(note.job, sizeof(note.job), "%s", welcome->job);
	*ret = note;
}

/* A daemon that is not there is no news; one that shows nothing is. */
static bool is_silence(int r)
{
	return r == -ENOENT || r == -ECONNREFUSED || r == -ENOTDIR;
}

/* What is to be measured waits meanwhile. */
static int connect_to(const char *command, const char *path, bool is_named, int64_t period_ns,
		      struct es_source **ret, struct es_error *err)
{
	int r = es_daemon_open(path, period_ns, ANSWER_NS, ret, err);

	if (r != -ETIMEDOUT || !is_named)
		return r;
	(void)es_complain(command, 0, "%s: waiting for it, %d s more", err->text,
			  (int)(NAMED_MORE_NS / ES_NS_PER_S));
	return es_daemon_open(path, period_ns, NAMED_MORE_NS, ret, err);
}

int es_through_open(const char *command, const char *named, bool has_root, int64_t period_ns,
		    struct es_sampler *sampler, struct es_through *ret, struct es_error *err)
{
	char path[ES_IPC_PATH_MAX_BYTES];
	struct es_through through = { .why = { .code = 0 } };
	struct es_source *source;
	struct es_error why = { .code = 0 };
	bool is_chosen;
	size_t n_ours;
	int r = es_daemonlink_path(named, path, sizeof(path), &is_chosen, &why);

	*ret = through;
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return es_error_say(err, r, "%s", why.text);
	if (!named && ((has_root && !is_chosen) || can_read_all(sampler)))
		return 0;
	r = connect_to(command, path, named, period_ns, &source, &why);
	if (r < 0 && named)
		return es_error_say(err, r, "%s", why.text);
	if (r < 0) {
		if (!is_silence(r) || is_chosen)
			ret->why = why;
		return 0;
	}
	take_note(source, period_ns, &through.note);
	(void)es_sampler_domains(sampler, &n_ours);
	r = es_sampler_add(sampler, source);
	if (r < 0)
		return es_error_set(err, r, "cannot read through the daemon");
	choose(sampler, n_ours, through.note.is_share, named);
	*ret = through;
	return 0;
}

void es_through_tell(const char *command, const struct es_through *through)
{
	if (!through->note.is_used && through->why.text[0])
		(void)es_complain(command, 0, "%s: measuring without it", through->why.text);
}

void es_through_row(const struct es_through *through, const char *label, int width,
		    struct es_buf *out)
{
	char words[320];

	if (through->note.is_used)
		es_report_daemon_words(&through->note, words, sizeof(words));
	if (through->note.is_used || through->why.text[0])
		(void)es_buf_printf(out, "%-*s%s\n", width, label,
				    through->note.is_used ? words : through->why.text);
}

int es_through_record(const struct es_through *through, struct es_recorder *recorder)
{
	struct es_event event = { .type = ES_EVENT_DAEMON,
				  .t_ns = es_clock_boot_ns(),
				  .value = through->note.period_ns };
	int r;

	if (!through->note.is_used)
		return 0;
	r = es_report_daemon_text(&through->note, event.text, sizeof(event.text));
	return r < 0 ? r : es_recorder_event(recorder, &event);
}
