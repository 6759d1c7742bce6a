-- The series of workload $2 and metric $3 of repository $1: its last $4 points, oldest first, in the
-- order of the fields that the answer has. Subject and machine are JSON already.
WITH run AS MATERIALIZED (
    SELECT c.position, c.sha, c.subject, c.committed, x.*
    FROM store.commit c
    CROSS JOIN LATERAL (
        SELECT u.id AS run, u.machine, u.against_parent, h.median, h.low, h.high,
               CASE WHEN e.reference IS NULL THEN 'control' ELSE 'reference' END AS mark
        FROM store.run u
        LEFT JOIN store.epoch e ON e.repository = $1::integer AND e.id = u.epoch
        JOIN store.measurement h ON h.repository = $1::integer AND h.run = u.id
            AND h.workload = $2::integer AND h.metric = $3::integer AND h.arm = 'head'
        WHERE u.repository = $1::integer AND u.head = c.sha AND u.status = 'measured'
          AND u.kind NOT IN ('confirm', 'aa', 'canary')
        ORDER BY u.stored DESC LIMIT 1
    ) x
    WHERE c.repository = $1::integer AND c.mainline AND x.median IS NOT NULL
    ORDER BY c.position DESC
    LIMIT $4::integer
), point AS (
    -- OFFSET 0: one look-up a point, never the whole table.
    SELECT n.*, k.verdict, CASE WHEN r.median <> 0 THEN n.median / r.median END AS ratio,
           -- Errors of head and reference are independent: their half-widths add in quadrature.
           CASE WHEN n.low > 0 AND r.low > 0 THEN
               exp(sqrt(power(ln(n.high / n.low) / 2, 2) + power(ln(r.high / r.low) / 2, 2)))
           END AS factor
    FROM run n
    LEFT JOIN LATERAL (
        SELECT r.median, r.low, r.high FROM store.measurement r
        WHERE r.repository = $1::integer AND r.run = n.run AND r.workload = $2::integer
          AND r.metric = $3::integer AND r.arm = n.mark OFFSET 0) r ON true
    LEFT JOIN LATERAL (
        SELECT k.verdict FROM store.comparison k
        WHERE k.repository = $1::integer AND k.run = n.run AND k.workload = $2::integer
          AND k.metric = $3::integer AND n.against_parent OFFSET 0) k ON true
)
SELECT p.sha, left(p.sha, 7), to_json(p.subject), to_char(p.committed, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       p.median, p.low, p.high, p.verdict, p.run, p.ratio, p.ratio / p.factor, p.ratio * p.factor,
       to_json(left(p.machine, 12)), CASE WHEN p.ratio IS NOT NULL THEN p.mark END
FROM point p
ORDER BY p.position
