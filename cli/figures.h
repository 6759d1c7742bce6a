/*
 * Figures and words as people read them: fixed wording for verdicts, signs on every change, units
 * scaled, and text from outside made harmless for a terminal. Pure functions.
 */
#ifndef HP_CLI_FIGURES_H
#define HP_CLI_FIGURES_H

#include "common/term.h"

#include <jansson.h>
#include <time.h>

#define CLI_FIGURE 48

/* A fraction as a signed change in percent: 0.0123 gives "+1.23 %". "-" where it is not a number
 * (JSON null). Two decimals below 10 %, one above. */
void cli_change_text(const json_t *fraction, char out[CLI_FIGURE]);

/* "-2.10 to -1.70 %"; "-" where one of the two is missing. */
void cli_interval_text(const json_t *low, const json_t *high, char out[CLI_FIGURE]);

/* A fraction as a share in percent, without sign: 0.5527 gives "55.3 %". */
void cli_share_text(const json_t *fraction, char out[CLI_FIGURE]);

/* A value in its unit: rates scaled ("16.5 M"), whole numbers in full, others with four digits. */
void cli_value_text(const json_t *value, const char *unit, char out[CLI_FIGURE]);

/* "regressed", or "regressed, small"; `verdict` NULL gives "-". */
void cli_verdict_text(const char *verdict, const char *size, char out[CLI_FIGURE]);

/* Red for what hurts, green for what improved, yellow where there is no answer, else plain. */
enum hp_colour cli_verdict_colour(const char *verdict, const char *size);

/* Exit code of a verdict: 1 for regressed (a small one only when strict), 3 for none, inconclusive
 * and failed, else 0. */
int cli_verdict_exit(const char *verdict, const char *size, bool strict);

/* A copy in which control characters are replaced by '?', so that a commit's subject cannot drive
 * the reader's terminal; the caller frees it, NULL without memory. */
char *cli_clean(const char *text);

/* "2026-01-31T12:00:00.123Z" as "2026-01-31 12:00"; other text unchanged, NULL as "-". */
void cli_time_text(const char *time, char out[CLI_FIGURE]);

/* How long it is from `now` until such a time: "40 s", "12 min", "3.5 h", "2 d"; "now" once it is
 * over, "-" for NULL. */
void cli_left_text(const char *time, time_t now, char out[CLI_FIGURE]);

#endif
