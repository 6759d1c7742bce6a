-- A workload may be decided by another metric than its time. History, series and what is added up or
-- joined ask for that one: it is kept with each workload that a run executed, with the workload (of its
-- newest result), and in the key of a series.
SET LOCAL ROLE hakperf_owner;

CREATE FUNCTION store.usual_metric() RETURNS integer
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT m.id FROM store.metric m WHERE m.name = 'throughput'
$$;
COMMENT ON FUNCTION store.usual_metric IS 'What decides a workload whose suite names no metric.';
GRANT EXECUTE ON FUNCTION store.usual_metric TO hakperf_collector;
INSERT INTO store.metric (name, unit, better, text)
VALUES ('throughput', 'ops/cpu-s', 'higher', 'operations per CPU-second of the steady part')
ON CONFLICT DO NOTHING;

-- What gates as a ratio is the metric that the suite named when it was measured.
CREATE TEMPORARY TABLE named ON COMMIT DROP AS
SELECT c.repository, c.run, c.workload, c.metric FROM store.comparison c
WHERE c.gates AND c.scale = 'log' AND c.metric <> store.usual_metric();

ALTER TABLE store.run_workload
    ADD COLUMN metric integer NOT NULL DEFAULT store.usual_metric() REFERENCES store.metric;
COMMENT ON COLUMN store.run_workload.metric IS 'The metric that decided it, as its suite named it.';
UPDATE store.run_workload x SET metric = n.metric FROM named n
WHERE (x.repository, x.run, x.workload) = (n.repository, n.run, n.workload);

ALTER TABLE store.workload
    ADD COLUMN metric integer NOT NULL DEFAULT store.usual_metric() REFERENCES store.metric;
COMMENT ON COLUMN store.workload.metric IS 'The metric that decides it, as its newest result has it.';
UPDATE store.workload w SET metric = n.metric
FROM (SELECT DISTINCT ON (x.repository, x.workload) x.repository, x.workload, x.metric
      FROM store.run_workload x JOIN store.run u ON u.repository = x.repository AND u.id = x.run
      WHERE EXISTS (SELECT FROM named)
      ORDER BY x.repository, x.workload, u.stored DESC) n
WHERE (w.repository, w.id) = (n.repository, n.workload) AND w.metric <> n.metric;

-- The points so far are all of the time.
ALTER TABLE store.point
    ADD COLUMN metric integer NOT NULL DEFAULT store.usual_metric() REFERENCES store.metric,
    DROP CONSTRAINT point_pkey,
    ADD PRIMARY KEY (repository, workload, metric, epoch, position);
DROP INDEX store.point_due;
CREATE INDEX point_due ON store.point (repository, workload, metric, epoch, position) WHERE due;
COMMENT ON TABLE store.point IS
    'Commits of the main line in one workload, metric and epoch: the log ratio of the metric that decides to the control''s, of their last run there.';
ALTER TABLE store.change_point
    ADD COLUMN metric integer NOT NULL DEFAULT store.usual_metric() REFERENCES store.metric,
    DROP CONSTRAINT change_point_pkey,
    ADD PRIMARY KEY (repository, workload, metric, epoch, position);

CREATE OR REPLACE VIEW hakperf.change_points AS
SELECT r.name AS repository,
       left(p.sha, 7) AS commit,
       c.subject,
       w.name AS workload,
       round((100 * p.change)::numeric, 2) AS change_percent,
       p.epoch,
       p.p,
       c.committed,
       p.found,
       p.before,
       p.after,
       p.sha,
       m.name AS metric,
       m.better
FROM store.change_point p
JOIN store.repository r ON r.id = p.repository
JOIN store.workload w ON w.repository = p.repository AND w.id = p.workload
JOIN store.metric m ON m.id = p.metric
JOIN store.commit c ON c.repository = p.repository AND c.sha = p.sha
ORDER BY c.committed DESC, p.position DESC, w.name;
COMMENT ON VIEW hakperf.change_points IS
    'Where the level of a workload''s metric, held against the control''s, stepped and stayed; newest first. The commit is the first of the new level.';
