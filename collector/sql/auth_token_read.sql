-- The token of a hash ($1) that is in force, where its use cannot be noted.
SELECT hash, scope, name
FROM store.token
WHERE hash = $1 AND revoked IS NULL AND (expires IS NULL OR expires > now())
