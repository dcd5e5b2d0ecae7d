/*
 * ranks.c - one of the ranks on a node measures, the others only become their command
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/ranks.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ipc/address.h"

#define LATE_NS (2 * ES_NS_PER_S) /* how long ranks that were not seen yet are waited for */
#define START_NS (2 * ES_NS_PER_S) /* how long one that measures may take to start */
#define LOOK_NS (50 * ES_NS_PER_MS)
#define STALE_S 3600 /* a list that nobody has joined for so long is of another launch */
#define OLD_S (2 * STALE_S) /* files so old are swept away */
#define SWEEP_MAX 1000
#define TRIES 20

const char *const *es_ranks_folders(void)
{
	static const char *const folders[] = { "/tmp", "/dev/shm", NULL };

	return folders;
}

/* FNV-1a: names of files from names that others chose. */
static uint64_t mix(uint64_t hash, const void *data, size_t n)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3U;
	return hash;
}

/* Launches on one node differ in what the launcher calls them, else in the process that started the ranks. */
static uint64_t hash_of(const struct es_launch *launch)
{
	uint64_t hash = mix(0xcbf29ce484222325U, launch->launcher, strlen(launch->launcher) + 1);
	struct {
		uint64_t pid, start_ticks;
	} parent = { .pid = 0 };

	if (launch->id[0]) {
		/* Slurm can have several nodes on one machine, to be tried out. */
		hash = mix(hash, &launch->node, sizeof(launch->node));
		return mix(hash, launch->id, strlen(launch->id));
	}
	parent.pid = (uint64_t)es_launch_parent(launch, &parent.start_ticks);
	return mix(hash, &parent, sizeof(parent));
}

/* A folder that is ours and that nobody else may enter; negative errno where there can be none. */
static int open_private(const char *in, char *path, size_t size)
{
	(void)snprintf(path, size, "%s/energyscopium-%u", in, (unsigned)geteuid());
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	return es_ipc_check_folder(path, NULL);
}

static int open_folder(const char *const *folders, struct es_ranks *ranks)
{
	int fd = -ENOENT;

	for (size_t i = 0; fd < 0 && folders[i]; i++)
		fd = open_private(folders[i], ranks->folder, sizeof(ranks->folder));
	if (fd < 0)
		return es_error_set(&ranks->problem, fd, "no private folder '%s'", ranks->folder);
	ranks->folder_fd = fd;
	return 0;
}

static void name_file(const struct es_ranks *ranks, const char *suffix, char name[static 48])
{
	(void)snprintf(name, 48, "ranks-%016llx.%s", (unsigned long long)ranks->hash, suffix);
}

static int open_file(const struct es_ranks *ranks, const char *suffix, int flags)
{
	char name[48];
	int fd;

	name_file(ranks, suffix, name);
	fd = openat(ranks->folder_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | flags,
		    0600);
	return fd < 0 ? -errno : fd;
}

/* 1: locked; 0: somebody else has it; or negative errno. A file that was taken away meanwhile locks nobody out. */
static int take_lock(struct es_ranks *ranks)
{
	char name[48];

	name_file(ranks, "lock", name);
	for (int i = 0; i < TRIES; i++) {
		struct stat ours, named;
		es_cleanup(es_closep) int fd = open_file(ranks, "lock", 0);

		if (fd < 0)
			return fd;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0)
			return errno == EWOULDBLOCK ? 0 : -errno;
		if (fstat(fd, &ours) == 0 && fstatat(ranks->folder_fd, name, &named, 0) == 0 &&
		    ours.st_ino == named.st_ino) {
			ranks->lock_fd = es_steal_fd(&fd);
			return 1;
		}
	}
	return -EAGAIN;
}

static bool read_entry(const struct es_ranks *ranks, size_t i, struct es_rank_entry *ret)
{
	return pread(ranks->list_fd, ret, sizeof(*ret), (off_t)(i * sizeof(*ret))) ==
	       (ssize_t)sizeof(*ret);
}

