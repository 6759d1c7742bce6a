-- How often a run was tried to be confirmed is asked for each that is stored.
SET LOCAL ROLE hakperf_owner;

CREATE INDEX job_confirms ON store.job (repository, confirms) WHERE confirms IS NOT NULL;

-- The last jobs of a repository by number and not by their end: an index by the end was also taken for
-- the last of one kind, and read through for a kind of which there are few.
CREATE INDEX job_done ON store.job (repository, id) WHERE state = 'done';
CREATE OR REPLACE VIEW store.job_usual AS
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
        ORDER BY d.id DESC LIMIT 20) x),
    (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY x.seconds) FROM (
        SELECT extract(epoch FROM d.finished - d.started)::double precision AS seconds
        FROM store.job d WHERE d.state = 'done'
        ORDER BY d.id DESC LIMIT 20) x)) AS seconds,
    k.pending
FROM (SELECT j.repository, j.kind, j.suite_hash, count(*) AS pending
      FROM store.job j WHERE j.state IN ('queued', 'running')
      GROUP BY j.repository, j.kind, j.suite_hash) k;
DROP INDEX store.job_finished;
