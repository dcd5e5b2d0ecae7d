/*
 * opened.c - the meters of a machine, opened: those that are found, and those that are named
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "sampler/opened.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/url.h"

/* Domains and signals of a source that was opened, behind those of the others. */
static int take_source(struct es_opened *opened, struct es_sampler_source *entry)
{
	struct es_domain *domains;
	int r = entry->ops->plan(entry->source, &entry->plan);

	entry->first_signal = opened->signals.n;
	if (r == 0)
		r = es_signal_reads_add(&opened->signals, entry->source);
	if (r < 0)
		return r;
	entry->n = entry->source->n_domains;
	if (entry->n == 0)
		return 0;
	domains = reallocarray(opened->domains, opened->n_domains + entry->n, sizeof(*domains));
	if (!domains)
		return -ENOMEM;
	opened->domains = domains;
	for (size_t i = 0; i < entry->n; i++) {
		struct es_domain *domain = &domains[opened->n_domains + i];

		*domain = entry->source->domains[i];
		if (domain->parent >= 0)
			domain->parent += (int32_t)entry->first_domain;
		if (domain->duplicate_of >= 0)
			domain->duplicate_of += (int32_t)entry->first_domain;
	}
	opened->n_domains += entry->n;
	return 0;
}

static int add_source(struct es_opened *opened, const struct es_root *root,
		      const struct es_source_ops *ops)
{
	struct es_sampler_source *entry = &opened->sources[opened->n_sources];
	struct es_error why = { .code = 0 };
	int r;

	*entry = (struct es_sampler_source){ .ops = ops, .first_domain = opened->n_domains };
	r = ops->open(root, &entry->source, &why);
	opened->n_sources++;
	if (r == 0)
		return take_source(opened, entry);
	entry->source = NULL;
	(void)snprintf(entry->absent, sizeof(entry->absent), "%.*s", (int)sizeof(entry->absent) - 1,
		       why.text);
	return r == -ENOMEM ? r : 0;
}

int es_opened_add(struct es_opened *opened, struct es_source *source)
{
	size_t n = opened->n_sources + 1;
	struct es_sampler_source *sources = reallocarray(opened->sources, n, sizeof(*sources));

	if (!sources) {
		source->ops->close(source);
		return -ENOMEM;
	}
	opened->sources = sources;
	opened->n_sources = n;
	sources[n - 1] = (struct es_sampler_source){ .source = source,
						     .ops = source->ops,
						     .first_domain = opened->n_domains };
	return take_source(opened, &sources[n - 1]);
}

static bool has_id(const struct es_opened *opened, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(opened->domains[i].id, id) == 0)
			return true;
	return false;
}

/* Two meters of one kind may show a domain each of the same name: the later ones are numbered. */
static void make_unique(struct es_opened *opened, const struct es_sampler_source *entry)
{
	for (size_t i = entry->first_domain; i < entry->first_domain + entry->n; i++) {
		struct es_domain *domain = &opened->domains[i];
		char id[ES_NAME_MAX_BYTES];

		memcpy(id, domain->id, sizeof(id));
		for (unsigned number = 2; has_id(opened, i, domain->id); number++)
			(void)snprintf(domain->id, sizeof(domain->id), "%.240s@%u", id, number);
		/* Two that are no part of the node are no twins. */
		if (domain->type == ES_DOMAIN_OTHER)
			(void)snprintf(domain->name, sizeof(domain->name), "%s",
				       strchr(domain->id, '/') + 1);
	}
}

static int begin_meter(struct es_opened *opened, const struct es_root *root,
		       const struct es_meter_url *url, struct es_error *err)
{
	struct es_sampler_source *entry = &opened->sources[opened->n_sources];
	const struct es_source_ops *ops = es_registry_find(url->scheme);
	int r;

	if (!ops)
		return es_error_say(err, -EINVAL, "meter '%.200s': no meters are named '%s:'",
				    url->text, url->scheme);
	*entry = (struct es_sampler_source){ .ops = ops };
	r = ops->open_at(root, url, &entry->source, err);
	if (r == 0)
		opened->n_sources++;
	return r;
}

static int settle_meter(struct es_opened *opened, struct es_sampler_source *entry,
			const struct es_meter_url *url, struct es_error *err)
{
	int r = entry->ops->settle(entry->source, err);

	entry->first_domain = opened->n_domains;
	if (r == 0)
		r = take_source(opened, entry);
	if (r == 0)
		make_unique(opened, entry);
	return r < 0 ? es_error_set(err, r, "meter '%.200s'", url->text) : 0;
}

