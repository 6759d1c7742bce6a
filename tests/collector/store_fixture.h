/*
 * A real private PostgreSQL for tests: one throw-away server a suite, one fresh migrated database
 * a test. Started as root, the server runs as user hakperf, as it would in service.
 *
 *     tcase_add_unchecked_fixture(t, store_start, store_stop);
 *     START_TEST(x) { struct db *db = store_db(PRIVATE_DB_COLLECTOR); … db_close(db); }
 *
 * store_db makes the test's database at its first call; each test is a process of its own.
 */
#ifndef HP_TESTS_STORE_FIXTURE_H
#define HP_TESTS_STORE_FIXTURE_H

#include "collector/db.h"

#include <check.h>

/* Once a test case: makes the state folder and starts the server; stops it and removes the folder.
 * Abort the test binary where that fails. */
void store_start(void);
void store_stop(void);

/* The state folder of the running server. */
const char *store_state(void);

/* From now on "the test's own database" is the migrated one that all copies are made from, with the
 * rights and settings that a copy lacks. The test must not change it. */
void store_use_original(void);

/* From now on it is database hakperf of the server whose socket lies in that folder (or, as in a
 * connection URI, "FOLDER,FOLDER&target_session_attrs=…"). */
void store_elsewhere(const char *hosts);

/* Opens the test's own database as that role; the caller closes it. */
struct db *store_db(const char *role);

/* The connection URI of the test's own database for that role; static text. */
const char *store_url(const char *role);

/* Runs SQL text of the test's own and gives the first field of the first row ("" for none or NULL)
 * in static memory; fails the test on an error. */
const char *store_ask(const char *role, const char *sql);

/* Runs SQL text that must fail, and gives its SQLSTATE; "" where it did not fail. */
const char *store_refused(const char *role, const char *sql);

/* Runs a function in a child process as the user that services run as; true if it returned true. */
bool store_as_service(bool (*work)(const char *state), const char *state);

#endif
