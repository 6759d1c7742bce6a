/* Export and import: what comes back is what was there, and what is damaged changes nothing. */
#include "collector/archive.h"
#include "collector/archive_file.h"
#include "collector/ingest.h"
#include "collector/private_db.h"
#include "collector/series.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"
#include "common/process.h"
#include "tests/collector/collector_fixture.h"
#include "tests/collector/golden.h"
#include "tests/suite.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *path_of(const char *name)
{
    return hp_format("%s/%s-%d", store_state(), name, (int)getpid());
}

/* hakperf itself, against this test's collector. What it printed is in static memory. */
static int hakperf(const char *const *arguments, const char **printed)
{
    static char text[8192];
    const char *build = getenv("BUILD");
    HP_FREE char *program = hp_format("%s/bin/hakperf", build ? build : "build");
    HP_FREE char *server = hp_format("unix:%s/run/collector.sock", collector_state());
    const char *argv[16] = {program};
    size_t n = 1;
    for (; *arguments; arguments++)
        argv[n++] = *arguments;
    argv[n++] = "--server";
    argv[n++] = server;
    struct hp_error err;
    struct hp_command command = {.argv = argv, .merge_stderr = true, .timeout_s = 60};
    HP_OUTCOME struct hp_outcome outcome = {0};
    ck_assert_msg(hp_run(&command, &outcome, &err), "%s", err.message);
    snprintf(text, sizeof text, "%s", hp_buffer_text(&outcome.out));
    *printed = text;
    return outcome.exit_code;
}
#define HAKPERF(printed, ...) hakperf((const char *const[]){__VA_ARGS__, NULL}, printed)

/* A repository with results: one that regressed and was confirmed (an alert), one that failed. */
static void make_history(void)
{
    struct hp_error err;
    struct ingest_outcome outcome;
    golden_world();
    struct db *db = store_db(PRIVATE_DB_COLLECTOR);
    static const char *const names[] = {"result-v1.json", "result-failed-v1.json"};
    for (size_t i = 0; i < 2; i++) {
        HP_JSON json_t *result = golden_read(names[i]);
        ck_assert_msg(ingest_result(db, result, &outcome, &err), "%s", err.message);
    }
    HP_JSON json_t *again = golden_confirm(true);
    ck_assert_msg(ingest_result(db, again, &outcome, &err), "%s", err.message);
    int64_t judged; /* before the collector does it, while all is compared */
    ck_assert_msg(series_judge(db, NULL, &judged, &err), "%s", err.message);
    db_close(db);
}

/* The content of every table of a repository as one text a table: rows without the repository's
 * own number and what only this database knows, metrics by name, numbers as distances. */
static void digest(const char *repository, char out[8192])
{
    snprintf(
        out, 8192, "%s",
        store_ask(
            PRIVATE_DB_OWNER,
            "CREATE OR REPLACE FUNCTION store.test_digest(of_name text) RETURNS text LANGUAGE "
            "plpgsql "
            "SET timezone = 'UTC' AS $$ DECLARE t record; one text; out text := ''; "
            "first_job bigint; first_alert bigint; first_event bigint; rid integer; BEGIN "
            "SELECT id INTO rid FROM store.repository WHERE name = of_name; "
            "SELECT min(id) INTO first_job FROM store.job WHERE repository = rid; "
            "SELECT min(id) INTO first_alert FROM store.alert WHERE repository = rid; "
            "SELECT min(id) INTO first_event FROM store.alert_event WHERE repository = rid; "
            "FOR t IN SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = "
            "c.oid AND a.attname = 'repository' WHERE c.relnamespace = 'store'::regnamespace AND "
            "c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'outbox' ORDER BY 1 "
            "LOOP EXECUTE format('SELECT count(*) || '' '' || coalesce(md5(string_agg(v::text, "
            "E''\\n'' ORDER BY v::text)), '''') FROM (SELECT to_jsonb(t) - ''repository'' - "
            "''changed'' || CASE WHEN to_jsonb(t) ? ''metric'' THEN jsonb_build_object(''metric'', "
            "(SELECT m.name FROM store.metric m WHERE m.id::text = to_jsonb(t) ->> ''metric'')) "
            "ELSE ''{}'' END || CASE WHEN %1$L = ''job'' THEN jsonb_build_object(''id'', "
            "(to_jsonb(t) ->> ''id'')::bigint - $2, ''depends_on'', (SELECT jsonb_agg(d::bigint - "
            "$2) FROM "
            "jsonb_array_elements_text(to_jsonb(t) -> ''depends_on'') d)) WHEN %1$L = ''run'' THEN "
            "jsonb_build_object(''job'', (to_jsonb(t) ->> ''job'')::bigint - $2) WHEN %1$L = "
            "''alert'' THEN "
            "jsonb_build_object(''id'', (to_jsonb(t) ->> ''id'')::bigint - $3) WHEN %1$L = "
            "''alert_event'' THEN jsonb_build_object(''id'', (to_jsonb(t) ->> ''id'')::bigint - "
            "$4, "
            "''alert'', (to_jsonb(t) ->> ''alert'')::bigint - $3) ELSE ''{}'' END "
            "AS v FROM store.%1$I t WHERE repository = $1) x', t.name) INTO one USING rid, "
            "first_job, "
            "first_alert, first_event; out := out || t.name || ' ' || one || E'\\n'; END LOOP; "
            "RETURN out; END $$"));
    HP_FREE char *sql = hp_format("SELECT store.test_digest('%s')", repository);
    snprintf(out, 8192, "%s", store_ask(PRIVATE_DB_OWNER, sql));
}

