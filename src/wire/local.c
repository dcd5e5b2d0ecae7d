/*
 * local.c - what is said to the daemon of this node, and its bytes
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "wire/local.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "ipc/packet.h"
#include "wire/pack.h"

static void begin(struct es_packer *packer, uint8_t *out, size_t size)
{
	*packer = (struct es_packer){ .out = out, .size = size, .n = ES_IPC_HEADER_BYTES };
	if (size < ES_IPC_HEADER_BYTES)
		packer->error = -EMSGSIZE;
}

/* The header, now that the length is known; returns the packet's bytes. */
static int end(struct es_packer *packer, uint16_t type, uint32_t number)
{
	struct es_packet_head head = { .version = ES_IPC_VERSION, .type = type, .number = number };

	if (packer->error)
		return packer->error;
	if (packer->n > ES_IPC_MESSAGE_MAX_BYTES)
		return -EMSGSIZE;
	head.length = (uint32_t)(packer->n - ES_IPC_HEADER_BYTES);
	es_packet_head_put(&head, packer->out);
	return (int)packer->n;
}

static struct es_unpacker open_body(const void *body, size_t n)
{
	return (struct es_unpacker){ .in = body, .size = n };
}

/* What makes it no packet of ours; the first thing that went wrong counts. */
static void refuse(struct es_unpacker *unpacker, bool is_wrong)
{
	if (is_wrong && !unpacker->error)
		unpacker->error = -EBADMSG;
}

static void reject(struct es_packer *packer, bool is_wrong)
{
	if (is_wrong && !packer->error)
		packer->error = -EINVAL;
}

/* Length of the character at @text that may be shown to people; 0: it may not. */
static size_t shown_length(const char *text, size_t n)
{
	unsigned char first = (unsigned char)text[0];
	size_t length = es_utf8_length(text, n);

	if (first < 0x20 || first == 0x7f)
		return 0;
	return length == 2 && first == 0xc2 && (unsigned char)text[1] < 0xa0 ? 0 : length;
}

static void put_text(struct es_packer *packer, const char *text)
{
	size_t start = packer->n + 2, length;

	es_pack_text(packer, text);
	if (packer->error)
		return;
	for (size_t i = start; i < packer->n; i += length) {
		length = shown_length((const char *)packer->out + i, packer->n - i);
		if (length > 0)
			continue;
		packer->out[i] = '?';
		length = 1;
	}
}

static void get_text(struct es_unpacker *unpacker, char *ret, size_t size)
{
	size_t n, length;

	es_unpack_text(unpacker, ret, size);
	n = strlen(ret);
	for (size_t i = 0; i < n; i += length) {
		length = shown_length(ret + i, n - i);
		refuse(unpacker, length == 0);
		if (length == 0)
			return;
	}
}

#define GET_TEXT(unpacker, member) get_text(unpacker, member, sizeof(member))

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

const char *es_local_id_problem(const char *id)
{
	if (!is_letter_or_digit(id[0]))
		return "an id begins with a letter or digit";
	for (const char *c = id; *c; c++)
		if (!is_letter_or_digit(*c) && !strchr("._+-:[]", *c))
			return "an id has letters, digits and ._+-:[] only";
	if (strlen(id) >= ES_LOCAL_ID_MAX_BYTES)
		return "an id has at most 63 bytes";
	return NULL;
}

/* "" where it need not be known */
static bool is_id(const char *id, bool is_needed)
{
	return id[0] ? !es_local_id_problem(id) : !is_needed;
}

static bool is_list(const char *list, bool is_of_cpus)
{
	for (const char *c = list; *c; c++)
		if (is_of_cpus ? !strchr("0123456789,-", *c)
			       : !is_letter_or_digit(*c) && !strchr(",-:./_", *c))
			return false;
	return true;
}

static bool is_cgroup(const char *path)
{
	size_t n = strlen(path);

	if (n == 0)
		return true;
	return path[0] == '/' && !strstr(path, "/../") &&
	       (n < 3 || strcmp(path + n - 3, "/..") != 0);
}

static bool is_time(int64_t t_ns)
{
	return t_ns >= -ES_TIME_MAX_NS && t_ns <= ES_TIME_MAX_NS;
}

