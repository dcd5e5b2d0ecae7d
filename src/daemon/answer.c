/*
 * daemon/answer.c - what is said to each message
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "daemon/account_gpus.h"
#include "daemon/client.h"

#define BEGINS_EVERY_NS ES_NS_PER_S /* jobs of a user, on average */
#define BEGINS_AT_ONCE 32U
#define STATE_MAX_BYTES (ES_IPC_MESSAGE_MAX_BYTES - 64U)

/** struct question - a packet, taken apart */
struct question {
	struct es_client *client;
	uint32_t number;
	const uint8_t *packet, *body;
	size_t n_packet, n_body;
};

static void refuse_for_good(const struct question *question, enum es_ipc_verdict verdict,
			    const char *words)
{
	question->client->ends_after = true;
	es_client_answer(question->client, question->number, verdict, 0, "%s", words);
}

static void refuse_form(const struct question *question)
{
	refuse_for_good(question, ES_IPC_BAD_MESSAGE, "this is no such message");
}

static void deny(const struct question *question)
{
	es_client_answer(question->client, question->number, ES_IPC_DENIED, 0, "%s",
			 question->client->rights.words);
}

static void send_packet(const struct question *question, const uint8_t *packet, int n)
{
	if (n < 0)
		es_client_answer(question->client, question->number, ES_IPC_LOST, 0,
				 "the answer is too long");
	else
		es_client_send(question->client, packet, (size_t)n, -1);
}

static void judge_rights(struct es_client *client)
{
	es_rights_judge(&client->peer, client->daemon->chain.jobs, &client->daemon->config,
			&client->rights);
}

static void answer_hello(const struct question *question)
{
	const struct es_client *client = question->client;
	const struct es_daemon *daemon = client->daemon;
	struct es_local_welcome welcome = {
		.least_period_ns = client->rights.least_period_ns,
		.view = (uint8_t)client->rights.view,
	};
	char who[ES_NAME_MAX_BYTES];
	uint8_t packet[ES_IPC_MESSAGE_MAX_BYTES];
	uint32_t value;

	if (es_local_get_text(question->body, question->n_body, who, sizeof(who), &value) < 0) {
		refuse_form(question);
		return;
	}
	(void)snprintf(welcome.version, sizeof(welcome.version), "%s", ES_VERSION);
	(void)snprintf(welcome.node, sizeof(welcome.node), "%s", daemon->node->name);
	(void)snprintf(welcome.boot_id, sizeof(welcome.boot_id), "%s",
		       daemon->node->machine.boot_id);
	(void)snprintf(welcome.job, sizeof(welcome.job), "%s", client->rights.job);
	(void)snprintf(welcome.words, sizeof(welcome.words), "%s", client->rights.words);
	send_packet(question, packet,
		    es_local_put_welcome(question->number, &welcome, packet, sizeof(packet)));
}

static void answer_watch(const struct question *question)
{
	int64_t period_ns;

	if (es_local_get_watch(question->body, question->n_body, &period_ns) < 0)
		refuse_form(question);
	else if (question->client->rights.view == ES_LOCAL_VIEW_NOTHING)
		deny(question);
	else
		es_pages_watch(question->client, question->number, period_ns);
}

static void answer_sweep(const struct question *question)
{
	struct es_client *client = question->client;
	int64_t shown_ns = es_pages_shown_ns(client);

	if (client->rights.view == ES_LOCAL_VIEW_NOTHING) {
		deny(question);
	} else if (shown_ns && es_clock_boot_ns() - shown_ns < client->rights.least_period_ns) {
		es_client_answer(client, question->number, ES_IPC_OK, shown_ns, "%s", "");
	} else if (client->waits_sweep) {
		es_client_answer(client, question->number, ES_IPC_TOO_MANY, 0,
				 "one is being waited for already");
	} else {
		client->waits_sweep = true;
		client->wish_number = question->number;
		client->wish_ns = es_sampling_wish(client->daemon->sampling);
	}
}