static bool is_package(const struct es_domain *domain)
{
	return domain->type == ES_DOMAIN_PACKAGE || domain->type == ES_DOMAIN_DIE;
}

/* Whether the sources opened so far read every package that they know of, and know of one. */
static bool has_packages(const struct es_opened *opened)
{
	bool has_any = false;

	for (size_t i = 0; i < opened->n_domains; i++) {
		const struct es_domain *domain = &opened->domains[i];
		bool is_read = es_sampler_can_read(domain);

		if (!is_package(domain))
			continue;
		for (size_t j = 0; j < opened->n_domains && !is_read; j++)
			is_read = es_sampler_can_read(&opened->domains[j]) &&
				  es_domain_is_twin(&opened->domains[j], domain);
		if (!is_read)
			return false;
		has_any = true;
	}
	return has_any;
}

static bool is_needed(const struct es_opened *opened, const struct es_root *root,
		      const struct es_source_ops *ops)
{
	return ops->is_needed ? ops->is_needed(root, opened->domains, opened->n_domains)
			      : !has_packages(opened);
}

static void leave_closed(struct es_opened *opened, const struct es_source_ops *ops)
{
	struct es_sampler_source *entry = &opened->sources[opened->n_sources++];

	*entry = (struct es_sampler_source){ .ops = ops, .first_domain = opened->n_domains };
	(void)snprintf(entry->absent, sizeof(entry->absent),
		       "not opened: the sources before it show the same counters");
}

void es_opened_finish(struct es_opened *opened)
{
	for (size_t i = 0; i < opened->n_sources; i++)
		if (opened->sources[i].source && opened->sources[i].ops->end)
			opened->sources[i].ops->end(opened->sources[i].source);
	for (size_t i = 0; i < opened->n_sources; i++)
		if (opened->sources[i].source)
			opened->sources[i].ops->close(opened->sources[i].source);
	free(opened->sources);
	free(opened->domains);
	es_signal_reads_finish(&opened->signals);
	*opened = (struct es_opened){ .n_sources = 0 };
}

static int open_all(struct es_opened *opened, const struct es_root *root,
		    const struct es_sampler_options *options, struct es_error *err)
{
	size_t n;
	int r = 0;

	for (size_t i = 0; r == 0 && es_registry_at(i); i++) {
		const struct es_source_ops *ops = es_registry_at(i);

		if (!ops->open)
			continue;
		if (ops->is_spare && !options->wants_spares && !is_needed(opened, root, ops))
			leave_closed(opened, ops);
		else
			r = add_source(opened, root, ops);
	}
	n = opened->n_sources;
	/* However many do not answer: all of them have the same time for it. */
	for (size_t i = 0; r == 0 && i < options->n_meters; i++)
		r = begin_meter(opened, root, &options->meters[i], err);
	for (size_t i = 0; r == 0 && i < options->n_meters; i++)
		r = settle_meter(opened, &opened->sources[n + i], &options->meters[i], err);
	return r;
}

int es_opened_init(struct es_opened *ret, const struct es_root *root,
		   const struct es_sampler_options *options, struct es_error *err)
{
	const struct es_sampler_options none = { .n_meters = 0 };
	struct es_opened opened = { .n_sources = 0 };
	size_t n = 0;
	int r;

	options = options ? options : &none;
	while (es_registry_at(n))
		n++;
	opened.sources = calloc(n + options->n_meters + 1, sizeof(*opened.sources));
	r = opened.sources ? open_all(&opened, root, options, err) : -ENOMEM;
	if (r < 0) {
		es_opened_finish(&opened);
		return r;
	}
	*ret = opened;
	return 0;
}

int es_opened_users(const struct es_opened *opened, struct es_gpu_user *ret, size_t max)
{
	int n = -EOPNOTSUPP;

	for (size_t i = 0; i < opened->n_sources; i++) {
		const struct es_sampler_source *entry = &opened->sources[i];
		size_t had = n > 0 ? (size_t)n : 0;
		int more = entry->source && entry->ops->users
				   ? entry->ops->users(entry->source, ret + had, max - had)
				   : -EOPNOTSUPP;

		if (more >= 0)
			n = (int)had + more;
	}
	return n;
}