static void put_time(struct es_packer *packer, int64_t t_ns)
{
	reject(packer, !is_time(t_ns));
	es_pack_i64(packer, t_ns);
}

static int64_t get_time(struct es_unpacker *unpacker)
{
	int64_t t_ns = es_unpack_i64(unpacker);

	refuse(unpacker, !is_time(t_ns));
	return t_ns;
}

static void put_bool(struct es_packer *packer, bool value)
{
	es_pack_u8(packer, value);
}

static bool get_bool(struct es_unpacker *unpacker)
{
	uint8_t value = es_unpack_u8(unpacker);

	refuse(unpacker, value > 1);
	return value != 0;
}

int es_local_put_empty(uint16_t type, uint32_t number, uint8_t *out, size_t size)
{
	struct es_packer packer;

	begin(&packer, out, size);
	return end(&packer, type, number);
}

int es_local_put_text(uint16_t type, uint32_t number, const char *text, uint32_t value,
		      uint8_t *out, size_t size)
{
	struct es_packer packer;

	begin(&packer, out, size);
	put_text(&packer, text);
	es_pack_u32(&packer, value);
	return end(&packer, type, number);
}

int es_local_get_text(const void *body, size_t n, char *ret, size_t size, uint32_t *ret_value)
{
	struct es_unpacker unpacker = open_body(body, n);
	char text[ES_IPC_MESSAGE_MAX_BYTES];
	uint32_t value;

	GET_TEXT(&unpacker, text);
	value = es_unpack_u32(&unpacker);
	refuse(&unpacker, strlen(text) >= size);
	if (unpacker.error)
		return unpacker.error;
	memcpy(ret, text, strlen(text) + 1);
	*ret_value = value;
	return 0;
}

int es_local_put_watch(uint32_t number, int64_t period_ns, uint8_t *out, size_t size)
{
	struct es_packer packer;

	begin(&packer, out, size);
	reject(&packer, period_ns < 0);
	put_time(&packer, period_ns);
	return end(&packer, ES_LOCAL_WATCH, number);
}

int es_local_get_watch(const void *body, size_t n, int64_t *ret_period_ns)
{
	struct es_unpacker unpacker = open_body(body, n);
	int64_t period_ns = get_time(&unpacker);

	refuse(&unpacker, period_ns < 0);
	if (!unpacker.error)
		*ret_period_ns = period_ns;
	return unpacker.error;
}

static bool is_job(const struct es_local_job *job)
{
	return is_id(job->id, true) && is_id(job->step, false) && is_list(job->cpus, true) &&
	       is_list(job->gpus, false) && is_cgroup(job->cgroup) && job->pid >= 0 &&
	       job->pid <= INT32_MAX;
}

static void pack_job(struct es_packer *packer, const struct es_local_job *job)
{
	reject(packer, !is_job(job));
	put_text(packer, job->id);
	put_text(packer, job->step);
	put_text(packer, job->scheduler);
	es_pack_u32(packer, job->uid);
	put_bool(packer, job->has_uid);
	es_pack_u32(packer, job->flags);
	es_pack_u32(packer, job->n_cpus);
	put_text(packer, job->cpus);
	put_bool(packer, job->has_gpus);
	put_text(packer, job->gpus);
	put_text(packer, job->cgroup);
	es_pack_i64(packer, job->pid);
	es_pack_u32(packer, job->n_nodes);
	es_pack_u32(packer, job->node_index);
	put_text(packer, job->nodes);
	put_text(packer, job->name);
	put_text(packer, job->cluster);
	put_text(packer, job->account);
	put_text(packer, job->partition);
	es_pack_u32(packer, job->restarts);
	put_time(packer, job->t_ns);
}

