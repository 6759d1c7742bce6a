/*
 * options_table: prints the options of the library as the Markdown table of README.md.
 */
#include "../src/options.h"

#include <stdio.h>

#define ALWAYS ""
#define DEBUG " Debug builds only."
static const struct {
    const char *name, *type, *preset;
    long long min, max;
    const char *where, *text;
} rows[] = {
#define OPTION(id, name, type, preset, min, max, where, text) \
    {name, #type, preset, min, max, where, text},
#include "../src/options.def"
#undef OPTION
};

int main(void)
{
    puts("| variable | default | values | meaning |\n|---|---|---|---|");
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        char values[80];
        switch (rows[i].type[0]) {
        case 'T':
            snprintf(values, sizeof values, "text");
            break;
        case 'R':
            snprintf(values, sizeof values, "%g to %g", (double)rows[i].min / 1000,
                     (double)rows[i].max / 1000);
            break;
        case 'S':
            snprintf(values, sizeof values, "%lldK to %lldM, a power of two", rows[i].min >> 10,
                     rows[i].max >> 20);
            break;
        default:
            snprintf(values, sizeof values, "%lld to %lld", rows[i].min, rows[i].max);
        }
        printf("| `%s` | %s | %s | %s%s |\n", rows[i].name,
               rows[i].preset[0] ? rows[i].preset : "none", values, rows[i].text, rows[i].where);
    }
    return 0;
}
