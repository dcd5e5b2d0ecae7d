/*
 * test_slurm_node_energy.c - a node's energy from daemons that answer, hang, die, begin anew and lie
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ipc/address.h"
#include "ipc/packet.h"
#include "slurm/node_energy.h"
#include "support/folder.h"
#include "wire/local.h"

#define LONG_NS (20 * ES_NS_PER_S) /* nothing here may take as long, on whatever machine */

enum manner {
	ANSWERS,
	HANGS, /* reads nothing */
	REFUSES,
	SAYS_GARBAGE,
	GIVES_A_FILE, /* in place of a page */
};

/* A daemon with one client at a time, as a thread. */
struct daemon {
	char folder[64], path[80];
	int listener, client, stop[2];
	struct es_page *page;
	pthread_t thread;
	_Atomic int manner;
	/* what the next sweep shows */
	_Atomic uint64_t epoch, node_uj, node_mw;
	_Atomic int64_t period_ns, sweep_ns; /* 0: now */
	_Atomic bool has_node, is_share;
	_Atomic unsigned n_asked;
};

static void answer(const struct daemon *daemon, uint32_t number, int64_t verdict, const char *text)
{
	struct es_ipc_message message = { .type = ES_IPC_ANSWER,
					  .number = number,
					  .value = verdict };
	uint8_t bytes[ES_IPC_MESSAGE_MAX_BYTES];

	(void)snprintf(message.text, sizeof(message.text), "%s", text);
	(void)es_packet_send(daemon->client, bytes, es_ipc_encode(&message, bytes), -1);
}

static void give_page(struct daemon *daemon, uint32_t number)
{
	const struct es_local_page about = { .epoch = daemon->epoch,
					     .n_domains = 1,
					     .period_ns = ES_NS_PER_S };
	uint8_t bytes[256];
	int fd = -1, n = es_local_put_page(number, &about, bytes, sizeof(bytes));

	es_page_destroy(daemon->page);
	daemon->page = NULL;
	if (daemon->manner == GIVES_A_FILE)
		fd = fileno(tmpfile());
	else
		assert_int_equal(es_page_create(1, daemon->epoch, &daemon->page, &fd, NULL), 0);
	assert_true(n > 0);
	(void)es_packet_send(daemon->client, bytes, (size_t)n, fd);
	(void)close(fd);
}

static void make_sweep(struct daemon *daemon)
{
	struct es_page_value value = { .t_ns = es_clock_boot_ns() };
	struct es_page_copy head = {
		.sweep_ns = daemon->sweep_ns ? daemon->sweep_ns : es_clock_boot_ns(),
		.period_ns = daemon->period_ns,
		.has_node = daemon->has_node,
		.node_uj = daemon->node_uj,
		.node_mw = daemon->node_mw,
	};

	(void)snprintf(head.node_kind, sizeof(head.node_kind), "%s",
		       daemon->is_share ? "attributed" : "measured");
	if (daemon->page)
		es_page_write(daemon->page, &value, &head);
}

static void serve_packet(struct daemon *daemon)
{
	uint8_t bytes[ES_IPC_MESSAGE_MAX_BYTES];
	struct es_packet_head head;
	size_t n;

	if (es_packet_receive(daemon->client, 0, bytes, &n, NULL) == -EPIPE) {
		es_closep(&daemon->client);
		daemon->client = -1;
		return;
	}
	daemon->n_asked++;
	assert_int_equal(es_packet_head_get(bytes, n, &head), 0);
	if (daemon->manner == REFUSES) {
		answer(daemon, head.number, ES_IPC_DENIED, "no job of yours is here");
	} else if (daemon->manner == SAYS_GARBAGE) {
		(void)send(daemon->client, "ESIPgarbage that is no packet", 29, MSG_NOSIGNAL);
	} else if (head.type == ES_LOCAL_WATCH) {
		give_page(daemon, head.number);
	} else {
		make_sweep(daemon);
		answer(daemon, head.number, ES_IPC_OK, "");
	}
}

static void *serve(void *arg)
{
	struct daemon *daemon = arg;

	for (;;) {
		bool hangs = daemon->manner == HANGS;
		struct pollfd fds[] = {
			{ .fd = daemon->stop[0], .events = POLLIN },
			{ .fd = hangs ? -1 : daemon->client, .events = POLLIN },
			{ .fd = hangs ? -1 : daemon->listener, .events = POLLIN },
		};

		(void)poll(fds, 3, 10);
		if (fds[0].revents)
			return NULL;
		if (!hangs && fds[1].revents)
			serve_packet(daemon);
		if (!hangs && fds[2].revents) {
			es_closep(&daemon->client);
			daemon->client = accept4(daemon->listener, NULL, NULL, SOCK_CLOEXEC);
		}
	}
}

