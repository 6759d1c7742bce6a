-- Jobs that were changed by transaction $1 or a later one, in the order of these, at most $2. The row
-- in front names the oldest transaction that is not over: all that were before it are told.
WITH present AS MATERIALIZED (
    SELECT pg_snapshot_xmin(pg_current_snapshot()) AS safe,
           pg_snapshot_xmax(pg_current_snapshot()) AS next
), shown AS (
    SELECT j.changed, j.id, j.repository
    FROM store.job j
    WHERE j.changed >= $1::xid8 AND j.changed < (SELECT next FROM present)
    ORDER BY j.changed, j.id
    LIMIT $2::integer
)
SELECT safe::text, NULL::text, NULL::text, NULL::text FROM present
UNION ALL
(SELECT s.changed::text, s.id::text, j.name, j.json::text
 FROM shown s
 CROSS JOIN LATERAL (
     -- OFFSET 0: one look-up a job, whatever the statistics say of the tables.
     SELECT r.name, store.job_json(j, r.name, c.subject, NULL, NULL) AS json
     FROM store.job j
     JOIN store.repository r ON r.id = j.repository
     JOIN store.commit c ON c.repository = j.repository AND c.sha = j.head
     WHERE j.repository = s.repository AND j.id = s.id OFFSET 0) j
 ORDER BY s.changed, s.id)
