/*
 * page.c - the daemon's shared page: cumulative energies that a client reads without asking
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "ipc/page.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/limits.h"

/* Names that older C libraries do not have; a kernel that does not know them says -EINVAL. */
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

/*
 * Words of 64 bits in the machine's order, both sides being on it: a head, and two slots that are written in turn. A
 * reader takes the slot that was finished last, so that a writer which is held up or dies in the middle of the other
 * one keeps nobody from reading.
 */
typedef _Atomic uint64_t word;

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "words are shared between processes");
_Static_assert(sizeof(word) == 8, "words are shared between programs of different builds");

enum head_word {
	HEAD_MAGIC, /* and the version, in the upper half */
	HEAD_SIZE, /* bytes of the page */
	HEAD_EPOCH,
	HEAD_N,
	HEAD_NEWEST, /* sequence of the slot that was finished last, 0: none */
	HEAD_HAS_ENDED,
	N_HEAD_WORDS = 8, /* a cache line */
};

enum slot_word {
	SLOT_SEQUENCE, /* odd: it is being written */
	SLOT_SWEEP,
	SLOT_PERIOD,
	SLOT_HAS_NODE,
	SLOT_NODE_ENERGY,
	SLOT_NODE_POWER,
	SLOT_NODE_KIND, /* two words */
	N_SLOT_WORDS = SLOT_NODE_KIND + 2,
};

enum value_word {
	VALUE_TIME,
	VALUE_WIDTH,
	VALUE_ENERGY,
	VALUE_POWER,
	VALUE_ACTIVITY,
	VALUE_STATE, /* error, and the number of resets in the upper half */
	N_VALUE_WORDS,
};

/* A reader that loses against the writer so often is not looking at an honest page. */
#define N_TRIES 16

struct es_page {
	word *words;
	size_t size_bytes, n;
	uint64_t sequence; /* of the slot that was written last */
};

struct es_page_view {
	word *words;
	size_t size_bytes, n;
	uint64_t epoch;
};

static size_t slot_words(size_t n)
{
	return N_SLOT_WORDS + N_VALUE_WORDS * n;
}

static size_t page_bytes(size_t n)
{
	return (N_HEAD_WORDS + 2 * slot_words(n)) * sizeof(word);
}

static word *slot_of(word *words, size_t n, uint64_t sequence)
{
	return words + N_HEAD_WORDS + (sequence / 2 % 2) * slot_words(n);
}

/*
 * Each word is released, and acquired by the reader: what reads a word that was written after the odd sequence sees
 * that sequence, too, when it looks again. On x86 that costs nothing, and there is no fence, which thread checkers do
 * not understand.
 */
static void store(word *words, size_t i, uint64_t value)
{
	atomic_store_explicit(&words[i], value, memory_order_release);
}

static uint64_t load(word *words, size_t i)
{
	return atomic_load_explicit(&words[i], memory_order_acquire);
}

static int make_memfd(size_t size_bytes)
{
	es_cleanup(es_closep) int fd = memfd_create(
		"energyscopium-page", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("energyscopium-page", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || ftruncate(fd, (off_t)size_bytes) < 0)
		return -errno;
	return es_steal_fd(&fd);
}

/* Before Linux 5.1 the client could write to its page, and mislead itself: nobody else reads it. */
static int seal(int fd)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	int r = fcntl(fd, F_ADD_SEALS, seals | F_SEAL_FUTURE_WRITE);

	if (r < 0 && errno == EINVAL)
		r = fcntl(fd, F_ADD_SEALS, seals);
	return r < 0 ? -errno : 0;
}

int es_page_create(size_t n_domains, uint64_t epoch, struct es_page **ret, int *ret_fd,
		   struct es_error *err)
{
	size_t size_bytes = page_bytes(n_domains);
	es_cleanup(es_closep) int fd = -1;
	struct es_page *page;
	int r;

