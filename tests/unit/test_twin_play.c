/*
 * test_twin_play.c - .twin/play and .twin/energy in memory: programs, what is refused, edges, exact energies
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "twin/energies.h"
#include "twin/host.h"

#define START_NS INT64_C(1000000000000)
#define S ES_NS_PER_S

/* A node that is up, without the files of its meters. */
static struct es_twin_host *new_host(size_t n_history)
{
	const struct es_twin_options options = { .is_quiet = true,
						 .start_ns = START_NS,
						 .n_history = n_history };
	struct es_twin_host *host = calloc(1, sizeof(*host));

	assert_non_null(host);
	host->kind = es_twin_kind_find("skx2s", NULL);
	assert_non_null(host->kind);
	assert_int_equal(es_twin_node_create(host->kind, &options, &host->node), 0);
	assert_int_equal(es_twin_tree_create(host, &host->tree), 0);
	es_twin_make_play(host);
	es_twin_make_energies(host);
	assert_int_equal(es_twin_tree_error(host->tree, NULL), 0);
	return host;
}

static void end_host(struct es_twin_host *host)
{
	es_twin_tree_destroy(host->tree);
	es_twin_node_destroy(host->node);
	free(host);
}

/* An open file; reading it gives a text of its own. */
struct open_file {
	const struct es_twin_file *file;
	const struct es_twin_file_ops *ops;
	void *handle;
	struct es_buf text;
};

static struct open_file open_file(struct es_twin_host *host, const char *path)
{
	const struct es_twin_entry *entry = es_twin_tree_find(host->tree, path);
	struct open_file f = { .file = NULL };

	assert_non_null(entry);
	assert_int_equal(es_twin_entry_mode(entry), 0666);
	f.file = es_twin_entry_file(entry);
	f.ops = es_twin_entry_ops(entry);
	assert_int_equal(f.ops->open(f.file, es_twin_now_ns(host->node), &f.handle), 0);
	es_buf_init(&f.text, 1U << 24);
	return f;
}

static int say(struct open_file *f, const char *text)
{
	return f->ops->store(f->file, f->handle, es_twin_now_ns(f->file->host->node), text);
}

static const char *ask(struct open_file *f)
{
	es_buf_reset(&f->text);
	assert_int_equal(
		f->ops->show(f->file, f->handle, es_twin_now_ns(f->file->host->node), &f->text), 0);
	assert_int_equal(es_buf_u8(&f->text, 0), 0);
	return (const char *)f->text.data;
}

static void close_file(struct open_file *f)
{
	f->ops->release(f->file, es_twin_now_ns(f->file->host->node), f->handle);
	es_buf_finish(&f->text);
}

static void a_program_is_played_to_its_end(void **state)
{
	struct es_twin_host *host = new_host(0);
	struct open_file f = open_file(host, ".twin/play");
	unsigned long long begin_ns, end_ns, edge_ns;
	unsigned phase, n;
	double share;

	(void)state;
	assert_string_equal(ask(&f), "ready\n");
	assert_int_equal(say(&f, "repeat 2\na 1s communication=100%"), 0);
	assert_int_equal(say(&f, "b 2s idle=100%"), 0);
	assert_string_equal(ask(&f), "ready\n");
	assert_int_equal(say(&f, "go"), 0);
	es_twin_advance(host->node, START_NS + 2 * S);
	assert_int_equal(sscanf(ask(&f), "running %u %lf %llu %u\n", &phase, &share, &end_ns, &n),
			 4);
	assert_int_equal(phase, 1);
	assert_float_equal(share, 0.5, 1e-5);
	assert_int_equal(end_ns, START_NS + 6 * S);
	assert_int_equal(n, 1);
	assert_int_equal(say(&f, "c 1s idle=100%"), -EBUSY);
	assert_string_equal(ask(&f), "error it has begun; only 'edges N' is taken now\n");
	es_twin_advance(host->node, START_NS + 10 * S);
	assert_int_equal(say(&f, "edges 1"), 0);
	assert_int_equal(sscanf(ask(&f), "done %llu %llu %u\nedge 1 %llu\n", &begin_ns, &end_ns, &n,
				&edge_ns),
			 4);
	assert_int_equal(begin_ns, START_NS);
	assert_int_equal(end_ns, START_NS + 6 * S);
	assert_int_equal(n, 4);
	assert_int_equal(edge_ns, START_NS + 1 * S);
	assert_non_null(strstr(ask(&f), "\nedge 4 1006000000000\n"));
	assert_null(strstr(ask(&f), "edge 5"));
	close_file(&f);
	end_host(host);
}

