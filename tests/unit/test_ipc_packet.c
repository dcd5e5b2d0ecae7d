/*
 * test_ipc_packet.c - packets and descriptors through real sockets: whole, cut, too long, too many, hostile
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "ipc/packet.h"

#define WAIT_NS (20 * ES_NS_PER_S) /* more than any of it takes on a busy machine */
#define SEVERAL 40U

struct fixture {
	int fds[2];
	uint8_t bytes[ES_IPC_MESSAGE_MAX_BYTES];
	size_t n;
	int came;
};

static int set_up(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, f->fds), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	(void)close(f->fds[0]);
	(void)close(f->fds[1]);
	test_free(f);
	return 0;
}

static unsigned count_descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static int receive(struct fixture *f, bool wants_fd)
{
	f->came = -7;
	return es_packet_receive(f->fds[1], 0, f->bytes, &f->n, wants_fd ? &f->came : NULL);
}

static size_t make_packet(uint16_t type, uint32_t number, size_t n_body, uint8_t *out)
{
	const struct es_packet_head head = { .version = ES_IPC_VERSION,
					     .type = type,
					     .length = (uint32_t)n_body,
					     .number = number };

	es_packet_head_put(&head, out);
	memset(out + ES_IPC_HEADER_BYTES, 0x5a, n_body);
	return ES_IPC_HEADER_BYTES + n_body;
}

static void a_header_is_read_as_it_was_written(void **state)
{
	static const uint8_t expected[] = { 'E', 'S', 'I', 'P', 1,    0,    0x34, 0x12,
					    3,	 0,   0,   0,	0xef, 0xbe, 0xad, 0xde };
	struct es_packet_head head = { .number = 0 };
	uint8_t bytes[ES_IPC_HEADER_BYTES + 3];

	(void)state;
	assert_int_equal(make_packet(0x1234, 0xdeadbeef, 3, bytes), sizeof(bytes));
	assert_memory_equal(bytes, expected, sizeof(expected));
	assert_int_equal(es_packet_head_get(bytes, sizeof(bytes), &head), 0);
	assert_int_equal(head.type, 0x1234);
	assert_int_equal(head.number, 0xdeadbeef);
	assert_int_equal(head.length, 3);
	for (size_t n = 0; n < sizeof(bytes); n++)
		assert_int_equal(es_packet_head_get(bytes, n, &head), -EBADMSG);
	bytes[4] = 9;
	head.number = 0;
	assert_int_equal(es_packet_head_get(bytes, sizeof(bytes), &head), -EPROTONOSUPPORT);
	assert_int_equal(head.number, 0xdeadbeef);
	bytes[0] = 'X';
	assert_int_equal(es_packet_head_get(bytes, sizeof(bytes), &head), -EBADMSG);
}

static void a_packet_comes_whole(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(receive(f, true), -EAGAIN);
	assert_int_equal(es_packet_send(f->fds[0], "hello", 5, -1), 0);
	assert_int_equal(es_packet_send(f->fds[0], "world!", 6, -1), 0);
	assert_int_equal(receive(f, true), 0);
	assert_int_equal(f->n, 5);
	assert_memory_equal(f->bytes, "hello", 5);
	assert_int_equal(f->came, -1);
	assert_int_equal(receive(f, false), 0);
	assert_memory_equal(f->bytes, "world!", 6);
	assert_int_equal(receive(f, true), -EAGAIN);
}

