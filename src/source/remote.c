/*
 * source/remote.c - meters that a user names: reached by a thread of their own, tried again when they are lost
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/remote.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "source/slow.h"

#define DOMAINS_MAX 64U
#define RETRY_NS ES_NS_PER_S
#define RETRY_MAX_NS (60 * ES_NS_PER_S)
#define PAUSE_NS (ES_NS_PER_S / 2)
#define START_MORE_NS (2 * ES_NS_PER_S) /* beside the timeout of the meter itself */

/* The thread's; freed by it, who may outlive the source where a library never comes back. */
struct es_remote {
	const struct es_remote_ops *ops;
	void *arg;
	const char *source; /* its name */
	struct es_meter_url url;
	struct es_root root;
	struct es_domain *domains;
	size_t n_domains;
	bool has_begun; /* domains are settled */
	bool is_connected, has_been_read;
	int error, first_error; /* of the last try, and of the first one */
	int64_t retry_ns, pause_ns; /* boot clock: not before; how long that was */
	struct es_error why; /* of the first try */
	char fix[ES_NAME_MAX_BYTES];
};

/* What the reader has. */
struct line {
	struct es_source source; /* first: it is what others see */
	struct es_slow *slow; /* NULL: the thread never came back */
	struct es_remote *remote; /* until it is settled; the thread's */
	struct es_meter_url url;
	int64_t until_ns; /* monotonic clock: it has so long to begin */
	int64_t period_ns;
	int64_t pause_ns; /* it is left alone so long after each wish, however often it is wished for */
	int64_t asked_ns; /* boot clock; 0: not yet */
};

const struct es_meter_url *es_remote_url(const struct es_remote *remote)
{
	return &remote->url;
}

const struct es_root *es_remote_root(const struct es_remote *remote)
{
	return &remote->root;
}

void es_remote_say_fix(struct es_remote *remote, const char *fix)
{
	(void)snprintf(remote->fix, sizeof(remote->fix), "%s", fix);
}

int es_remote_add(struct es_remote *remote, const struct es_domain *domain)
{
	struct es_domain *domains;

	if (remote->has_begun)
		return 0;
	if (remote->n_domains == DOMAINS_MAX)
		return -E2BIG;
	domains = reallocarray(remote->domains, remote->n_domains + 1, sizeof(*domains));
	if (!domains)
		return -ENOMEM;
	domains[remote->n_domains++] = *domain;
	remote->domains = domains;
	return 0;
}

/* The domain of the URL, where the meter told of none. */
static int add_default(struct es_remote *remote)
{
	struct es_domain domain;

	es_meter_domain(&remote->url, remote->source, &domain);
	return es_remote_add(remote, &domain);
}

/* Whether it refuses what the file of credentials= says, not we the file. */
static bool is_refused(const struct es_remote *remote, int error)
{
	struct es_credentials credentials;
	bool is_read = error == -EACCES &&
		       es_meter_url_credentials(&remote->url, &credentials, NULL) == 0;

	if (is_read)
		es_credentials_finish(&credentials);
	return is_read;
}

/* Not before a while, which is longer each time until something is read. */
static void lose(struct es_remote *remote, int error)
{
	int64_t pause_ns = remote->pause_ns ? 2 * remote->pause_ns : RETRY_NS;

	if (pause_ns > RETRY_MAX_NS)
		pause_ns = RETRY_MAX_NS;
	/* What it once took it may take again: some lose packets and say that the password is wrong. */
	if (remote->ops->denied_ns && is_refused(remote, error))
		pause_ns = remote->has_been_read ? RETRY_MAX_NS : remote->ops->denied_ns;
	remote->ops->disconnect(remote->arg);
	remote->is_connected = false;
	remote->error = error;
	remote->pause_ns = pause_ns;
	remote->retry_ns = es_clock_boot_ns() + pause_ns;
}

static int try_to_connect(struct es_remote *remote, struct es_error *err)
{
	int r = remote->ops->connect(remote->arg, remote, err);

	if (r < 0)
		lose(remote, r);
	remote->is_connected = r == 0;
	return r;
}

