/*
 * source/powercap.c - RAPL counters through the kernel's powercap zones
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hot.h"
#include "base/parse.h"
#include "source/powercap_zones.h"
#include "source/source.h"

__extension__ typedef unsigned __int128 es_u128;

#define REOPEN_FIRST_NS (50 * ES_NS_PER_MS) /* twice as long after each time in vain */
#define REOPEN_LAST_NS (10 * ES_NS_PER_S)
#define CONSTRAINTS_MAX 8
#define RETRIES 4 /* 1, 2, 4 and 8 ms later */
#define RAPL_STEPS UINT64_C(0xffffffff) /* the counters are 32 bits wide, whatever their unit */
#define ESU_MAX 31
#define AMD_UNIT_NJ 15258 /* 2^-16 J; Intel's Sandy Bridge has it too, but no dies */
#define FIND_ALL "find /sys/devices/virtual/powercap -name energy_uj -exec "

enum vendor {
	VENDOR_UNKNOWN,
	VENDOR_INTEL,
	VENDOR_AMD, /* Hygon too */
};

struct kept {
	int fd; /* energy_uj; -1: not open */
	int error; /* why not */
	int64_t retry_ns; /* not to be opened again before */
	int64_t pause_ns; /* how long it was not tried for */
};

struct powercap {
	struct es_source source;
	struct es_root root; /* a descriptor of its own */
	struct es_powercap_zones zones; /* in the order of the domains */
	struct kept *kept;
};

