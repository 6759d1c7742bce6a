-- The repository named $1.
SELECT id, url, suite_hash FROM store.repository WHERE name = $1