static void a_descriptor_comes_along_and_is_closed_on_exec(void **state)
{
	struct fixture *f = *state;
	int pipe_fds[2];
	char byte = 'x';

	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(es_packet_send(f->fds[0], "p", 1, pipe_fds[1]), 0);
	assert_int_equal(receive(f, true), 0);
	assert_true(f->came >= 0);
	assert_true(fcntl(f->came, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(f->came, &byte, 1), 1);
	assert_int_equal(read(pipe_fds[0], &byte, 1), 1);
	(void)close(f->came);
	(void)close(pipe_fds[0]);
	(void)close(pipe_fds[1]);
}

static void who_wants_no_descriptor_gets_none(void **state)
{
	struct fixture *f = *state;
	unsigned before = count_descriptors();

	assert_int_equal(es_packet_send(f->fds[0], "p", 1, f->fds[0]), 0);
	assert_int_equal(receive(f, false), 0);
	assert_int_equal(f->n, 1);
	assert_int_equal(count_descriptors(), before);
}

/* @n descriptors with one packet, as nobody of ours sends them. */
static void send_several(int fd, unsigned n)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(SEVERAL * sizeof(int))];
	} control = { .bytes = { 0 } };
	struct iovec part = { .iov_base = (void *)(uintptr_t) "many", .iov_len = 4 };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = CMSG_SPACE(n * sizeof(int)) };

	control.align.cmsg_level = SOL_SOCKET;
	control.align.cmsg_type = SCM_RIGHTS;
	control.align.cmsg_len = CMSG_LEN(n * sizeof(int));
	for (unsigned i = 0; i < n; i++)
		memcpy(CMSG_DATA(&control.align) + i * sizeof(int), &fd, sizeof(fd));
	assert_int_equal(sendmsg(fd, &message, 0), 4);
}

static void several_descriptors_are_refused_and_closed(void **state)
{
	struct fixture *f = *state;
	unsigned before = count_descriptors();

	for (unsigned n = 2; n <= SEVERAL; n += n == 2 ? 1 : 37) {
		send_several(f->fds[0], n);
		assert_int_equal(receive(f, true), -EMSGSIZE);
		send_several(f->fds[0], n);
		assert_int_equal(receive(f, false), 0);
		assert_int_equal(count_descriptors(), before);
	}
	assert_int_equal(es_packet_send(f->fds[0], "next", 4, -1), 0);
	assert_int_equal(receive(f, true), 0);
}

