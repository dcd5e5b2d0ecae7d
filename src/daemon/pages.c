/*
 * daemon/pages.c - what a reader sees, no faster than it may
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
#include "daemon/client.h"

#define PAGES_EVERY_NS (100 * ES_NS_PER_MS) /* pages of a user, on average */
#define PAGES_AT_ONCE 64U

static bool is_share(const struct es_client *client)
{
	return client->rights.view == ES_LOCAL_VIEW_SHARE;
}

size_t es_pages_n(const struct es_client *client)
{
	const struct es_daemon *daemon = client->daemon;

	if (client->rights.view == ES_LOCAL_VIEW_NOTHING)
		return 0;
	/* Its parts, and all of them together. */
	return is_share(client) ? es_account_n_parts(daemon->chain.account) + 1 : daemon->node->n;
}

static void copy_instances(const struct es_domain *domain, struct es_local_domain *ret)
{
	ret->n_instances = domain->n_instances < ES_LOCAL_INSTANCES_MAX ? domain->n_instances
									: ES_LOCAL_INSTANCES_MAX;
	for (uint32_t i = 0; i < ret->n_instances; i++) {
		const struct es_instance *from = &domain->instances[i];

		ret->instances[i] = (struct es_local_instance){
			.gpu_instance = from->gpu_instance,
			.compute_instance = from->compute_instance,
			.gpu_slices = from->gpu_slices,
			.compute_slices = from->compute_slices,
			.memory_bytes = from->memory_bytes,
		};
		(void)snprintf(ret->instances[i].uuid, sizeof(ret->instances[i].uuid), "%s",
			       from->uuid);
	}
}

static void tell_domain(const struct es_domain *domain, struct es_local_domain *ret)
{
	*ret = (struct es_local_domain){
		.is_power = domain->is_power,
		.may_mirror = domain->may_mirror,
		.is_partial = domain->is_partial,
		.is_there = domain->is_there,
		.is_asked = domain->is_asked,
		.has_activity = domain->has_activity,
		.package = domain->package,
		.die = domain->die,
		.core = domain->core,
		.parent = domain->parent,
		.duplicate_of = domain->duplicate_of,
		.unit_nj = domain->range.unit_nj,
		.modulus_nj = domain->range.modulus_nj,
		.peak_mw = domain->peak_mw,
		.limit_mw = domain->limit_mw,
		.update_period_ns = domain->update_period_ns,
		.hold_ns = domain->hold_ns,
		.idle_mw = domain->idle_mw,
		.full_mw = domain->full_mw,
		.idle_spread_ppm = domain->idle_spread_ppm,
		.spread_ppm = domain->spread_ppm,
		.accuracy_ppm = domain->accuracy_ppm,
	};
	(void)snprintf(ret->id, sizeof(ret->id), "%s", domain->id);
	(void)snprintf(ret->name, sizeof(ret->name), "%s", domain->name);
	(void)snprintf(ret->source, sizeof(ret->source), "%s", domain->source);
	(void)snprintf(ret->type, sizeof(ret->type), "%s", es_domain_type_name(domain->type));
	(void)snprintf(ret->kind, sizeof(ret->kind), "%s", es_kind_name(domain->kind));
	(void)snprintf(ret->state, sizeof(ret->state), "%s", es_state_name(domain->state));
	(void)snprintf(ret->limit_kind, sizeof(ret->limit_kind), "%s", domain->limit_kind);
	(void)snprintf(ret->pci, sizeof(ret->pci), "%s", domain->pci);
	(void)snprintf(ret->model, sizeof(ret->model), "%s", domain->model);
	(void)snprintf(ret->uuid, sizeof(ret->uuid), "%s", domain->uuid);
	(void)snprintf(ret->reason, sizeof(ret->reason), "%s", domain->reason);
	(void)snprintf(ret->fix, sizeof(ret->fix), "%s", domain->fix);
	copy_instances(domain, ret);
}

