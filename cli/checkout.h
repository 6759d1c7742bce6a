/*
 * The git checkout that the command is typed in, if any. Read-only, by the git binary with a time
 * limit; where there is no checkout or git refuses, the answers are NULL and false, never errors.
 */
#ifndef HP_CLI_CHECKOUT_H
#define HP_CLI_CHECKOUT_H

#include <stdbool.h>

/* The full sha of a commit named by `text`; NULL outside a checkout or where it names none. The
 * caller frees it. */
char *cli_checkout_resolve(const char *text);

/* The top folder of the current checkout, of a bare repository its own; the caller frees it. */
char *cli_checkout_top(void);

/* The first line of a commit's message; the caller frees it. */
char *cli_checkout_subject(const char *sha);

/* Whether the current checkout belongs to a repository: its own folder or one of its remotes is
 * `url`, or it contains the commit `head` ("" for unknown). */
bool cli_checkout_belongs(const char *url, const char *head);

/* The hooks folder of the repository at `folder` (bare or not), absolute; NULL if there is none.
 * The caller frees it. */
char *cli_hooks_folder(const char *folder);

/* The git folder of the repository at `folder`, absolute; NULL if there is none. */
char *cli_git_folder(const char *folder);

#endif