static enum es_ipc_verdict verdict_of(int r)
{
	return r == -EPERM    ? ES_IPC_DENIED
	       : r == -E2BIG  ? ES_IPC_TOO_MANY
	       : r == -EINVAL ? ES_IPC_BAD_NAME
	       : r < 0	      ? ES_IPC_LOST
			      : ES_IPC_OK;
}

/* Whoever may tell of anybody's job: the system. A user may tell of its own. */
static uid_t uid_for_jobs(const struct es_client *client)
{
	return client->peer.has_uid && client->peer.uid == geteuid() ? 0 : client->peer.uid;
}

/* Each leaves a recording, and those of others make room for it. */
static bool may_begin(struct es_client *client, const char *id)
{
	return uid_for_jobs(client) == 0 || es_jobs_find(client->daemon->chain.jobs, id) ||
	       es_paces_take(&client->daemon->server.begins, client->peer.uid, es_clock_mono_ns(),
			     BEGINS_EVERY_NS, BEGINS_AT_ONCE);
}

/* A list that means nothing here is a slip, or of GPUs that nobody measures: either way their energy will be missed. */
static void look_for_gpus(const struct es_node *node, const struct es_local_job *job,
			  struct es_error *err)
{
	uint32_t instances;

	if (!job->has_gpus || !job->gpus[0] || err->text[0])
		return;
	for (size_t i = 0; i < node->n; i++)
		if (node->domains[i].type == ES_DOMAIN_GPU &&
		    es_account_gpu_named(&node->domains[i], job->gpus, &instances))
			return;
	(void)es_error_say(err, 0, "job %s: of its GPUs '%.200s' none is measured on this node",
			   job->id, job->gpus);
}

static void answer_begin(const struct question *question)
{
	struct es_client *client = question->client;
	es_cleanup(es_freep) struct es_local_job *job = calloc(1, sizeof(*job));
	int64_t now_ns = es_clock_boot_ns();
	struct es_error err = { .code = 0 };
	int r;

	if (!job) {
		es_client_answer(client, question->number, ES_IPC_LOST, 0, "no memory");
		return;
	}
	if (es_local_get_job(question->body, question->n_body, job) < 0) {
		refuse_form(question);
		return;
	}
	if (!client->peer.has_uid) {
		es_client_answer(client, question->number, ES_IPC_DENIED, 0,
				 "your user is not known on this node");
		return;
	}
	if (!may_begin(client, job->id)) {
		es_client_answer(client, question->number, ES_IPC_TOO_MANY, 0,
				 "job %s: this user begins jobs too often: wait a second", job->id);
		return;
	}
	if (uid_for_jobs(client) == 0)
		es_ends_hasten(client->daemon, job);
	r = es_jobs_begin(client->daemon->chain.jobs, job, uid_for_jobs(client), now_ns,
			  es_clock_unix_ns(), &err);
	/* So that its first interval begins where it does. */
	if (r == 0)
		(void)es_client_wish(client);
	if (r >= 0)
		look_for_gpus(client->daemon->node, job, &err);
	es_client_answer(client, question->number, verdict_of(r), now_ns, "%s", err.text);
}

static void answer_end(const struct question *question)
{
	struct es_local_end end;

	if (es_local_get_end(question->body, question->n_body, &end) < 0)
		refuse_form(question);
	else if (!question->client->peer.has_uid)
		es_client_answer(question->client, question->number, ES_IPC_DENIED, 0,
				 "your user is not known on this node");
	else
		es_ends_add(question->client, question->number, &end);
}

/* Whether this client may know of it. */
static bool may_see(const struct es_client *client, const struct es_local_job *job)
{
	return client->peer.is_admin || strcmp(client->rights.job, job->id) == 0 ||
	       (client->peer.has_uid && job->has_uid && job->uid == client->peer.uid);
}

