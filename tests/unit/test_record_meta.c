/*
 * test_record_meta.c - what a recording says about itself, into JSON and back
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "record/meta.h"
#include "support/random.h"

static void fill_text(char *text, size_t size, char c)
{
	memset(text, c, size - 1);
	text[size - 1] = '\0';
}

/* Everything at its limit. */
static void make_full(struct es_meta *meta)
{
	struct es_domain domain;

	es_meta_init(meta);
	fill_text(meta->tool, sizeof(meta->tool), 't');
	fill_text(meta->job, sizeof(meta->job), '"');
	fill_text(meta->user, sizeof(meta->user), '\x01');
	fill_text(meta->command, sizeof(meta->command), '\\');
	fill_text(meta->cluster, sizeof(meta->cluster), 'c');
	fill_text(meta->account, sizeof(meta->account), 'a');
	fill_text(meta->partition, sizeof(meta->partition), 'p');
	fill_text(meta->step, sizeof(meta->step), 's');
	fill_text(meta->comment, sizeof(meta->comment), ' ');
	fill_text(meta->boot_id, sizeof(meta->boot_id), 'b');
	snprintf(meta->country, sizeof(meta->country), "FR");
	snprintf(meta->timezone, sizeof(meta->timezone), "Europe/Paris");
	meta->n_cpus = UINT32_MAX;
	meta->n_gpus = UINT32_MAX;
	meta->period_ns = ES_TIME_MAX_NS;
	meta->start_boot_ns = ES_TIME_MAX_NS;
	meta->start_mono_ns = -ES_TIME_MAX_NS;
	meta->start_unix_ns = -1;
	meta->virt = ES_VIRT_CONTAINER;
	meta->has_battery = true;
	assert_int_equal(es_meta_add_node(meta, "first"), 0);
	assert_int_equal(es_meta_add_node(meta, "node \xc3\xa9"), 0);
	fill_text(meta->nodes[1].cpu_model, sizeof(meta->nodes[1].cpu_model), 'm');
	meta->nodes[1].n_cpus = UINT32_MAX;
	meta->nodes[1].n_packages = 2;
	for (unsigned type = 0; type < ES_N_DOMAIN_TYPES; type++) {
		es_domain_init(&domain, "source", (enum es_domain_type)type, 3, 4);
		domain.kind = (enum es_kind)(type % ES_N_KINDS);
		domain.node = type % 2;
		domain.core = 5;
		domain.parent = type >= 2 ? (int32_t)type - 2 : -1;
		domain.is_power = type % 3 == 0;
		domain.may_mirror = type % 3 == 1;
		domain.is_partial = type % 3 == 2;
		domain.has_activity = type % 4 == 1;
		domain.range =
			(struct es_counter_range){ .unit_nj = INT64_MAX, .modulus_nj = INT64_MAX };
		domain.peak_mw = INT64_MAX;
		domain.limit_mw = 350000;
		snprintf(domain.limit_kind, sizeof(domain.limit_kind), "long_term");
		snprintf(domain.pci, sizeof(domain.pci), "0000:%02x:00.0", type);
		snprintf(domain.model, sizeof(domain.model), "NVIDIA H100 80GB HBM3");
		snprintf(domain.uuid, sizeof(domain.uuid), "GPU-%d", type);
		domain.update_period_ns = ES_TIME_MAX_NS;
		domain.spread_ppm = UINT32_MAX;
		domain.accuracy_ppm = type * 10000;
		domain.hold_ns = type * INT64_C(1000000007);
		domain.n_instances = type % (ES_INSTANCES_MAX + 1);
		for (unsigned i = 0; i < domain.n_instances; i++) {
			domain.instances[i] = (struct es_instance){ .gpu_instance = UINT32_MAX,
								    .compute_instance = i,
								    .gpu_slices = type,
								    .compute_slices = 7,
								    .memory_bytes = INT64_MAX };
			snprintf(domain.instances[i].uuid, sizeof(domain.instances[i].uuid),
				 "MIG-%u-%u", type, i);
		}
		assert_int_equal(es_meta_add_domain(meta, &domain), 0);
	}
}