static void unpack_job(struct es_unpacker *unpacker, struct es_local_job *job)
{
	GET_TEXT(unpacker, job->id);
	GET_TEXT(unpacker, job->step);
	GET_TEXT(unpacker, job->scheduler);
	job->uid = es_unpack_u32(unpacker);
	job->has_uid = get_bool(unpacker);
	job->flags = es_unpack_u32(unpacker);
	job->n_cpus = es_unpack_u32(unpacker);
	GET_TEXT(unpacker, job->cpus);
	job->has_gpus = get_bool(unpacker);
	GET_TEXT(unpacker, job->gpus);
	GET_TEXT(unpacker, job->cgroup);
	job->pid = es_unpack_i64(unpacker);
	job->n_nodes = es_unpack_u32(unpacker);
	job->node_index = es_unpack_u32(unpacker);
	GET_TEXT(unpacker, job->nodes);
	GET_TEXT(unpacker, job->name);
	GET_TEXT(unpacker, job->cluster);
	GET_TEXT(unpacker, job->account);
	GET_TEXT(unpacker, job->partition);
	job->restarts = es_unpack_u32(unpacker);
	job->t_ns = get_time(unpacker);
	refuse(unpacker, !is_job(job));
}

int es_local_put_job(uint32_t number, const struct es_local_job *job, uint8_t *out, size_t size)
{
	struct es_packer packer;

	begin(&packer, out, size);
	pack_job(&packer, job);
	return end(&packer, ES_LOCAL_JOB_BEGIN, number);
}

int es_local_get_job(const void *body, size_t n, struct es_local_job *ret)
{
	struct es_unpacker unpacker = open_body(body, n);
	struct es_local_job job = { .id = "" };

	unpack_job(&unpacker, &job);
	if (!unpacker.error)
		*ret = job;
	return unpacker.error;
}

int es_local_put_end(uint32_t number, const struct es_local_end *what, uint8_t *out, size_t size)
{
	struct es_packer packer;

	begin(&packer, out, size);
	reject(&packer, !is_id(what->id, true) || !is_id(what->step, false));
	put_text(&packer, what->id);
	put_text(&packer, what->step);
	put_bool(&packer, what->has_status);
	es_pack_u32(&packer, (uint32_t)what->status);
	put_time(&packer, what->t_ns);
	return end(&packer, ES_LOCAL_JOB_END, number);
}

int es_local_get_end(const void *body, size_t n, struct es_local_end *ret)
{
	struct es_unpacker unpacker = open_body(body, n);
	struct es_local_end what = { .id = "" };

	GET_TEXT(&unpacker, what.id);
	GET_TEXT(&unpacker, what.step);
	what.has_status = get_bool(&unpacker);
	what.status = (int32_t)es_unpack_u32(&unpacker);
	what.t_ns = get_time(&unpacker);
	refuse(&unpacker, !is_id(what.id, true) || !is_id(what.step, false));
	if (!unpacker.error)
		*ret = what;
	return unpacker.error;
}

int es_local_put_welcome(uint32_t number, const struct es_local_welcome *welcome, uint8_t *out,
			 size_t size)
{
	struct es_packer packer;

	begin(&packer, out, size);
	reject(&packer, !is_id(welcome->job, false) || welcome->least_period_ns < 0);
	put_text(&packer, welcome->version);
	put_text(&packer, welcome->node);
	put_text(&packer, welcome->boot_id);
	put_time(&packer, welcome->least_period_ns);
	es_pack_u8(&packer, welcome->view);
	put_text(&packer, welcome->job);
	put_text(&packer, welcome->words);
	return end(&packer, ES_LOCAL_WELCOME, number);
}

int es_local_get_welcome(const void *body, size_t n, struct es_local_welcome *ret)
{
	struct es_unpacker unpacker = open_body(body, n);
	struct es_local_welcome welcome = { .version = "" };

	GET_TEXT(&unpacker, welcome.version);
	GET_TEXT(&unpacker, welcome.node);
	GET_TEXT(&unpacker, welcome.boot_id);
	welcome.least_period_ns = get_time(&unpacker);
	welcome.view = es_unpack_u8(&unpacker);
	GET_TEXT(&unpacker, welcome.job);
	GET_TEXT(&unpacker, welcome.words);
	refuse(&unpacker, !is_id(welcome.job, false) || welcome.least_period_ns < 0);
	if (!unpacker.error)
		*ret = welcome;
	return unpacker.error;
}

int es_local_put_last(uint32_t number, uint32_t count, uint8_t *out, size_t size)
{
	struct es_packer packer;

	begin(&packer, out, size);
	es_pack_u32(&packer, count);
	return end(&packer, ES_LOCAL_LAST, number);
}

