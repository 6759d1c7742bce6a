-- The last $2 suspects of repository $1, newest first.
SELECT json_build_object('suspects', coalesce(json_agg(json_build_object(
    'id', s.id, 'workload', s.workload, 'state', s.state, 'good', s.good, 'bad', s.bad,
    'low', s.low, 'high', s.high, 'skipped', s.skipped, 'budget', s.budget, 'job', s.job,
    'evidence', s.evidence, 'reason', s.reason,
    'created', to_char(s.created AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    'changed', to_char(s.changed AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
) ORDER BY s.id DESC), '[]'))
FROM (SELECT * FROM store.suspect WHERE repository = $1::integer ORDER BY id DESC
      LIMIT $2::integer) s
