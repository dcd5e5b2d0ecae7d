/*
 * test_format_archive.c - the files of folders, tarballs and compressed files
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/archive.h"
#include "support/imported.h"

/* The names below in/ and their contents: "name=content;". */
struct seen {
	char text[4096];
	size_t root_bytes;
	size_t n_files;
	bool is_cut;
	int answer;
};

static int see(void *arg, struct es_archive_file *file)
{
	struct seen *seen = arg;
	size_t at = strlen(seen->text);

	assert_int_equal(file->data[file->n], '\0');
	(void)snprintf(seen->text + at, sizeof(seen->text) - at, "%s=%.20s;",
		       file->name + seen->root_bytes, file->data);
	seen->n_files++;
	seen->is_cut = seen->is_cut || file->is_cut;
	return seen->answer;
}

static int walk(struct es_imported *imported, const char *name,
		const struct es_archive_limits *limits, struct seen *ret)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s%s%s", imported->in, *name ? "/" : "", name);
	*ret = (struct seen){ .root_bytes = strlen(imported->in) + 1 };
	return es_archive_walk(path, limits, see, ret, &imported->err);
}

static void shell(const struct es_imported *imported, const char *command)
{
	char line[512];

	(void)snprintf(line, sizeof(line), "cd '%s' && %s", imported->in, command);
	assert_int_equal(system(line), 0);
}

static void a_folder_is_walked_in_the_order_of_names(void **state)
{
	struct es_imported *imported = *state;
	struct seen seen;

	es_imported_put_text(imported, "b/z", "3");
	es_imported_put_text(imported, "b/a", "2");
	es_imported_put_text(imported, "a", "1");
	es_imported_put_text(imported, "empty", "");
	es_imported_put(imported, "binary", "\0\1\2", 3);

	assert_int_equal(walk(imported, "", NULL, &seen), 0);
	assert_string_equal(seen.text, "a=1;b/a=2;b/z=3;");
}

static void links_and_pipes_are_passed_over(void **state)
{
	struct es_imported *imported = *state;
	struct seen seen;

	es_imported_put_text(imported, "a", "1");
	shell(imported, "ln -s /etc/passwd l && ln -s .. up && ln -s nowhere n && mkfifo p");

	assert_int_equal(walk(imported, "", NULL, &seen), 0);
	assert_string_equal(seen.text, "a=1;");
}

static void packed_files_and_tarballs_are_opened(void **state)
{
	struct es_imported *imported = *state;
	struct seen seen;

	es_imported_put_text(imported, "x.json", "{1}");
	es_imported_put_text(imported, "run/y", "2");
	es_imported_put_text(imported, "run/z", "3");
	shell(imported,
	      "gzip -k x.json && gzip run/z && tar --sort=name -cf t.tar run && tar --sort=name -czf t.tar.gz run && xz -k x.json && mv x.json.xz renamed");

	assert_int_equal(walk(imported, "x.json.gz", NULL, &seen), 0);
	assert_string_equal(seen.text, "x.json={1};");
	assert_int_equal(walk(imported, "renamed", NULL, &seen), 0);
	assert_string_equal(seen.text, "renamed={1};");
	assert_int_equal(walk(imported, "t.tar", NULL, &seen), 0);
	assert_string_equal(seen.text, "t.tar/run/y=2;t.tar/run/z=3;");
	assert_int_equal(walk(imported, "t.tar.gz", NULL, &seen), 0);
	assert_string_equal(seen.text, "t.tar.gz/run/y=2;t.tar.gz/run/z=3;");
	assert_int_equal(walk(imported, "", NULL, &seen), 0);
	assert_int_equal(seen.n_files, 9);
}

static void names_in_a_tarball_are_names_only(void **state)
{
	struct es_imported *imported = *state;
	struct seen seen;

	es_imported_put_text(imported, "y", "2");
	shell(imported, "tar cPf t.tar --transform 's|y|/../../../tmp/es-evil|' y && rm y");

	assert_int_equal(walk(imported, "t.tar", NULL, &seen), 0);
	assert_int_equal(seen.n_files, 1);
	assert_int_equal(access("/tmp/es-evil", F_OK), -1);
}

static void what_is_too_large_is_refused(void **state)
{
	struct es_imported *imported = *state;
	struct es_archive_limits limits = { .max_bytes = 100000 };
	struct seen seen;

	es_imported_put_text(imported, "a", "1");
	shell(imported, "head -c 10000000 /dev/zero | tr '\\0' x | gzip > bomb.gz");

	assert_int_equal(walk(imported, "bomb.gz", &limits, &seen), -EFBIG);
	assert_non_null(strstr(imported->err.text, "more than"));
	limits = (struct es_archive_limits){ .max_entries = 2 };
	es_imported_put_text(imported, "b", "1");
	assert_int_equal(walk(imported, "", &limits, &seen), -E2BIG);
}

static void an_archive_that_breaks_off_gives_what_it_has(void **state)
{
	struct es_imported *imported = *state;
	struct seen seen;

	shell(imported,
	      "seq 1 300000 > numbers && tar czf whole.tar.gz numbers && head -c 300000 whole.tar.gz > part.tar.gz && echo not gzip > x && "
	      "printf '\\037\\213garbage' > bad.gz && head -c 200000 whole.tar.gz > only.gz");

	assert_int_equal(walk(imported, "part.tar.gz", NULL, &seen), 0);
	assert_int_equal(seen.n_files, 1);
	assert_true(seen.is_cut);
	assert_int_equal(walk(imported, "bad.gz", NULL, &seen), -EBADMSG);
	assert_non_null(strstr(imported->err.text, "broken archive"));
}

static void a_missing_library_matters_to_packed_files_only(void **state)
{
	struct es_imported *imported = *state;
	struct es_archive_limits limits = { .soname = "libnowhere.so.7" };
	struct seen seen;

	es_imported_put_text(imported, "a", "1");
	assert_int_equal(walk(imported, "", &limits, &seen), 0);
	shell(imported, "gzip a");
	assert_int_equal(walk(imported, "a.gz", &limits, &seen), -ENOENT);
	assert_non_null(strstr(imported->err.text, "install the package libarchive13"));
}

static void what_is_not_there_or_no_file_is_said(void **state)
{
	struct es_imported *imported = *state;
	struct seen seen;

	assert_int_equal(walk(imported, "nothing", NULL, &seen), -ENOENT);
	assert_int_equal(es_archive_walk("/dev/null", NULL, see, &seen, &imported->err), -EINVAL);
}

#define ARCHIVE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, es_imported_setup, es_imported_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ARCHIVE_TEST(a_folder_is_walked_in_the_order_of_names),
		ARCHIVE_TEST(links_and_pipes_are_passed_over),
		ARCHIVE_TEST(packed_files_and_tarballs_are_opened),
		ARCHIVE_TEST(names_in_a_tarball_are_names_only),
		ARCHIVE_TEST(what_is_too_large_is_refused),
		ARCHIVE_TEST(an_archive_that_breaks_off_gives_what_it_has),
		ARCHIVE_TEST(a_missing_library_matters_to_packed_files_only),
		ARCHIVE_TEST(what_is_not_there_or_no_file_is_said),
	};

	return cmocka_run_group_tests_name("format/archive", tests, NULL, NULL);
}
