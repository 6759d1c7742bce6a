-- Lists cost what one statement costs: what a job and an alert look like is no longer a query of its own
-- for every row. A sign of life changes no index.
SET LOCAL ROLE hakperf_owner;

-- Without a query of its own, so that the planner puts it in place.
DROP FUNCTION store.job_json(integer, bigint, double precision, timestamptz);
CREATE FUNCTION store.job_json(j store.job, repository text, subject text,
                               estimate_s double precision, finish timestamptz) RETURNS json
LANGUAGE sql STABLE AS $$
    SELECT json_build_object(
        'job', j.id, 'kind', j.kind, 'repository', repository, 'sha', j.head, 'subject', subject,
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
$$;
COMMENT ON FUNCTION store.job_json IS
    'A job as the API shows it, with the name of its repository, its subject and its forecast.';
GRANT EXECUTE ON FUNCTION store.job_json TO hakperf_collector;

CREATE VIEW store.alert_shown AS
SELECT a.repository, a.id, json_build_object(
        'id', a.id, 'kind', a.kind, 'repository', r.name, 'sha', a.head, 'short', left(a.head, 7),
        'subject', c.subject, 'author', c.author, 'base', u.base, 'sentence', a.sentence,
        'state', a.state, 'owner', a.owner, 'resolution', a.resolution,
        'created', to_char(a.created AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'changed', to_char(a.changed AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'change', a.change, 'low', a.low, 'high', a.high, 'metric', m.name, 'workload', w.name,
        'workloads', (SELECT coalesce(json_agg(json_build_object(
                'workload', x.name, 'metric', y.name, 'size', k.size,
                'change', CASE WHEN k.scale = 'log' THEN exp(k.estimate) - 1
                               ELSE k.estimate / nullif(k.base_value, 0) END)
                ORDER BY abs(k.estimate) DESC, x.name), '[]')
            FROM store.comparison k
            JOIN store.workload x ON x.repository = k.repository AND x.id = k.workload
            JOIN store.metric y ON y.id = k.metric
            WHERE k.repository = a.repository AND k.run = a.run AND k.decides
              AND k.verdict = 'regressed'),
        'run', a.run, 'confirmed_by', u.confirmed_by, 'cause', a.cause,
        'closed_reason', a.closed_reason, 'reproduce', u.reproduce, 'detail', a.detail) AS shown
FROM store.alert a
JOIN store.repository r ON r.id = a.repository
JOIN store.commit c ON c.repository = a.repository AND c.sha = a.head
JOIN store.metric m ON m.id = a.metric
JOIN store.workload w ON w.repository = a.repository AND w.id = a.workload
JOIN store.run u ON u.repository = a.repository AND u.id = a.run;
COMMENT ON VIEW store.alert_shown IS
    'An alert as the API shows it: one commit, with all workloads that it made worse.';
GRANT SELECT ON store.alert_shown TO hakperf_collector;
DROP FUNCTION store.alert_json(integer, bigint);

-- Runners renew their leases all the time: no index may hold what that changes, and a page has room for
-- the new version of a row.
DROP INDEX store.job_leases;
CREATE INDEX job_running ON store.job (repository, id) WHERE state = 'running';
ALTER TABLE store.job SET (fillfactor = 80);
ALTER TABLE store.runner SET (fillfactor = 50);
