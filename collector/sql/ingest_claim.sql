-- The job $1 that a result belongs to, held until the transaction ends, with its suite.
SELECT r.id, r.name, j.id, j.kind, j.head, j.base, j.suite_hash, j.run, j.fence, j.attempt,
       coalesce(j.base, '') = coalesce(c.parents[1], '') AND j.kind <> 'bisect', j.state = 'done', s.document, j.confirms, j.plan
FROM store.job j
JOIN store.repository r ON r.id = j.repository
JOIN store.suite s ON s.repository = j.repository AND s.hash = j.suite_hash
JOIN store.commit c ON c.repository = j.repository AND c.sha = j.head
WHERE j.id = $1::bigint
FOR NO KEY UPDATE OF j