static void all_of_it_comes_back(void **state)
{
	struct es_meta *meta = calloc(1, sizeof(*meta)), *back = calloc(1, sizeof(*back));
	struct es_error err = { .code = 0 };
	struct es_buf out;

	(void)state;
	assert_non_null(meta);
	assert_non_null(back);
	make_full(meta);
	es_buf_init(&out, 1 << 20);
	assert_int_equal(es_meta_write(meta, &out), 0);
	assert_int_equal(es_meta_read((const char *)out.data, out.len, back, &err), 0);

	assert_int_equal(back->n_nodes, meta->n_nodes);
	assert_int_equal(back->n_domains, meta->n_domains);
	assert_memory_equal(back->nodes, meta->nodes, meta->n_nodes * sizeof(*meta->nodes));
	for (size_t i = 0; i < meta->n_domains; i++) {
		const struct es_domain *a = &meta->domains[i], *b = &back->domains[i];

		assert_string_equal(a->id, b->id);
		assert_string_equal(a->name, b->name);
		assert_string_equal(a->source, b->source);
		assert_string_equal(a->limit_kind, b->limit_kind);
		assert_string_equal(a->pci, b->pci);
		assert_string_equal(a->model, b->model);
		assert_string_equal(a->uuid, b->uuid);
		assert_true(a->type == b->type && a->kind == b->kind && a->node == b->node &&
			    a->package == b->package && a->die == b->die && a->core == b->core &&
			    a->parent == b->parent && a->is_power == b->is_power &&
			    a->may_mirror == b->may_mirror && a->is_partial == b->is_partial &&
			    a->has_activity == b->has_activity);
		assert_memory_equal(&a->range, &b->range, sizeof(a->range));
		assert_int_equal(a->n_instances, b->n_instances);
		for (unsigned j = 0; j < a->n_instances; j++) {
			const struct es_instance *one = &a->instances[j], *other = &b->instances[j];

			assert_string_equal(one->uuid, other->uuid);
			assert_true(one->gpu_instance == other->gpu_instance &&
				    one->compute_instance == other->compute_instance &&
				    one->gpu_slices == other->gpu_slices &&
				    one->compute_slices == other->compute_slices &&
				    one->memory_bytes == other->memory_bytes);
		}
		assert_true(a->peak_mw == b->peak_mw && a->limit_mw == b->limit_mw &&
			    a->update_period_ns == b->update_period_ns &&
			    a->hold_ns == b->hold_ns && a->spread_ppm == b->spread_ppm &&
			    a->accuracy_ppm == b->accuracy_ppm);
		assert_int_equal(b->state, ES_STATE_UNPROVEN);
		assert_int_equal(b->duplicate_of, -1);
	}
	/* What is left are plain members. */
	free(back->nodes);
	free(back->domains);
	back->nodes = meta->nodes;
	back->domains = meta->domains;
	assert_string_equal(back->command, meta->command);
	assert_string_equal(back->user, meta->user);
	assert_string_equal(back->comment, meta->comment);
	assert_string_equal(back->country, "FR");
	assert_true(back->n_cpus == UINT32_MAX && back->n_gpus == UINT32_MAX);
	assert_true(back->start_boot_ns == ES_TIME_MAX_NS &&
		    back->start_mono_ns == -ES_TIME_MAX_NS && back->start_unix_ns == -1 &&
		    back->period_ns == ES_TIME_MAX_NS);
	assert_true(back->virt == ES_VIRT_CONTAINER && back->has_battery);
	es_meta_finish(meta);
	free(meta);
	free(back);
	es_buf_finish(&out);
}

#define HEAD "{\"schema\":\"energyscopium.recording/1\","
#define NODE "\"nodes\":[{\"name\":\"n\"}]"
#define DOMAIN "{\"name\":\"d\",\"type\":\"package\",\"kind\":\"measured\""

static void what_is_absent_is_not_known(void **state)
{
	struct es_meta meta;

	(void)state;
	assert_int_equal(es_meta_read(HEAD NODE "}", strlen(HEAD NODE "}"), &meta, NULL), 0);
	assert_string_equal(meta.job, "");
	assert_int_equal(meta.virt, ES_VIRT_UNKNOWN);
	assert_int_equal(meta.n_cpus, 0);
	assert_int_equal(meta.n_domains, 0);
	es_meta_finish(&meta);
}

static void members_of_a_later_version_are_passed_over(void **state)
{
	static const char text[] = HEAD NODE ",\"later\":{\"a\":[1,2]},\"virt\":\"later\"}";
	struct es_meta meta;

	(void)state;
	assert_int_equal(es_meta_read(text, strlen(text), &meta, NULL), 0);
	assert_int_equal(meta.virt, ES_VIRT_UNKNOWN);
	es_meta_finish(&meta);
}

