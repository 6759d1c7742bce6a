-- The newest $1 jobs, those of repository $2, in state $3, of kind $4 and older than job $5 (each
-- NULL: all), and the number to ask on from. Those that were given up are few and have an index.
WITH shown AS MATERIALIZED (
    SELECT x.repository, x.id
    FROM (
        (SELECT j.repository, j.id FROM store.job j
         WHERE coalesce($3::text, '') NOT IN ('dead', 'cancelled')
           AND ($2::text IS NULL
                OR j.repository = (SELECT r.id FROM store.repository r WHERE r.name = $2))
           AND ($3::text IS NULL OR j.state = $3) AND ($4::text IS NULL OR j.kind = $4)
           AND j.id < coalesce($5::bigint, 9223372036854775807)
         ORDER BY j.id DESC
         LIMIT $1::integer)
        UNION ALL
        (SELECT j.repository, j.id FROM store.job j
         WHERE $3::text IN ('dead', 'cancelled') AND j.state IN ('dead', 'cancelled')
           AND ($2::text IS NULL
                OR j.repository = (SELECT r.id FROM store.repository r WHERE r.name = $2))
           AND j.state = $3 AND ($4::text IS NULL OR j.kind = $4)
           AND j.id < coalesce($5::bigint, 9223372036854775807)
         ORDER BY j.id DESC
         LIMIT $1::integer)
    ) x
)
SELECT json_build_object(
    'jobs', coalesce(json_agg(j.json ORDER BY s.id DESC), '[]'),
    'next', CASE WHEN count(*) = $1::integer THEN min(s.id) END)
FROM shown s
LEFT JOIN store.job_forecast f ON f.repository = s.repository AND f.id = s.id
CROSS JOIN LATERAL (
    -- OFFSET 0: one look-up a job, whatever the statistics say of the tables.
    SELECT store.job_json(j, r.name, c.subject, f.estimate_s, f.finish) AS json
    FROM store.job j
    JOIN store.repository r ON r.id = j.repository
    JOIN store.commit c ON c.repository = j.repository AND c.sha = j.head
    WHERE j.repository = s.repository AND j.id = s.id OFFSET 0) j
