/* One result, one transaction. */
#include "collector/ingest.h"

#include "collector/ingest_internal.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/log.h"

#include <stdio.h>
#include <string.h>

static void copy(char *out, size_t room, const char *text)
{
    snprintf(out, room, "%s", text ? text : "");
}

static bool load_claim(struct db_conn *conn, const json_t *result, struct ingest_claim *out,
                       struct hp_error *err)
{
    char job[DB_TEXT];
    DB_RESULT PGresult *row = db_query(conn, "ingest_claim.sql",
                                       DB_PARAMS(db_int(job, hp_json_int(result, "job", 0))), err);
    if (!row)
        return false;
    if (PQntuples(row) == 0)
        return hp_fail(err, HP_NOT_FOUND, "there is no job %s", job);
    copy(out->repository, sizeof out->repository, db_text(row, 0, 0));
    copy(out->name, sizeof out->name, db_text(row, 0, 1));
    copy(out->job, sizeof out->job, db_text(row, 0, 2));
    copy(out->kind, sizeof out->kind, db_text(row, 0, 3));
    copy(out->head, sizeof out->head, db_text(row, 0, 4));
    copy(out->base, sizeof out->base, db_text(row, 0, 5));
    copy(out->suite_hash, sizeof out->suite_hash, db_text(row, 0, 6));
    copy(out->run, sizeof out->run, db_text(row, 0, 7));
    out->fence = db_get_int(row, 0, 8);
    out->attempt = db_get_int(row, 0, 9);
    out->against_parent = db_get_bool(row, 0, 10);
    out->ended = db_get_bool(row, 0, 11);
    const char *suite = db_text(row, 0, 12);
    copy(out->confirms, sizeof out->confirms, db_text(row, 0, 13));
    const char *plan = db_text(row, 0, 14);
    out->suite = hp_json_parse(suite, strlen(suite), err);
    out->plan = plan ? hp_json_parse(plan, strlen(plan), err) : NULL;
    return out->suite && (out->plan || !plan);
}

/* Whether this run is there already: then `out` says what it came to. */
static bool find_before(struct db_conn *conn, const struct ingest_run *run, bool *found,
                        struct ingest_outcome *out, struct hp_error *err)
{
    DB_RESULT PGresult *row =
        db_query(conn, "ingest_before.sql",
                 DB_PARAMS(run->claim.repository, hp_json_string(run->result, "run", "")), err);
    if (!row)
        return false;
    *found = PQntuples(row) > 0;
    if (*found) {
        copy(out->verdict, sizeof out->verdict, db_text(row, 0, 0));
        copy(out->size, sizeof out->size, db_text(row, 0, 1));
    }
    return true;
}

/* Everything between BEGIN and COMMIT. */
static bool ingest_inside(struct db_conn *conn, struct ingest_run *run, struct ingest_outcome *out,
                          struct hp_error *err)
{
    bool before;
    if (!load_claim(conn, run->result, &run->claim, err))
        return false;
    if (strcmp(hp_json_string(run->result, "repository", ""), run->claim.name) == 0) {
        if (!find_before(conn, run, &before, out, err))
            return false;
        if (before)
            return true;
    }
    /* The job is done before what follows: that may be the same once more. */
    if (!ingest_check_claim(run->result, &run->claim, err) || !ingest_decide(run, err) ||
        !ingest_store(conn, run, err) ||
        !db_run(conn, "ingest_job.sql", DB_PARAMS(run->claim.repository, run->claim.job), NULL,
                err) ||
        !ingest_follow(conn, run, &out->alert, err))
        return false;
    out->stored = true;
    out->voided = run->voided[0] != '\0';
    if (run->compared) {
        copy(out->verdict, sizeof out->verdict, an_verdict_name(run->outcome.verdict));
        copy(out->size, sizeof out->size, an_size_name(run->outcome.size));
    }
    return true;
}

static bool write_audit(struct db_conn *conn, const struct ingest_run *run,
                        const struct ingest_sender *sender, const struct ingest_outcome *out,
                        struct hp_error *err)
{
    if (!sender)
        return true;
    HP_JSON json_t *detail =
        json_pack("{s:b, s:s}", "stored", out->stored, "verdict", out->verdict);
    HP_FREE char *text = hp_json_text(detail);
    return db_run(conn, "auth_audit.sql",
                  DB_PARAMS(sender->who, "result", hp_json_string(run->result, "run", ""),
                            sender->address, text),
                  NULL, err);
}

bool ingest_result(struct db *db, const json_t *result, struct ingest_outcome *out,
                   struct hp_error *err)
{
    return ingest_result_from(db, result, NULL, out, err);
}

bool ingest_result_from(struct db *db, const json_t *result, const struct ingest_sender *sender,
                        struct ingest_outcome *out, struct hp_error *err)
{
    *out = (struct ingest_outcome){0};
    if (!ingest_check_document(result, err))
        return false;
    DB_CONN struct db_conn *conn = db_acquire(db, err);
    if (!conn)
        return false;
    struct ingest_run run = {.result = result, .decided_by = -1};
    bool ok = db_begin(conn, err) && ingest_inside(conn, &run, out, err) &&
              write_audit(conn, &run, sender, out, err) && db_commit(conn, err);
    if (!ok) {
        db_rollback(conn);
        *out = (struct ingest_outcome){0};
    } else if (out->voided) {
        hp_log(HP_LOG_WARNING, "run %s is void: %s", hp_json_string(result, "run", ""), run.voided);
    }
    ingest_run_clear(&run);
    return ok;
}
