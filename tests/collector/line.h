/*
 * A line of measured commits behind the golden head, written straight into the store: what many
 * days of runs leave behind. The golden result must have been stored before.
 */
#ifndef HP_TESTS_LINE_H
#define HP_TESTS_LINE_H

struct line_step {
    int number; /* from 1; commit 1 is the child of the golden head */
    const char *verdict,
        *size;           /* against its parent; size NULL: none; verdict NULL: not measured */
    double change;       /* log ratio to the parent ... */
    double half;         /* ... and the half-width of its interval */
    double control;      /* log ratio to the control ... */
    double control_half; /* ... its half-width at 95 %; 0: there was no control */
};

/* From now on the line's workloads are decided by that metric, which is what its figures are of;
 * throughput before. The text must live on. */
void line_metric(const char *metric);

/* Writes with the next line_flush, all at once. */
void line_add(const struct line_step *step);
void line_flush(void);
/* As store_ask of the owner, once the line is written. */
const char *line_ask(const char *sql);

/* "0000...N", the name of a commit of the line; in static memory. */
const char *line_sha(int number);

#endif
