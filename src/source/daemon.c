/*
 * source/daemon.c - the meters of this node as its daemon shows them to this user
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/daemon.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hot.h"
#include "source/daemon_link.h"

#define PAUSE_NS (20 * ES_NS_PER_MS) /* between tries to reach one that is being started */
#define SOON_NS (100 * ES_NS_PER_MS) /* so long the first reading may hold up what is measured */
/* Where counters begin: one that goes back to 0 and comes on is below all that was read before, and so seen to have gone back. */
#define FIRST_UJ UINT64_C(1000000000000)

/* A domain of the source, and what of the daemon's list it is. */
struct place {
	size_t at; /* index in the page; SIZE_MAX: the daemon has it no more */
	uint64_t base_uj; /* what the page showed where the counter here began, */
	uint64_t first_uj; /* and where that was */
	uint32_t n_resets; /* seen by the daemon until then */
};

struct daemon {
	struct es_source source;
	struct es_daemon_link link;
	uint64_t epoch; /* of the places */
	struct place *places; /* [n_domains] */
	struct es_page_value *values; /* [n_values] room for a copy of the page */
	size_t n_values;
	bool is_new; /* the places' bases are those of the next copy */
	bool has_begun; /* there was a copy */
	bool is_lost; /* the page gave nothing at the last read */
	bool has_waited;
};

static struct daemon *daemon_of(struct es_source *source)
{
	return (struct daemon *)source;
}

#define COPY_TEXT(to, from) (void)snprintf(to, sizeof(to), "%s", from)

static int state_from_name(const char *name, enum es_domain_state *ret)
{
	for (enum es_domain_state state = ES_STATE_OK; state < ES_N_STATES; state++)
		if (strcmp(es_state_name(state), name) == 0) {
			*ret = state;
			return 0;
		}
	return -ENOENT;
}

/* What the words of a later version mean is not known: then nothing may be made of it. */
static void take_names(const struct es_local_domain *local, struct es_domain *domain)
{
	if (es_domain_type_from_name(local->type, &domain->type) < 0)
		domain->type = ES_DOMAIN_OTHER;
	if (es_kind_from_name(local->kind, &domain->kind) == 0 &&
	    state_from_name(local->state, &domain->state) == 0)
		return;
	domain->state = ES_STATE_ABSENT;
	(void)snprintf(domain->reason, sizeof(domain->reason),
		       "the daemon calls it '%s' and '%s', which this version does not know",
		       local->kind, local->state);
}

static void take_instances(const struct es_local_domain *local, struct es_domain *domain)
{
	_Static_assert(ES_LOCAL_INSTANCES_MAX <= ES_INSTANCES_MAX, "all of them fit");
	domain->n_instances = local->n_instances;
	for (uint32_t i = 0; i < local->n_instances; i++) {
		const struct es_local_instance *from = &local->instances[i];
		struct es_instance *to = &domain->instances[i];

		*to = (struct es_instance){ .gpu_instance = from->gpu_instance,
					    .compute_instance = from->compute_instance,
					    .gpu_slices = from->gpu_slices,
					    .compute_slices = from->compute_slices,
					    .memory_bytes = from->memory_bytes };
		COPY_TEXT(to->uuid, from->uuid);
	}
}

static int32_t index_within(int32_t i, size_t n)
{
	return i >= 0 && (size_t)i < n ? i : -1;
}

static void take_domain(const struct es_local_domain *local, size_t n, struct es_domain *domain)
{
	*domain = (struct es_domain){
		.is_power = local->is_power,
		.may_mirror = local->may_mirror,
		.is_partial = local->is_partial,
		.is_there = local->is_there,
		.is_asked = local->is_asked,
		.package = local->package,
		.die = local->die,
		.core = local->core,
		.parent = index_within(local->parent, n),
		.duplicate_of = index_within(local->duplicate_of, n),
		/* The daemon's sums do not wrap. */
		.range = { .unit_nj = local->unit_nj, .modulus_nj = 0 },
		.peak_mw = local->peak_mw,
		.limit_mw = local->limit_mw,
		.update_period_ns = local->update_period_ns,
		.idle_mw = local->idle_mw,
		.full_mw = local->full_mw,
		.idle_spread_ppm = local->idle_spread_ppm,
		.spread_ppm = local->spread_ppm,
		.hold_ns = local->hold_ns,
		.accuracy_ppm = local->accuracy_ppm,
		.read_period_ns = local->least_period_ns,
		.has_activity = local->has_activity,
	};
	COPY_TEXT(domain->id, local->id);
	COPY_TEXT(domain->name, local->name);
	COPY_TEXT(domain->source, local->source);
	COPY_TEXT(domain->limit_kind, local->limit_kind);
	COPY_TEXT(domain->pci, local->pci);
	COPY_TEXT(domain->model, local->model);
	COPY_TEXT(domain->uuid, local->uuid);
	COPY_TEXT(domain->reason, local->reason);
	COPY_TEXT(domain->fix, local->fix);
	take_instances(local, domain);
	take_names(local, domain);
}

