/* What the verbs share: the state folder, the database, and how errors are shown. */
#include "collector/private_db.h"
#include "collector/verbs.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/state.h"

#include <stdio.h>
#include <string.h>

int verb_fail(const struct hp_values *values, const struct hp_error *err)
{
    if (hp_opt_flag(values, "json")) {
        HP_JSON json_t *body = hp_error_json(err);
        json_dumpf(body, stdout, JSON_COMPACT);
        putchar('\n');
    }
    hp_error_print(COLLECTOR_PROGRAM, err);
    return hp_exit_code(err);
}

char *verb_state(const struct hp_values *values, bool make, struct hp_error *err)
{
    HP_FREE char *state = hp_state_folder(hp_opt(values, "state"), err);
    if (!state || (make && !hp_state_make(state, NULL, 0755, err)) || !hp_drop_root(err))
        return NULL;
    return hp_take(state);
}

char *verb_database_url(const struct hp_values *values, const char *state, const char *role,
                        struct hp_error *err)
{
    const char *given = hp_opt(values, "database");
    if (given && *given)
        return strdup(given);
    HP_JSON json_t *status = private_db_status(state, err);
    if (!status)
        return NULL;
    if (strcmp(hp_json_string(status, "state", ""), "running") != 0) {
        hp_fail(err, HP_UNAVAILABLE, "the private PostgreSQL of %s does not run", state);
        hp_error_hint(err, "Start it: hakperf-collector db start; or give --database URL.");
        return NULL;
    }
    char *url = private_db_url(state, role);
    if (!url)
        hp_fail(err, HP_SYSTEM, "out of memory");
    return url;
}

struct db *verb_database(const struct hp_values *values, const char *state, struct hp_error *err)
{
    HP_FREE char *url = verb_database_url(values, state, PRIVATE_DB_COLLECTOR, err);
    return url ? db_open(url, &(struct db_options){.pool_size = 1}, err) : NULL;
}
