-- What waits and what runs, in the order of claiming (at most 100 of each), when all of it will be
-- done, and who does it.
WITH forecast AS MATERIALIZED (
    SELECT f.repository, f.id, j.state, f.estimate_s, f.finish,
           row_number() OVER (PARTITION BY j.state ORDER BY f.place) AS place
    FROM store.job_forecast f
    JOIN store.job j ON j.repository = f.repository AND j.id = f.id
), state AS (
    SELECT f.state, f.place, s.json
    FROM (SELECT * FROM forecast WHERE place <= 100) f
    CROSS JOIN LATERAL (
        -- OFFSET 0: one look-up a job, whatever the statistics say of the tables.
        SELECT store.job_json(j, r.name, c.subject, f.estimate_s, f.finish) AS json
        FROM store.job j
        JOIN store.repository r ON r.id = j.repository
        JOIN store.commit c ON c.repository = j.repository AND c.sha = j.head
        WHERE j.repository = f.repository AND j.id = f.id OFFSET 0) s
), usual AS MATERIALIZED (
    SELECT u.pending, u.seconds FROM store.job_usual u
), counts AS (
    -- One by one: each reads an index of its own.
    SELECT (SELECT count(*) FROM store.job WHERE state = 'queued') AS queued,
           (SELECT count(*) FROM store.job WHERE state = 'running') AS running,
           (SELECT count(*) FROM store.job WHERE state = 'done') AS done,
           (SELECT count(*) FROM store.job WHERE state = 'dead'
                                             AND state IN ('dead', 'cancelled')) AS dead,
           (SELECT count(*) FROM store.job WHERE state = 'cancelled'
                                             AND state IN ('dead', 'cancelled')) AS cancelled
)
SELECT json_build_object(
    'version', $1::text,
    'queue', coalesce((SELECT json_agg(s.json ORDER BY s.place)
                       FROM state s WHERE s.state = 'queued'), '[]'),
    'running', coalesce((SELECT json_agg(s.json ORDER BY s.place)
                         FROM state s WHERE s.state = 'running'), '[]'),
    'eta', (SELECT to_char(greatest(
                (SELECT max(finish) FROM forecast),
                (SELECT now() + make_interval(secs => sum(u.pending * u.seconds) / (
                     SELECT greatest(1, count(*)) FROM store.runner
                     WHERE seen > now() - interval '5 minutes'))
                 FROM usual u
                 WHERE (SELECT count(*) FROM forecast) < counts.queued + counts.running)),
                'YYYY-MM-DD"T"HH24:MI:SS"Z"')),
    'runners', coalesce((SELECT json_agg(json_build_object(
        'name', x.name, 'seen', to_char(x.seen, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) ORDER BY x.name)
        FROM (SELECT * FROM store.runner ORDER BY seen DESC LIMIT 1000) x), '[]'),
    'failed_jobs', counts.dead,
    'counts', row_to_json(counts))
FROM counts