static void a_descriptor_without_room_for_it_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct rlimit limit, low;

	assert_int_equal(es_packet_send(f->fds[0], "p", 1, f->fds[0]), 0);
	assert_int_equal(es_packet_send(f->fds[0], "q", 1, f->fds[0]), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = (struct rlimit){ .rlim_cur = 0, .rlim_max = limit.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	assert_int_equal(receive(f, true), -EMFILE);
	assert_int_equal(receive(f, false), 0); /* who wants none has no need of room */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_memory_equal(f->bytes, "q", 1);
}

static void a_packet_longer_than_any_is_refused_with_its_descriptor(void **state)
{
	static const uint8_t large[ES_IPC_MESSAGE_MAX_BYTES + 1];
	struct fixture *f = *state;
	unsigned before = count_descriptors();

	assert_int_equal(es_packet_send(f->fds[0], large, sizeof(large), f->fds[0]), 0);
	assert_int_equal(receive(f, true), -EMSGSIZE);
	assert_int_equal(count_descriptors(), before);
	assert_int_equal(es_packet_send(f->fds[0], large, sizeof(large) - 1, -1), 0);
	assert_int_equal(receive(f, true), 0);
	assert_int_equal(f->n, sizeof(large) - 1);
}

static void an_empty_packet_is_an_end(void **state)
{
	struct fixture *f = *state;
	unsigned before = count_descriptors();

	assert_int_equal(es_packet_send(f->fds[0], "", 0, -1), 0);
	assert_int_equal(receive(f, true), -EPIPE);
	/* The kernel keeps a descriptor with nothing to go with, or gives it: either way it does not stay. */
	(void)es_packet_send(f->fds[0], "", 0, f->fds[0]);
	(void)receive(f, true);
	assert_int_equal(count_descriptors(), before);
}

static void who_left_is_told_from_both_sides(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(es_packet_send(f->fds[0], "last words", 10, -1), 0);
	assert_int_equal(es_packet_send(f->fds[1], "unread", 6, -1), 0);
	assert_int_equal(close(f->fds[0]), 0);
	f->fds[0] = -1;
	assert_int_equal(es_packet_send(f->fds[1], "x", 1, -1), -EPIPE);
	assert_int_equal(receive(f, true), 0); /* behind the kernel's ECONNRESET */
	assert_memory_equal(f->bytes, "last words", 10);
	assert_int_equal(receive(f, true), -EPIPE);
	assert_int_equal(receive(f, true), -EPIPE);
}

static void who_reads_nothing_is_not_waited_for(void **state)
{
	static const uint8_t bytes[4096];
	struct fixture *f = *state;
	unsigned n = 0, n_read = 0;
	int r = 0;

	while (r == 0 && n < 100000)
		r = es_packet_send(f->fds[0], bytes, sizeof(bytes), -1), n += r == 0;
	assert_int_equal(r, -EAGAIN);
	while (receive(f, true) == 0)
		n_read++;
	assert_int_equal(n_read, n);
	assert_int_equal(es_packet_send(f->fds[0], bytes, sizeof(bytes), -1), 0);
}

static void a_wait_ends_in_time(void **state)
{
	struct fixture *f = *state;
	int64_t until_ns = es_clock_mono_ns() + 20 * ES_NS_PER_MS;

	assert_int_equal(es_packet_receive(f->fds[1], until_ns, f->bytes, &f->n, NULL), -ETIMEDOUT);
	assert_true(es_clock_mono_ns() >= until_ns);
	assert_int_equal(es_packet_receive(f->fds[1], 1, f->bytes, &f->n, NULL), -ETIMEDOUT);
}

static int ask(struct fixture *f, int64_t until_ns, struct es_packet_head *ret, int *ret_fd)
{
	uint8_t bytes[ES_IPC_HEADER_BYTES];
	size_t n = make_packet(16, 5, 0, bytes);

	return es_packet_ask(f->fds[1], bytes, n, until_ns, f->bytes, &f->n, ret, ret_fd);
}

static void an_answer_is_known_by_its_number(void **state)
{
	struct fixture *f = *state;
	struct es_packet_head head;
	uint8_t bytes[64];
	unsigned before = count_descriptors();

	for (uint32_t number = 3; number <= 5; number++)
		assert_int_equal(es_packet_send(f->fds[0], bytes,
						make_packet(128, number, number, bytes), f->fds[0]),
				 0);
	assert_int_equal(ask(f, es_clock_mono_ns() + WAIT_NS, &head, &f->came), 0);
	assert_int_equal(head.number, 5);
	assert_int_equal(head.length, 5);
	assert_int_equal(f->n, ES_IPC_HEADER_BYTES + 5);
	assert_int_equal(count_descriptors(), before + 1); /* those of the others are closed */
	(void)close(f->came);
	assert_int_equal(es_packet_receive(f->fds[0], 0, bytes, &f->n, NULL), 0);
	assert_int_equal(f->n, ES_IPC_HEADER_BYTES);
}

static void no_answer_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct es_packet_head head;

	assert_int_equal(ask(f, es_clock_mono_ns() + 1000, &head, NULL), -ETIMEDOUT);
	assert_int_equal(es_packet_send(f->fds[0], "garbage", 7, -1), 0);
	assert_int_equal(ask(f, es_clock_mono_ns() + WAIT_NS, &head, NULL), -EBADMSG);
	(void)close(f->fds[0]);
	f->fds[0] = -1;
	assert_int_equal(ask(f, es_clock_mono_ns() + WAIT_NS, &head, NULL), -EPIPE);
	assert_int_equal(es_packet_ask(f->fds[1], "no packet", 9, INT64_MAX, f->bytes, &f->n, &head,
				       NULL),
			 -EBADMSG);
}

