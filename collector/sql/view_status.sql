-- What waits and what runs, in the order of claiming (at most 100 of each), and who does it.
WITH shown AS (
    (SELECT * FROM store.job WHERE state = 'queued' ORDER BY priority DESC, id LIMIT 100)
    UNION ALL
    (SELECT * FROM store.job WHERE state = 'running' ORDER BY lease_until LIMIT 100)
), state AS (
    SELECT j.state, j.priority, j.id, json_build_object(
        'job', j.id, 'kind', j.kind, 'repository', r.name, 'sha', j.head, 'subject', c.subject,
        'base', j.base, 'state', j.state, 'attempt', j.attempt, 'runner', j.runner,
        'progress', CASE WHEN j.progress IS NOT NULL THEN json_build_object(
            'stage', j.progress -> 'stage', 'done', j.progress -> 'done',
            'total', j.progress -> 'total', 'text', j.progress -> 'text') END,
        'created', to_char(j.created, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'started', to_char(j.started, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'finished', to_char(j.finished, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'reason', j.reason) AS json
    FROM shown j
    JOIN store.repository r ON r.id = j.repository
    JOIN store.commit c ON c.repository = j.repository AND c.sha = j.head
), counts AS (
    SELECT count(*) FILTER (WHERE state = 'queued') AS queued,
           count(*) FILTER (WHERE state = 'running') AS running,
           count(*) FILTER (WHERE state = 'done') AS done,
           count(*) FILTER (WHERE state = 'dead') AS dead
    FROM store.job
)
SELECT json_build_object(
    'version', $1::text,
    'queue', coalesce((SELECT json_agg(s.json ORDER BY s.priority DESC, s.id)
                       FROM state s WHERE s.state = 'queued'), '[]'),
    'running', coalesce((SELECT json_agg(s.json ORDER BY s.id)
                         FROM state s WHERE s.state = 'running'), '[]'),
    'runners', coalesce((SELECT json_agg(json_build_object(
        'name', x.name, 'seen', to_char(x.seen, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) ORDER BY x.name)
        FROM (SELECT * FROM store.runner ORDER BY seen DESC LIMIT 1000) x), '[]'),
    'failed_jobs', counts.dead,
    'counts', row_to_json(counts))
FROM counts
