/*
 * What follows from a verdict. A relevant regression is measured once more, in other code layouts,
 * where it is clearest, then elsewhere, and only what such a run finds again is told: the alert and
 * the message are made then. A commit that takes a regression back ends its alert.
 */
#include "collector/ingest_internal.h"

#include "collector/series.h"
#include "collector/view_internal.h"
#include "common/cleanup.h"
#include "common/hash.h"
#include "common/json.h"
#include "common/telling/sentence.h"

#include <math.h>
#include <string.h>

/* So often a confirming run is tried that fails for reasons of its own. */
#define CONFIRM_TRIES 2
#define LAYOUT_SEEDS 1000000

static const char *run_id(const struct ingest_run *run)
{
    return hp_json_string(run->result, "run", "");
}

static bool is_kind(const struct ingest_run *run, const char *kind)
{
    return strcmp(run->claim.kind, kind) == 0;
}

static bool is_relevant(struct an_outcome outcome)
{
    return outcome.verdict == AN_REGRESSED && outcome.size == AN_RELEVANT;
}

/* --- asking for a fresh run ------------------------------------------------------------------- */

/* Another draw of layouts than the standard one, which is 0. */
static bool draw_layouts(json_int_t *seed, struct hp_error *err)
{
    uint32_t random;
    if (!hp_random_bytes(&random, sizeof random, err))
        return false;
    *seed = 1 + random % LAYOUT_SEEDS;
    return true;
}

/* What is to be looked at again: the workload whose own metric shows its regression most clearly,
 * for one that is found again is enough; where only metrics beside it do, all of them. */
static json_t *names_to_confirm(const struct ingest_run *run)
{
    const struct ingest_workload *clearest = NULL;
    for (size_t i = 0; i < run->n; i++) {
        const struct ingest_workload *w = &run->workloads[i];
        if (is_relevant(w->timed) &&
            (!clearest || fabs(w->estimate.z) > fabs(clearest->estimate.z)))
            clearest = w;
    }
    json_t *names = json_array();
    if (clearest)
        json_array_append_new(names, json_string(clearest->name));
    for (size_t i = 0; !clearest && i < run->n; i++)
        if (is_relevant(run->workloads[i].outcome))
            json_array_append_new(names, json_string(run->workloads[i].name));
    return names;
}

bool follow_ask(struct db_conn *conn, const char *repository, const char *id, json_t *names,
                struct hp_error *err)
{
    HP_JSON json_t *owned = names;
    json_int_t seed;
    if (!draw_layouts(&seed, err))
        return false;
    HP_JSON json_t *plan =
        json_pack("{s:[i], s:f, s:I, s:O}", "looks", AN_CONFIRM_PAIRS, "critical", AN_CONFIRM_Z,
                  "layout_seed", seed, "workloads", owned);
    HP_FREE char *text = plan ? hp_json_text(plan) : NULL;
    if (!text)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    return db_run(conn, "follow_ask.sql", DB_PARAMS(repository, id, text), NULL, err);
}

/* --- the alert ----------------------------------------------------------------------------------
 */

/* What the webhook is told. The address is a path of the page; who sends it knows the host. */
static json_t *message_json(const struct ingest_run *run, const char *id, const json_t *comparison,
                            const json_t *decided)
{
    return json_pack(
        "{s:s, s:s, s:n, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O?, s:s, "
        "s:o}",
        "event", "regressed", "repository", run->claim.name, "alert", "commit",
        json_object_get(comparison, "head"), "base", json_object_get(comparison, "base"),
        "sentence", json_object_get(comparison, "sentence"), "workload",
        json_object_get(decided, "workload"), "metric", json_object_get(decided, "metric"),
        "change", json_object_get(decided, "change"), "low", json_object_get(decided, "low"),
        "high", json_object_get(decided, "high"), "pairs", json_object_get(decided, "pairs"),
        "verdict", json_object_get(comparison, "verdict"), "size",
        json_object_get(comparison, "size"), "reproduce", json_object_get(comparison, "reproduce"),
        "cause", json_object_get(decided, "cause"), "run", id, "address",
        json_sprintf("/#repo=%s&base=%s&head=%s", run->claim.name, run->claim.base,
                     run->claim.head));
}

/* The alert of run `id`, which has the same commits as this one. */
static bool make_alert(struct db_conn *conn, const struct ingest_run *run, const char *id,
                       int64_t *alert, struct hp_error *err)
{
    HP_JSON json_t *comparison = view_comparison(conn, run->claim.repository, id, err);
    if (!comparison)
        return false;
    const json_t *decided = sentence_deciding_workload(comparison);
    HP_JSON json_t *message = message_json(run, id, comparison, decided);
    HP_FREE char *payload = message ? hp_json_text(message) : NULL;
    if (!payload)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    char change[DB_TEXT], low[DB_TEXT], high[DB_TEXT];
    DB_RESULT PGresult *row =
        db_query(conn, "ingest_alert.sql",
                 DB_PARAMS(run->claim.repository, id, hp_json_string(comparison, "sentence", ""),
                           db_real(change, hp_json_number(decided, "change", NAN)),
                           db_real(low, hp_json_number(decided, "low", NAN)),
                           db_real(high, hp_json_number(decided, "high", NAN)), payload,
                           hp_json_string(decided, "cause", NULL)),
                 err);
    if (row && PQntuples(row) > 0)
        *alert = db_get_int(row, 0, 0);
    return row != NULL;
}