COMMENT ON COLUMN hakperf.change_points.metric IS 'the metric that decides the workload';
COMMENT ON COLUMN hakperf.change_points.better IS 'which way it is better: higher or lower';

CREATE OR REPLACE VIEW store.commit_state AS
SELECT c.repository, c.sha, c.position, c.mainline, c.parents, c.author, c.subject, c.committed,
       CASE WHEN run.id IS NOT NULL AND run.status <> 'failed'
                 THEN CASE WHEN run.verdict = 'failed' THEN 'failed' ELSE run.status END
            WHEN job.state IN ('queued', 'running') THEN job.state
            WHEN run.id IS NOT NULL OR job.state = 'dead' THEN 'failed'
            WHEN NOT c.watched THEN 'unwatched'
            ELSE 'unmeasured' END AS state,
       run.id AS run,
       store.holding(run.verdict, run.confirmation) AS verdict,
       CASE WHEN run.confirmation IS DISTINCT FROM 'refuted' THEN run.size END AS size,
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
                CASE WHEN run.id IS NULL THEN job.reason END) AS reason,
       run.confirmation,
       judged.metric,
       figure.value
FROM store.commit c
LEFT JOIN LATERAL (
    SELECT r.* FROM store.run r
    WHERE r.repository = c.repository AND r.head = c.sha AND r.against_parent
      AND r.kind NOT IN ('confirm', 'aa', 'canary')
    ORDER BY r.stored DESC LIMIT 1
) run ON true
LEFT JOIN LATERAL (
    SELECT j.state, j.reason FROM store.job j
    WHERE j.repository = c.repository AND j.head = c.sha AND j.kind IN ('commit', 'backfill')
    ORDER BY j.state IN ('queued', 'running') DESC, j.id DESC LIMIT 1
) job ON true
LEFT JOIN LATERAL (
    SELECT coalesce(run.decided_by,
                    (SELECT x.workload FROM store.run_workload x
                     WHERE x.repository = c.repository AND x.run = run.id
                     ORDER BY x.workload LIMIT 1)) AS workload
) shown ON true
LEFT JOIN LATERAL (
    SELECT coalesce((SELECT x.metric FROM store.run_workload x
                     WHERE x.repository = c.repository AND x.run = run.id
                       AND x.workload = shown.workload),
                    (SELECT w.metric FROM store.workload w
                     WHERE w.repository = c.repository AND w.id = shown.workload)) AS metric
) judged ON true
LEFT JOIN LATERAL (
    SELECT k.estimate, k.low, k.high, k.reason
    FROM store.comparison k
    WHERE k.repository = c.repository AND k.run = run.id AND k.workload = shown.workload
      AND k.metric = judged.metric
) compared ON true
LEFT JOIN LATERAL (
    SELECT max(x.median) FILTER (WHERE m.name = 'throughput') AS throughput,
           max(x.median) FILTER (WHERE m.name = 'kernel_share') AS kernel_share,
           max(x.median) FILTER (WHERE m.name = 'ace_failures') AS ace_failures,
           max(x.median) FILTER (WHERE m.id = judged.metric) AS value
    FROM store.metric m
    JOIN store.measurement x ON x.repository = c.repository AND x.run = run.id
        AND x.workload = shown.workload AND x.metric = m.id AND x.arm = 'head'
    WHERE m.name IN ('throughput', 'kernel_share', 'ace_failures') OR m.id = judged.metric
) figure ON true;

CREATE OR REPLACE VIEW hakperf.history AS
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
       c.run,
       c.confirmation,
       m.name AS metric,
       c.value,
       m.unit
FROM store.commit_state c
JOIN store.repository r ON r.id = c.repository
LEFT JOIN store.metric m ON m.id = c.metric
WHERE c.mainline
ORDER BY c.committed DESC, c.position DESC;
COMMENT ON COLUMN hakperf.history.change_percent IS
    'change of the workload''s metric against the parent; of throughput, negative is slower';
