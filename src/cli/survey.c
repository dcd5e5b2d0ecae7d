/*
 * survey.c - opening all meters, watching them, and settling what can be trusted
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/survey.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/parse.h"
#include "core/watch.h"
#include "record/fault.h"
#include "sys/pci.h"

#define WATCH_NS ES_NS_PER_S
#define LOOK_NS (50 * ES_NS_PER_MS)
#define PACKAGES_MAX 64
#define SLOW_NS (20 * ES_NS_PER_MS)

static _Noreturn void spin(uint32_t cpu)
{
	cpu_set_t set;
	volatile unsigned work = 0;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
	for (;;)
		work++;
}

static int64_t package_of(const struct es_root *root, uint32_t cpu)
{
	char path[96];
	uint64_t package;

	(void)snprintf(path, sizeof(path),
		       "sys/devices/system/cpu/cpu%u/topology/physical_package_id", cpu);
	return es_root_read_u64(root, path, &package) < 0 ? -1 : (int64_t)package;
}

/* One busy process on each package that we may run on; returns how many there are. */
static unsigned start_spinning(const struct es_survey *survey, pid_t pids[static PACKAGES_MAX])
{
	int64_t seen[PACKAGES_MAX];
	unsigned n = 0;
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 0;
	for (uint32_t cpu = 0; cpu < CPU_SETSIZE && n < PACKAGES_MAX; cpu++) {
		int64_t package;
		bool is_new = true;

		if (!CPU_ISSET(cpu, &set))
			continue;
		package = package_of(&survey->root, cpu);
		for (unsigned i = 0; i < n; i++)
			is_new = is_new && seen[i] != package;
		if (!is_new || package < 0)
			continue;
		pids[n] = fork();
		if (pids[n] == 0)
			spin(cpu);
		if (pids[n] > 0)
			seen[n++] = package;
	}
	return n;
}

static void stop_spinning(const pid_t *pids, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		(void)kill(pids[i], SIGKILL);
	for (unsigned i = 0; i < n; i++)
		(void)waitpid(pids[i], NULL, 0);
}

static void look(struct es_survey *survey, struct es_watch *watch, struct es_reading *readings)
{
	es_sampler_read(survey->sampler, readings);
	for (size_t i = 0; i < survey->n_domains; i++) {
		struct es_survey_failures *failures = &survey->failures[i];

		/* What is read aside may come twice. */
		if (!es_sampler_can_read(&survey->domains[i]) ||
		    (readings[i].t_ns && readings[i].t_ns == failures->seen_ns))
			continue;
		failures->seen_ns = readings[i].t_ns;
		/* Nothing new since the last one. */
		if (readings[i].error == -ECANCELED)
			continue;
		failures->n_reads++;
		if (readings[i].width_ns > failures->slowest_ns)
			failures->slowest_ns = readings[i].width_ns;
		if (readings[i].error) {
			failures->n++;
			failures->last = readings[i].error;
		} else {
			es_watch_reading(watch, i, readings[i].t_ns, readings[i].value,
					 readings[i].activity_ns);
		}
	}
	es_watch_row(watch);
}

/* A meter that could be opened but never read is not there. */
static void judge_failures(struct es_survey *survey)
{
	for (size_t i = 0; i < survey->n_domains; i++) {
		const struct es_survey_failures *failures = &survey->failures[i];
		struct es_domain *domain = &survey->domains[i];

		if (failures->n == 0 || failures->n < failures->n_reads)
			continue;
		domain->state = ES_STATE_ABSENT;
		(void)snprintf(domain->reason, sizeof(domain->reason), "cannot be read: %s",
			       es_strerror(failures->last));
	}
}

/* Whether its reads hold up no others, since they are taken aside. */
static bool is_read_aside(const struct es_survey *survey, size_t domain)
{
	size_t n;
	const struct es_sampler_source *sources = es_sampler_sources(survey->sampler, &n);

	for (size_t i = 0; i < n; i++)
		if (sources[i].source && domain >= sources[i].first_domain &&
		    domain < sources[i].first_domain + sources[i].n)
			return sources[i].ops->ask;
	return false;
}

