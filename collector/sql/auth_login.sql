-- Uses the code with hash $1 and makes the session with hash $2 for $3 minutes.
WITH used AS (
    UPDATE store.login_code SET used = now()
    WHERE hash = $1 AND used IS NULL AND expires > now()
    RETURNING scope
)
INSERT INTO store.session (hash, scope, expires)
SELECT $2, scope, now() + make_interval(mins => $3::integer) FROM used
