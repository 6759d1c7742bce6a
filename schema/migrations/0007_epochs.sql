-- Epochs: on one runner, for one repository, the stretch in which machine, kernel, compiler and
-- driver stayed the same. Figures of two epochs are not comparable; the bridge job that the change
-- queues measures the newest measured commit once more, so that they can be joined.
SET LOCAL ROLE hakperf_owner;

CREATE TABLE store.epoch (
    repository  integer NOT NULL REFERENCES store.repository ON DELETE CASCADE,
    id          integer GENERATED ALWAYS AS IDENTITY,
    runner      text NOT NULL,
    machine     text NOT NULL,
    compiler    text,
    driver_hash text,
    changed     text[] NOT NULL DEFAULT '{}',
    started     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (repository, id),
    FOREIGN KEY (repository, machine) REFERENCES store.machine
);
COMMENT ON TABLE store.epoch IS
    'A stretch in which a runner''s machine, kernel, compiler and driver stayed the same; it ends where the runner''s next one starts.';
COMMENT ON COLUMN store.epoch.changed IS
    'What differs from the epoch before: names of machine facts, compiler, driver; empty for a runner''s first.';
CREATE INDEX epoch_newest ON store.epoch (repository, runner, id DESC);

ALTER TABLE store.run
    ADD COLUMN epoch integer,
    ADD FOREIGN KEY (repository, epoch) REFERENCES store.epoch;
COMMENT ON COLUMN store.run.epoch IS 'NULL where nothing was timed.';
CREATE INDEX run_epoch ON store.run (repository, epoch, stored DESC) WHERE epoch IS NOT NULL;

-- The epoch that a measured run belongs to. A new one is made where something changed, and then the
-- newest commit that was measured in the one before is queued for the same runner. Called inside the
-- transaction that stores the run; two runs of one runner wait for each other.
CREATE FUNCTION store.enter_epoch(of_repository integer, of_runner text, of_machine text,
                                  of_compiler text, of_driver text, of_head text)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    last store.epoch;
    differs text[] := '{}';
    entered integer;
    job_priority CONSTANT integer := 1700000000; -- QUEUE_BRIDGE
BEGIN
    SELECT * INTO last FROM store.epoch e
    WHERE e.repository = of_repository AND e.runner = of_runner ORDER BY e.id DESC LIMIT 1;
    IF NOT FOUND OR (last.machine, last.compiler, last.driver_hash)
                    IS DISTINCT FROM (of_machine, of_compiler, of_driver) THEN
        PERFORM pg_advisory_xact_lock(of_repository, hashtext('epoch ' || of_runner));
        SELECT * INTO last FROM store.epoch e
        WHERE e.repository = of_repository AND e.runner = of_runner ORDER BY e.id DESC LIMIT 1;
    END IF;
    IF last.id IS NOT NULL AND (last.machine, last.compiler, last.driver_hash)
                               IS NOT DISTINCT FROM (of_machine, of_compiler, of_driver) THEN
        RETURN last.id;
    END IF;
    IF last.id IS NOT NULL THEN
        SELECT coalesce(array_agg(key ORDER BY key), '{}') INTO differs
        FROM store.machine a
        JOIN store.machine b ON b.repository = a.repository AND b.fingerprint = of_machine
        CROSS JOIN LATERAL jsonb_object_keys(a.facts || b.facts) key
        WHERE a.repository = of_repository AND a.fingerprint = last.machine
          AND a.facts -> key IS DISTINCT FROM b.facts -> key;
        IF last.compiler IS DISTINCT FROM of_compiler THEN
            differs := differs || 'compiler'::text;
        END IF;
        IF last.driver_hash IS DISTINCT FROM of_driver THEN
            differs := differs || 'driver'::text;
        END IF;
    END IF;
    INSERT INTO store.epoch (repository, runner, machine, compiler, driver_hash, changed)
    VALUES (of_repository, of_runner, of_machine, of_compiler, of_driver, differs)
    RETURNING id INTO entered;
    INSERT INTO store.job (repository, kind, head, base, suite_hash, priority, position, only_runner)
    SELECT c.repository, 'bridge', c.sha, p.sha, r.suite_hash, job_priority, c.position, of_runner
    FROM (SELECT u.head FROM store.run u
          JOIN store.commit m ON m.repository = u.repository AND m.sha = u.head
          WHERE u.repository = of_repository AND u.epoch = last.id AND u.status = 'measured'
          ORDER BY m.mainline DESC, m.position DESC, u.stored DESC LIMIT 1) newest
    JOIN store.commit c ON c.repository = of_repository AND c.sha = newest.head
    JOIN store.repository r ON r.id = of_repository AND r.suite_hash IS NOT NULL
    LEFT JOIN store.commit p ON p.repository = c.repository AND p.sha = c.parents[1]
    WHERE newest.head <> of_head
    ON CONFLICT DO NOTHING;
    RETURN entered;
END
$$;
COMMENT ON FUNCTION store.enter_epoch IS
    'The epoch of a run that was measured now; a new one queues its bridge job.';
GRANT EXECUTE ON FUNCTION store.enter_epoch TO hakperf_collector;

CREATE VIEW hakperf.epochs AS
SELECT r.name AS repository,
       e.id AS epoch,
       e.runner,
       e.started,
       lead(e.started) OVER (PARTITION BY e.repository, e.runner ORDER BY e.id) AS ended,
       e.changed,
       left(e.machine, 12) AS machine,
       m.facts ->> 'kernel' AS kernel,
       e.compiler,
       left(e.driver_hash, 12) AS driver,
       (SELECT count(*) FROM store.run u
        WHERE u.repository = e.repository AND u.epoch = e.id) AS runs
FROM store.epoch e
JOIN store.repository r ON r.id = e.repository
JOIN store.machine m ON m.repository = e.repository AND m.fingerprint = e.machine
ORDER BY e.started DESC, e.id DESC;
COMMENT ON VIEW hakperf.epochs IS
    'Stretches in which a runner''s machine, kernel, compiler and driver stayed the same, newest first. Figures of two epochs are not comparable.';
COMMENT ON COLUMN hakperf.epochs.ended IS 'when the runner''s next one started; NULL: it lasts';
COMMENT ON COLUMN hakperf.epochs.changed IS 'what differs from the epoch before: machine facts by name, compiler, driver';

CREATE OR REPLACE VIEW hakperf.runs AS
SELECT r.name AS repository,
       u.finished AS measured,
       left(u.head, 7) AS head,
       left(u.base, 7) AS base,
       u.status,
       u.verdict,
       u.size,
       u.finished - u.started AS duration,
       u.runner,
       left(u.machine, 12) AS machine,
       u.sandbox,
       u.failure_stage,
       u.failure_message,
       u.failure_log,
       cardinality(u.warnings) AS warnings,
       u.reproduce,
       u.head AS head_sha,
       u.base AS base_sha,
       u.id AS run,
       u.kind,
       u.epoch,
       u.job
FROM store.run u
JOIN store.repository r ON r.id = u.repository
ORDER BY u.stored DESC;
