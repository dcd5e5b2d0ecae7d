/*
 * test_slurm_output.c - unit tests for slurm/output.c and slurm/line.c
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "slurm/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "slurm/line.h"
#include "support/test.h"

static void put_file(const char *path, const char *text, mode_t mode)
{
	es_cleanup(es_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
}

static char *get_file(const char *path)
{
	es_cleanup(es_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = calloc(1, 4096);

	assert_true(fd >= 0 && text);
	assert_true(read(fd, text, 4095) >= 0);
	return text;
}

/* A folder of its own, where tests work. */
static int set_up(void **state)
{
	char *folder = strdup("/tmp/es-output-XXXXXX");

	*state = folder;
	return folder && mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[64];
	int r;

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", (char *)*state);
	r = chdir("/") == 0 ? system(command) : -1;
	free(*state);
	return r;
}

static void of_file(const char *path, struct es_slurm_output *ret)
{
	es_cleanup(es_closep) int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

	assert_true(fd >= 0);
	*ret = (struct es_slurm_output){ .jobs = { 7 }, .n_jobs = 1 };
	assert_int_equal(es_slurm_output_of(fd, ret), 0);
}

static void what_is_put_is_got(void **state)
{
	struct es_slurm_output output, got;
	char text[ES_SLURM_OUTPUT_MAX_BYTES];
	int n;

	(void)state;
	put_file("a\nb", "x", 0644);
	of_file("a\nb", &output);
	output.groups[0] = 5;
	output.groups[1] = 4294967294U;
	output.n_groups = 2;
	output.jobs[1] = 8;
	output.n_jobs = 2;

	n = es_slurm_output_put(&output, text, sizeof(text));
	assert_true(n > 0);
	assert_int_equal(es_slurm_output_get(text, (size_t)n, &got), 0);
	assert_string_equal(got.path, output.path);
	assert_int_equal(got.inode, output.inode);
	assert_int_equal(got.device, output.device);
	assert_int_equal(got.uid, getuid());
	assert_int_equal(got.n_groups, 2);
	assert_int_equal(got.groups[1], 4294967294U);
	assert_int_equal(got.jobs[1], 8);
	assert_int_equal(es_slurm_output_put(&output, text, 20), -EMSGSIZE);
}

static void a_torn_or_foreign_text_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"energyscopium-slurm 2\nuid 1\ngid 1\njob 1\nfile 1 2\n/a",
		"energyscopium-slurm 1\nuid 1\njob 1\nfile 1 2\n/a",
		"energyscopium-slurm 1\nuid 1\ngid 1\nfile 1 2\n/a",
		"energyscopium-slurm 1\nuid 1\ngid 1\njob 1\nfile 1\n/a",
		"energyscopium-slurm 1\nuid 1\ngid 1\njob 1\nfile 1 2\na",
		"energyscopium-slurm 1\nuid 1\ngid 1\njob 1\nfile 1 2\n",
		"energyscopium-slurm 1\nuid 4294967296\ngid 1\njob 1\nfile 1 2\n/a",
		"energyscopium-slurm 1\nuid -1\ngid 1\njob 1\nfile 1 2\n/a",
		"energyscopium-slurm 1\nuid 1\ngid 1\njob 1\nfoo 1\nfile 1 2\n/a",
	};
	static const char right[] = "energyscopium-slurm 1\nuid 1\ngid 1\njob 1\nfile 1 2\n/a";
	struct es_slurm_output output;

	(void)state;
	assert_int_equal(es_slurm_output_get(right, strlen(right), &output), 0);
	for (size_t i = 0; i + 2 < strlen(right); i++)
		assert_int_equal(es_slurm_output_get(right, i, &output), -EBADMSG);
	for (size_t i = 0; i < ES_ARRAY_SIZE(wrong); i++)
		assert_int_equal(es_slurm_output_get(wrong[i], strlen(wrong[i]), &output),
				 -EBADMSG);
	assert_int_equal(es_slurm_output_get(right, sizeof(right), &output), -EBADMSG);
}

static void only_files_with_a_name_are_outputs(void **state)
{
	es_cleanup(es_closep) int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	es_cleanup(es_closep) int gone = -1;
	struct es_slurm_output output;
	int pipes[2];

	(void)state;
	put_file("gone", "", 0644);
	gone = open("gone", O_WRONLY | O_CLOEXEC);
	assert_int_equal(unlink("gone"), 0);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);

	assert_int_equal(es_slurm_output_of(null, &output), -ENOTSUP);
	assert_int_equal(es_slurm_output_of(gone, &output), -ENOTSUP);
	assert_int_equal(es_slurm_output_of(pipes[1], &output), -ENOTSUP);
	assert_int_equal(es_slurm_output_of(-1, &output), -EBADF);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
}

static void a_line_is_on_a_line_of_its_own(void **state)
{
	static const struct {
		const char *before, *after;
		mode_t mode;
	} cases[] = {
		{ "", "line\n", 0644 },
		{ "x\n", "x\nline\n", 0644 },
		{ "x", "x\nline\n", 0644 },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(cases); i++) {
		es_cleanup(es_freep) char *text = NULL;
		struct es_slurm_output output;

		put_file("out", cases[i].before, cases[i].mode);
		of_file("out", &output);
		assert_int_equal(es_slurm_output_append(&output, "line\n", 5, NULL), 0);
		text = get_file("out");
		assert_string_equal(text, cases[i].after);
	}
}

