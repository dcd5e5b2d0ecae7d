/*
 * rules.h - which reads of a faulty file system go wrong, and how
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_SUPPORT_RULES_H
#define ES_TESTS_SUPPORT_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ES_RULES_MAX 32
#define ES_RULE_PATHS_MAX 64
#define ES_RULE_TEXT_MAX 65536

/*
 * A rule is a line: GLOB KIND[=ARG] [from=T] [to=T] [cycle=T] [p=0.3] [every=N] [after=N] [n=N]
 *
 * GLOB is matched with the path below the mount, '*' with slashes too. Times count from the first use of a path that
 * matches; with cycle= they begin again each T. Of the reads inside the window those after the first N (after=), each
 * N-th (every=), with this probability (p=) and no more than N of a path (n=) go wrong.
 */
enum es_rule_kind {
	ES_RULE_ERRNO, /* EIO, EINVAL, ENODATA, EACCES, ENODEV, …: the read fails */
	ES_RULE_SHORT, /* short=N: the first N bytes only */
	ES_RULE_TEXT, /* text=WORD: another text; \n and \0 in it are a newline and a NUL */
	ES_RULE_HUGE, /* huge=N: that many digits */
	ES_RULE_DELAY, /* delay=T: the answer takes so long */
	ES_RULE_GONE, /* no such file; descriptors from before are dead for good (ENODEV), the file comes back as another */
	ES_RULE_DENY, /* the mode is 0 and opening fails; what is open can be read */
	ES_RULE_FREEZE, /* the file shows what it showed */
	ES_RULE_RESET, /* the counter starts again from 0 */
	ES_RULE_ADD, /* add=N: N more (or less) than there is */
	ES_RULE_JUMP, /* jump=N: the same within the counter's range */
};

/** struct es_rule_path - what a rule knows of one path */
struct es_rule_path {
	char path[512];
	uint64_t n_reads, n_hits;
	bool is_held;
	uint64_t held_value; /* where a reset counter stood */
	char held[4096]; /* what a frozen file showed */
	size_t n_held;
};

struct es_rule {
	char glob[512];
	enum es_rule_kind kind;
	int error; /* positive */
	int64_t arg; /* bytes, µJ, ns */
	char text[512];
	size_t n_text;
	int64_t from_ns, to_ns, cycle_ns;
	double p;
	uint64_t every, after, n;
	bool has_start;
	int64_t start_ns;
	uint64_t n_gone; /* how often somebody asked for a file that was gone */
	struct es_rule_path paths[ES_RULE_PATHS_MAX];
	size_t n_paths;
};

/** struct es_rules - plain data */
struct es_rules {
	uint64_t seed;
	struct es_rule rules[ES_RULES_MAX];
	size_t n;
};

/** es_rules_parse - replace the rules by those of @text; 0, or -EBADMSG with the rules as before */
int es_rules_parse(struct es_rules *rules, const char *text);

/** es_rules_generation - how often the file has gone away and come back; -ENOENT while it is gone */
int64_t es_rules_generation(struct es_rules *rules, const char *path, int64_t now_ns);
/** es_rules_denies - whether opening it fails now */
bool es_rules_denies(struct es_rules *rules, const char *path, int64_t now_ns);

/**
 * es_rules_read - the read of a whole file becomes what the rules make of it
 * @text: ES_RULE_TEXT_MAX bytes with @n_text of the file; changed
 * @range_uj: the counter's largest value, for ES_RULE_JUMP
 * @ret_delay_ns: wait so long before the answer
 * Returns the bytes to answer with, or negative errno.
 */
int64_t es_rules_read(struct es_rules *rules, const char *path, int64_t now_ns, uint64_t range_uj,
		      char *text, size_t n_text, int64_t *ret_delay_ns);

/** es_rules_tell - a line for each rule: how many reads matched it, how many went wrong; returns the length */
size_t es_rules_tell(const struct es_rules *rules, char *text, size_t size);

#endif
