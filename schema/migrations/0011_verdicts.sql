-- Verdicts grow up: several metrics gate, a relevant regression is confirmed by a fresh run before
-- anyone is told, and alerts have a cause and a history.
SET LOCAL ROLE hakperf_owner;

-- Jobs that are sampled otherwise -----------------------------------------------------------------

ALTER TABLE store.job
    ADD COLUMN plan jsonb,
    ADD COLUMN confirms uuid;
COMMENT ON COLUMN store.job.plan IS 'How it is sampled otherwise than the suite says, as job-v1.schema.json has it.';
COMMENT ON COLUMN store.job.confirms IS 'The run whose relevant regression this job confirms or not.';

ALTER TABLE store.run
    ADD COLUMN confirmation text CHECK (confirmation IN ('pending', 'confirmed', 'refuted', 'unanswered')),
    ADD COLUMN confirmed_by uuid;
COMMENT ON COLUMN store.run.confirmation IS
    'Of a relevant regression: pending until a fresh run said, unanswered where none could be made; NULL for other verdicts.';
COMMENT ON COLUMN store.run.confirmed_by IS 'The fresh run that said it.';
CREATE INDEX run_pair ON store.run (repository, base, head, stored DESC) WHERE base IS NOT NULL;
CREATE INDEX run_kind ON store.run (repository, kind, stored DESC);

