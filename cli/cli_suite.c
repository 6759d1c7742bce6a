/* hakperf suite apply, suite check: what is measured and how. */
#include "cli/session.h"
#include "cli/suite_sense.h"
#include "cli/verbs.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/wire.h"

#include <limits.h>
#include <string.h>

/* The collector clones the repository before it answers. */
#define APPLY_SECONDS 300

const struct hp_option cli_suite_options[] = {
    {"url", 0, HP_OPT_STRING, "URL", NULL, 0, 0, "the repository's address instead of the file's",
     false},
    {"driver", 0, HP_OPT_STRING, "REV", NULL, 0, 0,
     "the benchmark driver's revision instead of the file's", false},
    {"name", 0, HP_OPT_STRING, "NAME", NULL, 0, 0, "the repository's name instead of the file's",
     false},
    {.name = NULL},
};

/* A path is made absolute: the collector works elsewhere. */
static char *absolute_url(const char *url)
{
    char real[PATH_MAX];
    bool path = !strstr(url, "://") && (url[0] == '/' || url[0] == '.' || !strchr(url, ':'));
    return strdup(path && realpath(url, real) ? real : url);
}

static bool override(json_t *suite, const char *object, const char *key, const char *text,
                     struct hp_error *err)
{
    json_t *holder = json_object_get(suite, object);
    if (!text)
        return true;
    if (!json_is_object(holder)) {
        hp_fail(err, HP_INVALID, "there is no object \"%s\"", object);
        return hp_error_path(err, "/%s", object);
    }
    if (json_object_set_new(holder, key, json_string(text)) != 0)
        return hp_fail(err, HP_INVALID, "\"%s\" is not UTF-8", key);
    return true;
}

/* The document as it will be sent: read, overridden, checked. */
static json_t *load(const struct hp_values *values, struct hp_error *err)
{
    const char *url = hp_opt(values, "url");
    HP_FREE char *place = url ? absolute_url(url) : NULL;
    HP_JSON json_t *suite = hp_json_read_file(hp_arg(values, 0), HP_WIRE_SUITE_LIMIT, err);
    if (!suite)
        return NULL;
    if (!override(suite, "repository", "url", place, err) ||
        !override(suite, "driver", "rev", hp_opt(values, "driver"), err) ||
        !override(suite, "repository", "name", hp_opt(values, "name"), err) ||
        !hp_wire_check(HP_WIRE_SUITE, suite, err) || !cli_suite_sense(suite, err)) {
        hp_error_context(err, "%s", hp_arg(values, 0));
        return NULL;
    }
    return hp_take(suite);
}

int cli_suite_check(const struct hp_values *values)
{
    struct hp_error err = {0};
    char hash[65];
    HP_JSON json_t *suite = load(values, &err);
    if (!suite || !hp_suite_hash(suite, hash, &err))
        return cli_fail(values, &err);
    size_t count = json_array_size(json_object_get(suite, "workloads"));
    if (hp_opt_flag(values, "json")) {
        HP_JSON json_t *answer =
            json_pack("{s:s, s:s, s:I}", "suite", hp_json_string(suite, "name", ""), "suite_hash",
                      hash, "workloads", (json_int_t)count);
        cli_print_json(answer);
        return HP_EXIT_OK;
    }
    printf("suite %s is well formed: %zu workload%s, hash %.12s\n",
           hp_json_string(suite, "name", ""), count, count == 1 ? "" : "s", hash);
    return HP_EXIT_OK;
}

static void tell(const json_t *answer)
{
    size_t queued = json_array_size(json_object_get(answer, "queued"));
    printf("suite %s %s for repository %s, driver %.12s\n", hp_json_string(answer, "suite", "?"),
           hp_json_bool(answer, "changed", true) ? "applied" : "unchanged",
           hp_json_string(answer, "repository", "?"), hp_json_string(answer, "driver", "?"));
    if (queued > 0)
        printf("%zu commit%s queued\n", queued, queued == 1 ? "" : "s");
}

int cli_suite_apply(const struct hp_values *values)
{
    struct hp_error err = {0};
    CLI_SESSION struct cli_session session = {0};
    HP_JSON json_t *suite = load(values, &err);
    if (!suite || !cli_session_open(&session, values, &err))
        return cli_fail(values, &err);
    hp_http_timeout(session.http, APPLY_SECONDS);
    HP_JSON json_t *answer = cli_send(&session, "PUT", "/api/v1/suites", suite, &err);
    if (!answer)
        return cli_fail(values, &err);
    if (session.json)
        cli_print_json(answer);
    else
        tell(answer);
    return HP_EXIT_OK;
}