/* A share of an estimate is no surer than that, nor is their sum. */
static void tell_spread(const struct es_account *account, const struct es_account_part *part,
			struct es_local_domain *ret)
{
	for (size_t i = 0; i < es_account_n_parts(account); i++) {
		const struct es_account_part *other = es_account_part(account, i);

		if ((part && part != other) || !other->meter)
			continue;
		if (other->meter->spread_ppm > ret->spread_ppm)
			ret->spread_ppm = other->meter->spread_ppm;
		if (other->meter->idle_spread_ppm > ret->idle_spread_ppm)
			ret->idle_spread_ppm = other->meter->idle_spread_ppm;
	}
}

/* A job's share of a part is a domain of its own, in which all others are contained by the last one. */
static void tell_share(const struct es_client *client, size_t i, struct es_local_domain *ret)
{
	const struct es_account *account = client->daemon->chain.account;
	size_t n = es_account_n_parts(account);
	const struct es_account_part *part = i < n ? es_account_part(account, i) : NULL;
	const struct es_domain *meter = part ? part->meter : NULL;
	enum es_domain_type type = ES_DOMAIN_NODE;

	/* Where it is tells one package or GPU from the next. No peak: what the book says is not doubted. */
	*ret = (struct es_local_domain){
		.package = meter ? meter->package : -1,
		.die = meter ? meter->die : -1,
		.core = meter ? meter->core : -1,
		.parent = part ? (int32_t)n : -1,
		.duplicate_of = -1,
		.is_there = true,
		.unit_nj = 1000,
	};
	if (meter) {
		(void)snprintf(ret->pci, sizeof(ret->pci), "%s", meter->pci);
		(void)snprintf(ret->model, sizeof(ret->model), "%s", meter->model);
		(void)snprintf(ret->uuid, sizeof(ret->uuid), "%s", meter->uuid);
	}
	(void)snprintf(ret->name, sizeof(ret->name), "node");
	if (part)
		type = es_account_part_name(part, ret->name, sizeof(ret->name));
	tell_spread(account, part, ret);
	(void)snprintf(ret->source, sizeof(ret->source), "share");
	(void)snprintf(ret->id, sizeof(ret->id), "share/%.200s", ret->name);
	(void)snprintf(ret->type, sizeof(ret->type), "%s", es_domain_type_name(type));
	(void)snprintf(ret->kind, sizeof(ret->kind), "%s", es_kind_name(ES_KIND_ATTRIBUTED));
	(void)snprintf(ret->state, sizeof(ret->state), "%s", es_state_name(ES_STATE_OK));
}

void es_pages_domain(const struct es_client *client, size_t i, struct es_local_domain *ret)
{
	if (is_share(client))
		tell_share(client, i, ret);
	else
		tell_domain(&client->daemon->node->domains[i], ret);
	if (!is_share(client))
		ret->least_period_ns = client->daemon->node->least_ns[i];
}

void es_pages_drop(struct es_client *client)
{
	bool had_one = client->page != NULL;

	es_page_destroy(client->page);
	client->page = NULL;
	client->written_ns = 0;
	if (had_one)
		es_daemon_plan(client->daemon);
}

/* Of a job on a shared node: what it got of each part so far. */
static int fill_share(const struct es_client *client, struct es_page_value *values,
		      struct es_page_copy *head)
{
	const struct es_chain *chain = &client->daemon->chain;
	const struct es_job *job = es_rights_job(&client->peer, chain->jobs);
	const struct es_account_share *shares;
	size_t n = es_account_n_parts(chain->account);
	uint64_t node_uj = 0;

	if (!job || job->serial != client->page_serial || client->page_n != n + 1)
		return -ESTALE;
	shares = es_account_of(chain->account, job, &node_uj);
	for (size_t i = 0; i <= n; i++) {
		uint64_t part_uj = i == n   ? node_uj
				   : shares ? shares[i].dynamic_uj + shares[i].idle_uj
					    : 0;

		values[i] = (struct es_page_value){ .t_ns = head->sweep_ns,
						    .energy_uj = part_uj,
						    .error = shares ? 0 : -ENODATA };
	}
	head->node_mw = 0;
	if (client->written_ns && head->sweep_ns > client->written_ns)
		head->node_mw = es_mean_power_mw(node_uj - client->share_uj,
						 head->sweep_ns - client->written_ns);
	head->has_node = shares != NULL;
	head->node_uj = node_uj;
	(void)snprintf(head->node_kind, sizeof(head->node_kind), "%s",
		       es_kind_name(ES_KIND_ATTRIBUTED));
	return 0;
}

