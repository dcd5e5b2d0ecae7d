/*
 * progress.c - a line on the terminal: how much work is done, at what power, for how much longer
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/progress.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/text.h"
#include "core/watch.h"
#include "format/work.h"

#define LINE_MAX_BYTES 2048U

struct tick {
	int64_t t_ns;
	int64_t sum_micro[ES_PROGRESS_WORKS_MAX];
};

struct es_progress {
	const struct es_sampler *sampler; /* borrowed */
	int fd; /* borrowed */
	bool is_terminal, is_shown;
	struct es_progress_screen
		*screen; /* borrowed; NULL: the others on the terminal are not known */
	struct es_domain *domains, *judged; /* as opened; as far as was seen */
	struct es_evidence *evidence;
	struct es_watch watch;
	size_t n_domains;
	struct tick ticks[ES_PROGRESS_TICKS]; /* a ring */
	size_t n_ticks;
	int64_t read_ns; /* of the newest reading told */
	uint64_t read_uj;
	struct es_progress_figures figures;
};

static double units(int64_t micro)
{
	return (double)micro / 1e6;
}

/* Four digits: more are not known of it. */
static double rounded(double rate)
{
	double step = rate >= 1e-6 && rate < 1000 ? pow(10, floor(log10(rate)) - 3) : 0;

	return step > 0 ? round(rate / step) * step : rate;
}

static void put_work(const struct es_progress_work *work, double rate, struct es_buf *out)
{
	char amount[ES_WORK_TEXT_BYTES], total[ES_WORK_TEXT_BYTES];

	if (!work->is_known) {
		(void)es_buf_printf(out, "no %s yet", work->unit);
		return;
	}
	(void)es_buf_printf(out, "%s", es_work_amount_text(units(work->at_micro), amount));
	if (work->has_total)
		(void)es_buf_printf(out, " of %s",
				    es_work_amount_text(units(work->total_micro), total));
	(void)es_buf_printf(out, " %s", work->unit);
	if (work->has_total && work->total_micro > 0)
		(void)es_buf_printf(out, " (%.1f %%)",
				    100.0 * (double)work->at_micro / (double)work->total_micro);
	if (rate >= 0)
		(void)es_buf_printf(out, ", %s/s", es_work_amount_text(rounded(rate), amount));
}

static void put_time_left(const struct es_progress_work *work, double rate, struct es_buf *out)
{
	char text[ES_QUANTITY_TEXT_BYTES];
	double left_s;

	if (!work->is_known || !work->has_total || rate <= 0 || work->at_micro >= work->total_micro)
		return;
	left_s = units(work->total_micro - work->at_micro) / rate;
	if (left_s < 1e8)
		(void)es_buf_printf(out, ", %s left",
				    es_duration_text((int64_t)(left_s + 0.5) * 1000000000, text));
}

/* Cut off at a whole character: what is longer than the terminal is wide would go on in a line that stays. */
static void cut(struct es_buf *out, size_t from, unsigned width)
{
	size_t at = from;

	for (unsigned n = 0; width && at < out->len; n++) {
		size_t length = es_utf8_length((const char *)out->data + at, out->len - at);

		if (n == width) {
			out->len = at;
			return;
		}
		at += length ? length : 1;
	}
}

void es_progress_line(const struct es_progress_work *works, size_t n,
		      const struct es_progress_figures *figures, unsigned width, struct es_buf *out)
{
	char energy[ES_WORK_TEXT_BYTES], one[ES_WORK_WORD_BYTES];
	size_t from = out->len;

	for (size_t i = 0; i < n; i++) {
		const struct es_progress_work *work = &works[i];

		if (i > 0)
			(void)es_buf_str(out, "; ");
		put_work(work, figures->rate[i], out);
		if (figures->has_energy && work->is_known && work->sum_micro > 0)
			(void)es_buf_printf(
				out, ", %s per %s",
				es_work_energy_text(figures->energy_j / units(work->sum_micro),
						    energy),
				es_work_singular(work->unit, one));
		put_time_left(work, figures->rate[i], out);
	}
	if (figures->has_power)
		(void)es_buf_printf(out, "; %.1f W", figures->power_w);
	cut(out, from, width);
}

int es_progress_create(const struct es_sampler *sampler, int fd, struct es_progress_screen *screen,
		       struct es_progress **ret, struct es_error *err)
{
	struct es_progress *progress = calloc(1, sizeof(*progress));
	const struct es_domain *domains;
	int r = -ENOMEM;

	if (!progress)
		return es_error_set(err, r, "progress");
	progress->sampler = sampler;
	progress->fd = fd;
	progress->screen = screen;
	progress->is_terminal = isatty(fd);
	domains = es_sampler_domains((struct es_sampler *)sampler, &progress->n_domains);
	progress->domains = calloc(progress->n_domains + 1, sizeof(*progress->domains));
	progress->judged = calloc(progress->n_domains + 1, sizeof(*progress->judged));
	progress->evidence = calloc(progress->n_domains + 1, sizeof(*progress->evidence));
	if (progress->domains && progress->judged && progress->evidence) {
		for (size_t i = 0; i < progress->n_domains; i++) {
			progress->domains[i] = domains[i];
			if (!es_sampler_is_recorded(&domains[i]))
				progress->domains[i].state = ES_STATE_ABSENT;
		}
		r = es_watch_init(&progress->watch, progress->domains, progress->n_domains,
				  ES_PERIOD_MAX_NS);
	}
	if (r < 0) {
		es_progress_destroy(progress);
		return es_error_set(err, r, "progress");
	}
	*ret = progress;
	return 0;
}

