/*
 * source/daemon_link.c - the connection to the daemon of this node: made, lost, made again
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/daemon_link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ipc/client.h"
#include "ipc/packet.h"

#define RETRY_NS ES_NS_PER_S /* between tries to connect */
#define SILENT_NS (5 * ES_NS_PER_S) /* a daemon that has not answered by then is tried anew */
#define NO_WAIT_NS ES_NS_PER_US /* 0 would be for ever */
#define WHAT "gpu"

/* Numbers of the questions of the beginning; later ones count on. */
enum {
	HELLO_NUMBER = 1,
	DOMAINS_NUMBER,
	WATCH_NUMBER
};

static int refuse(struct es_daemon_link *link, int code, const char *words)
{
	return es_error_say(link->err, code, "daemon at '%.110s': %.600s", link->path, words);
}

static void hang_up(struct es_daemon_link *link)
{
	es_closep(&link->fd);
	link->fd = -1;
	link->is_up = false;
	link->sweep_number = link->let_go_number = 0;
	link->has_let_go = link->is_kept = false;
}

static int say(struct es_daemon_link *link, const uint8_t *bytes, int n)
{
	return n < 0 ? n : es_packet_send(link->fd, bytes, (size_t)n, -1);
}

/* All that must be known, asked at once. */
static int greet(struct es_daemon_link *link)
{
	uint8_t bytes[ES_NAME_MAX_BYTES];
	int r = say(link, bytes,
		    es_local_put_text(ES_LOCAL_HELLO, HELLO_NUMBER, "energyscopium", 0, bytes,
				      sizeof(bytes)));

	if (r == 0)
		r = say(link, bytes,
			es_local_put_empty(ES_LOCAL_DOMAINS, DOMAINS_NUMBER, bytes, sizeof(bytes)));
	if (r == 0)
		r = say(link, bytes,
			es_local_put_watch(WATCH_NUMBER, link->wanted_ns, bytes, sizeof(bytes)));
	return r;
}

static int dial(struct es_daemon_link *link, int64_t wait_ns)
{
	int r = es_ipc_connect_any(link->path, wait_ns, &link->fd);

	link->since_ns = es_clock_mono_ns();
	link->n_domains = 0;
	link->number = WATCH_NUMBER;
	if (r < 0)
		return es_error_set(link->err, r, "daemon at '%.110s'", link->path);
	r = greet(link);
	return r < 0 ? refuse(link, r, es_strerror(r)) : 0;
}

static int take_welcome(struct es_daemon_link *link, const uint8_t *body, size_t n)
{
	int r = es_local_get_welcome(body, n, &link->welcome);

	if (r < 0)
		return refuse(link, r, "its welcome cannot be understood");
	if (link->welcome.view == ES_LOCAL_VIEW_NOTHING)
		return refuse(link, -EACCES,
			      link->welcome.words[0] ? link->welcome.words
						     : "it shows this user nothing");
	return 0;
}

static int take_domain(struct es_daemon_link *link, const uint8_t *body, size_t n)
{
	int r;

	if (link->n_domains == ES_PAGE_DOMAINS_MAX)
		return refuse(link, -E2BIG, "its list of domains has no end");
	if (link->n_domains == link->cap_domains) {
		size_t cap = link->cap_domains ? 2 * link->cap_domains : 32;
		struct es_local_domain *domains =
			reallocarray(link->domains, cap, sizeof(*domains));

		if (!domains)
			return refuse(link, -ENOMEM, es_strerror(-ENOMEM));
		link->domains = domains;
		link->cap_domains = cap;
	}
	r = es_local_get_domain(body, n, &link->domains[link->n_domains]);
	if (r < 0)
		return refuse(link, r, "a domain of its list cannot be understood");
	link->n_domains++;
	return 0;
}

static int take_last(struct es_daemon_link *link, const uint8_t *body, size_t n)
{
	uint32_t count;

	if (es_local_get_last(body, n, &count) < 0 || count != link->n_domains)
		return refuse(link, -EBADMSG, "its list of domains is not complete");
	return 0;
}

