/*
 * test_source_msr_random.c - energy registers of random machines, read while CPUs and devices fail at random
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Whatever fails: a reading is the register's value or an error, never an old value, another register's, or a 0 made up.
 */
#include "support/fake_msr.h"

#include "source/msr_tables.h"
#include "support/random.h"

#define MACHINES 60
#define SWEEPS 40
#define CPU "sys/devices/system/cpu"

/** struct machine - a random one: which CPUs there are, and where */
struct machine {
	bool is_amd, has_dies;
	unsigned model, n_packages, n_cores;
	uint64_t unit_value;
	bool is_there[CPUS_MAX];
};

static void put_id(const struct fixture *f, unsigned cpu, const char *what, unsigned id)
{
	char path[128], text[16];

	(void)snprintf(path, sizeof(path), CPU "/cpu%u/topology/%s", cpu, what);
	(void)snprintf(text, sizeof(text), "%u\n", id);
	assert_int_equal(es_tree_write(f->dir, path, text, 0444), 0);
}

/* Holes in the numbers, packages without CPUs, cores with one thread or two. */
static void make_machine(struct fixture *f, struct machine *machine, uint64_t *seed)
{
	static const unsigned intel_models[] = { 0x55, 0x8f, 0x9a, 0x3c, 0x37, 0xfe },
			      amd_models[] = { 0x01, 0x11, 0xa0, 0x50 };
	char online[1024] = "", cpuinfo[128];
	size_t n = 0;

	*machine = (struct machine){ .is_amd = test_random(seed) % 2 };
	machine->n_packages = 1 + (unsigned)(test_random(seed) % 4);
	machine->n_cores = 2 + (unsigned)(test_random(seed) % 6);
	machine->has_dies = test_random(seed) % 3 == 0;
	machine->model = machine->is_amd ? amd_models[test_random(seed) % 4]
					 : intel_models[test_random(seed) % 6];
	machine->unit_value = 0xa0e03 & ~UINT64_C(0x1f00);
	machine->unit_value |= (test_random(seed) % 17) << 8;
	f->n_packages = machine->n_packages;
	f->n_cores = machine->n_cores;
	for (unsigned cpu = 0; cpu < 2 * f->n_packages * f->n_cores; cpu++) {
		unsigned core = cpu % f->n_cores;

		machine->is_there[cpu] = test_random(seed) % 8 != 0;
		f->is_offline[cpu] = !machine->is_there[cpu];
		if (!machine->is_there[cpu])
			continue;
		n += (size_t)snprintf(online + n, sizeof(online) - n, "%s%u", n ? "," : "", cpu);
		put_id(f, cpu, "physical_package_id", (unsigned)package_of(f, (int)cpu) * 3);
		put_id(f, cpu, "die_id", machine->has_dies ? core % 2 : 0);
		put_id(f, cpu, "core_id", core * 4);
	}
	assert_int_equal(es_tree_write(f->dir, CPU "/online", online, 0444), 0);
	(void)snprintf(cpuinfo, sizeof(cpuinfo),
		       "vendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\n",
		       machine->is_amd ? "AuthenticAMD" : "GenuineIntel", machine->is_amd ? 25 : 6,
		       machine->model);
	assert_int_equal(es_tree_write(f->dir, "proc/cpuinfo", cpuinfo, 0444), 0);
}

/* Every register of every CPU tells who it is: a value that got to the wrong place is seen. */
static void put_cells(struct fixture *f, const struct machine *machine, uint64_t *seed)
{
	static const uint32_t intel[] = { 0x611, 0x619, 0x639, 0x641, 0x64d };

	f->n_cells = 0;
	put(f, -1, machine->is_amd ? 0xc0010299 : 0x606, machine->unit_value);
	for (unsigned package = 0; package < machine->n_packages; package++)
		for (size_t i = 0; i < (machine->is_amd ? 1 : 5); i++) {
			struct cell *cell = put(f, (int)package,
						machine->is_amd ? 0xc001029b : intel[i],
						1000000 * (package + 1) + 1000 * i);

			/* Some are not there; some are not listed. */
			cell->error = i > 0 && test_random(seed) % 6 == 0 ? -EIO : 0;
			cell->is_unlisted = test_random(seed) % 8 == 0;
		}
	if (machine->is_amd)
		put(f, -1, 0xc001029a, 424242);
}

