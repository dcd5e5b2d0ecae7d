/*
 * test_core_student.c - Student's t and the normal distribution against exact forms and against GSL
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <math.h>

#include "base/cleanup.h"
#include "base/dl.h"
#include "core/stats.h"

static void assert_close(double got, double want, double relative)
{
	if (!(fabs(got - want) <= relative * fabs(want)))
		fail_msg("got %.15g, want %.15g within a share of %g", got, want, relative);
}

/* One degree of freedom is Cauchy's distribution, two and four have closed forms too. */
static void few_degrees_have_closed_forms(void **state)
{
	static const double at[] = { 1e-9, 0.01, 0.3, 1, 2.5, 12.7062, 400, 1e7 };

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(at); i++) {
		double t = at[i], s = sqrt(2 + t * t), u = 4 / (4 + t * t);
		double tail4 = 0.5 - 0.5 * sqrt(1 - u) * (1 + u / 2);

		assert_close(es_t_cdf(-t, 1), atan2(1, t) / M_PI, 1e-12);
		assert_close(es_t_cdf(-t, 2), 1 / (s * (s + t)), 1e-12);
		if (t < 50) /* what is left of 0.5 - 0.5 has fewer digits */
			assert_close(es_t_cdf(-t, 4), tail4, 1e-9);
		assert_close(es_t_cdf(t, 2), 1 - 1 / (s * (s + t)), 1e-12);
	}
	for (double p = 1e-10; p < 0.5; p *= 3) {
		double c = 2 * p - 1;

		assert_close(es_t_quantile(p, 1), -1 / tan(M_PI * p), 1e-11);
		assert_close(es_t_quantile(p, 2), c / sqrt(2 * p * (1 - p)), 1e-11);
		assert_close(es_t_quantile(1 - p, 2), -c / sqrt(2 * p * (1 - p)), 1e-5);
	}
	assert_true(es_t_quantile(0.5, 3) == 0 && es_t_cdf(0, 3.5) == 0.5);
}

/* gsl_cdf_tdist_P and gsl_cdf_tdist_Pinv of GSL 2.7.1, written down once with 15 digits. */
static void values_are_those_of_gsl(void **state)
{
	static const struct {
		double t, df, p;
	} below[] = {
		{ -2.4, 17.776, 0.0137881655941738 }, { -1.0588, 13.9, 0.153872176715516 },
		{ -0.5, 0.5, 0.378659036464718 },     { -3.7, 2.5, 0.0231847834609352 },
		{ 1.2, 6.66, 0.864460484793593 },     { -1.96, 29.3, 0.0297838993166028 },
		{ 2.5, 75.5, 0.992705282604094 },     { -4, 333.3, 3.90344731506888e-05 },
	};
	static const struct {
		double p, df, t;
	} quantiles[] = {
		{ 0.975, 3.44828, 2.96072879515484 }, { 0.95, 2.01531, 2.90491387028659 },
		{ 0.025, 17.776, -2.10282131038022 }, { 0.2, 1.5, -1.15336437829547 },
		{ 0.995, 24.5, 2.79208342967808 },    { 0.975, 999, 1.96234146113345 },
		{ 0.95, 12345.6, 1.64497706236095 },  { 0.001, 9.9, -4.15726455336904 },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(below); i++)
		assert_close(es_t_cdf(below[i].t, below[i].df), below[i].p, 1e-10);
	for (size_t i = 0; i < ES_ARRAY_SIZE(quantiles); i++)
		assert_close(es_t_quantile(quantiles[i].p, quantiles[i].df), quantiles[i].t, 1e-9);
}

/* Beside the library itself, where it is here. Far tails are left out: GSL has six digits there, the closed forms above tell. */
static void values_are_those_of_the_library(void **state)
{
	static const double dfs[] = { 0.3, 0.5, 1,   1.5,  2.7,	    4,	   5.5, 9,   19.3, 30,
				      99,  101, 120, 1000, 12345.6, 99999, 1e6, 2e6, 1e8 };
	static const double shares[] = {
		0.001, 0.005, 0.025, 0.05, 0.2, 0.45, 0.6, 0.8, 0.95, 0.999
	};
	double (*gsl_cdf)(double, double), (*gsl_quantile)(double, double), (*gsl_normal)(double);
	const struct es_dl_symbol symbols[] = {
		{ "gsl_cdf_tdist_P", &gsl_cdf, true },
		{ "gsl_cdf_tdist_Pinv", &gsl_quantile, true },
		{ "gsl_cdf_ugaussian_Pinv", &gsl_normal, true },
	};
	struct es_dl gsl = { NULL };
	struct es_error err = { 0 };

	(void)state;
	if (es_dl_open(&gsl, "libgsl.so.27", symbols, ES_ARRAY_SIZE(symbols), &err) < 0) {
		print_message("# no libgsl.so.27 here: compared with recorded values only\n");
		return;
	}
	for (size_t i = 0; i < ES_ARRAY_SIZE(dfs); i++) {
		for (double t = -6; t <= 6; t += 0.37)
			assert_close(es_t_cdf(t, dfs[i]), gsl_cdf(t, dfs[i]), 1e-8);
		for (size_t k = 0; k < ES_ARRAY_SIZE(shares); k++)
			assert_close(es_t_quantile(shares[k], dfs[i]),
				     gsl_quantile(shares[k], dfs[i]), 1e-8);
	}
	for (double p = 1e-300; p < 0.5; p *= 7)
		assert_close(es_normal_quantile(p), gsl_normal(p), 1e-13);
	es_dl_close(&gsl);
}

/* Abramowitz and Stegun, tables 26.1 and 26.5. */
static void the_normal_distribution_is_that_of_the_tables(void **state)
{
	(void)state;
	assert_close(es_normal_cdf(1), 0.841344746068543, 1e-14);
	assert_close(es_normal_cdf(-2), 0.0227501319481792, 1e-14);
	assert_close(es_normal_quantile(0.975), 1.959963984540054, 1e-14);
	assert_close(es_normal_quantile(0.05), -1.644853626951473, 1e-14);
	for (double z = -37; z < 8; z += 0.41)
		assert_close(es_normal_quantile(es_normal_cdf(z)), z, z < 5 ? 1e-9 : 1e-2);
	assert_true(fabs(es_normal_quantile(0.5)) < 1e-15);
}

static void quantiles_undo_shares_for_any_degrees(void **state)
{
	static const double dfs[] = { 0.05, 0.7, 1, 2.2, 9.9, 48, 52, 1e3, 1e6, 1e12 };

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(dfs); i++)
		for (double p = 1e-6; p < 0.5; p *= 1.7)
			assert_close(es_t_cdf(es_t_quantile(p, dfs[i]), dfs[i]), p, 1e-9);
	assert_true(es_t_cdf(-INFINITY, 3) == 0 && es_t_cdf(INFINITY, 3) == 1);
	assert_true(es_t_cdf(-1e300, 3) == 0 && es_t_cdf(-1e200, 0.1) > 0);
	/* Far out in a tail of many degrees the normal distribution is what remains. */
	assert_close(es_t_cdf(-1.5, 1e12), es_normal_cdf(-1.5), 1e-9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_degrees_have_closed_forms),
		cmocka_unit_test(values_are_those_of_gsl),
		cmocka_unit_test(values_are_those_of_the_library),
		cmocka_unit_test(the_normal_distribution_is_that_of_the_tables),
		cmocka_unit_test(quantiles_undo_shares_for_any_degrees),
	};

	return cmocka_run_group_tests_name("core/student", tests, NULL, NULL);
}
