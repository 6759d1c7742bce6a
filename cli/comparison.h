/*
 * A comparison (the wire's COMPARISON) as text: the sentence first, then a line a workload, then
 * what differs besides. One thread; prints to stdout.
 */
#ifndef HP_CLI_COMPARISON_H
#define HP_CLI_COMPARISON_H

#include <jansson.h>

void cli_comparison_print(const json_t *comparison);

/* One differing figure a line: name, base, head. `title` above; nothing for an empty list. */
void cli_difference_print(const char *title, const json_t *list, size_t most);

#endif
