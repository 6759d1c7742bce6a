/*
 * Steps of the level of each series, and points outside what it predicts. A due point changes the
 * series only around itself: what is read and what is written is that stretch, however long the
 * history.
 */
#include "collector/series.h"

#include "analysis/changepoints.h"
#include "analysis/suspect.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/log.h"
#include "common/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Points on each side of the due ones: as far as they reach, and what that is judged by. */
#define MARGIN (2 * AN_CP_SETTLED + 16)
/* Positions that are judged at a time; due points before them come next. */
#define POSITIONS_MOST 20000
/* Series a round; the next one follows at once. */
#define SERIES_MOST 100
/* So many points since the last step a prediction needs, and so sure it is. */
#define SEGMENT_LEAST 8
#define CONFIDENCE 0.999

/* Columns of series_take.sql. */
enum {
    POSITION,
    SHA,
    RATIO,
    BEFORE,
    AFTER,
    CHANCE,
    DUE,
    TOLD,
    NAME,
    MORE_BEFORE,
    MORE_BEHIND,
    METRIC,
    LESS_IS_BETTER
};

/* A stretch of a series. */
struct series {
    const char *repository, *workload, *metric, *epoch; /* ids */
    PGresult *rows;
    size_t n;
    double *value;
    struct an_changepoint *known, *found; /* n each */
    size_t n_known, n_found;
    size_t first_due, last_due;
    size_t from, to; /* the steps at these and between are found anew; others stand */
};

static void series_release(struct series *s)
{
    PQclear(s->rows);
    free(s->value);
    free(s->known);
    free(s->found);
}

static void read_point(struct series *s, size_t i)
{
    const PGresult *rows = s->rows;
    int row = (int)i;
    s->value[i] = db_get_real(rows, row, RATIO);
    if (db_text(rows, row, BEFORE))
        s->known[s->n_known++] = (struct an_changepoint){
            .index = i,
            .before = db_get_real(rows, row, BEFORE),
            .after = db_get_real(rows, row, AFTER),
            .change = expm1(db_get_real(rows, row, AFTER) - db_get_real(rows, row, BEFORE)),
            .p = db_get_real(rows, row, CHANCE),
        };
    if (!db_get_bool(rows, row, DUE))
        return;
    s->first_due = s->first_due < i ? s->first_due : i;
    s->last_due = i;
}

/* n is 0 where somebody else took the points. */
static bool take(struct db_conn *conn, struct series *s, struct hp_error *err)
{
    char margin[DB_TEXT], most[DB_TEXT];
    s->rows = db_query(conn, "series_take.sql",
                       DB_PARAMS(s->repository, s->workload, s->epoch, db_int(margin, MARGIN),
                                 db_int(most, POSITIONS_MOST), s->metric),
                       err);
    if (!s->rows)
        return false;
    s->n = s->first_due = (size_t)PQntuples(s->rows);
    s->value = calloc(s->n + 1, sizeof *s->value);
    s->known = calloc(s->n + 1, sizeof *s->known);
    s->found = calloc(s->n + 1, sizeof *s->found);
    if (!s->value || !s->known || !s->found)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    for (size_t i = 0; i < s->n; i++)
        read_point(s, i);
    if (s->n == 0)
        return true;
    bool more_before = db_get_bool(s->rows, 0, MORE_BEFORE),
         more_behind = db_get_bool(s->rows, 0, MORE_BEHIND);
    s->from = !more_before ? 0 : s->first_due > AN_CP_SETTLED ? s->first_due - AN_CP_SETTLED : 0;
    s->to =
        more_behind && s->last_due + AN_CP_SETTLED < s->n ? s->last_due + AN_CP_SETTLED : s->n - 1;
    return true;
}

/* Points behind all others are appended; one in between, or measured again, changes both sides. */
static bool detect(struct series *s, struct hp_error *err)
{
    const struct an_cp_params params = an_cp_standard(false);
    size_t before = s->last_due == s->n - 1 ? s->first_due : 0, known = s->n_known;
    while (known > 0 && s->known[known - 1].index >= before)
        known--;
    return an_changepoints_append(s->value, NULL, s->n, before, s->known, known, &params, s->found,
                                  s->n, &s->n_found) ||
           hp_fail(err, HP_INTERNAL, "the series of workload %s holds what is no number",
                   s->workload);
}

static bool is_inside(const struct series *s, const struct an_changepoint *p)
{
    return p->index >= s->from && p->index <= s->to;
}

/* The first of list[n] at or behind `i` that is found anew; n: none. */
static size_t next_inside(const struct series *s, const struct an_changepoint *list, size_t n,
                          size_t i)
{
    while (i < n && !is_inside(s, &list[i]))
        i++;
    return i;
}

static bool same_steps(const struct series *s)
{
    size_t k = next_inside(s, s->known, s->n_known, 0);
    size_t f = next_inside(s, s->found, s->n_found, 0);
    while (k < s->n_known && f < s->n_found) {
        const struct an_changepoint *a = &s->known[k], *b = &s->found[f];
        if (a->index != b->index || fabs(a->after - b->after) > 0 ||
            fabs(a->before - b->before) > 0)
            return false;
        k = next_inside(s, s->known, s->n_known, k + 1);
        f = next_inside(s, s->found, s->n_found, f + 1);
    }
    return k == s->n_known && f == s->n_found;
}

