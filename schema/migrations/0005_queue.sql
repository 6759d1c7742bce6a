-- The queue grows up: more kinds of jobs, jobs that wait for others or for one runner, jobs that
-- were called off, a turn for every repository, a hint to those who wait, and a forecast.
SET LOCAL ROLE hakperf_owner;

ALTER TABLE store.job
    DROP CONSTRAINT job_kind_check,
    DROP CONSTRAINT job_state_check,
    DROP CONSTRAINT job_check1,
    ADD COLUMN position bigint NOT NULL DEFAULT 0,
    ADD COLUMN depends_on bigint[] NOT NULL DEFAULT '{}',
    ADD COLUMN only_runner text,
    ADD CONSTRAINT job_kind_known CHECK (kind IN
        ('commit', 'compare', 'confirm', 'bisect', 'backfill', 'aa', 'canary', 'bridge')),
    ADD CONSTRAINT job_state_known CHECK (state IN
        ('queued', 'running', 'done', 'dead', 'cancelled')),
    ADD CONSTRAINT job_ended CHECK ((finished IS NOT NULL) = (state IN
        ('done', 'dead', 'cancelled')));
UPDATE store.job j SET position = c.position
FROM store.commit c WHERE c.repository = j.repository AND c.sha = j.head;
COMMENT ON COLUMN store.job.priority IS
    'Higher goes first, of equals the parent before its child; 0 and less fill gaps, which wait until nothing else does.';
COMMENT ON COLUMN store.job.position IS 'That of the head: of one push, parents are measured before their children.';
COMMENT ON COLUMN store.job.depends_on IS
    'Jobs of the same repository that must be done before; when one of them is given up, so is this.';
COMMENT ON COLUMN store.job.only_runner IS 'The one runner that may claim it; NULL: any.';

-- One repository's turn is a range of this index, read from its best job on.
DROP INDEX store.job_waiting;
CREATE INDEX job_waiting ON store.job (repository, priority DESC, position, id) WHERE state = 'queued';
CREATE INDEX job_served ON store.job (repository, started DESC) WHERE started IS NOT NULL;
CREATE INDEX job_durations ON store.job (repository, kind, suite_hash, finished DESC) WHERE state = 'done';
CREATE INDEX job_finished ON store.job (repository, finished DESC) WHERE state = 'done';
CREATE INDEX job_depending ON store.job (repository, id) WHERE state = 'queued' AND depends_on <> '{}';
CREATE INDEX job_given_up ON store.job (id DESC) WHERE state IN ('dead', 'cancelled');

-- A dependency is an older job of the same repository, so that there is no circle.
CREATE FUNCTION store.job_check_dependencies() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    unknown bigint;
BEGIN
    SELECT x INTO unknown FROM unnest(NEW.depends_on) x
    WHERE x >= NEW.id OR NOT EXISTS (SELECT FROM store.job j
                                     WHERE j.repository = NEW.repository AND j.id = x)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'there is no earlier job % in this repository to wait for', unknown
            USING ERRCODE = 'HP422';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION store.job_check_dependencies IS 'Refuses a job that depends on one that is not there.';
CREATE TRIGGER job_dependencies BEFORE INSERT OR UPDATE OF depends_on ON store.job
    FOR EACH ROW WHEN (NEW.depends_on <> '{}') EXECUTE FUNCTION store.job_check_dependencies();

-- A hint to every collector, whoever queued. They poll as well, so a lost hint costs a second.
CREATE FUNCTION store.job_hint() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_notify('hakperf_job', '');
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION store.job_hint IS 'Tells the channel hakperf_job that a job waits.';
CREATE TRIGGER job_added AFTER INSERT ON store.job
    FOR EACH STATEMENT EXECUTE FUNCTION store.job_hint();
CREATE TRIGGER job_returned AFTER UPDATE OF state ON store.job
    FOR EACH ROW WHEN (NEW.state = 'queued' AND OLD.state <> 'queued')
    EXECUTE FUNCTION store.job_hint();

