-- Suspect $2 of repository $1 ends as $3, because of $4.
UPDATE store.suspect SET state = $3, reason = $4, changed = now()
WHERE repository = $1::integer AND id = $2::bigint
