/*
 * One option table a command: the command line, the configuration file, the environment, --help
 * and `config show` all come from it. Order of precedence: command line, environment
 * (HAKPERF_NAME, dashes as underscores), configuration file, default.
 */
#ifndef HP_COMMON_OPTIONS_H
#define HP_COMMON_OPTIONS_H

#include "common/error.h"

#include <stdint.h>

enum hp_option_type { HP_OPT_FLAG, HP_OPT_STRING, HP_OPT_INTEGER, HP_OPT_SECONDS };

struct hp_option {
    const char *name; /* without dashes; NULL ends a table */
    char letter;      /* 0: none */
    enum hp_option_type type;
    const char *argument; /* what --help calls the value; NULL for a flag */
    const char *fallback; /* default as text; NULL: none */
    int64_t min, max;     /* of an integer or seconds */
    const char *text;
    bool setting; /* also read from the environment and the configuration file */
};

struct hp_values; /* the values of one command line */

struct hp_verb {
    const char *name;                 /* "db start"; NULL ends a table */
    const char *arguments;            /* "REV1 REV2", "[REV...]"; "" for none */
    int min_arguments, max_arguments; /* max -1: any number */
    const char *summary;              /* one line */
    const char *text;                 /* paragraphs for --help; NULL: none */
    const struct hp_option *options;
    bool passes_on; /* the first unknown option and all behind it are arguments, for another program
                     */
    /* Returns the exit code. */
    int (*run)(const struct hp_values *values);
};

struct hp_program {
    const char *name;
    const char *summary;
    const struct hp_verb *verbs;
    const struct hp_option *common; /* of every verb */
};

/* Parses argv, answers --help and --version, and runs the verb. Usage errors are printed with a
 * hint and give exit code 2. */
int hp_program_main(const struct hp_program *program, int argc, char **argv);

/* Values of an option of the verb or the program; asking for another name is a defect (abort). */
const char *hp_opt(const struct hp_values *values, const char *name); /* NULL: not given */
bool hp_opt_flag(const struct hp_values *values, const char *name);
int64_t hp_opt_int(const struct hp_values *values, const char *name);

/* Where a value came from: "command line", "environment", "file", "default" or "unset". */
const char *hp_opt_source(const struct hp_values *values, const char *name);

int hp_arg_count(const struct hp_values *values);
const char *hp_arg(const struct hp_values *values, int index); /* NULL beyond the last */

/* Exit codes of all programs (see also the verdict's codes of `hakperf compare`). */
enum { HP_EXIT_OK = 0, HP_EXIT_REGRESSED = 1, HP_EXIT_USAGE = 2, HP_EXIT_NO_ANSWER = 3 };

/* The exit code that fits an error: 2 for usage, else 3. */
int hp_exit_code(const struct hp_error *err);

#endif
