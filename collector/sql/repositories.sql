-- The repositories with their suite in force, by name.
SELECT json_build_object('repositories', coalesce(json_agg(json_build_object(
    'name', r.name,
    'url', r.url,
    'suite', s.name,
    'suite_hash', r.suite_hash,
    'commits', (SELECT count(*) FROM store.commit c WHERE c.repository = r.id AND c.mainline),
    'head', (SELECT t.sha FROM store.ref_tip t WHERE t.repository = r.id AND t.ref = r.default_ref)
) ORDER BY r.name), '[]'))
FROM store.repository r
LEFT JOIN store.suite s ON s.repository = r.id AND s.hash = r.suite_hash
