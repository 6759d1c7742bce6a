-- A one-time code with hash $1 for a session of scope $2; those that are over are removed.
WITH old AS (DELETE FROM store.login_code WHERE expires < now() - interval '1 day')
INSERT INTO store.login_code (hash, scope, expires) VALUES ($1, $2, now() + interval '10 minutes')