	if (n_domains > ES_PAGE_DOMAINS_MAX)
		return es_error_set(err, -E2BIG, "page: %zu domains", n_domains);
	fd = make_memfd(size_bytes);
	if (fd == -ENOSYS)
		return es_error_say(err, -EOPNOTSUPP, "page: this kernel has no memfd");
	if (fd < 0)
		return es_error_set(err, fd, "page: cannot make shared memory");
	page = calloc(1, sizeof(*page));
	if (!page)
		return es_error_set(err, -ENOMEM, "page");
	*page = (struct es_page){ .size_bytes = size_bytes, .n = n_domains };
	page->words = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	r = page->words == MAP_FAILED ? -errno : seal(fd);
	if (r < 0) {
		if (page->words != MAP_FAILED)
			(void)munmap((void *)page->words, size_bytes);
		free(page);
		return es_error_set(err, r == -EINVAL ? -EOPNOTSUPP : r,
				    "page: cannot map and seal shared memory");
	}
	store(page->words, HEAD_MAGIC, ES_PAGE_MAGIC | (uint64_t)ES_PAGE_VERSION << 32);
	store(page->words, HEAD_SIZE, size_bytes);
	store(page->words, HEAD_EPOCH, epoch);
	store(page->words, HEAD_N, n_domains);
	*ret = page;
	*ret_fd = es_steal_fd(&fd);
	return 0;
}

static void write_value(word *words, const struct es_page_value *value)
{
	store(words, VALUE_TIME, (uint64_t)value->t_ns);
	store(words, VALUE_WIDTH, (uint64_t)value->width_ns);
	store(words, VALUE_ENERGY, value->energy_uj);
	store(words, VALUE_POWER, value->power_mw);
	store(words, VALUE_ACTIVITY, (uint64_t)value->activity_ns);
	store(words, VALUE_STATE, (uint32_t)value->error | (uint64_t)value->n_resets << 32);
}

void es_page_write(struct es_page *page, const struct es_page_value *values,
		   const struct es_page_copy *head)
{
	uint64_t sequence = page->sequence + 2, kind[2];
	word *slot = slot_of(page->words, page->n, sequence);

	_Static_assert(sizeof(kind) == sizeof(head->node_kind), "two words");
	memcpy(kind, head->node_kind, sizeof(kind));
	store(slot, SLOT_SEQUENCE, sequence - 1);
	store(slot, SLOT_SWEEP, (uint64_t)head->sweep_ns);
	store(slot, SLOT_PERIOD, (uint64_t)head->period_ns);
	store(slot, SLOT_HAS_NODE, head->has_node);
	store(slot, SLOT_NODE_ENERGY, head->node_uj);
	store(slot, SLOT_NODE_POWER, head->node_mw);
	store(slot, SLOT_NODE_KIND, kind[0]);
	store(slot, SLOT_NODE_KIND + 1, kind[1]);
	for (size_t i = 0; i < page->n; i++)
		write_value(slot + N_SLOT_WORDS + N_VALUE_WORDS * i, &values[i]);
	store(slot, SLOT_SEQUENCE, sequence);
	store(page->words, HEAD_NEWEST, sequence);
	page->sequence = sequence;
}

void es_page_destroy(struct es_page *page)
{
	if (!page)
		return;
	store(page->words, HEAD_HAS_ENDED, 1);
	(void)munmap((void *)page->words, page->size_bytes);
	free(page);
}

/* The size cannot change any more, so that no access to the mapping ever fails. */
static int check_memory(int fd, size_t *ret_bytes)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (seals < 0 || (seals & F_SEAL_SHRINK) == 0 || fstat(fd, &st) < 0)
		return -EBADMSG;
	if (st.st_size < (off_t)page_bytes(0) ||
	    st.st_size > (off_t)page_bytes(ES_PAGE_DOMAINS_MAX))
		return -EBADMSG;
	*ret_bytes = (size_t)st.st_size;
	return 0;
}

static int check_head(word *words, size_t size_bytes, struct es_page_view *ret)
{
	uint64_t n = load(words, HEAD_N);

	if (load(words, HEAD_MAGIC) != (ES_PAGE_MAGIC | (uint64_t)ES_PAGE_VERSION << 32))
		return -EBADMSG;
	if (n > ES_PAGE_DOMAINS_MAX || load(words, HEAD_SIZE) != page_bytes(n) ||
	    page_bytes(n) != size_bytes)
		return -EBADMSG;
	ret->words = words;
	ret->size_bytes = size_bytes;
	ret->n = n;
	ret->epoch = load(words, HEAD_EPOCH);
	return 0;
}

