/*
 * source/bmc.c - a management controller that an URL names: this machine's, or one across a network
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/bmc.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"

/* BMCs forget a session after a minute without a command, +- 3 s (IPMI 2.0, section 6.12.15). */
#define SESSION_NS (50 * ES_NS_PER_S)

static const struct {
	const char *name;
	enum es_ipmi_privilege privilege;
} privileges[] = {
	{ "user", ES_IPMI_USER },
	{ "operator", ES_IPMI_OPERATOR },
	{ "admin", ES_IPMI_ADMIN },
};

static int take_privilege(struct es_bmc *bmc, const struct es_meter_url *url, struct es_error *err)
{
	const char *name = es_meter_url_param(url, "privilege");

	/* As ipmitool and FreeIPMI do for readings; fewer BMCs refuse it than "user". */
	bmc->privilege = ES_IPMI_OPERATOR;
	if (!name)
		return 0;
	for (size_t i = 0; i < ES_ARRAY_SIZE(privileges); i++)
		if (strcmp(privileges[i].name, name) == 0) {
			bmc->privilege = privileges[i].privilege;
			return 0;
		}
	return es_error_say(err, -EINVAL, "meter '%.200s': privilege= is user, operator or admin",
			    url->text);
}

static int take_cipher(struct es_bmc *bmc, const struct es_meter_url *url, struct es_error *err)
{
	const char *text = es_meter_url_param(url, "cipher");
	int64_t cipher = 0;

	/* Suites without authentication (0), integrity (1, 2 …) or for RC4 are not for measuring bills. */
	if (text && (es_parse_i64(text, &cipher) < 0 || (cipher != 3 && cipher != 17)))
		return es_error_say(err, -EINVAL, "meter '%.200s': cipher= is 3 or 17", url->text);
	bmc->cipher = (uint8_t)cipher;
	return 0;
}

/* A session lasts from one reading to the next, where it can: see es_ipmi_lan. */
static int64_t idle_of(const struct es_meter_url *url)
{
	int64_t period_ns = url->period_ns ? url->period_ns : ES_BMC_LAN_PERIOD_NS;
	int64_t idle_ns = period_ns < url->timeout_ns ? period_ns : url->timeout_ns;

	idle_ns += ES_NS_PER_S;
	return idle_ns < SESSION_NS ? idle_ns : SESSION_NS;
}

int es_bmc_init(struct es_bmc *bmc, const struct es_meter_url *url, struct es_error *err)
{
	int r;

	*bmc = (struct es_bmc){ .is_lan = url->host[0] != '\0', .idle_ns = idle_of(url) };
	r = take_privilege(bmc, url, err);
	if (r == 0)
		r = take_cipher(bmc, url, err);
	if (r == 0 && url->is_energy)
		r = es_error_say(err, -EINVAL, "meter '%.200s': it shows a power: unit=W, mW …",
				 url->text);
	if (r == 0 && bmc->is_lan)
		bmc->library_error = es_ipmi_library_open(&bmc->library, &bmc->library_why);
	return r;
}

void es_bmc_finish(struct es_bmc *bmc)
{
	es_bmc_disconnect(bmc);
	es_ipmi_library_close(&bmc->library);
}

void es_bmc_disconnect(struct es_bmc *bmc)
{
	es_ipmi_close(bmc->ipmi);
	bmc->ipmi = NULL;
}

static int connect_lan(struct es_bmc *bmc, struct es_remote *remote, struct es_error *err)
{
	const struct es_meter_url *url = es_remote_url(remote);
	struct es_credentials credentials = { .user = "" };
	struct es_ipmi_lan lan = {
		.host = url->host,
		.port = url->port,
		.user = credentials.user,
		.password = credentials.password,
		.privilege = bmc->privilege,
		.cipher = bmc->cipher,
		.timeout_ns = url->timeout_ns,
		.idle_ns = bmc->idle_ns,
	};
	int r;

	if (bmc->library_error < 0) {
		es_remote_say_fix(remote, "sudo apt install libfreeipmi17");
		if (err)
			*err = bmc->library_why;
		return bmc->library_error;
	}
	/* Read anew each time: passwords change. Without a file there is the BMC's anonymous user. */
	r = es_meter_url_credentials(url, &credentials, err);
	if (r == 0 || r == -ENOENT)
		r = es_ipmi_open_lan(&bmc->library, &lan, &bmc->ipmi, err);
	es_credentials_finish(&credentials);
	if (r == -EACCES)
		es_remote_say_fix(
			remote,
			es_meter_url_param(url, "credentials")
				? "correct user: and password: in the file of credentials=, or privilege="
				: "name a file with user: and password: as credentials=FILE");
	return r;
}

static int connect_device(struct es_bmc *bmc, struct es_remote *remote, struct es_error *err)
{
	int r = es_ipmi_open_device(es_remote_root(remote), es_remote_url(remote)->timeout_ns,
				    &bmc->ipmi, err);

	if (r == -ENOENT)
		es_remote_say_fix(remote, "sudo modprobe -a ipmi_si ipmi_devintf");
	if (r == -EACCES || r == -EPERM)
		es_remote_say_fix(
			remote, "sudo chgrp energyscopium /dev/ipmi0; sudo chmod 0660 /dev/ipmi0");
	return r;
}

int es_bmc_connect(struct es_bmc *bmc, struct es_remote *remote, struct es_error *err)
{
	int r;

	es_bmc_disconnect(bmc);
	r = bmc->is_lan ? connect_lan(bmc, remote, err) : connect_device(bmc, remote, err);
	if (r == 0)
		bmc->answered_ns = es_clock_boot_ns();
	return r;
}

int es_bmc_wake(struct es_bmc *bmc, struct es_remote *remote)
{
	bool is_old = bmc->is_lan && es_clock_boot_ns() - bmc->answered_ns > bmc->idle_ns;

	return is_old ? es_bmc_connect(bmc, remote, NULL) : 0;
}

void es_bmc_rest(struct es_bmc *bmc)
{
	bmc->answered_ns = es_clock_boot_ns();
}

bool es_bmc_is_lost(const struct es_bmc *bmc, int error)
{
	switch (error) {
	case -ENOTCONN:
	case -EHOSTUNREACH:
	case -ENODEV:
		return true;
	case -ETIMEDOUT:
		/* A session is over then; the kernel's device is still there. */
		return bmc->is_lan;
	default:
		return false;
	}
}

void es_bmc_say_fix(const struct es_bmc *bmc, struct es_remote *remote, int error)
{
	if (error == -EACCES)
		es_remote_say_fix(remote,
				  bmc->is_lan ? "privilege=admin, or a user with more rights" : "");
}
