-- What the collector and people read. First two helpers of the store, then the documented views of
-- schema hakperf: every one lists its newest rows first, so that LIMIT 20 means the last twenty.
SET LOCAL ROLE hakperf_owner;

CREATE VIEW store.commit_state AS
SELECT c.repository, c.sha, c.position, c.mainline, c.parents, c.author, c.subject, c.committed,
       CASE WHEN run.id IS NOT NULL AND run.status <> 'failed'
                 THEN CASE WHEN run.verdict = 'failed' THEN 'failed' ELSE run.status END
            WHEN job.state IN ('queued', 'running') THEN job.state
            WHEN run.id IS NOT NULL OR job.state = 'dead' THEN 'failed'
            WHEN NOT c.watched THEN 'unwatched'
            ELSE 'unmeasured' END AS state,
       run.id AS run,
       run.verdict,
       run.size,
       shown.workload AS workload_id,
       (SELECT w.name FROM store.workload w
        WHERE w.repository = c.repository AND w.id = shown.workload) AS workload,
       compared.estimate,
       compared.low,
       compared.high,
       figure.throughput,
       figure.kernel_share,
       figure.ace_failures,
       coalesce(run.failure_message, compared.reason,
                CASE WHEN run.id IS NULL THEN job.reason END) AS reason
FROM store.commit c
LEFT JOIN LATERAL (
    SELECT r.* FROM store.run r
    WHERE r.repository = c.repository AND r.head = c.sha AND r.against_parent
    ORDER BY r.stored DESC LIMIT 1
) run ON true
LEFT JOIN LATERAL (
    SELECT j.state, j.reason FROM store.job j
    WHERE j.repository = c.repository AND j.head = c.sha AND j.kind = 'commit'
    ORDER BY j.state IN ('queued', 'running') DESC, j.id DESC LIMIT 1
) job ON true
LEFT JOIN LATERAL (
    SELECT coalesce(run.decided_by,
                    (SELECT x.workload FROM store.run_workload x
                     WHERE x.repository = c.repository AND x.run = run.id
                     ORDER BY x.workload LIMIT 1)) AS workload
) shown ON true
LEFT JOIN LATERAL (
    SELECT k.estimate, k.low, k.high, k.reason
    FROM store.comparison k JOIN store.metric m ON m.id = k.metric AND m.name = 'throughput'
    WHERE k.repository = c.repository AND k.run = run.id AND k.workload = shown.workload
) compared ON true
LEFT JOIN LATERAL (
    SELECT max(x.median) FILTER (WHERE m.name = 'throughput') AS throughput,
           max(x.median) FILTER (WHERE m.name = 'kernel_share') AS kernel_share,
           max(x.median) FILTER (WHERE m.name = 'ace_failures') AS ace_failures
    FROM store.metric m
    JOIN store.measurement x ON x.repository = c.repository AND x.run = run.id
        AND x.workload = shown.workload AND x.metric = m.id AND x.arm = 'head'
    WHERE m.name IN ('throughput', 'kernel_share', 'ace_failures')
) figure ON true;
COMMENT ON VIEW store.commit_state IS
    'Each commit with its last run against its parent and the figures of the workload that decided.';

CREATE INDEX commit_newest ON store.commit (committed DESC, position DESC) WHERE mainline;

-- The documented views --------------------------------------------------------------------------

CREATE VIEW hakperf.history AS
SELECT r.name AS repository,
       c.committed,
       left(c.sha, 7) AS commit,
       c.subject,
       c.state,
       c.verdict,
       c.size,
       c.workload,
       round((100 * (exp(c.estimate) - 1))::numeric, 2) AS change_percent,
       round(c.throughput) AS throughput,
       round(c.kernel_share::numeric, 4) AS kernel_share,
       c.ace_failures,
       c.reason,
       c.sha,
       c.run
FROM store.commit_state c
JOIN store.repository r ON r.id = c.repository
WHERE c.mainline
ORDER BY c.committed DESC, c.position DESC;
COMMENT ON VIEW hakperf.history IS
    'Commits of the main line, newest first, each with its last verdict against its parent and the figures of the workload that decided it.';
