/*
 * A real repository and the state folder of its mirror, in a temporary folder of each test:
 *
 *     tcase_add_checked_fixture(t, mirror_setup, mirror_teardown);
 *
 * Every function fails the test where it cannot do its work.
 */
#ifndef HP_TESTS_MIRROR_FIXTURE_H
#define HP_TESTS_MIRROR_FIXTURE_H

#include "collector/mirror.h"

extern char folder[64], state[96], repository[96];
extern struct mirror mirror;

void mirror_setup(void);
void mirror_teardown(void);

/* Runs git in the repository; the first line that it printed, in static memory. */
const char *mirror_git(const char *const *arguments);
#define GIT(...) mirror_git((const char *const[]){__VA_ARGS__, NULL})

/* Writes a file of the repository, making its folders. */
void write_file(const char *name, const char *text);

/* Makes a commit of such a file; its name, in static memory of the last eight. */
const char *commit(const char *name, const char *text, const char *subject);

/* mirror_fetch of the repository. */
void fetch(void);

/* mirror_resolve; HP_OK or its error's code. */
enum hp_code resolve(const char *rev, char sha[GIT_SHA_TEXT]);

bool exists(const char *path);

#endif
