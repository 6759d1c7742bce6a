/*
 * Student's distribution by the continued fraction of the incomplete beta function (Abramowitz and
 * Stegun 26.7.1 and 26.5.8). Pure functions, any thread may call.
 */
#ifndef AN_STUDENT_H
#define AN_STUDENT_H

/* The chance that t with `freedom` > 0 degrees exceeds t >= 0; NAN otherwise. */
double an_student_tail(double t, double freedom);

/*
 * The quantile of the distribution with `freedom` > 0 degrees, p in (0, 1); NAN otherwise.
 * Relative error below 1e-9.
 */
double an_student_quantile(double p, double freedom);

#endif
