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

/* Where there is nothing to override, the check of the whole says so. */
static bool override(json_t *suite, const char *object, const char *key, const char *text,
                     struct hp_error *err)
{
    json_t *holder = json_object_get(suite, object);
    if (text && json_is_object(holder) && json_object_set_new(holder, key, json_string(text)) != 0)
        return hp_fail(err, HP_INVALID, "\"%s\" is not UTF-8", key);
    return true;
}

/* The document as it will be sent: read, overridden, checked. *mistakes: all that is wrong with it,
 * with NULL returned; NULL where it could not even be read. */
static json_t *load(const struct hp_values *values, json_t **mistakes, struct hp_error *err)
{
    const char *url = hp_opt(values, "url");
    HP_FREE char *place = url ? absolute_url(url) : NULL;
    HP_JSON json_t *suite = hp_json_read_file(hp_arg(values, 0), HP_WIRE_SUITE_LIMIT, err);
    if (!suite || !override(suite, "repository", "url", place, err) ||
        !override(suite, "driver", "rev", hp_opt(values, "driver"), err) ||
        !override(suite, "repository", "name", hp_opt(values, "name"), err))
        return NULL;
    *mistakes = cli_suite_mistakes(suite, err);
    return *mistakes && json_array_size(*mistakes) == 0 ? hp_take(suite) : NULL;
}

/* Tells every mistake; with --json the first one as error body, and all of them within it. */
static int refuse(const struct hp_values *values, const json_t *mistakes, struct hp_error *err)
{
    size_t i, count = json_array_size(mistakes);
    const json_t *one;
    if (count == 0)
        return cli_fail(values, err);
    json_array_foreach (mistakes, i, one) {
        hp_error_from_json(err, one);
        hp_error_context(err, "%s", hp_arg(values, 0));
        hp_error_print("hakperf", err);
    }
    if (count > 1)
        fprintf(stderr, "%zu mistakes in %s\n", count, hp_arg(values, 0));
    hp_error_from_json(err, json_array_get(mistakes, 0));
    hp_error_context(err, "%s", hp_arg(values, 0));
    if (hp_opt_flag(values, "json")) {
        HP_JSON json_t *body = hp_error_json(err);
        json_object_set(body, "mistakes", (json_t *)mistakes);
        cli_print_json(body);
    }
    return hp_exit_code(err);
}

int cli_suite_check(const struct hp_values *values)
{
    struct hp_error err = {0};
    char hash[65];
    HP_JSON json_t *mistakes = NULL;
    HP_JSON json_t *suite = load(values, &mistakes, &err);
    if (!suite || !hp_suite_hash(suite, hash, &err))
        return refuse(values, mistakes, &err);
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
    const char *reference = hp_json_string(answer, "reference", "");
    printf("suite %s %s for repository %s, driver %.12s%s%.12s\n",
           hp_json_string(answer, "suite", "?"),
           hp_json_bool(answer, "changed", true) ? "applied" : "unchanged",
           hp_json_string(answer, "repository", "?"), hp_json_string(answer, "driver", "?"),
           reference[0] ? ", reference " : "", reference);
    if (queued > 0)
        printf("%zu commit%s queued\n", queued, queued == 1 ? "" : "s");
}

int cli_suite_apply(const struct hp_values *values)
{
    struct hp_error err = {0};
    CLI_SESSION struct cli_session session = {0};
    HP_JSON json_t *mistakes = NULL;
    HP_JSON json_t *suite = load(values, &mistakes, &err);
    if (!suite)
        return refuse(values, mistakes, &err);
    if (!cli_session_open(&session, values, &err))
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
