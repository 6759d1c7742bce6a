-- Run $2 of repository $1 adds a point to each series that it measured, where its commit lies on the
-- main line. → workload (id, name), epoch, position, and the margin of the workload
INSERT INTO store.point (repository, workload, epoch, position, sha, run, ratio)
SELECT u.repository, h.workload, u.epoch, c.position, c.sha, u.id, ln(h.median / r.median)
FROM store.run u
JOIN store.commit c ON c.repository = u.repository AND c.sha = u.head AND c.mainline
JOIN store.metric t ON t.name = 'throughput'
JOIN store.measurement h ON h.repository = u.repository AND h.run = u.id AND h.metric = t.id
    AND h.arm = 'head' AND h.median > 0
JOIN store.measurement r ON r.repository = u.repository AND r.run = u.id AND r.metric = t.id
    AND r.workload = h.workload AND r.arm = 'control' AND r.median > 0
WHERE u.repository = $1::integer AND u.id = $2::uuid AND u.status = 'measured' AND u.epoch IS NOT NULL
  AND u.verdict IS DISTINCT FROM 'failed'
ON CONFLICT (repository, workload, epoch, position) DO UPDATE
SET sha = EXCLUDED.sha, run = EXCLUDED.run, ratio = EXCLUDED.ratio
RETURNING workload, (SELECT w.name FROM store.workload w
                     WHERE w.repository = point.repository AND w.id = point.workload),
          epoch, position
