#include "common/options.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/state.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_OPTIONS 64
#define MAX_ARGUMENTS 4096
#define CONFIG_LIMIT (1u << 20)

struct hp_values {
    const struct hp_program *program;
    const struct hp_verb *verb;
    const struct hp_option *options[MAX_OPTIONS];
    char *values[MAX_OPTIONS];
    const char *sources[MAX_OPTIONS];
    size_t count;
    const char **arguments;
    int argument_count;
};

static void values_clear(struct hp_values *v)
{
    for (size_t i = 0; i < v->count; i++)
        free(v->values[i]);
    free(v->arguments);
}

static void add_table(struct hp_values *v, const struct hp_option *table)
{
    for (; table && table->name && v->count < MAX_OPTIONS; table++) {
        v->options[v->count] = table;
        v->sources[v->count] = "unset";
        v->count++;
    }
}

static size_t find_name(const struct hp_values *v, const char *name, size_t length)
{
    for (size_t i = 0; i < v->count; i++)
        if (strlen(v->options[i]->name) == length &&
            strncmp(v->options[i]->name, name, length) == 0)
            return i;
    return SIZE_MAX;
}

static size_t find_letter(const struct hp_values *v, char letter)
{
    for (size_t i = 0; i < v->count; i++)
        if (v->options[i]->letter == letter)
            return i;
    return SIZE_MAX;
}

static bool check_text(const struct hp_option *option, const char *text, struct hp_error *err)
{
    if (option->type == HP_OPT_FLAG) {
        if (strcmp(text, "yes") == 0 || strcmp(text, "no") == 0)
            return true;
        return hp_fail(err, HP_USAGE, "%s must be yes or no, not \"%s\"", option->name, text);
    }
    if (option->type == HP_OPT_STRING)
        return true;
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (end == text || *end || errno == ERANGE)
        return hp_fail(err, HP_USAGE, "%s must be a whole number%s, not \"%s\"", option->name,
                       option->type == HP_OPT_SECONDS ? " of seconds" : "", text);
    if (n < option->min || n > option->max)
        return hp_fail(err, HP_USAGE, "%s must be from %lld to %lld, not %lld", option->name,
                       (long long)option->min, (long long)option->max, n);
    return true;
}

static bool set(struct hp_values *v, size_t i, const char *text, const char *source,
                struct hp_error *err)
{
    if (!check_text(v->options[i], text, err))
        return false;
    char *copy = strdup(text);
    if (!copy)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    free(v->values[i]);
    v->values[i] = copy;
    v->sources[i] = source;
    return true;
}

/* --- the configuration file: "name = value" lines, # comments ------------------------------- */

static char *config_path(void)
{
    const char *named = getenv("HAKPERF_CONFIG");
    if (named && named[0])
        return strdup(named);
    const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (geteuid() != 0 && xdg && xdg[0] == '/')
        return hp_format("%s/hakperf/hakperf.conf", xdg);
    if (geteuid() != 0 && home && home[0] == '/') {
        char *own = hp_format("%s/.config/hakperf/hakperf.conf", home);
        if (own && access(own, F_OK) == 0)
            return own;
        free(own);
    }
    return strdup("/etc/hakperf/hakperf.conf");
}

static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    char *end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1]))
        *--end = '\0';
    return text;
}

static bool config_line(struct hp_values *v, char *line, struct hp_error *err)
{
    char *text = trim(line);
    if (*text == '\0' || *text == '#')
        return true;
    char *equals = strchr(text, '=');
    if (!equals)
        return hp_fail(err, HP_USAGE, "expected \"name = value\", found \"%s\"", text);
    *equals = '\0';
    char *name = trim(text), *value = trim(equals + 1);
    size_t i = find_name(v, name, strlen(name));
    /* One file serves three programs: what this verb does not know may be another's. */
    if (i == SIZE_MAX || !v->options[i]->setting)
        return true;
    return set(v, i, value, "file", err);
}

