/* Self-tests: what pairs of one build and a planted slowdown say of the service itself. */
#include "collector/series.h"

#include "analysis/binomial.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"
#include "common/telling/words.h"

#include <math.h>
#include <string.h>

/* Equal builds differ so often by the design of the looks (an_plan_standard); more than that is an
 * alarm where chance alone makes it less often than this. */
#define NOMINAL 0.0011
#define SURPRISE 0.01

static bool tell(struct db_conn *conn, const struct ingest_run *run, const PGresult *row,
                 const char *sentence, json_t *detail, int64_t *alert, struct hp_error *err)
{
    char change[DB_TEXT], low[DB_TEXT], high[DB_TEXT], number[DB_TEXT];
    HP_JSON json_t *owned = detail;
    HP_FREE char *text = hp_json_text(owned);
    if (!text)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    DB_RESULT PGresult *made =
        db_query(conn, "selftest_alert.sql",
                 DB_PARAMS(run->claim.repository, hp_json_string(run->result, "run", ""),
                           db_text(row, 0, 0), db_real(change, db_get_real(row, 0, 1)),
                           db_real(low, db_text(row, 0, 2) ? db_get_real(row, 0, 2) : NAN),
                           db_real(high, db_text(row, 0, 3) ? db_get_real(row, 0, 3) : NAN),
                           sentence, text, db_text(row, 0, 8)),
                 err);
    if (!made || PQntuples(made) == 0)
        return made != NULL;
    *alert = db_get_int(made, 0, 0);
    return db_run(conn, "alert_tell.sql",
                  DB_PARAMS(run->claim.repository, db_int(number, *alert), "opened", NULL), NULL,
                  err);
}

static bool judge_canary(struct db_conn *conn, const struct ingest_run *run, const PGresult *row,
                         int64_t *alert, struct hp_error *err)
{
    HP_BUFFER struct hp_buffer text = {0};
    if (db_get_bool(row, 0, 5))
        return db_run(conn, "selftest_passed.sql", DB_PARAMS(run->claim.repository, "canary"), NULL,
                      err);
    bool ok = hp_buffer_printf(&text, "The service itself is sick: a planted slowdown of ") &&
              words_percent(&text, db_get_real(row, 0, 4)) &&
              hp_buffer_printf(&text, " was not found on %s; %.2f %% was measured.",
                               db_text(row, 0, 0), 100 * db_get_real(row, 0, 1));
    return ok ? tell(conn, run, row, hp_buffer_text(&text), json_pack("{s:s}", "test", "canary"),
                     alert, err)
              : hp_fail(err, HP_SYSTEM, "out of memory");
}

static bool judge_equal(struct db_conn *conn, const struct ingest_run *run, const PGresult *row,
                        int64_t *alert, struct hp_error *err)
{
    int64_t all = db_get_int(row, 0, 6), wrong = db_get_int(row, 0, 7);
    double chance = an_binomial_tail((size_t)wrong, (size_t)all, NOMINAL);
    char text[300];
    if (chance >= SURPRISE)
        return db_run(conn, "selftest_passed.sql", DB_PARAMS(run->claim.repository, "aa"), NULL,
                      err);
    snprintf(
        text, sizeof text,
        "The service itself is sick: of %lld comparisons of a build with itself in 30 days, %lld "
        "came out different, where about one in nine hundred should; the last on %s.",
        (long long)all, (long long)wrong, db_text(row, 0, 0));
    return tell(conn, run, row, text,
                json_pack("{s:s, s:I, s:I, s:f}", "test", "aa", "comparisons", (json_int_t)all,
                          "false_alarms", (json_int_t)wrong, "chance", chance),
                alert, err);
}

bool selftest_follow(struct db_conn *conn, const struct ingest_run *run, int64_t *alert,
                     struct hp_error *err)
{
    DB_RESULT PGresult *row =
        db_query(conn, "selftest_judge.sql",
                 DB_PARAMS(run->claim.repository, hp_json_string(run->result, "run", "")), err);
    if (!row || PQntuples(row) == 0) /* it failed, or nothing was timed: that says nothing */
        return row != NULL;
    return strcmp(run->claim.kind, "canary") == 0 ? judge_canary(conn, run, row, alert, err)
                                                  : judge_equal(conn, run, row, alert, err);
}