static void wrong_descriptions_say_what_is_wrong(void **state)
{
	static const struct {
		const char *text, *says;
	} vectors[] = {
		{ "", "not JSON" },
		{ "{", "not JSON" },
		{ "{\"schema\":\"a\",\"schema\":\"b\"}", "not JSON" },
		{ "{\"a\":\"\\u0000\"}", "not JSON" },
		{ "\xff", "not JSON" },
		{ "[]", "its schema is ''" },
		{ "{}", "its schema is ''" },
		{ "{\"schema\":5}", "its schema is ''" },
		{ "{\"schema\":\"energyscopium.recording/2\"}", "energyscopium.recording/2" },
		{ "{\"schema\":\"\\u001b[2J\"}", "its schema is '?[2J'" },
		{ HEAD "\"nodes\":[]}", "'nodes'" },
		{ HEAD "\"nodes\":5}", "'nodes'" },
		{ HEAD "\"nodes\":[5]}", "'name'" },
		{ HEAD "\"nodes\":[{\"name\":\"\"}]}", "'name'" },
		{ HEAD NODE ",\"tool\":5}", "'tool'" },
		{ HEAD NODE ",\"country\":\"123456789\"}", "'country'" },
		{ HEAD NODE ",\"period_ns\":-1}", "'period_ns'" },
		{ HEAD NODE ",\"period_ns\":1.5}", "'period_ns'" },
		{ HEAD NODE ",\"period_ns\":\"1\"}", "'period_ns'" },
		{ HEAD NODE ",\"start_boot_ns\":9223372036854775807}", "'start_boot_ns'" },
		{ HEAD NODE ",\"start_unix_ns\":-9223372036854775807}", "'start_unix_ns'" },
		{ HEAD NODE ",\"period_ns\":99999999999999999999}", "not JSON" },
		{ HEAD NODE ",\"job\":{\"ncpus\":4294967296}}", "'ncpus'" },
		{ HEAD NODE ",\"job\":{\"id\":[]}}", "'id'" },
		{ HEAD NODE ",\"domains\":[{}]}", "'type'" },
		{ HEAD NODE ",\"domains\":[{\"name\":\"d\",\"type\":\"socket\"}]}", "'type'" },
		{ HEAD NODE ",\"domains\":[{\"name\":\"d\",\"type\":\"package\",\"kind\":\"x\"}]}",
		  "'kind'" },
		{ HEAD NODE ",\"domains\":[{\"type\":\"package\",\"kind\":\"measured\"}]}",
		  "'name'" },
		{ HEAD NODE ",\"domains\":[" DOMAIN ",\"node\":1}]}", "'node'" },
		{ HEAD NODE ",\"domains\":[" DOMAIN ",\"node\":-1}]}", "'node'" },
		{ HEAD NODE ",\"domains\":[" DOMAIN ",\"parent\":1}]}", "'parent'" },
		{ HEAD NODE ",\"domains\":[" DOMAIN ",\"parent\":0}]}", "'parent'" },
		{ HEAD NODE ",\"domains\":[" DOMAIN ",\"parent\":-2}]}", "'parent'" },
		{ HEAD NODE ",\"domains\":[" DOMAIN ",\"parent\":1}," DOMAIN ",\"parent\":0}]}",
		  "'parent'" },
		{ HEAD "\"nodes\":[{\"name\":\"a\"},{\"name\":\"b\"}],\"domains\":[" DOMAIN
		       ",\"parent\":1}," DOMAIN ",\"node\":1}]}",
		  "'parent'" },
		{ HEAD NODE ",\"domains\":[" DOMAIN ",\"modulus_nj\":-5}]}", "'modulus_nj'" },
		{ HEAD NODE ",\"domains\":[" DOMAIN
			    ",\"instances\":[{},{},{},{},{},{},{},{},{}]}]}",
		  "'instances'" },
		{ HEAD NODE ",\"domains\":[" DOMAIN ",\"instances\":[{\"gpu_slices\":-1}]}]}",
		  "'gpu_slices'" },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		struct es_error err = { .code = 0 };
		struct es_meta meta = { .n_cpus = 77 };

		assert_int_equal(es_meta_read(vectors[i].text, strlen(vectors[i].text), &meta,
					      &err),
				 -EBADMSG);
		assert_int_equal(err.code, -EBADMSG);
		assert_non_null(strstr(err.text, vectors[i].says));
		assert_int_equal(meta.n_cpus, 77);
	}
}