static size_t find(const struct es_daemon_link *link, const char *id)
{
	for (size_t i = 0; i < link->n_domains; i++)
		if (strcmp(link->domains[i].id, id) == 0)
			return i;
	return SIZE_MAX;
}

/* The connection is another one: where the domains are in its page, and whether their energies went on. */
static int find_places(struct daemon *daemon)
{
	const struct es_daemon_link *link = &daemon->link;

	if (link->n_domains > daemon->n_values) {
		struct es_page_value *values =
			reallocarray(daemon->values, link->n_domains, sizeof(*values));

		if (!values)
			return -ENOMEM;
		daemon->values = values;
		daemon->n_values = link->n_domains;
	}
	for (size_t i = 0; i < daemon->source.n_domains; i++)
		daemon->places[i].at = find(link, daemon->source.domains[i].id);
	daemon->is_new = daemon->is_new || link->page.epoch != daemon->epoch;
	daemon->epoch = link->page.epoch;
	return 0;
}

/* The energies of another epoch have nothing to do with those before: each counter here begins anew. */
static void begin_anew(struct daemon *daemon)
{
	for (size_t i = 0; i < daemon->source.n_domains; i++) {
		struct place *place = &daemon->places[i];

		if (place->at == SIZE_MAX)
			continue;
		place->base_uj = daemon->values[place->at].energy_uj;
		place->first_uj = daemon->has_begun ? 0 : FIRST_UJ;
		place->n_resets = daemon->values[place->at].n_resets;
	}
	daemon->is_new = false;
	daemon->has_begun = true;
}

es_hot static void take_value(const struct es_domain *domain, struct place *place,
			      const struct es_page_value *value, struct es_reading *ret)
{
	if (value->error || value->t_ns == 0) {
		ret->error = value->error ? value->error : -ENODATA;
		return;
	}
	ret->t_ns = value->t_ns;
	ret->width_ns = value->width_ns;
	ret->activity_ns = value->activity_ns;
	if (domain->is_power) {
		ret->value = value->power_mw;
		return;
	}
	/* What the hardware lost no sum shows: who follows this counter is to see that it began anew. */
	if (value->n_resets != place->n_resets) {
		place->n_resets = value->n_resets;
		place->base_uj = value->energy_uj;
		place->first_uj = 0;
	}
	if (value->energy_uj < place->base_uj)
		ret->error = -ERANGE;
	else
		ret->value = value->energy_uj - place->base_uj + place->first_uj;
}

static void fail_all(const struct daemon *daemon, int error, int64_t now_ns, struct es_reading *ret)
{
	for (size_t i = 0; i < daemon->source.n_domains; i++)
		ret[i] = (struct es_reading){ .t_ns = now_ns, .error = error };
}

/* No system call but for the clock, which is none. */
es_hot static int daemon_read(struct es_source *source, struct es_reading *ret, size_t n)
{
	struct daemon *daemon = daemon_of(source);
	int64_t now_ns = es_clock_boot_ns();
	struct es_page_copy copy;
	int r = daemon->link.view ? es_page_copy(daemon->link.view, now_ns, daemon->values,
						 daemon->n_values, &copy)
				  : -EPIPE;

	if (n < source->n_domains)
		return -EINVAL;
	daemon->is_lost = r < 0;
	if (r < 0) {
		fail_all(daemon,
			 r == -ESTALE  ? -ETIMEDOUT
			 : r == -EPIPE ? -ENOTCONN
				       : r,
			 now_ns, ret);
		return 0;
	}
	if (daemon->is_new)
		begin_anew(daemon);
	for (size_t i = 0; i < source->n_domains; i++) {
		struct place *place = &daemon->places[i];

		ret[i] = (struct es_reading){ .t_ns = copy.sweep_ns };
		if (place->at == SIZE_MAX)
			ret[i].error = -ENODEV;
		else
			take_value(&source->domains[i], place, &daemon->values[place->at], &ret[i]);
	}
	return 0;
}

static void mend(struct daemon *daemon, int64_t now_mono_ns)
{
	if (es_daemon_link_mend(&daemon->link, now_mono_ns) == 1 && find_places(daemon) < 0)
		es_daemon_link_drop(&daemon->link);
}

/* The page is written whether anybody asks or not: there is something to do only where it is not. */
es_hot static void daemon_ask(struct es_source *source)
{
	if (daemon_of(source)->is_lost)
		mend(daemon_of(source), es_clock_mono_ns());
}

static void pause_until(int64_t at_ns, int64_t until_ns)
{
	int64_t wait_ns = (at_ns < until_ns ? at_ns : until_ns) - es_clock_mono_ns();
	const struct timespec wait = { .tv_sec = wait_ns / ES_NS_PER_S,
				       .tv_nsec = wait_ns % ES_NS_PER_S };

	if (wait_ns > 0)
		(void)nanosleep(&wait, NULL);
}

