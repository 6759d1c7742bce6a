-- Removes what is over: sessions, login codes, and messages a quarter after they were sent or given
-- up.
WITH codes AS (
    DELETE FROM store.login_code WHERE expires < now() - interval '1 day'
), messages AS (
    DELETE FROM store.outbox
    WHERE delivered < now() - interval '90 days' OR given_up < now() - interval '90 days'
)
DELETE FROM store.session WHERE expires < now()
