#include "collector/series.h"

#include "analysis/changepoints.h"
#include "analysis/suspect.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Points of a series that are looked at; steps before them stand as they are. */
#define SERIES_MOST 20000
/* So many points since the last step a prediction needs, and so sure it is. */
#define SEGMENT_LEAST 8
#define CONFIDENCE 0.999

struct series {
    char workload[DB_TEXT], epoch[DB_TEXT];
    const char *name;
    int64_t position; /* of the point that the run added */
    PGresult *rows;   /* series_load.sql */
    size_t n;
    double *value;
    struct an_changepoint *known, *found; /* n each */
    size_t n_known, n_found;
};

static void series_release(struct series *s)
{
    PQclear(s->rows);
    free(s->value);
    free(s->known);
    free(s->found);
}

static bool load(struct db_conn *conn, const struct ingest_run *run, struct series *s,
                 struct hp_error *err)
{
    char most[DB_TEXT];
    s->rows = db_query(
        conn, "series_load.sql",
        DB_PARAMS(run->claim.repository, s->workload, s->epoch, db_int(most, SERIES_MOST)), err);
    if (!s->rows)
        return false;
    s->n = (size_t)PQntuples(s->rows);
    s->value = calloc(s->n + 1, sizeof *s->value);
    s->known = calloc(s->n + 1, sizeof *s->known);
    s->found = calloc(s->n + 1, sizeof *s->found);
    if (!s->value || !s->known || !s->found)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    for (size_t i = 0; i < s->n; i++) {
        s->value[i] = db_get_real(s->rows, (int)i, 2);
        if (db_text(s->rows, (int)i, 3))
            s->known[s->n_known++] = (struct an_changepoint){
                .index = i,
                .before = db_get_real(s->rows, (int)i, 3),
                .after = db_get_real(s->rows, (int)i, 4),
                .change = expm1(db_get_real(s->rows, (int)i, 4) - db_get_real(s->rows, (int)i, 3)),
                .p = db_get_real(s->rows, (int)i, 5),
            };
    }
    return true;
}

static bool is_newest(const struct series *s)
{
    return s->n > 0 && db_get_int(s->rows, (int)s->n - 1, 0) == s->position;
}

/* A point behind all others is appended; one in between, or measured again, changes the whole. */
static bool detect(struct series *s, struct hp_error *err)
{
    const struct an_cp_params params = an_cp_standard(false);
    size_t before = is_newest(s) ? s->n - 1 : 0;
    size_t known = before > 0 ? s->n_known : 0;
    while (known > 0 && s->known[known - 1].index >= before)
        known--;
    return an_changepoints_append(s->value, NULL, s->n, before, s->known, known, &params, s->found,
                                  s->n, &s->n_found) ||
           hp_fail(err, HP_INTERNAL, "the series of %s holds what is no number", s->name);
}

static bool same_steps(const struct series *s)
{
    bool same = s->n_known == s->n_found;
    for (size_t i = 0; same && i < s->n_found; i++)
        same = s->known[i].index == s->found[i].index &&
               !(fabs(s->known[i].after - s->found[i].after) > 0) &&
               !(fabs(s->known[i].before - s->found[i].before) > 0);
    return same;
}

static bool save(struct db_conn *conn, const struct ingest_run *run, const struct series *s,
                 struct hp_error *err)
{
    char first[DB_TEXT];
    HP_JSON json_t *list = json_array();
    if (same_steps(s))
        return true;
    for (size_t i = 0; i < s->n_found; i++) {
        const struct an_changepoint *p = &s->found[i];
        json_array_append_new(list,
                              json_pack("{s:I, s:s, s:f, s:f, s:f, s:f}", "position",
                                        (json_int_t)db_get_int(s->rows, (int)p->index, 0), "sha",
                                        db_text(s->rows, (int)p->index, 1), "before", p->before,
                                        "after", p->after, "change", p->change, "p", p->p));
    }
    HP_FREE char *text = hp_json_text(list);
    return text ? db_run(conn, "series_save.sql",
                         DB_PARAMS(run->claim.repository, s->workload, s->epoch,
                                   db_int(first, db_get_int(s->rows, 0, 0)), text),
                         NULL, err)
                : hp_fail(err, HP_SYSTEM, "out of memory");
}

static const struct ingest_workload *workload_of(const struct ingest_run *run, const char *name)
{
    for (size_t i = 0; i < run->n; i++)
        if (strcmp(run->workloads[i].name, name) == 0)
            return &run->workloads[i];
    return NULL;
}

/* Whether the pair has told already that this commit did it. */
static bool is_told(const struct ingest_run *run, const char *name)
{
    const struct ingest_workload *w = workload_of(run, name);
    return w && w->timed.verdict == AN_REGRESSED;
}

/* Is the newest point lower than what the points since the last step predict? */
static bool look(struct db_conn *conn, const struct ingest_run *run, const struct series *s,
                 struct hp_error *err)
{
    struct an_prediction p;
    char reason[200];
    size_t newest = s->n - 1, from = 0;
    for (size_t i = 0; i < s->n_found && s->found[i].index < newest; i++)
        from = s->found[i].index;
    if (newest - from < SEGMENT_LEAST || is_told(run, s->name))
        return true;
    if (!an_predict(s->value + from, newest - from, CONFIDENCE, log1p(AN_MARGIN), &p))
        return hp_fail(err, HP_SYSTEM, "out of memory");
    if (!an_is_suspect(&p, s->value[newest]) || s->value[newest] > p.centre)
        return true;
    snprintf(reason, sizeof reason,
             "%.1f %% slower than the %zu commits before it, which predict at most %.1f %%",
             -100 * expm1(s->value[newest] - p.centre), newest - from,
             -100 * expm1(p.low - p.centre));
    return suspect_open(conn, run, s->name, db_text(s->rows, (int)newest - 1, 1), reason, err);
}

static bool follow_one(struct db_conn *conn, const struct ingest_run *run, struct series *s,
                       struct hp_error *err)
{
    return load(conn, run, s, err) && detect(s, err) && save(conn, run, s, err) &&
           (!is_newest(s) || look(conn, run, s, err));
}

bool series_follow(struct db_conn *conn, const struct ingest_run *run, struct hp_error *err)
{
    DB_RESULT PGresult *added =
        db_query(conn, "series_add.sql",
                 DB_PARAMS(run->claim.repository, hp_json_string(run->result, "run", "")), err);
    bool ok = added != NULL;
    for (int i = 0; ok && i < PQntuples(added); i++) {
        struct series s = {.name = db_text(added, i, 1), .position = db_get_int(added, i, 3)};
        db_int(s.workload, db_get_int(added, i, 0));
        db_int(s.epoch, db_get_int(added, i, 2));
        ok = follow_one(conn, run, &s, err);
        series_release(&s);
    }
    return ok;
}