static bool save(struct db_conn *conn, const struct series *s, struct hp_error *err)
{
    char first[DB_TEXT], last[DB_TEXT];
    if (same_steps(s))
        return true;
    HP_JSON json_t *list = json_array();
    for (size_t i = 0; i < s->n_found; i++) {
        const struct an_changepoint *p = &s->found[i];
        if (is_inside(s, p))
            json_array_append_new(
                list, json_pack("{s:I, s:s, s:f, s:f, s:f, s:f}", "position",
                                (json_int_t)db_get_int(s->rows, (int)p->index, POSITION), "sha",
                                db_text(s->rows, (int)p->index, SHA), "before", p->before, "after",
                                p->after, "change", p->change, "p", p->p));
    }
    HP_FREE char *text = hp_json_text(list);
    return text ? db_run(conn, "series_save.sql",
                         DB_PARAMS(s->repository, s->workload, s->epoch,
                                   db_int(first, db_get_int(s->rows, (int)s->from, POSITION)),
                                   db_int(last, db_get_int(s->rows, (int)s->to, POSITION)), text,
                                   s->metric),
                         NULL, err)
                : hp_fail(err, HP_SYSTEM, "out of memory");
}

/* "4.1 % slower than the 20 commits before it, which predict at most 0.9 %" */
static void say_why(const struct series *s, double change, double most, size_t n, char *out,
                    size_t size)
{
    const char *metric = db_text(s->rows, 0, METRIC);
    bool rate = strcmp(metric, HP_METRIC_PRIMARY) == 0;
    const char *word = rate                                      ? "slower"
                       : db_get_bool(s->rows, 0, LESS_IS_BETTER) ? "higher in "
                                                                 : "lower in ";
    snprintf(out, size,
             "%.1f %% %s%s than the %zu commits before it, which predict at most %.1f %%",
             100 * fabs(expm1(change)), word, rate ? "" : metric, n, 100 * fabs(expm1(most)));
}

/* Is point i worse than what the points since the last step predict? Not where the pair has told
 * already that this commit did it. */
static bool look(struct db_conn *conn, const struct series *s, size_t i, struct hp_error *err)
{
    struct an_prediction p;
    char reason[300];
    size_t from = 0;
    bool less = db_get_bool(s->rows, 0, LESS_IS_BETTER);
    for (size_t k = 0; k < s->n_found && s->found[k].index < i; k++)
        from = s->found[k].index;
    if (i - from < SEGMENT_LEAST || db_get_bool(s->rows, (int)i, TOLD))
        return true;
    if (!an_predict(s->value + from, i - from, CONFIDENCE, log1p(AN_MARGIN), &p))
        return hp_fail(err, HP_SYSTEM, "out of memory");
    if (!an_is_suspect(&p, s->value[i]) || (s->value[i] > p.centre) != less)
        return true;
    say_why(s, s->value[i] - p.centre, (less ? p.high : p.low) - p.centre, i - from, reason,
            sizeof reason);
    return suspect_open(conn, s->repository, db_text(s->rows, (int)i, NAME),
                        db_text(s->rows, (int)i - 1, SHA), db_text(s->rows, (int)i, SHA), reason,
                        err);
}

/* The due points with none behind them but due ones: each was the newest when it came. */
static bool look_at_newest(struct db_conn *conn, const struct series *s, struct hp_error *err)
{
    size_t first = s->n;
    if (db_get_bool(s->rows, 0, MORE_BEHIND))
        return true;
    while (first > 0 && db_get_bool(s->rows, (int)first - 1, DUE))
        first--;
    bool ok = true;
    for (size_t i = first; ok && i < s->n; i++)
        ok = look(conn, s, i, err);
    return ok;
}

static bool judge(struct db_conn *conn, struct series *s, struct hp_error *err)
{
    return take(conn, s, err) &&
           (s->n == 0 || (detect(s, err) && save(conn, s, err) && look_at_newest(conn, s, err)));
}

/* One series in one transaction. What is wrong with it by itself is logged, and keeps nobody else
 * waiting: false only where the database cannot be used. */
static bool judge_one(struct db_conn *conn, const PGresult *due, int row, int64_t *judged,
                      struct hp_error *err)
{
    struct series s = {.repository = db_text(due, row, 0),
                       .workload = db_text(due, row, 1),
                       .metric = db_text(due, row, 2),
                       .epoch = db_text(due, row, 3)};
    bool ok = db_begin(conn, err) && judge(conn, &s, err) && db_commit(conn, err);
    series_release(&s);
    *judged += ok;
    if (ok)
        return true;
    db_rollback(conn);
    hp_error_context(err, "the steps of workload %s in epoch %s", s.workload, s.epoch);
    if (err->code == HP_UNAVAILABLE)
        return false;
    hp_log_error(HP_LOG_ERROR, "series", err);
    return true;
}

bool series_judge(struct db *db, const volatile int *stop, int64_t *judged, struct hp_error *err)
{
    char most[DB_TEXT];
    *judged = 0;
    for (int64_t before = -SERIES_MOST; *judged - before == SERIES_MOST;) {
        before = *judged;
        DB_CONN struct db_conn *conn = db_acquire(db, err);
        DB_RESULT PGresult *due =
            conn ? db_query(conn, "series_due.sql", DB_PARAMS(db_int(most, SERIES_MOST)), err)
                 : NULL;
        if (!due)
            return false;
        for (int i = 0; i < PQntuples(due) && !(stop && *stop); i++)
            if (!judge_one(conn, due, i, judged, err))
                return false;
    }
    return true;
}
