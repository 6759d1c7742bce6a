#include "cli/suite_sense.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"
#include "common/metrics.h"
#include "common/wire.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

/* Where mistakes are gathered. Whatever the schema has refused already is passed over in silence:
 * a text that is none reads as "", a list that is none has no entries. */
struct sense {
    const json_t *suite;
    json_t *mistakes;
};

static void mistake(struct sense *s, const char *path, const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void mistake(struct sense *s, const char *path, const char *hint, const char *format, ...)
{
    struct hp_error err = {.code = HP_INVALID};
    va_list args;
    va_start(args, format);
    vsnprintf(err.message, sizeof err.message, format, args);
    va_end(args);
    hp_error_hint(&err, "%s", hint);
    hp_error_path(&err, "%s", path);
    json_array_append_new(s->mistakes, hp_error_json(&err));
}

static const char *text_of(const json_t *value)
{
    const char *text = json_string_value(value);
    return text ? text : "";
}

static bool holds(const json_t *list, const char *text)
{
    size_t i;
    const json_t *entry;
    json_array_foreach (list, i, entry) {
        if (strcmp(text_of(entry), text) == 0)
            return true;
    }
    return false;
}

static bool mentions(const json_t *list, const char *text)
{
    size_t i;
    const json_t *entry;
    json_array_foreach (list, i, entry) {
        if (strstr(text_of(entry), text))
            return true;
    }
    return false;
}

/* Whether any word of a list of argument vectors does. */
static bool command_mentions(const json_t *commands, const char *text)
{
    size_t i;
    const json_t *command;
    json_array_foreach (commands, i, command) {
        if (mentions(command, text))
            return true;
    }
    return false;
}

static bool value_mentions(const json_t *environment, const char *text)
{
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)environment, key, value) {
        if (strstr(text_of(value), text))
            return true;
    }
    return false;
}

/* --- recipes ------------------------------------------------------------------------------------
 */

/* Below {out}, without a way out of it. */
static bool artifact_path(const char *text)
{
    return text[0] != '/' && strcmp(text, "..") != 0 && strncmp(text, "../", 3) != 0 &&
           !strstr(text, "/../") &&
           !(strlen(text) >= 3 && strcmp(text + strlen(text) - 3, "/..") == 0);
}

static void artifacts_sense(struct sense *s, const json_t *artifacts, const char *where)
{
    size_t i;
    const json_t *artifact;
    char path[96];
    json_array_foreach (artifacts, i, artifact) {
        snprintf(path, sizeof path, "%s/artifacts/%zu", where, i);
        if (!artifact_path(text_of(artifact)))
            mistake(s, path, "", "\"%s\" does not lie below {out}", text_of(artifact));
    }
}

/* What the recipe builds beside its artifacts. */
static void variants_sense(struct sense *s, const json_t *recipe, const char *where)
{
    const json_t *layouts = json_object_get(recipe, "layouts");
    const json_t *commands = json_object_get(layouts, "commands");
    const char *artifact = hp_json_string(layouts, "artifact", NULL);
    char path[96];
    if (json_is_array(commands) && !command_mentions(commands, "{layouts}")) {
        snprintf(path, sizeof path, "%s/layouts/commands", where);
        mistake(s, path, "Use {layouts}, the folder of the linker scripts and of what they make.",
                "no command names the layouts");
    }
    if (artifact && !holds(json_object_get(recipe, "artifacts"), artifact)) {
        snprintf(path, sizeof path, "%s/layouts/artifact", where);
        mistake(s, path, "Name one of the recipe's artifacts.",
                "\"%s\" is no artifact of the recipe", artifact);
    }
    commands = json_object_get(json_object_get(recipe, "coverage"), "commands");
    if (json_is_array(commands) && !command_mentions(commands, "{out}")) {
        snprintf(path, sizeof path, "%s/coverage/commands", where);
        mistake(s, path, "Use {out}, the folder that the artifacts are taken from.",
                "no command says where the artifacts go");
    }
}

static void recipe_sense(struct sense *s, const json_t *recipe, const char *where)
{
    const json_t *commands = json_object_get(recipe, "commands");
    char path[96];
    artifacts_sense(s, json_object_get(recipe, "artifacts"), where);
    if (json_is_array(commands) && !command_mentions(commands, "{out}") &&
        !value_mentions(json_object_get(recipe, "environment"), "{out}")) {
        snprintf(path, sizeof path, "%s/commands", where);
        mistake(s, path, "Use {out}, the folder that the artifacts are taken from.",
                "no command says where the artifacts go");
    }
    variants_sense(s, recipe, where);
}

/* --- workloads ----------------------------------------------------------------------------------
 */

