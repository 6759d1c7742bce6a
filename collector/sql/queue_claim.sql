-- Gives the next waiting job to runner $1 (version $3) for $2 seconds: the highest priority, of
-- equals the oldest. Who claims at the same time takes another row. The answer is the job document.
WITH runner AS (
    INSERT INTO store.runner (name, version) VALUES ($1, $3)
    ON CONFLICT (name) DO UPDATE SET version = EXCLUDED.version, seen = now()
), next AS (
    SELECT repository, id FROM store.job
    WHERE state = 'queued'
    ORDER BY priority DESC, id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE store.job j
    SET state = 'running', fence = j.fence + 1, attempt = j.attempt + 1, run = gen_random_uuid(),
        runner = $1, lease_until = now() + make_interval(secs => $2::integer),
        started = now(), progress = NULL
    FROM next
    WHERE j.repository = next.repository AND j.id = next.id
    RETURNING j.*
)
SELECT jsonb_build_object(
    'format', 'hakperf-job-v1', 'job', j.id, 'fence', j.fence, 'attempt', j.attempt,
    'run', j.run::text, 'kind', j.kind, 'repository', r.name,
    'head', jsonb_build_object('sha', h.sha, 'subject', h.subject),
    'base', CASE WHEN b.sha IS NOT NULL
                 THEN jsonb_build_object('sha', b.sha, 'subject', b.subject) END,
    'driver', jsonb_build_object('sha', s.driver_sha, 'subject', s.driver_subject),
    'suite', s.document, 'suite_hash', s.hash, 'lease_seconds', $2::integer)
FROM claimed j
JOIN store.repository r ON r.id = j.repository
JOIN store.suite s ON s.repository = j.repository AND s.hash = j.suite_hash
JOIN store.commit h ON h.repository = j.repository AND h.sha = j.head
LEFT JOIN store.commit b ON b.repository = j.repository AND b.sha = j.base
