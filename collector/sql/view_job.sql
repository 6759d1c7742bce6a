-- JOB STATE of job $1.
SELECT json_build_object(
        'job', j.id, 'kind', j.kind, 'repository', r.name, 'sha', j.head, 'subject', c.subject,
        'base', j.base, 'state', j.state, 'attempt', j.attempt, 'runner', j.runner,
        'progress', CASE WHEN j.progress IS NOT NULL THEN json_build_object(
            'stage', j.progress -> 'stage', 'done', j.progress -> 'done',
            'total', j.progress -> 'total', 'text', j.progress -> 'text') END,
        'created', to_char(j.created, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'started', to_char(j.started, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'finished', to_char(j.finished, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'reason', j.reason)
FROM store.job j
JOIN store.repository r ON r.id = j.repository
JOIN store.commit c ON c.repository = j.repository AND c.sha = j.head
WHERE j.id = $1::bigint