COMMENT ON COLUMN hakperf.history.state IS 'unwatched, unmeasured, queued, running, measured, identical or failed';
COMMENT ON COLUMN hakperf.history.verdict IS 'regressed, improved, equivalent, inconclusive, identical or failed; NULL where nothing was compared';
COMMENT ON COLUMN hakperf.history.size IS 'small or relevant, of regressed and improved';
COMMENT ON COLUMN hakperf.history.change_percent IS 'change of throughput against the parent; negative is slower';
COMMENT ON COLUMN hakperf.history.throughput IS 'operations per CPU-second of the steady part, median of the samples';
COMMENT ON COLUMN hakperf.history.kernel_share IS 'share of CPU time spent in the kernel, 0 to 1';
COMMENT ON COLUMN hakperf.history.ace_failures IS 'ACE allocation failures of all causes in one long execution';

CREATE VIEW hakperf.comparisons AS
SELECT r.name AS repository,
       u.finished AS measured,
       left(u.base, 7) AS base,
       left(u.head, 7) AS head,
       w.name AS workload,
       m.name AS metric,
       c.verdict,
       c.size,
       round((100 * (exp(c.estimate) - 1))::numeric, 2) AS change_percent,
       round((100 * (exp(c.low) - 1))::numeric, 2) AS low_percent,
       round((100 * (exp(c.high) - 1))::numeric, 2) AS high_percent,
       c.pairs,
       round((100 * (exp(c.detectable) - 1))::numeric, 2) AS detectable_percent,
       c.reason,
       c.run
FROM store.comparison c
JOIN store.run u ON u.repository = c.repository AND u.id = c.run
JOIN store.repository r ON r.id = c.repository
JOIN store.workload w ON w.repository = c.repository AND w.id = c.workload
JOIN store.metric m ON m.id = c.metric
ORDER BY u.stored DESC, w.name, m.name;
COMMENT ON VIEW hakperf.comparisons IS
    'Head against base for every run, workload and deciding metric, newest first. The change lies between low and high; detectable is what such a run would have shown nine times in ten.';

CREATE VIEW hakperf.measurements AS
SELECT r.name AS repository,
       u.finished AS measured,
       left(u.head, 7) AS head,
       w.name AS workload,
       m.name AS metric,
       x.arm,
       x.median AS value,
       x.low,
       x.high,
       x.n,
       m.unit,
       m.better,
       x.missing,
       u.head AS sha,
       x.run
FROM store.measurement x
JOIN store.run u ON u.repository = x.repository AND u.id = x.run
JOIN store.repository r ON r.id = x.repository
JOIN store.workload w ON w.repository = x.repository AND w.id = x.workload
JOIN store.metric m ON m.id = x.metric
ORDER BY u.stored DESC, w.name, m.name, x.arm;
COMMENT ON VIEW hakperf.measurements IS
    'Every figure of every run, newest first: the median of its samples with a 95 % interval, or a single value. Counters of the library are metrics called counter:NAME. A missing value is NULL with its reason.';

CREATE VIEW hakperf.runs AS
SELECT r.name AS repository,
       u.finished AS measured,
       left(u.head, 7) AS head,
       left(u.base, 7) AS base,
       u.status,
       u.verdict,
       u.size,
       u.finished - u.started AS duration,
       u.runner,
       left(u.machine, 12) AS machine,
       u.sandbox,
       u.failure_stage,
       u.failure_message,
       u.failure_log,
       cardinality(u.warnings) AS warnings,
       u.reproduce,
       u.head AS head_sha,
       u.base AS base_sha,
       u.id AS run
FROM store.run u
JOIN store.repository r ON r.id = u.repository
ORDER BY u.stored DESC;
COMMENT ON VIEW hakperf.runs IS
    'Every run, newest first, failed ones included, with the command line that repeats it.';

CREATE VIEW hakperf.builds AS
SELECT r.name AS repository,
       u.finished AS measured,
       left(a.sha, 7) AS commit,
       a.name AS arm,
       a.compiler,
       a.build_seconds,
       a.cached,
       left(a.code_hash, 12) AS code,
       a.log,
       a.sha,
       a.run
FROM store.arm a
JOIN store.run u ON u.repository = a.repository AND u.id = a.run
JOIN store.repository r ON r.id = a.repository
ORDER BY u.stored DESC, a.name;
COMMENT ON VIEW hakperf.builds IS
    'The builds that took part in each run, newest first. Builds of the same code are the same program, whatever the sources.';

