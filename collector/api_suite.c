/* PUT /api/v1/suites: a suite is put in force, and its repository is looked at. */
#include "collector/api.h"
#include "collector/auth.h"
#include "collector/history.h"
#include "collector/look.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/wire.h"

#include <string.h>

static const double SUITE_DEADLINE_S = 60;

struct suite {
    const json_t *document;
    const char *name, *repository, *url;
    const char *driver_url; /* NULL: the driver is in the repository itself */
    const json_t *watch;
    char hash[65];
    char driver[GIT_SHA_TEXT];
    char reference[GIT_SHA_TEXT]; /* "": the suite names none */
    char id[DB_TEXT];             /* of the repository */
    bool changed;
};

static bool holds(const json_t *array, const char *text)
{
    size_t i;
    json_t *entry;
    json_array_foreach (array, i, entry) {
        if (strcmp(json_string_value(entry), text) == 0)
            return true;
    }
    return false;
}

/* What a schema cannot say: names that must agree with one another. */
static bool check_names(const json_t *suite, struct hp_error *err)
{
    const json_t *recipe = json_object_get(suite, "recipe");
    const json_t *driver = json_object_get(json_object_get(suite, "driver"), "recipe");
    const char *preload = hp_json_string(suite, "preload", NULL);
    if (preload && !holds(json_object_get(recipe, "artifacts"), preload)) {
        hp_fail(err, HP_INVALID, "'%s' is not an artifact of the recipe", preload);
        return hp_error_path(err, "/preload");
    }
    HP_JSON json_t *seen = json_object();
    size_t i;
    json_t *workload;
    json_array_foreach (json_object_get(suite, "workloads"), i, workload) {
        const char *name = hp_json_string(workload, "name", "");
        const char *program = hp_json_string(workload, "program", "");
        if (json_object_get(seen, name)) {
            hp_fail(err, HP_INVALID, "there are two workloads '%s'", name);
            return hp_error_path(err, "/workloads/%zu/name", i);
        }
        json_object_set_new(seen, name, json_true());
        if (!holds(json_object_get(driver, "artifacts"), program)) {
            hp_fail(err, HP_INVALID, "'%s' is not an artifact of the driver's recipe", program);
            return hp_error_path(err, "/workloads/%zu/program", i);
        }
    }
    return true;
}

static bool read_suite(struct suite *suite, const json_t *document, struct hp_error *err)
{
    if (!hp_wire_check(HP_WIRE_SUITE, document, err) || !check_names(document, err) ||
        !hp_suite_hash(document, suite->hash, err))
        return false;
    const json_t *repository = json_object_get(document, "repository");
    suite->document = document;
    suite->name = hp_json_string(document, "name", "");
    suite->repository = hp_json_string(repository, "name", "");
    suite->url = hp_json_string(repository, "url", "");
    suite->watch = json_object_get(repository, "watch");
    suite->driver_url = hp_json_string(json_object_get(document, "driver"), "repository", NULL);
    if (suite->driver_url && !mirror_check_url(suite->driver_url, err))
        return hp_error_path(err, "/driver/repository");
    return mirror_check_url(suite->url, err) || hp_error_path(err, "/repository/url");
}

/* The subject of a commit, for people. */
static char *subject_of(const struct mirror *mirror, const char *sha, struct hp_error *err)
{
    HP_JSON json_t *shas = json_pack("[s]", sha);
    HP_JSON json_t *commits = history_read(mirror, shas, 0, 1, NULL, err);
    return commits ? strdup(hp_json_string(json_array_get(commits, 0), "subject", "")) : NULL;
}

/* What people are shown of the revisions that the suite names. */
struct subjects {
    const char *driver, *reference; /* reference NULL: none is named */
};

static bool save(struct suite *suite, struct db_conn *conn, const struct subjects *subjects,
                 struct hp_error *err)
{
    DB_RESULT PGresult *row =
        db_query(conn, "repository_save.sql", DB_PARAMS(suite->repository, suite->url), err);
    if (!row)
        return false;
    db_int(suite->id, db_get_int(row, 0, 0));
    HP_FREE char *text = hp_json_text(suite->document);
    DB_RESULT PGresult *changed = db_query(
        conn, "suite_save.sql",
        DB_PARAMS(suite->id, suite->hash, suite->name, text, suite->driver, subjects->driver,
                  subjects->reference ? suite->reference : NULL, subjects->reference),
        err);
    if (!changed)
        return false;
    suite->changed = db_get_bool(changed, 0, 0);
    if (!suite->changed)
        return true;
    HP_FREE char *watch = suite->watch ? hp_json_text(suite->watch) : strdup("[]");
    char most[DB_TEXT];
    return db_run(conn, "suite_enforce.sql", DB_PARAMS(suite->id, suite->hash), NULL, err) &&
           db_run(conn, "look_watch.sql", DB_PARAMS(suite->id, watch, db_int(most, HISTORY_PATHS)),
                  NULL, err);
}