static struct es_spool_viewer viewer_of(const struct es_client *client)
{
	return (struct es_spool_viewer){ .is_admin = client->peer.is_admin,
					 .has_uid = client->peer.has_uid,
					 .uid = client->peer.uid,
					 .serial = client->rights.job_serial };
}

/* What is known of a job, of one that runs no newer than this client may see it. */
static int find_job(struct es_client *client, const char *id, struct es_local_job_is *ret)
{
	const struct es_chain *chain = &client->daemon->chain;
	const struct es_job *job = es_jobs_find(chain->jobs, id);
	const struct es_spool_viewer viewer = viewer_of(client);
	const struct es_told *told = es_pages_told(client);

	if (!job || !may_see(client, &job->about))
		return chain->spool ? es_spool_find(chain->spool, &viewer, id, 0, ret) : -ENOENT;
	es_chain_job_is(chain, job, ret);
	if (told)
		es_told_limit(told, job->serial, ret);
	return 0;
}

static void answer_status(const struct question *question)
{
	struct es_client *client = question->client;
	es_cleanup(es_freep) struct es_local_job_is *job = calloc(1, sizeof(*job));
	char id[ES_LOCAL_ID_MAX_BYTES];
	uint8_t packet[ES_IPC_MESSAGE_MAX_BYTES];
	uint32_t flags;

	if (es_local_get_text(question->body, question->n_body, id, sizeof(id), &flags) < 0) {
		refuse_form(question);
		return;
	}
	if (!id[0])
		memcpy(id, client->rights.job, sizeof(id));
	if (!job || !id[0] || find_job(client, id, job) < 0 || !may_see(client, &job->job))
		es_client_answer(client, question->number, ES_IPC_NOT_OPEN, 0,
				 id[0] ? "job '%s' is not known here, or not yours"
				       : "no job of yours runs on this node%s",
				 id);
	else
		send_packet(question, packet,
			    es_local_put_job_is(question->number, job, packet, sizeof(packet)));
}

/* An answer to who may not see it is that it is not there: nobody learns of others' jobs by asking. */
static void answer_open(const struct question *question)
{
	struct es_client *client = question->client;
	struct es_spool *spool = client->daemon->chain.spool;
	const struct es_spool_viewer viewer = viewer_of(client);
	char id[ES_LOCAL_ID_MAX_BYTES];
	uint8_t packet[ES_IPC_MESSAGE_MAX_BYTES];
	uint32_t which;
	es_cleanup(es_closep) int fd = -1;
	int n;

	if (es_local_get_text(question->body, question->n_body, id, sizeof(id), &which) < 0 ||
	    es_local_id_problem(id)) {
		refuse_form(question);
		return;
	}
	fd = spool ? es_spool_open_recording(spool, &viewer, id, which) : -ENOENT;
	if (fd < 0) {
		es_client_answer(client, question->number, ES_IPC_NOT_OPEN, 0,
				 "there is no recording of job '%s' here, or it is not yours", id);
		return;
	}
	n = es_local_put_text(ES_LOCAL_FILE, question->number, id, 0, packet, sizeof(packet));
	if (n > 0)
		es_client_send(client, packet, (size_t)n, es_steal_fd(&fd));
}

static void answer_totals(const struct question *question)
{
	char id[ES_LOCAL_ID_MAX_BYTES];
	uint32_t flags;

	if (es_local_get_text(question->body, question->n_body, id, sizeof(id), &flags) < 0 ||
	    es_local_id_problem(id))
		refuse_form(question);
	else
		es_answer_totals(question->client, question->number, id);
}

static void answer_state(const struct question *question)
{
	struct es_buf text;
	uint8_t packet[ES_IPC_MESSAGE_MAX_BYTES];
	int r;

	es_buf_init(&text, STATE_MAX_BYTES);
	r = es_state_write(question->client->daemon, question->client->peer.is_admin, &text);
	if (r == 0)
		r = es_buf_u8(&text, '\0');
	if (r == 0)
		r = es_local_put_text(ES_LOCAL_STATE_IS, question->number, (const char *)text.data,
				      0, packet, sizeof(packet));
	send_packet(question, packet, r);
	es_buf_finish(&text);
}

