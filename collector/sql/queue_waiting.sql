-- How many jobs wait, and how many of repository $1.
SELECT count(*), count(*) FILTER (WHERE repository = $1::integer) FROM store.job WHERE state = 'queued'
