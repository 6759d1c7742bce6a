-- Figures of the database for GET /metrics: name, state, value.
SELECT 'jobs', state, count(*)::double precision FROM store.job GROUP BY state
UNION ALL
SELECT 'outbox', 'waiting', count(*)
FROM store.outbox WHERE delivered IS NULL AND given_up IS NULL
UNION ALL
SELECT 'outbox', 'given_up', count(*) FROM store.outbox WHERE given_up IS NOT NULL
UNION ALL
SELECT 'alerts', state, count(*) FROM store.alert GROUP BY state
UNION ALL
SELECT 'runners', 'seen', count(*) FROM store.runner WHERE seen > now() - interval '5 minutes'
UNION ALL
SELECT 'oldest_job', 'seconds', coalesce(extract(epoch FROM now() - min(created)), 0)
FROM store.job WHERE state = 'queued'
