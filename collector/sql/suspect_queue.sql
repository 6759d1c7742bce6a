-- Suspect $2 of repository $1: commit $4 is measured against $3 next.
WITH pair AS (
    SELECT r.suite_hash, c.position, s.workload
    FROM store.suspect s
    JOIN store.repository r ON r.id = s.repository
    JOIN store.commit c ON c.repository = s.repository AND c.sha = $4
    WHERE s.repository = $1::integer AND s.id = $2::bigint AND r.suite_hash IS NOT NULL
), added AS (
    INSERT INTO store.job (repository, kind, head, base, suite_hash, priority, position, plan)
    SELECT $1::integer, 'bisect', $4, $3, suite_hash, 1800000000 /* QUEUE_BISECT */, position,
           jsonb_build_object('workloads', jsonb_build_array(workload))
    FROM pair
    ON CONFLICT DO NOTHING
    RETURNING id
)
UPDATE store.suspect s
SET changed = now(), budget = greatest(s.budget - 1, 0), job = coalesce(
    (SELECT id FROM added),
    (SELECT j.id FROM store.job j WHERE j.repository = s.repository AND j.kind = 'bisect'
        AND j.head = $4 AND j.base = $3 AND j.state IN ('queued', 'running')))
WHERE s.repository = $1::integer AND s.id = $2::bigint
