/*
 * The text of the git hook that hakperf writes, from its template in deploy/hooks. Pure.
 */
#ifndef HP_CLI_HOOK_H
#define HP_CLI_HOOK_H

#include <stdbool.h>
#include <stddef.h>

/* The hook with the program and its options filled in, quoted for the shell. `options` is a list
 * ended by NULL. The caller frees it, NULL without memory. */
char *cli_hook_text(const char *program, const char *const *options);

/* Whether a hook's text is one that hakperf wrote. */
bool cli_hook_is_ours(const char *text);

/* `text` as one word of the shell, in single quotes; the caller frees it. */
char *cli_shell_word(const char *text);

#endif