static void begin(struct daemon *daemon)
{
	struct sockaddr_un address;

	assert_int_equal(es_ipc_address(daemon->path, &address), 0);
	daemon->client = -1;
	daemon->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(daemon->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(daemon->listener, 1), 0);
	assert_int_equal(pipe2(daemon->stop, O_CLOEXEC), 0);
	assert_int_equal(pthread_create(&daemon->thread, NULL, serve, daemon), 0);
}

/* As kill -9 does: everything of it is gone, but for its socket's name. */
static void end(struct daemon *daemon)
{
	assert_int_equal(write(daemon->stop[1], "", 1), 1);
	assert_int_equal(pthread_join(daemon->thread, NULL), 0);
	es_closep(&daemon->client);
	es_closep(&daemon->listener);
	es_closep(&daemon->stop[0]);
	es_closep(&daemon->stop[1]);
	es_page_destroy(daemon->page);
	daemon->page = NULL;
	assert_int_equal(unlink(daemon->path), 0);
}

struct fixture {
	struct daemon daemon;
	struct es_node_energy energy;
	struct es_node_energy_now now;
	struct es_error err;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(es_test_folder(f->daemon.folder, sizeof(f->daemon.folder)), 0);
	(void)snprintf(f->daemon.path, sizeof(f->daemon.path), "%s/s", f->daemon.folder);
	f->daemon.epoch = 7;
	f->daemon.node_uj = 5000000;
	f->daemon.node_mw = 400000;
	f->daemon.period_ns = ES_NS_PER_S;
	f->daemon.has_node = true;
	begin(&f->daemon);
	es_node_energy_init(&f->energy, f->daemon.path);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_node_energy_finish(&f->energy);
	if (f->daemon.listener >= 0)
		end(&f->daemon);
	assert_int_equal(rmdir(f->daemon.folder), 0);
	free(f);
	return 0;
}

/* Ask at once, whatever went wrong before, and as if the last sweep were long ago. */
static int read_energy(struct fixture *f)
{
	int64_t until_ns = es_clock_mono_ns() + LONG_NS;
	int r;

	/* A daemon that answers may need more than 50 ms for it on a busy machine. */
	do {
		f->energy.retry_ns = 0;
		f->err.text[0] = '\0';
		usleep(110000); /* a sweep younger than 100 ms needs no other one */
		r = es_node_energy_read(&f->energy, &f->now, &f->err);
	} while (r == -ETIMEDOUT && f->daemon.manner != HANGS && es_clock_mono_ns() < until_ns);
	return r;
}

static void the_energy_is_that_since_the_first_reading(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_energy(f), 0);
	assert_true(f->now.is_known && f->now.is_fresh);
	assert_int_equal(f->now.energy_uj, 0);
	assert_int_equal(f->now.power_mw, 400000);
	f->daemon.node_uj += 123456;
	assert_int_equal(read_energy(f), 0);

	assert_int_equal(f->now.energy_uj, 123456);
	assert_true(f->now.mean_mw > 0 && f->now.mean_mw < 1300);
	assert_true(es_clock_boot_ns() - f->now.t_ns < LONG_NS);
}

static void a_daemon_that_hangs_is_not_waited_for(void **state)
{
	struct fixture *f = *state;
	int64_t start_ns, t_ns;

	assert_int_equal(read_energy(f), 0);
	t_ns = f->now.t_ns;
	f->daemon.manner = HANGS;
	usleep(30000); /* it may be about to look */
	start_ns = es_clock_mono_ns();
	assert_int_equal(read_energy(f), -ETIMEDOUT);

	assert_true(es_clock_mono_ns() - start_ns < LONG_NS);
	assert_true(f->now.is_known && !f->now.is_fresh);
	assert_int_equal(f->now.t_ns, t_ns);
	assert_non_null(strstr(f->err.text, f->daemon.path));
}