static bool save_in_transaction(struct service *service, struct suite *suite,
                                const struct subjects *subjects, struct hp_error *err)
{
    DB_CONN struct db_conn *conn = db_acquire(service->db, err);
    if (!conn)
        return false;
    db_set_timeout(conn, SUITE_DEADLINE_S);
    return db_begin(conn, err) && save(suite, conn, subjects, err) && db_commit(conn, err);
}

/* The commit of the suite's reference and its subject; the caller frees it. False: there is no such
 * revision. *subject stays NULL where the suite names none. */
static bool find_reference(struct suite *suite, const struct mirror *mirror, char **subject,
                           struct hp_error *err)
{
    const char *rev = hp_json_string(json_object_get(suite->document, "reference"), "rev", NULL);
    if (!rev)
        return true;
    if (!mirror_resolve(mirror, rev, suite->reference, err))
        return hp_error_path(err, "/reference/rev");
    *subject = subject_of(mirror, suite->reference, err);
    return *subject != NULL;
}

/* Everything that can be wrong is found before anything is stored. */
static bool apply(struct service *service, struct suite *suite, struct hp_error *err)
{
    MIRROR struct mirror mirror = {0};
    MIRROR struct mirror elsewhere = {0};
    const char *rev = hp_json_string(json_object_get(suite->document, "driver"), "rev", "");
    if (!mirror_init(&mirror, service->state, suite->repository, err) ||
        (!mirror_fetch(&mirror, suite->url, err)))
        return false;
    const char *url = suite->driver_url;
    if (url && (!mirror_init_driver(&elsewhere, service->state, url, err) ||
                !mirror_fetch(&elsewhere, url, err)))
        return hp_error_path(err, "/driver/repository");
    const struct mirror *driver = url ? &elsewhere : &mirror;
    if (!mirror_resolve(driver, rev, suite->driver, err))
        return hp_error_path(err, "/driver/rev");
    HP_FREE char *reference = NULL;
    HP_FREE char *subject = subject_of(driver, suite->driver, err);
    if (!subject || !find_reference(suite, &mirror, &reference, err))
        return false;
    const struct subjects subjects = {.driver = subject, .reference = reference};
    return save_in_transaction(service, suite, &subjects, err);
}

static json_t *only_shas(const json_t *queued)
{
    json_t *shas = json_array();
    size_t i;
    json_t *job;
    json_array_foreach (queued, i, job) {
        json_array_append(shas, json_object_get(job, "sha"));
    }
    return shas;
}

static bool may_use(struct service *service, bool over_unix, const struct suite *suite,
                    struct hp_error *err)
{
    if (!service_may_read(service, over_unix, suite->url, err))
        return hp_error_path(err, "/repository/url");
    return !suite->driver_url || service_may_read(service, over_unix, suite->driver_url, err) ||
           hp_error_path(err, "/driver/repository");
}

bool api_suite_put(struct service *service, const struct request *request, struct answer *answer,
                   struct hp_error *err)
{
    HP_JSON json_t *document = request_json(request, err);
    struct suite suite = {0};
    if (!document || !read_suite(&suite, document, err) ||
        !may_use(service, request->over_unix, &suite, err) || !apply(service, &suite, err))
        return false;
    HP_JSON json_t *detail = json_pack("{s:s, s:s, s:b}", "suite", suite.name, "suite_hash",
                                       suite.hash, "changed", suite.changed);
    auth_audit(service->db, request->who.name, request->address, "suite", suite.repository, detail);
    HP_JSON json_t *look = look_at(service, suite.repository, false, err);
    if (!look)
        return false;
    json_t *body =
        json_pack("{s:s, s:s, s:s, s:s, s:s?, s:b, s:o}", "suite", suite.name, "suite_hash",
                  suite.hash, "repository", suite.repository, "driver", suite.driver, "reference",
                  suite.reference[0] ? suite.reference : NULL, "changed", suite.changed, "queued",
                  only_shas(json_object_get(look, "queued")));
    return answer_json(answer, 200, body, err);
}
