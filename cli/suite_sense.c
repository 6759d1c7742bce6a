#include "cli/suite_sense.h"

#include "common/json.h"

#include <string.h>

static bool holds(const json_t *list, const char *text)
{
    size_t i;
    const json_t *entry;
    json_array_foreach (list, i, entry) {
        if (strcmp(json_string_value(entry), text) == 0)
            return true;
    }
    return false;
}

static bool wrong(struct hp_error *err, const char *path, const char *hint, const char *message)
{
    hp_fail(err, HP_INVALID, "%s", message);
    hp_error_hint(err, "%s", hint);
    return hp_error_path(err, "%s", path);
}

/* Below {out}, without a way out of it. */
static bool artifact_path(const char *text)
{
    return text[0] != '/' && strcmp(text, "..") != 0 && strncmp(text, "../", 3) != 0 &&
           !strstr(text, "/../") &&
           !(strlen(text) >= 3 && strcmp(text + strlen(text) - 3, "/..") == 0);
}

static bool recipe_sense(const json_t *recipe, const char *where, struct hp_error *err)
{
    const json_t *artifacts = json_object_get(recipe, "artifacts"), *command, *word, *artifact;
    size_t i, k;
    bool names_out = false;
    json_array_foreach (artifacts, i, artifact) {
        if (artifact_path(json_string_value(artifact)))
            continue;
        hp_fail(err, HP_INVALID, "\"%s\" does not lie below {out}", json_string_value(artifact));
        return hp_error_path(err, "%s/artifacts/%zu", where, i);
    }
    json_array_foreach (json_object_get(recipe, "commands"), i, command) {
        json_array_foreach (command, k, word) {
            names_out = names_out || strstr(json_string_value(word), "{out}");
        }
    }
    json_t *value;
    const char *key;
    json_object_foreach (json_object_get(recipe, "environment"), key, value) {
        names_out = names_out || strstr(json_string_value(value), "{out}");
    }
    if (names_out)
        return true;
    hp_fail(err, HP_INVALID, "no command says where the artifacts go");
    hp_error_hint(err, "Use {out}, the folder that the artifacts are taken from.");
    return hp_error_path(err, "%s/commands", where);
}

static bool mentions(const json_t *list, const char *text)
{
    size_t i;
    const json_t *entry;
    json_array_foreach (list, i, entry) {
        if (strstr(json_string_value(entry), text))
            return true;
    }
    return false;
}

static bool workload_sense(const json_t *suite, size_t at, struct hp_error *err)
{
    const json_t *list = json_object_get(suite, "workloads"), *one = json_array_get(list, at);
    const json_t *made =
        json_object_get(json_object_get(json_object_get(suite, "driver"), "recipe"), "artifacts");
    const char *name = hp_json_string(one, "name", ""), *program;
    char path[64];
    for (size_t i = 0; i < at; i++) {
        if (strcmp(hp_json_string(json_array_get(list, i), "name", ""), name) != 0)
            continue;
        hp_fail(err, HP_INVALID, "two workloads are named \"%s\"", name);
        return hp_error_path(err, "/workloads/%zu/name", at);
    }
    program = hp_json_string(one, "program", "");
    if (!holds(made, program)) {
        hp_fail(err, HP_INVALID, "\"%s\" is no artifact of the driver's recipe", program);
        hp_error_hint(err, "Add it to /driver/recipe/artifacts, or name one that is there.");
        return hp_error_path(err, "/workloads/%zu/program", at);
    }
    if (!mentions(json_object_get(one, "arguments"), "{iterations}")) {
        snprintf(path, sizeof path, "/workloads/%zu/arguments", at);
        return wrong(err, path, "The runner chooses the length of a sample by {iterations}.",
                     "no argument is {iterations}");
    }
    return true;
}

bool cli_suite_sense(const json_t *suite, struct hp_error *err)
{
    const json_t *recipe = json_object_get(suite, "recipe");
    const json_t *driver = json_object_get(suite, "driver");
    const char *preload = hp_json_string(suite, "preload", NULL);
    if (!recipe_sense(recipe, "/recipe", err) ||
        !recipe_sense(json_object_get(driver, "recipe"), "/driver/recipe", err))
        return false;
    if (preload && !holds(json_object_get(recipe, "artifacts"), preload))
        return wrong(err, "/preload", "Name one of /recipe/artifacts.",
                     "the library to preload is no artifact of the recipe");
    size_t count = json_array_size(json_object_get(suite, "workloads"));
    for (size_t i = 0; i < count; i++)
        if (!workload_sense(suite, i, err))
            return false;
    return true;
}
