-- Run $2 of repository $1 adds a point to each series that it measured, where its commit lies on the
-- main line. Step by step: from the one run to its figures, whatever the statistics say of the tables.
WITH measured AS MATERIALIZED (
    SELECT u.id AS run, u.epoch, c.position, c.sha
    FROM store.run u, store.commit c
    WHERE u.repository = $1::integer AND u.id = $2::uuid AND u.status = 'measured'
      AND u.epoch IS NOT NULL AND u.verdict IS DISTINCT FROM 'failed'
      AND c.repository = $1::integer AND c.sha = u.head AND c.mainline
), figure AS MATERIALIZED (
    SELECT f.workload, f.arm, f.median
    FROM measured u
    CROSS JOIN LATERAL (
        SELECT m.workload, m.arm, m.median FROM store.measurement m
        WHERE m.repository = $1::integer AND m.run = u.run AND m.median > 0
          AND m.metric = (SELECT t.id FROM store.metric t WHERE t.name = 'throughput')
        OFFSET 0
    ) f
)
INSERT INTO store.point (repository, workload, epoch, position, sha, run, ratio, due)
SELECT $1::integer, h.workload, u.epoch, u.position, u.sha, u.run, ln(h.median / r.median), true
FROM measured u, figure h, figure r
WHERE h.arm = 'head' AND r.arm = 'control' AND r.workload = h.workload
ORDER BY h.workload
ON CONFLICT (repository, workload, epoch, position) DO UPDATE
SET sha = EXCLUDED.sha, run = EXCLUDED.run, ratio = EXCLUDED.ratio, due = true