int es_local_get_last(const void *body, size_t n, uint32_t *ret_count)
{
	struct es_unpacker unpacker = open_body(body, n);
	uint32_t count = es_unpack_u32(&unpacker);

	if (!unpacker.error)
		*ret_count = count;
	return unpacker.error;
}

int es_local_put_page(uint32_t number, const struct es_local_page *page, uint8_t *out, size_t size)
{
	struct es_packer packer;

	begin(&packer, out, size);
	reject(&packer, page->period_ns < 0);
	es_pack_u64(&packer, page->epoch);
	es_pack_u32(&packer, page->n_domains);
	put_time(&packer, page->period_ns);
	return end(&packer, ES_LOCAL_PAGE, number);
}

int es_local_get_page(const void *body, size_t n, struct es_local_page *ret)
{
	struct es_unpacker unpacker = open_body(body, n);
	struct es_local_page page;

	page.epoch = es_unpack_u64(&unpacker);
	page.n_domains = es_unpack_u32(&unpacker);
	page.period_ns = get_time(&unpacker);
	refuse(&unpacker, page.period_ns < 0);
	if (!unpacker.error)
		*ret = page;
	return unpacker.error;
}

/* A bit for each; add at the end. */
static uint32_t flags_of(const struct es_local_domain *domain)
{
	const bool flags[] = { domain->is_power, domain->may_mirror, domain->is_partial,
			       domain->is_there, domain->is_asked,   domain->has_activity };
	uint32_t bits = 0;

	for (size_t i = 0; i < ES_ARRAY_SIZE(flags); i++)
		bits |= (uint32_t)flags[i] << i;
	return bits;
}

static void set_flags(struct es_local_domain *domain, uint32_t bits)
{
	bool *const flags[] = { &domain->is_power, &domain->may_mirror, &domain->is_partial,
				&domain->is_there, &domain->is_asked,	&domain->has_activity };

	for (size_t i = 0; i < ES_ARRAY_SIZE(flags); i++)
		*flags[i] = bits >> i & 1;
}

static bool is_domain(const struct es_local_domain *domain)
{
	return domain->id[0] && domain->name[0] && domain->parent >= -1 &&
	       domain->duplicate_of >= -1 && domain->update_period_ns >= 0 &&
	       domain->hold_ns >= 0 && domain->least_period_ns >= 0 &&
	       domain->n_instances <= ES_LOCAL_INSTANCES_MAX;
}

static void pack_instance(struct es_packer *packer, const struct es_local_instance *instance)
{
	put_text(packer, instance->uuid);
	es_pack_u32(packer, instance->gpu_instance);
	es_pack_u32(packer, instance->compute_instance);
	es_pack_u32(packer, instance->gpu_slices);
	es_pack_u32(packer, instance->compute_slices);
	es_pack_u64(packer, instance->memory_bytes);
}

static void unpack_instance(struct es_unpacker *unpacker, struct es_local_instance *instance)
{
	GET_TEXT(unpacker, instance->uuid);
	instance->gpu_instance = es_unpack_u32(unpacker);
	instance->compute_instance = es_unpack_u32(unpacker);
	instance->gpu_slices = es_unpack_u32(unpacker);
	instance->compute_slices = es_unpack_u32(unpacker);
	instance->memory_bytes = es_unpack_u64(unpacker);
}

static void pack_numbers(struct es_packer *packer, const struct es_local_domain *domain)
{
	const int32_t places[] = { domain->package, domain->die, domain->core, domain->parent,
				   domain->duplicate_of };
	const uint64_t sizes[] = { domain->unit_nj,  domain->modulus_nj, domain->peak_mw,
				   domain->limit_mw, domain->idle_mw,	 domain->full_mw };

	es_pack_u32(packer, flags_of(domain));
	for (size_t i = 0; i < ES_ARRAY_SIZE(places); i++)
		es_pack_u32(packer, (uint32_t)places[i]);
	for (size_t i = 0; i < ES_ARRAY_SIZE(sizes); i++)
		es_pack_u64(packer, sizes[i]);
	put_time(packer, domain->update_period_ns);
	put_time(packer, domain->hold_ns);
	es_pack_u32(packer, domain->idle_spread_ppm);
	es_pack_u32(packer, domain->spread_ppm);
	es_pack_u32(packer, domain->accuracy_ppm);
}

