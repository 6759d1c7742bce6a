-- What a look at repository $1 starts from. Two looks at one repository exclude each other until
-- the transaction ends; jobs and results go on.
SELECT r.id, r.url, r.looked IS NULL, r.default_ref,
       coalesce(s.document -> 'repository' -> 'branches', '[]'),
       coalesce(s.document -> 'repository' -> 'watch', '[]'),
       (SELECT coalesce(jsonb_object_agg(t.ref, t.sha), '{}')
        FROM store.ref_tip t WHERE t.repository = r.id),
       (SELECT coalesce(jsonb_agg(DISTINCT t.sha), '[]')
        FROM store.ref_tip t WHERE t.repository = r.id AND t.watched),
       r.looked_suite IS DISTINCT FROM r.suite_hash
FROM store.repository r
LEFT JOIN store.suite s ON s.repository = r.id AND s.hash = r.suite_hash
WHERE r.name = $1
FOR NO KEY UPDATE OF r
