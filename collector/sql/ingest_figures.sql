-- The figures of run $2 of repository $1, stored at $3. $4: every figure (workload name and hash,
-- arm, metric, n, median, low, high, missing, and the samples behind it as an array literal, or
-- null where it is a single value).
WITH figure AS MATERIALIZED (
    SELECT w.id AS workload, m.id AS metric, x.*
    FROM json_to_recordset($4::json) AS x(
        name text, hash text, m text, arm text, n integer, median double precision,
        low double precision, high double precision, missing text, samples text)
    JOIN store.workload w ON w.repository = $1::integer AND w.name = x.name AND w.hash = x.hash
    JOIN store.metric m ON m.name = x.m
), measured AS (
    INSERT INTO store.measurement (repository, run, workload, metric, arm, n, median, low, high,
                                   missing)
    SELECT $1::integer, $2::uuid, workload, metric, arm, n, median, low, high, missing
    FROM figure
)
INSERT INTO store.sample_set (repository, stored, run, workload, metric, arm, samples)
SELECT $1::integer, $3::timestamptz, $2::uuid, workload, metric, arm, samples::double precision[]
FROM figure
WHERE samples IS NOT NULL