static void append_entry(const struct es_ranks *ranks, uint64_t measures)
{
	struct es_rank_entry entry = { .rank = ranks->rank,
				       .pid = getpid(),
				       .start_ticks = es_process_start_ticks(getpid(), NULL),
				       .pid_namespace = ranks->pid_namespace,
				       .measures = measures };

	/* Where it cannot be told (disk full), the rank is not waited for; it runs all the same. */
	if (write(ranks->list_fd, &entry, sizeof(entry)) < 0)
		return;
}

/* What is of another process namespace cannot be looked at: nobody waits for it. */
static bool has_ended(const struct es_ranks *ranks, const struct es_rank_entry *entry)
{
	return entry->pid_namespace != ranks->pid_namespace || entry->pid <= 0 ||
	       entry->start_ticks == 0 ||
	       es_process_start_ticks((pid_t)entry->pid, NULL) != entry->start_ticks;
}

static void count_rank(struct es_ranks *ranks, int64_t rank)
{
	for (size_t i = 0; i < ranks->n_entries; i++)
		if (ranks->entries[i].rank == rank)
			return;
	ranks->n_other_ranks++;
}

static void read_news(struct es_ranks *ranks, int64_t now_ns)
{
	struct es_rank_entry entry;

	while (ranks->n_entries < ES_RANKS_MAX && read_entry(ranks, ranks->n_entries, &entry)) {
		struct es_rank_entry *grown = ranks->entries;

		/* Room for a power of two. */
		if ((ranks->n_entries & (ranks->n_entries - 1)) == 0)
			grown = reallocarray(ranks->entries, 2 * ranks->n_entries + 1,
					     sizeof(*grown));
		if (!grown)
			return;
		ranks->entries = grown;
		if (ranks->n_entries)
			count_rank(ranks, entry.rank);
		ranks->entries[ranks->n_entries++] = entry;
		ranks->since_ns = now_ns;
	}
}

/* Whether the launch was measured to its end already and this rank was too late for it. */
static bool is_late(const struct es_ranks *ranks)
{
	struct es_rank_entry entry;
	struct stat st;

	if (!read_entry(ranks, 0, &entry) || !entry.measures || fstat(ranks->list_fd, &st) < 0 ||
	    time(NULL) - st.st_mtime > STALE_S)
		return false;
	for (size_t i = 0; read_entry(ranks, i, &entry); i++)
		if (entry.rank == ranks->rank)
			return false;
	return true;
}

/* Whether the one that measures has our own rank: a second command of a rank's script, or of its shell. */
static bool is_beside_itself(const struct es_ranks *ranks)
{
	const struct timespec ms = { .tv_nsec = ES_NS_PER_MS };
	struct es_rank_entry entry;

	for (int i = 0; i < TRIES; i++) {
		/* Not the one that measured an earlier launch: the list is about to be begun anew. */
		if (read_entry(ranks, 0, &entry) && entry.measures && !has_ended(ranks, &entry))
			return entry.rank == ranks->rank;
		(void)nanosleep(&ms, NULL);
	}
	return false;
}

/* Until the one that measures has taken its first readings, or is gone. */
static void await_start(const struct es_ranks *ranks)
{
	const struct timespec ms = { .tv_nsec = ES_NS_PER_MS };
	int64_t end_ns = es_clock_mono_ns() + START_NS + ranks->patience_ns;

	while (es_clock_mono_ns() < end_ns) {
		struct es_rank_entry entry;
		bool has_started = false, has_gone = false;

		for (size_t i = 0; !has_started && read_entry(ranks, i, &entry); i++) {
			has_started = entry.measures == ES_RANK_HAS_STARTED;
			has_gone = has_gone || (i == 0 && has_ended(ranks, &entry));
		}
		if (has_started || has_gone)
			return;
		(void)nanosleep(&ms, NULL);
	}
}

