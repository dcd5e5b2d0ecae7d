/*
 * test_source_nvml.c - NVIDIA's GPUs as domains, of machines that are well
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>

#include "core/cover.h"
#include "support/nvml_fixture.h"

static void each_gpu_is_a_domain_with_its_name_and_place(void **state)
{
	struct nvml_fixture *f = *state;
	const struct es_domain *gpu;

	nvml_put(f, "h100x8", "ES_NVML_STUB");
	nvml_open(f);

	assert_int_equal(f->source->n_domains, 8);
	assert_true(f->source->start_ns > 0);
	gpu = nvml_domain(f, "nvml/gpu-5", NULL);
	assert_int_equal(gpu->type, ES_DOMAIN_GPU);
	assert_int_equal(gpu->kind, ES_KIND_MEASURED);
	assert_int_equal(gpu->state, ES_STATE_UNPROVEN);
	assert_string_equal(gpu->model, "NVIDIA H100 80GB HBM3");
	assert_string_equal(gpu->pci, "0000:3f:00.0");
	assert_string_equal(gpu->uuid, "GPU-00000000-0000-0000-0000-000000000005");
	assert_int_equal(gpu->limit_mw, 700000);
	assert_string_equal(gpu->limit_kind, "enforced");
	assert_int_equal(gpu->range.unit_nj, 1000000);
	assert_int_equal(gpu->range.modulus_nj, 0); /* it never wraps: a step back is a reset */
	assert_int_equal(gpu->update_period_ns, 100 * ES_NS_PER_MS);
	assert_false(gpu->is_power);
}

static void counters_are_read_to_the_millijoule(void **state)
{
	struct nvml_fixture *f = *state;
	uint32_t n_reads;
	int64_t before_ns;

	nvml_put(f, "h100x8", "ES_NVML_STUB");
	nvml_open(f);
	for (unsigned i = 0; i < 8; i++)
		atomic_fetch_add(&f->state->gpus[i].energy_mj, 1 + i);
	n_reads = atomic_load(&f->state->n_reads);
	before_ns = es_clock_boot_ns();
	nvml_read(f);

	assert_int_equal(atomic_load(&f->state->n_reads) - n_reads, 8); /* one call for each */
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(f->readings[i].error, 0);
		assert_int_equal(f->readings[i].value, (f->table.gpus[i].energy_mj + 1 + i) * 1000);
		assert_true(f->readings[i].t_ns >= before_ns);
		assert_true(f->readings[i].width_ns >= 0);
		assert_true(i == 0 || f->readings[i].t_ns >= f->readings[i - 1].t_ns);
	}
}

static void a_driver_without_fields_has_a_counter_too(void **state)
{
	struct nvml_fixture *f = *state;
	struct es_plan plan;

	nvml_put(f, "v100x2", "ES_NVML_STUB");
	nvml_open(f);
	nvml_read(f);

	assert_int_equal(f->readings[0].value, 77000);
	assert_int_equal(f->readings[1].value, 88000);
	/* A V100 shows something new every 20 ms, and nothing is lost if nobody looks for a year. */
	assert_int_equal(es_source_nvml.plan(f->source, &plan), 0);
	assert_int_equal(f->source->domains[0].update_period_ns, 20 * ES_NS_PER_MS);
	assert_true(plan.at_most_ns >= 20 * ES_NS_PER_MS);
	assert_true(plan.at_least_ns == INT64_MAX);
}

static void without_a_counter_there_are_powers(void **state)
{
	struct nvml_fixture *f = *state;
	const struct es_domain *gpu;
	size_t i;

	nvml_put(f, "p100", "ES_NVML_STUB");
	nvml_open(f);
	nvml_read(f);

	gpu = nvml_domain(f, "nvml/gpu-0", &i);
	assert_true(gpu->is_power);
	assert_int_equal(gpu->kind, ES_KIND_INTEGRATED);
	assert_int_equal(f->readings[i].value, 30000);
	assert_int_equal(gpu->update_period_ns, 20 * ES_NS_PER_MS);
	/* On Ampere and later the call gives a mean of the last second, which blurs both ends of a run. */
	gpu = nvml_domain(f, "nvml/gpu-1", &i);
	assert_int_equal(gpu->update_period_ns, ES_NS_PER_S);
	assert_non_null(strstr(gpu->reason, "means of a second"));
	/* Unless there is the field of instant power. */
	gpu = nvml_domain(f, "nvml/gpu-2", &i);
	assert_int_equal(f->readings[i].value, 35000);
	assert_int_equal(gpu->update_period_ns, 100 * ES_NS_PER_MS);
	gpu = nvml_domain(f, "nvml/gpu-3", &i);
	assert_int_equal(gpu->state, ES_STATE_ABSENT);
	assert_false(gpu->is_there);
	assert_non_null(strstr(gpu->reason, "neither energy nor power"));
	assert_int_equal(f->readings[i].error, -EOPNOTSUPP);
}