static const struct cell *cell_of(struct fixture *f, const struct es_domain *domain)
{
	static const uint32_t registers[ES_N_DOMAIN_TYPES] = {
		[ES_DOMAIN_PACKAGE] = 0x611, [ES_DOMAIN_DIE] = 0x611,	 [ES_DOMAIN_DRAM] = 0x619,
		[ES_DOMAIN_CORE] = 0x639,    [ES_DOMAIN_UNCORE] = 0x641, [ES_DOMAIN_PSYS] = 0x64d,
	};
	bool is_amd = cell_at(f, 0, 0xc0010299) != NULL;
	uint32_t reg = registers[domain->type];
	unsigned package = domain->package >= 0 ? (unsigned)domain->package / 3 : 0, psys;

	if (domain->type == ES_DOMAIN_PSYS && sscanf(domain->name, "psys-%u", &psys) == 1)
		package = psys / 3;
	if (is_amd)
		reg = domain->type == ES_DOMAIN_CORE ? 0xc001029a : 0xc001029b;
	return cell_at(f, (int)(package * f->n_cores), reg);
}

static void check_sweep(struct fixture *f, const struct machine *machine, unsigned seed)
{
	struct es_msr_processor processor;
	struct es_machine what = { .cpu_family = machine->is_amd ? 25 : 6,
				   .cpu_model_number = machine->model };

	(void)snprintf(what.cpu_vendor, sizeof(what.cpu_vendor), "%s",
		       machine->is_amd ? "AuthenticAMD" : "GenuineIntel");
	assert_int_equal(es_msr_find_processor(&what, &processor), 0);
	for (size_t i = 0; i < f->source->n_domains; i++) {
		const struct es_domain *domain = &f->source->domains[i];
		const struct cell *cell = cell_of(f, domain);
		struct es_msr_unit unit;

		assert_true(f->readings[i].error <= 0);
		if (f->readings[i].error) {
			assert_int_equal(f->readings[i].value, 0);
			continue;
		}
		assert_non_null(cell);
		unit = es_msr_energy_unit(&processor, domain->type, machine->unit_value);
		if (cell->error ||
		    f->readings[i].value != es_msr_energy_uj(&unit, cell->value & UINT32_MAX))
			fail_msg("machine %u: %s shows %llu", seed, domain->id,
				 (unsigned long long)f->readings[i].value);
	}
}

/* A CPU comes or goes, a register fails or recovers, one counts on. */
static void change(struct fixture *f, const struct machine *machine, uint64_t *seed)
{
	for (unsigned cpu = 0; cpu < CPUS_MAX; cpu++)
		if (machine->is_there[cpu] && test_random(seed) % 10 == 0)
			f->is_offline[cpu] = !f->is_offline[cpu];
	f->vanishing_cpu = test_random(seed) % 4 == 0 ? (int)(test_random(seed) % 16) : -1;
	for (size_t i = 1; i < f->n_cells; i++) {
		f->cells[i].value += test_random(seed) % 1000;
		if (test_random(seed) % 20 == 0)
			f->cells[i].error = f->cells[i].error ? 0 : -EIO;
		if (test_random(seed) % 50 == 0)
			f->cells[i].is_unlisted = !f->cells[i].is_unlisted;
	}
}

static void check_domains(const struct fixture *f)
{
	for (size_t i = 0; i < f->source->n_domains; i++) {
		const struct es_domain *domain = &f->source->domains[i];

		assert_true(domain->parent < (int32_t)f->source->n_domains &&
			    domain->parent != (int32_t)i);
		if (domain->parent >= 0)
			assert_true(
				es_domain_contains(&f->source->domains[domain->parent], domain));
		assert_true(domain->state == ES_STATE_UNPROVEN || domain->reason[0] != '\0');
		assert_true(domain->state != ES_STATE_DENIED || domain->fix[0] != '\0');
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(f->source->domains[j].id, domain->id);
	}
}

static void whatever_fails_no_wrong_value_is_read(void **state)
{
	struct fixture *f = *state;
	unsigned n_opened = 0;

	for (unsigned i = 0; i < MACHINES; i++) {
		uint64_t seed = 1000 + i;
		struct machine machine;

		make_machine(f, &machine, &seed);
		put_cells(f, &machine, &seed);
		f->safe_error = test_random(&seed) % 3 ? 0 : -ENOENT;
		f->kernel_error = f->safe_error || test_random(&seed) % 2 ? 0 : -EACCES;
		f->has_batch = f->safe_error == 0 && test_random(&seed) % 2;
		f->vanishing_cpu = -1;
		if (open_as(f, 54321, NULL) < 0)
			continue;
		n_opened++;
		check_domains(f);
		for (unsigned sweep = 0; sweep < SWEEPS; sweep++) {
			read_all(f);
			check_sweep(f, &machine, i);
			change(f, &machine, &seed);
		}
		es_tree_remove(f->dir);
	}
	assert_true(n_opened > MACHINES / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(whatever_fails_no_wrong_value_is_read, set_up,
						tear_down),
	};

	return cmocka_run_group_tests_name("source/msr_random", tests, NULL, NULL);
}