static bool is_old(const struct es_ranks *ranks, const char *name)
{
	struct stat st;

	return fstatat(ranks->folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       time(NULL) - st.st_mtime > OLD_S;
}

/* A lock that somebody has belongs to a launch that goes on, however old it is. */
static void sweep_launch(const struct es_ranks *ranks, const char *lock)
{
	es_cleanup(es_closep) int fd =
		openat(ranks->folder_fd, lock, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char list[48];

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return;
	(void)snprintf(list, sizeof(list), "%.22s.list", lock);
	(void)unlinkat(ranks->folder_fd, list, 0);
	(void)unlinkat(ranks->folder_fd, lock, 0);
}

/* What launches left behind that had fewer ranks than were announced, or were killed. */
static void sweep(const struct es_ranks *ranks)
{
	int fd = openat(ranks->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	es_cleanup(es_closedirp) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	for (int i = 0; dir && i < SWEEP_MAX && (entry = readdir(dir)); i++)
		if (strncmp(entry->d_name, "ranks-", 6) == 0 && strlen(entry->d_name) == 27 &&
		    strcmp(entry->d_name + 22, ".lock") == 0 && is_old(ranks, entry->d_name))
			sweep_launch(ranks, entry->d_name);
}

static int decide(struct es_ranks *ranks)
{
	int r = take_lock(ranks);

	ranks->list_fd = r < 0 ? -1 : open_file(ranks, "list", O_APPEND);
	if (r < 0 || ranks->list_fd < 0)
		return es_error_set(&ranks->problem, r < 0 ? r : ranks->list_fd, "no lock in '%s'",
				    ranks->folder);
	if (r > 0 && !is_late(ranks)) {
		sweep(ranks);
		/* A list that stays as it was would only make us wait for processes that are gone. */
		if (ftruncate(ranks->list_fd, 0) < 0)
			return es_error_set(&ranks->problem, -errno, "no list in '%s'",
					    ranks->folder);
		append_entry(ranks, ES_RANK_STARTS);
		return 0;
	}
	if (r == 0 && is_beside_itself(ranks)) {
		es_closep(&ranks->list_fd);
		ranks->list_fd = -1;
		return 0;
	}
	append_entry(ranks, 0);
	ranks->role = ES_RANK_ONLY_RUNS;
	if (r == 0)
		await_start(ranks);
	return 0;
}

void es_ranks_join(const struct es_launch *launch, const char *const *folders, int64_t patience_ns,
		   struct es_ranks *ret)
{
	struct es_ranks ranks = { .role = ES_RANK_MEASURES,
				  .folder_fd = -1,
				  .lock_fd = -1,
				  .list_fd = -1,
				  .hook = { .fd = -1 },
				  .rank = launch->rank,
				  .local_ranks = launch->local_ranks,
				  .patience_ns = patience_ns };
	struct stat st;

	if (stat("/proc/self/ns/pid", &st) == 0)
		ranks.pid_namespace = st.st_ino;
	if (launch->launcher && launch->local_ranks != 1 && launch->ranks != 1) {
		ranks.hash = hash_of(launch);
		if (open_folder(folders, &ranks) < 0 || decide(&ranks) < 0)
			ranks.role = launch->local_rank > 0 ||
						     (launch->local_rank < 0 && launch->rank > 0)
					     ? ES_RANK_ONLY_RUNS
					     : ES_RANK_MEASURES;
	}
	*ret = ranks;
}

/* A link that leads to the socket: made and read in one go, nothing to take apart. */
void es_ranks_tell_socket(const struct es_ranks *ranks, const char *path)
{
	char name[48];

	name_file(ranks, "tags", name);
	(void)unlinkat(ranks->folder_fd, name, 0);
	(void)symlinkat(path, ranks->folder_fd, name);
}

int es_ranks_find_socket(const struct es_ranks *ranks, char *ret, size_t size)
{
	char name[48];
	ssize_t n;

	if (ranks->folder_fd < 0)
		return -ENOENT;
	name_file(ranks, "tags", name);
	n = readlinkat(ranks->folder_fd, name, ret, size);
	if (n <= 0 || (size_t)n >= size)
		return -ENOENT;
	ret[n] = '\0';
	return 0;
}

void es_ranks_leave(struct es_ranks *ranks)
{
	char name[48];

	if (ranks->lock_fd >= 0)
		read_news(ranks, 0);
	/* Nobody can come late any more: nothing needs to be kept for them. */
	if (ranks->lock_fd >= 0 && ranks->local_ranks > 0 &&
	    ranks->n_other_ranks + 1 >= (size_t)ranks->local_ranks) {
		name_file(ranks, "list", name);
		(void)unlinkat(ranks->folder_fd, name, 0);
		name_file(ranks, "lock", name);
		(void)unlinkat(ranks->folder_fd, name, 0);
	}
	/* Nobody hears tags any more, late or not. */
	if (ranks->lock_fd >= 0) {
		name_file(ranks, "tags", name);
		(void)unlinkat(ranks->folder_fd, name, 0);
	}
	es_closep(&ranks->hook.fd);
	es_closep(&ranks->list_fd);
	es_closep(&ranks->lock_fd);
	es_closep(&ranks->folder_fd);
	free(ranks->entries);
	*ranks = (struct es_ranks){
		.folder_fd = -1, .lock_fd = -1, .list_fd = -1, .hook = { .fd = -1 }
	};
}

/* Wake up when the process has ended; where the kernel cannot (before 5.3), it is looked at now and then. */
static void watch(struct es_ranks *ranks, const struct es_rank_entry *entry)
{
	es_closep(&ranks->hook.fd);
	ranks->hook.fd = -1;
#ifdef SYS_pidfd_open
	if (entry)
		ranks->hook.fd = (int)syscall(SYS_pidfd_open, (pid_t)entry->pid, 0);
#else
	(void)entry;
#endif
}

static bool is_over(struct es_measure_wait *wait)
{
	struct es_ranks *ranks = wait->arg;
	int64_t now_ns = es_clock_mono_ns();
	bool has_all;

	if (!ranks->is_waiting) {
		ranks->is_waiting = true;
		ranks->since_ns = now_ns;
	}
	read_news(ranks, now_ns);
	if (ranks->n_entries == 0)
		return true;
	while (ranks->n_ended < ranks->n_entries &&
	       (ranks->entries[ranks->n_ended].measures ||
		has_ended(ranks, &ranks->entries[ranks->n_ended]))) {
		watch(ranks, NULL);
		ranks->n_ended++;
		if (ranks->entries[ranks->n_ended - 1].measures)
			continue;
		ranks->since_ns = now_ns;
		wait->end_ns = es_clock_boot_ns();
	}
	ranks->hook.next_ns = now_ns + LOOK_NS;
	if (ranks->n_ended < ranks->n_entries) {
		if (ranks->hook.fd < 0)
			watch(ranks, &ranks->entries[ranks->n_ended]);
		return false;
	}
	has_all = ranks->local_ranks > 0 && ranks->n_other_ranks + 1 >= (size_t)ranks->local_ranks;
	return has_all || now_ns - ranks->since_ns >= LATE_NS;
}

static pid_t next_rank(struct es_measure_wait *wait)
{
	struct es_ranks *ranks = wait->arg;
	struct es_rank_entry entry;

	while (read_entry(ranks, ranks->n_named, &entry)) {
		ranks->n_named++;
		if (!entry.measures && !has_ended(ranks, &entry))
			return (pid_t)entry.pid;
	}
	return 0;
}

static void tell_start(struct es_measure_wait *wait)
{
	append_entry(wait->arg, ES_RANK_HAS_STARTED);
}

/* The loop wakes up for it; what there is to do is_over() does. */
static void wake(struct es_measure_hook *hook, struct es_recorder *recorder, short revents)
{
	(void)recorder;
	(void)revents;
	hook->next_ns = es_clock_mono_ns() + LOOK_NS;
}

void es_ranks_wait(struct es_ranks *ranks)
{
	ranks->hook = (struct es_measure_hook){
		.fd = -1, .events = POLLIN, .next_ns = INT64_MAX, .handle = wake, .arg = ranks
	};
	ranks->wait = (struct es_measure_wait){
		.started = tell_start, .is_over = is_over, .next = next_rank, .arg = ranks
	};
}
