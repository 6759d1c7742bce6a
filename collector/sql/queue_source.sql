-- The repository of job $1 where it runs under fence $2, whether commit $3 is one of its, and where
-- that is the driver's from elsewhere, the address it comes from.
SELECT r.name, j.state = 'running' AND j.fence = $2::bigint,
       $3 IN (j.head, coalesce(j.base, j.head), coalesce(s.reference_sha, j.head), s.driver_sha),
       CASE WHEN $3 = s.driver_sha
                 AND $3 NOT IN (j.head, coalesce(j.base, j.head), coalesce(s.reference_sha, j.head))
            THEN s.document -> 'driver' ->> 'repository' END
FROM store.job j
JOIN store.repository r ON r.id = j.repository
JOIN store.suite s ON s.repository = j.repository AND s.hash = j.suite_hash
WHERE j.id = $1::bigint
