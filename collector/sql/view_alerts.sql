-- The newest $1 alerts.
SELECT json_build_object('alerts', coalesce(json_agg(json_build_object(
    'id', a.id, 'repository', a.name, 'sha', a.head, 'subject', a.subject, 'sentence', a.sentence,
    'state', a.state, 'created', to_char(a.created, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    'change', a.change, 'low', a.low, 'high', a.high, 'workload', a.workload_name, 'run', a.run,
    'cause', a.cause, 'closed_reason', a.closed_reason, 'reproduce', a.reproduce
) ORDER BY a.created DESC, a.id DESC), '[]'))
FROM (
    SELECT a.*, r.name, c.subject, w.name AS workload_name, u.reproduce
    FROM store.alert a
    JOIN store.repository r ON r.id = a.repository
    JOIN store.commit c ON c.repository = a.repository AND c.sha = a.head
    JOIN store.workload w ON w.repository = a.repository AND w.id = a.workload
    JOIN store.run u ON u.repository = a.repository AND u.id = a.run
    ORDER BY a.created DESC, a.id DESC
    LIMIT $1::integer
) a