static int read_attr(const struct es_root *root, const struct es_powercap_zone *zone,
		     const char *attr, uint64_t *ret)
{
	char path[ES_NAME_MAX_BYTES * 2];

	if (snprintf(path, sizeof(path), "%s/%s", zone->path, attr) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return es_root_read_u64(root, path, ret);
}

static enum vendor find_vendor(const struct es_root *root)
{
	es_cleanup(es_closep) int fd = es_root_openat(root, "proc/cpuinfo", O_RDONLY);
	char text[1024];
	const char *line;
	ssize_t n;

	if (fd < 0)
		return VENDOR_UNKNOWN;
	n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return VENDOR_UNKNOWN;
	text[n] = '\0';
	line = strstr(text, "vendor_id");
	line = line ? line + strcspn(line, ":\n") : "";
	if (strncmp(line, ": AuthenticAMD", 14) == 0 || strncmp(line, ": HygonGenuine", 14) == 0)
		return VENDOR_AMD;
	return strncmp(line, ": GenuineIntel", 14) == 0 ? VENDOR_INTEL : VENDOR_UNKNOWN;
}

/*
 * The unit and modulus of a 32-bit counter whose largest value is @max_uj. Today's kernels show count * unit / 1000
 * with a whole unit in nJ; those before 4.x showed count * 10^6 / 2^ESU. Both say only the largest value; the modulus
 * is one step more, and comes out exact for both.
 */
static struct es_counter_range rapl_range(uint64_t max_uj)
{
	es_u128 unit_nj = ((es_u128)max_uj * 1000 + RAPL_STEPS - 1) / RAPL_STEPS;
	es_u128 modulus_nj = (es_u128)max_uj * 1000 + unit_nj;

	if (RAPL_STEPS * unit_nj / 1000 == max_uj)
		modulus_nj = (RAPL_STEPS + 1) * unit_nj;
	else
		for (unsigned esu = 0; esu <= ESU_MAX; esu++)
			if (RAPL_STEPS * 1000000 >> esu == max_uj)
				modulus_nj = (es_u128)(RAPL_STEPS + 1) * 1000000000 >> esu;
	/* No real counter; and a wrap is never guessed. */
	if (modulus_nj > UINT64_MAX)
		return (struct es_counter_range){ .unit_nj = 0 };
	return (struct es_counter_range){ .unit_nj = (uint64_t)unit_nj,
					  .modulus_nj = (uint64_t)modulus_nj };
}

static void find_range(const struct es_root *root, const struct es_powercap_zone *zone,
		       struct es_domain *domain)
{
	uint64_t max_uj = 0;
	int r = read_attr(root, zone, "max_energy_range_uj", &max_uj);

	if (r == 0 && max_uj > 0 && zone->is_rapl) {
		domain->range = rapl_range(max_uj);
	} else if (r == 0 && max_uj > 0 && max_uj < UINT64_MAX / 1000) {
		domain->range = (struct es_counter_range){ .unit_nj = 1000,
							   .modulus_nj = (max_uj + 1) * 1000 };
	}
	if (domain->range.modulus_nj == 0)
		(void)snprintf(domain->reason, sizeof(domain->reason),
			       "its range cannot be read (%s): a wrap is taken for a reset",
			       r < 0 ? es_strerror(r) : "out of bounds");
}

/* Limits and the highest power the maker states; returns the number of constraints. */
static unsigned find_limits(const struct es_root *root, const struct es_powercap_zone *zone,
			    struct es_domain *domain)
{
	uint64_t most_mw = 4 * domain->peak_mw;
	unsigned n;

	for (n = 0; n < CONSTRAINTS_MAX; n++) {
		char path[ES_NAME_MAX_BYTES * 2], name[64];
		uint64_t max_uw = 0, limit_uw = 0;

		(void)snprintf(path, sizeof(path), "%s/constraint_%u_name", zone->path, n);
		if (es_root_read_line(root, path, name, sizeof(name)) < 0)
			break;
		(void)snprintf(path, sizeof(path), "constraint_%u_max_power_uw", n);
		/* Missing for many (ENODATA), and only ever a reason to believe more than the default, within reason. */
		if (read_attr(root, zone, path, &max_uw) == 0 && max_uw / 500 > domain->peak_mw)
			domain->peak_mw = max_uw / 500 < most_mw ? max_uw / 500 : most_mw;
		if (strcmp(name, "long_term") != 0)
			continue;
		(void)snprintf(path, sizeof(path), "constraint_%u_power_limit_uw", n);
		if (read_attr(root, zone, path, &limit_uw) == 0 && limit_uw >= 1000) {
			domain->limit_mw = limit_uw / 1000;
			(void)snprintf(domain->limit_kind, sizeof(domain->limit_kind), "long_term");
		}
	}
	return n;
}

/* The command that opens the counters to this user's group only: open to all they tell secrets (CVE-2020-8694). */
static void say_denied(const struct es_root *root, struct es_domain *domain)
{
	uid_t uid = root->judges_rights ? root->uid : geteuid();
	gid_t gid = root->judges_rights ? root->gid : getegid();

	domain->state = ES_STATE_DENIED;
	if (uid == 0) {
		(void)snprintf(
			domain->reason, sizeof(domain->reason),
			"refused even to root: a container or a security module holds it back");
		(void)snprintf(domain->fix, sizeof(domain->fix),
			       "on the host, not in the container: " FIND_ALL "chmod 0444 {} +");
		return;
	}
	(void)snprintf(domain->reason, sizeof(domain->reason),
		       "energy_uj may be read by root only");
	(void)snprintf(domain->fix, sizeof(domain->fix),
		       "sudo " FIND_ALL "chgrp %u {} + -exec chmod 0440 {} +", (unsigned)gid);
}

static int open_energy(const struct es_root *root, const struct es_powercap_zone *zone)
{
	char path[ES_NAME_MAX_BYTES * 2];

	if (snprintf(path, sizeof(path), "%s/energy_uj", zone->path) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return es_root_openat(root, path, O_RDONLY);
}

es_hot static int read_energy(const struct es_root *root, int fd, uint64_t *ret_uj)
{
	char text[64];
	ssize_t n = es_root_pread(root, fd, text, sizeof(text));

	return n < 0 ? (int)n : es_parse_u64_sysfs(text, (size_t)n, ret_uj);
}

/* Refused, not there, or too many files open: a moment later it is the same. */
static bool is_lasting(int error)
{
	return error == -EACCES || error == -EPERM || error == -ENOENT || error == -EMFILE ||
	       error == -ENFILE || error == -ELOOP;
}

static void say_absent(const struct es_powercap_zone *zone, struct es_domain *domain, int error)
{
	domain->state = ES_STATE_ABSENT;
	(void)snprintf(domain->reason, sizeof(domain->reason), "energy_uj cannot be read: %.200s",
		       error == -EBADMSG ? "it does not show what it should" : es_strerror(error));
	if (error == -EMFILE || error == -ENFILE)
		(void)snprintf(domain->fix, sizeof(domain->fix), "ulimit -n 1024");
	else if (error != -ELOOP && error != -ENOENT && strcmp(zone->control, "intel-rapl") == 0)
		(void)snprintf(domain->fix, sizeof(domain->fix),
			       "sudo modprobe -r intel_rapl_msr && sudo modprobe intel_rapl_msr");
}

static void open_kept(const struct es_root *root, const struct es_powercap_zone *zone,
		      struct es_domain *domain, struct kept *kept)
{
	struct timespec pause = { .tv_nsec = ES_NS_PER_MS };
	uint64_t value_uj;
	int r = 0;

	/* Nothing yet, or a driver being loaded: a moment later there is a value, or there is none. */
	for (int tries = 0; tries <= RETRIES; tries++, pause.tv_nsec *= 2) {
		if (tries > 0)
			(void)nanosleep(&pause, NULL);
		kept->fd = open_energy(root, zone);
		r = kept->fd < 0 ? kept->fd : read_energy(root, kept->fd, &value_uj);
		if (r == 0 || is_lasting(r))
			break;
		es_closep(&kept->fd);
		kept->fd = -1;
	}
	kept->error = r;
	if (r == 0)
		return;
	es_closep(&kept->fd);
	kept->fd = -1;
	domain->is_there = r != -ENOENT && r != -ELOOP;
	if (r == -EACCES || r == -EPERM)
		say_denied(root, domain);
	else
		say_absent(zone, domain, r);
}

static void describe(struct powercap *powercap, size_t i, enum vendor vendor,
		     bool package_is_limited)
{
	const struct es_powercap_zone *zone = &powercap->zones.zone[i];
	struct es_domain *domain = &powercap->source.domains[i];

	es_domain_init(domain, es_source_powercap.name, zone->type, zone->package, zone->die);
	domain->kind = ES_KIND_MEASURED;
	domain->parent = zone->parent;
	domain->update_period_ns = ES_NS_PER_MS;
	/* What has no place of its own keeps the zone's name: psys, psys-1, and what we do not know. */
	if (zone->type == ES_DOMAIN_PSYS || zone->type == ES_DOMAIN_OTHER || zone->package < 0)
		(void)snprintf(domain->name, sizeof(domain->name), "%s", zone->name);
	if (strcmp(zone->control, "intel-rapl") == 0)
		(void)snprintf(domain->id, sizeof(domain->id), "powercap/%.200s", domain->name);
	else
		(void)snprintf(domain->id, sizeof(domain->id), "powercap/%.60s:%.150s",
			       zone->control, domain->name);
	for (size_t j = 0; j < i; j++)
		if (strcmp(powercap->source.domains[j].id, domain->id) == 0)
			(void)snprintf(domain->id, sizeof(domain->id), "powercap/%.200s",
				       zone->zone);
	find_range(&powercap->root, zone, domain);
	domain->may_mirror = zone->die >= 0 &&
			     (vendor == VENDOR_AMD ||
			      (vendor == VENDOR_UNKNOWN && domain->range.unit_nj == AMD_UNIT_NJ));
	domain->is_partial = zone->type == ES_DOMAIN_CORE &&
			     (vendor == VENDOR_AMD ||
			      (vendor == VENDOR_UNKNOWN && domain->range.unit_nj == AMD_UNIT_NJ &&
			       !package_is_limited));
	if (domain->is_partial)
		(void)snprintf(domain->reason, sizeof(domain->reason),
			       "one core only, not the cores of the package");
	if (zone->type != ES_DOMAIN_OTHER)
		return;
	/* It may hold what others show too, as psys does. Names of SCMI's zones are the firmware's, and they nest as it likes. */
	domain->is_partial = true;
	(void)snprintf(domain->reason, sizeof(domain->reason),
		       "what %.63s measures here is not known: in no sum",
		       zone->is_rapl ? zone->name : zone->control);
}

static int set_up(struct powercap *powercap, struct es_error *err)
{
	enum vendor vendor = find_vendor(&powercap->root);
	size_t n = powercap->zones.n;
	es_cleanup(es_freep) bool *is_limited = calloc(n, sizeof(*is_limited));

	powercap->source.domains = calloc(n, sizeof(*powercap->source.domains));
	powercap->kept = calloc(n, sizeof(*powercap->kept));
	if (!powercap->source.domains || !powercap->kept || !is_limited)
		return es_error_set(err, -ENOMEM, "powercap");
	powercap->source.n_domains = n;
	for (size_t i = 0; i < n; i++)
		powercap->kept[i] = (struct kept){ .fd = -1, .error = -ENODEV };
	for (size_t i = 0; i < n; i++) {
		const struct es_powercap_zone *zone = &powercap->zones.zone[i];
		struct es_domain *domain = &powercap->source.domains[i];

		describe(powercap, i, vendor, zone->parent >= 0 && is_limited[zone->parent]);
		is_limited[i] = find_limits(&powercap->root, zone, domain) > 0;
		open_kept(&powercap->root, zone, domain, &powercap->kept[i]);
	}
	return 0;
}

static void powercap_close(struct es_source *source)
{
	struct powercap *powercap = (struct powercap *)source;

	if (!powercap)
		return;
	for (size_t i = 0; powercap->kept && i < source->n_domains; i++)
		es_closep(&powercap->kept[i].fd);
	free(powercap->kept);
	free(source->domains);
	es_powercap_zones_finish(&powercap->zones);
	es_root_close(&powercap->root);
	free(powercap);
}

static int powercap_open(const struct es_root *root, struct es_source **ret, struct es_error *err)
{
	struct powercap *powercap = calloc(1, sizeof(*powercap));
	int r;

	if (!powercap)
		return es_error_set(err, -ENOMEM, "powercap");
	powercap->source.ops = &es_source_powercap;
	r = es_root_dup(root, &powercap->root);
	if (r < 0) {
		free(powercap);
		return es_error_set(err, r, "powercap");
	}
	r = es_powercap_zones_find(root, &powercap->zones, err);
	if (r == 0)
		r = set_up(powercap, err);
	if (r < 0) {
		powercap_close(&powercap->source);
		return r;
	}
	*ret = &powercap->source;
	return 0;
}

static int powercap_plan(const struct es_source *source, struct es_plan *ret)
{
	const struct powercap *powercap = (const struct powercap *)source;
	struct es_plan plan = { .at_least_ns = INT64_MAX, .at_most_ns = ES_NS_PER_MS };

	for (size_t i = 0; i < source->n_domains; i++) {
		const struct es_domain *domain = &source->domains[i];
		int64_t wrap_ns = es_counter_wrap_ns(&domain->range, domain->peak_mw);

		if (powercap->kept[i].fd >= 0 && wrap_ns < INT64_MAX &&
		    wrap_ns / 4 < plan.at_least_ns)
			plan.at_least_ns = wrap_ns / 4;
	}
	*ret = plan;
	return 0;
}

/* What a new descriptor may mend: the driver's own failures are the same through another one. */
static bool may_be_mended(int error)
{
	return error == -ENODEV || error == -ENOENT || error == -ENXIO || error == -ESTALE ||
	       error == -ENOTCONN || error == -EBADF;
}

/* A zone that came back (a driver loaded again) is read again, if it is still the same part. */
static int reopen(struct powercap *powercap, size_t i, int64_t now_ns, uint64_t *ret_uj)
{
	const struct es_powercap_zone *zone = &powercap->zones.zone[i];
	struct kept *kept = &powercap->kept[i];
	char path[ES_NAME_MAX_BYTES * 2], name[ES_NAME_MAX_BYTES];
	int fd, r;

	kept->pause_ns = kept->pause_ns ? 2 * kept->pause_ns : REOPEN_FIRST_NS;
	kept->pause_ns = kept->pause_ns < REOPEN_LAST_NS ? kept->pause_ns : REOPEN_LAST_NS;
	kept->retry_ns = now_ns + kept->pause_ns;
	if (snprintf(path, sizeof(path), "%s/name", zone->path) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	r = (int)es_root_read_line(&powercap->root, path, name, sizeof(name));
	if (r < 0)
		return r;
	if (strcmp(name, zone->name) != 0)
		return -ENODEV;
	fd = open_energy(&powercap->root, zone);
	if (fd < 0)
		return fd;
	es_closep(&kept->fd);
	kept->fd = fd;
	return read_energy(&powercap->root, fd, ret_uj);
}

es_hot static int read_one(struct powercap *powercap, size_t i, int64_t now_ns, uint64_t *ret_uj)
{
	struct kept *kept = &powercap->kept[i];
	int r = kept->fd >= 0 ? read_energy(&powercap->root, kept->fd, ret_uj) : kept->error;

	/* The descriptor of a zone that was removed stays dead even when the zone is back. */
	if (r < 0 && (kept->fd < 0 || may_be_mended(r)) && now_ns >= kept->retry_ns &&
	    reopen(powercap, i, now_ns, ret_uj) == 0)
		r = 0;
	if (r == 0)
		kept->pause_ns = 0;
	kept->error = r;
	return r;
}

es_hot static int powercap_read(struct es_source *source, struct es_reading *ret, size_t n)
{
	struct powercap *powercap = (struct powercap *)source;
	int64_t t0_ns = es_clock_boot_ns();

	if (n < source->n_domains)
		return -EINVAL;
	for (size_t i = 0; i < source->n_domains; i++) {
		uint64_t value_uj = 0;
		int r = read_one(powercap, i, t0_ns, &value_uj);
		int64_t t1_ns = powercap->kept[i].fd >= 0 ? es_clock_boot_ns() : t0_ns;

		ret[i] = (struct es_reading){
			.t_ns = t0_ns + (t1_ns - t0_ns) / 2,
			.width_ns = t1_ns - t0_ns,
			.value = value_uj,
			.error = r,
		};
		t0_ns = t1_ns;
	}
	return 0;
}

const struct es_source_ops es_source_powercap = {
	.name = "powercap",
	.open = powercap_open,
	.plan = powercap_plan,
	.read = powercap_read,
	.close = powercap_close,
};
