-- The repositories with their suite in force, by name. Commits of the main line are numbered without
-- a gap, so the two ends say how many there are.
SELECT json_build_object('repositories', coalesce(json_agg(json_build_object(
    'name', r.name,
    'url', r.url,
    'suite', s.name,
    'suite_hash', r.suite_hash,
    'commits', (SELECT coalesce(max(c.position) - min(c.position) + 1, 0) FROM store.commit c
                WHERE c.repository = r.id AND c.mainline),
    'head', (SELECT t.sha FROM store.ref_tip t WHERE t.repository = r.id AND t.ref = r.default_ref)
) ORDER BY r.name), '[]'))
FROM store.repository r
LEFT JOIN store.suite s ON s.repository = r.id AND s.hash = r.suite_hash
