/*
 * A table for people: columns as wide as their widest cell, figures to the right, colours only on
 * a terminal, where the last column is cut at the window's edge. The table owns copies of all that
 * it is given, cleaned of control characters (cli_clean). One thread.
 */
#ifndef HP_CLI_TABLE_H
#define HP_CLI_TABLE_H

#include "common/term.h"

#include <stddef.h>

struct cli_table;

/* `heads`: the columns' titles, separated by '|'; one that begins with '>' is set to the right.
 * NULL without memory. */
struct cli_table *cli_table_new(const char *heads);
void cli_table_free(struct cli_table *table);
void cli_table_clear(struct cli_table **table);
#define CLI_TABLE __attribute__((cleanup(cli_table_clear)))

/* Adds the next cell, row by row; NULL text is shown as "-". A table without memory ignores it. */
void cli_table_cell(struct cli_table *table, enum hp_colour colour, const char *text);

/* Adds an integer, right behind the last cell. */
void cli_table_number(struct cli_table *table, long long number);

/* Prints titles and rows, every line behind `indent` spaces; nothing for a table without rows. */
void cli_table_print(const struct cli_table *table, FILE *stream, int indent);

/* Columns that a text of UTF-8 takes on a terminal: its characters, wide ones counted as one. */
size_t cli_text_width(const char *text);

#endif
