-- Leases that are over: the job waits again, or is dead after $1 attempts. One row: how many of
-- each. Who expires at the same time takes other rows.
WITH late AS (
    SELECT repository, id FROM store.job
    WHERE state = 'running' AND lease_until < now()
    FOR UPDATE SKIP LOCKED
), ended AS (
    UPDATE store.job j
    SET state = CASE WHEN j.attempt >= $1::integer THEN 'dead' ELSE 'queued' END,
        finished = CASE WHEN j.attempt >= $1::integer THEN now() END,
        reason = format('runner %s did not report before its lease ended (attempt %s of %s)',
                        j.runner, j.attempt, $1)
    FROM late
    WHERE j.repository = late.repository AND j.id = late.id
    RETURNING j.state
)
SELECT count(*) FILTER (WHERE state = 'queued'), count(*) FILTER (WHERE state = 'dead') FROM ended
