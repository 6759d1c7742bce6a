-- What joins revisions $2 (base) and $3 (head) of repository $1 that no run compared: the steps of the
-- first-parent lines from both to where they meet, each commit against its parent, and the figures of
-- either (and of commits that join their epochs) against the reference that takes part in every run, or the control where the suite names none. NULL where one of the two is unknown.
WITH RECURSIVE head_line AS (
    SELECT c.sha, c.parents[1] AS parent, c.watched, 0 AS depth
    FROM store.commit c WHERE c.repository = $1::integer AND c.sha = $3
    UNION ALL
    SELECT c.sha, c.parents[1], c.watched, h.depth + 1
    FROM head_line h JOIN store.commit c ON c.repository = $1::integer AND c.sha = h.parent
    WHERE h.depth < 1000 AND h.sha <> $2
), base_line AS (
    SELECT c.sha, c.parents[1] AS parent, c.watched, 0 AS depth
    FROM store.commit c WHERE c.repository = $1::integer AND c.sha = $2
    UNION ALL
    SELECT c.sha, c.parents[1], c.watched, b.depth + 1
    FROM base_line b JOIN store.commit c ON c.repository = $1::integer AND c.sha = b.parent
    WHERE b.depth < 1000 AND NOT EXISTS (SELECT FROM head_line h WHERE h.sha = b.sha)
), met AS (
    SELECT h.depth AS head_depth, b.depth AS base_depth
    FROM head_line h JOIN base_line b USING (sha) ORDER BY h.depth LIMIT 1
), wanted AS (
    -- Of each workload the metric that decides it by its newest definition, whichever it is measured by.
    SELECT w.id, w.name, last_value(w.metric) OVER (PARTITION BY w.name ORDER BY w.id
               ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS metric
    FROM store.workload w
    WHERE w.repository = $1::integer
), step AS (
    SELECT h.sha, h.watched, 1 AS sign, h.depth FROM head_line h, met WHERE h.depth < met.head_depth
    UNION ALL
    SELECT b.sha, b.watched, -1, b.depth FROM base_line b, met WHERE b.depth < met.base_depth
), measured AS (
    SELECT s.*, u.id AS run, u.status
    FROM step s
    LEFT JOIN LATERAL (
        SELECT u.id, u.status FROM store.run u
        WHERE u.repository = $1::integer AND u.head = s.sha AND u.against_parent
          AND u.status <> 'failed' AND u.verdict IS DISTINCT FROM 'failed'
          AND u.kind NOT IN ('confirm', 'aa', 'canary')
        ORDER BY u.stored DESC LIMIT 1
    ) u ON true
), told AS (
    SELECT coalesce(json_agg(json_build_object(
        'sign', m.sign, 'same', NOT m.watched AND m.run IS NULL OR m.status = 'identical',
        'measured', m.run IS NOT NULL,
        'workloads', (SELECT json_object_agg(w.name, json_build_object(
                'estimate', k.estimate, 'low', k.low, 'high', k.high, 'pairs', k.pairs,
                'margin', x.margin))
            FROM store.comparison k
            JOIN wanted w ON w.id = k.workload AND w.metric = k.metric
            JOIN store.run_workload x ON x.repository = k.repository AND x.run = k.run
                AND x.workload = k.workload AND x.metric = k.metric
            WHERE k.repository = $1::integer AND k.run = m.run AND k.estimate IS NOT NULL))), '[]') AS list
    FROM measured m
), side AS (
    SELECT 'head' AS name, $3::text AS sha UNION ALL SELECT 'base', $2::text
), span AS (
    SELECT min(u.epoch) AS first, max(u.epoch) AS last
    FROM side JOIN store.run u ON u.repository = $1::integer AND u.head = side.sha
), asked AS (
    SELECT name, sha FROM side
    UNION
    SELECT 'bridge', e.bridge FROM store.epoch e, span
    WHERE e.repository = $1::integer AND e.id > span.first AND e.id <= span.last
      AND e.bridge IS NOT NULL
), point AS (
    -- As head or as base of a run; what a canary slows down is not the commit itself.
    SELECT side.name AS side, side.sha, w.name AS workload, w.id, u.epoch, u.id AS run, x.layout_sd, x.margin,
           o.median, ln(o.median / c.median) AS ratio, least(o.n, c.n) AS n,
           sqrt(power(ln(o.high / o.low) / 2, 2) + power(ln(c.high / c.low) / 2, 2)) AS half,
           coalesce(a.code_hash, '') AS reference
    FROM asked side
    JOIN LATERAL (
        SELECT u.*, CASE WHEN u.head = side.sha THEN 'head' ELSE 'base' END AS arm
        FROM store.run u
        WHERE u.repository = $1::integer AND (u.head = side.sha OR u.base = side.sha)
          AND u.status = 'measured' AND u.verdict IS DISTINCT FROM 'failed'
          AND u.kind <> 'canary' AND u.epoch IS NOT NULL
        ORDER BY u.stored DESC LIMIT 20
    ) u ON true
    JOIN store.epoch e ON e.repository = $1::integer AND e.id = u.epoch
    CROSS JOIN LATERAL (
        SELECT CASE WHEN e.reference IS NULL THEN 'control' ELSE 'reference' END AS arm) mark
    JOIN store.run_workload x ON x.repository = $1::integer AND x.run = u.id
    JOIN wanted w ON w.id = x.workload
    JOIN store.measurement o ON o.repository = $1::integer AND o.run = u.id AND o.metric = w.metric
        AND o.workload = w.id AND o.arm = u.arm AND o.low > 0 AND o.high >= o.low
    JOIN store.measurement c ON c.repository = $1::integer AND c.run = u.id AND c.metric = w.metric
        AND c.workload = w.id AND c.arm = mark.arm AND c.low > 0 AND c.high >= c.low
    LEFT JOIN store.arm a ON a.repository = $1::integer AND a.run = u.id AND a.name = mark.arm
), points AS (
    SELECT coalesce(json_agg(to_json(p)), '[]') AS list FROM point p
), value AS (
    -- For display: the newest figures of each side, compared with a control or not.
    SELECT w.name AS workload, t.name AS metric, side.name AS side, x.median
    FROM side
    CROSS JOIN store.metric t
    CROSS JOIN store.workload w
    JOIN LATERAL (
        SELECT m.median
        FROM store.run u
        JOIN store.measurement m ON m.repository = u.repository AND m.run = u.id
            AND m.workload = w.id AND m.metric = t.id
            AND m.arm = CASE WHEN u.head = side.sha THEN 'head' ELSE 'base' END
        WHERE u.repository = $1::integer AND (u.head = side.sha OR u.base = side.sha)
          AND u.status = 'measured' AND u.kind <> 'canary' AND m.median IS NOT NULL
        ORDER BY u.stored DESC LIMIT 1
    ) x ON true
    WHERE w.repository = $1::integer
      AND (t.name IN ('kernel_share', 'ace_failures')
           OR t.id = (SELECT d.metric FROM wanted d WHERE d.id = w.id))
)
SELECT json_build_object(
    'base', json_build_object('sha', b.sha, 'short', left(b.sha, 7), 'subject', b.subject),
    'head', json_build_object('sha', h.sha, 'short', left(h.sha, 7), 'subject', h.subject),
    'metrics', (SELECT coalesce(json_object_agg(w.name, json_build_object(
                    'metric', t.name, 'unit', t.unit, 'better', t.better)), '{}')
                FROM (SELECT DISTINCT name, metric FROM wanted) w
                JOIN store.metric t ON t.id = w.metric),
    'met', EXISTS (SELECT FROM met), 'steps', told.list, 'points', points.list,
    'values', (SELECT coalesce(json_agg(to_json(v)), '[]') FROM value v))
FROM store.commit b
JOIN store.commit h ON h.repository = b.repository AND h.sha = $3
CROSS JOIN told
CROSS JOIN points
WHERE b.repository = $1::integer AND b.sha = $2
