-- The alert of run $2 of repository $1, with sentence $3 and changes $4, $5, $6 (fractions), the
-- message that tells of it ($7) and its cause $8. No row where the commit has an open alert already.
WITH made AS (
    INSERT INTO store.alert (repository, run, head, workload, metric, change, low, high, sentence,
                             cause)
    SELECT r.repository, r.id, r.head, c.workload, c.metric, $4::double precision,
           $5::double precision, $6::double precision, $3, $8
    FROM store.run r
    JOIN store.comparison c ON c.repository = r.repository AND c.run = r.id
        AND c.workload = r.decided_by AND c.decides
    WHERE r.repository = $1::integer AND r.id = $2::uuid
    ON CONFLICT DO NOTHING
    RETURNING repository, id
), opened AS (
    INSERT INTO store.alert_event (repository, alert, who, action)
    SELECT repository, id, 'hakperf', 'opened' FROM made
), told AS (
    INSERT INTO store.outbox (repository, kind, alert, payload)
    SELECT repository, 'alert', id, jsonb_set($7::jsonb, '{alert}', to_jsonb(id)) FROM made
)
SELECT id FROM made
