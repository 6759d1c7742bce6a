#include "cli/markdown.h"

#include "cli/figures.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <string.h>

/* Rows of the list of what moved. */
enum { MOST_MOVES = 8 };

/* Text in a line or a cell. */
static void put(FILE *stream, const char *text)
{
    HP_FREE char *clean = cli_clean(text ? text : "-");
    for (const char *c = clean ? clean : ""; *c; c++) {
        if (*c == '<')
            fputs("&lt;", stream);
        else if (*c == '>')
            fputs("&gt;", stream);
        else if (*c == '&')
            fputs("&amp;", stream);
        else if (strchr("\\`*_[]|~#!@", *c))
            fprintf(stream, *c == '@' ? "@\xe2\x80\x8b" : "\\%c", *c);
        else
            fputc(*c, stream);
    }
}

/* A command between back quotes; one that holds some itself gets more of them around it. */
static void put_code(FILE *stream, const char *text)
{
    HP_FREE char *clean = cli_clean(text);
    const char *marks = clean && strchr(clean, '`') ? "``" : "`";
    fprintf(stream, "%s%s%s%s%s", marks, marks[1] ? " " : "", clean ? clean : "",
            marks[1] ? " " : "", marks);
}

static void put_commit(FILE *stream, const char *name, const json_t *commit)
{
    if (!json_is_object(commit))
        return;
    fprintf(stream, "- %s: `%.10s` ", name, hp_json_string(commit, "sha", "?"));
    put(stream, hp_json_string(commit, "subject", ""));
    fputc('\n', stream);
}

static void cell(FILE *stream, const char *text)
{
    fputc(' ', stream);
    put(stream, text);
    fputs(" |", stream);
}

static void put_workload(FILE *stream, const json_t *w)
{
    char text[CLI_FIGURE];
    const char *unit = hp_json_string(w, "unit", NULL);
    fputc('|', stream);
    cell(stream, hp_json_string(w, "workload", "?"));
    cell(stream, hp_json_string(w, "metric", NULL));
    cli_value_text(json_object_get(w, "base_value"), unit, text);
    cell(stream, text);
    cli_value_text(json_object_get(w, "head_value"), unit, text);
    cell(stream, text);
    cli_change_text(json_object_get(w, "change"), text);
    cell(stream, text);
    cli_interval_text(json_object_get(w, "low"), json_object_get(w, "high"), text);
    cell(stream, text);
    json_t *pairs = json_object_get(w, "pairs");
    snprintf(text, sizeof text, "%lld", (long long)json_integer_value(pairs));
    cell(stream, json_is_integer(pairs) ? text : NULL);
    cli_verdict_text(hp_json_string(w, "verdict", NULL), hp_json_string(w, "size", NULL), text);
    cell(stream, text);
    fputc('\n', stream);
}

static void put_workloads(FILE *stream, const json_t *list)
{
    size_t i;
    const json_t *w;
    if (json_array_size(list) == 0)
        return;
    fputs("\n| workload | metric | base | head | change | interval | pairs | verdict |\n"
          "|---|---|---:|---:|---:|---:|---:|---|\n",
          stream);
    json_array_foreach (list, i, w)
        put_workload(stream, w);
}

static void put_any(FILE *stream, const json_t *value)
{
    char text[CLI_FIGURE];
    if (json_is_string(value)) {
        put(stream, json_string_value(value));
        return;
    }
    cli_value_text(value, NULL, text);
    put(stream, text);
}

/* What moved in one workload, under its title. */
static void put_moves(FILE *stream, const json_t *workload, const char *key)
{
    size_t i;
    const json_t *move, *list = json_object_get(workload, key);
    json_array_foreach (list, i, move) {
        if (i == MOST_MOVES) {
            fprintf(stream, "  - and %zu more\n", json_array_size(list) - i);
            break;
        }
        fputs("  - ", stream);
        put(stream, hp_json_string(move, "name", "?"));
        fputs(": ", stream);
        put_any(stream, json_object_get(move, "base"));
        fputs(" → ", stream);
        put_any(stream, json_object_get(move, "head"));
        fputc('\n', stream);
    }
}

static void put_details(FILE *stream, const json_t *list)
{
    static const char *const keys[] = {"configuration", "syscalls", "counters"};
    bool begun = false;
    size_t i;
    const json_t *w;
    json_array_foreach (list, i, w) {
        size_t n = 0;
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
            n += json_array_size(json_object_get(w, keys[k]));
        if (n == 0)
            continue;
        if (!begun)
            fputs("\n<details><summary>What moved with it (base → head)</summary>\n\n", stream);
        begun = true;
        fputs("- ", stream);
        put(stream, hp_json_string(w, "workload", "?"));
        fputc('\n', stream);
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
            put_moves(stream, w, keys[k]);
    }
    if (begun)
        fputs("\n</details>\n", stream);
}

void cli_markdown_print(const json_t *comparison, FILE *stream)
{
    size_t i;
    const json_t *warning, *workloads = json_object_get(comparison, "workloads");
    char verdict[CLI_FIGURE];
    cli_verdict_text(hp_json_string(comparison, "verdict", NULL),
                     hp_json_string(comparison, "size", NULL), verdict);
    fprintf(stream, "**%s** ", verdict);
    put(stream, hp_json_string(comparison, "sentence", ""));
    fputs("\n\n", stream);
    put_commit(stream, "base", json_object_get(comparison, "base"));
    put_commit(stream, "head", json_object_get(comparison, "head"));
    put_workloads(stream, workloads);
    put_details(stream, workloads);
    fputc('\n', stream);
    json_array_foreach (json_object_get(comparison, "warnings"), i, warning) {
        fputs("- warning: ", stream);
        put(stream, json_string_value(warning));
        fputc('\n', stream);
    }
    const char *basis = hp_json_string(comparison, "basis", NULL);
    if (basis) {
        fputs("- compared ", stream);
        put(stream, basis);
        fputc('\n', stream);
    }
    const char *measure = hp_json_string(comparison, "measure", NULL);
    const char *reproduce = hp_json_string(comparison, "reproduce", NULL);
    if (measure || reproduce) {
        fputs(measure ? "- measure directly: " : "- reproduce: ", stream);
        put_code(stream, measure ? measure : reproduce);
        fputc('\n', stream);
    }
}