static void a_daemon_that_hangs_is_not_asked_every_time(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_energy(f), 0);
	f->daemon.manner = HANGS;
	f->daemon.period_ns = 1; /* its page is stale at once */
	usleep(30000);
	make_sweep(&f->daemon);
	assert_int_equal(read_energy(f), -ETIMEDOUT);
	f->energy.retry_ns = INT64_MAX;
	assert_int_equal(es_node_energy_read(&f->energy, &f->now, &f->err), -EAGAIN);
	assert_true(f->now.is_known && !f->now.is_fresh);

	/* It goes on writing, and nobody has asked. */
	f->daemon.period_ns = ES_NS_PER_S;
	f->daemon.node_uj += 55;
	make_sweep(&f->daemon);
	assert_int_equal(es_node_energy_read(&f->energy, &f->now, &f->err), 0);
	assert_true(f->now.is_fresh);
	assert_int_equal(f->now.energy_uj, 55);
}

static void an_answer_that_is_late_is_found_at_the_next_call(void **state)
{
	struct fixture *f = *state;
	int64_t until_ns = es_clock_mono_ns() + LONG_NS;

	f->daemon.manner = HANGS;
	assert_int_equal(read_energy(f), -ETIMEDOUT);
	f->energy.retry_ns = INT64_MAX; /* it is not asked any more */
	assert_int_equal(es_node_energy_read(&f->energy, &f->now, &f->err), -EAGAIN);
	assert_false(f->now.is_known);

	f->daemon.manner = ANSWERS;
	while (f->energy.fd >= 0 && !f->energy.view && es_clock_mono_ns() < until_ns)
		(void)es_node_energy_read(&f->energy, &f->now, &f->err);
	assert_non_null(f->energy.view);
	assert_int_equal(f->daemon.n_asked, 1);
	make_sweep(&f->daemon);
	assert_int_equal(es_node_energy_read(&f->energy, &f->now, &f->err), 0);
	assert_true(f->now.is_known);
}

static void a_refusal_is_told_in_the_daemon_s_words(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_energy(f), 0);
	f->daemon.manner = REFUSES;
	assert_int_equal(read_energy(f), -EACCES);
	assert_non_null(strstr(f->err.text, "no job of yours is here"));
	assert_true(f->now.is_known && !f->now.is_fresh);
	assert_int_equal(f->energy.wait_ns, 0); /* and it is asked again at once */
	f->daemon.manner = ANSWERS;
	assert_int_equal(read_energy(f), 0);
	assert_true(f->now.is_fresh);
}

static void what_was_used_while_it_hung_is_counted(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_energy(f), 0);
	f->daemon.manner = HANGS;
	usleep(30000);
	assert_int_equal(read_energy(f), -ETIMEDOUT);
	f->daemon.node_uj += 777;
	f->daemon.manner = ANSWERS;
	assert_int_equal(read_energy(f), 0);

	assert_int_equal(f->now.energy_uj, 777);
}

static void a_restart_that_kept_the_book_loses_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_energy(f), 0);
	end(&f->daemon);
	f->daemon.listener = -1;
	assert_true(read_energy(f) < 0);
	assert_true(f->now.is_known && !f->now.is_fresh);
	f->daemon.node_uj += 999;
	begin(&f->daemon);
	assert_int_equal(read_energy(f), 0);

	assert_int_equal(f->now.energy_uj, 999);
	assert_int_equal(f->energy.n_restarts, 0);
}

static void a_new_book_is_added_from_zero(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_energy(f), 0);
	f->daemon.node_uj += 1000;
	assert_int_equal(read_energy(f), 0);
	end(&f->daemon);
	f->daemon.epoch = 8;
	f->daemon.node_uj = 5001000; /* more than ever, and still its own */
	begin(&f->daemon);
	assert_int_equal(read_energy(f), 0);

	assert_int_equal(f->now.energy_uj, 1000 + 5001000);
	assert_int_equal(f->energy.n_restarts, 1);
}

static void energy_that_goes_back_changes_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_energy(f), 0);
	f->daemon.node_uj += 500;
	assert_int_equal(read_energy(f), 0);
	f->daemon.node_uj -= 1;
	assert_int_equal(read_energy(f), -EBADMSG);
	assert_int_equal(f->now.energy_uj, 500);
	assert_false(f->now.is_fresh);

	f->daemon.node_uj += 2;
	assert_int_equal(read_energy(f), 0);
	assert_int_equal(f->now.energy_uj, 501);
}

static void energy_that_cannot_be_changes_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_energy(f), 0);
	f->daemon.node_uj = UINT64_MAX;
	assert_int_equal(read_energy(f), -EBADMSG);

	assert_int_equal(f->now.energy_uj, 0);
}

