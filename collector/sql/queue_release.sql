-- Gives job $1 back, which runs under fence $2: it waits again at once, and the attempt that was
-- broken off ($3: why) does not count. No row: the lease was lost.
UPDATE store.job
SET state = 'queued', attempt = attempt - 1, lease_until = NULL, progress = NULL,
    reason = format('runner %s gave it back: %s', runner, $3::text)
WHERE id = $1::bigint AND fence = $2::bigint AND state = 'running'
RETURNING 1
