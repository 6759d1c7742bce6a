-- Takes the due points of repository $1, workload $2, metric $6 and epoch $3 (the newest, and those less
-- than $5 positions before it), and answers the stretch of the series that they may change, oldest first:
-- with $4 points before them and as many behind. → position, commit, log ratio, the levels and the chance
-- of a known change point, whether the point was taken, whether the pair of its own run showed a
-- regression, the workload's name, whether the series goes on before and behind the stretch, the metric's
-- name, and whether less of it is better.
-- Whoever takes of the same series meanwhile waits, and finds nothing.
WITH wanted AS MATERIALIZED (
    SELECT p.position FROM store.point p
    WHERE p.repository = $1::integer AND p.workload = $2::integer AND p.metric = $6::integer
      AND p.epoch = $3::integer AND p.due
      AND p.position > (SELECT max(d.position) FROM store.point d
                        WHERE d.repository = $1::integer AND d.workload = $2::integer
                          AND d.metric = $6::integer AND d.epoch = $3::integer AND d.due) - $5::bigint
    ORDER BY p.position
    FOR NO KEY UPDATE
), taken AS (
    UPDATE store.point p SET due = false
    FROM wanted w
    WHERE p.repository = $1::integer AND p.workload = $2::integer AND p.metric = $6::integer
      AND p.epoch = $3::integer AND p.position = w.position AND p.due
    RETURNING p.position, p.run
), stretch AS MATERIALIZED (
    (SELECT p.position, p.sha, p.ratio FROM store.point p
     WHERE p.repository = $1::integer AND p.workload = $2::integer AND p.metric = $6::integer
       AND p.epoch = $3::integer AND p.position >= (SELECT min(position) FROM taken)
       AND p.position <= (SELECT max(position) FROM taken))
    UNION ALL
    (SELECT p.position, p.sha, p.ratio FROM store.point p
     WHERE p.repository = $1::integer AND p.workload = $2::integer AND p.metric = $6::integer
       AND p.epoch = $3::integer AND p.position < (SELECT min(position) FROM taken)
     ORDER BY p.position DESC LIMIT $4::integer)
    UNION ALL
    (SELECT p.position, p.sha, p.ratio FROM store.point p
     WHERE p.repository = $1::integer AND p.workload = $2::integer AND p.metric = $6::integer
       AND p.epoch = $3::integer AND p.position > (SELECT max(position) FROM taken)
     ORDER BY p.position LIMIT $4::integer)
), ends AS MATERIALIZED (
    SELECT EXISTS (SELECT FROM store.point p
                   WHERE p.repository = $1::integer AND p.workload = $2::integer
                     AND p.metric = $6::integer AND p.epoch = $3::integer
                     AND p.position < (SELECT min(position) FROM stretch)) AS before,
           EXISTS (SELECT FROM store.point p
                   WHERE p.repository = $1::integer AND p.workload = $2::integer
                     AND p.metric = $6::integer AND p.epoch = $3::integer
                     AND p.position > (SELECT max(position) FROM stretch)) AS behind
)
SELECT s.position, s.sha, s.ratio, k.before, k.after, k.p, t.run IS NOT NULL,
       EXISTS (SELECT FROM store.comparison c
               WHERE c.repository = $1::integer AND c.run = t.run AND c.workload = $2::integer
                 AND c.metric = $6::integer AND c.verdict = 'regressed'),
       (SELECT w.name FROM store.workload w
        WHERE w.repository = $1::integer AND w.id = $2::integer),
       e.before, e.behind, m.name, m.better = 'lower'
FROM stretch s
CROSS JOIN ends e
JOIN store.metric m ON m.id = $6::integer
LEFT JOIN taken t ON t.position = s.position
LEFT JOIN store.change_point k ON k.repository = $1::integer AND k.workload = $2::integer
    AND k.metric = $6::integer AND k.epoch = $3::integer AND k.position = s.position
ORDER BY s.position