static void too_many_nodes_or_domains_are_refused(void **state)
{
	const size_t n = 24 * (ES_NODES_MAX + 2);
	char *text = malloc(n), *p = text;
	struct es_error err = { .code = 0 };
	struct es_meta meta;

	(void)state;
	assert_non_null(text);
	p += sprintf(p, HEAD "\"nodes\":[");
	for (unsigned i = 0; i <= ES_NODES_MAX; i++)
		p += sprintf(p, "%s{\"name\":\"n%u\"}", i ? "," : "", i);
	p += sprintf(p, "]}");
	assert_int_equal(es_meta_read(text, (size_t)(p - text), &meta, &err), -E2BIG);
	free(text);
}

static void nodes_and_domains_are_added_up_to_the_limit(void **state)
{
	char name[ES_NAME_MAX_BYTES + 1];
	struct es_domain domain;
	struct es_meta *meta = calloc(1, sizeof(*meta));

	(void)state;
	assert_non_null(meta);
	fill_text(name, sizeof(name), 'n');
	assert_int_equal(es_meta_add_node(meta, name), -E2BIG);
	for (unsigned i = 0; i < ES_NODES_MAX; i++)
		assert_int_equal(es_meta_add_node(meta, "n"), 0);
	assert_int_equal(es_meta_add_node(meta, "n"), -E2BIG);
	es_domain_init(&domain, "powercap", ES_DOMAIN_PACKAGE, 0, -1);
	for (unsigned i = 0; i < ES_DOMAINS_MAX; i++)
		assert_int_equal(es_meta_add_domain(meta, &domain), 0);
	assert_int_equal(es_meta_add_domain(meta, &domain), -E2BIG);
	es_meta_finish(meta);
	free(meta);
}

static void a_description_that_nobody_could_read_is_not_written(void **state)
{
	struct es_meta *meta = calloc(1, sizeof(*meta));
	struct es_buf out;

	(void)state;
	assert_non_null(meta);
	make_full(meta);
	es_buf_init(&out, 1 << 20);
	meta->domains[0].peak_mw = UINT64_MAX;
	assert_int_equal(es_meta_write(meta, &out), -ERANGE);
	meta->domains[0].peak_mw = 0;
	meta->domains[0].range.modulus_nj = (uint64_t)INT64_MAX + 1;
	assert_int_equal(es_meta_write(meta, &out), -ERANGE);
	assert_int_equal(out.len, 0);
	es_buf_finish(&out);

	es_buf_init(&out, 100);
	meta->domains[0].range.modulus_nj = 0;
	assert_int_equal(es_meta_write(meta, &out), -EMSGSIZE);
	es_buf_finish(&out);
	es_meta_finish(meta);
	free(meta);
}

static void changed_bytes_are_refused_or_read_without_harm(void **state)
{
	struct es_meta *meta = calloc(1, sizeof(*meta));
	uint64_t seed = 71;
	struct es_buf out;

	(void)state;
	assert_non_null(meta);
	make_full(meta);
	meta->command[10] = meta->comment[5] = meta->user[3] = '\0';
	es_buf_init(&out, 1 << 20);
	assert_int_equal(es_meta_write(meta, &out), 0);
	es_meta_finish(meta);
	for (unsigned round = 0; round < 1000; round++) {
		size_t at = test_random_below(&seed, out.len);
		uint8_t kept = out.data[at];

		out.data[at] = round % 2 ? (uint8_t)test_random(&seed)
					 : (uint8_t) "0123456789-,{}[]\""[round % 17];
		if (es_meta_read((const char *)out.data, out.len, meta, NULL) == 0)
			es_meta_finish(meta);
		out.data[at] = kept;
	}
	free(meta);
	es_buf_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_it_comes_back),
		cmocka_unit_test(what_is_absent_is_not_known),
		cmocka_unit_test(members_of_a_later_version_are_passed_over),
		cmocka_unit_test(wrong_descriptions_say_what_is_wrong),
		cmocka_unit_test(too_many_nodes_or_domains_are_refused),
		cmocka_unit_test(nodes_and_domains_are_added_up_to_the_limit),
		cmocka_unit_test(a_description_that_nobody_could_read_is_not_written),
		cmocka_unit_test(changed_bytes_are_refused_or_read_without_harm),
	};

	return cmocka_run_group_tests_name("record/meta", tests, NULL, NULL);
}
