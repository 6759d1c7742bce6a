-- The repository of job $1 where it runs under fence $2, and whether commit $3 is one of its.
SELECT r.name, j.state = 'running' AND j.fence = $2::bigint,
       $3 IN (j.head, coalesce(j.base, j.head), s.driver_sha)
FROM store.job j
JOIN store.repository r ON r.id = j.repository
JOIN store.suite s ON s.repository = j.repository AND s.hash = j.suite_hash
WHERE j.id = $1::bigint
