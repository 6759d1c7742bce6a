-- The series of workload $2 (NULL: the first by name) and metric $3 of repository $1: its last $4
-- points, oldest first. NULL where there is no such workload or metric.
WITH workload AS (
    -- Of several definitions with that name the one that was measured last.
    SELECT w.id, w.name FROM store.workload w
    WHERE w.repository = $1::integer
      AND w.name = coalesce($2::text, (SELECT min(name) FROM store.workload
                                       WHERE repository = $1::integer))
    ORDER BY (SELECT u.stored FROM store.run u
              WHERE u.repository = $1::integer
                AND EXISTS (SELECT FROM store.run_workload x
                            WHERE x.repository = $1::integer AND x.run = u.id AND x.workload = w.id)
              ORDER BY u.stored DESC LIMIT 1) DESC NULLS LAST, w.id DESC
    LIMIT 1
), metric AS (
    SELECT id, name, unit, better FROM store.metric WHERE name = $3
), point AS (
    SELECT c.position, c.sha, c.subject, c.committed, x.*
    FROM workload w, metric m, store.commit c
    CROSS JOIN LATERAL (
        SELECT u.id AS run, u.machine, h.median, h.low, h.high, k.verdict,
               CASE WHEN r.median <> 0 THEN h.median / r.median END AS ratio,
               -- Errors of head and control are independent: their half-widths add in quadrature.
               CASE WHEN h.low > 0 AND r.low > 0 THEN
                   sqrt(power(ln(h.high / h.low) / 2, 2) + power(ln(r.high / r.low) / 2, 2))
               END AS half_width
        FROM store.run u
        JOIN store.measurement h ON h.repository = u.repository AND h.run = u.id
            AND h.workload = w.id AND h.metric = m.id AND h.arm = 'head'
        LEFT JOIN store.measurement r ON r.repository = u.repository AND r.run = u.id
            AND r.workload = w.id AND r.metric = m.id AND r.arm = 'control'
        LEFT JOIN store.comparison k ON k.repository = u.repository AND k.run = u.id
            AND k.workload = w.id AND k.metric = m.id AND u.against_parent
        WHERE u.repository = $1::integer AND u.head = c.sha AND u.status = 'measured'
          AND u.kind NOT IN ('confirm', 'aa', 'canary')
        ORDER BY u.stored DESC LIMIT 1
    ) x
    WHERE c.repository = $1::integer AND c.mainline AND x.median IS NOT NULL
    ORDER BY c.position DESC
    LIMIT $4::integer
)
SELECT json_build_object(
    'workload', w.name, 'metric', m.name, 'unit', m.unit, 'better', m.better,
    'points', coalesce((SELECT json_agg(json_build_object(
        'sha', p.sha, 'short', left(p.sha, 7), 'subject', p.subject,
        'time', to_char(p.committed, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'value', p.median, 'low', p.low, 'high', p.high, 'verdict', p.verdict, 'run', p.run,
        'ratio', p.ratio, 'ratio_low', p.ratio * exp(-p.half_width),
        'ratio_high', p.ratio * exp(p.half_width), 'machine', left(p.machine, 12)
    ) ORDER BY p.position) FROM point p), '[]'))
FROM workload w, metric m