static void another_file_of_that_name_is_left_alone(void **state)
{
	es_cleanup(es_freep) char *text = NULL;
	struct es_slurm_output output;
	struct es_error err = { .code = 0 };

	(void)state;
	put_file("out", "", 0644);
	of_file("out", &output);
	assert_int_equal(rename("out", "moved"), 0);
	assert_int_equal(es_slurm_output_append(&output, "line\n", 5, &err), -ENOENT);
	put_file("out", "other\n", 0644);
	assert_int_equal(es_slurm_output_append(&output, "line\n", 5, &err), -ESTALE);
	assert_non_null(strstr(err.text, "is not the file"));
	assert_int_equal(unlink("out"), 0);
	assert_int_equal(symlink("moved", "out"), 0);
	assert_int_equal(es_slurm_output_append(&output, "line\n", 5, &err), -ELOOP);
	assert_int_equal(unlink("out"), 0);
	assert_int_equal(mkfifo("out", 0644), 0);
	assert_int_equal(es_slurm_output_append(&output, "line\n", 5, &err), -ESTALE);
	text = get_file("moved");
	assert_string_equal(text, "");
}

static void only_lines_of_ours_pass(void **state)
{
	const int64_t until_ns = es_clock_mono_ns() + 30000000000LL;
	char program[512], text[200], folder[256];
	struct es_error err = { .code = 0 };
	size_t n;

	(void)state;
	assert_non_null(getcwd(folder, sizeof(folder)));
	(void)snprintf(program, sizeof(program), "%s/program", folder);
	put_file(program,
		 "#!/bin/sh\nprintf 'noise\\nenergyscopium a\\nenergyscopium b\\033[2J\\n"
		 "energyscopium c\\nenergyscopium torn'\n",
		 0755);
	assert_int_equal(es_slurm_ask_line(program, "/s", 7, "2s", until_ns, text, sizeof(text), &n,
					   &err),
			 0);
	assert_int_equal(n, strlen("energyscopium a\nenergyscopium c\n"));
	assert_memory_equal(text, "energyscopium a\nenergyscopium c\n", n);

	put_file(program, "#!/bin/sh\necho $1 $2 $3 $4 $5 $ENERGYSCOPIUM_DAEMON >said\n", 0755);
	assert_int_equal(es_slurm_ask_line(program, "/s", 7, "2s", until_ns, text, sizeof(text), &n,
					   &err),
			 -ENODATA);
	{
		es_cleanup(es_freep) char *said = get_file("said");

		assert_string_equal(said, "job line 7 --wait 2s /s\n");
	}
	/* Its user may take hold of it, and gains nothing: no other process, no time. */
	put_file(
		program,
		"#!/bin/sh\nwhile read -r a b c d e; do case \"$b\" in cpu) echo energyscopium $d;;\n"
		"processes) echo energyscopium $c;; esac; done </proc/self/limits\n",
		0755);
	assert_int_equal(es_slurm_ask_line(program, "/s", 7, "2s", until_ns, text, sizeof(text), &n,
					   &err),
			 0);
	assert_int_equal(n, strlen("energyscopium 10\nenergyscopium 0\n"));
	assert_memory_equal(text, "energyscopium 10\nenergyscopium 0\n", n);
	put_file(program, "#!/bin/sh\nexec yes energyscopium x\n", 0755);
	assert_int_equal(es_slurm_ask_line(program, "/s", 7, "2s", until_ns, text, sizeof(text), &n,
					   &err),
			 -EMSGSIZE);
	put_file(program, "#!/bin/sh\nexec sleep 100\n", 0755);
	assert_int_equal(es_slurm_ask_line(program, "/s", 7, "2s", es_clock_mono_ns() + 1000000,
					   text, sizeof(text), &n, &err),
			 -ETIMEDOUT);
	assert_int_equal(es_slurm_ask_line("/nonexistent/program", "/s", 7, "2s", until_ns, text,
					   sizeof(text), &n, &err),
			 -ENOENT);
}

static void a_note_is_taken_once(void **state)
{
	static const char text[] = "energyscopium-slurm 1\nuid 1\ngid 1\njob 1\nfile 1 2\n/a";
	struct es_slurm_output output;
	struct es_error err = { .code = 0 };

	(void)state;
	put_file("note", text, 0600);
	assert_int_equal(es_slurm_take_output("note", &output, &err), 0);
	assert_int_equal(es_slurm_take_output("note", &output, &err), -ENOENT);
	put_file("note", "", 0600);
	assert_int_equal(es_slurm_take_output("note", &output, &err), -ENODATA);
	put_file("note", "x", 0600);
	assert_int_equal(es_slurm_take_output("note", &output, &err), -EBADMSG);
	put_file("target", text, 0600);
	assert_int_equal(symlink("target", "note"), 0);
	assert_int_equal(es_slurm_take_output("note", &output, &err), -ELOOP);
}

static void nobody_else_is_become(void **state)
{
	struct es_slurm_output output = { .uid = getuid() + 1, .gid = getgid() };
	struct es_error err = { .code = 0 };

	(void)state;
	if (geteuid() != 0) {
		assert_int_equal(es_slurm_become_user(&output, &err), -EPERM);
		output.uid = getuid();
	} else {
		output.uid = 0;
	}
	output.n_groups = 0;
	assert_int_equal(es_slurm_become_user(&output, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_is_got),
		cmocka_unit_test(a_torn_or_foreign_text_is_refused),
		cmocka_unit_test(only_files_with_a_name_are_outputs),
		cmocka_unit_test(a_line_is_on_a_line_of_its_own),
		cmocka_unit_test(another_file_of_that_name_is_left_alone),
		cmocka_unit_test(only_lines_of_ours_pass),
		cmocka_unit_test(a_note_is_taken_once),
		cmocka_unit_test(nobody_else_is_become),
	};

	return cmocka_run_group_tests_name("slurm/output", tests, set_up, tear_down);
}