/* Everything of that repository is taken out of the database. */
static void forget_all(void)
{
    store_ask(PRIVATE_DB_OWNER,
              "TRUNCATE store.repository, store.metric, store.sample_set CASCADE");
}

START_TEST(comes_back_the_same)
{
    char before[8192], after[8192];
    const char *printed;
    HP_FREE char *plain = path_of("a.jsonl"), *packed = hp_format("%s.zst", plain),
                 *second = path_of("b.jsonl");
    struct hp_error err;
    make_history();
    digest(GOLDEN_REPOSITORY, before);
    collector_start(NULL);
    ck_assert_msg(HAKPERF(&printed, "export", plain) == 0, "%s", printed);
    ck_assert_msg(HAKPERF(&printed, "export", packed) == 0, "%s", printed);
    ck_assert_int_eq(HAKPERF(&printed, "export", plain), 3);
    ck_assert_ptr_nonnull(strstr(printed, "is there already"));

    /* Beside itself, under another name: numbers move, nothing else does. */
    ck_assert_msg(HAKPERF(&printed, "import", packed, "--as", "copy") == 0, "%s", printed);
    ck_assert_ptr_nonnull(strstr(printed, "copy: 3 commits"));
    digest("copy", after);
    ck_assert_str_eq(after, before);
    digest(GOLDEN_REPOSITORY, after);
    ck_assert_str_eq(after, before);
    ck_assert_int_eq(HAKPERF(&printed, "import", plain), 3);
    ck_assert_ptr_nonnull(strstr(printed, "already"));
    ck_assert_str_eq(store_ask(PRIVATE_DB_OWNER, "SELECT count(*) FROM store.repository"), "2");
    ck_assert_str_eq(
        store_ask(PRIVATE_DB_OWNER, "SELECT count(DISTINCT id) = count(*) FROM store.job"), "t");
    ck_assert_str_eq(store_ask(PRIVATE_DB_OWNER, "SELECT count(*) FROM store.audit_log WHERE "
                                                 "action = 'import' AND object = 'copy'"),
                     "1");

    /* Into a database that knows nothing: to the last byte what was written before. */
    forget_all();
    ck_assert_msg(HAKPERF(&printed, "import", plain) == 0, "%s", printed);
    digest(GOLDEN_REPOSITORY, after);
    ck_assert_str_eq(after, before);
    ck_assert_msg(HAKPERF(&printed, "export", second) == 0, "%s", printed);
    HP_BUFFER struct hp_buffer one = {0}, two = {0};
    ck_assert(hp_file_read(plain, 64 << 20, &one, &err) &&
              hp_file_read(second, 64 << 20, &two, &err));
    char *from = strchr(one.data, '\n'), *end = strstr(one.data, "\n{\"end\"");
    char *from2 = strchr(two.data, '\n'), *end2 = strstr(two.data, "\n{\"end\"");
    *end = *end2 = '\0';
    ck_assert_str_eq(from2, from);

    /* What comes later gets numbers behind those that came. */
    ck_assert_str_eq(
        store_ask(
            PRIVATE_DB_OWNER,
            "WITH made AS (INSERT INTO store.job (repository, kind, head, suite_hash) SELECT "
            "repository, 'aa', head, suite_hash FROM store.job ORDER BY id LIMIT 1 RETURNING id) "
            "SELECT made.id > (SELECT max(id) FROM store.job) FROM made"),
        "t");
    ck_assert_int_eq(collector_stop(), 0);
}
END_TEST

/* Tries to import a file; the message. Nothing may have come in. */
static const char *refused(const char *file)
{
    const char *printed;
    ck_assert_msg(HAKPERF(&printed, "import", file) == 3, "%s", printed);
    ck_assert_str_eq(store_ask(PRIVATE_DB_OWNER, "SELECT count(*) FROM store.repository"), "0");
    ck_assert_str_eq(store_ask(PRIVATE_DB_OWNER, "SELECT count(*) FROM store.metric"), "0");
    return printed;
}

static void write_file(const char *file, const void *bytes, size_t size)
{
    struct hp_error err;
    ck_assert(hp_file_replace(file, bytes, size, 0644, &err));
}

