/*
 * A COMPARISON (common/wire/README.md) as Markdown, for a review or a commit's page: the sentence
 * first, a row for each workload, what moved with it, and how to measure it again. It shows what
 * the terminal and the page show and computes nothing. Pure but for the stream; one thread.
 */
#ifndef HP_CLI_MARKDOWN_H
#define HP_CLI_MARKDOWN_H

#include <jansson.h>
#include <stdio.h>

/* Text of others (subjects, names) is shown as text: nothing in it is taken for Markdown or HTML.
 */
void cli_markdown_print(const json_t *comparison, FILE *stream);

#endif
