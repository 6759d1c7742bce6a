/* hakperf-collector db: the private PostgreSQL, and migrations. */
#include "collector/migrate.h"
#include "collector/private_db.h"
#include "collector/verbs.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"
#include "common/log.h"
#include "common/state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool migrate(const char *url, struct migrate_report *report, struct hp_error *err)
{
    struct db *db = db_open(url, &(struct db_options){.pool_size = 1}, err);
    bool ok = db && migrate_up(db, report, err);
    db_close(db);
    return ok;
}

static void print_json(const json_t *value)
{
    json_dumpf(value, stdout, JSON_COMPACT);
    putchar('\n');
}

static void print_status(const json_t *status)
{
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)status, key, value) {
        HP_FREE char *text = json_is_string(value) ? strdup(json_string_value(value))
                             : json_is_null(value) ? strdup("-")
                                                   : json_dumps(value, JSON_ENCODE_ANY);
        printf("%-8s %s\n", key, text ? text : "");
    }
}

/* A server that was started for nothing is not left behind. */
static int start_failed(const struct hp_values *values, const char *state, bool started,
                        const struct hp_error *err)
{
    struct hp_error ignored;
    if (started)
        private_db_stop(state, &ignored);
    return verb_fail(values, err);
}

int verb_db_start(const struct hp_values *values)
{
    struct hp_error err = {0};
    hp_log_init(COLLECTOR_PROGRAM, HP_LOG_WARNING);
    HP_FREE char *state = verb_state(values, true, &err);
    bool started = false;
    if (!state || !private_db_start(state, NULL, &started, &err))
        return verb_fail(values, &err);
    struct migrate_report report;
    HP_FREE char *url = private_db_url(state, PRIVATE_DB_OWNER);
    if (!url || !migrate(url, &report, &err))
        return start_failed(values, state, started, &err);
    HP_JSON json_t *status = private_db_status(state, &err);
    if (!status)
        return start_failed(values, state, started, &err);
    if (hp_opt_flag(values, "json"))
        print_json(status);
    else if (!hp_opt_flag(values, "quiet"))
        printf("%s PostgreSQL %lld in %s (schema %d)\n", started ? "started" : "already running:",
               (long long)hp_json_int(status, "version", 0), hp_json_string(status, "folder", ""),
               report.after);
    return HP_EXIT_OK;
}

int verb_db_init(const struct hp_values *values)
{
    struct hp_error err = {0};
    hp_log_init(COLLECTOR_PROGRAM, HP_LOG_WARNING);
    HP_FREE char *state = verb_state(values, true, &err);
    bool started = false;
    if (!state || !private_db_start(state, NULL, &started, &err))
        return verb_fail(values, &err);
    struct migrate_report report = {0};
    HP_FREE char *url = private_db_url(state, PRIVATE_DB_OWNER);
    bool ok = url && migrate(url, &report, &err);
    struct hp_error later;
    if (started && !private_db_stop(state, ok ? &err : &later))
        ok = false;
    if (!ok)
        return verb_fail(values, &err);
    if (!hp_opt_flag(values, "quiet"))
        printf("the private PostgreSQL in %s/pg is ready (schema %d)\n", state, report.after);
    return HP_EXIT_OK;
}

int verb_db_stop(const struct hp_values *values)
{
    struct hp_error err = {0};
    hp_log_init(COLLECTOR_PROGRAM, HP_LOG_WARNING);
    HP_FREE char *state = verb_state(values, false, &err);
    if (!state || !private_db_stop(state, &err))
        return verb_fail(values, &err);
    if (!hp_opt_flag(values, "quiet"))
        printf("stopped\n");
    return HP_EXIT_OK;
}

int verb_db_status(const struct hp_values *values)
{
    struct hp_error err = {0};
    HP_FREE char *state = verb_state(values, false, &err);
    HP_JSON json_t *status = state ? private_db_status(state, &err) : NULL;
    if (!status)
        return verb_fail(values, &err);
    if (hp_opt_flag(values, "json"))
        print_json(status);
    else if (!hp_opt_flag(values, "quiet"))
        print_status(status);
    bool runs = strcmp(hp_json_string(status, "state", ""), "running") == 0;
    return runs ? HP_EXIT_OK : HP_EXIT_NO_ANSWER;
}

/* The URL of the private database for --role; NULL with an error. */
static char *role_url(const struct hp_values *values, struct hp_error *err)
{
    static const struct {
        const char *name, *role;
    } roles[] = {
        {"reader", PRIVATE_DB_READER},
        {"collector", PRIVATE_DB_COLLECTOR},
        {"owner", PRIVATE_DB_OWNER},
    };
    const char *name = hp_opt(values, "role");
    HP_FREE char *state = verb_state(values, false, err);
    if (!state)
        return NULL;
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (strcmp(name, roles[i].name) == 0 || strcmp(name, roles[i].role) == 0)
            return private_db_url(state, roles[i].role);
    hp_fail(err, HP_USAGE, "there is no role '%s'", name);
    hp_error_hint(err, "Roles are reader, collector and owner.");
    return NULL;
}

int verb_db_url(const struct hp_values *values)
{
    struct hp_error err = {0};
    HP_FREE char *url = role_url(values, &err);
    if (!url)
        return verb_fail(values, &err);
    puts(url);
    return HP_EXIT_OK;
}

int verb_db_psql(const struct hp_values *values)
{
    struct hp_error err = {0};
    HP_FREE char *url = role_url(values, &err);
    int count = hp_arg_count(values);
    HP_FREE const char **argv = calloc((size_t)count + 4, sizeof *argv);
    if (!url || !argv)
        return verb_fail(values, &err);
    argv[0] = "psql";
    argv[1] = "--dbname";
    argv[2] = url;
    for (int i = 0; i < count; i++)
        argv[i + 3] = hp_arg(values, i);
    fflush(NULL);
    execvp(argv[0], (char *const *)argv);
    hp_fail_errno(&err, "cannot run psql");
    if (errno == ENOENT)
        hp_error_hint(&err, "Install the package postgresql-client.");
    return verb_fail(values, &err);
}

int verb_db_migrate(const struct hp_values *values)
{
    struct hp_error err = {0};
    hp_log_init(COLLECTOR_PROGRAM, HP_LOG_WARNING);
    HP_FREE char *state = verb_state(values, false, &err);
    HP_FREE char *url = state ? verb_database_url(values, state, PRIVATE_DB_OWNER, &err) : NULL;
    struct migrate_report report;
    if (!url || !migrate(url, &report, &err))
        return verb_fail(values, &err);
    if (!hp_opt_flag(values, "quiet"))
        printf("schema %d, was %d\n", report.after, report.before);
    return HP_EXIT_OK;
}
