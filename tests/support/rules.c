/*
 * rules.c - which reads of a faulty file system go wrong, and how
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/rules.h"

#include <endian.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"

static const struct {
	const char *name;
	int error;
} errors[] = {
	{ "EIO", EIO },	      { "EINVAL", EINVAL },	  { "ENODATA", ENODATA },
	{ "EACCES", EACCES }, { "EPERM", EPERM },	  { "ENODEV", ENODEV },
	{ "ENOENT", ENOENT }, { "EAGAIN", EAGAIN },	  { "EINTR", EINTR },
	{ "EBUSY", EBUSY },   { "ETIMEDOUT", ETIMEDOUT }, { "ENXIO", ENXIO },
	{ "ESTALE", ESTALE }, { "EMFILE", EMFILE },
};

static const struct {
	const char *name;
	enum es_rule_kind kind;
} kinds[] = {
	{ "short", ES_RULE_SHORT },   { "text", ES_RULE_TEXT },	  { "huge", ES_RULE_HUGE },
	{ "delay", ES_RULE_DELAY },   { "gone", ES_RULE_GONE },	  { "deny", ES_RULE_DENY },
	{ "freeze", ES_RULE_FREEZE }, { "reset", ES_RULE_RESET }, { "add", ES_RULE_ADD },
	{ "jump", ES_RULE_JUMP },
};

static void put_text(struct es_rule *rule, const char *value)
{
	for (const char *p = value; *p && rule->n_text < sizeof(rule->text) - 1; p++) {
		char c = *p;

		if (c == '\\' && (p[1] == 'n' || p[1] == '0'))
			c = *++p == 'n' ? '\n' : '\0';
		rule->text[rule->n_text++] = c;
	}
}

static int set_kind(struct es_rule *rule, const char *name, const char *value)
{
	for (size_t i = 0; i < ES_ARRAY_SIZE(errors); i++)
		if (strcmp(errors[i].name, name) == 0) {
			rule->kind = ES_RULE_ERRNO;
			rule->error = errors[i].error;
			return 0;
		}
	for (size_t i = 0; i < ES_ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i].name, name) != 0)
			continue;
		rule->kind = kinds[i].kind;
		if (rule->kind == ES_RULE_TEXT)
			put_text(rule, value);
		else if (rule->kind == ES_RULE_DELAY)
			return es_parse_duration_ns(value, &rule->arg);
		else if (*value)
			return es_parse_i64(value, &rule->arg);
		return 0;
	}
	return -EBADMSG;
}

static int set_option(struct es_rule *rule, const char *name, const char *value)
{
	if (strcmp(name, "from") == 0)
		return es_parse_duration_ns(value, &rule->from_ns);
	if (strcmp(name, "to") == 0)
		return es_parse_duration_ns(value, &rule->to_ns);
	if (strcmp(name, "cycle") == 0)
		return es_parse_duration_ns(value, &rule->cycle_ns);
	if (strcmp(name, "p") == 0)
		return es_parse_double(value, &rule->p);
	if (strcmp(name, "every") == 0)
		return es_parse_u64(value, &rule->every);
	if (strcmp(name, "after") == 0)
		return es_parse_u64(value, &rule->after);
	if (strcmp(name, "n") == 0)
		return es_parse_u64(value, &rule->n);
	return -EBADMSG;
}

static int parse_line(char *line, struct es_rule *rule)
{
	char *rest = line, *word = strtok_r(rest, " \t", &rest);
	int r;

	*rule = (struct es_rule){ .to_ns = INT64_MAX, .p = 1.0, .every = 1, .n = UINT64_MAX };
	if (!word || strlen(word) >= sizeof(rule->glob))
		return -EBADMSG;
	memcpy(rule->glob, word, strlen(word) + 1);
	for (bool has_kind = false; (word = strtok_r(NULL, " \t", &rest)); has_kind = true) {
		char *value = strchr(word, '=');

		if (value)
			*value++ = '\0';
		r = has_kind ? set_option(rule, word, value ? value : "")
			     : set_kind(rule, word, value ? value : "");
		if (r < 0)
			return -EBADMSG;
	}
	return rule->every == 0 ? -EBADMSG : 0;
}

int es_rules_parse(struct es_rules *rules, const char *text)
{
	es_cleanup(es_freep) struct es_rules *parsed = calloc(1, sizeof(*parsed));
	es_cleanup(es_freep) char *copy = strdup(text);
	char *rest = copy, *line;

	if (!parsed || !copy)
		return -ENOMEM;
	parsed->seed = rules->seed;
	while ((line = strsep(&rest, "\n"))) {
		if (line[strspn(line, " \t")] == '\0' || *line == '#')
			continue;
		if (parsed->n == ES_RULES_MAX || parse_line(line, &parsed->rules[parsed->n]) < 0)
			return -EBADMSG;
		parsed->n++;
	}
	*rules = *parsed;
	return 0;
}

static bool matches(struct es_rule *rule, const char *path, int64_t now_ns)
{
	if (fnmatch(rule->glob, path, 0) != 0)
		return false;
	if (!rule->has_start)
		rule->start_ns = now_ns;
	rule->has_start = true;
	return true;
}

/* Where in its window a rule is, and how many windows lie behind it. */
static bool is_in_window(const struct es_rule *rule, int64_t now_ns, int64_t *ret_n_past)
{
	int64_t t_ns = now_ns - rule->start_ns, n_cycles = 0;

	if (rule->cycle_ns > 0) {
		n_cycles = t_ns / rule->cycle_ns;
		t_ns %= rule->cycle_ns;
	}
	*ret_n_past = n_cycles + (t_ns >= rule->to_ns);
	return t_ns >= rule->from_ns && t_ns < rule->to_ns;
}

