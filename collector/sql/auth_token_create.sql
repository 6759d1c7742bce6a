-- A token $1 with hash $2 and scope $3, unless one of that name is in force.
INSERT INTO store.token (name, hash, scope)
SELECT $1, $2, $3
WHERE NOT EXISTS (SELECT FROM store.token WHERE name = $1 AND revoked IS NULL)