static void unpack_numbers(struct es_unpacker *unpacker, struct es_local_domain *domain)
{
	int32_t *const places[] = { &domain->package, &domain->die, &domain->core, &domain->parent,
				    &domain->duplicate_of };
	uint64_t *const sizes[] = { &domain->unit_nj,  &domain->modulus_nj, &domain->peak_mw,
				    &domain->limit_mw, &domain->idle_mw,    &domain->full_mw };

	set_flags(domain, es_unpack_u32(unpacker));
	for (size_t i = 0; i < ES_ARRAY_SIZE(places); i++)
		*places[i] = (int32_t)es_unpack_u32(unpacker);
	for (size_t i = 0; i < ES_ARRAY_SIZE(sizes); i++)
		*sizes[i] = es_unpack_u64(unpacker);
	domain->update_period_ns = get_time(unpacker);
	domain->hold_ns = get_time(unpacker);
	domain->idle_spread_ppm = es_unpack_u32(unpacker);
	domain->spread_ppm = es_unpack_u32(unpacker);
	domain->accuracy_ppm = es_unpack_u32(unpacker);
}

int es_local_put_domain(uint32_t number, const struct es_local_domain *domain, uint8_t *out,
			size_t size)
{
	const char *const texts[] = { domain->id,	  domain->name,	  domain->source,
				      domain->type,	  domain->kind,	  domain->state,
				      domain->limit_kind, domain->pci,	  domain->model,
				      domain->uuid,	  domain->reason, domain->fix };
	struct es_packer packer;

	begin(&packer, out, size);
	reject(&packer, !is_domain(domain));
	for (size_t i = 0; i < ES_ARRAY_SIZE(texts); i++)
		put_text(&packer, texts[i]);
	pack_numbers(&packer, domain);
	es_pack_u32(&packer, domain->n_instances);
	for (uint32_t i = 0; i < domain->n_instances && !packer.error; i++)
		pack_instance(&packer, &domain->instances[i]);
	put_time(&packer, domain->least_period_ns);
	return end(&packer, ES_LOCAL_DOMAIN, number);
}

int es_local_get_domain(const void *body, size_t n, struct es_local_domain *ret)
{
	struct es_unpacker unpacker = open_body(body, n);
	struct es_local_domain domain = { .id = "" };

	GET_TEXT(&unpacker, domain.id);
	GET_TEXT(&unpacker, domain.name);
	GET_TEXT(&unpacker, domain.source);
	GET_TEXT(&unpacker, domain.type);
	GET_TEXT(&unpacker, domain.kind);
	GET_TEXT(&unpacker, domain.state);
	GET_TEXT(&unpacker, domain.limit_kind);
	GET_TEXT(&unpacker, domain.pci);
	GET_TEXT(&unpacker, domain.model);
	GET_TEXT(&unpacker, domain.uuid);
	GET_TEXT(&unpacker, domain.reason);
	GET_TEXT(&unpacker, domain.fix);
	unpack_numbers(&unpacker, &domain);
	domain.n_instances = es_unpack_u32(&unpacker);
	refuse(&unpacker, !is_domain(&domain));
	for (uint32_t i = 0; i < domain.n_instances && !unpacker.error; i++)
		unpack_instance(&unpacker, &domain.instances[i]);
	/* A later field: who does not know of it ends before. */
	if (unpacker.n < unpacker.size)
		domain.least_period_ns = get_time(&unpacker);
	refuse(&unpacker, domain.least_period_ns < 0);
	if (!unpacker.error)
		*ret = domain;
	return unpacker.error;
}

static void pack_part(struct es_packer *packer, const struct es_local_part *part)
{
	put_text(packer, part->domain);
	put_text(packer, part->kind);
	put_text(packer, part->rule);
	es_pack_u64(packer, part->dynamic_uj);
	es_pack_u64(packer, part->idle_uj);
}

static void unpack_part(struct es_unpacker *unpacker, struct es_local_part *part)
{
	GET_TEXT(unpacker, part->domain);
	GET_TEXT(unpacker, part->kind);
	GET_TEXT(unpacker, part->rule);
	part->dynamic_uj = es_unpack_u64(unpacker);
	part->idle_uj = es_unpack_u64(unpacker);
}

