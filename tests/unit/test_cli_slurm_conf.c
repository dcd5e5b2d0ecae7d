/*
 * test_cli_slurm_conf.c - slurm.conf, plugstack.conf and plug-ins: usual, odd and hostile ones
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cli/doctor_slurm.h"
#include "cli/slurm_conf.h"
#include "cli/slurm_module.h"
#include "support/tree.h"

static int tell(void *arg, const char *key, const char *value)
{
	return es_buf_printf(arg, "%s=%s;", key, value);
}

static char *pairs_of(const char *text)
{
	struct es_buf out;

	es_buf_init(&out, 65536);
	assert_int_equal(es_slurm_conf_parse(text, strlen(text), tell, &out), 0);
	assert_int_equal(es_buf_u8(&out, '\0'), 0);
	return (char *)out.data;
}

static void pairs_are_as_slurm_reads_them(void **state)
{
	static const struct {
		const char *text, *pairs;
	} vectors[] = {
		{ "", "" },
		{ "\n\n  # only words\n", "" },
		{ "ClusterName=a", "ClusterName=a;" },
		{ "  ClusterName = a # b=c\nSlurmUser=root\n", "ClusterName=a;SlurmUser=root;" },
		{ "NodeName=n[1-2] CPUs=4\tState=UNKNOWN\r\n",
		  "NodeName=n[1-2];CPUs=4;State=UNKNOWN;" },
		{ "Key=\"with blanks # none\"",
		  "Key=with blanks ;" }, /* a comment begins within quotes, too */
		{ "Key=\"with blanks\" Other=1", "Key=with blanks;Other=1;" },
		{ "PrologFlags=Alloc,\\\nContain\nX=1", "PrologFlags=Alloc,Contain;X=1;" },
		{ "Key=a\\", "Key=a;" },
		{ "Include more.conf\ninclude /etc/a b", "Include=more.conf;Include=/etc/a;" },
		{ "Flags+=a Flags-=b", "Flags=a;Flags=b;" },
		{ "word other=1 =2", "other=1;" },
		{ "Key=", "Key=;" },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		es_cleanup(es_freep) char *pairs = pairs_of(vectors[i].text);

		assert_string_equal(pairs, vectors[i].pairs);
	}
}

static void what_is_too_long_is_passed_over(void **state)
{
	es_cleanup(es_freep) char *text = malloc(1U << 20), *pairs = NULL;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', (1U << 20) - 1);
	memcpy(text, "A=", 2);
	memcpy(text + 300000, "\nB=1", 4);
	memcpy(text + 300004, "\nlong", 5);
	text[(1U << 20) - 1] = '\0';
	pairs = pairs_of(text);
	assert_string_equal(pairs, "B=1;");
}

/* A tree with files in it, and what it says of them. */
struct fixture {
	char folder[64];
	struct es_root root;
	struct es_slurm_conf conf;
	struct es_error err;
};

static void put(const struct fixture *f, const char *name, const char *text)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", f->folder, name);
	for (char *slash = strchr(path + strlen(f->folder) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0755);
		*slash = '/';
	}
	es_cleanup(es_fclosep) FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	(void)snprintf(f->folder, sizeof(f->folder), "/tmp/es-slurm-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	assert_int_equal(es_root_open(f->folder, -1, &f->root, NULL), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_slurm_conf_finish(&f->conf);
	es_root_close(&f->root);
	es_tree_remove(f->folder);
	free(f);
	return 0;
}

static void included_files_are_read_and_the_last_word_counts(void **state)
{
	struct fixture *f = *state;

	put(f, "etc/slurm/slurm.conf", "PluginDir=/a\nInclude more.conf\nprologflags=X11,Alloc\n");
	put(f, "etc/slurm/more.conf", "PLUGINDIR=/b\nInclude /opt/third\n");
	put(f, "opt/third", "ProctrackType=proctrack/cgroup\n");
	assert_int_equal(es_slurm_conf_read(&f->root, "/etc/slurm/slurm.conf", &f->conf, &f->err),
			 0);

	assert_int_equal(f->conf.n_files, 3);
	assert_string_equal(es_slurm_conf_get(&f->conf, ES_SLURM_PLUGIN_DIR), "/b");
	assert_string_equal(es_slurm_conf_get(&f->conf, ES_SLURM_PROCTRACK_TYPE),
			    "proctrack/cgroup");
	assert_string_equal(es_slurm_conf_get(&f->conf, ES_SLURM_ENERGY_TYPE), "");
	assert_true(
		es_slurm_conf_lists(es_slurm_conf_get(&f->conf, ES_SLURM_PROLOG_FLAGS), "alloc"));
	assert_false(
		es_slurm_conf_lists(es_slurm_conf_get(&f->conf, ES_SLURM_PROLOG_FLAGS), "all"));
}

