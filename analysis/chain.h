/*
 * Estimates put together: revisions that were never measured side by side, and small regressions
 * that add up. The error is carried along: independent half-widths add in quadrature, so that the
 * result is an interval at the same critical value as its parts. Pure functions: the caller owns
 * every array, nothing is kept between calls, any thread may call.
 */
#ifndef AN_CHAIN_H
#define AN_CHAIN_H

#include "analysis/verdict.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Head against base from the steps between them, each a child against its parent: the estimates
 * add up. All steps have intervals at `critical`. In the result n is that of the step with the
 * fewest pairs, z the estimate in standard errors, and an infinite bound makes an infinite one.
 * False, and *out unwritten, when n is 0, an estimate is not finite, a bound is NAN or on the wrong
 * side of it, or critical is not finite and positive.
 */
AN_CHECKED bool an_chain(const struct an_estimate *step, size_t n, double critical,
                         struct an_estimate *out);

/*
 * Head against base from base and head each against the same reference artifact, as ln(x / ref),
 * measured in whatever runs. Otherwise like an_chain.
 */
AN_CHECKED bool an_through_reference(const struct an_estimate *base, const struct an_estimate *head,
                                     double critical, struct an_estimate *out);

/* The one with the narrower interval, the first if both are as wide. */
const struct an_estimate *an_tighter(const struct an_estimate *a, const struct an_estimate *b);

/*
 * Whether an estimate answers a question about changes of `margin` (log ratio): its half-width is
 * at most that. If not, a direct measurement is worth offering.
 */
bool an_is_tight(const struct an_estimate *estimate, double margin);

/* Small regressions that together are one to be told. */
struct an_accumulated {
    size_t first, last;       /* commits of the stretch, both small regressions; as given, from 0 */
    size_t members;           /* small regressions in it; 0: nothing accumulated */
    struct an_estimate total; /* of the whole stretch, first's parent to last */
};

/*
 * Looks back from the newest of n commits in first-parent order, each with its estimate against its
 * parent (intervals at `critical`) and what was said of it: the stretch that ends with the newest
 * small regression, begins with another, and lost most in total. It accumulates if the total is
 * proven (its interval excludes 0) and at least margin (log ratio). Everything between counts,
 * improvements too, but the stretch does not reach over a relevant change, which was told by
 * itself, or over a commit that failed or is inconclusive.
 * False, and *out unwritten, for margin not finite and positive, or as an_chain.
 */
AN_CHECKED bool an_accumulate(const struct an_estimate *step, const struct an_outcome *outcome,
                              size_t n, enum an_better better, double margin, double critical,
                              struct an_accumulated *out);

#endif