static void pack_machine(struct es_packer *packer, const struct es_local_machine *machine)
{
	reject(packer, machine->virt > 3);
	put_text(packer, machine->cpu_model);
	put_text(packer, machine->gpu_model);
	es_pack_u32(packer, machine->n_cpus);
	es_pack_u32(packer, machine->n_packages);
	es_pack_u32(packer, machine->n_gpus);
	es_pack_u64(packer, machine->memory_bytes);
	es_pack_u8(packer, machine->virt);
	put_bool(packer, machine->has_battery);
	put_bool(packer, machine->has_node_meter);
	put_text(packer, machine->country);
	put_text(packer, machine->timezone);
}

/* A later field: who does not know of it ends before. */
static void unpack_machine(struct es_unpacker *unpacker, struct es_local_machine *machine)
{
	if (unpacker->error || unpacker->n == unpacker->size)
		return;
	GET_TEXT(unpacker, machine->cpu_model);
	GET_TEXT(unpacker, machine->gpu_model);
	machine->n_cpus = es_unpack_u32(unpacker);
	machine->n_packages = es_unpack_u32(unpacker);
	machine->n_gpus = es_unpack_u32(unpacker);
	machine->memory_bytes = es_unpack_u64(unpacker);
	machine->virt = es_unpack_u8(unpacker);
	machine->has_battery = get_bool(unpacker);
	machine->has_node_meter = get_bool(unpacker);
	GET_TEXT(unpacker, machine->country);
	GET_TEXT(unpacker, machine->timezone);
	refuse(unpacker, machine->virt > 3);
}

int es_local_put_job_is(uint32_t number, const struct es_local_job_is *job, uint8_t *out,
			size_t size)
{
	struct es_packer packer;

	begin(&packer, out, size);
	reject(&packer, job->n_parts > ES_LOCAL_PARTS_MAX);
	pack_job(&packer, &job->job);
	put_text(&packer, job->node);
	put_time(&packer, job->start_unix_ns);
	put_time(&packer, job->stop_unix_ns);
	put_time(&packer, job->dur_ns);
	put_bool(&packer, job->has_energy);
	es_pack_u64(&packer, job->energy_uj);
	es_pack_u64(&packer, job->uncertainty_uj);
	put_text(&packer, job->kind);
	put_text(&packer, job->idle_method);
	es_pack_u32(&packer, job->covered_ppm);
	put_text(&packer, job->recording);
	es_pack_u32(&packer, job->n_parts);
	for (uint32_t i = 0; i < job->n_parts && !packer.error; i++)
		pack_part(&packer, &job->parts[i]);
	pack_machine(&packer, &job->machine);
	return end(&packer, ES_LOCAL_JOB, number);
}

static void unpack_job_is(struct es_unpacker *unpacker, struct es_local_job_is *job)
{
	unpack_job(unpacker, &job->job);
	GET_TEXT(unpacker, job->node);
	job->start_unix_ns = get_time(unpacker);
	job->stop_unix_ns = get_time(unpacker);
	job->dur_ns = get_time(unpacker);
	job->has_energy = get_bool(unpacker);
	job->energy_uj = es_unpack_u64(unpacker);
	job->uncertainty_uj = es_unpack_u64(unpacker);
	GET_TEXT(unpacker, job->kind);
	GET_TEXT(unpacker, job->idle_method);
	job->covered_ppm = es_unpack_u32(unpacker);
	GET_TEXT(unpacker, job->recording);
	job->n_parts = es_unpack_u32(unpacker);
	refuse(unpacker, job->n_parts > ES_LOCAL_PARTS_MAX);
	for (uint32_t i = 0; i < job->n_parts && !unpacker->error; i++)
		unpack_part(unpacker, &job->parts[i]);
	unpack_machine(unpacker, &job->machine);
}

int es_local_get_job_is(const void *body, size_t n, struct es_local_job_is *ret)
{
	struct es_unpacker unpacker = open_body(body, n);
	struct es_local_job_is job = { .node = "" };

	unpack_job_is(&unpacker, &job);
	if (!unpacker.error)
		*ret = job;
	return unpacker.error;
}
