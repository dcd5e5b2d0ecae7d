/*
 * meters.c - the meters that the user named: by --meter, and in the configuration
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/meters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "source/source.h"

/* As "hostname -s" tells it. */
static void find_host(struct utsname *ret)
{
	if (uname(ret) < 0)
		ret->nodename[0] = '\0';
	ret->nodename[strcspn(ret->nodename, ".")] = '\0';
}

static int add(struct es_meters *meters, const char *text, const char *host, struct es_error *err)
{
	struct es_meter_url *urls;
	int r;

	if (meters->n == ES_METERS_MAX)
		return es_error_say(err, -E2BIG, "more than %u meters are named", ES_METERS_MAX);
	urls = reallocarray(meters->urls, meters->n + 1, sizeof(*urls));
	if (!urls)
		return es_error_set(err, -ENOMEM, "meter '%.200s'", text);
	meters->urls = urls;
	r = es_meter_url_parse(text, host, &urls[meters->n], err);
	if (r < 0)
		return r;
	if (!es_registry_find(urls[meters->n].scheme))
		return es_error_say(err, -EINVAL,
				    "meter '%.200s': no meters are named '%s:'; "
				    "energyscopium-meters(7) lists them",
				    text, urls[meters->n].scheme);
	meters->n++;
	return 0;
}

/* @text: lines. */
static int add_lines(struct es_meters *meters, const char *text, const char *host,
		     struct es_error *err)
{
	char line[2 * ES_METER_URL_MAX_BYTES];

	for (const char *p = text; *p;) {
		size_t n = strcspn(p, "\n");
		int r;

		if (n >= sizeof(line))
			return es_error_say(err, -EINVAL, "meter '%.64s…' is too long", p);
		memcpy(line, p, n);
		line[n] = '\0';
		r = add(meters, line, host, err);
		if (r < 0)
			return r;
		p += n;
		p += *p == '\n';
	}
	return 0;
}

int es_meters_check(const char *text, struct es_error *err)
{
	struct es_meters meters = { .n = 0 };
	struct utsname name;
	int r;

	find_host(&name);
	r = add_lines(&meters, text, name.nodename, err);
	es_meters_finish(&meters);
	return r;
}

static bool has_none(const struct es_text_list *named)
{
	for (size_t i = 0; i < named->n; i++)
		if (strcmp(named->texts[i], "none") == 0)
			return true;
	return false;
}

int es_meters_gather(const struct es_settings *settings, const struct es_text_list *named,
		     const char *root, struct es_meters *ret, struct es_error *err)
{
	struct es_meters meters = { .n = 0 };
	struct utsname name;
	int r = 0;

	find_host(&name);
	if (!root && !has_none(named))
		r = add_lines(&meters, settings->meters, name.nodename, err);
	for (size_t i = 0; r == 0 && i < named->n; i++)
		if (strcmp(named->texts[i], "none") != 0)
			r = add(&meters, named->texts[i], name.nodename, err);
	if (r < 0)
		es_meters_finish(&meters);
	*ret = meters;
	return r;
}

void es_meters_finish(struct es_meters *meters)
{
	free(meters->urls);
	*meters = (struct es_meters){ .n = 0 };
}

const struct es_domain *es_meters_silent(const struct es_sampler *sampler, size_t at)
{
	size_t n;
	const struct es_sampler_source *sources = es_sampler_sources(sampler, &n);

	for (size_t i = 0; i < n; i++) {
		const struct es_source *source = sources[i].source;

		if (!source || !sources[i].ops->open_at)
			continue;
		for (size_t j = 0; j < source->n_domains; j++)
			if (!es_sampler_can_read(&source->domains[j]) && at-- == 0)
				return &source->domains[j];
	}
	return NULL;
}

void es_meters_tell(const char *command, const struct es_sampler *sampler)
{
	const struct es_domain *domain;

	for (size_t i = 0; (domain = es_meters_silent(sampler, i)); i++)
		(void)es_complain(command, 0, "%s: %s%s%s: going on without it", domain->id,
				  domain->reason, domain->fix[0] ? "; fix: " : "", domain->fix);
}