int64_t es_rules_generation(struct es_rules *rules, const char *path, int64_t now_ns)
{
	int64_t generation = 0, n_past;

	for (size_t i = 0; i < rules->n; i++) {
		struct es_rule *rule = &rules->rules[i];

		if (rule->kind != ES_RULE_GONE || !matches(rule, path, now_ns))
			continue;
		if (is_in_window(rule, now_ns, &n_past)) {
			rule->n_gone++;
			return -ENOENT;
		}
		generation += n_past;
	}
	return generation;
}

bool es_rules_denies(struct es_rules *rules, const char *path, int64_t now_ns)
{
	int64_t n_past;

	for (size_t i = 0; i < rules->n; i++)
		if (rules->rules[i].kind == ES_RULE_DENY &&
		    matches(&rules->rules[i], path, now_ns) &&
		    is_in_window(&rules->rules[i], now_ns, &n_past))
			return true;
	return false;
}

static struct es_rule_path *find_path(struct es_rule *rule, const char *path)
{
	for (size_t i = 0; i < rule->n_paths; i++)
		if (strcmp(rule->paths[i].path, path) == 0)
			return &rule->paths[i];
	if (rule->n_paths == ES_RULE_PATHS_MAX || strlen(path) >= sizeof(rule->paths[0].path))
		return NULL;
	rule->paths[rule->n_paths] = (struct es_rule_path){ .n_reads = 0 };
	memcpy(rule->paths[rule->n_paths].path, path, strlen(path) + 1);
	return &rule->paths[rule->n_paths++];
}

