-- Message $2 of repository $1 was not delivered because of $3. After three days it is given up.
UPDATE store.outbox
SET last_error = $3, given_up = CASE WHEN created < now() - interval '3 days' THEN now() END
WHERE repository = $1::integer AND id = $2::bigint
