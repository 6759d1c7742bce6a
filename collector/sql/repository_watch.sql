-- The watched paths of repository $1 as a JSON array; empty: all.
SELECT coalesce(s.document -> 'repository' -> 'watch', '[]')
FROM store.repository r
LEFT JOIN store.suite s ON s.repository = r.id AND s.hash = r.suite_hash
WHERE r.id = $1::integer