static bool read_config(struct hp_values *v, struct hp_error *err)
{
    HP_FREE char *path = config_path();
    HP_BUFFER struct hp_buffer file = {0};
    if (!path)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    if (!hp_file_read(path, CONFIG_LIMIT, &file, err))
        return err->code == HP_NOT_FOUND && !getenv("HAKPERF_CONFIG");
    int number = 0;
    char *rest = file.data;
    for (char *line; rest && (line = strsep(&rest, "\n"));) {
        number++;
        if (!config_line(v, line, err))
            return hp_error_context(err, "%s line %d", path, number);
    }
    return true;
}

static bool read_environment(struct hp_values *v, struct hp_error *err)
{
    for (size_t i = 0; i < v->count; i++) {
        if (!v->options[i]->setting)
            continue;
        char name[96];
        int n = snprintf(name, sizeof name, "HAKPERF_%s", v->options[i]->name);
        for (int k = 8; k < n && k < (int)sizeof name; k++)
            name[k] = name[k] == '-' ? '_' : (char)toupper((unsigned char)name[k]);
        const char *value = getenv(name);
        if (value && value[0] && !set(v, i, value, "environment", err))
            return hp_error_context(err, "%s", name);
    }
    return true;
}

/* --- the command line ------------------------------------------------------------------------ */

static bool take_long(struct hp_values *v, const char *word, char **argv, int *at,
                      struct hp_error *err)
{
    const char *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    size_t i = find_name(v, word, length);
    if (i == SIZE_MAX)
        return hp_fail(err, HP_USAGE, "unknown option --%.*s", (int)length, word);
    if (v->options[i]->type == HP_OPT_FLAG)
        return equals ? set(v, i, equals + 1, "command line", err)
                      : set(v, i, "yes", "command line", err);
    const char *value = equals ? equals + 1 : argv[*at + 1];
    if (!value)
        return hp_fail(err, HP_USAGE, "--%s needs a value", v->options[i]->name);
    if (!equals)
        ++*at;
    return set(v, i, value, "command line", err);
}

static bool take_letters(struct hp_values *v, const char *word, char **argv, int *at,
                         struct hp_error *err)
{
    for (const char *p = word; *p; p++) {
        size_t i = find_letter(v, *p);
        if (i == SIZE_MAX)
            return hp_fail(err, HP_USAGE, "unknown option -%c", *p);
        if (v->options[i]->type == HP_OPT_FLAG) {
            if (!set(v, i, "yes", "command line", err))
                return false;
            continue;
        }
        const char *value = p[1] ? p + 1 : argv[++*at];
        if (!value)
            return hp_fail(err, HP_USAGE, "-%c needs a value", *p);
        return set(v, i, value, "command line", err);
    }
    return true;
}

/* Whether a word is an option that no table of this verb holds. */
static bool foreign_option(const struct hp_values *v, const char *word)
{
    if (word[0] != '-' || !word[1] || strcmp(word, "--") == 0)
        return false;
    if (word[1] == '-')
        return find_name(v, word + 2, strcspn(word + 2, "=")) == SIZE_MAX;
    return find_letter(v, word[1]) == SIZE_MAX;
}

static bool read_command_line(struct hp_values *v, char **argv, struct hp_error *err)
{
    bool only_arguments = false;
    for (int i = 0; argv[i]; i++) {
        const char *word = argv[i];
        only_arguments = only_arguments || (v->verb->passes_on && foreign_option(v, word));
        if (!only_arguments && strcmp(word, "--") == 0)
            only_arguments = true;
        else if (!only_arguments && word[0] == '-' && word[1] == '-') {
            if (!take_long(v, word + 2, argv, &i, err))
                return false;
        } else if (!only_arguments && word[0] == '-' && word[1]) {
            if (!take_letters(v, word + 1, argv, &i, err))
                return false;
        } else {
            v->arguments[v->argument_count++] = word;
        }
    }
    if (v->argument_count < v->verb->min_arguments)
        return hp_fail(err, HP_USAGE, "%s needs %s", v->verb->name, v->verb->arguments);
    if (v->verb->max_arguments >= 0 && v->argument_count > v->verb->max_arguments)
        return hp_fail(err, HP_USAGE, "unexpected argument \"%s\"",
                       v->arguments[v->verb->max_arguments]);
    return true;
}

