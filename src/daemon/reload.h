/*
 * daemon/reload.h - another configuration, and other meters, while it runs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_DAEMON_RELOAD_H
#define ES_DAEMON_RELOAD_H

struct es_daemon;

/** es_reload - read the configuration anew; one that is wrong is refused as a whole, and the old one goes on */
void es_reload(struct es_daemon *daemon);
/** es_reload_look - where the machine has other devices now, or other meters would stand for it, open all anew once no job runs */
void es_reload_look(struct es_daemon *daemon);

#endif
