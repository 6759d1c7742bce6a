#include "tests/integration/planted.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "tests/suite.h"

#include <string.h>
#include <sys/stat.h>

static const char suite[] =
    "{\"format\":\"hakperf-suite-v1\",\"name\":\"planted\","
    "\"repository\":{\"name\":\"none\",\"url\":\"/none\",\"watch\":[\"lib/\"]},"
    "\"recipe\":{\"commands\":[[\"make\",\"-C\",\"lib\",\"OUT={out}\",\"{out}/liballoc.so\"]],"
    "\"artifacts\":[\"liballoc.so\"]},"
    "\"driver\":{\"rev\":\"base\",\"recipe\":"
    "{\"commands\":[[\"make\",\"-C\",\"lib\",\"OUT={out}\",\"{out}/bench\"]],"
    "\"artifacts\":[\"bench\"]}},"
    "\"workloads\":[{\"name\":\"mixed/400\",\"program\":\"bench\","
    "\"arguments\":[\"{iterations}\",\"400\",\"{seed}\"],\"iterations\":300000,"
    "\"headline_iterations\":400000,\"max_pairs\":128,\"timeout_s\":4}]}";

static void copy(const char *name)
{
    struct hp_error err;
    HP_BUFFER struct hp_buffer text = {0};
    HP_FREE char *from = hp_format("tests/integration/planted/%s", name);
    HP_FREE char *to = hp_format("work/lib/%s", name);
    ck_assert_msg(hp_file_read(from, 1 << 20, &text, &err), "%s", err.message);
    ck_assert_msg(hp_file_replace(house_path(to), text.data, text.size, 0644, &err), "%s",
                  err.message);
}

void planted_make(void)
{
    static const char *const files[] = {"Makefile", "alloc.c", "bench.c", "work.h"};
    ck_assert_msg(!house_ready(), "%s", house_ready());
    ck_assert_int_eq(mkdir(house_path("work/lib"), 0755), 0);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        copy(files[i]);
    GIT(init, "init", "-q", "-b", "main", ".");
    ck_assert_exit(init, 0);
    GIT(bare, "init", "-q", "--bare", "-b", "main", house_path("upstream.git"));
    ck_assert_exit(bare, 0);
    planted_commit("base", "A small allocator");
    HAKPERF(hook, "hook", "install", "--repository", PLANTED, house_path("upstream.git"));
    ck_assert_exit(hook, 0);
}

static const char *reference;

void planted_reference(const char *rev)
{
    reference = rev;
}

/* And time enough for a machine that does much else. */
static void add_reference(json_t *document)
{
    json_t *workload = json_array_get(json_object_get(document, "workloads"), 0);
    json_object_set_new(document, "reference", json_pack("{s:s}", "rev", reference));
    json_object_set_new(workload, "timeout_s", json_integer(60));
    json_object_set_new(workload, "max_pairs", json_integer(64));
}

void planted_apply(struct hp_outcome *outcome, const char *driver)
{
    struct hp_error err;
    const char *argv[] = {house_program("hakperf"),
                          "suite",
                          "apply",
                          house_path("suite.json"),
                          "--name",
                          PLANTED,
                          "--url",
                          house_path("upstream.git"),
                          "--driver",
                          driver,
                          "--json",
                          NULL};
    HP_JSON json_t *document = hp_json_parse(suite, strlen(suite), &err);
    if (reference)
        add_reference(document);
    HP_FREE char *text = hp_json_text(document);
    ck_assert(hp_file_replace(house_path("suite.json"), text, strlen(text), 0644, &err));
    house_run(outcome, house_path("work"), 120, argv);
}

void planted_edit(const char *name, const char *from, const char *to)
{
    struct hp_error err;
    HP_BUFFER struct hp_buffer text = {0}, changed = {0};
    HP_FREE char *path = hp_format("work/lib/%s", name);
    ck_assert(hp_file_read(house_path(path), 1 << 20, &text, &err));
    const char *at = strstr(hp_buffer_text(&text), from);
    ck_assert_msg(at, "%s has no %s", path, from);
    hp_buffer_printf(&changed, "%.*s%s%s", (int)(at - text.data), text.data, to, at + strlen(from));
    ck_assert(hp_file_replace(house_path(path), changed.data, changed.size, 0644, &err));
}

void planted_commit(const char *tag, const char *subject)
{
    GIT(add, "add", "-A");
    GIT(made, "commit", "-q", "-m", subject);
    ck_assert_exit(made, 0);
    GIT(named, "tag", tag);
    ck_assert_exit(named, 0);
}

const char *planted_sha(const char *rev)
{
    static char text[4][80];
    static int at;
    at = (at + 1) % 4;
    GIT(parsed, "rev-parse", "--verify", rev);
    ck_assert_exit(parsed, 0);
    snprintf(text[at], sizeof text[at], "%.*s", (int)strcspn(hp_buffer_text(&parsed.out), "\n"),
             hp_buffer_text(&parsed.out));
    return text[at];
}

void planted_push(struct hp_outcome *outcome, const char *rev, const char *branch)
{
    HP_FREE char *spec = hp_format("%s:refs/heads/%s", rev, branch);
    const char *argv[] = {"git", "push", house_path("upstream.git"), spec, NULL};
    house_run(outcome, house_path("work"), 60, argv);
    ck_assert_exit(*outcome, 0);
}

json_t *planted_json(const struct hp_outcome *outcome)
{
    struct hp_error err;
    json_t *value = hp_json_parse(hp_buffer_text(&outcome->out), outcome->out.size, &err);
    ck_assert_msg(value, "%s in \"%s\"", err.message, hp_buffer_text(&outcome->out));
    return value;
}

void planted_query(const char *sql, char *out, size_t room)
{
    HAKPERF(psql, "db", "psql", "-At", "-c", sql);
    ck_assert_exit(psql, 0);
    snprintf(out, room, "%.*s", (int)strcspn(hp_buffer_text(&psql.out), "\n"),
             hp_buffer_text(&psql.out));
}
