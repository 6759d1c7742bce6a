-- Workload $2 (NULL: the first by name) and metric $3 (NULL: the one that decides it) of repository $1: the ids of both, and what they
-- are called. No row where there is no such workload or metric.
SELECT w.id, m.id, w.name, m.name, m.unit, m.better
FROM store.metric m
CROSS JOIN LATERAL (
    -- Of several definitions with that name the one that was measured last.
    SELECT w.id, w.name, w.metric FROM store.workload w
    WHERE w.repository = $1::integer
      AND w.name = coalesce($2::text, (SELECT min(name) FROM store.workload
                                       WHERE repository = $1::integer))
    ORDER BY (SELECT u.stored FROM store.run u
              WHERE u.repository = $1::integer
                AND EXISTS (SELECT FROM store.run_workload x
                            WHERE x.repository = $1::integer AND x.run = u.id AND x.workload = w.id)
              ORDER BY u.stored DESC LIMIT 1) DESC NULLS LAST, w.id DESC
    LIMIT 1
) w
WHERE CASE WHEN $3::text IS NULL THEN m.id = w.metric ELSE m.name = $3 END