static void answer_tag(const struct question *question, struct es_ipc_message *message)
{
	struct es_client *client = question->client;
	const struct es_chain *chain = &client->daemon->chain;
	struct es_job *job = es_rights_job(&client->peer, chain->jobs);
	int64_t now_ns = es_clock_boot_ns(), t_ns = message->t_ns;
	const char *problem = es_ipc_name_problem(message->name);
	int verdict;

	if (!job) {
		es_client_answer(client, question->number, ES_IPC_DENIED, 0,
				 "no job of yours runs on this node: a tag belongs to a job");
		return;
	}
	if (problem || !chain->spool) {
		es_client_answer(client, question->number, problem ? ES_IPC_BAD_NAME : ES_IPC_LOST,
				 0, "%s", problem ? problem : "jobs are not recorded here");
		return;
	}
	if (t_ns > now_ns || t_ns < job->start_ns)
		t_ns = now_ns;
	verdict = es_spool_tag(chain->spool, job, message->name, message->type == ES_IPC_TAG_START,
			       t_ns);
	if (verdict == ES_IPC_OK && t_ns != message->t_ns)
		verdict = ES_IPC_MOVED;
	es_client_answer(client, question->number,
			 verdict < 0 ? ES_IPC_LOST : (enum es_ipc_verdict)verdict, t_ns, "%s",
			 verdict < 0 ? es_strerror(verdict) : "");
}

static void answer_who(const struct question *question)
{
	const struct es_client *client = question->client;
	struct es_ipc_message answer = { .type = ES_IPC_STATUS_IS,
					 .number = question->number,
					 .t_ns = client->daemon->start_unix_ns,
					 .value = getpid() };
	uint8_t bytes[ES_IPC_MESSAGE_MAX_BYTES];

	(void)snprintf(answer.name, sizeof(answer.name), "%s", client->rights.job);
	es_client_send(question->client, bytes, es_ipc_encode(&answer, bytes), -1);
}

static void answer_release(const struct question *question, const struct es_ipc_message *message)
{
	struct es_ipc_message answer = { .type = ES_IPC_ANSWER, .number = question->number };
	uint8_t bytes[ES_IPC_MESSAGE_MAX_BYTES];

	if (!question->client->peer.is_admin) {
		es_client_answer(question->client, question->number, ES_IPC_DENIED, 0,
				 "only root and the daemon's group may do that");
		return;
	}
	es_release_ask(question->client->daemon, message, &answer);
	es_client_send(question->client, bytes, es_ipc_encode(&answer, bytes), -1);
}

/* What every listener of ours understands. */
static void answer_common(const struct question *question)
{
	es_cleanup(es_freep) struct es_ipc_message *message = calloc(1, sizeof(*message));
	int r = message ? es_ipc_decode(question->packet, question->n_packet, message) : -ENOMEM;

	if (r == -EOPNOTSUPP) {
		refuse_for_good(question, ES_IPC_BAD_TYPE,
				"this side does not know what is asked for");
		return;
	}
	if (r < 0) {
		refuse_form(question);
		return;
	}
	switch (message->type) {
	case ES_IPC_TAG_START:
	case ES_IPC_TAG_STOP:
		answer_tag(question, message);
		return;
	case ES_IPC_STATUS:
		answer_who(question);
		return;
	case ES_IPC_RELEASE:
	case ES_IPC_TAKE:
		answer_release(question, message);
		return;
	case ES_IPC_END:
		es_client_answer(question->client, question->number, ES_IPC_DENIED, 0,
				 "the daemon is ended by who started it");
		return;
	default:
		refuse_for_good(question, ES_IPC_BAD_TYPE,
				"that is an answer, and nothing was asked");
		return;
	}
}

