-- The result of job $1, which runs under fence $2, was refused ($3: why): the attempt is over, and the
-- job waits again or is dead after $4 attempts.
UPDATE store.job
SET state = CASE WHEN attempt >= $4::integer THEN 'dead' ELSE 'queued' END,
    finished = CASE WHEN attempt >= $4::integer THEN now() END, lease_until = NULL, progress = NULL,
    reason = format('the result of runner %s was refused (attempt %s of %s): %s', runner, attempt,
                    $4, $3::text)
WHERE id = $1::bigint AND fence = $2::bigint AND state = 'running'