/* An archive whose hash is right, of lines (ended by NULL). */
static void write_lines(const char *file, const char *const *lines)
{
    struct hp_error err;
    HP_FD int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ARCHIVE_OUT struct archive_out *out = archive_out_new(fd, false, &err);
    for (; *lines; lines++)
        ck_assert(archive_put(out, *lines, strlen(*lines), &err));
    ck_assert(archive_put_end(out, &err));
}

START_TEST(what_is_damaged_changes_nothing)
{
    const char *printed;
    struct hp_error err;
    HP_FREE char *plain = path_of("c.jsonl"), *packed = hp_format("%s.zst", plain),
                 *bad = path_of("bad");
    make_history();
    collector_start(NULL);
    ck_assert_msg(HAKPERF(&printed, "export", plain) == 0, "%s", printed);
    ck_assert_msg(HAKPERF(&printed, "export", packed) == 0, "%s", printed);
    forget_all();
    HP_BUFFER struct hp_buffer text = {0}, zst = {0};
    ck_assert(hp_file_read(plain, 64 << 20, &text, &err) &&
              hp_file_read(packed, 64 << 20, &zst, &err));
    ck_assert_uint_lt(zst.size, text.size / 2);

    /* Cut off anywhere. */
    const size_t cuts[] = {0, 1, 50, text.size / 2, text.size - 150, text.size - 2};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        write_file(bad, text.data, cuts[i]);
        refused(bad);
    }
    for (size_t cut = zst.size - 1; cut > 4; cut /= 3) {
        write_file(bad, zst.data, cut);
        refused(bad);
    }
    /* One digit of one figure; a line that is gone; something behind the end. */
    char *digit = strstr(text.data, "\"median\":") + 9;
    char was = *digit;
    *digit = was == '9' ? '8' : '9';
    write_file(bad, text.data, text.size);
    ck_assert_ptr_nonnull(strstr(refused(bad), "was changed or damaged"));
    *digit = was;
    size_t head = strcspn(text.data, "\n") + 1, next = strcspn(text.data + head, "\n") + 1;
    HP_BUFFER struct hp_buffer less = {0};
    hp_buffer_append(&less, text.data, head);
    hp_buffer_append(&less, text.data + head + next, text.size - head - next);
    write_file(bad, less.data, less.size);
    refused(bad);
    hp_buffer_append(&text, "x\n", 2);
    write_file(bad, text.data, text.size);
    ck_assert_ptr_nonnull(strstr(refused(bad), "follows the end"));

    /* Files of others, and what only looks like ours. */
    write_file(bad, "PK\3\4 a zip\n", 12);
    ck_assert_ptr_nonnull(strstr(refused(bad), "no archive of hakperf"));
#define HEAD "{\"format\":\"hakperf-archive-v1\",\"schema\":1,\"numbers\":{}}"
#define REPOSITORY "{\"repository\":{\"name\":\"x\",\"url\":\"/u\"}}"
    static const struct {
        const char *lines[4], *message;
    } cases[] = {
        {{"{\"format\":\"hakperf-archive-v1\",\"schema\":9999}"}, "newer hakperf"},
        {{"{\"format\":\"other\"}"}, "no archive of hakperf"},
        {{HEAD}, "no repository"},
        {{HEAD, "{\"commit\":{\"sha\":\"x\"}}"}, "before its repository"},
        {{HEAD, REPOSITORY, REPOSITORY}, "a second repository"},
        {{HEAD, REPOSITORY, "{\"token\":{\"name\":\"x\"}}"}, "no table 'token'"},
        {{HEAD, REPOSITORY, "{\"migration\":{\"number\":99}}"}, "no table 'migration'"},
        {{HEAD, REPOSITORY, "{\"commit\":{\"evil\":1}}"}, "no column 'evil'"},
        {{HEAD, REPOSITORY, "{\"commit\":{\"sha\":\"x\"}}"}, "line"},
        {{HEAD, REPOSITORY, "{\"commit\":{\"sha\":}}"}, "line"},
        {{HEAD, REPOSITORY, "not json"}, "line 3"},
        {{HEAD, REPOSITORY, "{\"suite\":{\"document\":{\"driver\":{\"repository\":\"ext::x\"}}}}"},
         "the suite's driver"},
        {{HEAD, REPOSITORY, "{\"suite\":{\"document\":{\"driver\":{\"repository\":1}}}}"},
         "no text"},
        {{HEAD, "{\"repository\":{\"name\":\"../x\",\"url\":\"/u\"}}"}, "line 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_lines(bad, cases[i].lines);
        const char *said = refused(bad);
        ck_assert_msg(strstr(said, cases[i].message) != NULL, "%zu: %s", i, said);
    }
    collector_stop();
}
END_TEST

HP_SUITE(collector_archive)
{
    Suite *s = suite_create("collector_archive");
    TCase *t = tcase_create("archives");
    tcase_set_timeout(t, 120);
    tcase_add_unchecked_fixture(t, collector_begin, collector_end);
    tcase_add_test(t, comes_back_the_same);
    tcase_add_test(t, what_is_damaged_changes_nothing);
    suite_add_tcase(s, t);
    return s;
}