/* What else went wrong, before what is said of the domain already. */
static void tell_failures(struct es_survey *survey)
{
	for (size_t i = 0; survey->failures && i < survey->n_domains; i++) {
		const struct es_survey_failures *failures = &survey->failures[i];
		struct es_domain *domain = &survey->domains[i];
		char said[ES_NAME_MAX_BYTES], slowest[ES_QUANTITY_TEXT_BYTES];
		char code[ES_FAULT_CODE_BYTES];

		memcpy(said, domain->reason, sizeof(said));
		if (failures->n > 0 && failures->n < failures->n_reads)
			(void)snprintf(domain->reason, sizeof(domain->reason),
				       "%u of its reads failed of %u: %.80s%s%.100s", failures->n,
				       failures->n_reads,
				       es_fault_words(es_fault_code(failures->last, code)),
				       said[0] ? "; " : "", said);
		else if (failures->n_rejected || failures->n_resets)
			(void)snprintf(
				domain->reason, sizeof(domain->reason), "%s%s%.150s",
				failures->n_resets
					? "its counter began anew while it was watched"
					: "it showed values that fitted nothing before and after",
				said[0] ? "; " : "", said);
		else if (failures->slowest_ns > SLOW_NS)
			(void)snprintf(domain->reason, sizeof(domain->reason),
				       "its reads take up to %s%s%s%.100s",
				       es_duration_text(failures->slowest_ns, slowest),
				       is_read_aside(survey, i) ? "" : ": they hold up all others",
				       said[0] ? "; " : "", said);
	}
}

static int watch_meters(struct es_survey *survey)
{
	struct es_reading *readings = calloc(survey->n_domains + 1, sizeof(*readings));
	bool is_probed = survey->root.is_machine;
	struct es_watch watch = { .n = 0 };
	pid_t pids[PACKAGES_MAX];
	unsigned n_spinning = 0;
	int64_t end_ns;
	int r;

	survey->evidence = calloc(survey->n_domains + 1, sizeof(*survey->evidence));
	survey->failures = calloc(survey->n_domains + 1, sizeof(*survey->failures));
	r = readings && survey->evidence && survey->failures
		    ? es_watch_init(&watch, survey->domains, survey->n_domains, LOOK_NS)
		    : -ENOMEM;
	if (r < 0) {
		free(readings);
		return r;
	}
	if (is_probed)
		n_spinning = start_spinning(survey, pids);
	end_ns = es_clock_mono_ns() + WATCH_NS;
	look(survey, &watch, readings);
	while (es_clock_mono_ns() < end_ns) {
		const struct timespec pause = { .tv_nsec = LOOK_NS };

		(void)nanosleep(&pause, NULL);
		look(survey, &watch, readings);
	}
	stop_spinning(pids, n_spinning);
	es_watch_end(&watch);
	judge_failures(survey);
	/* A busy loop on every package we may use proves something only where that is every package. */
	es_watch_evidence(&watch, survey->machine.n_cpus, survey->machine.n_packages,
			  is_probed && n_spinning >= survey->machine.n_packages, survey->evidence);
	for (size_t i = 0; i < survey->n_domains; i++) {
		survey->failures[i].n_rejected = watch.tracks[i].n_rejected;
		survey->failures[i].n_resets = watch.tracks[i].n_resets;
	}
	/* What stands still is still what would be chosen: here the states tell, there is no sum to spoil. */
	for (size_t i = 0; i < survey->n_domains; i++)
		survey->evidence[i].is_unknown = false;
	es_watch_finish(&watch);
	free(readings);
	return 0;
}

