-- Profiles ($3) and memory over time ($4) of run $2 of repository $1, each with its workload's name
-- and hash.
WITH profile AS (
    INSERT INTO store.profile (repository, run, workload, arm, event, frequency, samples, lost,
                               folded, missing)
    SELECT $1::integer, $2::uuid, w.id, x.arm, x.event, x.frequency, x.samples, x.lost, x.folded,
           x.missing
    FROM json_to_recordset($3::json) AS x(
        name text, hash text, arm text, event text, frequency integer, samples bigint, lost bigint,
        folded text, missing text)
    JOIN store.workload w ON w.repository = $1::integer AND w.name = x.name AND w.hash = x.hash
)
INSERT INTO store.rss (repository, run, workload, arm, seconds, kib, missing)
SELECT $1::integer, $2::uuid, w.id, x.arm, x.seconds, x.kib, x.missing
FROM json_to_recordset($4::json) AS x(
    name text, hash text, arm text, seconds double precision[], kib bigint[], missing text)
JOIN store.workload w ON w.repository = $1::integer AND w.name = x.name AND w.hash = x.hash
