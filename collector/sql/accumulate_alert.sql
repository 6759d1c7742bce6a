-- Small regressions of workload $3 (name) in metric $9 add up with run $2 of repository $1: change $4, low $5, high
-- $6 (fractions), sentence $7, their commits $8. An alert that began with the same commit and is not
-- resolved grows; else there is a new one. → its number where it is new
WITH there AS (
    SELECT a.repository, a.id FROM store.alert a
    JOIN store.workload w ON w.repository = a.repository AND w.id = a.workload AND w.name = $3
    WHERE a.repository = $1::integer AND a.kind = 'accumulated' AND a.state <> 'resolved'
      AND a.detail -> 'commits' -> 0 ->> 'sha' = $8::jsonb -> 'commits' -> 0 ->> 'sha'
), at AS (
    SELECT u.repository, u.id AS run, u.head, w.id AS workload, t.id AS metric
    FROM store.run u
    JOIN store.run_workload x ON x.repository = u.repository AND x.run = u.id
    JOIN store.workload w ON w.repository = x.repository AND w.id = x.workload AND w.name = $3
    JOIN store.metric t ON t.name = $9
    WHERE u.repository = $1::integer AND u.id = $2::uuid
), grown AS (
    UPDATE store.alert a
    SET run = at.run, head = at.head, change = $4::double precision, low = $5::double precision,
        high = $6::double precision, sentence = $7, detail = $8::jsonb, changed = now()
    FROM at, there
    WHERE a.repository = there.repository AND a.id = there.id AND a.head <> at.head
    RETURNING a.repository, a.id
), noted AS (
    INSERT INTO store.alert_event (repository, alert, who, action, note)
    SELECT repository, id, 'hakperf', 'noted', 'it grew: ' || $7 FROM grown
)
INSERT INTO store.alert (repository, run, head, workload, metric, change, low, high, sentence, kind,
                         detail)
SELECT at.repository, at.run, at.head, at.workload, at.metric, $4::double precision,
       $5::double precision, $6::double precision, $7, 'accumulated', $8::jsonb
FROM at
WHERE NOT EXISTS (SELECT FROM there)
ON CONFLICT DO NOTHING
RETURNING id