/* --- help ------------------------------------------------------------------------------------ */

static void print_table(const struct hp_option *table)
{
    for (; table && table->name; table++) {
        char left[80];
        int n = table->letter ? snprintf(left, sizeof left, "-%c, ", table->letter)
                              : snprintf(left, sizeof left, "    ");
        snprintf(left + n, sizeof left - (size_t)n, "--%s%s%s", table->name,
                 table->argument ? " " : "", table->argument ? table->argument : "");
        printf("  %-26s %s%s", left, strlen(left) > 26 ? "\n                             " : "",
               table->text);
        if (table->fallback)
            printf(" (default: %s)", table->fallback);
        putchar('\n');
    }
}

static void help_verb(const struct hp_program *program, const struct hp_verb *verb)
{
    printf("usage: %s %s%s%s [OPTION...]\n\n%s.\n", program->name, verb->name,
           verb->arguments[0] ? " " : "", verb->arguments, verb->summary);
    if (verb->text)
        printf("\n%s\n", verb->text);
    printf("\nOptions:\n");
    print_table(verb->options);
    print_table(program->common);
    printf("      --help                 this text\n");
}

static void help_program(const struct hp_program *program)
{
    printf("usage: %s VERB [ARGUMENT...] [OPTION...]\n\n%s.\n\n", program->name, program->summary);
    for (const struct hp_verb *verb = program->verbs; verb->name; verb++)
        if (verb->summary)
            printf("  %-14s %s\n", verb->name, verb->summary);
    printf("\n`%s VERB --help` tells more of each; `%s --version` its version.\n", program->name,
           program->name);
}

static bool wants_help(char **argv)
{
    for (; *argv && strcmp(*argv, "--") != 0; argv++)
        if (strcmp(*argv, "--help") == 0 || strcmp(*argv, "-h") == 0)
            return true;
    return false;
}

/* Matches "db start" against two words; returns how many words the name has, 0 for no match. */
static int verb_words(const struct hp_verb *verb, char **argv)
{
    const char *space = strchr(verb->name, ' ');
    if (!space)
        return strcmp(verb->name, argv[0]) == 0 ? 1 : 0;
    size_t first = (size_t)(space - verb->name);
    if (strncmp(verb->name, argv[0], first) != 0 || argv[0][first] || !argv[1])
        return 0;
    return strcmp(space + 1, argv[1]) == 0 ? 2 : 0;
}

/* Whether a verb is one of a group, as "db start" is of "db". */
static bool is_of(const struct hp_verb *verb, const char *group)
{
    size_t n = strlen(group);
    return strncmp(verb->name, group, n) == 0 && verb->name[n] == ' ';
}

static bool is_group(const struct hp_program *program, const char *word)
{
    for (const struct hp_verb *verb = program->verbs; verb->name; verb++)
        if (is_of(verb, word))
            return true;
    return false;
}

static void help_group(const struct hp_program *program, const char *group)
{
    printf("usage: %s %s VERB [ARGUMENT...] [OPTION...]\n\n", program->name, group);
    for (const struct hp_verb *verb = program->verbs; verb->name; verb++)
        if (is_of(verb, group) && verb->summary)
            printf("  %-14s %s\n", verb->name, verb->summary);
    printf("\n`%s %s VERB --help` tells more of each.\n", program->name, group);
}

static int usage_error(const char *who, const struct hp_error *err, const char *help)
{
    struct hp_error shown = *err;
    if (!shown.hint[0])
        hp_error_hint(&shown, "See: %s --help", help);
    hp_error_print(who, &shown);
    return HP_EXIT_USAGE;
}