static void what_is_refused_can_be_said_again(void **state)
{
	struct es_twin_host *host = new_host(0);
	struct open_file f = open_file(host, ".twin/play");

	(void)state;
	assert_int_equal(say(&f, "go"), -EINVAL);
	assert_non_null(strstr(ask(&f), "error there is no phase in it"));
	assert_int_equal(say(&f, "a 1s cpu=100%\nb 1x cpu=100%\ngo"), -EINVAL);
	assert_non_null(strstr(ask(&f), "error line 2: '1x': no length"));
	assert_int_equal(say(&f, "a 1s gpu=100%\ngo"), -EINVAL);
	assert_non_null(strstr(ask(&f), "error "));
	assert_int_equal(say(&f, "edges x"), -EINVAL);
	assert_int_equal(say(&f, "a 1s cpu=100%\ngo"), 0);
	assert_non_null(strstr(ask(&f), "running 0 0 "));
	close_file(&f);
	end_host(host);
}

static void a_node_that_is_off_plays_nothing(void **state)
{
	struct es_twin_host *host = new_host(0);
	struct open_file f = open_file(host, ".twin/play");

	(void)state;
	host->is_powered_off = true;
	assert_int_equal(say(&f, "a 1s cpu=100%\ngo"), -ENODEV);
	assert_string_equal(ask(&f), "error the node is switched off\n");
	close_file(&f);
	end_host(host);
}

static uint64_t package_uw(const struct es_twin_host *host)
{
	return es_twin_power_uw(host->node, ES_TWIN_PACKAGE, 0, es_twin_now_ns(host->node));
}

static void closing_it_ends_the_load(void **state)
{
	struct es_twin_host *host = new_host(0);
	struct open_file f = open_file(host, ".twin/play");
	uint64_t idle_uw = package_uw(host);

	(void)state;
	assert_int_equal(say(&f, "a 100s cpu=100%\ngo"), 0);
	es_twin_advance(host->node, START_NS + 1 * S);
	assert_true(package_uw(host) > 2 * idle_uw);
	close_file(&f);
	es_twin_advance(host->node, START_NS + 2 * S);
	assert_true(package_uw(host) < 2 * idle_uw);
	end_host(host);
}

static void loads_are_as_many_as_there_may_be(void **state)
{
	struct es_twin_host *host = new_host(0);
	struct open_file files[ES_TWIN_LOADS_MAX + 1];

	(void)state;
	for (unsigned i = 0; i <= ES_TWIN_LOADS_MAX; i++) {
		files[i] = open_file(host, ".twin/play");
		assert_int_equal(say(&files[i], "a 1s cpu=100% cores=1\ngo"),
				 i < ES_TWIN_LOADS_MAX ? 0 : -EBUSY);
	}
	close_file(&files[0]);
	assert_int_equal(say(&files[ES_TWIN_LOADS_MAX], "a 1s cpu=100% cores=1\ngo"), 0);
	for (unsigned i = 1; i <= ES_TWIN_LOADS_MAX; i++)
		close_file(&files[i]);
	end_host(host);
}

static void too_much_text_is_refused(void **state)
{
	struct es_twin_host *host = new_host(0);
	struct open_file f = open_file(host, ".twin/play");
	size_t n = 100000;
	char *text = malloc(n + 1);

	(void)state;
	assert_non_null(text);
	memset(text, '#', n);
	text[n] = '\0';
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(say(&f, text), 0);
	assert_int_equal(say(&f, "a 1s cpu=100%\ngo"), -EMSGSIZE);
	assert_non_null(strstr(ask(&f), "error phases: "));
	free(text);
	close_file(&f);
	end_host(host);
}

/* The sums that node.h promises hold in each row, to what rounding leaves. */
static void assert_row_closes(const char *head, const char *row)
{
	static const char *const sums[] = { "package", "dram", "gpu", "sysio", "fans", "rest" };
	char names[4096], values[8192], *name_at = names, *value_at = values, *name, *value;
	uint64_t node = 0, board = 0, loss = 0, parts = 0;

	assert_true(snprintf(names, sizeof(names), "%s", head) < (int)sizeof(names));
	assert_true(snprintf(values, sizeof(values), "%s", row) < (int)sizeof(values));
	while ((name = strsep(&name_at, ",")) && (value = strsep(&value_at, ","))) {
		uint64_t v = strtoull(value, NULL, 10);

		node = strcmp(name, "node") == 0 ? v : node;
		board = strcmp(name, "board") == 0 ? v : board;
		loss = strcmp(name, "loss") == 0 ? v : loss;
		for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
			size_t n = strlen(sums[i]);

			if (strncmp(name, sums[i], n) == 0 && (name[n] == '\0' || name[n] == '-') &&
			    strncmp(name, "gpu-chip", 8) != 0)
				parts += v;
		}
	}
	assert_true(name == NULL && name_at == NULL && value_at == NULL);
	assert_in_range(node, board + loss, board + loss + 2);
	assert_in_range(board, parts, parts + 10);
}

