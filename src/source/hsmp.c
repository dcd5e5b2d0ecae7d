/*
 * source/hsmp.c - energy or power of AMD's EPYC packages, as their firmware tells it (HSMP)
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * A message takes the firmware up to a millisecond, and the driver waits 100 ms for one that never answers: they are
 * sent by a thread of their own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "source/aside.h"
#include "source/hsmp_table.h"
#include "source/kept.h"
#include "source/source.h"
#include "sys/cpus.h"
#include "sys/hsmp.h"

__extension__ typedef unsigned __int128 es_u128;

#define SOCKETS_MAX 8U /* the driver's own bound */
#define START_MAX_NS (10 * ES_NS_PER_S)
#define PERIOD_NS (100 * ES_NS_PER_MS) /* each message interrupts the firmware */
#define STALE_NS (3 * ES_NS_PER_S) /* as long with one time in it: the firmware has stopped */
#define TABLE_STEPS_PER_J 65536U

enum meter {
	METER_NONE,
	METER_TABLE, /* steps of 2^-16 J in metrics_bin */
	METER_COUNTER, /* message 0x32 */
	METER_POWER, /* message 0x04 */
};

struct socket {
	enum meter meter;
	unsigned shift; /* a step of the counter is 2^-shift J */
	struct es_kept table;
	struct es_stamps stamps;
	int64_t new_t_ns; /* when the table last had something new */
};

struct hsmp {
	struct es_aside_work work;
	struct es_root root; /* a descriptor of its own */
	struct es_kept device; /* opened by es_hsmp_open(), not for reading */
	struct socket sockets[SOCKETS_MAX];
	uint16_t n;
	bool is_apu;
};

static int ask(struct hsmp *hsmp, enum es_hsmp_message_id id, uint16_t socket, uint16_t n_answers,
	       uint32_t *ret)
{
	if (hsmp->device.fd < 0)
		return hsmp->device.error;
	return es_hsmp_ask(&hsmp->root, hsmp->device.fd, id, socket, n_answers, ret);
}

static int read_table(struct hsmp *hsmp, struct socket *socket, int64_t now_ns,
		      struct es_hsmp_table *ret)
{
	char data[4096];
	ssize_t n = es_kept_read(&hsmp->root, &socket->table, now_ns, data, sizeof(data));

	return n < 0 ? (int)n : es_hsmp_table_parse((const uint8_t *)data, (size_t)n, ret);
}

static int read_counter(struct hsmp *hsmp, uint16_t i, uint64_t *ret_uj)
{
	uint32_t words[2];
	int r = ask(hsmp, ES_HSMP_RAPL_PACKAGE, i, 2, words);
	uint64_t steps = (uint64_t)words[1] << 32 | words[0];
	es_u128 energy_uj;

	if (r < 0)
		return r;
	energy_uj = (es_u128)steps * 1000000 >> hsmp->sockets[i].shift;
	if (energy_uj > INT64_MAX)
		return -ERANGE;
	*ret_uj = (uint64_t)energy_uj;
	return 0;
}

/* The driver has the table's file for each socket, below its own device or below that of ACPI. */
static void open_table(struct hsmp *hsmp, uint16_t i)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "sys/devices/platform/amd_hsmp/socket%u/metrics_bin", i);
	if (!es_root_exists(&hsmp->root, path))
		(void)snprintf(path, sizeof(path),
			       "sys/bus/platform/devices/AMDI0097:%02x/metrics_bin", i);
	(void)es_kept_open(&hsmp->root, path, &hsmp->sockets[i].table);
}

/* The best that this socket has; negative errno: why it has none, -ENODEV: there is no such socket. */
static int probe(struct hsmp *hsmp, uint16_t i)
{
	struct socket *socket = &hsmp->sockets[i];
	struct es_hsmp_table table;
	uint32_t units = 0, power_mw;
	uint64_t energy_uj;
	int r;

	open_table(hsmp, i);
	/* Of other processors the table has another layout, and its energy is known by the messages. */
	if (hsmp->is_apu && read_table(hsmp, socket, 0, &table) == 0) {
		socket->meter = METER_TABLE;
		return 0;
	}
	if (ask(hsmp, ES_HSMP_RAPL_UNITS, i, 1, &units) == 0) {
		socket->shift = units >> 8 & 0x1f;
		/* A counter at 0 counts nothing: the processor was started long ago. */
		if (socket->shift > 0 && read_counter(hsmp, i, &energy_uj) == 0 && energy_uj > 0) {
			socket->meter = METER_COUNTER;
			return 0;
		}
	}
	r = ask(hsmp, ES_HSMP_SOCKET_POWER, i, 1, &power_mw);
	if (r == 0)
		socket->meter = METER_POWER;
	return r;
}

