-- LOG ENTRIES of repository $1: at most $2 commits of the main line, behind commit $3 if given,
-- without those that nobody wanted measured if $4.
WITH page AS (
    SELECT c.* FROM store.commit_state c
    WHERE c.repository = $1::integer AND c.mainline
      AND c.position < CASE WHEN $3::text IS NULL THEN 9223372036854775807
                            ELSE (SELECT b.position FROM store.commit b
                                  WHERE b.repository = $1::integer AND b.sha = $3) END
      AND NOT ($4::boolean AND c.state = 'unwatched')
    ORDER BY c.position DESC
    LIMIT $2::integer + 1
), numbered AS (
    SELECT p.*, row_number() OVER (ORDER BY p.position DESC) AS line FROM page p
)
SELECT json_build_object(
    'commits', coalesce(json_agg(json_build_object(
        'sha', c.sha, 'short', left(c.sha, 7), 'subject', c.subject, 'author', c.author,
        'time', to_char(c.committed, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'parents', to_json(c.parents),
        'state', c.state, 'verdict', c.verdict, 'size', c.size, 'change', exp(c.estimate) - 1,
        'metric', m.name, 'unit', m.unit, 'better', m.better, 'value', c.value,
        'throughput', c.throughput, 'kernel_share', c.kernel_share,
        'ace_failures', c.ace_failures, 'workload', c.workload, 'reason', c.reason,
        'reverts', (SELECT x.reverts FROM store.commit x
                    WHERE x.repository = $1::integer AND x.sha = c.sha),
        'changepoints', (SELECT coalesce(json_agg(json_build_object(
                'workload', w.name, 'metric', s.name, 'better', s.better, 'change', k.change) ORDER BY abs(k.change) DESC), '[]')
            FROM store.change_point k
            JOIN store.workload w ON w.repository = k.repository AND w.id = k.workload
            JOIN store.metric s ON s.id = k.metric
            WHERE k.repository = $1::integer AND k.sha = c.sha)
    ) ORDER BY c.line) FILTER (WHERE c.line <= $2::integer), '[]'),
    'next', (SELECT n.sha FROM numbered n
             WHERE n.line = $2::integer AND EXISTS (SELECT FROM numbered m WHERE m.line > n.line)))
FROM numbered c
LEFT JOIN store.metric m ON m.id = c.metric
