/*
 * terminal.h - what the terminal on stdout can show
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_TERMINAL_H
#define ES_CLI_TERMINAL_H

#include <stdbool.h>

#include "format/plot.h"

/** es_terminal_is_there - stdout is one */
bool es_terminal_is_there(void);
/** es_terminal_look - its size, letters and colours; 80 x 24, or what COLUMNS and LINES say, where there is none */
void es_terminal_look(struct es_terminal *ret);

#endif
