/*
 * What people see: colours and a progress line on a terminal, plain lines elsewhere. NO_COLOR is
 * respected. Used by one thread.
 */
#ifndef HP_COMMON_TERM_H
#define HP_COMMON_TERM_H

#include <stdbool.h>
#include <stdio.h>

enum hp_colour { HP_PLAIN, HP_BOLD, HP_DIM, HP_RED, HP_GREEN, HP_YELLOW };

/* Whether this stream wants colours. */
bool hp_term_colour(FILE *stream);

/* The escape that starts a colour on that stream, "" where it wants none; HP_PLAIN ends it. */
const char *hp_colour(FILE *stream, enum hp_colour colour);

/* Shows one line on stderr that the next call replaces; without a terminal, prints a line only when
 * its text changed and at most every ten seconds. "" removes it. */
void hp_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