/* The same for the n-th read of a path whenever it comes: a number in [0, 1). */
static double chance(const struct es_rules *rules, size_t rule, const struct es_rule_path *path)
{
	uint64_t z = rules->seed + 0x9e3779b97f4a7c15 * (path->n_reads + 1) + (rule << 32);

	for (const char *p = path->path; *p; p++)
		z = (z ^ (uint8_t)*p) * 0x100000001b3;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

static bool strikes(const struct es_rules *rules, size_t i, struct es_rule_path *path,
		    int64_t now_ns)
{
	const struct es_rule *rule = &rules->rules[i];
	int64_t n_past;
	uint64_t nth = ++path->n_reads;

	if (!is_in_window(rule, now_ns, &n_past) || nth <= rule->after ||
	    (nth - rule->after) % rule->every != 0 || path->n_hits >= rule->n ||
	    chance(rules, i, path) >= rule->p)
		return false;
	path->n_hits++;
	return true;
}

/* Where the number of a file is: at its start as text, or in the table of an AMD GPU (kgd_pp_interface.h). */
static size_t find_in_table(const char *text, size_t n)
{
	if (n < 120 || text[2] != 1 || text[3] < 1 || text[3] > 5)
		return 0;
	return text[3] == 5 ? 88 : 24;
}

static uint64_t value_of(const char *text, size_t n)
{
	size_t at = find_in_table(text, n);
	uint64_t value;

	if (!at)
		return strtoull(text, NULL, 10);
	memcpy(&value, text + at, sizeof(value));
	return le64toh(value);
}

/* What is behind the number, as a unit and a time, stays. */
static size_t put_value(char *text, size_t n, uint64_t value, int64_t more)
{
	/* Below 0 a counter says so: readers are to notice. */
	int64_t sum = (int64_t)value + more;
	size_t at = find_in_table(text, n);
	char rest[ES_RULE_TEXT_MAX];

	if (at) {
		value = htole64((uint64_t)sum);
		memcpy(text + at, &value, sizeof(value));
		return n;
	}
	at = strspn(text, "0123456789");
	n = n > at ? n - at : 0;
	n = n < ES_RULE_TEXT_MAX - 32 ? n : ES_RULE_TEXT_MAX - 32;
	memcpy(rest, text + at, n);
	at = (size_t)snprintf(text, 32, "%lld", (long long)sum);
	memcpy(text + at, rest, n);
	return at + n;
}

/* A file with a number shows another number. */
static size_t change_value(const struct es_rule *rule, struct es_rule_path *path, uint64_t range_uj,
			   char *text, size_t n)
{
	uint64_t value, shown;

	text[n < ES_RULE_TEXT_MAX ? n : ES_RULE_TEXT_MAX - 1] = '\0';
	value = value_of(text, n);
	if (!path->is_held)
		path->held_value = value;
	path->is_held = true;
	if (rule->kind == ES_RULE_RESET) {
		shown = value >= path->held_value ? value - path->held_value
						  : value + range_uj + 1 - path->held_value;
		return put_value(text, n, shown, rule->arg);
	}
	if (rule->kind == ES_RULE_JUMP && range_uj) {
		shown = (uint64_t)((int64_t)value + rule->arg % (int64_t)range_uj +
				   (int64_t)range_uj);
		return put_value(text, n, shown % range_uj, 0);
	}
	return put_value(text, n, value, rule->arg);
}

/* Everything in it stays what it was, times too. */
static size_t freeze(struct es_rule_path *path, char *text, size_t n)
{
	if (!path->is_held) {
		path->n_held = n < sizeof(path->held) ? n : sizeof(path->held);
		memcpy(path->held, text, path->n_held);
	}
	path->is_held = true;
	memcpy(text, path->held, path->n_held);
	return path->n_held;
}

/* What is left to answer with once a rule struck. */
static int64_t strike(const struct es_rule *rule, struct es_rule_path *path, uint64_t range_uj,
		      char *text, size_t n, int64_t *delay_ns)
{
	switch (rule->kind) {
	case ES_RULE_ERRNO:
		return -rule->error;
	case ES_RULE_SHORT:
		return (int64_t)n < rule->arg ? (int64_t)n : rule->arg;
	case ES_RULE_TEXT:
		memcpy(text, rule->text, rule->n_text);
		return (int64_t)rule->n_text;
	case ES_RULE_HUGE:
		n = rule->arg < ES_RULE_TEXT_MAX ? (size_t)rule->arg : ES_RULE_TEXT_MAX;
		memset(text, '7', n);
		return (int64_t)n;
	case ES_RULE_DELAY:
		*delay_ns += rule->arg;
		return (int64_t)n;
	case ES_RULE_FREEZE:
		return (int64_t)freeze(path, text, n);
	case ES_RULE_RESET:
	case ES_RULE_ADD:
	case ES_RULE_JUMP:
		return (int64_t)change_value(rule, path, range_uj, text, n);
	case ES_RULE_GONE:
	case ES_RULE_DENY:
		break;
	}
	return (int64_t)n;
}

int64_t es_rules_read(struct es_rules *rules, const char *path, int64_t now_ns, uint64_t range_uj,
		      char *text, size_t n_text, int64_t *ret_delay_ns)
{
	int64_t n = (int64_t)n_text;

	*ret_delay_ns = 0;
	for (size_t i = 0; i < rules->n && n >= 0; i++) {
		struct es_rule *rule = &rules->rules[i];
		struct es_rule_path *known;

		if (rule->kind == ES_RULE_GONE || rule->kind == ES_RULE_DENY ||
		    !matches(rule, path, now_ns))
			continue;
		known = find_path(rule, path);
		if (known && strikes(rules, i, known, now_ns))
			n = strike(rule, known, range_uj, text, (size_t)n, ret_delay_ns);
	}
	return n;
}

size_t es_rules_tell(const struct es_rules *rules, char *text, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < rules->n && n < size; i++) {
		uint64_t n_reads = 0, n_hits = rules->rules[i].n_gone;

		for (size_t j = 0; j < rules->rules[i].n_paths; j++) {
			n_reads += rules->rules[i].paths[j].n_reads;
			n_hits += rules->rules[i].paths[j].n_hits;
		}
		n += (size_t)snprintf(text + n, size - n, "%.100s reads=%llu hits=%llu\n",
				      rules->rules[i].glob, (unsigned long long)n_reads,
				      (unsigned long long)n_hits);
	}
	return n < size ? n : size;
}
