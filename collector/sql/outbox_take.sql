-- Takes a message that is due, and puts off its next attempt so that no other collector takes it:
-- 10 s after the first, doubled up to an hour.
WITH due AS (
    SELECT repository, id FROM store.outbox
    WHERE delivered IS NULL AND given_up IS NULL AND next_attempt <= now()
    ORDER BY next_attempt
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
UPDATE store.outbox o
SET attempts = o.attempts + 1,
    next_attempt = now() + make_interval(secs => least(10 * 2 ^ least(o.attempts, 20), 3600))
FROM due
WHERE o.repository = due.repository AND o.id = due.id
RETURNING o.repository, o.id, o.kind, o.payload, o.attempts
