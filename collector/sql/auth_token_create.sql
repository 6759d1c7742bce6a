-- A token $1 with hash $2 and scope $3, for $4 seconds (NULL: for ever), unless one of that name is
-- in force.
INSERT INTO store.token (name, hash, scope, expires)
SELECT $1, $2, $3, now() + make_interval(secs => $4::double precision)
WHERE NOT EXISTS (SELECT FROM store.token WHERE name = $1 AND revoked IS NULL
                  AND (expires IS NULL OR expires > now()))