int es_page_open(int fd, struct es_page_view **ret, struct es_error *err)
{
	struct es_page_view *view;
	size_t size_bytes;
	word *words;
	int r = check_memory(fd, &size_bytes);

	if (r < 0)
		return es_error_say(err, r, "page: this is no sealed memory of a page's size");
	view = calloc(1, sizeof(*view));
	if (!view)
		return es_error_set(err, -ENOMEM, "page");
	words = mmap(NULL, size_bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (words == MAP_FAILED) {
		r = es_error_set(err, -errno, "page: cannot map shared memory");
		free(view);
		return r;
	}
	r = check_head(words, size_bytes, view);
	if (r < 0) {
		(void)munmap((void *)words, size_bytes);
		free(view);
		return es_error_say(err, r, "page: this is no page of version %u", ES_PAGE_VERSION);
	}
	*ret = view;
	return 0;
}

size_t es_page_n(const struct es_page_view *view)
{
	return view->n;
}

uint64_t es_page_epoch(const struct es_page_view *view)
{
	return view->epoch;
}

bool es_page_has_ended(const struct es_page_view *view)
{
	return load(view->words, HEAD_HAS_ENDED) != 0;
}

static void read_value(word *words, struct es_page_value *ret)
{
	uint64_t state = load(words, VALUE_STATE);

	*ret = (struct es_page_value){
		.t_ns = (int64_t)load(words, VALUE_TIME),
		.width_ns = (int64_t)load(words, VALUE_WIDTH),
		.energy_uj = load(words, VALUE_ENERGY),
		.power_mw = load(words, VALUE_POWER),
		.activity_ns = (int64_t)load(words, VALUE_ACTIVITY),
		.error = (int32_t)(uint32_t)state,
		.n_resets = (uint32_t)(state >> 32),
	};
}

/* One slot as it is; 0, or -EAGAIN: it was written to meanwhile. */
static int read_slot(const struct es_page_view *view, uint64_t sequence,
		     struct es_page_value *values, struct es_page_copy *ret)
{
	word *slot = slot_of(view->words, view->n, sequence);
	uint64_t kind[2];

	if (load(slot, SLOT_SEQUENCE) != sequence)
		return -EAGAIN;
	ret->sequence = sequence;
	ret->sweep_ns = (int64_t)load(slot, SLOT_SWEEP);
	ret->period_ns = (int64_t)load(slot, SLOT_PERIOD);
	ret->has_node = load(slot, SLOT_HAS_NODE) != 0;
	ret->node_uj = load(slot, SLOT_NODE_ENERGY);
	ret->node_mw = load(slot, SLOT_NODE_POWER);
	kind[0] = load(slot, SLOT_NODE_KIND);
	kind[1] = load(slot, SLOT_NODE_KIND + 1);
	memcpy(ret->node_kind, kind, sizeof(kind));
	for (size_t i = 0; i < view->n; i++)
		read_value(slot + N_SLOT_WORDS + N_VALUE_WORDS * i, &values[i]);
	return load(slot, SLOT_SEQUENCE) == sequence ? 0 : -EAGAIN;
}

static bool is_time(int64_t t_ns)
{
	return t_ns >= 0 && t_ns <= ES_TIME_MAX_NS;
}

/* Whether an honest writer could have written that. */
static int check_copy(const struct es_page_value *values, const struct es_page_copy *copy)
{
	if (!is_time(copy->sweep_ns) || copy->period_ns <= 0 ||
	    copy->period_ns > ES_PERIOD_MAX_NS || copy->node_kind[sizeof(copy->node_kind) - 1])
		return -EBADMSG;
	for (size_t i = 0; i < copy->n; i++)
		if (!is_time(values[i].t_ns) || !is_time(values[i].width_ns) ||
		    !is_time(values[i].activity_ns) || values[i].error > 0 ||
		    values[i].error < -4095)
			return -EBADMSG;
	return 0;
}

int es_page_copy(struct es_page_view *view, int64_t now_boot_ns, struct es_page_value *values,
		 size_t n_max, struct es_page_copy *ret)
{
	struct es_page_copy copy = { .epoch = view->epoch, .n = view->n };
	int r = -EAGAIN;

	if (view->n > n_max)
		return -EBADMSG;
	if (es_page_has_ended(view))
		return -EPIPE;
	for (int i = 0; i < N_TRIES && r == -EAGAIN; i++) {
		uint64_t sequence = load(view->words, HEAD_NEWEST);

		if (sequence == 0)
			return -EAGAIN;
		if (sequence % 2)
			return -EBADMSG;
		r = read_slot(view, sequence, values, &copy);
	}
	if (r == 0)
		r = check_copy(values, &copy);
	if (r < 0)
		return r;
	*ret = copy;
	return now_boot_ns - copy.sweep_ns > 3 * copy.period_ns ? -ESTALE : 0;
}

void es_page_close(struct es_page_view *view)
{
	if (!view)
		return;
	(void)munmap((void *)view->words, view->size_bytes);
	free(view);
}
