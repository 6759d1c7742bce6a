#include "tests/collector/line.h"

#include "collector/private_db.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "tests/collector/golden.h"
#include "tests/collector/store_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char commit_sql[] =
    "INSERT INTO store.commit (repository, sha, parents, position, mainline, author, subject, "
    "committed) VALUES (1, '%s', ARRAY['%s'], %d, true, 'A', 'Step %d', now()); "
    "UPDATE store.commit SET mainline = true WHERE position < 2";

static const char run_sql[] =
    "WITH o AS (SELECT * FROM store.run WHERE kind = 'commit' AND head = '%s'), "
    "x AS (SELECT * FROM store.run_workload WHERE run = (SELECT id FROM o) LIMIT 1), "
    "j AS (INSERT INTO store.job (repository, kind, head, base, suite_hash, state, finished) "
    "SELECT 1, 'commit', '%s', '%s', o.suite_hash, 'done', now() FROM o RETURNING id, head, base), "
    "u AS (INSERT INTO store.run (repository, id, job, attempt, kind, head, base, against_parent, "
    "suite_hash, status, verdict, size, decided_by, started, finished, runner, runner_version, "
    "machine, sandbox, reproduce, epoch, stored) "
    "SELECT 1, gen_random_uuid(), j.id, 1, 'commit', j.head, j.base, true, o.suite_hash, "
    "'measured', "
    "'%s', %s, x.workload, now(), now(), o.runner, '1', o.machine, 'bwrap', 'x', o.epoch, "
    "now() + make_interval(secs => %d) FROM j, o, x RETURNING id), "
    "w AS (INSERT INTO store.run_workload (repository, run, workload, status, margin, layout_sd, "
    "max_pairs, coin_seed, pairs, first_arm, second_arm, pair_seed, pair_order, pair_layout, "
    "metric) "
    "SELECT 1, u.id, x.workload, 'measured', 0.01, 0, 512, 1, 0, 'head', 'base', '{}', '{}', '{}', "
    "t.id FROM u, x, store.metric t WHERE t.name = '%s' RETURNING run, workload, metric), "
    "m AS (INSERT INTO store.measurement (repository, run, workload, metric, arm, n, median, low, "
    "high) SELECT 1, w.run, w.workload, w.metric, v.arm, 64, 1e7 * exp(v.l), 1e7 * exp(v.l - v.h), "
    "1e7 * exp(v.l + v.h) FROM w, (VALUES ('head', %.17g::float8, %.17g::float8), "
    "('control', 0, 0)) v(arm, l, h) WHERE v.arm = 'head' OR %s) "
    "INSERT INTO store.comparison (repository, run, workload, metric, verdict, size, pairs, "
    "estimate, "
    "low, high, z, detectable) SELECT 1, w.run, w.workload, w.metric, '%s', %s, 512, v.e, v.e - "
    "v.h, "
    "v.e + v.h, 9, 0.003 FROM w, (VALUES (%.17g::float8, %.17g::float8)) v(e, h)";

static const char point_sql[] = "INSERT INTO store.point (repository, workload, metric, epoch, "
                                "position, sha, run, ratio) SELECT 1, x.workload, x.metric, "
                                "u.epoch, %d, u.head, u.id, %.17g FROM store.run u "
                                "JOIN store.run_workload x ON x.run = u.id WHERE u.head = '%s'";

static const char *metric = "throughput";

/* Statements that line_flush sends as one: a connection for each would take longer than all. */
static struct hp_buffer waiting;

const char *line_sha(int number)
{
    static char text[4][41];
    static int at;
    at = (at + 1) % 4;
    snprintf(text[at], sizeof text[at], "%040d", number);
    return text[at];
}

void line_metric(const char *name)
{
    metric = name;
}

void line_add(const struct line_step *s)
{
    const char *parent = s->number == 1 ? golden_head : line_sha(s->number - 1);
    const char *sha = line_sha(s->number);
    char size[16] = "NULL";
    bool control = s->verdict && s->control_half > 0;
    if (s->size)
        snprintf(size, sizeof size, "'%s'", s->size);
    HP_FREE char *commit = hp_format(commit_sql, sha, parent, s->number + 1, s->number);
    HP_FREE char *run =
        s->verdict ? hp_format(run_sql, golden_head, sha, parent, s->verdict, size, s->number,
                               metric, s->control, fmax(s->control_half, 1e-6),
                               control ? "true" : "false", s->verdict, size, s->change, s->half)
                   : strdup("");
    HP_FREE char *point =
        control ? hp_format(point_sql, s->number + 1, s->control, sha) : strdup("");
    ck_assert(hp_buffer_printf(&waiting, "%s; %s; %s;", commit, run, point));
}

void line_flush(void)
{
    if (waiting.size > 0)
        store_ask(PRIVATE_DB_OWNER, hp_buffer_text(&waiting));
    hp_buffer_clear(&waiting);
}

const char *line_ask(const char *sql)
{
    line_flush();
    return store_ask(PRIVATE_DB_OWNER, sql);
}
