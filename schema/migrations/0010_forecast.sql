-- The forecast of a long queue: only the first 200 jobs of each repository are placed one by one, so
-- that asking costs the same whether hundreds wait or tens of thousands.
SET LOCAL ROLE hakperf_owner;

CREATE VIEW store.job_usual AS
SELECT k.repository, k.kind, k.suite_hash, coalesce(
    (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY x.seconds) FROM (
        SELECT extract(epoch FROM d.finished - d.started)::double precision AS seconds
        FROM store.job d
        WHERE d.repository = k.repository AND d.kind = k.kind AND d.suite_hash = k.suite_hash
          AND d.state = 'done'
        ORDER BY d.finished DESC LIMIT 20) x),
    (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY x.seconds) FROM (
        SELECT extract(epoch FROM d.finished - d.started)::double precision AS seconds
        FROM store.job d
        WHERE d.repository = k.repository AND d.state = 'done'
        ORDER BY d.finished DESC LIMIT 20) x),
    (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY x.seconds) FROM (
        SELECT extract(epoch FROM d.finished - d.started)::double precision AS seconds
        FROM store.job d WHERE d.state = 'done'
        ORDER BY d.id DESC LIMIT 20) x)) AS seconds,
    k.pending
FROM (SELECT j.repository, j.kind, j.suite_hash, count(*) AS pending
      FROM store.job j WHERE j.state IN ('queued', 'running')
      GROUP BY j.repository, j.kind, j.suite_hash) k;
COMMENT ON VIEW store.job_usual IS
    'How long a pending job of each repository, kind and suite takes: the median of the last twenty like it, else of its repository, else of all.';

CREATE OR REPLACE VIEW store.job_forecast AS
WITH pending AS MATERIALIZED (
    SELECT j.repository, j.id, j.kind, j.suite_hash, true AS running, j.started, false AS gap,
           row_number() OVER (PARTITION BY j.repository ORDER BY j.started, j.id) AS turn
    FROM store.job j
    WHERE j.state = 'running'
    UNION ALL
    SELECT first.repository, first.id, first.kind, first.suite_hash, false, NULL, class.least <= 0,
           first.turn
    FROM store.repository r
    CROSS JOIN (VALUES (1, 2147483647), (-2147483648, 0)) AS class(least, most)
    CROSS JOIN LATERAL (
        SELECT j.repository, j.id, j.kind, j.suite_hash,
               row_number() OVER (ORDER BY j.priority DESC, j.position, j.id) AS turn
        FROM store.job j
        WHERE j.repository = r.id AND j.state = 'queued'
          AND j.priority BETWEEN class.least AND class.most
        ORDER BY j.priority DESC, j.position, j.id
        LIMIT 200
    ) first
), usual AS MATERIALIZED (
    SELECT u.repository, u.kind, u.suite_hash, u.seconds FROM store.job_usual u
), served AS MATERIALIZED (
    SELECT r.id AS repository, (SELECT max(s.started) FROM store.job s
                                WHERE s.repository = r.id) AS last
    FROM store.repository r
), runners AS MATERIALIZED (
    SELECT greatest(1, count(*)) AS n FROM store.runner WHERE seen > now() - interval '5 minutes'
), work AS (
    SELECT p.*, s.last, u.seconds,
           CASE WHEN p.running THEN
               greatest(u.seconds - extract(epoch FROM now() - p.started)::double precision,
                        u.seconds / 10) ELSE u.seconds END AS remaining
    FROM pending p
    JOIN usual u USING (repository, kind, suite_hash)
    JOIN served s USING (repository)
), line AS (
    SELECT w.*, row_number() OVER claims AS place,
           sum(w.remaining) OVER (claims ROWS UNBOUNDED PRECEDING) AS until
    FROM work w
    WINDOW claims AS (ORDER BY NOT w.running, w.gap, w.turn, w.last NULLS FIRST, w.repository, w.id)
)
SELECT l.repository, l.id, l.place, l.seconds AS estimate_s,
       now() + make_interval(secs => CASE WHEN l.running THEN l.remaining
           ELSE (l.until - l.remaining) / r.n + l.remaining END) AS finish
FROM line l, runners r;
COMMENT ON VIEW store.job_forecast IS
    'How long each job takes that runs or is among the first 200 of its repository, and when it will be finished; NULL where there is no history.';