static void add_unmeasured(struct es_survey *survey, const char *what, const char *reason,
			   const char *fix)
{
	struct es_unmeasured *entry = &survey->unmeasured[survey->n_unmeasured];

	if (survey->n_unmeasured == ES_UNMEASURED_MAX)
		return;
	survey->n_unmeasured++;
	(void)snprintf(entry->what, sizeof(entry->what), "%s", what);
	(void)snprintf(entry->reason, sizeof(entry->reason), "%s", reason);
	(void)snprintf(entry->fix, sizeof(entry->fix), "%s", fix);
}

/* The best domain of @type on @package that was not chosen: why not, and what would help. */
static const struct es_domain *not_chosen(const struct es_survey *survey, enum es_domain_type type,
					  int32_t package)
{
	const struct es_domain *best = NULL;

	for (size_t i = 0; i < survey->n_domains; i++)
		if (survey->domains[i].type == type && survey->domains[i].package == package &&
		    (!best || survey->domains[i].state < best->state))
			best = &survey->domains[i];
	return best;
}

static bool is_covered(const struct es_survey *survey, enum es_domain_type type, int32_t package)
{
	const struct es_domain part = { .type = type, .package = package, .die = -1, .core = -1 };

	for (size_t i = 0; i < survey->n_domains; i++) {
		const struct es_domain *domain = &survey->domains[i];
		bool is_die_of_it = type == ES_DOMAIN_PACKAGE && domain->type == ES_DOMAIN_DIE &&
				    domain->package == package;
		/* Its cores on a rail of their own, as some boards have it. */
		bool is_rail_of_it = type == ES_DOMAIN_PACKAGE && domain->type == ES_DOMAIN_CORE &&
				     domain->package == package;
		bool is_dram_of_it = type == ES_DOMAIN_DRAM && domain->type == ES_DOMAIN_DRAM &&
				     domain->package == package;

		if (domain->kind == ES_KIND_ESTIMATED ||
		    !(domain->is_chosen || domain->is_chosen_total))
			continue;
		if (is_die_of_it || is_rail_of_it || is_dram_of_it ||
		    es_domain_is_twin(domain, &part) || es_domain_contains(domain, &part))
			return true;
	}
	return false;
}

static bool has_chosen_estimate(const struct es_survey *survey)
{
	for (size_t i = 0; i < survey->n_domains; i++)
		if (survey->domains[i].kind == ES_KIND_ESTIMATED &&
		    survey->domains[i].is_chosen_total)
			return true;
	return false;
}

static bool has_whole_meter(const struct es_survey *survey)
{
	for (size_t i = 0; i < survey->n_domains; i++)
		if (survey->domains[i].is_chosen_total &&
		    (survey->domains[i].type == ES_DOMAIN_NODE ||
		     survey->domains[i].type == ES_DOMAIN_PSYS))
			return true;
	return false;
}

/* The domain that stands in this slot, else the first chosen one whose slot is not known; NULL: there is none. */
static const struct es_domain *find_in_slot(const struct es_survey *survey, const char *pci)
{
	const struct es_domain *found = NULL;

	for (size_t i = 0; i < survey->n_domains; i++) {
		const struct es_domain *domain = &survey->domains[i];
		bool is_chosen = domain->is_chosen || domain->is_chosen_total;

		/* An APU's whole is a module. */
		if (domain->type != ES_DOMAIN_GPU && domain->type != ES_DOMAIN_MODULE)
			continue;
		if (strcmp(domain->pci, pci) == 0
			    ? is_chosen || !found
			    : domain->type == ES_DOMAIN_GPU && domain->pci[0] == '\0' &&
				      is_chosen && !found)
			found = domain;
	}
	return found;
}

