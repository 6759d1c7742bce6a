-- Removes sessions and codes that are over.
WITH codes AS (DELETE FROM store.login_code WHERE expires < now() - interval '1 day')
DELETE FROM store.session WHERE expires < now()
