-- Nobody is to be told: messages wait a day for a webhook to be set.
UPDATE store.outbox SET given_up = now(), last_error = 'no webhook is set'
WHERE delivered IS NULL AND given_up IS NULL AND created < now() - interval '1 day'