/* GPUs that the bus shows and no domain stands for. */
static void find_unmeasured_gpus(struct es_survey *survey)
{
	struct es_pci_gpu gpus[ES_PCI_GPUS_MAX];
	uint32_t n = es_pci_find_gpus(&survey->root, gpus);

	for (uint32_t i = 0; i < n; i++) {
		const struct es_domain *domain = find_in_slot(survey, gpus[i].address);
		char what[ES_NAME_MAX_BYTES], reason[ES_NAME_MAX_BYTES];

		if (domain && (domain->is_chosen || domain->is_chosen_total))
			continue;
		(void)snprintf(what, sizeof(what), "GPU %.15s (%.63s)", gpus[i].address,
			       gpus[i].model);
		if (domain) {
			add_unmeasured(survey, what, domain->reason, domain->fix);
			continue;
		}
		(void)snprintf(reason, sizeof(reason),
			       gpus[i].driver[0]
				       ? "no source here reads it (driver %.31s is loaded)"
				       : "it has no driver%.31s",
			       gpus[i].driver);
		add_unmeasured(survey, what, reason, "");
	}
}

static void find_unmeasured(struct es_survey *survey)
{
	/* Nothing inside a VM brings back what its host does not pass on. */
	bool is_hidden = survey->hidden.how != ES_HIDDEN_NOT, is_vm = survey->machine.is_vm;
	const char *no_meter = is_hidden ? survey->hidden.reason
			       : is_vm	 ? "the host gives this VM no energy meter"
					 : "the kernel offers no energy meter";
	const char *no_meter_fix = is_hidden ? survey->hidden.fix
				   : is_vm   ? ""
				   : survey->machine.is_container
					   ? "on the host: sudo modprobe intel_rapl_msr"
					   : "sudo modprobe intel_rapl_msr";
	const struct es_domain *psys = not_chosen(survey, ES_DOMAIN_PSYS, -1), *denied = NULL;

	for (size_t i = 0; i < survey->n_domains && !denied; i++)
		if (survey->domains[i].state == ES_STATE_DENIED &&
		    survey->domains[i].type != ES_DOMAIN_GPU)
			denied = &survey->domains[i];

	for (uint32_t package = 0; package < survey->machine.n_packages; package++) {
		static const enum es_domain_type types[] = { ES_DOMAIN_PACKAGE, ES_DOMAIN_DRAM };

		for (size_t i = 0; i < 2; i++) {
			const struct es_domain *domain =
				not_chosen(survey, types[i], (int32_t)package);
			char what[ES_NAME_MAX_BYTES];

			if (is_covered(survey, types[i], (int32_t)package))
				continue;
			(void)snprintf(what, sizeof(what), "%s of package %u",
				       types[i] == ES_DOMAIN_DRAM ? "memory" : "processor",
				       package);
			if (domain)
				add_unmeasured(survey, what, domain->reason, domain->fix);
			else if (types[i] == ES_DOMAIN_DRAM &&
				 is_covered(survey, ES_DOMAIN_PACKAGE, (int32_t)package))
				add_unmeasured(survey, what,
					       "this processor reports no memory domain", "");
			else
				add_unmeasured(survey, what, no_meter, no_meter_fix);
		}
	}
	if (has_chosen_estimate(survey) && denied)
		add_unmeasured(survey, "node",
			       "no meter may be read: the node is estimated from CPU time",
			       denied->fix);
	else if (has_chosen_estimate(survey))
		add_unmeasured(
			survey, "node",
			psys && psys->state == ES_STATE_DEAD
				? "psys is dead, and nothing else measures: the node is estimated"
				: "no meter can be used: the node is estimated from CPU time",
			no_meter_fix);
	else if (!has_whole_meter(survey))
		add_unmeasured(survey, "rest of the node",
			       "fans, power supplies, disks and network have no meter here", "");
}