static void energies_are_told_of_any_time(void **state)
{
	struct es_twin_host *host = new_host(0);
	struct open_file load = open_file(host, ".twin/play"), f = open_file(host, ".twin/energy");
	char *text, *head, *first, *second;

	(void)state;
	assert_int_equal(say(&load, "a 1s cpu=100%\ngo"), 0);
	es_twin_advance(host->node, START_NS + 3 * S);
	assert_int_equal(say(&f, "1000000000000 1000500000000\n1003000000000 "), 0);
	text = strdup(ask(&f));
	head = text;
	strsep(&text, "\n");
	first = strsep(&text, "\n");
	second = strsep(&text, "\n");
	assert_memory_equal(head, "t_ns,node,board,loss,package-0,package-1,", 41);
	assert_memory_equal(first, "1000000000000,0,0,0,0,0,", 24);
	assert_memory_equal(second, "1000500000000,", 14);
	assert_row_closes(head, second);
	assert_row_closes(head, text);
	assert_int_equal(strtoull(second + 14, NULL, 10),
			 es_twin_energy_fj(host->node, ES_TWIN_NODE, 0, START_NS + S / 2) /
				 1000000000);
	free(head);

	assert_int_equal(say(&f, ""), 0);
	text = strchr(ask(&f), '\n') + 1;
	assert_memory_equal(text, "1003000000000,", 14);
	close_file(&load);
	close_file(&f);
	end_host(host);
}

static void times_that_are_not_known_are_refused(void **state)
{
	struct es_twin_host *host = new_host(4);
	struct open_file f = open_file(host, ".twin/energy");
	char *text = malloc(60000);

	(void)state;
	es_twin_advance(host->node, START_NS + 1 * S);
	assert_int_equal(say(&f, "1001000000001"), -ERANGE);
	assert_int_equal(say(&f, "999999999999"), -ENODATA);
	assert_int_equal(say(&f, "-5"), -ENODATA);
	assert_int_equal(say(&f, "1e12"), -EINVAL);
	assert_int_equal(say(&f, "1000000000000 x"), -EINVAL);
	assert_int_equal(say(&f, "111111111111111111111111111111"), -EINVAL);
	assert_non_null(text);
	text[0] = '\0';
	for (unsigned i = 0; i < 513; i++)
		strcat(text, "1001000000000 ");
	assert_int_equal(say(&f, text), -E2BIG);
	text[512 * 14] = '\0';
	assert_int_equal(say(&f, text), 0);
	free(text);
	close_file(&f);
	end_host(host);
}

/* What anybody may write is kept until it begins: not without end, however many files they open for it. */
static void programs_that_do_not_begin_take_little(void **state)
{
	struct es_twin_host *host = new_host(0);
	struct open_file files[128];
	size_t n = 0, n_lines = 3000;
	char *lines = calloc(n_lines, 500), *end = lines;
	int r = 0;

	(void)state;
	assert_non_null(lines);
	for (size_t i = 0; i < n_lines; i++) {
		memset(end, 'x', 499);
		end[499] = '\n';
		end += 500;
	}
	end[-1] = '\0';
	for (; r == 0 && n < 128; n++) {
		files[n] = open_file(host, ".twin/play");
		r = say(&files[n], lines);
	}
	assert_int_equal(r, -ENOSPC);
	assert_true(n > 8 && n <= 64);
	assert_non_null(strstr(ask(&files[n - 1]), "wait for their 'go'"));
	/* As soon as another is closed there is room again. */
	close_file(&files[0]);
	assert_int_equal(say(&files[n - 1], "solve 1s cpu=100%\ngo"), 0);
	while (n > 1)
		close_file(&files[--n]);
	assert_int_equal(host->n_pending_bytes, 0);
	free(lines);
	end_host(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_is_played_to_its_end),
		cmocka_unit_test(what_is_refused_can_be_said_again),
		cmocka_unit_test(a_node_that_is_off_plays_nothing),
		cmocka_unit_test(closing_it_ends_the_load),
		cmocka_unit_test(loads_are_as_many_as_there_may_be),
		cmocka_unit_test(too_much_text_is_refused),
		cmocka_unit_test(programs_that_do_not_begin_take_little),
		cmocka_unit_test(energies_are_told_of_any_time),
		cmocka_unit_test(times_that_are_not_known_are_refused),
	};

	return cmocka_run_group_tests_name("twin/play", tests, NULL, NULL);
}
