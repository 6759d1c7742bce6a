#include "runner/callgrind.h"

#include "common/cleanup.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MOST_EVENTS 32

/* The index of Ir among "events: Ir Dr Dw", -1 if it is not there. */
static int index_of_ir(char *names)
{
    int i = 0;
    for (char *word; (word = strsep(&names, " \t")) && i < MOST_EVENTS;) {
        if (strcmp(word, "Ir") == 0)
            return i;
        i += word[0] != '\0';
    }
    return -1;
}

/* The figure at an index of "123 45 6"; NAN where it is missing or no number. */
static double figure_at(char *figures, int index)
{
    for (char *word; index >= 0 && (word = strsep(&figures, " \t"));) {
        char *end;
        if (!word[0])
            continue;
        if (index-- > 0)
            continue;
        if (word[0] < '0' || word[0] > '9')
            break;
        double value = strtod(word, &end);
        return isfinite(value) && *end == '\0' ? value : (double)NAN;
    }
    return (double)NAN;
}

double rn_callgrind_read(const char *text, size_t size)
{
    HP_FREE char *copy = strndup(text, size);
    char *rest = copy;
    int ir = -1;
    double totals = NAN, summary = NAN;
    for (char *line; rest && (line = strsep(&rest, "\n"));) {
        line[strcspn(line, "\r")] = '\0';
        if (strncmp(line, "events:", 7) == 0)
            ir = index_of_ir(line + 7);
        else if (strncmp(line, "totals:", 7) == 0)
            totals = (isnan(totals) ? 0 : totals) + figure_at(line + 7, ir);
        else if (strncmp(line, "summary:", 8) == 0)
            summary = (isnan(summary) ? 0 : summary) + figure_at(line + 8, ir);
    }
    /* `summary:` stands at the head: without `totals:` behind it the rest may be lost, yet it
     * counts the whole part. */
    return isnan(totals) ? summary : totals;
}
