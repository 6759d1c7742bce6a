-- The newest $1 jobs, those of repository $2, in state $3, of kind $4 and older than job $5 (each
-- NULL: all), and the number to ask on from.
WITH shown AS MATERIALIZED (
    SELECT j.repository, j.id FROM store.job j
    WHERE ($2::text IS NULL
           OR j.repository = (SELECT r.id FROM store.repository r WHERE r.name = $2))
      AND ($3::text IS NULL OR j.state = $3) AND ($4::text IS NULL OR j.kind = $4)
      AND ($5::bigint IS NULL OR j.id < $5::bigint)
    ORDER BY j.id DESC
    LIMIT $1::integer
)
SELECT json_build_object(
    'jobs', coalesce(json_agg(store.job_json(s.repository, s.id, f.estimate_s, f.finish)
                              ORDER BY s.id DESC), '[]'),
    'next', CASE WHEN count(*) = $1::integer THEN min(s.id) END)
FROM shown s
LEFT JOIN store.job_forecast f ON f.repository = s.repository AND f.id = s.id
