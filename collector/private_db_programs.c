/* Finding PostgreSQL's programs: where Debian puts them, in PATH, or where pg_config says. */
#include "collector/private_db_internal.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/process.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEBIAN_FOLDER "/usr/lib/postgresql"

static bool has_programs(const char *folder)
{
    static const char *const needed[] = {"initdb", "pg_ctl", "postgres"};
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        HP_FREE char *path = hp_format("%s/%s", folder, needed[i]);
        if (!path || access(path, X_OK) != 0)
            return false;
    }
    return true;
}

/* A machine that has a lot to do takes seconds to start a program. */
#define PATIENCE_S 60

/* Major version of a folder's programs; 0 where there are none, or they do not run: *err says why.
 */
static int version_of(const char *folder, struct hp_error *err)
{
    HP_FREE char *program = hp_format("%s/postgres", folder);
    const char *argv[] = {program, "--version", NULL};
    HP_OUTCOME struct hp_outcome outcome = {0};
    struct hp_command command = {.argv = argv, .timeout_s = PATIENCE_S, .output_limit = 256};
    if (!program || !has_programs(folder) || !hp_run_ok(&command, &outcome, err))
        return 0;
    /* "postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)" */
    const char *number = strstr(hp_buffer_text(&outcome.out), ") ");
    return number ? atoi(number + 2) : 0;
}

struct candidate {
    char *folder;
    int version;
    struct hp_error trouble; /* of programs that are there and do not run */
};

/* Takes `folder` (owned) if it fits better than what was found so far. */
static void consider(struct candidate *best, int wanted, char *folder)
{
    int version = folder ? version_of(folder, &best->trouble) : 0;
    bool fits = wanted ? version == wanted : version >= PRIVATE_DB_OLDEST;
    if (fits && version > best->version) {
        free(best->folder);
        best->folder = folder;
        best->version = version;
    } else {
        free(folder);
    }
}

static void consider_debian(struct candidate *best, int wanted)
{
    HP_DIR DIR *dir = opendir(DEBIAN_FOLDER);
    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir))
        if (isdigit((unsigned char)e->d_name[0]))
            consider(best, wanted, hp_format("%s/%s/bin", DEBIAN_FOLDER, e->d_name));
}

static void consider_path(struct candidate *best, int wanted)
{
    const char *path = getenv("PATH");
    while (path && *path) {
        size_t n = strcspn(path, ":");
        if (n > 0 && path[0] == '/')
            consider(best, wanted, strndup(path, n));
        path += n + (path[n] == ':');
    }
}

static void consider_pg_config(struct candidate *best, int wanted)
{
    const char *argv[] = {"pg_config", "--bindir", NULL};
    HP_OUTCOME struct hp_outcome outcome = {0};
    struct hp_error ignored;
    struct hp_command command = {.argv = argv, .timeout_s = PATIENCE_S, .output_limit = 4096};
    if (!hp_run_ok(&command, &outcome, &ignored))
        return;
    const char *text = hp_buffer_text(&outcome.out);
    consider(best, wanted, strndup(text, strcspn(text, "\n")));
}

char *private_programs(int version, struct hp_error *err)
{
    struct candidate best = {0};
    consider_debian(&best, version);
    if (!best.folder)
        consider_path(&best, version);
    if (!best.folder)
        consider_pg_config(&best, version);
    if (best.folder)
        return best.folder;
    if (best.trouble.code != HP_OK) {
        *err = best.trouble;
        hp_error_context(err, "PostgreSQL's programs do not run");
    } else if (version) {
        hp_fail(err, HP_NOT_FOUND,
                "the data were made by PostgreSQL %d, whose programs are not here", version);
        hp_error_hint(err, "On Debian: apt-get install postgresql-%d.", version);
    } else {
        hp_fail(err, HP_NOT_FOUND, "no PostgreSQL of version %d or newer in %s, PATH or pg_config",
                PRIVATE_DB_OLDEST, DEBIAN_FOLDER);
        hp_error_hint(err, "On Debian: apt-get install postgresql.");
    }
    return NULL;
}