static void ga100_without_a_counter_shows_instant_powers(void **state)
{
	struct nvml_fixture *f = *state;

	nvml_put(f, "gpu name=NVIDIA_A100X-8C device=20b8 arch=7 counter=none power=5\n",
		 "ES_NVML_STUB");
	nvml_open(f);

	assert_int_equal(f->source->domains[0].update_period_ns, 100 * ES_NS_PER_MS);
}

/* nvml.h rates the powers of Fermi and Kepler, and no others, at 5 %. */
static void powers_of_kepler_have_their_rated_accuracy(void **state)
{
	struct nvml_fixture *f = *state;

	nvml_put(f,
		 "gpu name=Tesla_K80 device=102d arch=2 counter=none power=60\n"
		 "gpu name=NVIDIA_A100X-8C device=20b8 arch=7 counter=none power=5\n",
		 "ES_NVML_STUB");
	nvml_open(f);

	assert_true(f->source->domains[0].is_power);
	assert_int_equal(f->source->domains[0].accuracy_ppm, 50000);
	assert_int_equal(f->source->domains[1].accuracy_ppm, 0);
}

static void the_energy_of_a_gpu_with_instances_is_the_whole_ones(void **state)
{
	const struct es_instance *slice;
	struct nvml_fixture *f = *state;

	nvml_put(f, "a100-mig", "ES_NVML_STUB");
	nvml_open(f);
	nvml_read(f);

	assert_int_equal(f->source->n_domains, 2);
	assert_string_equal(
		f->source->domains[0].reason,
		"MIG: the whole GPU's energy, shared by 3 instances: 1g.5gb, 1g.5gb, 3g.20gb");
	/* Who shares the energy out has the slices. */
	assert_int_equal(f->source->domains[0].n_instances, 3);
	slice = &f->source->domains[0].instances[2];
	assert_string_equal(slice->uuid, "MIG-00000000-0000-0000-0000-000000000002");
	assert_int_equal(slice->gpu_instance, 9);
	assert_int_equal(slice->compute_instance, 0);
	assert_int_equal(slice->gpu_slices, 3);
	assert_int_equal(slice->compute_slices, 3);
	assert_true(slice->memory_bytes == UINT64_C(3 * 4864) << 20);
	assert_int_equal(f->source->domains[1].n_instances, 0);
	assert_string_equal(f->source->domains[1].reason, "");
	assert_int_equal(f->readings[0].value, 1000000);
}

static void mig_without_instances_is_told(void **state)
{
	struct nvml_fixture *f = *state;

	nvml_put(f, "gpu name=NVIDIA_A30 device=20b7 arch=7 counter=call mig=none\n",
		 "ES_NVML_STUB");
	nvml_open(f);

	assert_string_equal(f->source->domains[0].reason, "MIG is on, without instances");
}

static void modules_contain_their_gpus_and_are_never_added_to_them(void **state)
{
	struct nvml_fixture *f = *state;
	struct es_domain *domains;
	size_t module, gpu;

	nvml_put(f, "gh200", "ES_NVML_STUB");
	nvml_open(f);
	nvml_read(f);

	assert_int_equal(f->source->n_domains, 4);
	domains = f->source->domains;
	for (size_t i = 0; i < 2; i++) {
		const char *const ids[][2] = { { "nvml/module-0", "nvml/gpu-0" },
					       { "nvml/module-1", "nvml/gpu-1" } };

		(void)nvml_domain(f, ids[i][0], &module);
		(void)nvml_domain(f, ids[i][1], &gpu);
		assert_int_equal(domains[module].type, ES_DOMAIN_MODULE);
		assert_true(domains[module].is_power);
		assert_int_equal(domains[module].kind, ES_KIND_INTEGRATED);
		assert_int_equal(f->readings[module].value, 100000 + 10000 * i + 120000);
		assert_int_equal(domains[gpu].parent, module);
		assert_true(es_domain_contains(&domains[module], &domains[gpu]));
		assert_false(es_domain_contains(&domains[module], &domains[3 - (i == 0 ? 0 : 2)]));
	}
	for (size_t i = 0; i < 4; i++)
		domains[i].state = ES_STATE_OK;
	es_cover_choose(domains, 4, NULL, ES_PSYS_AUTO);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(domains[i].is_chosen, domains[i].type == ES_DOMAIN_GPU);
		assert_int_equal(domains[i].is_chosen_total, domains[i].type == ES_DOMAIN_MODULE);
	}
}