/* The last answer of the beginning: from here on all is known. */
static int take_page(struct es_daemon_link *link, const uint8_t *body, size_t n, int fd)
{
	struct es_page_view *view = NULL;
	struct es_error why = { .code = 0 };
	struct es_local_page page;
	int r = es_local_get_page(body, n, &page);

	if (r < 0 || fd < 0)
		return refuse(link, -EBADMSG, "it gave no page");
	r = es_page_open(fd, &view, &why);
	if (r < 0)
		return refuse(link, r, why.text);
	if (es_page_n(view) != link->n_domains || page.n_domains != link->n_domains ||
	    es_page_epoch(view) != page.epoch) {
		es_page_close(view);
		return refuse(link, -EBADMSG, "its page is not that of its list of domains");
	}
	es_page_close(link->view);
	link->view = view;
	link->page = page;
	link->is_up = true;
	return 0;
}

/* What is said to a question of the beginning in place of an answer, or to a later one. */
static int take_answer(struct es_daemon_link *link, const uint8_t *bytes, size_t n)
{
	struct es_ipc_message answer;
	int r = es_ipc_decode(bytes, n, &answer);

	if (r < 0)
		return r == -EOPNOTSUPP ? 0 : refuse(link, r, "what it says cannot be understood");
	if (answer.type != ES_IPC_ANSWER)
		return 0;
	if (answer.number <= WATCH_NUMBER)
		return refuse(link, answer.value == ES_IPC_BAD_VERSION ? -EPROTONOSUPPORT : -EACCES,
			      answer.text[0] ? answer.text : "it refuses");
	if (answer.number == link->sweep_number) {
		link->sweep_number = 0;
	} else if (answer.number == link->let_go_number) {
		link->let_go_number = 0;
		link->has_let_go = answer.value == ES_IPC_OK;
		link->is_kept = answer.value != ES_IPC_OK && answer.value != ES_IPC_PENDING;
	}
	return 0;
}

static int take_packet(struct es_daemon_link *link, const uint8_t *bytes, size_t n, int fd)
{
	const uint8_t *body = bytes + ES_IPC_HEADER_BYTES;
	struct es_packet_head head;
	int r = es_packet_head_get(bytes, n, &head);

	if (r < 0)
		return refuse(link, r,
			      r == -EPROTONOSUPPORT ? "it speaks another version of the protocol"
						    : "what it says cannot be understood");
	if (head.type == ES_LOCAL_WELCOME && head.number == HELLO_NUMBER)
		return take_welcome(link, body, head.length);
	if (head.type == ES_LOCAL_DOMAIN && head.number == DOMAINS_NUMBER && !link->is_up)
		return take_domain(link, body, head.length);
	if (head.type == ES_LOCAL_LAST && head.number == DOMAINS_NUMBER && !link->is_up)
		return take_last(link, body, head.length);
	if (head.type == ES_LOCAL_PAGE && head.number == WATCH_NUMBER && !link->is_up)
		return take_page(link, body, head.length, fd);
	return take_answer(link, bytes, n);
}

/* All packets that are there, or that come until the link is up or no question is open. 0, or negative errno: hung up. */
static int listen_to(struct es_daemon_link *link)
{
	uint8_t bytes[ES_IPC_MESSAGE_MAX_BYTES];
	int r = 0;

	while (r == 0) {
		es_cleanup(es_closep) int fd = -1;
		size_t n;

		r = es_packet_receive(link->fd, 0, bytes, &n, &fd);
		if (r == 0)
			r = take_packet(link, bytes, n, fd);
		else if (r != -EAGAIN)
			(void)refuse(link, r, r == -EPIPE ? "it hung up" : es_strerror(r));
	}
	if (r == -EAGAIN)
		return 0;
	hang_up(link);
	return r;
}

/* Until something comes: 0 or -ETIMEDOUT. */
static int wait_for_news(struct es_daemon_link *link, int64_t until_ns)
{
	struct pollfd pollfd = { .fd = link->fd, .events = POLLIN };
	int64_t wait_ns = until_ns - es_clock_mono_ns();
	const struct timespec wait = { .tv_sec = wait_ns / ES_NS_PER_S,
				       .tv_nsec = wait_ns % ES_NS_PER_S };

	if (wait_ns <= 0)
		return -ETIMEDOUT;
	(void)ppoll(&pollfd, 1, &wait, NULL);
	return 0;
}