/* --- what the fresh run says --------------------------------------------------------------------
 */

static const struct ingest_workload *find_workload(const struct ingest_run *run, const char *name)
{
    for (size_t i = 0; i < run->n; i++)
        if (strcmp(run->workloads[i].name, name) == 0)
            return &run->workloads[i];
    return NULL;
}

/* Whether this run finds again what the first found in one metric of one workload. */
static bool finds_again(const struct ingest_workload *w, const char *metric, double estimate)
{
    const struct an_estimate first = {.estimate = estimate};
    if (strcmp(metric, w->metric->name) == 0)
        return w->estimated && an_confirms(&first, &w->estimate);
    for (size_t i = 0; i < w->n_metrics; i++)
        if (strcmp(w->metrics[i].name, metric) == 0)
            return w->metrics[i].outcome.verdict == AN_REGRESSED;
    return false;
}

/* "confirmed", "refuted", or NULL where nothing that the first run found was measured. */
static const char *answer_of(const struct ingest_run *run, const PGresult *first)
{
    bool any = false, found = false;
    for (int i = 0; i < PQntuples(first); i++) {
        const struct ingest_workload *w = find_workload(run, db_text(first, i, 0));
        if (!w || w->outcome.verdict == AN_FAILED)
            continue;
        any = true;
        found = found || finds_again(w, db_text(first, i, 1), db_get_real(first, i, 2));
    }
    return !any ? NULL : found ? "confirmed" : "refuted";
}

static bool try_again(struct db_conn *conn, const struct ingest_run *run, struct hp_error *err)
{
    char seed[DB_TEXT];
    json_int_t drawn;
    return draw_layouts(&drawn, err) &&
           db_run(conn, "follow_again.sql",
                  DB_PARAMS(run->claim.repository, run->claim.job, db_int(seed, drawn)), NULL, err);
}

/* Whether what was not found again is looked for in further workloads, *asked, before it is said.
 */
static bool ask_rest(struct db_conn *conn, const struct ingest_run *run, bool *asked,
                     struct hp_error *err)
{
    DB_RESULT PGresult *row =
        db_query(conn, "follow_rest.sql", DB_PARAMS(run->claim.repository, run->claim.job), err);
    *asked = row && PQntuples(row) > 0;
    return row != NULL;
}

static bool confirm(struct db_conn *conn, const struct ingest_run *run, int64_t *alert,
                    struct hp_error *err)
{
    const char *first_id = run->claim.confirms;
    if (!first_id[0])
        return true;
    DB_RESULT PGresult *first =
        db_query(conn, "follow_first.sql", DB_PARAMS(run->claim.repository, first_id), err);
    if (!first)
        return false;
    if (PQntuples(first) == 0) /* it was voided or removed meanwhile */
        return true;
    const char *answer = run->voided[0] ? NULL : answer_of(run, first);
    if (!answer && db_get_int(first, 0, 4) < CONFIRM_TRIES)
        return try_again(conn, run, err);
    bool found = answer && strcmp(answer, "confirmed") == 0, asked = false;
    if (answer && !found && !ask_rest(conn, run, &asked, err))
        return false;
    if (asked)
        return true;
    if (!db_run(
            conn, "follow_confirmed.sql",
            DB_PARAMS(run->claim.repository, first_id, run_id(run), answer ? answer : "unanswered"),
            NULL, err))
        return false;
    return !found || !db_get_bool(first, 0, 5) || make_alert(conn, run, first_id, alert, err);
}

bool ingest_follow(struct db_conn *conn, const struct ingest_run *run, int64_t *alert,
                   struct hp_error *err)
{
    if (is_kind(run, "confirm"))
        return confirm(conn, run, alert, err);
    if (is_kind(run, "aa") || is_kind(run, "canary"))
        return selftest_follow(conn, run, alert, err);
    if (is_kind(run, "bisect"))
        return suspect_follow(conn, run, err);
    if (!db_run(conn, "follow_merge.sql", DB_PARAMS(run->claim.repository, run_id(run)), NULL, err))
        return false;
    if (run->outcome.verdict == AN_IMPROVED && run->claim.against_parent &&
        !db_run(conn, "follow_reverted.sql", DB_PARAMS(run->claim.repository, run_id(run)), NULL,
                err))
        return false;
    if (is_kind(run, "commit") || is_kind(run, "backfill"))
        if (!accumulate_follow(conn, run, alert, err))
            return false;
    if (!is_kind(run, "compare") &&
        !db_run(conn, "series_add.sql", DB_PARAMS(run->claim.repository, run_id(run)), NULL, err))
        return false;
    return !is_relevant(run->outcome) ||
           follow_ask(conn, run->claim.repository, run_id(run), names_to_confirm(run), err);
}
