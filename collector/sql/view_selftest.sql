-- The self-tests of repository $1 in the last $2 days, and the newest of each workload.
WITH recent AS (
    SELECT * FROM store.selftest
    WHERE repository = $1::integer AND stored > now() - make_interval(days => $2::integer)
), newest AS (
    SELECT DISTINCT ON (r.kind, r.workload) r.kind, r.workload, m.name AS metric, r.passed, r.verdict,
           r.estimate, r.low, r.high, r.detectable, r.pairs, r.run, r.stored
    FROM recent r JOIN store.metric m ON m.id = r.metric
    ORDER BY r.kind, r.workload, r.stored DESC
)
SELECT json_build_object(
    'days', $2::integer,
    'aa', json_build_object(
        'runs', (SELECT count(DISTINCT run) FROM recent WHERE kind = 'aa'),
        'comparisons', (SELECT count(*) FROM recent WHERE kind = 'aa'),
        'false_alarms', (SELECT count(*) FROM recent WHERE kind = 'aa' AND NOT passed)),
    'canary', json_build_object(
        'runs', (SELECT count(DISTINCT run) FROM recent WHERE kind = 'canary'),
        'comparisons', (SELECT count(*) FROM recent WHERE kind = 'canary'),
        'found', (SELECT count(*) FROM recent WHERE kind = 'canary' AND passed),
        'planted', (SELECT -avg(planted) FROM recent WHERE kind = 'canary'),
        'measured', (SELECT exp(avg(estimate)) - 1 FROM recent WHERE kind = 'canary')),
    'smallest_visible', (SELECT exp(percentile_cont(0.5) WITHIN GROUP (ORDER BY detectable)) - 1
                         FROM recent WHERE kind = 'aa'),
    'workloads', (SELECT coalesce(json_agg(json_build_object(
            'test', n.kind, 'workload', n.workload, 'metric', n.metric, 'passed', n.passed, 'verdict', n.verdict,
            'change', exp(n.estimate) - 1, 'low', exp(n.low) - 1, 'high', exp(n.high) - 1,
            'detectable', exp(n.detectable) - 1, 'pairs', n.pairs, 'run', n.run,
            'measured', to_char(n.stored AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
            ORDER BY n.kind, n.workload), '[]') FROM newest n),
    'alerts', (SELECT coalesce(json_agg(a.id ORDER BY a.id DESC), '[]') FROM store.alert a
               WHERE a.repository = $1::integer AND a.kind = 'selftest' AND a.state <> 'resolved'))
