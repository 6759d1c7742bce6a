-- What the untimed passes of a run find out: which of the changed code ran, where the time went, and
-- how memory grew.
SET LOCAL ROLE hakperf_owner;

CREATE TABLE store.coverage (
    repository integer NOT NULL,
    run        uuid NOT NULL,
    workload   integer NOT NULL,
    changed    integer CHECK (changed >= 0),
    code       integer CHECK (code >= 0),
    executed   integer CHECK (executed >= 0),
    missing    text,
    PRIMARY KEY (repository, run, workload),
    FOREIGN KEY (repository, run) REFERENCES store.run ON DELETE CASCADE,
    CHECK ((changed IS NULL) = (missing IS NOT NULL)),
    CHECK ((changed IS NULL) = (code IS NULL) AND (code IS NULL) = (executed IS NULL)),
    CHECK (executed <= code AND code <= changed)
);
COMMENT ON TABLE store.coverage IS
    'Did it run: how much of the diff from base to head one workload executed, or any of them.';
COMMENT ON COLUMN store.coverage.workload IS '0: any workload of the run.';
COMMENT ON COLUMN store.coverage.changed IS
    'Lines that the diff adds or alters; those that were only moved or renamed are not among them.';
COMMENT ON COLUMN store.coverage.code IS 'Changed lines that the compiler made code of.';
COMMENT ON COLUMN store.coverage.missing IS 'Why nothing is known.';

CREATE TABLE store.coverage_function (
    repository integer NOT NULL,
    run        uuid NOT NULL,
    workload   integer NOT NULL,
    file       text NOT NULL,
    name       text NOT NULL,
    line       integer NOT NULL,
    executed   boolean NOT NULL,
    calls      bigint CHECK (calls >= 0),
    PRIMARY KEY (repository, run, workload, file, name, line),
    FOREIGN KEY (repository, run, workload) REFERENCES store.coverage ON DELETE CASCADE
);
COMMENT ON TABLE store.coverage_function IS 'The functions that the diff touches.';

CREATE TABLE store.profile (
    repository integer NOT NULL,
    run        uuid NOT NULL,
    workload   integer NOT NULL,
    arm        text NOT NULL,
    event      text NOT NULL,
    frequency  integer NOT NULL,
    samples    bigint NOT NULL,
    lost       bigint NOT NULL,
    folded     text,
    missing    text,
    PRIMARY KEY (repository, run, workload, arm),
    FOREIGN KEY (repository, run, workload) REFERENCES store.run_workload ON DELETE CASCADE,
    CHECK ((folded IS NULL) = (missing IS NOT NULL))
);
COMMENT ON TABLE store.profile IS 'One profile of one long execution.';
COMMENT ON COLUMN store.profile.folded IS
    'A line a stack, `frame;frame;frame COUNT`, outermost first, kernel frames with the suffix _[k].';
COMMENT ON COLUMN store.profile.lost IS 'Samples that perf lost, or that were left out of the smallest stacks.';

CREATE TABLE store.rss (
    repository integer NOT NULL,
    run        uuid NOT NULL,
    workload   integer NOT NULL,
    arm        text NOT NULL,
    seconds    double precision[] NOT NULL,
    kib        bigint[] NOT NULL,
    missing    text,
    PRIMARY KEY (repository, run, workload, arm),
    FOREIGN KEY (repository, run, workload) REFERENCES store.run_workload ON DELETE CASCADE,
    CHECK (cardinality(seconds) = cardinality(kib)),
    CHECK ((cardinality(kib) = 0) = (missing IS NOT NULL))
);
COMMENT ON TABLE store.rss IS 'Resident memory over the wall time of one long execution.';

CREATE VIEW hakperf.coverage AS
SELECT r.name AS repository,
       u.finished AS measured,
       left(u.head, 7) AS head,
       coalesce(w.name, '(any)') AS workload,
       (SELECT count(*) FROM store.coverage_function f
        WHERE f.repository = c.repository AND f.run = c.run AND f.workload = c.workload)
           AS functions,
       (SELECT count(*) FROM store.coverage_function f
        WHERE f.repository = c.repository AND f.run = c.run AND f.workload = c.workload
          AND f.executed) AS functions_executed,
       c.changed AS lines_changed,
       c.code AS lines_of_code,
       c.executed AS lines_executed,
       c.missing,
       u.head AS sha,
       c.run
FROM store.coverage c
JOIN store.run u ON u.repository = c.repository AND u.id = c.run
JOIN store.repository r ON r.id = c.repository
LEFT JOIN store.workload w ON w.repository = c.repository AND w.id = c.workload
ORDER BY u.stored DESC, c.workload <> 0, w.name;
COMMENT ON VIEW hakperf.coverage IS
    'Did it run: how much of each commit''s diff every workload executed, newest first; workload (any): at least one of them.';
COMMENT ON COLUMN hakperf.coverage.lines_of_code IS 'changed lines that the compiler made code of';

CREATE VIEW hakperf.changed_functions AS
SELECT r.name AS repository,
       u.finished AS measured,
       left(u.head, 7) AS head,
       coalesce(w.name, '(any)') AS workload,
       f.file,
       f.name AS function,
       f.line,
       f.executed,
       f.calls,
       u.head AS sha,
       f.run
FROM store.coverage_function f
JOIN store.run u ON u.repository = f.repository AND u.id = f.run
JOIN store.repository r ON r.id = f.repository
LEFT JOIN store.workload w ON w.repository = f.repository AND w.id = f.workload
ORDER BY u.stored DESC, f.workload <> 0, w.name, f.file, f.line;
COMMENT ON VIEW hakperf.changed_functions IS
    'The functions that each commit''s diff touches, and whether each workload called them, newest first; workload (any): the sum over all.';

CREATE VIEW hakperf.profiles AS
SELECT r.name AS repository,
       u.finished AS measured,
       left(u.head, 7) AS head,
       w.name AS workload,
       p.arm,
       p.event,
       p.frequency,
       p.samples,
       p.lost,
       p.missing,
       p.folded,
       u.head AS sha,
       p.run
FROM store.profile p
JOIN store.run u ON u.repository = p.repository AND u.id = p.run
JOIN store.repository r ON r.id = p.repository
JOIN store.workload w ON w.repository = p.repository AND w.id = p.workload
ORDER BY u.stored DESC, w.name, p.arm DESC;
COMMENT ON VIEW hakperf.profiles IS
    'Profiles as folded stacks, newest first: one line a stack, outermost frame first, kernel frames with the suffix _[k].';

CREATE VIEW hakperf.memory AS
SELECT r.name AS repository,
       u.finished AS measured,
       left(u.head, 7) AS head,
       w.name AS workload,
       m.arm,
       s.seconds,
       s.kib,
       u.head AS sha,
       m.run
FROM store.rss m
JOIN store.run u ON u.repository = m.repository AND u.id = m.run
JOIN store.repository r ON r.id = m.repository
JOIN store.workload w ON w.repository = m.repository AND w.id = m.workload
CROSS JOIN LATERAL unnest(m.seconds, m.kib) AS s(seconds, kib)
ORDER BY u.stored DESC, w.name, m.arm DESC, s.seconds;
COMMENT ON VIEW hakperf.memory IS
    'Resident memory of one long execution over its wall time, newest run first.';