static void two_gpus_beside_one_processor_sit_on_one_module(void **state)
{
	struct nvml_fixture *f = *state;
	struct es_domain *domains;

	/* As on GB200: the memory nodes of both slots lead to one package. */
	nvml_put(
		f,
		"gpu name=NVIDIA_GB200 device=2941 arch=10 counter=field instant=1 module=1 power=200000 numa=0\n"
		"gpu name=NVIDIA_GB200 device=2941 arch=10 counter=field instant=1 module=1 power=210000 numa=0\n",
		"ES_NVML_STUB");
	assert_int_equal(
		es_tree_write(f->dir, "sys/devices/system/node/node0/cpulist", "0-71\n", 0444), 0);
	assert_int_equal(es_tree_write(f->dir,
				       "sys/devices/system/cpu/cpu0/topology/physical_package_id",
				       "0\n", 0444),
			 0);
	nvml_open(f);

	domains = f->source->domains;
	assert_int_equal(f->source->n_domains, 3);
	assert_string_equal(domains[0].id, "nvml/module-0");
	assert_string_equal(domains[1].id, "nvml/gpu-0");
	assert_string_equal(domains[2].id, "nvml/gpu-1");
	assert_true(es_domain_contains(&domains[0], &domains[1]));
	assert_true(es_domain_contains(&domains[0], &domains[2]));
	assert_false(es_domain_is_twin(&domains[1], &domains[2]));
}

static void a_scope_that_shows_the_gpus_own_power_is_no_module(void **state)
{
	struct nvml_fixture *f = *state;

	nvml_put(
		f,
		"gpu name=NVIDIA_L4 device=27b8 arch=8 counter=field instant=1 module=1 power=30000\n",
		"ES_NVML_STUB");
	atomic_store(&f->state->gpus[0].module_mw, 30000);
	nvml_open(f);

	assert_int_equal(f->source->n_domains, 1);
}

static void one_slot_is_one_gpu_whatever_its_number(void **state)
{
	struct es_domain a, b;

	(void)state;
	es_domain_init(&a, "nvml", ES_DOMAIN_GPU, 0, -1);
	es_domain_init(&b, "other", ES_DOMAIN_GPU, 3, -1);
	assert_false(es_domain_is_twin(&a, &b));
	(void)snprintf(a.pci, sizeof(a.pci), "0000:17:00.0");
	(void)snprintf(b.pci, sizeof(b.pci), "0000:17:00.0");
	assert_true(es_domain_is_twin(&a, &b));
	b.package = 0;
	(void)snprintf(b.pci, sizeof(b.pci), "0000:18:00.0");
	assert_false(es_domain_is_twin(&a, &b));
}

static void words_of_the_library_cannot_reach_a_terminal(void **state)
{
	struct nvml_fixture *f = *state;

	nvml_put(f, "gpu name=NVIDIA\033[31m_X uuid=GPU-\007 device=1 arch=7 counter=call\n",
		 "ES_NVML_STUB");
	nvml_open(f);

	assert_string_equal(f->source->domains[0].model, "NVIDIA?[31m X");
	assert_string_equal(f->source->domains[0].uuid, "GPU-?");
}

static void a_long_name_is_cut(void **state)
{
	struct nvml_fixture *f = *state;

	nvml_put(
		f,
		"gpu name=NVIDIA_0123456789012345678901234567890123456789012345678901234567890123456789 device=1 arch=9 counter=call\n",
		"ES_NVML_STUB");
	nvml_open(f);

	assert_string_equal(f->source->domains[0].model,
			    "NVIDIA 01234567890123456789012345678901234567890123456789012345");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, nvml_set_up, nvml_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_gpu_is_a_domain_with_its_name_and_place),
		TEST(counters_are_read_to_the_millijoule),
		TEST(a_driver_without_fields_has_a_counter_too),
		TEST(without_a_counter_there_are_powers),
		TEST(ga100_without_a_counter_shows_instant_powers),
		TEST(powers_of_kepler_have_their_rated_accuracy),
		TEST(the_energy_of_a_gpu_with_instances_is_the_whole_ones),
		TEST(mig_without_instances_is_told),
		TEST(modules_contain_their_gpus_and_are_never_added_to_them),
		TEST(two_gpus_beside_one_processor_sit_on_one_module),
		TEST(a_scope_that_shows_the_gpus_own_power_is_no_module),
		TEST(a_long_name_is_cut),
		TEST(words_of_the_library_cannot_reach_a_terminal),
		cmocka_unit_test(one_slot_is_one_gpu_whatever_its_number),
	};

	return cmocka_run_group_tests_name("source/nvml", tests, NULL, NULL);
}