static void say_limit(struct hsmp *hsmp, uint16_t i, struct es_domain *domain)
{
	uint32_t limit_mw = 0;
	const char *kind = "limit";

	if (ask(hsmp, ES_HSMP_POWER_LIMIT, i, 1, &limit_mw) < 0 || limit_mw == 0) {
		kind = "max";
		if (ask(hsmp, ES_HSMP_POWER_LIMIT_MAX, i, 1, &limit_mw) < 0 || limit_mw == 0)
			return;
	}
	domain->limit_mw = limit_mw;
	(void)snprintf(domain->limit_kind, sizeof(domain->limit_kind), "%s", kind);
}

static void init_domain(bool is_apu, uint16_t i, struct es_domain *domain)
{
	es_domain_init(domain, es_source_hsmp.name, is_apu ? ES_DOMAIN_MODULE : ES_DOMAIN_PACKAGE,
		       i, -1);
	domain->kind = ES_KIND_MEASURED;
	domain->update_period_ns = ES_NS_PER_MS;
	if (is_apu)
		(void)snprintf(domain->reason, sizeof(domain->reason),
			       "the processor with its graphics: contains the package");
}

static void describe(struct hsmp *hsmp, uint16_t i, int error, struct es_domain *domain)
{
	const struct socket *socket = &hsmp->sockets[i];

	init_domain(hsmp->is_apu, i, domain);
	switch (socket->meter) {
	case METER_TABLE:
		domain->range.unit_nj = UINT64_C(1000000000) / TABLE_STEPS_PER_J + 1;
		break;
	case METER_COUNTER:
		domain->range.unit_nj = (UINT64_C(1000000000) >> socket->shift) + 1;
		break;
	case METER_POWER:
		domain->is_power = true;
		domain->kind = ES_KIND_INTEGRATED;
		domain->update_period_ns = PERIOD_NS;
		break;
	case METER_NONE:
		domain->state = ES_STATE_ABSENT;
		domain->is_there = true;
		(void)snprintf(domain->reason, sizeof(domain->reason),
			       "the firmware does not tell its power: %.150s", es_strerror(error));
		return;
	}
	say_limit(hsmp, i, domain);
}

static int hsmp_begin(void *arg, struct es_error *err)
{
	struct hsmp *hsmp = arg;
	int r = es_hsmp_open(&hsmp->root), first = -ENODEV;

	(void)snprintf(hsmp->device.path, sizeof(hsmp->device.path), ES_HSMP_PATH);
	hsmp->device.fd = r < 0 ? -1 : r;
	hsmp->device.error = r < 0 ? r : 0;
	hsmp->is_apu = es_hsmp_is_apu(&hsmp->root);
	hsmp->work.domains = calloc(SOCKETS_MAX, sizeof(*hsmp->work.domains));
	if (!hsmp->work.domains)
		return es_error_set(err, -ENOMEM, "hsmp");
	for (uint16_t i = 0; i < SOCKETS_MAX; i++) {
		r = probe(hsmp, i);
		if (r < 0 && i == 0)
			first = r;
		/* No more sockets; or none at all, whatever keeps them from being asked. */
		if (r == -ENODEV || (r < 0 && hsmp->device.fd < 0) || r == -ENOTTY) {
			es_kept_close(&hsmp->sockets[i].table);
			break;
		}
		describe(hsmp, i, r, &hsmp->work.domains[hsmp->n++]);
	}
	hsmp->work.n_domains = hsmp->n;
	if (hsmp->n > 0)
		return hsmp->n;
	if (first == -ENOTTY)
		first = -ENODEV;
	return es_error_say(err, first, "/%s cannot be asked: %s", ES_HSMP_PATH,
			    es_strerror(first));
}

static int take_table(struct hsmp *hsmp, uint16_t i, int64_t t_ns, struct es_reading *ret)
{
	struct socket *socket = &hsmp->sockets[i];
	struct es_hsmp_table table;
	es_u128 energy_uj;
	int64_t placed_ns;
	int r = read_table(hsmp, socket, t_ns, &table);

	if (r < 0)
		return r;
	energy_uj = (es_u128)table.energy_steps * 1000000 / TABLE_STEPS_PER_J;
	if (energy_uj > INT64_MAX)
		return -ERANGE;
	placed_ns = es_stamps_place(&socket->stamps, table.time_ns, t_ns);
	if (placed_ns < 0)
		return t_ns - socket->new_t_ns > STALE_NS ? -ENODATA : -ECANCELED;
	socket->new_t_ns = t_ns;
	ret->t_ns = placed_ns;
	ret->value = (uint64_t)energy_uj;
	return 0;
}

static int read_socket(struct hsmp *hsmp, uint16_t i, int64_t t_ns, struct es_reading *ret)
{
	uint32_t power_mw = 0;
	int r = -EOPNOTSUPP;

	switch (hsmp->sockets[i].meter) {
	case METER_TABLE:
		return take_table(hsmp, i, t_ns, ret);
	case METER_COUNTER:
		return read_counter(hsmp, i, &ret->value);
	case METER_POWER:
		r = ask(hsmp, ES_HSMP_SOCKET_POWER, i, 1, &power_mw);
		ret->value = power_mw;
		return r;
	case METER_NONE:
		break;
	}
	return r;
}