static void *read_all(void *arg)
{
	struct fixture *f = arg;
	uint8_t *bytes = test_malloc(ES_IPC_MESSAGE_MAX_BYTES);
	struct es_packet_head head = { .number = 0 };
	size_t n;

	while (head.number != 5 &&
	       es_packet_receive(f->fds[0], es_clock_mono_ns() + WAIT_NS, bytes, &n, NULL) == 0)
		(void)es_packet_head_get(bytes, n, &head);
	(void)es_packet_send(f->fds[0], bytes, make_packet(128, head.number, 0, bytes), -1);
	test_free(bytes);
	return NULL;
}

static void a_question_waits_where_others_are_still_unread(void **state)
{
	struct fixture *f = *state;
	struct es_packet_head head;
	uint8_t bytes[2048];
	pthread_t thread;
	int r = 0;

	while (r == 0)
		r = es_packet_send(f->fds[1], bytes, make_packet(16, 1, 2000, bytes), -1);
	assert_int_equal(r, -EAGAIN);
	assert_int_equal(ask(f, es_clock_mono_ns() + 1000, &head, NULL), -ETIMEDOUT);
	assert_int_equal(pthread_create(&thread, NULL, read_all, f), 0);
	assert_int_equal(ask(f, es_clock_mono_ns() + WAIT_NS, &head, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void descriptors_are_seen_before_they_are_taken(void **state)
{
	struct fixture *f = *state;
	unsigned before = count_descriptors();

	assert_false(es_packet_has_descriptors(f->fds[1]));
	assert_int_equal(es_packet_send(f->fds[0], "plain", 5, -1), 0);
	assert_int_equal(es_packet_send(f->fds[0], "p", 1, f->fds[0]), 0);
	assert_false(es_packet_has_descriptors(f->fds[1]));
	assert_int_equal(receive(f, false), 0);
	assert_int_equal(f->n, 5);
	for (int i = 0; i < 3; i++)
		assert_true(es_packet_has_descriptors(f->fds[1]));
	assert_int_equal(count_descriptors(), before);
	assert_int_equal(receive(f, false), 0);
	assert_int_equal(f->n, 1);
	assert_false(es_packet_has_descriptors(f->fds[1]));
}

/* From Linux 6.16 on the sender gets an error; before, nothing changes. */
static void who_takes_no_descriptors_still_takes_packets(void **state)
{
	struct fixture *f = *state;
	unsigned before = count_descriptors();
	int r;

	es_packet_take_no_descriptors(f->fds[1]);
	r = es_packet_send(f->fds[0], "p", 1, f->fds[0]);
	assert_true(r == 0 || r == -EPERM);
	if (r == 0)
		assert_int_equal(receive(f, false), 0);
	assert_int_equal(es_packet_send(f->fds[0], "q", 1, -1), 0);
	assert_int_equal(receive(f, false), 0);
	assert_memory_equal(f->bytes, "q", 1);
	assert_int_equal(count_descriptors(), before);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_header_is_read_as_it_was_written),
		TEST(a_packet_comes_whole),
		TEST(a_descriptor_comes_along_and_is_closed_on_exec),
		TEST(who_wants_no_descriptor_gets_none),
		TEST(several_descriptors_are_refused_and_closed),
		TEST(descriptors_are_seen_before_they_are_taken),
		TEST(a_descriptor_without_room_for_it_is_an_error),
		TEST(a_packet_longer_than_any_is_refused_with_its_descriptor),
		TEST(an_empty_packet_is_an_end),
		TEST(who_left_is_told_from_both_sides),
		TEST(who_reads_nothing_is_not_waited_for),
		TEST(a_wait_ends_in_time),
		TEST(an_answer_is_known_by_its_number),
		TEST(no_answer_is_an_error),
		TEST(a_question_waits_where_others_are_still_unread),
		TEST(who_takes_no_descriptors_still_takes_packets),
	};

	return cmocka_run_group_tests_name("ipc/packet", tests, NULL, NULL);
}