void es_progress_destroy(struct es_progress *progress)
{
	if (!progress)
		return;
	es_watch_finish(&progress->watch);
	free(progress->domains);
	free(progress->judged);
	free(progress->evidence);
	free(progress);
}

/* Each domain's newest reading, if it is new; the sweeps themselves are not changed by anybody who looks. */
static void look(struct es_progress *progress)
{
	for (size_t i = 0; i < progress->n_domains; i++) {
		const struct es_reading *reading = es_sampler_latest(progress->sampler, i);
		const struct es_track *track = &progress->watch.tracks[i];

		if (progress->domains[i].state == ES_STATE_ABSENT || !reading || reading->error ||
		    (track->has_first && reading->t_ns <= track->last_t_ns))
			continue;
		es_watch_reading(&progress->watch, i, reading->t_ns, reading->value,
				 reading->activity_ns);
	}
	es_watch_row(&progress->watch);
}

/* The node's energy so far, by the cover that a report of now would choose. */
static void sum_energy(struct es_progress *progress)
{
	struct es_progress_figures *figures = &progress->figures;
	uint64_t sum_uj = 0;
	int64_t t_ns = 0;

	memcpy(progress->judged, progress->domains,
	       progress->n_domains * sizeof(*progress->judged));
	es_watch_evidence(&progress->watch, 0, 0, false, progress->evidence);
	es_cover_judge(progress->judged, progress->n_domains, progress->evidence);
	es_cover_choose(progress->judged, progress->n_domains, progress->evidence, ES_PSYS_AUTO);
	for (size_t i = 0; i < progress->n_domains; i++) {
		const struct es_track *track = &progress->watch.tracks[i];

		if (!progress->judged[i].is_chosen_total || track->n_samples == 0)
			continue;
		sum_uj += track->energy_uj;
		t_ns = track->last_t_ns > t_ns ? track->last_t_ns : t_ns;
	}
	figures->has_energy = t_ns > 0;
	figures->energy_j = es_j_from_uj(sum_uj);
	/* Where another cover was chosen meanwhile there is no difference to be had. */
	figures->has_power = progress->read_ns > 0 && t_ns > progress->read_ns &&
			     sum_uj >= progress->read_uj;
	if (figures->has_power)
		figures->power_w = es_j_from_uj(sum_uj - progress->read_uj) /
				   es_s_from_ns(t_ns - progress->read_ns);
	progress->read_ns = t_ns;
	progress->read_uj = sum_uj;
}

static void sum_rates(struct es_progress *progress, int64_t t_ns,
		      const struct es_progress_work *works, size_t n)
{
	struct tick *tick = &progress->ticks[progress->n_ticks % ES_PROGRESS_TICKS];
	const struct tick *oldest;

	*tick = (struct tick){ .t_ns = t_ns };
	for (size_t i = 0; i < n; i++)
		tick->sum_micro[i] = works[i].sum_micro;
	progress->n_ticks++;
	oldest = &progress->ticks[progress->n_ticks < ES_PROGRESS_TICKS
					  ? 0
					  : progress->n_ticks % ES_PROGRESS_TICKS];
	for (size_t i = 0; i < n; i++)
		progress->figures.rate[i] =
			t_ns > oldest->t_ns ? units(tick->sum_micro[i] - oldest->sum_micro[i]) /
						      es_s_from_ns(t_ns - oldest->t_ns)
					    : -1;
}

/* A terminal that is stopped, or whose line is slow, must not stop the sweeps. */
static void put(struct es_progress *progress, const struct es_buf *line)
{
	struct pollfd pollfd = { .fd = progress->fd, .events = POLLOUT };

	if (line->error || poll(&pollfd, 1, 0) != 1 || !(pollfd.revents & POLLOUT) ||
	    write(progress->fd, line->data, line->len) <= 0)
		return;
	progress->is_shown = progress->is_terminal;
	if (progress->screen)
		atomic_store(&progress->screen->has_line, true);
}

static unsigned width_of(const struct es_progress *progress)
{
	struct winsize size;

	if (!progress->is_terminal)
		return 0;
	/* In the last column some terminals begin a new line. */
	return ioctl(progress->fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1U
									      : 79;
}

void es_progress_tell(struct es_progress *progress, int64_t t_ns,
		      const struct es_progress_work *works, size_t n)
{
	struct es_buf line;

	if (n > ES_PROGRESS_WORKS_MAX)
		n = ES_PROGRESS_WORKS_MAX;
	look(progress);
	sum_energy(progress);
	sum_rates(progress, t_ns, works, n);
	if (progress->screen && atomic_load(&progress->screen->is_within_line))
		return;
	es_buf_init(&line, LINE_MAX_BYTES);
	if (progress->is_terminal)
		(void)es_buf_str(&line, "\r" ES_PROGRESS_ERASE);
	es_progress_line(works, n, &progress->figures, width_of(progress), &line);
	(void)es_buf_str(&line, progress->is_terminal ? "\r" : "\n");
	put(progress, &line);
	es_buf_finish(&line);
}

void es_progress_erase(struct es_progress *progress)
{
	struct es_buf line;

	if (!progress || !progress->is_shown)
		return;
	progress->is_shown = false;
	/* Somebody wrote over it. */
	if (progress->screen && !atomic_exchange(&progress->screen->has_line, false))
		return;
	es_buf_init(&line, LINE_MAX_BYTES);
	(void)es_buf_str(&line, "\r" ES_PROGRESS_ERASE);
	put(progress, &line);
	progress->is_shown = false;
	if (progress->screen)
		atomic_store(&progress->screen->has_line, false);
	es_buf_finish(&line);
}