static void answer_list(const struct question *question, enum es_client_list list)
{
	if (list == ES_CLIENT_LIST_DOMAINS &&
	    question->client->rights.view == ES_LOCAL_VIEW_NOTHING)
		deny(question);
	else
		es_client_begin_list(question->client, list, question->number);
}

static void answer_type(const struct question *question, uint16_t type)
{
	switch (type) {
	case ES_LOCAL_HELLO:
		answer_hello(question);
		return;
	case ES_LOCAL_DOMAINS:
		answer_list(question, ES_CLIENT_LIST_DOMAINS);
		return;
	case ES_LOCAL_WATCH:
		answer_watch(question);
		return;
	case ES_LOCAL_SWEEP:
		answer_sweep(question);
		return;
	case ES_LOCAL_JOB_BEGIN:
		answer_begin(question);
		return;
	case ES_LOCAL_JOB_END:
		answer_end(question);
		return;
	case ES_LOCAL_JOB_STATUS:
		answer_status(question);
		return;
	case ES_LOCAL_JOBS:
		answer_list(question, ES_CLIENT_LIST_JOBS);
		return;
	case ES_LOCAL_JOB_OPEN:
		answer_open(question);
		return;
	case ES_LOCAL_STATE:
		answer_state(question);
		return;
	case ES_LOCAL_JOB_TOTAL:
		answer_totals(question);
		return;
	default:
		answer_common(question);
		return;
	}
}

void es_answer(struct es_client *client, const uint8_t *packet, size_t n)
{
	struct es_packet_head head = { .number = 0 };
	struct question question = { .client = client, .packet = packet, .n_packet = n };
	int r = es_packet_head_get(packet, n, &head);

	question.number = head.number;
	if (r == -EPROTONOSUPPORT) {
		refuse_for_good(&question, ES_IPC_BAD_VERSION,
				"this side speaks version 1 of the protocol");
		return;
	}
	if (r < 0) {
		refuse_for_good(&question, ES_IPC_BAD_MESSAGE, "this is no message");
		return;
	}
	question.body = packet + ES_IPC_HEADER_BYTES;
	question.n_body = n - ES_IPC_HEADER_BYTES;
	judge_rights(client);
	answer_type(&question, head.type);
}

/* The next of the running jobs that this client may see. */
static int next_job(struct es_client *client, uint8_t *out, size_t size)
{
	es_cleanup(es_freep) struct es_local_job_is *is = calloc(1, sizeof(*is));
	const struct es_job *job;

	if (!is)
		return 0;
	while ((job = es_jobs_at(client->daemon->chain.jobs, client->list_at))) {
		int n;

		client->list_at++;
		if (!may_see(client, &job->about) || find_job(client, job->about.id, is) < 0)
			continue;
		n = es_local_put_job_is(client->list_number, is, out, size);
		if (n > 0)
			return n;
	}
	return 0;
}

static int next_of_list(struct es_client *client, uint8_t *out, size_t size)
{
	struct es_local_domain domain;

	switch (client->list) {
	case ES_CLIENT_LIST_DOMAINS:
		if (client->list_at >= es_pages_n(client))
			return 0;
		es_pages_domain(client, client->list_at++, &domain);
		return es_local_put_domain(client->list_number, &domain, out, size);
	case ES_CLIENT_LIST_JOBS:
		return next_job(client, out, size);
	case ES_CLIENT_LIST_TOTALS:
		if (client->list_at >= client->n_totals)
			return 0;
		return es_local_put_job_is(client->list_number, &client->totals[client->list_at++],
					   out, size);
	case ES_CLIENT_LIST_NONE:
	default:
		return 0;
	}
}

int es_answer_next(struct es_client *client, uint8_t *out, size_t size)
{
	int n = next_of_list(client, out, size);

	if (n > 0) {
		client->list_sent++;
		return n;
	}
	client->list = ES_CLIENT_LIST_NONE;
	free(client->totals);
	client->totals = NULL;
	client->n_totals = 0;
	return es_local_put_last(client->list_number, (uint32_t)client->list_sent, out, size);
}
