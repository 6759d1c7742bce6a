-- Run $2 of repository $1 adds a point to each series that it measured (of the metric that decides the
-- workload), held against the epoch's reference, where its commit lies on the main line. Step by step: from the one run to its figures, whatever the statistics say of the tables.
WITH measured AS MATERIALIZED (
    SELECT u.id AS run, u.epoch, c.position, c.sha,
           CASE WHEN e.reference IS NULL THEN 'control' ELSE 'reference' END AS mark
    FROM store.run u, store.commit c, store.epoch e
    WHERE u.repository = $1::integer AND u.id = $2::uuid AND u.status = 'measured'
      AND u.epoch IS NOT NULL AND u.verdict IS DISTINCT FROM 'failed'
      AND c.repository = $1::integer AND c.sha = u.head AND c.mainline
      AND e.repository = $1::integer AND e.id = u.epoch
), figure AS MATERIALIZED (
    SELECT f.workload, f.metric, f.arm, f.median
    FROM measured u
    CROSS JOIN LATERAL (
        SELECT m.workload, m.metric, m.arm, m.median FROM store.run_workload x
        JOIN store.measurement m ON m.repository = $1::integer AND m.run = u.run
            AND m.workload = x.workload AND m.metric = x.metric AND m.median > 0
        WHERE x.repository = $1::integer AND x.run = u.run
        OFFSET 0
    ) f
)
INSERT INTO store.point (repository, workload, metric, epoch, position, sha, run, ratio, due)
SELECT $1::integer, h.workload, h.metric, u.epoch, u.position, u.sha, u.run, ln(h.median / r.median), true
FROM measured u, figure h, figure r
WHERE h.arm = 'head' AND r.arm = u.mark AND r.workload = h.workload
ORDER BY h.workload
ON CONFLICT (repository, workload, metric, epoch, position) DO UPDATE
SET sha = EXCLUDED.sha, run = EXCLUDED.run, ratio = EXCLUDED.ratio, due = true
