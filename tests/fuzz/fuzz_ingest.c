#include "collector/ingest_internal.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/wire.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A refusal is the document's fault, and can be told. */
static void expect_refusal(const struct hp_error *err)
{
    HP_JSON json_t *body = hp_error_json(err);
    if (!body || (err->code != HP_INVALID && err->code != HP_CONFLICT))
        abort();
}

static void copy_text(char *out, size_t room, const json_t *from, const char *key)
{
    snprintf(out, room, "%s", hp_json_string(from, key, ""));
}

/* A suite with the workloads that the document has, so that the checks behind it are reached. */
static json_t *suite_of(const json_t *result)
{
    json_t *list = json_array(), *workload;
    size_t i;
    json_array_foreach (json_object_get(result, "workloads"), i, workload) {
        json_array_append_new(list, json_pack("{s:O?, s:s, s:[s], s:i}", "name",
                                              json_object_get(workload, "name"), "program", "b",
                                              "arguments", "{iterations}", "iterations", 1));
    }
    return json_pack("{s:o}", "workloads", list);
}

void fuzz_ingest(const uint8_t *data, size_t size)
{
    struct hp_error err = {0};
    HP_JSON json_t *result = hp_json_parse((const char *)data, size, &err);
    if (!result || !hp_wire_check(HP_WIRE_RESULT, result, &err))
        return;
    if (!ingest_check_document(result, &err)) {
        expect_refusal(&err);
        return;
    }
    struct ingest_run run = {.result = result, .decided_by = -1};
    struct ingest_claim *c = &run.claim;
    copy_text(c->name, sizeof c->name, result, "repository");
    copy_text(c->suite_hash, sizeof c->suite_hash, result, "suite_hash");
    copy_text(c->run, sizeof c->run, result, "run");
    c->fence = hp_json_int(result, "fence", 0);
    c->attempt = hp_json_int(result, "attempt", 0);
    json_t *arm;
    size_t i;
    json_array_foreach (json_object_get(result, "arms"), i, arm) {
        const char *name = hp_json_string(arm, "name", "");
        if (strcmp(name, "head") == 0)
            copy_text(c->head, sizeof c->head, arm, "sha");
        if (strcmp(name, "base") == 0)
            copy_text(c->base, sizeof c->base, arm, "sha");
    }
    c->suite = suite_of(result);
    if (!ingest_check_claim(result, c, &err))
        expect_refusal(&err); /* the hashes of workloads cannot fit: it goes on all the same */
    if (!ingest_decide(&run, &err))
        expect_refusal(&err);
    ingest_run_clear(&run);
}
