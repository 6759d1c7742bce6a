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

/* --- edits ---------------------------------------------------------------------------------------
 */

static json_t *odd_value(uint8_t kind)
{
    switch (kind % 12) {
    case 0:
        return json_null();
    case 1:
        return json_true();
    case 2:
        return json_integer(0);
    case 3:
        return json_integer(-1);
    case 4:
        return json_integer(INT64_MAX);
    case 5:
        return json_real(1e308);
    case 6:
        return json_real(5e-324);
    case 7:
        return json_string("");
    case 8:
        return json_string("head");
    case 9:
        return json_string("throughput");
    case 10:
        return json_array();
    default:
        return json_object();
    }
}

/* Walks through the document and changes the value at which *left has come down to 0: to an odd
 * one, or it is taken away, or, in an array, doubled. */
static bool edit(json_t *at, unsigned *left, uint8_t kind)
{
    const char *key;
    json_t *value;
    void *next;
    size_t i;
    json_object_foreach_safe(at, next, key, value)
    {
        if ((*left)-- == 0)
            return kind >= 240 ? json_object_del(at, key) == 0
                               : json_object_set_new(at, key, odd_value(kind)) == 0;
        if (edit(value, left, kind))
            return true;
    }
    json_array_foreach (at, i, value) {
        if ((*left)-- == 0)
            return kind >= 240   ? json_array_remove(at, i) == 0
                   : kind >= 224 ? json_array_append_new(at, json_deep_copy(value)) == 0
                                 : json_array_set_new(at, i, odd_value(kind)) == 0;
        if (edit(value, left, kind))
            return true;
    }
    return false;
}

/* The corpus itself is wrong: nothing would be tested. */
static _Noreturn void die_of(const struct hp_error *err)
{
    fprintf(stderr, "the good document: %s (%s)\n", err->message, err->path);
    abort();
}

/* A good document, from the corpus. */
static const json_t *good_document(void)
{
    static json_t *document;
    struct hp_error err;
    if (!document)
        document = hp_json_read_file("tests/fuzz/corpus/ingest/small.json", 1 << 20, &err);
    if (!document || !hp_wire_check(HP_WIRE_RESULT, document, &err) ||
        !ingest_check_document(document, &err))
        die_of(&err);
    return document;
}

static void judge(json_t *result)
{
    struct hp_error err = {0};
    if (!hp_wire_check(HP_WIRE_RESULT, result, &err))
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

/* A document; or, not beginning like one, edits of a good one, three bytes each: which value, and
 * what becomes of it. */
void fuzz_ingest(const uint8_t *data, size_t size)
{
    struct hp_error err = {0};
    if (size > 0 && data[0] == '{') {
        HP_JSON json_t *result = hp_json_parse((const char *)data, size, &err);
        if (result)
            judge(result);
        return;
    }
    HP_JSON json_t *result = json_deep_copy(good_document());
    for (size_t i = 0; i + 2 < size && i < 30; i += 3) {
        unsigned left = (unsigned)data[i] << 8 | data[i + 1];
        edit(result, &left, data[i + 2]);
    }
    judge(result);
}
