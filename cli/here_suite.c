#include "cli/here_suite.h"

#include "cli/suite_sense.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"
#include "common/wire.h"

#include <glob.h>
#include <string.h>
#include <unistd.h>

static json_t *read_suite(const char *file, struct hp_error *err)
{
    HP_JSON json_t *suite = hp_json_read_file(file, HP_WIRE_SUITE_LIMIT, err);
    if (suite && cli_suite_sense(suite, err))
        return hp_take(suite);
    hp_error_context(err, "%s", file);
    return NULL;
}

/* Whether it is the repository's own: named like it, and with a driver that is in it. */
static bool is_own(const char *file)
{
    struct hp_error ignored;
    HP_JSON json_t *suite = hp_json_read_file(file, HP_WIRE_SUITE_LIMIT, &ignored);
    const char *name = hp_json_string(suite, "name", "");
    return name[0] && !json_object_get(json_object_get(suite, "driver"), "repository") &&
           strcmp(name, hp_json_string(json_object_get(suite, "repository"), "name", "")) == 0;
}

/* The one of deploy/suites that is meant; NULL with err where there are none or too many. */
static char *choose(const char *top, struct hp_error *err)
{
    HP_FREE char *pattern = hp_format("%s/deploy/suites/*.json", top);
    HP_BUFFER struct hp_buffer names = {0};
    glob_t found = {0};
    char *chosen = NULL;
    size_t own = 0;
    if (pattern)
        glob(pattern, 0, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *file = found.gl_pathv[i];
        hp_buffer_printf(&names, "%s%s", i ? ", " : "", file + strlen(top) + 1);
        if (is_own(file) && own++ == 0)
            chosen = strdup(file);
    }
    if (own != 1 && found.gl_pathc == 1) {
        free(chosen);
        chosen = strdup(found.gl_pathv[0]);
        own = 1;
    }
    globfree(&found);
    if (own == 1)
        return chosen;
    free(chosen);
    hp_fail(err, HP_USAGE,
            names.size ? "this checkout holds several suites" : "this checkout holds no suite");
    hp_error_hint(err,
                  names.size ? "Choose by --suite FILE: %.400s."
                             : "Name one by --suite FILE; hakperf-suite.json at the top of the "
                               "checkout is found by itself%.0s.",
                  hp_buffer_text(&names));
    return NULL;
}

bool cli_here_suite(const char *top, const char *given, char **file, json_t **suite,
                    struct hp_error *err)
{
    HP_FREE char *usual = hp_format("%s/hakperf-suite.json", top);
    if (given)
        *file = strdup(given);
    else if (usual && access(usual, F_OK) == 0)
        *file = strdup(usual);
    else
        *file = choose(top, err);
    *suite = *file ? read_suite(*file, err) : NULL;
    return *suite != NULL;
}
