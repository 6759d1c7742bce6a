-- Whether nothing is stored yet.
SELECT NOT EXISTS (SELECT FROM store.repository) AND NOT EXISTS (SELECT FROM store.token)
