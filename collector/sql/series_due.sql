-- Series with points that nobody looked at yet, at most $1.
SELECT DISTINCT p.repository, p.workload, p.metric, p.epoch FROM store.point p WHERE p.due
ORDER BY p.repository, p.workload, p.metric, p.epoch LIMIT $1::integer
