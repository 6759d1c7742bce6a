#include "cli/table.h"

#include "cli/figures.h"
#include "common/cleanup.h"

#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>

#define MAX_COLUMNS 16
#define GAP 2

struct cell {
    char *text;
    enum hp_colour colour;
};

struct cli_table {
    char *titles; /* cut into heads */
    const char *heads[MAX_COLUMNS];
    bool right[MAX_COLUMNS];
    size_t columns;
    struct cell *cells; /* row by row */
    size_t count, room;
};

struct cli_table *cli_table_new(const char *heads)
{
    struct cli_table *table = calloc(1, sizeof *table);
    if (!table || !(table->titles = strdup(heads))) {
        free(table);
        return NULL;
    }
    char *rest = table->titles;
    for (char *head; table->columns < MAX_COLUMNS && (head = strsep(&rest, "|"));) {
        table->right[table->columns] = head[0] == '>';
        table->heads[table->columns++] = head[0] == '>' ? head + 1 : head;
    }
    return table;
}

void cli_table_free(struct cli_table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i].text);
    free(table->cells);
    free(table->titles);
    free(table);
}

void cli_table_clear(struct cli_table **table)
{
    cli_table_free(*table);
    *table = NULL;
}

void cli_table_cell(struct cli_table *table, enum hp_colour colour, const char *text)
{
    if (!table)
        return;
    if (table->count == table->room) {
        size_t room = table->room ? 2 * table->room : 64;
        struct cell *cells = reallocarray(table->cells, room, sizeof *cells);
        if (!cells)
            return;
        table->cells = cells;
        table->room = room;
    }
    char *copy = cli_clean(text ? text : "-");
    if (copy)
        table->cells[table->count++] = (struct cell){copy, colour};
}

void cli_table_number(struct cli_table *table, long long number)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", number);
    cli_table_cell(table, HP_PLAIN, text);
}

size_t cli_text_width(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

/* Bytes of the first `characters` characters. */
static size_t prefix_bytes(const char *text, size_t characters)
{
    size_t i = 0;
    for (; text[i]; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80 && characters-- == 0)
            break;
    return i;
}

static void measure(const struct cli_table *table, size_t widths[MAX_COLUMNS])
{
    for (size_t c = 0; c < table->columns; c++)
        widths[c] = cli_text_width(table->heads[c]);
    for (size_t i = 0; i < table->count; i++) {
        size_t width = cli_text_width(table->cells[i].text);
        if (width > widths[i % table->columns])
            widths[i % table->columns] = width;
    }
}

/* Space for the last column on a terminal; elsewhere there is no edge. */
static size_t last_room(const struct cli_table *table, const size_t *widths, FILE *stream,
                        int indent)
{
    struct winsize window;
    if (!isatty(fileno(stream)) || ioctl(fileno(stream), TIOCGWINSZ, &window) != 0)
        return SIZE_MAX;
    size_t used = (size_t)indent;
    for (size_t c = 0; c + 1 < table->columns; c++)
        used += widths[c] + GAP;
    return window.ws_col > used + 8 ? window.ws_col - used : SIZE_MAX;
}

static void print_cell(FILE *stream, const char *text, enum hp_colour colour, size_t width,
                       bool right, bool last, size_t room)
{
    size_t own = cli_text_width(text);
    int pad = own < width ? (int)(width - own) : 0;
    size_t bytes = last && own > room ? prefix_bytes(text, room) : strlen(text);
    fprintf(stream, "%*s%s%.*s%s%*s", right ? pad : 0, "",
            colour == HP_PLAIN ? "" : hp_colour(stream, colour), (int)bytes, text,
            colour == HP_PLAIN ? "" : hp_colour(stream, HP_PLAIN), right || last ? 0 : pad + GAP,
            "");
    if (right && !last)
        fprintf(stream, "%*s", GAP, "");
}

void cli_table_print(const struct cli_table *table, FILE *stream, int indent)
{
    size_t widths[MAX_COLUMNS];
    if (!table || table->count == 0 || table->columns == 0)
        return;
    measure(table, widths);
    size_t room = last_room(table, widths, stream, indent);
    fprintf(stream, "%*s", indent, "");
    for (size_t c = 0; c < table->columns; c++)
        print_cell(stream, table->heads[c], HP_DIM, widths[c], table->right[c],
                   c + 1 == table->columns, room);
    fputc('\n', stream);
    for (size_t i = 0; i < table->count; i++) {
        size_t c = i % table->columns;
        if (c == 0)
            fprintf(stream, "%*s", indent, "");
        print_cell(stream, table->cells[i].text, table->cells[i].colour, widths[c], table->right[c],
                   c + 1 == table->columns, room);
        if (c + 1 == table->columns || i + 1 == table->count)
            fputc('\n', stream);
    }
}
