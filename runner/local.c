#include "runner/local.h"

#include "analysis/verdict.h"
#include "common/cleanup.h"
#include "common/hash.h"
#include "common/io.h"
#include "common/json.h"
#include "common/process.h"
#include "common/wire.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder is used as it is; anything else is cloned into l->clone, as `name`. */
static bool open_repository(struct rn_local *l, const char *given, const char *name, char **folder,
                            struct hp_error *err)
{
    struct stat st;
    if (stat(given, &st) == 0 && S_ISDIR(st.st_mode)) {
        *folder = strdup(given);
        return *folder || hp_fail(err, HP_SYSTEM, "out of memory");
    }
    if (!strchr(given, ':'))
        return hp_fail(err, HP_NOT_FOUND, "no repository at %s", given);
    if (!l->clone) {
        l->clone = strdup("/tmp/hakperf-clone-XXXXXX");
        if (!l->clone || !mkdtemp(l->clone))
            return hp_fail_errno(err, "cannot make a temporary folder");
    }
    *folder = hp_format("%s/%s", l->clone, name);
    HP_OUTCOME struct hp_outcome outcome = {0};
    const char *const argv[] = {"git", "clone", "--quiet", "--mirror", "--", given, *folder, NULL};
    const struct hp_command command = {.argv = argv, .timeout_s = 900};
    return hp_run_ok(&command, &outcome, err);
}

/* The driver's own repository, where the suite names one. */
static bool open_driver(struct rn_local *l, const json_t *suite, struct hp_error *err)
{
    const char *given = hp_json_string(json_object_get(suite, "driver"), "repository", NULL);
    return !given || l->driver || open_repository(l, given, "driver", &l->driver, err) ||
           hp_error_context(err, "the driver's repository");
}

/* --- the job document ------------------------------------------------------------------------ */

static bool make_uuid(char out[37], struct hp_error *err)
{
    unsigned char b[16];
    char hex[33];
    if (!hp_random_bytes(b, sizeof b, err))
        return false;
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    hp_hex(b, sizeof b, hex);
    snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
    return true;
}

static json_t *commit_json(const struct rn_commit *commit)
{
    if (!commit->sha[0])
        return json_null();
    size_t n = strlen(commit->subject);
    return json_pack("{s:s, s:o}", "sha", commit->sha, "subject",
                     hp_json_bytes(commit->subject, n < 1000 ? n : 1000));
}

struct commits {
    struct rn_commit head, base, driver, reference;
};

/* The reference, where the suite or the caller names one. */
static bool resolve_reference(const struct rn_local *l, const json_t *suite, struct rn_commit *out,
                              struct hp_error *err)
{
    const char *rev = hp_opt(l->values, "reference");
    if (!rev)
        rev = hp_json_string(json_object_get(suite, "reference"), "rev", NULL);
    return !rev || rn_source_resolve(l->repository, rev, out, err) ||
           hp_error_context(err, "the reference");
}

/* Head, base (its first parent unless given; none for a root commit), driver and reference. */
static bool resolve(struct rn_local *l, const json_t *suite, struct commits *out,
                    struct hp_error *err)
{
    const char *given = hp_opt(l->values, "base");
    const char *rev = hp_opt(l->values, "driver");
    if (!rev)
        rev = hp_json_string(json_object_get(suite, "driver"), "rev", "HEAD");
    if (!rn_source_resolve(l->repository, hp_opt(l->values, "head"), &out->head, err) ||
        !rn_source_resolve(l->driver ? l->driver : l->repository, rev, &out->driver, err) ||
        !resolve_reference(l, suite, &out->reference, err))
        return false;
    HP_FREE char *parent = hp_format("%s^", out->head.sha);
    if (!given && !rn_source_resolve(l->repository, parent, &out->base, err)) {
        out->base = (struct rn_commit){0};
        return true;
    }
    return !given || rn_source_resolve(l->repository, given, &out->base, err);
}

/* Whether the suite has a workload of that name; if not, which there are. */
static bool is_workload(const json_t *suite, const char *name, struct hp_error *err)
{
    HP_BUFFER struct hp_buffer names = {0};
    size_t i;
    json_t *workload;
    json_array_foreach (json_object_get(suite, "workloads"), i, workload) {
        if (strcmp(hp_json_string(workload, "name", ""), name) == 0)
            return true;
        hp_buffer_printf(&names, "%s%s", i ? ", " : "", hp_json_string(workload, "name", ""));
    }
    hp_fail(err, HP_USAGE, "the suite has no workload \"%s\"", name);
    return hp_error_hint(err, "It has %.400s.", hp_buffer_text(&names));
}

static bool add_workloads(json_t *plan, const json_t *suite, const char *list, struct hp_error *err)
{
    HP_FREE char *copy = strdup(list);
    json_t *names = json_array();
    char *rest = copy;
    json_object_set_new(plan, "workloads", names);
    for (char *name; rest && (name = strsep(&rest, ","));) {
        if (!is_workload(suite, name, err))
            return false;
        json_array_append_new(names, json_string(name));
    }
    return true;
}