int es_daemon_link_open(struct es_daemon_link *link, int64_t until_ns, struct es_error *err)
{
	int r;

	link->err = err;
	r = dial(link, until_ns - es_clock_mono_ns() > NO_WAIT_NS ? until_ns - es_clock_mono_ns()
								  : NO_WAIT_NS);
	while (r == 0 && !link->is_up) {
		r = listen_to(link);
		if (r == 0 && !link->is_up)
			r = wait_for_news(link, until_ns);
		if (r == -ETIMEDOUT)
			(void)refuse(link, r, "it does not answer");
	}
	link->err = NULL;
	if (r < 0)
		hang_up(link);
	return r;
}

int es_daemon_link_mend(struct es_daemon_link *link, int64_t now_mono_ns)
{
	bool was_up = link->is_up;
	int r;

	/* A page that has ended is of no use, and the connection that gave it none either. */
	if (link->fd >= 0 && was_up && es_page_has_ended(link->view))
		hang_up(link);
	if (link->fd >= 0) {
		r = listen_to(link);
		if (r == 0 && link->is_up)
			return was_up ? 0 : 1;
		if (r == 0 && now_mono_ns - link->since_ns < SILENT_NS)
			return -EINPROGRESS;
		hang_up(link);
		if (r < 0 && !was_up)
			return r;
	} else if (now_mono_ns - link->since_ns < RETRY_NS) {
		return -ENOTCONN;
	}
	r = dial(link, NO_WAIT_NS);
	if (r < 0)
		hang_up(link);
	return r < 0 ? r : -EINPROGRESS;
}

/* The question was sent: until it is answered. */
static int wait_for_sweep(struct es_daemon_link *link, int64_t until_ns)
{
	int r = 0;

	while (r == 0) {
		r = listen_to(link);
		if (r < 0 || link->sweep_number == 0)
			return r < 0 ? -EPIPE : 0;
		r = wait_for_news(link, until_ns);
	}
	link->sweep_number = 0; /* whatever comes later is for nobody */
	return r;
}

int es_daemon_link_sweep(struct es_daemon_link *link, int64_t until_ns)
{
	uint8_t bytes[ES_NAME_MAX_BYTES];
	int r;

	if (!link->is_up)
		return -EPIPE;
	link->sweep_number = ++link->number;
	r = say(link, bytes,
		es_local_put_empty(ES_LOCAL_SWEEP, link->number, bytes, sizeof(bytes)));
	if (r == 0)
		return wait_for_sweep(link, until_ns);
	link->sweep_number = 0;
	if (r == -EAGAIN)
		return -ETIMEDOUT;
	hang_up(link);
	return -EPIPE;
}

static int send_message(struct es_daemon_link *link, enum es_ipc_type type)
{
	struct es_ipc_message message = { .type = (uint16_t)type,
					  .number = ++link->number,
					  .name = WHAT };
	uint8_t bytes[ES_IPC_MESSAGE_MAX_BYTES];

	return say(link, bytes, (int)es_ipc_encode(&message, bytes));
}

int es_daemon_link_release(struct es_daemon_link *link)
{
	if (link->fd >= 0)
		(void)listen_to(link);
	if (link->has_let_go)
		return 0;
	if (!link->is_up || link->is_kept) {
		link->is_kept = false;
		return -EBUSY;
	}
	/* What was answered so far is that it takes time. */
	if (link->let_go_number == 0) {
		if (send_message(link, ES_IPC_RELEASE) < 0)
			return -EBUSY;
		link->let_go_number = link->number;
	}
	return -EINPROGRESS;
}

void es_daemon_link_take(struct es_daemon_link *link)
{
	link->let_go_number = 0;
	link->has_let_go = link->is_kept = false;
	if (link->is_up)
		(void)send_message(link, ES_IPC_TAKE);
}

void es_daemon_link_drop(struct es_daemon_link *link)
{
	hang_up(link);
	es_page_close(link->view);
	link->view = NULL;
}

void es_daemon_link_close(struct es_daemon_link *link)
{
	es_daemon_link_drop(link);
	free(link->domains);
	link->domains = NULL;
	link->n_domains = link->cap_domains = 0;
}
