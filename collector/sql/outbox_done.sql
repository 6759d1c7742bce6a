-- Message $2 of repository $1 was delivered.
UPDATE store.outbox SET delivered = now(), last_error = NULL
WHERE repository = $1::integer AND id = $2::bigint
