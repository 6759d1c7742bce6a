/* hakperf db: hands over to hakperf-collector, which alone knows the database. */
#include "cli/session.h"
#include "cli/verbs.h"
#include "common/cleanup.h"
#include "common/state.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int cli_db(const struct hp_values *values)
{
    struct hp_error err = {0};
    int count = hp_arg_count(values), n = 0;
    HP_FREE char *folder = hp_program_folder(&err);
    HP_FREE char *program = folder ? hp_format("%s/hakperf-collector", folder) : NULL;
    HP_FREE char **argv = calloc((size_t)count + 6, sizeof *argv);
    if (!program || !argv) {
        if (err.code == HP_OK)
            hp_fail(&err, HP_SYSTEM, "out of memory");
        return cli_fail(values, &err);
    }
    /* The options go before what psql gets: behind its first own option all is psql's. */
    argv[n++] = program;
    argv[n++] = (char *)"db";
    argv[n++] = (char *)hp_arg(values, 0);
    if (hp_opt(values, "state")) {
        argv[n++] = (char *)"--state";
        argv[n++] = (char *)hp_opt(values, "state");
    }
    bool psql = strcmp(argv[2], "psql") == 0;
    if (hp_opt_flag(values, "json") && !psql)
        argv[n++] = (char *)"--json";
    if (hp_opt_flag(values, "quiet") && psql)
        argv[n++] = (char *)"--quiet";
    for (int i = 1; i < count; i++)
        argv[n++] = (char *)hp_arg(values, i);
    execv(program, argv);
    hp_fail_errno(&err, "cannot run %s", program);
    if (errno == ENOENT)
        hp_error_hint(&err, "hakperf-collector must lie beside hakperf.");
    return cli_fail(values, &err);
}