static void files_that_include_themselves_end(void **state)
{
	struct fixture *f = *state;

	put(f, "s.conf", "Include s.conf\n");
	assert_int_equal(es_slurm_conf_read(&f->root, "/s.conf", &f->conf, &f->err), -ELOOP);
	put(f, "many.conf", "Include t.conf\n");
	put(f, "t.conf", "");
	for (unsigned i = 0; i < ES_SLURM_FILES_MAX; i++) {
		char path[128];
		es_cleanup(es_fclosep) FILE *file = NULL;

		(void)snprintf(path, sizeof(path), "%s/many.conf", f->folder);
		file = fopen(path, "a");
		assert_non_null(file);
		assert_true(fputs("Include t.conf\n", file) >= 0);
	}
	assert_int_equal(es_slurm_conf_read(&f->root, "/many.conf", &f->conf, &f->err), -E2BIG);
	assert_int_equal(es_slurm_conf_read(&f->root, "/none.conf", &f->conf, &f->err), -ENOENT);
	assert_non_null(strstr(f->err.text, "none.conf"));
	assert_int_equal(es_slurm_conf_read(&f->root, "none.conf", &f->conf, &f->err), -EINVAL);
}

static void a_stack_names_our_plugin_or_does_not(void **state)
{
	struct fixture *f = *state;
	struct es_slurm_stack stack;

	put(f, "p.conf", "# optional ours.so\noptional other.so\nrequired not-ours.so\n");
	assert_int_equal(es_slurm_stack_read(&f->root, "/p.conf", "ours.so", &stack, &f->err), 0);
	assert_false(stack.is_named);
	put(f, "p.conf", "include /p.d/*.conf\n");
	assert_int_equal(es_slurm_stack_read(&f->root, "/p.conf", "ours.so", &stack, &f->err), 0);
	assert_false(stack.is_named);
	put(f, "p.d/a.conf", "  Optional\t/opt/x/ours.so socket=/a # why\n");
	put(f, "p.d/b.txt", "required ours.so\n");
	assert_int_equal(es_slurm_stack_read(&f->root, "/p.conf", "ours.so", &stack, &f->err), 0);
	assert_true(stack.is_named);
	assert_false(stack.is_required);
	assert_string_equal(stack.plugin, "/opt/x/ours.so");
	assert_int_equal(stack.n_times, 1);
	put(f, "p.d/c.conf", "required ours.so\ninclude /p.conf");
	assert_int_equal(es_slurm_stack_read(&f->root, "/p.conf", "ours.so", &stack, &f->err),
			 -ELOOP);
}

static void versions_are_read_from_words(void **state)
{
	char text[ES_SLURM_VERSION_TEXT_BYTES];
	uint32_t version;

	(void)state;
	assert_int_equal(es_slurm_version_parse("slurm-wlm 22.05.8\n", &version), 0);
	assert_int_equal(version, 0x160508);
	assert_string_equal(es_slurm_version_text(version, text), "22.05.8");
	assert_int_equal(es_slurm_version_parse("slurm 24.11.0-0rc1", &version), 0);
	assert_int_equal(version, 0x180b00);
	assert_int_equal(es_slurm_version_parse("", &version), -EBADMSG);
	assert_int_equal(es_slurm_version_parse("22", &version), -EBADMSG);
	assert_int_equal(es_slurm_version_parse("22.05", &version), -EBADMSG);
	assert_int_equal(es_slurm_version_parse("999.05.1", &version), -EBADMSG);
	assert_int_equal(es_slurm_version_parse("22222222222222.05.1", &version), -EBADMSG);
}

