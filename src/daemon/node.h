/*
 * daemon/node.h - the meters of this node: what is read, and what each of it is worth
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_DAEMON_NODE_H
#define ES_DAEMON_NODE_H

#include "core/watch.h"
#include "daemon/config.h"
#include "daemon/sweep.h"
#include "sampler/sampler.h"
#include "sys/machine.h"

/** struct es_node - everything that is found out when the meters are opened; es_node_finish() it */
struct es_node {
	struct es_root root;
	struct es_machine machine;
	char name[ES_NAME_MAX_BYTES];
	struct es_sampler *sampler; /* owned; the sampling thread's while that runs */
	struct es_domain *plain; /* [n] as their sources described them, owned */
	struct es_domain *
		domains; /* [n] copies of those that are read, owned: states settled, covers chosen */
	size_t *of_sampler; /* [n] their indices there, owned */
	size_t n;
	size_t n_named; /* sources that the configuration names: the sampler's last ones */
	struct es_node_domains list; /* of these, for the others */
	struct es_watch watch; /* what was seen of them in this stretch of time */
	struct es_evidence *evidence; /* [n], owned */
	int64_t watched_ns; /* boot clock: since when */
	int64_t judge_ns; /* boot clock: when they are judged again */
	int64_t slept_ns; /* boot clock less monotonic, at the last sweep; 0: there was none */
	int64_t *seen_ns; /* [n] time of the last reading that went into the watch, owned */
	int64_t *least_ns; /* [n] none is read more often, whatever is asked for; 0: as often as there are sweeps. Owned */
	int *errors; /* [n] of the last reading; 0: it was good. Owned */
	uint64_t hash; /* of what the machine shows that could become a meter */
};

/**
 * es_node_open - open all meters, watch them for a moment, settle their states and choose the covers
 * @root: as --root; NULL: this machine. @epoch: of the list of domains
 * A meter that stands is not proven dead by this: nothing is put under load. Returns 0; -EINVAL, -ENOMEM, errors of the root.
 */
int es_node_open(const struct es_daemon_config *config, const char *root, uint64_t epoch,
		 struct es_node *ret, struct es_error *err);
void es_node_finish(struct es_node *node);

/** enum es_node_news - what es_node_feed() found */
enum es_node_news {
	ES_NODE_SAME,
	ES_NODE_STATES, /* the states of some meters are others now: es_node_changed() */
	ES_NODE_COVERS, /* and other meters would stand for the node than those chosen */
};

/** es_node_feed - one sweep more of evidence; states are settled anew now and then */
enum es_node_news es_node_feed(struct es_node *node, const struct es_sweep *sweep,
			       enum es_psys_policy psys);

/** es_node_look - whether the machine shows other devices than when the meters were opened */
bool es_node_look(const struct es_node *node);

#endif