static int run_verb(const struct hp_program *program, const struct hp_verb *verb, char **argv)
{
    struct hp_values v = {.program = program, .verb = verb};
    struct hp_error err = {0};
    int words = 0;
    while (argv[words])
        words++;
    if (wants_help(argv)) {
        help_verb(program, verb);
        return HP_EXIT_OK;
    }
    add_table(&v, verb->options);
    add_table(&v, program->common);
    v.arguments = calloc((size_t)words + 1, sizeof *v.arguments);
    bool ok = v.arguments && words <= MAX_ARGUMENTS;
    if (!ok)
        hp_fail(&err, HP_LIMIT, "too many arguments");
    for (size_t i = 0; ok && i < v.count; i++)
        if (v.options[i]->fallback)
            ok = set(&v, i, v.options[i]->fallback, "default", &err);
    ok = ok && read_config(&v, &err) && read_environment(&v, &err) &&
         read_command_line(&v, argv, &err);
    int code;
    if (ok) {
        code = verb->run(&v);
    } else {
        HP_FREE char *help = hp_format("%s %s", program->name, verb->name);
        code = usage_error(program->name, &err, help ? help : program->name);
    }
    values_clear(&v);
    return code;
}

/* No verb of the program; the name of a group alone, or with a word that is not in it, is told so.
 */
static int no_such_verb(const struct hp_program *program, char **argv)
{
    struct hp_error err = {0};
    bool group = is_group(program, argv[1]);
    if (group && argv[2] && (wants_help(argv + 2) || strcmp(argv[2], "help") == 0)) {
        help_group(program, argv[1]);
        return HP_EXIT_OK;
    }
    HP_FREE char *help = hp_format("%s%s%s", program->name, group ? " " : "", group ? argv[1] : "");
    if (group && !argv[2])
        hp_fail(&err, HP_USAGE, "what to do with %s is missing", argv[1]);
    else
        hp_fail(&err, HP_USAGE, "unknown verb \"%s%s%s\"", argv[1], group ? " " : "",
                group ? argv[2] : "");
    return usage_error(program->name, &err, help ? help : program->name);
}

int hp_program_main(const struct hp_program *program, int argc, char **argv)
{
    struct hp_error err = {0};
    if (argc < 2) {
        hp_fail(&err, HP_USAGE, "what to do is missing");
        return usage_error(program->name, &err, program->name);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        help_program(program);
        return HP_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("%s %s\n", program->name, HAKPERF_VERSION);
        return HP_EXIT_OK;
    }
    for (const struct hp_verb *verb = program->verbs; verb->name; verb++) {
        int words = verb_words(verb, argv + 1);
        if (words > 0)
            return run_verb(program, verb, argv + 1 + words);
    }
    return no_such_verb(program, argv);
}

static size_t require(const struct hp_values *v, const char *name)
{
    size_t i = find_name(v, name, strlen(name));
    if (i == SIZE_MAX) {
        fprintf(stderr, "%s: option %s is in no table\n", v->program->name, name);
        abort();
    }
    return i;
}

const char *hp_opt(const struct hp_values *values, const char *name)
{
    return values->values[require(values, name)];
}

bool hp_opt_flag(const struct hp_values *values, const char *name)
{
    const char *text = hp_opt(values, name);
    return text && strcmp(text, "yes") == 0;
}

int64_t hp_opt_int(const struct hp_values *values, const char *name)
{
    const char *text = hp_opt(values, name);
    return text ? strtoll(text, NULL, 10) : 0;
}

const char *hp_opt_source(const struct hp_values *values, const char *name)
{
    return values->sources[require(values, name)];
}

int hp_arg_count(const struct hp_values *values)
{
    return values->argument_count;
}

const char *hp_arg(const struct hp_values *values, int index)
{
    return index < values->argument_count ? values->arguments[index] : NULL;
}

int hp_exit_code(const struct hp_error *err)
{
    return err->code == HP_USAGE ? HP_EXIT_USAGE : HP_EXIT_NO_ANSWER;
}
