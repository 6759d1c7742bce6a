-- The change points of repository $1, workload $2, metric $7 and epoch $3 from position $4 to $5 are those
-- of $6 (position, sha, before, after, change, p). One that stays keeps the time when it was found.
WITH new AS (
    SELECT * FROM json_to_recordset($6::json) AS x(position bigint, sha text,
        before double precision, after double precision, change double precision, p double precision)
), gone AS (
    DELETE FROM store.change_point k
    WHERE k.repository = $1::integer AND k.workload = $2::integer AND k.metric = $7::integer
      AND k.epoch = $3::integer
      AND k.position BETWEEN $4::bigint AND $5::bigint
      AND NOT EXISTS (SELECT FROM new n WHERE n.position = k.position)
)
INSERT INTO store.change_point (repository, workload, metric, epoch, position, sha, before, after,
                                change, p)
SELECT $1::integer, $2::integer, $7::integer, $3::integer, position, sha, before, after, change, p
FROM new
ON CONFLICT (repository, workload, metric, epoch, position) DO UPDATE
SET sha = EXCLUDED.sha, before = EXCLUDED.before, after = EXCLUDED.after,
    change = EXCLUDED.change, p = EXCLUDED.p