CREATE VIEW hakperf.configurations AS
SELECT r.name AS repository,
       u.finished AS measured,
       left(u.head, 7) AS head,
       w.name AS workload,
       side.arm,
       o.key AS option,
       o.value ->> 'value' AS value,
       o.value ->> 'source' AS source,
       (o.value -> 'ignored')::boolean AS ignored,
       x.run
FROM store.run_workload x
JOIN store.run u ON u.repository = x.repository AND u.id = x.run
JOIN store.repository r ON r.id = x.repository
JOIN store.workload w ON w.repository = x.repository AND w.id = x.workload
CROSS JOIN LATERAL (VALUES ('head', x.head_configuration), ('base', x.base_configuration))
    AS side(arm, hash)
JOIN store.configuration c ON c.repository = x.repository AND c.hash = side.hash
CROSS JOIN LATERAL jsonb_each(c.options) AS o
ORDER BY u.stored DESC, w.name, side.arm, o.key;
COMMENT ON VIEW hakperf.configurations IS
    'The effective configuration that the library under test reported in each run: one row an option, with its source (default or environment) and whether that build ignores it.';

CREATE VIEW hakperf.machines AS
SELECT r.name AS repository, left(m.fingerprint, 12) AS machine, m.first_seen, m.facts
FROM store.machine m
JOIN store.repository r ON r.id = m.repository
ORDER BY m.first_seen DESC;
COMMENT ON VIEW hakperf.machines IS
    'Machines that measured, with the facts that identify them: another kernel or processor is another machine.';

CREATE VIEW hakperf.alerts AS
SELECT r.name AS repository,
       a.created,
       a.state,
       left(a.head, 7) AS commit,
       c.subject,
       w.name AS workload,
       round((100 * a.change)::numeric, 2) AS change_percent,
       a.sentence,
       a.id AS alert,
       a.run
FROM store.alert a
JOIN store.repository r ON r.id = a.repository
JOIN store.commit c ON c.repository = a.repository AND c.sha = a.head
JOIN store.workload w ON w.repository = a.repository AND w.id = a.workload
ORDER BY a.created DESC, a.id DESC;
COMMENT ON VIEW hakperf.alerts IS 'What a person has to look at, newest first.';

CREATE VIEW hakperf.jobs AS
SELECT r.name AS repository,
       j.id AS job,
       j.kind,
       left(j.head, 7) AS head,
       left(j.base, 7) AS base,
       j.state,
       j.attempt,
       j.runner,
       j.created,
       j.started,
       j.finished,
       j.reason
FROM store.job j
JOIN store.repository r ON r.id = j.repository
ORDER BY j.id DESC;
COMMENT ON VIEW hakperf.jobs IS 'Work that waits, runs or ended, newest first.';

CREATE FUNCTION hakperf.series(repository text, workload text, metric text DEFAULT 'throughput')
RETURNS TABLE (committed timestamptz, commit text, subject text, value double precision,
               low double precision, high double precision, n integer, machine text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.committed, left(c.sha, 7), c.subject, x.median, x.low, x.high, x.n,
           left(u.machine, 12)
    FROM store.repository r
    JOIN store.commit c ON c.repository = r.id AND c.mainline
    JOIN store.workload w ON w.repository = r.id AND w.name = series.workload
    JOIN store.metric m ON m.name = series.metric
    CROSS JOIN LATERAL (
        SELECT x.*, u.machine
        FROM store.run u
        JOIN store.measurement x ON x.repository = u.repository AND x.run = u.id
            AND x.workload = w.id AND x.metric = m.id AND x.arm = 'head'
        WHERE u.repository = r.id AND u.head = c.sha AND u.status = 'measured'
        ORDER BY u.stored DESC LIMIT 1
    ) x
    CROSS JOIN LATERAL (SELECT x.machine) u
    WHERE r.name = series.repository
    ORDER BY c.position
$$;
COMMENT ON FUNCTION hakperf.series IS
    'One metric of one workload along the main line, oldest first: SELECT * FROM hakperf.series(''hakmem'', ''random_mixed/8192'', ''kernel_share'').';
