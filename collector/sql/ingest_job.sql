-- Job $2 of repository $1 has its result.
UPDATE store.job
SET state = 'done', finished = now(), lease_until = NULL, progress = NULL, reason = NULL
WHERE repository = $1::integer AND id = $2::bigint
