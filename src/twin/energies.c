/*
 * energies.c - exact energies of all parts of a node, and .twin/energy: at the times that are asked for
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/energies.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "twin/host.h"

#define FJ_PER_UJ UINT64_C(1000000000)
#define TIMES_MAX 512U /* asked for at once */
#define WORD_MAX_BYTES 24U

static const struct {
	const char *name;
	bool has_number;
} parts[] = {
	[ES_TWIN_NODE] = { "node", false },	   [ES_TWIN_BOARD] = { "board", false },
	[ES_TWIN_LOSS] = { "loss", false },	   [ES_TWIN_PACKAGE] = { "package", true },
	[ES_TWIN_CORES] = { "cores", true },	   [ES_TWIN_GRAPHICS] = { "graphics", true },
	[ES_TWIN_DRAM] = { "dram", true },	   [ES_TWIN_GPU] = { "gpu", true },
	[ES_TWIN_GPU_CHIP] = { "gpu-chip", true }, [ES_TWIN_SYSIO] = { "sysio", true },
	[ES_TWIN_MODULE] = { "module", true },	   [ES_TWIN_FANS] = { "fans", false },
	[ES_TWIN_REST] = { "rest", false },
};

const char *es_twin_part_name(enum es_twin_part part)
{
	return part < ES_TWIN_N_PARTS ? parts[part].name : "";
}

bool es_twin_part_has_number(enum es_twin_part part)
{
	return part < ES_TWIN_N_PARTS && parts[part].has_number;
}

int es_twin_energies_head(const struct es_twin_node *node, struct es_buf *out)
{
	(void)es_buf_str(out, "t_ns");
	for (unsigned part = 0; part < ES_TWIN_N_PARTS; part++) {
		size_t n = es_twin_n(node, (enum es_twin_part)part);

		for (size_t i = 0; i < n; i++) {
			(void)es_buf_printf(out, ",%s", parts[part].name);
			if (parts[part].has_number)
				(void)es_buf_printf(out, "-%zu", i);
		}
	}
	return es_buf_u8(out, '\n');
}

int es_twin_energies_row(const struct es_twin_node *node, int64_t t_ns, struct es_buf *out)
{
	(void)es_buf_printf(out, "%" PRId64, t_ns);
	for (unsigned part = 0; part < ES_TWIN_N_PARTS; part++) {
		size_t n = es_twin_n(node, (enum es_twin_part)part);

		for (size_t i = 0; i < n; i++) {
			es_u128 energy_fj =
				es_twin_energy_fj(node, (enum es_twin_part)part, i, t_ns);

			(void)es_buf_printf(out, ",%" PRIu64, (uint64_t)(energy_fj / FJ_PER_UJ));
		}
	}
	return es_buf_u8(out, '\n');
}

/* What an open .twin/energy was asked for. */
struct question {
	int64_t t_ns[TIMES_MAX];
	size_t n; /* 0: now */
};

static int open_question(const struct es_twin_file *file, int64_t t_ns, void **ret_handle)
{
	struct question *question = calloc(1, sizeof(*question));

	(void)file;
	(void)t_ns;
	if (!question)
		return -ENOMEM;
	*ret_handle = question;
	return 0;
}

static void close_question(const struct es_twin_file *file, int64_t t_ns, void *handle)
{
	(void)file;
	(void)t_ns;
	free(handle);
}

/* -ENODATA: longer ago than anything is known of; -ERANGE: not yet. */
static int check_time(const struct es_twin_node *node, int64_t t_ns)
{
	if (es_twin_n_history(node) == 0 || t_ns < es_twin_history_ns(node, 0))
		return -ENODATA;
	return t_ns > es_twin_now_ns(node) ? -ERANGE : 0;
}

static int ask(const struct es_twin_file *file, void *handle, int64_t t_ns, const char *text)
{
	const struct es_twin_node *node = file->host->node;
	struct question *question = handle;
	struct question asked = { .n = 0 };

	(void)t_ns;
	for (text += strspn(text, " \n"); *text; text += strspn(text, " \n")) {
		size_t n = strcspn(text, " \n");
		char word[WORD_MAX_BYTES];
		int64_t at_ns;
		int r;

		if (n >= sizeof(word))
			return -EINVAL;
		if (asked.n == TIMES_MAX)
			return -E2BIG;
		memcpy(word, text, n);
		word[n] = '\0';
		if (es_parse_i64(word, &at_ns) < 0)
			return -EINVAL;
		r = check_time(node, at_ns);
		if (r < 0)
			return r;
		asked.t_ns[asked.n++] = at_ns;
		text += n;
	}
	*question = asked;
	return 0;
}

static int answer(const struct es_twin_file *file, void *handle, int64_t t_ns, struct es_buf *out)
{
	const struct es_twin_node *node = file->host->node;
	const struct question *question = handle;

	(void)es_twin_energies_head(node, out);
	if (question->n == 0)
		return es_twin_energies_row(node, t_ns, out);
	for (size_t i = 0; i < question->n; i++)
		(void)es_twin_energies_row(node, question->t_ns[i], out);
	return out->error;
}

static const struct es_twin_file_ops energy_ops = {
	.open = open_question,
	.release = close_question,
	.show = answer,
	.store = ask,
};

void es_twin_make_energies(struct es_twin_host *host)
{
	es_twin_tree_file(host->tree, 0666, ".twin/energy", &energy_ops,
			  &(struct es_twin_file){ .host = host });
}
