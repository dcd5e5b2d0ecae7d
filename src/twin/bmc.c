/*
 * bmc.c - the management controller of a simulated node comes up, and goes
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/bmc.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "twin/bmc_private.h"

#define GRACE_MS 1000U
#define TIMEOUT_MS 15000U

int es_twin_bmc_random(char *text, size_t size)
{
	unsigned char bytes[64];
	size_t n = (size - 1) / 2;

	if (n > sizeof(bytes) || getrandom(bytes, n, 0) != (ssize_t)n)
		return -EIO;
	for (size_t i = 0; i < n; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

/* A path as part of a URL. */
static void escape(const char *path, char *ret, size_t size)
{
	size_t n = 0;

	for (const char *p = path; *p && n + 4 < size; p++) {
		if (isalnum((unsigned char)*p) || strchr("/._-", *p))
			ret[n++] = *p;
		else
			n += (size_t)snprintf(ret + n, size - n, "%%%02X", (unsigned char)*p);
	}
	ret[n] = '\0';
}

static int set_url(char *ret, size_t size, const char *scheme, uint16_t port, const char *mount,
		   const char *more, bool is_accurate)
{
	char path[ES_PATH_MAX_BYTES + 64], place[ES_PATH_MAX_BYTES];
	int n;

	(void)snprintf(path, sizeof(path), "%s/" ES_TWIN_BMC_FOLDER "/credentials", mount);
	if (strlen(path) * 3 >= sizeof(place))
		return -ENAMETOOLONG;
	escape(path, place, sizeof(place));
	/* How far it may be off is known here: es_twin_make_bmc(). Of one that is far off nobody was told. */
	n = snprintf(ret, size, "%s://127.0.0.1:%u?%s%s&credentials=%s", scheme, port, more,
		     is_accurate ? "&accuracy=1%25" : "", place);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

static bool is_accurate(const struct es_twin_bmc *bmc)
{
	return bmc->host->kind->meters.bmc_gain_ppm == 0;
}

static int start_redfish(struct es_twin_bmc *bmc, const struct es_twin_bmc_options *options,
			 struct es_error *err)
{
	struct es_httpd_options server = { .port = options->redfish_port,
					   .cert_file = options->cert_file,
					   .key_file = options->key_file,
					   .arg = bmc,
					   .n_connections = 64,
					   .timeout_ms = TIMEOUT_MS };
	int r = es_httpd_library_open(NULL, &bmc->library, err);

	if (r < 0)
		return r;
	server.routes = es_twin_redfish_routes(&server.n_routes);
	r = es_httpd_start(bmc->library, &server, &bmc->httpd, err);
	if (r < 0)
		return r;
	return set_url(bmc->redfish_url, sizeof(bmc->redfish_url), "redfish",
		       es_httpd_port(bmc->httpd), options->mount,
		       options->cert_file ? "verify=no" : "scheme=http", is_accurate(bmc));
}

static int start_dcmi(struct es_twin_bmc *bmc, const struct es_twin_bmc_options *options,
		      struct es_error *err)
{
	int r = es_twin_ipmi_start(bmc, options, err);

	/* The simulator refuses DCMI to all but administrators. */
	return r < 0 ? r
		     : set_url(bmc->dcmi_url, sizeof(bmc->dcmi_url), "dcmi", bmc->dcmi_port,
			       options->mount, "privilege=admin", is_accurate(bmc));
}

static int init(struct es_twin_bmc *bmc)
{
	pthread_condattr_t attributes;

	if (pthread_condattr_init(&attributes) != 0)
		return -ENOMEM;
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&bmc->lock, NULL);
	(void)pthread_cond_init(&bmc->changed, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	bmc->has_lock = true;
	return es_twin_bmc_random(bmc->password, sizeof(bmc->password));
}

static void show(struct es_twin_host *host, struct es_twin_bmc *bmc)
{
	(void)es_twin_host_lock(host);
	host->bmc = bmc;
	es_twin_host_unlock(host);
}

int es_twin_bmc_start(struct es_twin_host *host, const struct es_twin_bmc_options *options,
		      struct es_twin_bmc **ret, struct es_error *err)
{
	struct es_error no_redfish = { .code = 0 }, no_dcmi = { .code = 0 };
	struct es_twin_bmc *bmc;
	int r;

	if (!host->view)
		return es_error_say(err, -EOPNOTSUPP,
				    "a node of kind %s has no management controller",
				    host->kind->name);
	bmc = calloc(1, sizeof(*bmc));
	if (!bmc)
		return es_error_set(err, -ENOMEM, "management controller");
	bmc->host = host;
	r = init(bmc);
	if (r < 0) {
		es_twin_bmc_stop(bmc);
		return es_error_set(err, r, "management controller");
	}
	if (start_redfish(bmc, options, &no_redfish) < 0)
		bmc->redfish_url[0] = '\0';
	if (start_dcmi(bmc, options, &no_dcmi) < 0)
		bmc->dcmi_url[0] = '\0';
	if (!bmc->redfish_url[0] && !bmc->dcmi_url[0]) {
		es_twin_bmc_stop(bmc);
		return es_error_say(err, -EOPNOTSUPP, "no Redfish: %.400s; no DCMI: %.400s",
				    no_redfish.text, no_dcmi.text);
	}
	if (err)
		*err = (struct es_error){ .code = 0 };
	if (!bmc->redfish_url[0])
		(void)es_error_say(err, 0, "no Redfish: %.900s", no_redfish.text);
	if (!bmc->dcmi_url[0])
		(void)es_error_say(err, 0, "no DCMI: %.900s", no_dcmi.text);
	show(host, bmc);
	*ret = bmc;
	return 0;
}

void es_twin_bmc_stop(struct es_twin_bmc *bmc)
{
	if (!bmc)
		return;
	show(bmc->host, NULL);
	es_httpd_stop(bmc->httpd, GRACE_MS);
	es_httpd_library_close(bmc->library);
	es_twin_ipmi_stop(bmc);
	if (bmc->has_lock) {
		(void)pthread_cond_destroy(&bmc->changed);
		(void)pthread_mutex_destroy(&bmc->lock);
	}
	explicit_bzero(bmc, sizeof(*bmc));
	free(bmc);
}

const char *es_twin_bmc_redfish_url(const struct es_twin_bmc *bmc)
{
	return bmc->redfish_url;
}

const char *es_twin_bmc_dcmi_url(const struct es_twin_bmc *bmc)
{
	return bmc->dcmi_url;
}

void es_twin_bmc_json(const struct es_twin_bmc *bmc, struct es_json *json)
{
	es_json_array(json, "controllers");
	if (bmc && bmc->redfish_url[0])
		es_json_string(json, NULL, bmc->redfish_url);
	if (bmc && bmc->dcmi_url[0])
		es_json_string(json, NULL, bmc->dcmi_url);
	es_json_array_end(json);
}
