-- JOB STATE of job $1.
SELECT store.job_json(j, r.name, c.subject, f.estimate_s, f.finish)
FROM store.job j
JOIN store.repository r ON r.id = j.repository
JOIN store.commit c ON c.repository = j.repository AND c.sha = j.head
LEFT JOIN LATERAL (
    SELECT f.estimate_s, f.finish FROM store.job_forecast f
    WHERE j.state IN ('queued', 'running') AND f.repository = j.repository AND f.id = j.id
) f ON true
WHERE j.id = $1::bigint
