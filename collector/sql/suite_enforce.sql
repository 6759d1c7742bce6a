-- The suite in force for repository $1 is the one with hash $2.
UPDATE store.repository SET suite_hash = $2 WHERE id = $1::integer
