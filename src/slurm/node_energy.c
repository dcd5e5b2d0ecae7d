/*
 * node_energy.c - the node's energy from its daemon, for programs that must not wait
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "slurm/node_energy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ipc/client.h"
#include "ipc/packet.h"
#include "wire/local.h"

#define FRESH_NS (100 * ES_NS_PER_MS) /* a sweep younger than that needs no other one */
#define WAIT_LEAST_NS ES_NS_PER_S
#define WAIT_MOST_NS (30 * ES_NS_PER_S)
#define GLANCE_NS ES_NS_PER_MS /* for an answer that should be there by now */
#define PERIOD_NS ES_NS_PER_S /* of the page: sweeps out of turn come on top */
#define POWER_MAX_MW 1000000000ULL /* no node draws 1 MW: a page that says so is wrong */
#define SLACK_NS ES_NS_PER_S /* a sweep's time is that of its beginning */

/* A packet that came in, and where its body is. */
struct answer {
	uint8_t bytes[ES_IPC_MESSAGE_MAX_BYTES];
	size_t n;
	struct es_packet_head head;
	int fd;
};

void es_node_energy_init(struct es_node_energy *energy, const char *socket)
{
	*energy = (struct es_node_energy){ .fd = -1 };
	(void)snprintf(energy->socket, sizeof(energy->socket), "%s", socket);
	if (strlen(socket) >= sizeof(energy->socket))
		energy->socket[0] = '\0'; /* a piece of it would be another one */
}

static void disconnect(struct es_node_energy *energy)
{
	es_page_close(energy->view);
	energy->view = NULL;
	free(energy->values);
	energy->values = NULL;
	es_closep(&energy->fd);
	energy->fd = -1;
}

void es_node_energy_finish(struct es_node_energy *energy)
{
	disconnect(energy);
}

/* Why the daemon does not do it, in its own words. */
static int refusal(const struct answer *answer, struct es_error *err)
{
	struct es_ipc_message message;

	if (es_ipc_decode(answer->bytes, answer->n, &message) < 0 || message.type != ES_IPC_ANSWER)
		return es_error_say(err, -EBADMSG, "the daemon answers something else");
	if (message.value == ES_IPC_OK)
		return 0;
	return es_error_say(err, message.value == ES_IPC_DENIED ? -EACCES : -EPROTO,
			    "the daemon says: %.500s", message.text);
}

/* Wait for the answer to the last question, with its descriptor; others that come meanwhile are dropped. */
static int receive(struct es_node_energy *energy, int64_t until_ns, struct answer *ret)
{
	for (;;) {
		int r;

		ret->fd = -1;
		r = es_packet_receive(energy->fd, until_ns, ret->bytes, &ret->n, &ret->fd);
		if (r == 0)
			r = es_packet_head_get(ret->bytes, ret->n, &ret->head);
		if (r == 0 && ret->head.number == energy->number)
			return 0;
		es_closep(&ret->fd);
		ret->fd = -1;
		if (r < 0)
			return r;
		if (es_clock_mono_ns() >= until_ns)
			return -ETIMEDOUT; /* of many that say nothing, too */
	}
}

/* The answer of that type; a descriptor that comes along is the caller's. */
static int hear(struct es_node_energy *energy, uint16_t type, int64_t until_ns, struct answer *ret,
		struct es_error *err)
{
	int r;

	ret->fd = -1;
	r = receive(energy, until_ns, ret);
	if (r < 0)
		return es_error_set(err, r, "the daemon at '%s' does not answer", energy->socket);
	if (ret->head.type == type)
		return 0;
	es_closep(&ret->fd);
	ret->fd = -1;
	r = refusal(ret, err);
	return r < 0 ? r : es_error_say(err, -EBADMSG, "the daemon answers something else");
}

static int ask(struct es_node_energy *energy, const uint8_t *question, int length,
	       struct es_error *err)
{
	int r = length;

	if (r > 0)
		r = es_packet_send(energy->fd, question, (size_t)length, -1);
	if (r == -EAGAIN)
		r = -ETIMEDOUT; /* it reads nothing */
	return r < 0 ? es_error_set(err, r, "the daemon at '%s' does not answer", energy->socket)
		     : 0;
}