/* Where this run is sampled otherwise than the suite says; *plan NULL: nowhere. */
static bool make_plan(const struct rn_local *l, const json_t *suite, json_t **plan,
                      struct hp_error *err)
{
    const char *only = hp_opt(l->values, "workload");
    bool confirm = hp_opt_flag(l->values, "confirm");
    uint32_t random = 0;
    if (!only && !confirm)
        return true;
    if (!hp_random_bytes(&random, sizeof random, err))
        return false;
    *plan = confirm ? json_pack("{s:[i], s:f, s:I}", "looks", AN_CONFIRM_PAIRS, "critical",
                                AN_CONFIRM_Z, "layout_seed", (json_int_t)(1 + random % 1000000))
                    : json_object();
    return !only || add_workloads(*plan, suite, only, err);
}

static json_t *job_from_suite(struct rn_local *l, struct hp_error *err)
{
    struct commits of = {0};
    char run[37], hash[HP_HASH_TEXT];
    HP_JSON json_t *suite = hp_json_read_file(hp_opt(l->values, "suite"), HP_WIRE_SUITE_LIMIT, err);
    if (!suite || !hp_wire_check(HP_WIRE_SUITE, suite, err)) {
        hp_error_context(err, "%s", hp_opt(l->values, "suite"));
        return NULL;
    }
    HP_JSON json_t *plan = NULL;
    if (!open_driver(l, suite, err) || !resolve(l, suite, &of, err) || !make_uuid(run, err) ||
        !hp_suite_hash(suite, hash, err) || !make_plan(l, suite, &plan, err))
        return NULL;
    const char *name = hp_json_string(json_object_get(suite, "repository"), "name", "");
    return json_pack("{s:s, s:i, s:i, s:i, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:O, s:s, s:i, s:O*}",
                     "format", "hakperf-job-v1", "job", 1, "fence", 1, "attempt", 1, "run", run,
                     "kind", hp_opt_flag(l->values, "confirm") ? "confirm" : "compare",
                     "repository", name, "head", commit_json(&of.head), "base",
                     commit_json(&of.base), "driver", commit_json(&of.driver), "reference",
                     commit_json(&of.reference), "suite", suite, "suite_hash", hash,
                     "lease_seconds", 3600, "plan", plan);
}

static bool read_job(struct rn_local *l, struct hp_error *err)
{
    const char *file = hp_opt(l->values, "job");
    if (!file && !hp_opt(l->values, "suite")) {
        hp_fail(err, HP_USAGE, "what to measure is missing");
        return hp_error_hint(err, "Give --suite FILE (with --head and --base) or --job FILE.");
    }
    l->job = file ? hp_json_read_file(file, HP_WIRE_JOB_LIMIT, err) : job_from_suite(l, err);
    if (!l->job)
        return false;
    return (hp_wire_check(HP_WIRE_JOB, l->job, err) &&
            hp_wire_check(HP_WIRE_SUITE, json_object_get(l->job, "suite"), err)) ||
           hp_error_context(err, "%s", file ? file : "the job");
}

/* `git archive` of each commit of the job into nameless files, while the caller's rights last. */
static bool read_sources(struct rn_local *l, const char *folder, struct hp_error *err)
{
    if (!open_driver(l, json_object_get(l->job, "suite"), err))
        return false;
    struct {
        const char *which;
        int *fd;
    } all[] = {{"head", &l->sources.head},
               {"base", &l->sources.base},
               {"driver", &l->sources.driver},
               {"reference", &l->sources.reference}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        const char *sha = hp_json_string(json_object_get(l->job, all[i].which), "sha", NULL);
        const char *from = i == 2 && l->driver ? l->driver : l->repository;
        if (sha && (*all[i].fd = rn_source_archive(from, sha, folder, err)) < 0)
            return false;
    }
    return true;
}

void rn_local_clear(struct rn_local *l)
{
    struct hp_error ignored;
    rn_sources_close(&l->sources);
    if (l->clone)
        (void)hp_remove_tree(l->clone, &ignored);
    free(l->clone);
    free(l->repository);
    free(l->named);
    free(l->driver);
    json_decref(l->job);
}

bool rn_local_open(struct rn_local *local, const char *folder, struct hp_error *err)
{
    const char *given = hp_opt(local->values, "repository");
    local->sources = RN_NO_SOURCES;
    local->named = realpath(given, NULL);
    if (!local->named && !(local->named = strdup(given)))
        return hp_fail(err, HP_SYSTEM, "out of memory");
    return open_repository(local, hp_opt(local->values, "repository"), "mirror", &local->repository,
                           err) &&
           read_job(local, err) && read_sources(local, folder, err);
}