-- The verdict that holds: a regression that its confirming run did not find again is one that
-- cannot be told from noise.
CREATE FUNCTION store.holding(verdict text, confirmation text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN confirmation = 'refuted' THEN 'inconclusive' ELSE verdict END
$$;
GRANT EXECUTE ON FUNCTION store.holding TO hakperf_collector, hakperf_reader;

-- Metrics beside the time ---------------------------------------------------------------------------

ALTER TABLE store.comparison
    ADD COLUMN scale text NOT NULL DEFAULT 'log' CHECK (scale IN ('log', 'difference')),
    ADD COLUMN gates boolean NOT NULL DEFAULT true,
    ADD COLUMN decides boolean NOT NULL DEFAULT true,
    ADD COLUMN base_value double precision,
    ADD COLUMN head_value double precision,
    ADD COLUMN adjusted double precision CHECK (adjusted BETWEEN 0 AND 1);
COMMENT ON TABLE store.comparison IS
    'Head against base for one workload and metric. estimate, low, high and detectable are log ratios, or differences head - base.';
COMMENT ON COLUMN store.comparison.gates IS 'Whether the metric counts for the workload''s verdict; the others are only shown.';
COMMENT ON COLUMN store.comparison.decides IS 'Of a workload''s metrics the one whose verdict is the workload''s.';
COMMENT ON COLUMN store.comparison.adjusted IS
    'Of a metric that does not gate: its chance without a change, adjusted after Benjamini and Hochberg over the run.';
CREATE UNIQUE INDEX comparison_decides ON store.comparison (repository, run, workload) WHERE decides;

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
       run.confirmation
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
       c.confirmation
FROM store.commit_state c
JOIN store.repository r ON r.id = c.repository
WHERE c.mainline
ORDER BY c.committed DESC, c.position DESC;
COMMENT ON COLUMN hakperf.history.confirmation IS
    'of a relevant regression: pending, confirmed by a fresh run, refuted (the verdict is then inconclusive) or unanswered';

CREATE OR REPLACE VIEW hakperf.comparisons AS
SELECT r.name AS repository,
       u.finished AS measured,
       left(u.base, 7) AS base,
       left(u.head, 7) AS head,
       w.name AS workload,
       m.name AS metric,
       c.verdict,
       c.size,
       round((CASE WHEN c.scale = 'log' THEN 100 * (exp(c.estimate) - 1)
              WHEN c.base_value <> 0 THEN 100 * c.estimate / c.base_value END)::numeric, 2)
           AS change_percent,
       round((CASE WHEN c.scale = 'log' THEN 100 * (exp(c.low) - 1)
              WHEN c.base_value <> 0 THEN 100 * c.low / c.base_value END)::numeric, 2)
           AS low_percent,
       round((CASE WHEN c.scale = 'log' THEN 100 * (exp(c.high) - 1)
              WHEN c.base_value <> 0 THEN 100 * c.high / c.base_value END)::numeric, 2)
           AS high_percent,
       c.pairs,
       round((100 * (exp(c.detectable) - 1))::numeric, 2) AS detectable_percent,
       c.reason,
       c.run,
       c.gates,
       c.decides,
       c.adjusted,
       u.kind,
       u.confirmation
FROM store.comparison c
JOIN store.run u ON u.repository = c.repository AND u.id = c.run
JOIN store.repository r ON r.id = c.repository
JOIN store.workload w ON w.repository = c.repository AND w.id = c.workload
JOIN store.metric m ON m.id = c.metric
ORDER BY u.stored DESC, w.name, c.gates DESC, m.name;
COMMENT ON VIEW hakperf.comparisons IS
    'Head against base for every run, workload and metric, newest first. The change lies between low and high; detectable is what such a run would have shown nine times in ten. Metrics that do not gate are worth a look where adjusted is at most 0.05.';

-- Alerts --------------------------------------------------------------------------------------------

ALTER TABLE store.alert
    ADD COLUMN cause text,
    ADD COLUMN closed_reason text,
    ADD COLUMN changed timestamptz NOT NULL DEFAULT now(),
    ALTER COLUMN change DROP NOT NULL;
COMMENT ON COLUMN store.alert.change IS 'Fraction, head / base - 1; low and high likewise; NULL where base is 0.';
COMMENT ON COLUMN store.alert.cause IS 'What changed together with it, the likeliest first; NULL where nothing did.';

CREATE TABLE store.alert_event (
    repository integer NOT NULL,
    alert      bigint NOT NULL,
    id         bigint GENERATED ALWAYS AS IDENTITY,
    at         timestamptz NOT NULL DEFAULT now(),
    who        text NOT NULL,
    action     text NOT NULL CHECK (action IN ('opened', 'closed')),
    note       text,
    PRIMARY KEY (repository, alert, id),
    FOREIGN KEY (repository, alert) REFERENCES store.alert ON DELETE CASCADE
);
COMMENT ON TABLE store.alert_event IS 'The history of each alert; rows are only added.';

CREATE OR REPLACE VIEW hakperf.alerts AS
SELECT r.name AS repository,
       a.created,
       a.state,
       left(a.head, 7) AS commit,
       c.subject,
       w.name AS workload,
       round((100 * a.change)::numeric, 2) AS change_percent,
       a.sentence,
       a.id AS alert,
       a.run,
       a.cause,
       a.closed_reason,
       a.changed
FROM store.alert a
JOIN store.repository r ON r.id = a.repository
JOIN store.commit c ON c.repository = a.repository AND c.sha = a.head
JOIN store.workload w ON w.repository = a.repository AND w.id = a.workload
ORDER BY a.created DESC, a.id DESC;

CREATE VIEW hakperf.alert_history AS
SELECT r.name AS repository, e.at, e.alert, e.who, e.action, e.note
FROM store.alert_event e
JOIN store.repository r ON r.id = e.repository
ORDER BY e.at DESC, e.id DESC;
COMMENT ON VIEW hakperf.alert_history IS 'What was done with each alert, by whom and when, newest first.';

-- A confirming job that is given up leaves its regression without an answer; one that is tried again
-- takes it back.
CREATE FUNCTION store.confirmation_given_up() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE store.run u
    SET confirmation = CASE WHEN NEW.state = 'queued' THEN 'pending' ELSE 'unanswered' END
    FROM store.run first
    WHERE first.repository = NEW.repository AND first.id = NEW.confirms
      AND u.repository = first.repository AND u.head = first.head AND u.base = first.base
      AND u.confirmation = CASE WHEN NEW.state = 'queued' THEN 'unanswered' ELSE 'pending' END;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION store.confirmation_given_up IS
    'Keeps the state of a regression in step with the job that was to confirm it.';
CREATE TRIGGER job_confirming AFTER UPDATE OF state ON store.job
    FOR EACH ROW WHEN (NEW.kind = 'confirm' AND NEW.state <> OLD.state
                       AND NEW.state IN ('dead', 'cancelled', 'queued'))
    EXECUTE FUNCTION store.confirmation_given_up();
