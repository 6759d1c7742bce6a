#include "common/wire.h"

#include "common/cleanup.h"
#include "common/hash.h"
#include "common/json.h"
#include "common/json_schema.h"

#include <pthread.h>
#include <string.h>

/* The schemas are parsed once a process and live as long as it does. */
#define MAX_SCHEMAS 16
static json_t *schemas[MAX_SCHEMAS];
static pthread_once_t schemas_once = PTHREAD_ONCE_INIT;

static void load_schemas(void)
{
    for (size_t i = 0; i < MAX_SCHEMAS && wire_data[i].name; i++)
        schemas[i] = json_loadb(wire_data[i].data, wire_data[i].size, JSON_REJECT_DUPLICATES, NULL);
}

static const json_t *find_schema(const char *name)
{
    pthread_once(&schemas_once, load_schemas);
    for (size_t i = 0; i < MAX_SCHEMAS && wire_data[i].name; i++)
        if (strcmp(wire_data[i].name, name) == 0)
            return schemas[i];
    return NULL;
}

bool hp_wire_check(const char *schema, const json_t *document, struct hp_error *err)
{
    const json_t *rules = find_schema(schema);
    if (!rules)
        return hp_fail(err, HP_INTERNAL, "no usable schema %s", schema);
    return hp_schema_check(rules, document, err);
}

bool hp_wire_check_all(const char *schema, const json_t *document, json_t *mistakes,
                       struct hp_error *err)
{
    const json_t *rules = find_schema(schema);
    if (!rules)
        return hp_fail(err, HP_INTERNAL, "no usable schema %s", schema);
    return hp_schema_check_all(rules, document, mistakes, err);
}

json_t *hp_wire_parse(const char *schema, const char *text, size_t size, struct hp_error *err)
{
    json_t *document = hp_json_parse(text, size, err);
    if (document && !hp_wire_check(schema, document, err)) {
        json_decref(document);
        return NULL;
    }
    return document;
}

bool hp_suite_hash(const json_t *suite, char out[65], struct hp_error *err)
{
    return hp_hash_json(suite, out, err);
}

bool hp_workload_hash(const json_t *suite, const json_t *workload, char out[65],
                      struct hp_error *err)
{
    static const char *const executed[] = {"program", "arguments",           "environment", "seeds",
                                           "threads", "headline_iterations", "iterations"};
    HP_JSON json_t *identity = json_object();
    if (!identity)
        return hp_fail(err, HP_INTERNAL, "out of memory");
    for (size_t i = 0; i < sizeof executed / sizeof executed[0]; i++) {
        json_t *value = json_object_get(workload, executed[i]);
        if (value)
            json_object_set(identity, executed[i], value);
    }
    /* Other builds by the same recipe, which no sample runs. */
    json_t *recipe = json_copy(json_object_get(suite, "recipe"));
    json_object_del(recipe, "coverage");
    json_object_del(recipe, "canary");
    json_object_set_new(identity, "recipe", recipe);
    json_object_set(identity, "driver", json_object_get(suite, "driver"));
    json_t *preload = json_object_get(suite, "preload");
    if (preload)
        json_object_set(identity, "preload", preload);
    return hp_hash_json(identity, out, err);
}
