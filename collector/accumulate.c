/* Small regressions in a row, each shown and none told, that together are one to be told. */
#include "collector/series.h"

#include "analysis/chain.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"
#include "common/telling/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* So far back they count, and so many are named in the sentence. */
#define COMMITS_MOST 60
#define NAMED_MOST 5
#define CRITICAL 3.70

static void read_commit(const PGresult *rows, int i, struct an_estimate *step,
                        struct an_outcome *outcome)
{
    const char *verdict = db_text(rows, i, 2), *size = db_text(rows, i, 3);
    outcome->verdict = AN_FAILED;
    outcome->size = !size ? AN_SIZE_NONE : strcmp(size, "small") == 0 ? AN_SMALL : AN_RELEVANT;
    *step = (struct an_estimate){.n = SIZE_MAX};
    if (!verdict || !an_verdict_parse(verdict, &outcome->verdict))
        return; /* a hole, which a stretch does not reach over */
    if (outcome->verdict == AN_IDENTICAL || outcome->verdict == AN_FAILED)
        return;
    if (!db_text(rows, i, 4)) { /* another metric alone was judged */
        outcome->verdict = AN_FAILED;
        return;
    }
    *step = (struct an_estimate){
        .estimate = db_get_real(rows, i, 4),
        .low = db_text(rows, i, 5) ? db_get_real(rows, i, 5) : -INFINITY,
        .high = db_text(rows, i, 6) ? db_get_real(rows, i, 6) : INFINITY,
        .n = (size_t)db_get_int(rows, i, 7),
    };
}

/* "a1b2c3d 0.4 %, …" and the list for the alert. */
static bool name_commits(const PGresult *rows, const struct an_accumulated *found,
                         const struct an_estimate *step, const struct an_outcome *outcome,
                         struct hp_buffer *words, json_t *list)
{
    bool ok = true;
    size_t named = 0;
    for (size_t i = found->first; i <= found->last; i++) {
        if (outcome[i].verdict != AN_REGRESSED)
            continue;
        const char *sha = db_text(rows, (int)i, 0);
        double change = expm1(step[i].estimate);
        json_array_append_new(list,
                              json_pack("{s:s, s:s#, s:s, s:f}", "sha", sha, "short", sha, 7,
                                        "subject", db_text(rows, (int)i, 1), "change", change));
        if (++named > NAMED_MOST)
            continue;
        ok = ok && hp_buffer_printf(words, "%s%.7s ", named > 1 ? ", " : "", sha) &&
             words_percent(words, change);
    }
    return ok &&
           (named <= NAMED_MOST || hp_buffer_printf(words, " and %zu more", named - NAMED_MOST));
}

/* "1.2 % slower on random_mixed/8192", or "1.2 % higher in cpu on random_mixed/8192" */
static bool add_loss(struct hp_buffer *out, const struct ingest_workload *w, double change)
{
    const struct hp_metric *m = w->metric;
    bool rate = strcmp(m->name, HP_METRIC_PRIMARY) == 0;
    return words_percent(out, change) &&
           hp_buffer_printf(out, " %s%s on %s",
                            rate                           ? "slower"
                            : m->better == HP_BETTER_LOWER ? "higher in "
                                                           : "lower in ",
                            rate ? "" : m->name, w->name);
}

static bool tell(struct db_conn *conn, const struct ingest_run *run,
                 const struct ingest_workload *w, const struct an_accumulated *found, json_t *list,
                 const char *names, int64_t *alert, struct hp_error *err)
{
    char change[DB_TEXT], low[DB_TEXT], high[DB_TEXT], number[DB_TEXT];
    HP_BUFFER struct hp_buffer text = {0};
    double all = expm1(found->total.estimate), below = expm1(found->total.low),
           above = expm1(found->total.high);
    bool ok = hp_buffer_printf(&text, "%zu small regressions add up: together ", found->members) &&
              add_loss(&text, w, all) &&
              hp_buffer_printf(&text, " (interval %.1f to %.1f %%): %s.",
                               100 * fmin(fabs(below), fabs(above)),
                               100 * fmax(fabs(below), fabs(above)), names);
    HP_JSON json_t *detail = json_pack("{s:s, s:O}", "workload", w->name, "commits", list);
    HP_FREE char *json = hp_json_text(detail);
    if (!ok || !json)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    DB_RESULT PGresult *row =
        db_query(conn, "accumulate_alert.sql",
                 DB_PARAMS(run->claim.repository, hp_json_string(run->result, "run", ""), w->name,
                           db_real(change, all), db_real(low, below), db_real(high, above),
                           hp_buffer_text(&text), json, w->metric->name),
                 err);
    if (!row || PQntuples(row) == 0)
        return row != NULL;
    *alert = db_get_int(row, 0, 0);
    return db_run(conn, "alert_tell.sql",
                  DB_PARAMS(run->claim.repository, db_int(number, *alert), "opened", NULL), NULL,
                  err);
}

static bool follow_one(struct db_conn *conn, const struct ingest_run *run,
                       const struct ingest_workload *w, int64_t *alert, struct hp_error *err)
{
    char most[DB_TEXT];
    struct an_estimate step[COMMITS_MOST];
    struct an_outcome outcome[COMMITS_MOST];
    struct an_accumulated found;
    DB_RESULT PGresult *rows = db_query(conn, "accumulate_load.sql",
                                        DB_PARAMS(run->claim.repository, w->name, run->claim.head,
                                                  db_int(most, COMMITS_MOST), w->metric->name),
                                        err);
    size_t n = rows ? (size_t)PQntuples(rows) : 0;
    for (size_t i = 0; i < n; i++)
        read_commit(rows, (int)i, &step[i], &outcome[i]);
    /* The newest must be this very commit: a late result of an older one told its stretch then. */
    if (n == 0 ||
        !an_accumulate(step, outcome, n,
                       w->metric->better == HP_BETTER_LOWER ? AN_LOWER : AN_HIGHER,
                       log1p(AN_MARGIN), CRITICAL, &found) ||
        found.members == 0 || found.last != n - 1)
        return rows != NULL;
    HP_JSON json_t *list = json_array();
    HP_BUFFER struct hp_buffer names = {0};
    return name_commits(rows, &found, step, outcome, &names, list)
               ? tell(conn, run, w, &found, list, hp_buffer_text(&names), alert, err)
               : hp_fail(err, HP_SYSTEM, "out of memory");
}

bool accumulate_follow(struct db_conn *conn, const struct ingest_run *run, int64_t *alert,
                       struct hp_error *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < run->n; i++) {
        const struct ingest_workload *w = &run->workloads[i];
        if (w->timed.verdict == AN_REGRESSED && w->timed.size == AN_SMALL)
            ok = follow_one(conn, run, w, alert, err);
    }
    return ok;
}
