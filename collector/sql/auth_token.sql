-- The token of a hash ($1) that is in force; its use is noted to the minute.
WITH used AS (
    UPDATE store.token SET last_used = now()
    WHERE hash = $1 AND revoked IS NULL
      AND (last_used IS NULL OR last_used < now() - interval '1 minute')
)
SELECT hash, scope, name
FROM store.token
WHERE hash = $1 AND revoked IS NULL AND (expires IS NULL OR expires > now())