/* A driver that was loaded again has another device under the same name. */
static void open_again(struct hsmp *hsmp, int64_t now_ns)
{
	int fd;

	if (!es_kept_is_due(&hsmp->device, now_ns))
		return;
	fd = es_hsmp_open(&hsmp->root);
	if (fd < 0)
		return;
	es_kept_close(&hsmp->device);
	hsmp->device.fd = fd;
	hsmp->device.error = 0;
}

static void hsmp_sweep(void *arg, struct es_reading *ret, size_t n)
{
	struct hsmp *hsmp = arg;

	(void)n;
	for (uint16_t i = 0; i < hsmp->n; i++) {
		int64_t t0_ns = es_clock_boot_ns(), t1_ns, t_ns;
		int r;

		ret[i] = (struct es_reading){ .t_ns = 0 };
		r = read_socket(hsmp, i, t0_ns, &ret[i]);
		if (r == -ENODEV || r == -ENXIO || r == -EBADF) {
			open_again(hsmp, t0_ns);
			r = read_socket(hsmp, i, t0_ns, &ret[i]);
		}
		t1_ns = es_clock_boot_ns();
		t_ns = t0_ns + (t1_ns - t0_ns) / 2;
		ret[i].error = r;
		ret[i].width_ns = t1_ns - t0_ns;
		if (r < 0 || hsmp->sockets[i].meter != METER_TABLE)
			ret[i].t_ns = t_ns;
		if (r == 0)
			hsmp->device.pause_ns = 0;
	}
}

static void hsmp_end(void *arg)
{
	struct hsmp *hsmp = arg;

	for (uint16_t i = 0; i < SOCKETS_MAX; i++)
		es_kept_close(&hsmp->sockets[i].table);
	es_kept_close(&hsmp->device);
	es_root_close(&hsmp->root);
	free(hsmp->work.domains);
	free(hsmp);
}

static const struct es_slow_ops slow_ops = {
	.name = "es-hsmp",
	.begin = hsmp_begin,
	.read = hsmp_sweep,
	.end = hsmp_end,
};

/* One domain for each package, that says why it cannot be asked. */
static int list_denied(const struct es_root *root, struct es_source **ret, struct es_error *err)
{
	es_cleanup(es_freep) struct es_domain *domains = calloc(SOCKETS_MAX, sizeof(*domains));
	struct es_cpus cpus = { .n = 0 };
	uint16_t n = 0;
	int r = domains ? es_cpus_read(root, false, &cpus) : -ENOMEM;

	for (size_t i = 0; r >= 0 && i < cpus.n && n < SOCKETS_MAX; i++) {
		struct es_kept device = { .path = ES_HSMP_PATH, .fd = -1 };

		if (i > 0 && cpus.cpu[i].package == cpus.cpu[i - 1].package)
			continue;
		init_domain(es_hsmp_is_apu(root), n, &domains[n]);
		es_kept_explain(root, &device, -EACCES, &domains[n++]);
	}
	es_cpus_finish(&cpus);
	if (r < 0 || n == 0)
		return es_error_say(err, r < 0 ? r : -EACCES, "/%s may be opened by root only",
				    ES_HSMP_PATH);
	r = es_aside_list(&es_source_hsmp, domains, n, -EACCES, ret, err);
	if (r == 0)
		(void)es_steal_ptr(domains);
	return r;
}

static int hsmp_open(const struct es_root *root, struct es_source **ret, struct es_error *err)
{
	struct es_error why = { .code = 0 };
	struct hsmp *hsmp;
	int r;

	if (!es_root_exists(root, ES_HSMP_PATH) &&
	    !es_root_exists(root, "sys/devices/platform/amd_hsmp/socket0/metrics_bin") &&
	    !es_root_exists(root, "sys/bus/platform/devices/AMDI0097:00/metrics_bin"))
		return es_error_say(
			err, -ENODEV,
			"no /dev/hsmp: an EPYC of 2021 or later has it, with HSMP on in its BIOS and the driver amd_hsmp loaded");
	hsmp = calloc(1, sizeof(*hsmp));
	r = hsmp ? es_root_dup(root, &hsmp->root) : -ENOMEM;
	if (r < 0) {
		free(hsmp);
		return es_error_set(err, r, "hsmp");
	}
	hsmp->device.fd = -1;
	for (uint16_t i = 0; i < SOCKETS_MAX; i++)
		hsmp->sockets[i].table.fd = -1;
	r = es_aside_open(&es_source_hsmp, &slow_ops, &hsmp->work, START_MAX_NS, PERIOD_NS, ret,
			  &why);
	if (r == -EACCES || r == -EPERM)
		return list_denied(root, ret, err);
	if (r < 0 && err)
		*err = why;
	return r;
}

const struct es_source_ops es_source_hsmp = {
	.name = "hsmp",
	.is_spare = true,
	.open = hsmp_open,
	.plan = es_aside_plan,
	.read = es_aside_read,
	.ask = es_aside_ask,
	.wait = es_aside_wait,
	.close = es_aside_close,
};
