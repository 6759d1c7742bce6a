-- The change points of repository $1, of workload $2 (NULL: all), at most $3, newest first.
SELECT json_build_object('changepoints', coalesce(json_agg(json_build_object(
    'workload', x.workload, 'metric', x.metric, 'better', x.better, 'epoch', x.epoch, 'sha', x.sha,
    'short', left(x.sha, 7), 'subject', x.subject,
    'time', to_char(x.committed AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    'before', exp(x.before), 'after', exp(x.after), 'change', x.change, 'p', x.p,
    'found', to_char(x.found AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
) ORDER BY x.position DESC, x.workload), '[]'))
FROM (SELECT k.*, w.name AS workload, m.name AS metric, m.better, c.subject, c.committed
      FROM (SELECT repository, workload AS id, metric AS measure, epoch, position, sha, before, after, change, p, found
            FROM store.change_point) k
      JOIN store.workload w ON w.repository = k.repository AND w.id = k.id
      JOIN store.metric m ON m.id = k.measure
      JOIN store.commit c ON c.repository = k.repository AND c.sha = k.sha
      WHERE k.repository = $1::integer AND ($2::text IS NULL OR w.name = $2)
      ORDER BY k.position DESC, w.name
      LIMIT $3::integer) x
