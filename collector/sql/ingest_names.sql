-- Makes the names that a run of repository $1 refers to known: its workloads $2 and metrics $3
-- (arrays of objects), its machine $4, its configurations $5. In one order everywhere, so that two
-- results that bring the same new names wait for each other instead of locking each other out.
WITH workloads AS (
    INSERT INTO store.workload (repository, name, hash)
    SELECT $1::integer, x.name, x.hash
    FROM json_to_recordset($2::json) x(name text, hash text)
    WHERE NOT EXISTS (SELECT FROM store.workload w
                      WHERE w.repository = $1::integer AND w.name = x.name AND w.hash = x.hash)
    ORDER BY x.name
    ON CONFLICT DO NOTHING
), metrics AS (
    INSERT INTO store.metric (name, unit, better, text)
    SELECT x.name, x.unit, x.better, x.text
    FROM json_to_recordset($3::json) x(name text, unit text, better text, text text)
    WHERE NOT EXISTS (SELECT FROM store.metric m WHERE m.name = x.name)
    ORDER BY x.name
    ON CONFLICT DO NOTHING
), machines AS (
    INSERT INTO store.machine (repository, fingerprint, facts)
    SELECT $1::integer, x.fingerprint, x.facts
    FROM json_to_record($4::json) x(fingerprint text, facts jsonb)
    ON CONFLICT DO NOTHING
)
INSERT INTO store.configuration (repository, hash, options)
SELECT $1::integer, x.hash, x.options
FROM json_to_recordset($5::json) x(hash text, options jsonb)
ORDER BY x.hash
ON CONFLICT DO NOTHING
