-- Leases that are over: the job waits again, or is dead after $1 attempts. What waits for a job
-- that was given up, or for a runner that nobody saw for a day, is dead too. One row: how many wait
-- again, and how many are dead. Who expires at the same time takes other rows.
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
), hopeless AS (
    SELECT j.repository, j.id,
           CASE WHEN gone.id IS NOT NULL
                THEN format('job %s, which it depends on, is %s', gone.id, gone.state)
                ELSE format('runner %s, which alone may do it, was not seen for a day',
                            j.only_runner) END AS reason
    FROM store.job j
    LEFT JOIN LATERAL (
        SELECT d.id, d.state FROM store.job d
        WHERE j.depends_on <> '{}' AND d.repository = j.repository AND d.id = ANY (j.depends_on)
          AND d.state IN ('dead', 'cancelled')
        LIMIT 1
    ) gone ON true
    WHERE j.state = 'queued' AND (j.depends_on <> '{}' OR j.only_runner IS NOT NULL)
      AND (gone.id IS NOT NULL
           OR j.created < now() - interval '1 day' AND j.only_runner IS NOT NULL
              AND NOT EXISTS (SELECT FROM store.runner x WHERE x.name = j.only_runner
                                                           AND x.seen > now() - interval '1 day'))
    FOR UPDATE OF j SKIP LOCKED
), buried AS (
    UPDATE store.job j SET state = 'dead', finished = now(), reason = hopeless.reason
    FROM hopeless
    WHERE j.repository = hopeless.repository AND j.id = hopeless.id
    RETURNING j.state
)
SELECT count(*) FILTER (WHERE state = 'queued'), count(*) FILTER (WHERE state = 'dead')
FROM (SELECT state FROM ended UNION ALL SELECT state FROM buried) AS x