static uint8_t *module_bytes(size_t *ret_n)
{
	struct es_root root;
	char *data;
	ssize_t n;

	assert_int_equal(es_root_open(NULL, -1, &root, NULL), 0);
	n = es_root_read_file(&root, getenv("ES_SLURM_STUB"), ES_SLURM_MODULE_MAX_BYTES, &data);
	es_root_close(&root);
	assert_true(n > 0);
	*ret_n = (size_t)n;
	return (uint8_t *)data;
}

static void a_plugin_tells_for_what_it_was_built(void **state)
{
	size_t n;
	es_cleanup(es_freep) uint8_t *data = module_bytes(&n);
	uint32_t version = 0;

	(void)state;
	assert_int_equal(es_slurm_module_version(data, n, &version), 0);
	assert_int_equal(version, 0x160508);
	assert_int_equal(es_slurm_module_version("#!/bin/sh\n", 10, &version), -ENOEXEC);
	data[4] = 1; /* 32 bits */
	assert_int_equal(es_slurm_module_version(data, n, &version), -ENOEXEC);
}

static void broken_plugins_are_read_within_their_bounds(void **state)
{
	size_t n;
	es_cleanup(es_freep) uint8_t *data = module_bytes(&n);
	uint32_t version, seed = 1;

	(void)state;
	for (size_t cut = 0; cut < n; cut += 1 + cut / 8) {
		es_cleanup(es_freep) uint8_t *copy = malloc(cut + 1);

		assert_non_null(copy);
		memcpy(copy, data, cut); /* so that a reader past the end is caught */
		assert_true(es_slurm_module_version(copy, cut, &version) <= 0);
	}
	for (unsigned i = 0; i < 2000; i++) {
		es_cleanup(es_freep) uint8_t *copy = malloc(n);

		assert_non_null(copy);
		memcpy(copy, data, n);
		for (unsigned k = 0; k < 8; k++) {
			seed = seed * 1664525U + 1013904223U;
			copy[k < 2 ? (seed >> 8) % 64 : (seed >> 4) % n] = (uint8_t)(seed >> 24);
		}
		assert_true(es_slurm_module_version(copy, n, &version) <= 0);
	}
}

static void the_loader_is_asked_in_another_process(void **state)
{
	struct es_error err = { .code = 0 };

	(void)state;
	assert_int_equal(es_slurm_module_load(getenv("ES_SLURM_STUB"), &err), 0);
	assert_int_equal(es_slurm_module_load("/proc/self/status", &err), -ENOEXEC);
	assert_true(err.text[0] != '\0');
}

static const struct es_finding *find_text(const struct es_findings *findings, const char *what,
					  const char *text)
{
	for (size_t i = 0; i < findings->n; i++)
		if (strcmp(findings->items[i].what, what) == 0 &&
		    strstr(findings->items[i].text, text))
			return &findings->items[i];
	return NULL;
}

static void copy_stub(const struct fixture *f, const char *name)
{
	size_t n;
	es_cleanup(es_freep) uint8_t *data = module_bytes(&n);
	es_cleanup(es_closep) int fd = -1;
	char path[256];

	put(f, name, "");
	(void)snprintf(path, sizeof(path), "%s/%s", f->folder, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(fd, data, n), (ssize_t)n);
}

static void a_machine_without_slurm_has_nothing_to_say(void **state)
{
	struct fixture *f = *state;
	es_cleanup(es_freep) struct es_findings *findings = calloc(1, sizeof(*findings));

	assert_non_null(findings);
	es_doctor_slurm(&f->root, findings);
	assert_int_equal(findings->n, 0);
}