/* When the meters were last read, as far as the page shows it; 0: it shows nothing. */
static int64_t swept_ns(struct daemon *daemon)
{
	struct es_page_copy copy;

	if (!daemon->link.view || es_page_copy(daemon->link.view, es_clock_boot_ns(),
					       daemon->values, daemon->n_values, &copy) < 0)
		return 0;
	return copy.sweep_ns;
}

/*
 * At both ends of what is measured: a sweep that begins from now on. The daemon shows nobody more than it may see: then
 * the end waits for the next sweep that it may, and the beginning takes the last one.
 */
static int daemon_wait(struct es_source *source, int64_t wait_ns)
{
	struct daemon *daemon = daemon_of(source);
	int64_t asked_ns = es_clock_boot_ns(), until_ns = es_clock_mono_ns() + wait_ns;
	int64_t patient_ns = daemon->has_waited || wait_ns < SOON_NS ? until_ns
								     : es_clock_mono_ns() + SOON_NS;
	int64_t least_ns = daemon->link.welcome.least_period_ns;

	daemon->has_waited = true;
	while (es_clock_mono_ns() < until_ns) {
		int r = es_daemon_link_sweep(&daemon->link, until_ns);
		int64_t last_ns = swept_ns(daemon);

		if (r == -EPIPE) {
			/* Here it is waited for: it need not be left in peace. */
			mend(daemon, es_clock_mono_ns() + ES_NS_PER_S);
			pause_until(es_clock_mono_ns() + PAUSE_NS, until_ns);
			continue;
		}
		if (r < 0 || last_ns >= asked_ns || es_clock_mono_ns() >= patient_ns)
			break;
		/* Asked for sooner, it is the last one again. */
		pause_until(es_clock_mono_ns() + PAUSE_NS +
				    (last_ns ? last_ns + least_ns - es_clock_boot_ns() : 0),
			    patient_ns);
	}
	return 0;
}

static int daemon_plan(const struct es_source *source, struct es_plan *ret)
{
	/* It reads them often enough itself. */
	ret->at_least_ns = INT64_MAX;
	ret->at_most_ns = ((const struct daemon *)source)->link.page.period_ns;
	return 0;
}

static int daemon_release(struct es_source *source)
{
	return es_daemon_link_release(&daemon_of(source)->link);
}

static void daemon_take(struct es_source *source)
{
	es_daemon_link_take(&daemon_of(source)->link);
}

static void daemon_close(struct es_source *source)
{
	struct daemon *daemon = daemon_of(source);

	es_daemon_link_close(&daemon->link);
	free(daemon->places);
	free(daemon->values);
	free(source->domains);
	free(daemon);
}

static const struct es_source_ops daemon_ops = {
	.name = "daemon",
	.plan = daemon_plan,
	.read = daemon_read,
	.ask = daemon_ask,
	.wait = daemon_wait,
	.release = daemon_release,
	.take = daemon_take,
	.close = daemon_close,
};

/* The domains as the daemon lists them; their counters begin where its sums are now. */
static int take_domains(struct daemon *daemon, struct es_error *err)
{
	size_t n = daemon->link.n_domains;
	int r;

	daemon->source.domains = calloc(n + 1, sizeof(*daemon->source.domains));
	daemon->places = calloc(n + 1, sizeof(*daemon->places));
	daemon->values = calloc(n + 1, sizeof(*daemon->values));
	if (!daemon->source.domains || !daemon->places || !daemon->values)
		return es_error_set(err, -ENOMEM, "daemon");
	daemon->source.n_domains = n;
	daemon->n_values = n;
	for (size_t i = 0; i < n; i++)
		take_domain(&daemon->link.domains[i], n, &daemon->source.domains[i]);
	daemon->is_new = true;
	r = find_places(daemon);
	return r < 0 ? es_error_set(err, r, "daemon") : 0;
}

int es_daemon_open(const char *socket_path, int64_t period_ns, int64_t wait_ns,
		   struct es_source **ret, struct es_error *err)
{
	struct daemon *daemon = calloc(1, sizeof(*daemon));
	struct sockaddr_un address;
	int r = daemon ? es_ipc_address(socket_path, &address) : -ENOMEM;

	if (r < 0) {
		free(daemon);
		return es_error_set(err, r, "daemon at '%.200s'", socket_path);
	}
	daemon->source.ops = &daemon_ops;
	daemon->link.fd = -1;
	daemon->link.wanted_ns = period_ns;
	COPY_TEXT(daemon->link.path, socket_path);
	r = es_daemon_link_open(&daemon->link, es_clock_mono_ns() + wait_ns, err);
	if (r == 0)
		r = take_domains(daemon, err);
	if (r < 0) {
		daemon_close(&daemon->source);
		return r;
	}
	*ret = &daemon->source;
	return 0;
}

const struct es_local_welcome *es_daemon_welcome(const struct es_source *source)
{
	return &((const struct daemon *)source)->link.welcome;
}
