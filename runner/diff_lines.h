/*
 * The lines of a diff between its parser (diff.c) and the judgement which of them are new
 * (diff_moves.c). All text is borrowed from the diff. Only diff*.c include it.
 */
#ifndef RN_DIFF_LINES_H
#define RN_DIFF_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rn_line {
    const char *text; /* without its mark and end of line */
    uint32_t size;
    uint32_t file;  /* index of the file */
    uint32_t at;    /* head's line number; of a removed line, that of the last line before it */
    uint32_t block; /* runs of removed and added lines without context between; 0: context */
    char mark;      /* ' ', '+', '-' */
    bool same;      /* added or removed, yet nothing new: moved, re-indented or renamed */
};

struct rn_lines {
    struct rn_line *line;
    size_t count, room;
};

/* Marks `same`. False without memory. */
bool rn_mark_moves(struct rn_lines *lines);
bool rn_mark_renames(struct rn_lines *lines);

/* The next token of a line of C from *at on: its length, 0 at the end; *begin is where it starts. A
 * token is a name, a number, or one character. */
size_t rn_token(const struct rn_line *line, uint32_t *at, const char **begin);

/* Whether a token is a name. */
bool rn_is_name(const char *token, size_t size);

#endif
