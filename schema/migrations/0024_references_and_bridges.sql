-- A pinned revision that takes part in every run: what a series is a ratio to. Where the suite names
-- one, the C library's own allocator gives that place up. Another reference begins another epoch. And
-- which commit joins an epoch to the one before it: measured in both, it carries comparisons across.
SET LOCAL ROLE hakperf_owner;

ALTER TABLE store.suite
    ADD COLUMN reference_sha text CHECK (reference_sha ~ '^([0-9a-f]{40}|[0-9a-f]{64})$'),
    ADD COLUMN reference_subject text,
    ADD CHECK ((reference_sha IS NULL) = (reference_subject IS NULL));
COMMENT ON COLUMN store.suite.reference_sha IS
    'The commit that reference.rev stood for when the suite was applied; NULL: it names none.';
COMMENT ON COLUMN store.suite.reference_subject IS 'First line of its message.';

-- Wider than before, so that no row has to be read.
ALTER TABLE store.arm
    DROP CONSTRAINT arm_name_check,
    ADD CONSTRAINT arm_name_check
        CHECK (name IN ('head', 'base', 'control', 'reference')) NOT VALID;
ALTER TABLE store.measurement
    DROP CONSTRAINT measurement_arm_check,
    ADD CONSTRAINT measurement_arm_check
        CHECK (arm IN ('head', 'base', 'control', 'reference')) NOT VALID;

ALTER TABLE store.epoch ADD COLUMN reference text;
COMMENT ON COLUMN store.epoch.reference IS
    'The commit that its runs are held against; NULL: the C library''s own allocator, the control.';
COMMENT ON TABLE store.epoch IS
    'A stretch in which a runner''s machine, kernel, compiler, driver and reference stayed the same; it ends where the runner''s next one starts.';
COMMENT ON COLUMN store.epoch.changed IS
    'What differs from the epoch before: names of machine facts, compiler, driver, reference; empty for a runner''s first.';
COMMENT ON TABLE store.point IS
    'Commits of the main line in one workload, metric and epoch: the log ratio of the metric that decides to that of the epoch''s reference (the control where it has none), of their last run there.';
COMMENT ON COLUMN store.change_point.before IS 'Median log ratio to the reference before; after likewise.';

ALTER TABLE store.epoch ADD COLUMN bridge text;
COMMENT ON COLUMN store.epoch.bridge IS
    'The newest commit of the runner''s epoch before, which is measured once more in this one; NULL for its first.';
-- The job was queued by the transaction that began the epoch.
UPDATE store.epoch e SET bridge = j.head FROM store.job j
WHERE j.repository = e.repository AND j.kind = 'bridge' AND j.only_runner = e.runner
  AND j.created = e.started;

DROP FUNCTION store.enter_epoch(integer, text, text, text, text, text);
CREATE FUNCTION store.enter_epoch(of_repository integer, of_runner text, of_machine text,
                                  of_compiler text, of_driver text, of_head text,
                                  of_reference text DEFAULT NULL)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    last store.epoch;
    differs text[] := '{}';
    entered integer;
    newest text;
    job_priority CONSTANT integer := 1700000000; -- QUEUE_BRIDGE
BEGIN
    SELECT * INTO last FROM store.epoch e
    WHERE e.repository = of_repository AND e.runner = of_runner ORDER BY e.id DESC LIMIT 1;
    IF NOT FOUND OR (last.machine, last.compiler, last.driver_hash, last.reference)
                    IS DISTINCT FROM (of_machine, of_compiler, of_driver, of_reference) THEN
        PERFORM pg_advisory_xact_lock(of_repository, hashtext('epoch ' || of_runner));
        SELECT * INTO last FROM store.epoch e
        WHERE e.repository = of_repository AND e.runner = of_runner ORDER BY e.id DESC LIMIT 1;
    END IF;
    IF last.id IS NOT NULL AND (last.machine, last.compiler, last.driver_hash, last.reference)
                               IS NOT DISTINCT FROM
                               (of_machine, of_compiler, of_driver, of_reference) THEN
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
        IF last.reference IS DISTINCT FROM of_reference THEN
            differs := differs || 'reference'::text;
        END IF;
    END IF;
    SELECT u.head INTO newest FROM store.run u
    JOIN store.commit m ON m.repository = u.repository AND m.sha = u.head
    WHERE u.repository = of_repository AND u.epoch = last.id AND u.status = 'measured'
    ORDER BY m.mainline DESC, m.position DESC, u.stored DESC LIMIT 1;
    INSERT INTO store.epoch (repository, runner, machine, compiler, driver_hash, reference, changed,
                             bridge)
    VALUES (of_repository, of_runner, of_machine, of_compiler, of_driver, of_reference, differs,
            newest)
    RETURNING id INTO entered;
    INSERT INTO store.job (repository, kind, head, base, suite_hash, priority, position, only_runner)
    SELECT c.repository, 'bridge', c.sha, p.sha, r.suite_hash, job_priority, c.position, of_runner
    FROM store.commit c
    JOIN store.repository r ON r.id = of_repository AND r.suite_hash IS NOT NULL
    LEFT JOIN store.commit p ON p.repository = c.repository AND p.sha = c.parents[1]
    WHERE c.repository = of_repository AND c.sha = newest AND newest <> of_head
    ON CONFLICT DO NOTHING;
    RETURN entered;
END
$$;
COMMENT ON FUNCTION store.enter_epoch IS
    'The epoch of a run that was measured now; a new one queues its bridge job.';
GRANT EXECUTE ON FUNCTION store.enter_epoch TO hakperf_collector;

CREATE OR REPLACE VIEW hakperf.epochs AS
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
        WHERE u.repository = e.repository AND u.epoch = e.id) AS runs,
       left(e.reference, 7) AS reference,
       left(e.bridge, 7) AS bridge
FROM store.epoch e
JOIN store.repository r ON r.id = e.repository
JOIN store.machine m ON m.repository = e.repository AND m.fingerprint = e.machine
ORDER BY e.started DESC, e.id DESC;
COMMENT ON VIEW hakperf.epochs IS
    'Stretches in which a runner''s machine, kernel, compiler, driver and reference stayed the same, newest first. Figures of two epochs are not comparable.';
COMMENT ON COLUMN hakperf.epochs.changed IS
    'what differs from the epoch before: machine facts by name, compiler, driver, reference';
COMMENT ON COLUMN hakperf.epochs.reference IS
    'the pinned commit that runs are held against, short; NULL: the C library''s allocator';
COMMENT ON COLUMN hakperf.builds.arm IS 'head, base, control or reference';
COMMENT ON COLUMN hakperf.measurements.arm IS 'head, base, control or reference';
COMMENT ON VIEW hakperf.change_points IS
    'Where the level of a workload''s metric, held against that of the reference (the control where the suite names none), stepped and stayed; newest first. The commit is the first of the new level.';
COMMENT ON COLUMN hakperf.epochs.bridge IS
    'the commit that was measured in the epoch before and once more in this one, short';
