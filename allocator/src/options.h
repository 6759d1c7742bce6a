/*
 * options.h: the configuration, read once from the environment before the first block is served.
 *
 * A value that does not parse or is out of range is reported on stderr and the default kept; so
 * are HAKMEM_ variables that nobody knows, and known ones that this build ignores. After
 * options_init the values do not change; any thread may read them.
 */
#ifndef HAKMEM_OPTIONS_H
#define HAKMEM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum option_id {
#define OPTION(id, ...) OPT_##id,
#include "options.def"
#undef OPTION
    OPTION_COUNT
};

enum option_type { OPTION_BOOL, OPTION_NUMBER, OPTION_SIZE, OPTION_RATIO, OPTION_TEXT };

/* A row of the table, as written in options.def. */
struct option_row {
    const char *name;
    enum option_type type;
    const char *preset;
    int64_t min, max;
    bool debug_only;
    const char *text;
};

/* What is in force. `text` is the value as given, or the default; it lives for ever. */
struct option_value {
    int64_t number;
    const char *text;
    bool from_environment, ignored;
};

extern const struct option_row option_rows[OPTION_COUNT];
extern struct option_value option_values[OPTION_COUNT];

/* Reads `environment` (as environ; NULL means none). Call once, before other threads exist. */
void options_init(char **environment);

static inline int64_t option(enum option_id id)
{
    return option_values[id].number;
}

#endif
