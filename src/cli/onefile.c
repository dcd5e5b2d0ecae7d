/*
 * onefile.c - the one text of what a user named, unpacked where it is packed
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/onefile.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "cli/command.h"
#include "format/archive.h"

struct one {
	char *text; /* owned */
	size_t n;
	unsigned n_files;
	bool is_cut;
};

static int take(void *arg, struct es_archive_file *file)
{
	struct one *one = arg;

	if (one->n_files++ > 0)
		return 0;
	one->text = es_steal_ptr(file->data);
	one->n = file->n;
	one->is_cut = file->is_cut;
	return 0;
}

int es_one_file_read(const char *path, char **ret, size_t *ret_n, struct es_error *err)
{
	struct one one = { .text = NULL };
	int r = es_archive_walk(path, NULL, take, &one, err);

	if (r == 0 && one.n_files == 0)
		r = es_error_say(err, -ENODATA, "'%s': there is no text in it", path);
	else if (r == 0 && one.n_files > 1)
		r = es_error_say(err, -EINVAL, "'%s': there are several files in it: name one",
				 path);
	else if (r == 0 && one.is_cut)
		r = es_error_say(err, -EBADMSG, "'%s': the file is cut off", path);
	if (r < 0) {
		free(one.text);
		return r;
	}
	*ret = one.text;
	*ret_n = one.n;
	return 0;
}

static void tell_faults(const char *command, const char *path, const struct es_swf *swf)
{
	for (size_t i = 0; i < swf->n_faults && i < ES_SWF_FAULTS_KEPT; i++)
		(void)es_complain(command, 0, "'%s' line %zu: %s; passed over", path,
				  swf->faults[i].line, swf->faults[i].reason);
	if (swf->n_faults > ES_SWF_FAULTS_KEPT)
		(void)es_complain(command, 0, "'%s': %zu lines are wrong in all; passed over", path,
				  swf->n_faults);
}

int es_one_file_swf(const char *command, const char *path, bool is_strict, struct es_swf *swf,
		    struct es_error *err)
{
	es_cleanup(es_freep) char *text = NULL;
	struct es_error why = { .code = 0 };
	size_t n;
	int r = es_one_file_read(path, &text, &n, err);

	if (r < 0)
		return r;
	r = es_swf_parse(text, n, is_strict, swf, &why);
	if (r < 0)
		return es_error_say(err, r, "'%s': %.900s", path, why.text);
	tell_faults(command, path, swf);
	return 0;
}
