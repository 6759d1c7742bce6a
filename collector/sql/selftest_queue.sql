-- Queues the self-tests that are due, $1 hours after the last: on the newest measured commit of each
-- repository that is measured for an hour or longer, behind all other work.
INSERT INTO store.job (repository, kind, head, base, suite_hash, priority, position)
SELECT r.id, test.kind, c.sha, c.sha, r.suite_hash, -1, c.position
FROM store.repository r
JOIN store.suite s ON s.repository = r.id AND s.hash = r.suite_hash
CROSS JOIN (VALUES ('aa'), ('canary')) AS test(kind)
CROSS JOIN LATERAL (
    SELECT c.sha, c.position FROM store.commit c
    WHERE c.repository = r.id AND c.mainline
      AND EXISTS (SELECT FROM store.run u WHERE u.repository = c.repository AND u.head = c.sha
                                            AND u.status = 'measured')
    ORDER BY c.position DESC LIMIT 1
) c
WHERE (test.kind = 'aa' OR s.document -> 'recipe' ? 'canary')
  AND EXISTS (SELECT FROM store.run u WHERE u.repository = r.id
                                        AND u.stored < now() - interval '1 hour')
  AND NOT EXISTS (SELECT FROM store.job j
                  WHERE j.repository = r.id AND j.kind = test.kind
                    AND (j.state IN ('queued', 'running')
                         OR j.created > now() - make_interval(hours => $1::integer)))
ON CONFLICT DO NOTHING