/* "{word}" and nothing else, but not one that the runner fills in. */
static bool is_unknown_place(const char *text)
{
    size_t n = strlen(text);
    if (n < 3 || text[0] != '{' || text[n - 1] != '}' || strcmp(text, "{iterations}") == 0 ||
        strcmp(text, "{seed}") == 0)
        return false;
    for (size_t i = 1; i + 1 < n; i++)
        if (!isalpha((unsigned char)text[i]) && text[i] != '_')
            return false;
    return true;
}

static void arguments_sense(struct sense *s, const json_t *arguments, size_t at)
{
    size_t i;
    const json_t *word;
    char path[64];
    json_array_foreach (arguments, i, word) {
        snprintf(path, sizeof path, "/workloads/%zu/arguments/%zu", at, i);
        if (is_unknown_place(text_of(word)))
            mistake(s, path, "{iterations} and {seed} are filled in.", "nothing fills %s in",
                    text_of(word));
    }
    snprintf(path, sizeof path, "/workloads/%zu/arguments", at);
    if (json_is_array(arguments) && !mentions(arguments, "{iterations}"))
        mistake(s, path, "The runner chooses the length of a sample by {iterations}.",
                "no argument is {iterations}");
}

/* A metric that decides has a value in every process. */
static void metric_sense(struct sense *s, const json_t *workload, size_t at)
{
    const char *name = hp_json_string(workload, "metric", HP_METRIC_PRIMARY);
    const struct hp_metric *row = hp_metric_find(name);
    HP_BUFFER struct hp_buffer names = {0};
    char path[64];
    if (row && row->sampled)
        return;
    for (row = hp_metrics; row->name; row++)
        if (row->sampled)
            hp_buffer_printf(&names, "%s%s", names.size ? ", " : "", row->name);
    HP_FREE char *hint = hp_format("It must be one of %s.", hp_buffer_text(&names));
    snprintf(path, sizeof path, "/workloads/%zu/metric", at);
    mistake(s, path, hint ? hint : "", "\"%s\" is not measured in every process", name);
}

static void workload_sense(struct sense *s, size_t at)
{
    const json_t *list = json_object_get(s->suite, "workloads"), *one = json_array_get(list, at);
    const json_t *driver = json_object_get(s->suite, "driver");
    const json_t *made = json_object_get(json_object_get(driver, "recipe"), "artifacts");
    const char *name = hp_json_string(one, "name", ""), *program;
    char path[64];
    for (size_t i = 0; i < at && name[0]; i++) {
        if (strcmp(hp_json_string(json_array_get(list, i), "name", ""), name) != 0)
            continue;
        snprintf(path, sizeof path, "/workloads/%zu/name", at);
        mistake(s, path, "", "two workloads are named \"%s\"", name);
        break;
    }
    program = hp_json_string(one, "program", "");
    snprintf(path, sizeof path, "/workloads/%zu/program", at);
    if (program[0] && json_is_array(made) && !holds(made, program))
        mistake(s, path, "Add it to /driver/recipe/artifacts, or name one that is there.",
                "\"%s\" is no artifact of the driver's recipe", program);
    arguments_sense(s, json_object_get(one, "arguments"), at);
    metric_sense(s, one, at);
}

/* --- the whole ----------------------------------------------------------------------------------
 */

static void suite_sense(struct sense *s)
{
    const json_t *recipe = json_object_get(s->suite, "recipe");
    const json_t *driver = json_object_get(s->suite, "driver");
    const json_t *artifacts = json_object_get(recipe, "artifacts");
    const char *preload = hp_json_string(s->suite, "preload", NULL);
    recipe_sense(s, recipe, "/recipe");
    recipe_sense(s, json_object_get(driver, "recipe"), "/driver/recipe");
    if (preload && json_is_array(artifacts) && !holds(artifacts, preload))
        mistake(s, "/preload", "Name one of /recipe/artifacts.",
                "the library to preload is no artifact of the recipe");
    size_t count = json_array_size(json_object_get(s->suite, "workloads"));
    for (size_t i = 0; i < count; i++)
        workload_sense(s, i);
}

json_t *cli_suite_mistakes(const json_t *suite, struct hp_error *err)
{
    HP_JSON json_t *mistakes = json_array();
    struct sense s = {.suite = suite, .mistakes = mistakes};
    if (!hp_wire_check_all(HP_WIRE_SUITE, suite, mistakes, err))
        return NULL;
    suite_sense(&s);
    return hp_take(mistakes);
}

bool cli_suite_sense(const json_t *suite, struct hp_error *err)
{
    HP_JSON json_t *mistakes = cli_suite_mistakes(suite, err);
    size_t count = json_array_size(mistakes);
    if (count == 0)
        return mistakes != NULL;
    hp_error_from_json(err, json_array_get(mistakes, 0));
    return count == 1 ||
           hp_error_hint(err, "%zu more mistake%s; `hakperf suite check` lists them all.",
                         count - 1, count == 2 ? "" : "s");
}
