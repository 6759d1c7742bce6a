-- The last $4 commits of the main line up to commit $3 with what was said of workload $2 (name) in
-- metric $5, where that is the one its suite named, oldest first. A commit that was to be measured and
-- was not has a NULL verdict; one that touches nothing watched, or builds to the same code, is identical.
SELECT x.sha, x.subject,
       CASE WHEN x.run IS NULL AND NOT x.watched OR x.status = 'identical' THEN 'identical'
            ELSE k.verdict END,
       k.size, k.estimate, k.low, k.high, k.pairs
FROM (
    SELECT c.repository, c.sha, c.subject, c.position, c.watched, u.id AS run, u.status
    FROM store.commit h
    JOIN store.commit c ON c.repository = h.repository AND c.mainline AND c.position <= h.position
    LEFT JOIN LATERAL (
        SELECT u.id, u.status FROM store.run u
        WHERE u.repository = c.repository AND u.head = c.sha AND u.against_parent
          AND u.kind NOT IN ('confirm', 'aa', 'canary')
        ORDER BY u.stored DESC LIMIT 1
    ) u ON true
    WHERE h.repository = $1::integer AND h.sha = $3 AND h.mainline
    ORDER BY c.position DESC
    LIMIT $4::integer
) x
LEFT JOIN (
    SELECT k.*, w.name FROM store.comparison k
    JOIN store.workload w ON w.repository = k.repository AND w.id = k.workload
    JOIN store.metric t ON t.id = k.metric AND t.name = $5
    WHERE k.gates
) k ON k.repository = x.repository AND k.run = x.run AND k.name = $2
ORDER BY x.position