static void times_that_cannot_be_change_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_energy(f), 0);
	f->daemon.node_uj += 500;
	f->daemon.sweep_ns = es_clock_boot_ns() + 3600 * ES_NS_PER_S;
	assert_int_equal(read_energy(f), -EBADMSG);
	f->daemon.sweep_ns = 1; /* shortly after the machine's start, as old as can be */
	assert_true(read_energy(f) < 0);
	assert_int_equal(f->now.energy_uj, 0);

	f->daemon.sweep_ns = 0;
	f->daemon.node_mw = UINT64_MAX;
	assert_int_equal(read_energy(f), 0);
	assert_int_equal(f->now.energy_uj, 500);
	assert_int_equal(f->now.power_mw, 0);
}

static void a_share_is_not_the_node(void **state)
{
	struct fixture *f = *state;

	f->daemon.is_share = true;
	assert_int_equal(read_energy(f), -EACCES);
	assert_false(f->now.is_known);
	assert_int_equal(f->energy.fd, -1); /* the next time it may take us for another */
	f->daemon.is_share = false;
	f->daemon.has_node = false;
	assert_int_equal(read_energy(f), -ENODATA);
	assert_false(f->now.is_known);
}

static void a_page_that_nobody_writes_any_more_is_stale(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_energy(f), 0);
	f->daemon.node_uj += 500;
	f->daemon.period_ns = 1;
	assert_int_equal(read_energy(f), -ESTALE);

	assert_int_equal(f->now.energy_uj, 500);
	assert_false(f->now.is_fresh);
}

static void liars_are_not_believed(void **state)
{
	struct fixture *f = *state;

	f->daemon.manner = SAYS_GARBAGE;
	assert_true(read_energy(f) < 0);
	f->daemon.manner = GIVES_A_FILE;
	assert_int_equal(read_energy(f), -EBADMSG);
	assert_false(f->now.is_known);
	assert_null(f->energy.view);
	assert_int_equal(f->energy.fd, -1);
}

static void without_a_daemon_energy_is_unknown(void **state)
{
	struct fixture *f = *state;
	char longest[4096];

	es_node_energy_finish(&f->energy);
	es_node_energy_init(&f->energy, "/nonexistent/socket");
	assert_int_equal(read_energy(f), -ENOENT);
	assert_false(f->now.is_known || f->now.is_fresh);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	es_node_energy_init(&f->energy, longest);
	assert_int_equal(read_energy(f), -ENAMETOOLONG);
	es_node_energy_init(&f->energy, "");
	assert_true(read_energy(f) < 0);
}

static void a_socket_that_anybody_could_have_made_is_not_trusted(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(chmod(f->daemon.folder, 0777), 0);
	assert_int_equal(read_energy(f), -EPERM);
	assert_int_equal(chmod(f->daemon.folder, 0755), 0);
	assert_int_equal(read_energy(f), 0);
}

static unsigned count_descriptors(void)
{
	es_cleanup(es_closedirp) DIR *folder = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(folder);
	while (readdir(folder))
		n++;
	return n;
}

static void descriptors_do_not_pile_up(void **state)
{
	struct fixture *f = *state;
	unsigned n;

	assert_int_equal(read_energy(f), 0);
	n = count_descriptors();
	for (int i = 0; i < 3; i++) {
		end(&f->daemon);
		begin(&f->daemon);
		f->daemon.manner = i == 1 ? GIVES_A_FILE : ANSWERS;
		(void)read_energy(f);
	}
	assert_int_equal(read_energy(f), 0);
	assert_int_equal(count_descriptors(), n);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_energy_is_that_since_the_first_reading),
		TEST(a_daemon_that_hangs_is_not_waited_for),
		TEST(a_daemon_that_hangs_is_not_asked_every_time),
		TEST(an_answer_that_is_late_is_found_at_the_next_call),
		TEST(a_refusal_is_told_in_the_daemon_s_words),
		TEST(what_was_used_while_it_hung_is_counted),
		TEST(a_restart_that_kept_the_book_loses_nothing),
		TEST(a_new_book_is_added_from_zero),
		TEST(energy_that_goes_back_changes_nothing),
		TEST(energy_that_cannot_be_changes_nothing),
		TEST(times_that_cannot_be_change_nothing),
		TEST(a_share_is_not_the_node),
		TEST(a_page_that_nobody_writes_any_more_is_stale),
		TEST(liars_are_not_believed),
		TEST(without_a_daemon_energy_is_unknown),
		TEST(a_socket_that_anybody_could_have_made_is_not_trusted),
		TEST(descriptors_do_not_pile_up),
	};

	return cmocka_run_group_tests_name("slurm/node_energy", tests, NULL, NULL);
}