static int remote_begin(void *arg, struct es_error *err)
{
	struct es_remote *remote = arg;
	int r;

	(void)pthread_setname_np(pthread_self(), remote->ops->thread);
	r = remote->first_error = try_to_connect(remote, &remote->why);
	if (r == -ENOMEM)
		return es_error_set(err, r, "%s", remote->source);
	/* What a failed connect added is not to be believed. */
	if (r < 0)
		remote->n_domains = 0;
	r = remote->n_domains == 0 ? add_default(remote) : 0;
	remote->has_begun = true;
	return r < 0 ? es_error_set(err, r, "%s", remote->source) : (int)remote->n_domains;
}

static void fail_all(struct es_reading *readings, size_t n, int error, int64_t t_ns)
{
	for (size_t i = 0; i < n; i++)
		readings[i] = (struct es_reading){ .t_ns = t_ns, .error = error };
}

static void remote_read(void *arg, struct es_reading *ret, size_t n)
{
	struct es_remote *remote = arg;
	struct es_error why = { .code = 0 };
	int64_t t0_ns = es_clock_boot_ns(), t1_ns;
	int r;

	if (!remote->is_connected &&
	    (t0_ns < remote->retry_ns || try_to_connect(remote, &why) < 0)) {
		fail_all(ret, n, remote->error, t0_ns);
		return;
	}
	t0_ns = es_clock_boot_ns();
	memset(ret, 0, n * sizeof(*ret));
	r = remote->ops->read(remote->arg, remote, ret, n);
	t1_ns = es_clock_boot_ns();
	if (r < 0) {
		lose(remote, r);
		fail_all(ret, n, r, t1_ns);
		return;
	}
	remote->pause_ns = 0;
	remote->has_been_read = true;
	for (size_t i = 0; i < n; i++) {
		if (ret[i].t_ns == 0)
			ret[i].t_ns = t0_ns + (t1_ns - t0_ns) / 2;
		if (ret[i].width_ns == 0)
			ret[i].width_ns = t1_ns - t0_ns;
	}
}

static void remote_end(void *arg)
{
	struct es_remote *remote = arg;

	remote->ops->disconnect(remote->arg);
	remote->ops->destroy(remote->arg);
	es_root_close(&remote->root);
	free(remote->domains);
	free(remote);
}

/* A meter that did not answer: what is listed of it. */
static void say_unreached(const struct es_meter_url *url, int error, const char *why,
			  const char *fix, struct es_domain *domain)
{
	domain->state = error == -EACCES || error == -EPERM ? ES_STATE_DENIED : ES_STATE_ABSENT;
	domain->is_there = true;
	(void)snprintf(domain->reason, sizeof(domain->reason), "%.60s%s%.180s", url->host,
		       url->host[0] ? ": " : "", why);
	(void)snprintf(domain->fix, sizeof(domain->fix), "%s", fix);
}

/* The thread is busy with a call that does not end, or there is none: the domain is listed. */
static int list_unread(int error, const char *why, struct line *line)
{
	line->source.domains = calloc(1, sizeof(*line->source.domains));
	if (!line->source.domains)
		return -ENOMEM;
	line->source.n_domains = 1;
	es_meter_domain(&line->url, line->source.ops->name, line->source.domains);
	say_unreached(&line->url, error, why, "", line->source.domains);
	/* Nobody reads it again. */
	line->source.domains->is_there = false;
	return 0;
}

static const struct es_slow_ops slow_ops = {
	.name = "es-meter",
	.begin = remote_begin,
	.read = remote_read,
	.end = remote_end,
};

/* What the thread found goes to who reads: it may outlive the source. */
static int take_domains(const struct es_remote *remote, struct line *line)
{
	size_t n = remote->n_domains;

	line->source.domains = calloc(n, sizeof(*line->source.domains));
	if (!line->source.domains)
		return -ENOMEM;
	memcpy(line->source.domains, remote->domains, n * sizeof(*remote->domains));
	line->source.n_domains = n;
	if (remote->first_error < 0)
		say_unreached(&remote->url, remote->first_error, remote->why.text, remote->fix,
			      line->source.domains);
	return 0;
}

static int make(const struct es_root *root, const struct es_meter_url *url,
		const struct es_source_ops *ops, const struct es_remote_ops *remote_ops, void *arg,
		struct es_remote **ret)
{
	struct es_remote *remote = calloc(1, sizeof(*remote));
	int r = remote ? es_root_dup(root, &remote->root) : -ENOMEM;