-- When what waits and runs will be finished. A job takes as long as the median of the last twenty of
-- its repository, suite and kind did, else of its repository, else of all; jobs begin in the order of
-- claiming, on as many runners as were seen in the last five minutes.
CREATE VIEW store.job_forecast AS
WITH pending AS MATERIALIZED (
    SELECT j.repository, j.id, j.kind, j.suite_hash, j.state = 'running' AS running, j.started,
           j.priority <= 0 AS gap,
           row_number() OVER (PARTITION BY j.repository, j.state, j.priority <= 0
                              ORDER BY j.priority DESC, j.position, j.id) AS turn
    FROM store.job j
    WHERE j.state IN ('queued', 'running')
), usual AS MATERIALIZED (
    SELECT k.repository, k.kind, k.suite_hash, coalesce(
        (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY x.seconds) FROM (
            SELECT extract(epoch FROM d.finished - d.started)::double precision AS seconds
            FROM store.job d
            WHERE d.repository = k.repository AND d.kind = k.kind AND d.suite_hash = k.suite_hash
              AND d.state = 'done'
            ORDER BY d.finished DESC LIMIT 20) x),
        (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY x.seconds) FROM (
            SELECT extract(epoch FROM d.finished - d.started)::double precision AS seconds
            FROM store.job d
            WHERE d.repository = k.repository AND d.state = 'done'
            ORDER BY d.finished DESC LIMIT 20) x),
        (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY x.seconds) FROM (
            SELECT extract(epoch FROM d.finished - d.started)::double precision AS seconds
            FROM store.job d WHERE d.state = 'done'
            ORDER BY d.id DESC LIMIT 20) x)) AS seconds
    FROM (SELECT DISTINCT repository, kind, suite_hash FROM pending) k
), served AS MATERIALIZED (
    SELECT k.repository, (SELECT max(s.started) FROM store.job s
                          WHERE s.repository = k.repository) AS last
    FROM (SELECT DISTINCT repository FROM pending) k
), runners AS (
    SELECT greatest(1, count(*)) AS n FROM store.runner WHERE seen > now() - interval '5 minutes'
), work AS (
    SELECT p.*, s.last, u.seconds,
           CASE WHEN p.running THEN
               greatest(u.seconds - extract(epoch FROM now() - p.started)::double precision,
                        u.seconds / 10) ELSE u.seconds END AS remaining
    FROM pending p
    JOIN usual u USING (repository, kind, suite_hash)
    JOIN served s USING (repository)
), line AS (
    SELECT w.*, sum(w.remaining) OVER (
        ORDER BY NOT w.running, w.gap, w.turn, w.last NULLS FIRST, w.repository, w.id
        ROWS UNBOUNDED PRECEDING) AS until
    FROM work w
)
SELECT l.repository, l.id,
       row_number() OVER (ORDER BY NOT l.running, l.gap, l.turn, l.last NULLS FIRST, l.repository,
                                   l.id) AS place,
       l.seconds AS estimate_s,
       now() + make_interval(secs => CASE WHEN l.running THEN l.remaining
           ELSE (l.until - l.remaining) / r.n + l.remaining END) AS finish
FROM line l, runners r;
COMMENT ON VIEW store.job_forecast IS
    'How long each pending job takes and when it will be finished, from the durations of earlier ones; NULL where there is no history.';

-- JOB STATE of common/wire/README.md.
CREATE FUNCTION store.job_json(of_repository integer, job bigint, estimate_s double precision,
                               finish timestamptz) RETURNS json
LANGUAGE sql STABLE AS $$
    SELECT json_build_object(
        'job', j.id, 'kind', j.kind, 'repository', r.name, 'sha', j.head, 'subject', c.subject,
        'base', j.base, 'state', j.state, 'attempt', j.attempt, 'runner', j.runner,
        'progress', CASE WHEN j.progress IS NOT NULL THEN json_build_object(
            'stage', j.progress -> 'stage', 'done', j.progress -> 'done',
            'total', j.progress -> 'total', 'text', j.progress -> 'text') END,
        'created', to_char(j.created AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'started', to_char(j.started AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'finished', to_char(j.finished AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'reason', j.reason, 'depends_on', j.depends_on, 'only_runner', j.only_runner,
        'estimate_s', round(estimate_s::numeric, 1),
        'eta', to_char(finish AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
    FROM store.job j
    JOIN store.repository r ON r.id = j.repository
    JOIN store.commit c ON c.repository = j.repository AND c.sha = j.head
    WHERE j.repository = of_repository AND j.id = job
$$;
COMMENT ON FUNCTION store.job_json IS 'A job as the API shows it, with its forecast.';
GRANT EXECUTE ON FUNCTION store.job_json TO hakperf_collector;

CREATE OR REPLACE VIEW hakperf.jobs AS
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
       j.reason,
       j.started - j.created AS waited,
       j.finished - j.started AS took,
       j.priority,
       j.depends_on,
       j.only_runner
FROM store.job j
JOIN store.repository r ON r.id = j.repository
ORDER BY j.id DESC;
COMMENT ON VIEW hakperf.jobs IS 'Work that waits, runs or ended, newest first.';
COMMENT ON COLUMN hakperf.jobs.state IS 'queued, running, done, dead (given up, see reason) or cancelled';
COMMENT ON COLUMN hakperf.jobs.waited IS 'from being queued to the last claim';
COMMENT ON COLUMN hakperf.jobs.took IS 'from the last claim to the end';

-- A gap that is filled is measured like any commit.
CREATE OR REPLACE VIEW store.commit_state AS
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
