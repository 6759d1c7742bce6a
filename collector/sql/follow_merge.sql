-- Run $2 of repository $1 compared a merge with its first parent: its other parents are due too.
INSERT INTO store.job (repository, kind, head, base, suite_hash, priority, position)
SELECT u.repository, 'compare', c.sha, p.sha, u.suite_hash, 1, c.position
FROM store.run u
JOIN store.commit c ON c.repository = u.repository AND c.sha = u.head
JOIN store.commit p ON p.repository = u.repository AND p.sha = ANY (c.parents[2:])
WHERE u.repository = $1::integer AND u.id = $2::uuid AND u.kind = 'commit' AND u.status <> 'failed'
  AND NOT EXISTS (SELECT FROM store.job j WHERE j.repository = u.repository AND j.head = c.sha
                                            AND j.base = p.sha)
ON CONFLICT DO NOTHING