/* A spare source that may not be read needs no mending where another one shows the same. */
static void excuse_spare(struct es_survey *survey, const struct es_sampler_source *entry)
{
	for (size_t i = entry->first_domain; i < entry->first_domain + entry->n; i++) {
		struct es_domain *domain = &survey->domains[i];

		for (size_t j = 0; j < entry->first_domain; j++)
			if (domain->state == ES_STATE_DENIED &&
			    es_domain_is_usable(&survey->domains[j]) &&
			    es_domain_is_twin(&survey->domains[j], domain)) {
				(void)snprintf(domain->reason, sizeof(domain->reason),
					       "not needed: the same joules as %.160s",
					       survey->domains[j].id);
				domain->fix[0] = '\0';
			}
	}
}

static void excuse_spares(struct es_survey *survey)
{
	size_t n;
	const struct es_sampler_source *sources = es_sampler_sources(survey->sampler, &n);

	for (size_t i = 0; i < n; i++)
		if (sources[i].source && sources[i].ops->is_spare)
			excuse_spare(survey, &sources[i]);
}

bool es_survey_is_twin(const struct es_root *root)
{
	return !root->is_machine && es_root_exists(root, ".twin/kind");
}

/* A fix is for the machine that a tree was taken from; before a twin's files it would open this machine's meters instead. */
static void mend_twin_only(struct es_survey *survey)
{
	if (!es_survey_is_twin(&survey->root) || survey->root.judges_rights)
		return;
	for (size_t i = 0; i < survey->n_domains; i++)
		if (survey->domains[i].state == ES_STATE_DENIED && survey->domains[i].fix[0])
			(void)snprintf(survey->domains[i].fix, sizeof(survey->domains[i].fix),
				       "as who started the twin, or as root");
}

int es_survey_make(const struct es_survey_options *options, struct es_survey *ret,
		   struct es_error *err)
{
	const struct es_sampler_options meters = {
		.wants_spares = true,
		.meters = options->meters ? options->meters->urls : NULL,
		.n_meters = options->meters ? options->meters->n : 0,
	};
	struct es_survey survey = { .root = { .fd = -1 } };
	int r = es_root_open(options->root, options->as_uid, &survey.root, err);

	if (r < 0)
		return r;
	es_machine_read(&survey.root, &survey.machine);
	es_hidden_find(&survey.root, &survey.hidden);
	r = es_sampler_create(&survey.root, &meters, &survey.sampler, err);
	if (r == 0)
		r = es_through_open("sources", options->daemon, options->root, WATCH_NS / 10,
				    survey.sampler, &survey.through, err);
	if (r < 0)
		goto fail;
	survey.domains = es_sampler_domains(survey.sampler, &survey.n_domains);
	survey.unmeasured = calloc(ES_UNMEASURED_MAX, sizeof(*survey.unmeasured));
	r = survey.unmeasured ? 0 : -ENOMEM;
	if (r == 0 && !options->is_unwatched)
		r = watch_meters(&survey);
	if (r < 0) {
		(void)es_error_set(err, r, "cannot watch the meters");
		goto fail;
	}
	es_cover_judge(survey.domains, survey.n_domains, survey.evidence);
	es_cover_choose(survey.domains, survey.n_domains, survey.evidence, options->psys);
	tell_failures(&survey);
	excuse_spares(&survey);
	mend_twin_only(&survey);
	find_unmeasured(&survey);
	find_unmeasured_gpus(&survey);
	*ret = survey;
	return 0;
fail:
	es_survey_finish(&survey);
	return r;
}

void es_survey_finish(struct es_survey *survey)
{
	es_sampler_destroy(survey->sampler);
	free(survey->evidence);
	free(survey->failures);
	free(survey->unmeasured);
	es_root_close(&survey->root);
	*survey = (struct es_survey){ .root = { .fd = -1 } };
}

enum es_domain_state es_survey_source_state(const struct es_survey *survey,
					    const struct es_sampler_source *source)
{
	enum es_domain_state best = ES_STATE_ABSENT;

	for (size_t i = 0; source->source && i < source->n; i++)
		if (survey->domains[source->first_domain + i].state < best)
			best = survey->domains[source->first_domain + i].state;
	return best;
}
