-- How many jobs wait.
SELECT count(*) FROM store.job WHERE state = 'queued'