COMMENT ON COLUMN hakperf.history.metric IS 'the metric that decides the workload, throughput where the suite names none';
COMMENT ON COLUMN hakperf.history.value IS 'its median';
COMMENT ON COLUMN hakperf.history.unit IS 'its unit';

CREATE OR REPLACE FUNCTION hakperf.series(repository text, workload text, metric text DEFAULT NULL)
RETURNS TABLE (committed timestamptz, commit text, subject text, value double precision,
               low double precision, high double precision, n integer, machine text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.committed, left(c.sha, 7), c.subject, x.median, x.low, x.high, x.n,
           left(x.machine, 12)
    FROM store.repository r
    JOIN store.commit c ON c.repository = r.id AND c.mainline
    JOIN store.workload w ON w.repository = r.id AND w.name = series.workload
    JOIN store.metric m ON CASE WHEN series.metric IS NULL THEN m.id = w.metric
                                ELSE m.name = series.metric END
    CROSS JOIN LATERAL (
        SELECT x.*, u.machine
        FROM store.run u
        JOIN store.measurement x ON x.repository = u.repository AND x.run = u.id
            AND x.workload = w.id AND x.metric = m.id AND x.arm = 'head'
        WHERE u.repository = r.id AND u.head = c.sha AND u.status = 'measured'
          AND u.kind NOT IN ('confirm', 'aa', 'canary')
        ORDER BY u.stored DESC LIMIT 1
    ) x
    WHERE r.name = series.repository
    ORDER BY c.position
$$;
COMMENT ON FUNCTION hakperf.series IS
    'One metric of one workload (without a name the one that decides it) along the main line, oldest first: SELECT * FROM hakperf.series(''hakmem'', ''random_mixed/8192'', ''kernel_share'').';

-- Equal builds are judged by the metric that decides; what was planted is a loss of time.
CREATE OR REPLACE VIEW store.selftest AS
SELECT u.repository, u.id AS run, u.kind, u.stored, w.name AS workload, k.verdict, k.size, k.estimate,
       k.low, k.high, k.detectable, k.pairs,
       CASE WHEN u.kind = 'canary'
            THEN (s.document #>> '{recipe,canary,slowdown}')::double precision END AS planted,
       CASE u.kind WHEN 'aa' THEN k.verdict NOT IN ('regressed', 'improved')
                   ELSE k.verdict = 'regressed' END AS passed,
       k.metric
FROM store.run u
JOIN store.run_workload x ON x.repository = u.repository AND x.run = u.id
JOIN store.comparison k ON k.repository = u.repository AND k.run = u.id AND k.workload = x.workload
    AND k.metric = CASE u.kind WHEN 'aa' THEN x.metric ELSE store.usual_metric() END
JOIN store.workload w ON w.repository = k.repository AND w.id = k.workload
JOIN store.suite s ON s.repository = u.repository AND s.hash = u.suite_hash
WHERE u.kind IN ('aa', 'canary') AND u.status = 'measured' AND k.estimate IS NOT NULL;

CREATE OR REPLACE VIEW hakperf.selftests AS
SELECT r.name AS repository,
       t.stored AS measured,
       t.kind AS test,
       t.workload,
       t.passed,
       t.verdict,
       round((100 * (exp(t.estimate) - 1))::numeric, 2) AS change_percent,
       round((100 * (exp(t.low) - 1))::numeric, 2) AS low_percent,
       round((100 * (exp(t.high) - 1))::numeric, 2) AS high_percent,
       round((100 * (exp(t.detectable) - 1))::numeric, 2) AS detectable_percent,
       round((-100 * t.planted)::numeric, 2) AS planted_percent,
       t.pairs,
       t.run,
       m.name AS metric
FROM store.selftest t
JOIN store.repository r ON r.id = t.repository
JOIN store.metric m ON m.id = t.metric
ORDER BY t.stored DESC, t.kind, t.workload;
COMMENT ON COLUMN hakperf.selftests.change_percent IS 'change of the metric; of throughput, negative is slower';
COMMENT ON COLUMN hakperf.selftests.metric IS
    'of a build against itself the metric that decides the workload, of a planted slowdown throughput';