/* The gate that stands before this reader; NULL: it sees all sweeps. */
static struct es_gate *gate_of(const struct es_client *client)
{
	struct es_server *server = &client->daemon->server;

	if (client->rights.least_period_ns < ES_RIGHTS_EXCLUSIVE_NS)
		return NULL;
	return &server->gates[client->rights.view == ES_LOCAL_VIEW_NODE ? ES_GATE_EXCLUSIVE
									: ES_GATE_SHARED];
}

static int64_t slot_of(int64_t period_ns, int64_t unix_ns)
{
	/* Sweeps come a little before or after their second. */
	return (unix_ns + period_ns / 4) / period_ns;
}

static bool is_wished_for(const struct es_server *server, const struct es_gate *gate,
			  const struct es_sweep *sweep)
{
	for (const struct es_client *client = server->clients; client; client = client->next)
		if (client->waits_sweep && sweep->mono_ns >= client->wish_ns &&
		    gate_of(client) == gate)
			return true;
	return false;
}

static void keep_jobs(struct es_gate *gate, const struct es_chain *chain)
{
	es_cleanup(es_freep) struct es_local_job_is *is = malloc(sizeof(*is));
	const struct es_job *job;

	es_told_forget(&gate->told);
	for (size_t i = 0; is && (job = es_jobs_at(chain->jobs, i)); i++) {
		es_chain_job_is(chain, job, is);
		(void)es_told_keep(&gate->told, job->serial, is);
	}
}

static void open_gate(struct es_server *server, struct es_gate *gate, const struct es_sweep *sweep)
{
	const struct es_daemon *daemon = server->daemon;
	int64_t slot = slot_of(gate->period_ns, sweep->unix_ns);
	int64_t since_ns = sweep->boot_ns - gate->shown_ns;

	if (gate->shown_ns && !(slot != gate->slot && since_ns >= gate->period_ns * 3 / 4) &&
	    !(since_ns >= gate->period_ns && is_wished_for(server, gate, sweep)))
		return;
	if (gate->n != daemon->node->n || !gate->values) {
		free(gate->values);
		gate->n = daemon->node->n;
		gate->values = calloc(gate->n + 1, sizeof(*gate->values));
	}
	if (!gate->values)
		return;
	gate->slot = slot;
	gate->shown_ns = sweep->boot_ns;
	gate->head = daemon->chain.head;
	memcpy(gate->values, daemon->chain.values, gate->n * sizeof(*gate->values));
	keep_jobs(gate, &daemon->chain);
}

void es_pages_open_gates(struct es_server *server, const struct es_sweep *sweep)
{
	for (size_t i = 0; i < ES_N_GATES; i++)
		open_gate(server, &server->gates[i], sweep);
}

void es_pages_close_gates(struct es_server *server)
{
	for (size_t i = 0; i < ES_N_GATES; i++) {
		free(server->gates[i].values);
		server->gates[i].values = NULL;
		es_told_finish(&server->gates[i].told);
		server->gates[i].shown_ns = 0;
	}
}

int64_t es_pages_shown_ns(const struct es_client *client)
{
	const struct es_gate *gate = gate_of(client);

	return gate ? gate->shown_ns : client->daemon->chain.head.sweep_ns;
}

const struct es_told *es_pages_told(const struct es_client *client)
{
	const struct es_gate *gate = gate_of(client);

	return gate ? &gate->told : NULL;
}

static void write_share(struct es_client *client, struct es_page_copy *head)
{
	es_cleanup(es_freep) struct es_page_value *values = calloc(client->page_n, sizeof(*values));

	/* Shares are those of the newest sweep: where that is not shown, the next one that is will do. */
	if (!values || head->sweep_ns != client->daemon->chain.head.sweep_ns)
		return;
	if (fill_share(client, values, head) < 0) {
		es_pages_drop(client);
		return;
	}
	client->share_uj = head->node_uj;
	client->written_ns = head->sweep_ns;
	es_page_write(client->page, values, head);
}