/* A daemon's user is not ours: its socket's owner is trusted where only root or that user could have put it. */
static int owner_of(const char *path, uid_t *ret)
{
	char folder[sizeof(((struct es_node_energy *)0)->socket)];
	struct stat socket, above;
	char *slash;

	(void)snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (!slash || path[0] != '/')
		return -EINVAL;
	slash[slash == folder] = '\0';
	if (lstat(path, &socket) < 0 || stat(folder, &above) < 0)
		return -errno;
	if (above.st_mode & S_IWOTH || (above.st_uid != 0 && above.st_uid != socket.st_uid))
		return -EPERM;
	*ret = socket.st_uid;
	return 0;
}

static int open_page(struct es_node_energy *energy, const struct answer *answer,
		     struct es_error *err)
{
	int r;

	if (answer->fd < 0)
		return es_error_say(err, -EBADMSG, "the daemon gives no page");
	r = es_page_open(answer->fd, &energy->view, err);
	if (r < 0)
		return r;
	energy->values = calloc(es_page_n(energy->view) + 1, sizeof(*energy->values));
	return energy->values ? 0 : es_error_set(err, -ENOMEM, "the daemon's page");
}

/* A page that does not come in time stays asked for, and the next call finds it: on a busy node a daemon may be late once. */
static int await_page(struct es_node_energy *energy, int64_t until_ns, struct es_error *err)
{
	struct answer answer;
	int r = hear(energy, ES_LOCAL_PAGE, until_ns, &answer, err);

	if (r == 0) {
		r = open_page(energy, &answer, err);
		es_closep(&answer.fd);
	}
	if (r < 0 && r != -ETIMEDOUT)
		disconnect(energy);
	return r;
}

static int connect_to(struct es_node_energy *energy, int64_t until_ns, struct es_error *err)
{
	uint8_t question[ES_IPC_HEADER_BYTES + 64];
	uid_t owner = 0;
	int r = energy->socket[0] ? owner_of(energy->socket, &owner) : -ENAMETOOLONG;

	if (r == 0)
		r = es_ipc_connect_to(energy->socket, owner, until_ns - es_clock_mono_ns(),
				      &energy->fd);
	if (r < 0) {
		energy->fd = -1;
		return es_error_set(err, r, "no daemon at '%s'", energy->socket);
	}
	r = es_local_put_watch(++energy->number, PERIOD_NS, question, sizeof(question));
	r = ask(energy, question, r, err);
	if (r == 0)
		return await_page(energy, until_ns, err);
	disconnect(energy);
	return r;
}

/* Have the meters read, so that the edge of a step is one. Without an answer the page is as good as it is. */
static int sweep(struct es_node_energy *energy, int64_t until_ns, struct es_error *err)
{
	uint8_t question[ES_IPC_HEADER_BYTES + 64];
	struct answer answer;
	int r = es_local_put_empty(ES_LOCAL_SWEEP, ++energy->number, question, sizeof(question));

	r = ask(energy, question, r, err);
	if (r < 0)
		return r;
	r = hear(energy, ES_IPC_ANSWER, until_ns, &answer, err);
	if (r < 0)
		return r;
	es_closep(&answer.fd);
	return refusal(&answer, err);
}

static bool is_possible(const struct es_node_energy *energy, const struct es_page_copy *page,
			uint64_t step_uj)
{
	/* µJ = mW times ns / 1e6 */
	uint64_t most_uj = (uint64_t)(page->sweep_ns - energy->last_ns + SLACK_NS) /
			   (uint64_t)ES_NS_PER_MS * POWER_MAX_MW;

	return page->sweep_ns >= energy->last_ns && step_uj <= most_uj;
}

/* What the page shows beyond what was there before. */
static int advance(struct es_node_energy *energy, const struct es_page_copy *page,
		   struct es_error *err)
{
	bool is_new = energy->has_base && page->epoch != energy->epoch;
	uint64_t step_uj = 0;

	if (is_new)
		step_uj = page->node_uj; /* a new book begins at zero */
	else if (energy->has_base && page->node_uj < energy->base_uj)
		return es_error_say(err, -EBADMSG, "the node's energy went back");
	else if (energy->has_base)
		step_uj = page->node_uj - energy->base_uj;
	if (energy->has_base && !is_possible(energy, page, step_uj))
		return es_error_say(err, -EBADMSG, "the node's energy or its time cannot be");
	energy->n_restarts += is_new;
	if (!energy->has_base)
		energy->first_ns = page->sweep_ns;
	energy->has_base = true;
	energy->epoch = page->epoch;
	energy->base_uj = page->node_uj;
	energy->energy_uj += step_uj;
	energy->power_mw = page->node_mw < POWER_MAX_MW ? page->node_mw : 0;
	energy->last_ns = page->sweep_ns;
	memcpy(energy->kind, page->node_kind, sizeof(energy->kind));
	energy->kind[sizeof(energy->kind) - 1] = '\0';
	return 0;
}

