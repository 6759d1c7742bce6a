-- Figures of the database for GET /metrics: name, state, value, what it is; a name's rows together.
SELECT 'jobs', state, count(*)::double precision, 'Jobs by state.' FROM store.job GROUP BY state
UNION ALL
SELECT 'outbox', 'waiting', count(*), 'Messages that wait, or were given up.'
FROM store.outbox WHERE delivered IS NULL AND given_up IS NULL
UNION ALL
SELECT 'outbox', 'given_up', count(*), '' FROM store.outbox WHERE given_up IS NOT NULL
UNION ALL
SELECT 'alerts', state, count(*), 'Alerts by state.' FROM store.alert GROUP BY state
UNION ALL
SELECT 'runners', 'seen', count(*), 'Runners that were heard of in the last five minutes.'
FROM store.runner WHERE seen > now() - interval '5 minutes'
UNION ALL
SELECT 'oldest_job', 'seconds', coalesce(extract(epoch FROM now() - min(created)), 0),
       'Age of the job that waits longest.'
FROM store.job WHERE state = 'queued'
