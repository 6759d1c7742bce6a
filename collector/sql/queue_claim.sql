-- Gives the next waiting job to runner $1 (version $3) for $2 seconds. Gaps come last; otherwise
-- repositories take turns, the one that was served longest ago first, and within one the highest
-- priority goes first, of equals the parent before its child. Who claims at the same time takes
-- another row. The answer is the job document.
WITH runner AS (
    INSERT INTO store.runner (name, version) VALUES ($1, $3)
    ON CONFLICT (name) DO UPDATE SET version = EXCLUDED.version, seen = now()
), turn AS MATERIALIZED (
    SELECT r.id AS repository, class.least, class.most
    FROM store.repository r
    CROSS JOIN (VALUES (1, 2147483647), (-2147483648, 0)) AS class(least, most)
    WHERE EXISTS (SELECT FROM store.job j WHERE j.repository = r.id AND j.state = 'queued'
                                            AND j.priority BETWEEN class.least AND class.most)
    ORDER BY class.least DESC,
             (SELECT max(j.started) FROM store.job j WHERE j.repository = r.id) NULLS FIRST, r.id
), next AS (
    -- The turns are read in their order until one gives a row: no more rows than that are locked.
    SELECT mine.repository, mine.id
    FROM turn
    CROSS JOIN LATERAL (
        SELECT j.repository, j.id FROM store.job j
        WHERE j.repository = turn.repository AND j.state = 'queued'
          AND j.priority BETWEEN turn.least AND turn.most
          AND (j.only_runner IS NULL OR j.only_runner = $1)
          AND (j.depends_on = '{}'
               OR NOT EXISTS (SELECT FROM store.job d
                              WHERE d.repository = j.repository AND d.id = ANY (j.depends_on)
                                AND d.state <> 'done'))
        ORDER BY j.priority DESC, j.position, j.id
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    ) mine
    LIMIT 1
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
    || CASE WHEN s.reference_sha IS NOT NULL
            THEN jsonb_build_object('reference', jsonb_build_object(
                'sha', s.reference_sha, 'subject', s.reference_subject)) ELSE '{}' END
    || CASE WHEN j.plan IS NOT NULL THEN jsonb_build_object('plan', j.plan) ELSE '{}' END
FROM claimed j
JOIN store.repository r ON r.id = j.repository
JOIN store.suite s ON s.repository = j.repository AND s.hash = j.suite_hash
JOIN store.commit h ON h.repository = j.repository AND h.sha = j.head
LEFT JOIN store.commit b ON b.repository = j.repository AND b.sha = j.base
