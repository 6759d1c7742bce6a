/*
 * The steps of storing a result: what is wrong with the document (ingest_check.c), what its samples
 * say (ingest_verdict.c), and how it is written (ingest_store.c). ingest.c puts them together in
 * one transaction. Only ingest*.c include it.
 */
#ifndef HP_COLLECTOR_INGEST_INTERNAL_H
#define HP_COLLECTOR_INGEST_INTERNAL_H

#include "analysis/verdict.h"
#include "collector/ingest.h"
#include "common/judging/beside.h"
#include "common/judging/shipped.h"

/* The job that a result belongs to, as the database has it. */
struct ingest_claim {
    char repository[DB_TEXT]; /* id, as a parameter */
    char name[65];            /* of the repository */
    char job[DB_TEXT];
    char kind[16];
    char head[65], base[65]; /* base "": none */
    char suite_hash[65];
    char run[37]; /* "": never claimed */
    int64_t fence, attempt;
    bool against_parent;
    bool ended;        /* done: another run was stored */
    char confirms[37]; /* the run whose regression this job confirms; "": none */
    json_t *suite;     /* owned */
    json_t *plan;      /* owned: how the job is sampled otherwise; NULL: as the suite says */
};

/* What one workload of the result comes to. */
struct ingest_workload {
    const json_t *json; /* in the result; NULL for a workload of the suite that was not executed */
    const char *name, *hash;
    const struct hp_metric *metric; /* the one that decides it beside those that gate with it */
    bool compared;                  /* false: there was no base */
    struct an_outcome outcome;      /* of that metric and those that gate with it */
    struct an_outcome timed;        /* of that metric alone */
    int decided_by; /* index in `metrics` of whose outcome it is; -1: that metric's */
    struct hp_judged metrics[HP_BESIDE_MOST];
    size_t n_metrics;
    bool estimated; /* whether `estimate` holds anything */
    struct an_estimate estimate;
    struct hp_shipped shipped; /* the artifacts as shipped, beside the layouts */
    char reason[512];          /* why it failed, or ""; */
};

/* The whole run. */
struct ingest_run {
    struct ingest_claim claim;
    const json_t *result;
    struct ingest_workload *workloads; /* owned, n of them */
    size_t n;
    char (*hashes)[65]; /* owned: of workloads that only the suite names */
    bool compared;      /* whether there is a verdict */
    struct an_outcome outcome;
    int decided_by;   /* index of the workload that decided; -1: none */
    char voided[512]; /* why the run is void; "": it is not */
};

/* HP_INVALID with the path where the document contradicts itself. */
bool ingest_check_document(const json_t *result, struct hp_error *err);
/* HP_INVALID with the path where it contradicts its job; HP_CONFLICT for a stale fence. */
bool ingest_check_claim(const json_t *result, const struct ingest_claim *claim,
                        struct hp_error *err);

/* Fills all of `run` behind `result` and `claim`. */
bool ingest_decide(struct ingest_run *run, struct hp_error *err);

/* Writes everything but the end of the job and the alert, in the open transaction. */
bool ingest_store(struct db_conn *conn, const struct ingest_run *run, struct hp_error *err);

/* --- what the untimed passes found out (ingest_passes.c) --- */

/* The parts of a check of the document: coverage, profiles and memory over time of a workload;
 * coverage alone, of the run. */
bool ingest_check_passes(const json_t *result, const json_t *workload, size_t w,
                         struct hp_error *err);
bool ingest_check_coverage(const json_t *coverage, const char *path, struct hp_error *err);

/* Writes them, after the run and its workloads. */
bool ingest_store_passes(struct db_conn *conn, const struct ingest_run *run, struct hp_error *err);

/* --- what gates beside the time (ingest_gate.c) --- */

/* Judges the metrics of a workload that was timed, and with them its outcome. `threads`: it runs
 * more than one, so that counters vary. */
void ingest_gate(struct ingest_workload *w, bool threads, double critical);

/* Adjusts the chances of all metrics of the run that do not gate. */
bool ingest_adjust(struct ingest_run *run, struct hp_error *err);

/* --- what follows from a verdict (ingest_follow.c) --- */

/* After the run was stored: asks for a confirming run, or tells what one came to. *alert: the alert
 * that was made, 0 if none. */
bool ingest_follow(struct db_conn *conn, const struct ingest_run *run, int64_t *alert,
                   struct hp_error *err);

void ingest_run_clear(struct ingest_run *run);

#endif