static int accept_page(struct es_node_energy *energy, const struct es_page_copy *page,
		       struct es_error *err)
{
	if (!page->has_node)
		return es_error_say(err, -ENODATA, "the daemon has no meter of the node");
	if (strcmp(page->node_kind, "attributed") == 0)
		return es_error_say(err, -EACCES, "the daemon shows this user a share only");
	return advance(energy, page, err);
}

/* 0; -ESTALE: what it shows is old, or nothing (sequence 0). */
static int look(struct es_node_energy *energy, struct es_page_copy *ret, struct es_error *err)
{
	int64_t now_ns = es_clock_boot_ns();
	int r;

	*ret = (struct es_page_copy){ .sequence = 0 };
	r = es_page_copy(energy->view, now_ns, energy->values, es_page_n(energy->view), ret);
	if (r == -EAGAIN)
		r = -ESTALE; /* not written yet */
	if (r == 0 && ret->sweep_ns > now_ns)
		return es_error_say(err, -EBADMSG, "the daemon's page is of another time");
	return r < 0 ? es_error_set(err, r, "the daemon's page") : 0;
}

static int take(struct es_node_energy *energy, bool may_ask, int64_t until_ns, struct es_error *err)
{
	struct es_page_copy page;
	struct es_error why = { .code = 0 };
	int asked = 0, r = look(energy, &page, err);

	if (may_ask && (r < 0 || es_clock_boot_ns() - page.sweep_ns > FRESH_NS)) {
		asked = sweep(energy, until_ns, &why);
		r = look(energy, &page, err);
	}
	if ((r == 0 || r == -ESTALE) && page.sequence > 0) {
		int taken = accept_page(energy, &page, err);

		r = taken < 0 ? taken : r;
	}
	if (asked == -EPIPE || (asked < 0 && (r == 0 || r == -ESTALE))) {
		r = asked; /* says more than that the page is old */
		if (err)
			*err = why;
	}
	return r;
}

static int read_now(struct es_node_energy *energy, bool may_ask, struct es_error *err)
{
	int64_t until_ns = es_clock_mono_ns() + (may_ask ? ES_NODE_ENERGY_BUDGET_NS : GLANCE_NS);
	int r = -EPIPE;

	if (energy->fd >= 0 && !energy->view)
		r = await_page(energy, until_ns, err);
	if (energy->view)
		r = take(energy, may_ask, until_ns, err);
	/* It was started anew, or has new domains: both end the connection. */
	if (may_ask && (energy->fd < 0 || r == -EPIPE)) {
		disconnect(energy);
		r = connect_to(energy, until_ns, err);
		if (r == 0)
			r = take(energy, may_ask, until_ns, err);
	}
	/* A step's program is its user for moments; whom the daemon takes us for is settled when we connect. */
	if (r == -EACCES)
		disconnect(energy);
	return r;
}

/* A daemon that hangs costs the budget now and then only; one that is not there costs nothing. */
static void put_off(struct es_node_energy *energy)
{
	energy->wait_ns = energy->wait_ns == 0 ? WAIT_LEAST_NS : 2 * energy->wait_ns;
	if (energy->wait_ns > WAIT_MOST_NS)
		energy->wait_ns = WAIT_MOST_NS;
	energy->retry_ns = es_clock_mono_ns() + energy->wait_ns;
}

int es_node_energy_read(struct es_node_energy *energy, struct es_node_energy_now *ret,
			struct es_error *err)
{
	bool may_ask = es_clock_mono_ns() >= energy->retry_ns;
	/* In between its page is looked at all the same: it may have gone on. */
	int r = read_now(energy, may_ask, err);

	if (!may_ask && r < 0)
		r = es_error_say(err, -EAGAIN, "the daemon is asked again later");
	else if (r == -ETIMEDOUT)
		put_off(energy);
	else if (may_ask)
		energy->wait_ns = 0;
	*ret = (struct es_node_energy_now){ .is_known = energy->has_base,
					    .is_fresh = r == 0,
					    .energy_uj = energy->energy_uj,
					    .power_mw = energy->power_mw,
					    .t_ns = energy->last_ns };
	if (energy->last_ns - energy->first_ns >= ES_NS_PER_MS)
		ret->mean_mw = energy->energy_uj / /* mW = µJ / ms */
			       (uint64_t)((energy->last_ns - energy->first_ns) / ES_NS_PER_MS);
	return r;
}
