-- The session of a cookie's hash ($1).
SELECT hash, scope, 'browser' FROM store.session WHERE hash = $1 AND expires > now()
