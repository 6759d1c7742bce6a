/*
 * What changed between two source trees: reads what `git diff --no-index` prints with all context
 * and finds the lines that are really new. Lines that were only moved, re-indented, or that differ
 * by nothing but the new name of something that was renamed everywhere, are not. Only files of the
 * C family count. Pure.
 */
#ifndef RN_DIFF_H
#define RN_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One file of the head that has changed lines, or lost some. Lines count from 1. */
struct rn_changed {
    char *path;     /* from the root of the tree */
    uint32_t *line; /* new lines, ascending */
    bool *blank;    /* of each: nothing but a comment, a brace or white space */
    size_t lines;
    uint32_t *cut; /* head's line after which lines were lost, ascending */
    size_t cuts;
    char **macro; /* macros that have new lines in their definition */
    size_t macros;
    uint32_t *use; /* lines that use a changed macro */
    size_t uses;
};

struct rn_diff {
    struct rn_changed *file;
    size_t files;
    size_t changed; /* new lines of all files */
};

/* `prefix` is what git put before the paths of the head ("b/head/"). False without memory only:
 * what cannot be read is skipped. */
bool rn_diff_parse(const char *text, size_t size, const char *prefix, struct rn_diff *out);

/* Adds where changed macros are used: `grep --null -rnoH`'s output, "PATH NUL LINE:NAME". Lines
 * that cannot be read are skipped. */
bool rn_diff_add_uses(const char *text, size_t size, struct rn_diff *diff);

void rn_diff_clear(struct rn_diff *diff);
#define RN_DIFF __attribute__((cleanup(rn_diff_clear)))

/* Whether a path's ending is one of the C family's. */
bool rn_is_source(const char *path);

#endif