static void what_a_site_lacks_is_said_with_its_fix(void **state)
{
	struct fixture *f = *state;
	es_cleanup(es_freep) struct es_findings *findings = calloc(1, sizeof(*findings));

	assert_non_null(findings);
	put(f, "etc/slurm/slurm.conf",
	    "PluginDir=/lib/a:/lib/b\nAcctGatherEnergyType=acct_gather_energy/energyscopium\n"
	    "ProctrackType=proctrack/linuxproc\nJobAcctGatherFrequency=0\n");
	es_doctor_slurm(&f->root, findings);

	assert_int_equal(find_text(findings, "spank", "does not name")->verdict, ES_VERDICT_NOTE);
	assert_non_null(strstr(find_text(findings, "spank", "does not name")->fix,
			       "/etc/slurm/plugstack.conf"));
	assert_int_equal(
		find_text(findings, "energy", "in no folder of PluginDir (/lib/a:/lib/b)")->verdict,
		ES_VERDICT_PROBLEM);
	assert_int_equal(find_text(findings, "slurm", "PluginDir names '/lib/b'")->verdict,
			 ES_VERDICT_PROBLEM);
	assert_non_null(find_text(findings, "energy", "JobAcctGatherType is none"));
	assert_non_null(find_text(findings, "energy", "AcctGatherNodeFreq is 0"));
	assert_non_null(find_text(findings, "energy", "JobAcctGatherFrequency is 0"));
	assert_non_null(find_text(findings, "prolog", "lacks Alloc"));
	assert_non_null(find_text(findings, "proctrack", "proctrack/linuxproc"));
}

static void a_site_that_has_all_is_told_so(void **state)
{
	struct fixture *f = *state;
	es_cleanup(es_freep) struct es_findings *findings = calloc(1, sizeof(*findings));

	assert_non_null(findings);
	put(f, "etc/slurm/slurm.conf",
	    "PluginDir=/lib/a:/lib/b\nAcctGatherEnergyType=acct_gather_energy/energyscopium\n"
	    "AcctGatherNodeFreq=30\nJobAcctGatherType=jobacct_gather/cgroup\nPrologFlags=Contain\n");
	put(f, "etc/slurm/plugstack.conf", "optional energyscopium-spank.so\n");
	copy_stub(f, "lib/b/acct_gather_energy_energyscopium.so");
	copy_stub(f, "lib/a/energyscopium-spank.so");
	es_doctor_slurm(&f->root, findings);

	assert_non_null(
		find_text(findings, "energy",
			  "/lib/b/acct_gather_energy_energyscopium.so', built for Slurm 22.05.8"));
	assert_non_null(find_text(findings, "spank",
				  "/lib/a/energyscopium-spank.so', built for Slurm 22.05.8"));
	for (size_t i = 0; i < findings->n; i++)
		assert_int_equal(findings->items[i].verdict, ES_VERDICT_OK);
}

static void a_file_that_is_no_plugin_is_a_problem(void **state)
{
	struct fixture *f = *state;
	es_cleanup(es_freep) struct es_findings *findings = calloc(1, sizeof(*findings));

	assert_non_null(findings);
	put(f, "etc/slurm/slurm.conf", "PlugStackConfig=/p.conf\n");
	put(f, "p.conf", "required /opt/energyscopium-spank.so\n");
	es_doctor_slurm(&f->root, findings);
	assert_int_equal(find_text(findings, "spank", "no job can start")->verdict,
			 ES_VERDICT_PROBLEM);
	put(f, "opt/energyscopium-spank.so", "#!/bin/sh\n");
	findings->n = 0;
	es_doctor_slurm(&f->root, findings);
	assert_int_equal(find_text(findings, "spank", "is no plug-in")->verdict,
			 ES_VERDICT_PROBLEM);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_are_as_slurm_reads_them),
		cmocka_unit_test(what_is_too_long_is_passed_over),
		TEST(included_files_are_read_and_the_last_word_counts),
		TEST(files_that_include_themselves_end),
		TEST(a_stack_names_our_plugin_or_does_not),
		cmocka_unit_test(versions_are_read_from_words),
		cmocka_unit_test(a_plugin_tells_for_what_it_was_built),
		cmocka_unit_test(broken_plugins_are_read_within_their_bounds),
		cmocka_unit_test(the_loader_is_asked_in_another_process),
		TEST(a_machine_without_slurm_has_nothing_to_say),
		TEST(what_a_site_lacks_is_said_with_its_fix),
		TEST(a_site_that_has_all_is_told_so),
		TEST(a_file_that_is_no_plugin_is_a_problem),
	};

	return cmocka_run_group_tests_name("cli/slurm_conf", tests, NULL, NULL);
}
