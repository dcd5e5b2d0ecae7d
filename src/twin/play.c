/*
 * play.c - .twin/play: programs that keep the node busy; each time it is opened is one
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Written: lines of a workload file, then "go"; "edges N": show when phases began, from the N-th of all repeats on. Read:
 *
 *	ready                           not yet begun
 *	error WORDS                     what was written last was refused; the lines are forgotten
 *	running PHASE SHARE END N       index in the program, done share of it, when all is done at the present pace, phases done
 *	done BEGIN END N
 *	edge I TIME, edge I lost        as many as are known, at most 512
 *
 * Closing it ends the load, so that a player that was killed leaves none.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/parse.h"
#include "twin/host.h"

#define TEXT_MAX (ES_TWIN_PHASES_MAX * ES_TWIN_PHASE_TEXT_BYTES)
#define PENDING_MAX_BYTES \
	(64U << 20) /* of all programs that did not begin yet: anybody may write them */
#define EDGES_MAX 512U /* shown at once */
#define NO_LOAD (-1)

struct play {
	struct es_buf text; /* of the program, until it begins */
	int load;
	uint64_t edge; /* shown from this one on */
	bool wants_edges;
	struct es_error error; /* text "": none */
};

static int play_open(const struct es_twin_file *file, int64_t t_ns, void **ret_handle)
{
	struct play *play = calloc(1, sizeof(*play));

	(void)file;
	(void)t_ns;
	if (!play)
		return -ENOMEM;
	es_buf_init(&play->text, TEXT_MAX);
	play->load = NO_LOAD;
	*ret_handle = play;
	return 0;
}

static void forget_text(struct play *play, struct es_twin_host *host)
{
	host->n_pending_bytes -= play->text.cap;
	es_buf_finish(&play->text);
	es_buf_init(&play->text, TEXT_MAX);
}

static int keep_line(struct play *play, struct es_twin_host *host, const char *line, size_t n)
{
	size_t before = play->text.cap;

	(void)es_buf_append(&play->text, line, n);
	(void)es_buf_u8(&play->text, '\n');
	host->n_pending_bytes += play->text.cap - before;
	if (host->n_pending_bytes <= PENDING_MAX_BYTES)
		return 0;
	return es_error_say(&play->error, -ENOSPC,
			    "programs of more than %u MiB wait for their 'go' already",
			    PENDING_MAX_BYTES >> 20);
}

static void play_release(const struct es_twin_file *file, int64_t t_ns, void *handle)
{
	struct play *play = handle;

	(void)t_ns;
	if (play->load != NO_LOAD)
		es_twin_load_end(file->host->node, play->load);
	forget_text(play, file->host);
	free(play);
}

static int begin(struct play *play, struct es_twin_host *host)
{
	struct es_twin_program program;
	int r;

	if (host->is_powered_off)
		return es_error_say(&play->error, -ENODEV, "the node is switched off");
	if (play->text.error)
		return es_error_set(&play->error, play->text.error, "phases");
	r = es_twin_program_parse((const char *)play->text.data, play->text.len, &program,
				  &play->error);
	if (r == -EBADMSG)
		r = -EINVAL; /* what files have for it */
	if (r < 0)
		return r;
	r = es_twin_load_begin(host->node, &program, &play->error);
	es_twin_program_finish(&program);
	if (r < 0)
		return r;
	play->load = r;
	forget_text(play, host);
	return 0;
}

static int choose_edges(struct play *play, const char *line)
{
	if (es_parse_u64(line + strlen("edges "), &play->edge) < 0)
		return es_error_say(&play->error, -EINVAL, "'edges N': a number is wanted");
	play->wants_edges = true;
	return 0;
}

/* @line: without its end, @n bytes. */
static int take_line(struct play *play, struct es_twin_host *host, const char *line, size_t n)
{
	char word[32];

	if (n < sizeof(word)) {
		memcpy(word, line, n);
		word[n] = '\0';
		if (strncmp(word, "edges ", 6) == 0)
			return choose_edges(play, word);
	}
	if (play->load != NO_LOAD)
		return es_error_say(&play->error, -EBUSY,
				    "it has begun; only 'edges N' is taken now");
	if (n == 2 && strncmp(line, "go", 2) == 0)
		return begin(play, host);
	return keep_line(play, host, line, n);
}

static int play_store(const struct es_twin_file *file, void *handle, int64_t t_ns, const char *text)
{
	struct play *play = handle;
	int r = 0;

	(void)t_ns;
	play->error.text[0] = '\0';
	while (r == 0) {
		size_t n = strcspn(text, "\n");

		r = take_line(play, file->host, text, n);
		if (text[n] == '\0')
			break;
		text += n + 1;
	}
	if (r < 0)
		forget_text(play, file->host);
	return r;
}

static void show_edges(const struct play *play, const struct es_twin_node *node, struct es_buf *out)
{
	for (uint64_t i = 0; i < EDGES_MAX; i++) {
		int64_t t_ns;
		int r = es_twin_load_edge(node, play->load, play->edge + i, &t_ns);

		if (r == 0)
			(void)es_buf_printf(out, "edge %" PRIu64 " %" PRId64 "\n", play->edge + i,
					    t_ns);
		else if (r == -ENODATA)
			(void)es_buf_printf(out, "edge %" PRIu64 " lost\n", play->edge + i);
		else
			break;
	}
}

static int show_progress(const struct play *play, const struct es_twin_node *node,
			 struct es_buf *out)
{
	struct es_twin_progress progress;
	char share[48];
	int r = es_twin_load_progress(node, play->load, &progress);

	if (r < 0)
		return r;
	if (progress.is_done)
		return es_buf_printf(out, "done %" PRId64 " %" PRId64 " %" PRIu64 "\n",
				     progress.begin_ns, progress.end_ns, progress.n_phases_done);
	share[es_decimal_text((int64_t)(progress.phase_share * 1e6), 6, share)] = '\0';
	return es_buf_printf(out, "running %zu %s %" PRId64 " %" PRIu64 "\n", progress.phase, share,
			     progress.end_ns, progress.n_phases_done);
}

static int play_show(const struct es_twin_file *file, void *handle, int64_t t_ns,
		     struct es_buf *out)
{
	const struct play *play = handle;
	int r;

	(void)t_ns;
	if (play->error.text[0])
		return es_buf_printf(out, "error %s\n", play->error.text);
	if (play->load == NO_LOAD)
		return es_buf_str(out, "ready\n");
	r = show_progress(play, file->host->node, out);
	if (r == 0 && play->wants_edges)
		show_edges(play, file->host->node, out);
	return r < 0 ? r : out->error;
}

static const struct es_twin_file_ops play_ops = {
	.open = play_open,
	.release = play_release,
	.show = play_show,
	.store = play_store,
};

void es_twin_make_play(struct es_twin_host *host)
{
	es_twin_tree_file(host->tree, 0666, ".twin/play", &play_ops,
			  &(struct es_twin_file){ .host = host });
}
