-- Run $2 of repository $1 compared a merge with its first parent: its other parents are due too. Step
-- by step: from the one run to its parents, whatever the statistics say of the tables.
WITH merge AS MATERIALIZED (
    SELECT c.sha, c.parents[2:] AS others, c.position, u.suite_hash
    FROM store.run u, store.commit c
    WHERE u.repository = $1::integer AND u.id = $2::uuid AND u.kind = 'commit'
      AND u.status <> 'failed' AND c.repository = $1::integer AND c.sha = u.head
      AND cardinality(c.parents) > 1
)
INSERT INTO store.job (repository, kind, head, base, suite_hash, priority, position)
SELECT $1::integer, 'compare', m.sha, p.sha, m.suite_hash, 1, m.position
FROM merge m
CROSS JOIN LATERAL unnest(m.others) AS o(sha)
CROSS JOIN LATERAL (
    SELECT c.sha FROM store.commit c WHERE c.repository = $1::integer AND c.sha = o.sha OFFSET 0
) p
WHERE NOT EXISTS (SELECT FROM store.job j
                  WHERE j.repository = $1::integer AND j.head = m.sha AND j.base = p.sha)
ON CONFLICT DO NOTHING
