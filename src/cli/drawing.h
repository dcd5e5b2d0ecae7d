/*
 * drawing.h - options of commands that draw something else than a recording, and the files they write
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_DRAWING_H
#define ES_CLI_DRAWING_H

#include <stdbool.h>

#include "base/error.h"
#include "format/scene.h"

/** struct es_drawing - which files are wanted; texts borrowed from the command line, NULL: not */
struct es_drawing {
	const char *svg, *png, *pdf; /* "-": stdout */
	bool is_dark;
};

/** es_drawing_is_asked - one of the files is */
bool es_drawing_is_asked(const struct es_drawing *drawing);
/** es_drawing_takes_stdout - one of them goes there: nothing else may; -EINVAL where several do */
int es_drawing_takes_stdout(const struct es_drawing *drawing, struct es_error *err);
/** es_drawing_write - all that are asked for, each file whole or not at all; 0 or negative errno with words */
int es_drawing_write(const struct es_drawing *drawing, const struct es_scene *scene,
		     const char *title, struct es_error *err);

#endif
