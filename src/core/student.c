/*
 * student.c - Student's t and the normal distribution
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Source: M. Abramowitz, I. Stegun, Handbook of Mathematical Functions (1964): 26.5.8 (continued fraction of the incomplete beta
 * function), 26.7.1 (Student's t by it), 26.7.8 (many degrees of freedom), 26.2.23 (normal quantile, a start); W. Lentz (1976), Applied Optics
 * 15, 668: how to evaluate a continued fraction from its front.
 */
#include "core/stats.h"

#include <math.h>

#define MANY_DF 1e6 /* from here on the normal distribution, corrected, is off by less than 1e-12 */

/* ln of gamma(a + 1/2) / gamma(a): lgamma's difference where it is small, Stirling's series where that would cancel. */
static double log_gamma_step(double a)
{
	if (a < 50)
		return lgamma(a + 0.5) - lgamma(a);
	return 0.5 * log(a) - 1 / (8 * a) + 1 / (192 * pow(a, 3)) - 1 / (640 * pow(a, 5));
}

/* The continued fraction of the incomplete beta function: it converges quickly where x < (a + 1) / (a + b + 2). */
static double beta_fraction(double a, double b, double x)
{
	const double tiny = 1e-300; /* Lentz: instead of a division by 0 */
	double c = 1, d = 1 - (a + b) * x / (a + 1), f;

	d = 1 / (fabs(d) < tiny ? tiny : d);
	f = d;
	for (int m = 1; m < 10000; m++) {
		double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));

		for (int i = 0; i < 2; i++) {
			double term = i ? odd : even;

			d = 1 + term * d;
			c = 1 + term / c;
			d = 1 / (fabs(d) < tiny ? tiny : d);
			c = fabs(c) < tiny ? tiny : c;
			f *= d * c;
		}
		if (fabs(d * c - 1) < 1e-15)
			break;
	}
	return f;
}

/* The share above @t, which is not negative. */
static double upper_tail(double t, double df)
{
	double x = df / (df + t * t), rest = t * t / (df + t * t), front, a = df / 2;

	if (df > MANY_DF)
		return es_normal_cdf(-t * (1 - 1 / (4 * df)) / sqrt(1 + t * t / (2 * df)));
	if (t == 0)
		return 0.5;
	if (x < 1e-300) /* t * t may even be infinite: what is left of the tail is a power of t */
		return 0.5 * exp(log_gamma_step(a) - 0.5 * log(M_PI) - log(a) + a * log(df) -
				 df * log(t));
	/* x^a (1 - x)^(1/2) / B(a, 1/2) */
	front = exp(log_gamma_step(a) - 0.5 * log(M_PI) + a * (x > 0.5 ? log1p(-rest) : log(x)) +
		    0.5 * log(rest));
	if (x < (a + 1) / (a + 2.5))
		return 0.5 * front * beta_fraction(a, 0.5, x) / a;
	return 0.5 * (1 - front * beta_fraction(0.5, a, rest) / 0.5);
}

double es_t_cdf(double t, double df)
{
	return t > 0 ? 1 - upper_tail(t, df) : upper_tail(-t, df);
}

static double log_density(double t, double df)
{
	return log_gamma_step(df / 2) - 0.5 * log(df * M_PI) - (df + 1) / 2 * log1p(t * t / df);
}

/* Newton's steps on the logarithms of the tail and of t, kept within what is known to hold the answer. */
static double tail_quantile(double tail, double df)
{
	double low = -700, high = 700, at = log(fabs(es_normal_quantile(tail)) + 1e-300);

	for (int i = 0; i < 200; i++) {
		double t, found, next;

		at = at > low && at < high ? at : (low + high) / 2;
		t = exp(at);
		found = upper_tail(t, df);
		*(found > tail ? &low : &high) = at;
		next = at + log(found / tail) * found / exp(log_density(t, df) + at);
		if (fabs(next - at) < 1e-9) /* the step after it would be the square of this one */
			return exp(next);
		if (!(next > low && next < high))
			next = (low + high) / 2;
		at = next;
	}
	return exp(at);
}

double es_t_quantile(double p, double df)
{
	if (p == 0.5)
		return 0;
	return p < 0.5 ? -tail_quantile(p, df) : tail_quantile(1 - p, df);
}

double es_t_quantile_975(size_t df)
{
	return es_t_quantile(0.975, df ? (double)df : 1);
}

double es_normal_cdf(double z)
{
	return 0.5 * erfc(-z * M_SQRT1_2);
}

double es_normal_quantile(double p)
{
	double tail = p < 0.5 ? p : 1 - p, u = sqrt(-2 * log(tail)), z;

	z = u - (2.515517 + u * (0.802853 + u * 0.010328)) /
			(1 + u * (1.432788 + u * (0.189269 + u * 0.001308)));
	for (int i = 0; i < 3; i++) { /* Halley's steps: each triples the digits */
		double off = (es_normal_cdf(-z) - tail) * sqrt(2 * M_PI) * exp(z * z / 2);

		z += off / (1 - z * off / 2);
	}
	return p < 0.5 ? -z : z;
}
