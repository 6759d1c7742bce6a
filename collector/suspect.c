/*
 * The search for the commit that did it. A suspect is a stretch of the main line from `low`, on the
 * old level, to `high`, on the new one. Its ends are put side by side first; then the commit in the
 * middle is measured against `low`, until nothing is left between them or the budget is spent.
 */
#include "collector/series.h"

#include "common/cleanup.h"
#include "common/json.h"

#include <string.h>

/* Runs for one suspect: enough to halve a thousand commits, with two that do not build. */
#define BUDGET 14

struct suspect {
    const char *id, *workload; /* in the rows */
    const char *low, *high;
    const char *evidence; /* the run that found it last; NULL: none yet */
    bool direct;          /* evidence put exactly low and high side by side */
    int64_t budget;
};

bool suspect_open(struct db_conn *conn, const char *repository, const char *workload,
                  const char *good, const char *bad, const char *reason, struct hp_error *err)
{
    char budget[DB_TEXT];
    DB_RESULT PGresult *row =
        db_query(conn, "suspect_open.sql",
                 DB_PARAMS(repository, workload, good, bad, reason, db_int(budget, BUDGET)), err);
    if (!row || PQntuples(row) == 0)
        return row != NULL;
    return db_run(conn, "suspect_queue.sql", DB_PARAMS(repository, db_text(row, 0, 0), good, bad),
                  NULL, err);
}

static bool end(struct db_conn *conn, const struct ingest_run *run, const struct suspect *s,
                const char *state, const char *reason, struct hp_error *err)
{
    return db_run(conn, "suspect_end.sql", DB_PARAMS(run->claim.repository, s->id, state, reason),
                  NULL, err);
}

/* The stretch cannot become shorter: what the last evidence shows is confirmed, then told. */
static bool pinned(struct db_conn *conn, const struct ingest_run *run, const struct suspect *s,
                   const char *state, const char *reason, struct hp_error *err)
{
    json_t *names = json_pack("[s]", s->workload);
    return end(conn, run, s, state, reason, err) &&
           follow_ask(conn, run->claim.repository, s->evidence, names, err);
}

enum said { SAID_SLOWER, SAID_NOTHING, SAID_FAILED };

static enum said said(const struct ingest_run *run, const char *workload)
{
    for (size_t i = 0; !run->voided[0] && i < run->n; i++) {
        const struct ingest_workload *w = &run->workloads[i];
        if (strcmp(w->name, workload) != 0)
            continue;
        if (w->timed.verdict == AN_FAILED)
            return SAID_FAILED;
        return w->timed.verdict == AN_REGRESSED && w->timed.size == AN_RELEVANT ? SAID_SLOWER
                                                                                : SAID_NOTHING;
    }
    return SAID_FAILED;
}

/* The next pair, or the end. */
static bool go_on(struct db_conn *conn, const struct ingest_run *run, const struct suspect *s,
                  const char *skipped, struct hp_error *err)
{
    char reason[300];
    DB_RESULT PGresult *next = db_query(
        conn, "suspect_step.sql",
        DB_PARAMS(run->claim.repository, s->id, s->low, s->high, s->evidence, skipped), err);
    if (!next)
        return false;
    const char *middle = db_text(next, 0, 0);
    int64_t left_out = db_get_int(next, 0, 1);
    if (s->budget <= 0 && (middle || !s->direct)) {
        snprintf(reason, sizeof reason, "it is between %.10s and %.10s; its runs are spent", s->low,
                 s->high);
        return pinned(conn, run, s, "ended", reason, err);
    }
    if (middle || !s->direct)
        return db_run(conn, "suspect_queue.sql",
                      DB_PARAMS(run->claim.repository, s->id, s->low, middle ? middle : s->high),
                      NULL, err);
    if (left_out > 0)
        snprintf(reason, sizeof reason,
                 "%.10s or one of the %lld before it that cannot be measured", s->high,
                 (long long)left_out);
    else
        snprintf(reason, sizeof reason, "%.10s did it", s->high);
    return pinned(conn, run, s, "found", reason, err);
}

/* A run put `low` beside the end of the stretch. */
static bool judge_end(struct db_conn *conn, const struct ingest_run *run, struct suspect *s,
                      enum said what, const char *id, struct hp_error *err)
{
    if (what == SAID_SLOWER) {
        s->evidence = id;
        s->direct = true;
        return go_on(conn, run, s, NULL, err);
    }
    if (what == SAID_FAILED)
        return s->evidence
                   ? pinned(conn, run, s, "ended", "the last pair could not be measured", err)
                   : end(conn, run, s, "ended", "its pair could not be measured", err);
    return s->evidence
               ? pinned(conn, run, s, "ended", "no single commit did it: small steps", err)
               : end(conn, run, s, "refuted", "side by side it is no relevant regression", err);
}

static bool judge(struct db_conn *conn, const struct ingest_run *run, struct suspect *s,
                  struct hp_error *err)
{
    const char *id = hp_json_string(run->result, "run", "");
    enum said what = said(run, s->workload);
    if (strcmp(run->claim.head, s->high) == 0)
        return judge_end(conn, run, s, what, id, err);
    if (what == SAID_FAILED)
        return go_on(conn, run, s, run->claim.head, err);
    if (what == SAID_SLOWER) {
        s->high = run->claim.head;
        s->evidence = id;
        s->direct = true;
    } else {
        s->low = run->claim.head;
        s->direct = false;
    }
    return go_on(conn, run, s, NULL, err);
}

bool suspect_follow(struct db_conn *conn, const struct ingest_run *run, struct hp_error *err)
{
    DB_RESULT PGresult *rows =
        db_query(conn, "suspect_of_job.sql", DB_PARAMS(run->claim.repository, run->claim.job), err);
    bool ok = rows != NULL;
    for (int i = 0; ok && i < PQntuples(rows); i++) {
        struct suspect s = {.id = db_text(rows, i, 0),
                            .workload = db_text(rows, i, 1),
                            .low = db_text(rows, i, 2),
                            .high = db_text(rows, i, 3),
                            .budget = db_get_int(rows, i, 4),
                            .evidence = db_text(rows, i, 5),
                            .direct = db_get_bool(rows, i, 6)};
        ok = judge(conn, run, &s, err);
    }
    return ok;
}
