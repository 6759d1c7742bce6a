-- A job of repository $1 and kind $2 for head $3 against base $4 (NULL: its first parent, where
-- the store knows it; the head itself for self-tests) with priority $5, after the jobs $7 (array),
-- for runner $8 alone (NULL: any). With $6 'true' (a look) only for a commit that no job ever
-- measured; otherwise the same job while one is waiting or running. No row: nothing was added.
WITH wanted AS (
    SELECT r.id AS repository, r.suite_hash, c.sha AS head, c.position,
           CASE WHEN $4::text IS NOT NULL THEN $4::text
                WHEN $2 IN ('aa', 'canary') THEN c.sha
                WHEN $2 <> 'compare' THEN (SELECT p.sha FROM store.commit p
                                           WHERE p.repository = c.repository
                                             AND p.sha = c.parents[1])
           END AS base
    FROM store.repository r
    JOIN store.commit c ON c.repository = r.id AND c.sha = $3
    WHERE r.id = $1::integer AND r.suite_hash IS NOT NULL
      AND NOT ($6::boolean AND EXISTS (SELECT FROM store.job j
                                       WHERE j.repository = r.id AND j.head = $3
                                         AND j.kind IN ('commit', 'backfill')))
), added AS (
    INSERT INTO store.job (repository, kind, head, base, suite_hash, priority, position,
                           depends_on, only_runner)
    SELECT repository, $2, head, base, suite_hash, $5::integer, position, $7::bigint[], $8
    FROM wanted
    ON CONFLICT (repository, kind, head, coalesce(base, '')) WHERE state IN ('queued', 'running')
    DO NOTHING
    RETURNING id
)
SELECT id, true FROM added
UNION ALL
SELECT j.id, false
FROM wanted w
JOIN store.job j ON j.repository = w.repository AND j.kind = $2 AND j.head = w.head
                AND coalesce(j.base, '') = coalesce(w.base, '') AND j.state IN ('queued', 'running')
WHERE NOT EXISTS (SELECT FROM added)
