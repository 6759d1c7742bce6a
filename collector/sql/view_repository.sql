-- The id of the repository named $1.
SELECT id FROM store.repository WHERE name = $1