	if (r < 0) {
		free(remote);
		remote_ops->destroy(arg);
		return r;
	}
	remote->ops = remote_ops;
	remote->arg = arg;
	remote->source = ops->name;
	remote->url = *url;
	*ret = remote;
	return 0;
}

static int64_t period_of(const struct es_meter_url *url, const struct es_remote_ops *remote_ops)
{
	int64_t period_ns = url->period_ns ? url->period_ns : remote_ops->period_ns;

	return period_ns < remote_ops->period_min_ns ? remote_ops->period_min_ns : period_ns;
}

int es_remote_open(const struct es_root *root, const struct es_meter_url *url,
		   const struct es_source_ops *ops, const struct es_remote_ops *remote_ops,
		   void *arg, struct es_source **ret, struct es_error *err)
{
	struct line *line = calloc(1, sizeof(*line));
	struct es_remote *remote = NULL;
	int r = make(root, url, ops, remote_ops, arg, &remote);

	if (r < 0 || !line) {
		if (remote)
			remote_end(remote);
		free(line);
		return es_error_set(err, r < 0 ? r : -ENOMEM, "%s", ops->name);
	}
	line->source.ops = ops;
	line->url = *url;
	line->period_ns = period_of(url, remote_ops);
	/* Less than the period: a sweep that comes a little early would have to wait for the next one. */
	line->pause_ns = line->period_ns / 2 < PAUSE_NS ? line->period_ns / 2 : PAUSE_NS;
	if (line->pause_ns < remote_ops->period_min_ns - remote_ops->period_min_ns / 50)
		line->pause_ns = remote_ops->period_min_ns - remote_ops->period_min_ns / 50;
	line->remote = remote;
	line->until_ns = es_clock_mono_ns() + 2 * url->timeout_ns + START_MORE_NS;
	/* Without a thread, too, it is listed. */
	if (es_slow_begin(&slow_ops, remote, &line->slow, err) < 0)
		line->remote = NULL;
	*ret = &line->source;
	return 0;
}

int es_remote_settle(struct es_source *source, struct es_error *err)
{
	struct line *line = (struct line *)source;
	struct es_remote *remote = line->remote;
	int64_t start_ns;
	int r;

	if (!line->slow)
		return list_unread(-EAGAIN, "there is no thread for it", line);
	r = es_slow_settle(line->slow, line->until_ns, &start_ns, err);
	line->remote = NULL;
	line->asked_ns = es_clock_boot_ns();
	if (r == 0)
		r = take_domains(remote, line);
	else
		line->slow = NULL;
	if (r < 0 && r != -ENOMEM)
		r = list_unread(r, "it did not come back within its timeout", line);
	return r < 0 ? es_error_set(err, r, "%s", source->ops->name) : 0;
}

void es_remote_end(struct es_source *source)
{
	struct line *line = (struct line *)source;

	if (line->slow)
		es_slow_end(line->slow);
}

int es_remote_plan(const struct es_source *source, struct es_plan *ret)
{
	*ret = (struct es_plan){ .at_least_ns = INT64_MAX,
				 .at_most_ns = ((const struct line *)source)->period_ns };
	return 0;
}

void es_remote_ask(struct es_source *source)
{
	struct line *line = (struct line *)source;

	int64_t now_ns = es_clock_boot_ns();

	if (!line->slow || (line->asked_ns && now_ns - line->asked_ns < line->pause_ns))
		return;
	line->asked_ns = now_ns;
	es_slow_ask(line->slow);
}

int es_remote_wait(struct es_source *source, int64_t wait_ns)
{
	struct line *line = (struct line *)source;

	return line->slow ? es_slow_wait(line->slow, wait_ns) : 0;
}

int es_remote_read(struct es_source *source, struct es_reading *ret, size_t n)
{
	struct line *line = (struct line *)source;

	if (n < source->n_domains)
		return -EINVAL;
	if (!line->slow)
		return -ETIMEDOUT;
	es_slow_latest(line->slow, ret);
	return 0;
}

void es_remote_close(struct es_source *source)
{
	struct line *line = (struct line *)source;

	if (!line)
		return;
	es_slow_stop(line->slow);
	free(source->domains);
	free(line);
}