/* The newest sweep that this reader may see. */
static void write_page(struct es_client *client)
{
	const struct es_chain *chain = &client->daemon->chain;
	const struct es_gate *gate = gate_of(client);
	struct es_page_copy head = gate ? gate->head : chain->head;

	if (head.sweep_ns == 0 || head.sweep_ns == client->written_ns)
		return;
	/* When the next one comes for this reader, not for others. */
	head.period_ns = head.period_ns > client->period_ns ? head.period_ns : client->period_ns;
	if (client->page_view == ES_LOCAL_VIEW_SHARE) {
		write_share(client, &head);
		return;
	}
	client->written_ns = head.sweep_ns;
	es_page_write(client->page, gate ? gate->values : chain->values, &head);
}

void es_pages_sweep(struct es_client *client, const struct es_sweep *sweep)
{
	bool is_wished = client->waits_sweep && sweep->mono_ns >= client->wish_ns;
	int64_t slot = slot_of(client->period_ns > 0 ? client->period_ns : 1, sweep->unix_ns);
	bool is_due = slot != client->slot &&
		      sweep->boot_ns - client->written_ns >= client->period_ns * 3 / 4;

	if (client->page && (is_wished || is_due)) {
		client->slot = slot;
		write_page(client);
	}
	if (!is_wished)
		return;
	client->waits_sweep = false;
	es_client_answer(client, client->wish_number, ES_IPC_OK, es_pages_shown_ns(client), "%s",
			 "");
}

/* Nobody can tell how many it keeps, each of them memory of ours, when its connections are gone. */
static bool is_hasty(struct es_client *client)
{
	return !client->peer.is_admin &&
	       !es_paces_take(&client->daemon->server.pages, client->peer.uid, es_clock_mono_ns(),
			      PAGES_EVERY_NS, PAGES_AT_ONCE);
}

static int make_page(struct es_client *client, int *ret_fd, struct es_error *err)
{
	const struct es_daemon *daemon = client->daemon;
	size_t n = es_pages_n(client);
	uint64_t epoch = es_account_epoch(daemon->chain.account);
	int r = es_page_create(n, epoch, &client->page, ret_fd, err);

	if (r < 0)
		return r;
	client->page_epoch = epoch;
	client->page_view = client->rights.view;
	client->page_serial = client->rights.job_serial;
	client->page_n = n;
	client->written_ns = 0;
	client->share_uj = 0;
	write_page(client);
	return 0;
}

void es_pages_watch(struct es_client *client, uint32_t number, int64_t period_ns)
{
	struct es_error err = { .code = 0 };
	es_cleanup(es_closep) int fd = -1;
	uint8_t packet[ES_IPC_MESSAGE_MAX_BYTES];
	struct es_local_page page;
	int n;

	if (period_ns < client->rights.least_period_ns)
		period_ns = client->rights.least_period_ns;
	if (period_ns > ES_PERIOD_MAX_NS)
		period_ns = ES_PERIOD_MAX_NS;
	client->period_ns = period_ns;
	if (!client->page && is_hasty(client)) {
		es_client_answer(client, number, ES_IPC_TOO_MANY, 0,
				 "this user asks for pages too often: try again later");
		return;
	}
	if (!client->page && make_page(client, &fd, &err) < 0) {
		es_client_answer(client, number, ES_IPC_LOST, 0, "%s", err.text);
		return;
	}
	if (!client->page) {
		es_client_answer(client, number, ES_IPC_DENIED, 0, "your job has just ended");
		return;
	}
	es_daemon_plan(client->daemon);
	page = (struct es_local_page){ .epoch = client->page_epoch,
				       .n_domains = (uint32_t)client->page_n,
				       .period_ns = period_ns };
	n = es_local_put_page(number, &page, packet, sizeof(packet));
	if (n > 0)
		es_client_send(client, packet, (size_t)n, es_steal_fd(&fd));
}
