/*
 * local_domain.c - the domains that a daemon tells of
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "base/cleanup.h"
#include "wire/fields.h"
#include "wire/local.h"

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
	es_put_text(packer, instance->uuid);
	es_pack_u32(packer, instance->gpu_instance);
	es_pack_u32(packer, instance->compute_instance);
	es_pack_u32(packer, instance->gpu_slices);
	es_pack_u32(packer, instance->compute_slices);
	es_pack_u64(packer, instance->memory_bytes);
}

static void unpack_instance(struct es_unpacker *unpacker, struct es_local_instance *instance)
{
	ES_GET_TEXT(unpacker, instance->uuid);
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
	es_put_time(packer, domain->update_period_ns);
	es_put_time(packer, domain->hold_ns);
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
	domain->update_period_ns = es_get_time(unpacker);
	domain->hold_ns = es_get_time(unpacker);
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

	es_fields_begin(&packer, out, size);
	es_fields_reject(&packer, !is_domain(domain));
	for (size_t i = 0; i < ES_ARRAY_SIZE(texts); i++)
		es_put_text(&packer, texts[i]);
	pack_numbers(&packer, domain);
	es_pack_u32(&packer, domain->n_instances);
	for (uint32_t i = 0; i < domain->n_instances && !packer.error; i++)
		pack_instance(&packer, &domain->instances[i]);
	es_put_time(&packer, domain->least_period_ns);
	return es_fields_end(&packer, ES_LOCAL_DOMAIN, number);
}

int es_local_get_domain(const void *body, size_t n, struct es_local_domain *ret)
{
	struct es_unpacker unpacker = es_fields_open(body, n);
	struct es_local_domain domain = { .id = "" };

	ES_GET_TEXT(&unpacker, domain.id);
	ES_GET_TEXT(&unpacker, domain.name);
	ES_GET_TEXT(&unpacker, domain.source);
	ES_GET_TEXT(&unpacker, domain.type);
	ES_GET_TEXT(&unpacker, domain.kind);
	ES_GET_TEXT(&unpacker, domain.state);
	ES_GET_TEXT(&unpacker, domain.limit_kind);
	ES_GET_TEXT(&unpacker, domain.pci);
	ES_GET_TEXT(&unpacker, domain.model);
	ES_GET_TEXT(&unpacker, domain.uuid);
	ES_GET_TEXT(&unpacker, domain.reason);
	ES_GET_TEXT(&unpacker, domain.fix);
	unpack_numbers(&unpacker, &domain);
	domain.n_instances = es_unpack_u32(&unpacker);
	es_fields_refuse(&unpacker, !is_domain(&domain));
	for (uint32_t i = 0; i < domain.n_instances && !unpacker.error; i++)
		unpack_instance(&unpacker, &domain.instances[i]);
	/* A later field: who does not know of it ends before. */
	if (unpacker.n < unpacker.size)
		domain.least_period_ns = es_get_time(&unpacker);
	es_fields_refuse(&unpacker, domain.least_period_ns < 0);
	if (!unpacker.error)
		*ret = domain;
	return unpacker.error;
}
