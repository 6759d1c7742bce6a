-- The tables. The repository is the first column of every key of repository data, so that the data
-- can be distributed by it. A missing value is NULL with its reason beside it, never 0.
SET LOCAL ROLE hakperf_owner;

-- What is measured -----------------------------------------------------------------------------

CREATE TABLE store.repository (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL UNIQUE CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
    url         text NOT NULL,
    default_ref text,
    suite_hash  text,
    looked      timestamptz,
    look_error  text,
    created     timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN store.repository.default_ref IS
    'The ref whose first-parent history is shown, such as refs/heads/main; NULL until the first look.';
COMMENT ON COLUMN store.repository.suite_hash IS 'The suite in force; NULL before one was applied.';
COMMENT ON COLUMN store.repository.looked IS 'When its mirror was last compared with ref_tip.';

CREATE TABLE store.suite (
    repository integer NOT NULL REFERENCES store.repository ON DELETE CASCADE,
    hash       text NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$'),
    name       text NOT NULL,
    document   jsonb NOT NULL,
    driver_sha text NOT NULL CHECK (driver_sha ~ '^([0-9a-f]{40}|[0-9a-f]{64})$'),
    driver_subject text NOT NULL DEFAULT '',
    created    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (repository, hash)
);
COMMENT ON COLUMN store.suite.driver_sha IS 'The commit that driver.rev stood for when the suite was applied.';
ALTER TABLE store.repository ADD FOREIGN KEY (id, suite_hash) REFERENCES store.suite (repository, hash);

CREATE TABLE store.commit (
    repository integer NOT NULL REFERENCES store.repository ON DELETE CASCADE,
    sha        text NOT NULL CHECK (sha ~ '^([0-9a-f]{40}|[0-9a-f]{64})$'),
    parents    text[] NOT NULL DEFAULT '{}',
    position   bigint NOT NULL CHECK (position >= 0),
    mainline   boolean NOT NULL DEFAULT false,
    author     text NOT NULL,
    author_email text NOT NULL DEFAULT '',
    subject    text NOT NULL,
    committed  timestamptz NOT NULL,
    patch_id   text,
    paths      text[],
    watched    boolean NOT NULL DEFAULT true,
    seen       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (repository, sha)
);
COMMENT ON COLUMN store.commit.position IS 'Number of first parents behind it: 0 for a root.';
COMMENT ON COLUMN store.commit.mainline IS 'Whether it lies on the first-parent history of the default ref.';
COMMENT ON COLUMN store.commit.patch_id IS 'git patch-id of its change against the first parent; NULL for merges and roots.';
COMMENT ON COLUMN store.commit.paths IS 'Paths that differ from the first parent; NULL where not asked for.';
COMMENT ON COLUMN store.commit.watched IS 'Whether it touches a watched path and so is measured.';
CREATE INDEX commit_mainline ON store.commit (repository, position DESC) WHERE mainline;
CREATE INDEX commit_patch ON store.commit (repository, patch_id) WHERE patch_id IS NOT NULL;

CREATE TABLE store.ref_tip (
    repository integer NOT NULL REFERENCES store.repository ON DELETE CASCADE,
    ref        text NOT NULL,
    sha        text NOT NULL,
    seen       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (repository, ref)
);
COMMENT ON TABLE store.ref_tip IS 'Where each ref pointed at the last look; what differs in the mirror is new.';

CREATE TABLE store.workload (
    repository integer NOT NULL REFERENCES store.repository ON DELETE CASCADE,
    id         integer GENERATED ALWAYS AS IDENTITY,
    name       text NOT NULL,
    hash       text NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$'),
    PRIMARY KEY (repository, id),
    UNIQUE (repository, name, hash)
);
COMMENT ON COLUMN store.workload.hash IS 'Of all that is executed: another hash is another series.';

CREATE TABLE store.metric (
    id     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name   text NOT NULL UNIQUE,
    unit   text NOT NULL,
    better text NOT NULL CHECK (better IN ('higher', 'lower', 'neither')),
    text   text NOT NULL DEFAULT ''
);

CREATE TABLE store.machine (
    repository  integer NOT NULL REFERENCES store.repository ON DELETE CASCADE,
    fingerprint text NOT NULL CHECK (fingerprint ~ '^[0-9a-f]{64}$'),
    facts       jsonb NOT NULL,
    first_seen  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (repository, fingerprint)
);

-- Work ------------------------------------------------------------------------------------------

CREATE TABLE store.runner (
    name    text PRIMARY KEY,
    version text NOT NULL,
    first_seen timestamptz NOT NULL DEFAULT now(),
    seen    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE store.job (
    repository  integer NOT NULL REFERENCES store.repository ON DELETE CASCADE,
    id          bigint GENERATED ALWAYS AS IDENTITY,
    kind        text NOT NULL CHECK (kind IN ('commit', 'compare')),
    head        text NOT NULL,
    base        text,
    suite_hash  text NOT NULL,
    priority    integer NOT NULL DEFAULT 0,
    state       text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'dead')),
    fence       bigint NOT NULL DEFAULT 0,
    attempt     integer NOT NULL DEFAULT 0,
    runner      text,
    run         uuid,
    lease_until timestamptz,
    progress    jsonb,
    reason      text,
    created     timestamptz NOT NULL DEFAULT now(),
    started     timestamptz,
    finished    timestamptz,
    PRIMARY KEY (repository, id),
    FOREIGN KEY (repository, suite_hash) REFERENCES store.suite,
    FOREIGN KEY (repository, head) REFERENCES store.commit,
    FOREIGN KEY (repository, base) REFERENCES store.commit,
    CHECK (state <> 'running' OR (runner IS NOT NULL AND run IS NOT NULL AND lease_until IS NOT NULL)),
    CHECK ((finished IS NOT NULL) = (state IN ('done', 'dead')))
);
COMMENT ON COLUMN store.job.priority IS 'Higher goes first; of equals the lower id.';
COMMENT ON COLUMN store.job.fence IS 'Grows with every claim; results and heartbeats with an older one are refused.';
COMMENT ON COLUMN store.job.run IS 'The run that the present claim produces, or the last one produced.';
COMMENT ON COLUMN store.job.reason IS 'Why it is dead, or why the last attempt ended without a result.';
CREATE INDEX job_id ON store.job (id);
CREATE INDEX job_waiting ON store.job (priority DESC, id) WHERE state = 'queued';
CREATE INDEX job_leases ON store.job (lease_until) WHERE state = 'running';
CREATE INDEX job_head ON store.job (repository, head);
-- Asking twice for what is waiting or being measured gives the same job.
CREATE UNIQUE INDEX job_once ON store.job (repository, kind, head, coalesce(base, ''))
    WHERE state IN ('queued', 'running');

-- What was found --------------------------------------------------------------------------------

CREATE TABLE store.run (
    repository  integer NOT NULL REFERENCES store.repository ON DELETE CASCADE,
    id          uuid NOT NULL,
    stored      timestamptz NOT NULL DEFAULT now(),
    job         bigint NOT NULL,
    attempt     integer NOT NULL,
    kind        text NOT NULL,
    head        text NOT NULL,
    base        text,
    against_parent boolean NOT NULL,
    suite_hash  text NOT NULL,
    status      text NOT NULL CHECK (status IN ('measured', 'identical', 'failed')),
    verdict     text CHECK (verdict IN
        ('regressed', 'improved', 'equivalent', 'inconclusive', 'identical', 'failed')),
    size        text CHECK (size IN ('small', 'relevant')),
    decided_by  integer,
    failure_stage   text CHECK (failure_stage IN ('source', 'build', 'run', 'validity', 'runner')),
    failure_arm     text,
    failure_message text,
    failure_log     text,
    started     timestamptz NOT NULL,
    finished    timestamptz NOT NULL,
    runner      text NOT NULL,
    runner_version text NOT NULL,
    machine     text NOT NULL,
    sandbox     text NOT NULL CHECK (sandbox IN ('bwrap', 'none')),
    driver_sha  text,
    driver_hash text,
    warnings    text[] NOT NULL DEFAULT '{}',
    reproduce   text NOT NULL,
    PRIMARY KEY (repository, id),
    FOREIGN KEY (repository, job) REFERENCES store.job,
    FOREIGN KEY (repository, head) REFERENCES store.commit,
    FOREIGN KEY (repository, base) REFERENCES store.commit,
    FOREIGN KEY (repository, suite_hash) REFERENCES store.suite,
    FOREIGN KEY (repository, machine) REFERENCES store.machine,
    FOREIGN KEY (repository, decided_by) REFERENCES store.workload,
    CHECK ((status = 'failed') = (failure_stage IS NOT NULL)),
    CHECK ((failure_stage IS NULL) = (failure_message IS NULL)),
    CHECK ((size IS NOT NULL) = (verdict IN ('regressed', 'improved')))
);
COMMENT ON TABLE store.run IS 'All samples of one job on one machine; failed runs stay.';
COMMENT ON COLUMN store.run.against_parent IS 'Whether base is the first parent of head, or head has no parent.';
COMMENT ON COLUMN store.run.verdict IS
    'The worst of its workloads, as the collector computed it; NULL where there was no base to compare with.';
COMMENT ON COLUMN store.run.decided_by IS 'The workload whose verdict that is; NULL where nothing was timed.';
COMMENT ON COLUMN store.run.stored IS 'When it arrived; the month of its samples.';
CREATE INDEX run_head ON store.run (repository, head, stored DESC);
CREATE INDEX run_stored ON store.run (repository, stored DESC);

CREATE TABLE store.arm (
    repository    integer NOT NULL,
    run           uuid NOT NULL,
    name          text NOT NULL CHECK (name IN ('head', 'base', 'control')),
    sha           text,
    artifact_hash text,
    code_hash     text,
    compiler      text,
    build_seconds double precision,
    cached        boolean NOT NULL,
    log           text,
    PRIMARY KEY (repository, run, name),
    FOREIGN KEY (repository, run) REFERENCES store.run ON DELETE CASCADE
);
COMMENT ON COLUMN store.arm.code_hash IS 'After symbols, debug data and the build id were stripped: equal means identical.';

CREATE TABLE store.configuration (
    repository integer NOT NULL REFERENCES store.repository ON DELETE CASCADE,
    hash       text NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$'),
    options    jsonb NOT NULL,
    PRIMARY KEY (repository, hash)
);
COMMENT ON TABLE store.configuration IS
    'Effective configurations of the library under test, each stored once by its content.';

CREATE TABLE store.run_workload (
    repository integer NOT NULL,
    run        uuid NOT NULL,
    workload   integer NOT NULL,
    status     text NOT NULL CHECK (status IN ('measured', 'failed')),
    failure_stage   text,
    failure_arm     text,
    failure_message text,
    failure_log     text,
    margin     double precision NOT NULL,
    layout_sd  double precision NOT NULL,
    max_pairs  integer NOT NULL,
    coin_seed  bigint NOT NULL,
    pairs      integer NOT NULL,
    first_arm  text NOT NULL,
    second_arm text NOT NULL,
    pair_seed   bigint[] NOT NULL,
    pair_order  smallint[] NOT NULL,
    pair_layout integer[] NOT NULL,
    head_configuration text,
    base_configuration text,
    PRIMARY KEY (repository, run, workload),
    FOREIGN KEY (repository, run) REFERENCES store.run ON DELETE CASCADE,
    FOREIGN KEY (repository, workload) REFERENCES store.workload,
    FOREIGN KEY (repository, head_configuration) REFERENCES store.configuration,
    FOREIGN KEY (repository, base_configuration) REFERENCES store.configuration,
    CHECK ((status = 'failed') = (failure_stage IS NOT NULL)),
    CHECK (cardinality(pair_seed) = pairs AND cardinality(pair_order) = pairs
           AND cardinality(pair_layout) = pairs)
);
COMMENT ON COLUMN store.run_workload.pair_order IS '0: the arm named first ran first in this pair.';

CREATE TABLE store.measurement (
    repository integer NOT NULL,
    run        uuid NOT NULL,
    workload   integer NOT NULL,
    metric     integer NOT NULL REFERENCES store.metric,
    arm        text NOT NULL CHECK (arm IN ('head', 'base', 'control')),
    n          integer NOT NULL CHECK (n >= 0),
    median     double precision,
    low        double precision,
    high       double precision,
    missing    text,
    PRIMARY KEY (repository, run, workload, metric, arm),
    FOREIGN KEY (repository, run, workload) REFERENCES store.run_workload ON DELETE CASCADE,
    CHECK ((median IS NULL) = (missing IS NOT NULL)),
    CHECK ((low IS NULL) = (high IS NULL))
);
COMMENT ON TABLE store.measurement IS
    'One figure an arm and metric: the median of its samples with a 95 % interval, or a single value. Kept for ever.';
COMMENT ON COLUMN store.measurement.missing IS 'Why there is no value.';

CREATE TABLE store.sample_set (
    repository integer NOT NULL,
    stored     timestamptz NOT NULL,
    run        uuid NOT NULL,
    workload   integer NOT NULL,
    metric     integer NOT NULL,
    arm        text NOT NULL,
    samples    double precision[] NOT NULL,
    PRIMARY KEY (repository, stored, run, workload, metric, arm)
) PARTITION BY RANGE (stored);
COMMENT ON TABLE store.sample_set IS
    'The samples behind a measurement, one a process execution in the order of the pairs; dropped by the month.';
CREATE TABLE store.sample_set_default PARTITION OF store.sample_set DEFAULT;

-- Makes the partitions of this month and the months ahead; the collector calls it at start and daily.
-- A month that already has rows in the default partition stays there.
CREATE FUNCTION store.make_partitions(months integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    first_day date;
    made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('store.make_partitions'));
    FOR i IN 0 .. least(months, 120) LOOP
        first_day := (date_trunc('month', now()) + make_interval(months => i))::date;
        IF to_regclass(format('store.sample_set_%s', to_char(first_day, 'YYYYMM'))) IS NULL
           AND NOT EXISTS (SELECT FROM store.sample_set_default
                           WHERE stored >= first_day AND stored < first_day + interval '1 month') THEN
            EXECUTE format('CREATE TABLE store.sample_set_%s PARTITION OF store.sample_set '
                           'FOR VALUES FROM (%L) TO (%L)', to_char(first_day, 'YYYYMM'),
                           first_day::timestamptz, (first_day + interval '1 month')::timestamptz);
            made := made + 1;
        END IF;
    END LOOP;
    RETURN made;
END
$$;
COMMENT ON FUNCTION store.make_partitions IS 'Makes missing monthly partitions of sample_set; returns how many.';
GRANT EXECUTE ON FUNCTION store.make_partitions TO hakperf_collector;
SELECT store.make_partitions(3);

CREATE TABLE store.comparison (
    repository integer NOT NULL,
    run        uuid NOT NULL,
    workload   integer NOT NULL,
    metric     integer NOT NULL REFERENCES store.metric,
    verdict    text NOT NULL CHECK (verdict IN
        ('regressed', 'improved', 'equivalent', 'inconclusive', 'identical', 'failed')),
    size       text CHECK (size IN ('small', 'relevant')),
    reason     text,
    pairs      integer NOT NULL DEFAULT 0 CHECK (pairs >= 0),
    estimate   double precision,
    low        double precision,
    high       double precision,
    z          double precision,
    detectable double precision,
    PRIMARY KEY (repository, run, workload, metric),
    FOREIGN KEY (repository, run) REFERENCES store.run ON DELETE CASCADE,
    FOREIGN KEY (repository, workload) REFERENCES store.workload,
    CHECK ((size IS NOT NULL) = (verdict IN ('regressed', 'improved'))),
    CHECK (low <= estimate AND estimate <= high)
);
COMMENT ON TABLE store.comparison IS
    'Head against base for one workload and metric. estimate, low, high and detectable are log ratios.';
COMMENT ON COLUMN store.comparison.low IS 'NULL where the pairs were too few for a bound; likewise high.';

-- What people have to look at, and what is sent out ---------------------------------------------

CREATE TABLE store.alert (
    repository integer NOT NULL,
    id         bigint GENERATED ALWAYS AS IDENTITY,
    run        uuid NOT NULL,
    head       text NOT NULL,
    workload   integer NOT NULL,
    metric     integer NOT NULL REFERENCES store.metric,
    change     double precision NOT NULL,
    low        double precision,
    high       double precision,
    sentence   text NOT NULL,
    state      text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'acknowledged', 'closed')),
    created    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (repository, id),
    UNIQUE (repository, run),
    FOREIGN KEY (repository, run) REFERENCES store.run ON DELETE CASCADE,
    FOREIGN KEY (repository, workload) REFERENCES store.workload
);
COMMENT ON COLUMN store.alert.change IS 'Fraction, head / base - 1; low and high likewise.';
-- One open alert a commit, however often it is measured.
CREATE UNIQUE INDEX alert_once ON store.alert (repository, head) WHERE state <> 'closed';
CREATE INDEX alert_created ON store.alert (created DESC);

CREATE TABLE store.outbox (
    repository   integer NOT NULL REFERENCES store.repository ON DELETE CASCADE,
    id           bigint GENERATED ALWAYS AS IDENTITY,
    kind         text NOT NULL CHECK (kind IN ('alert')),
    alert        bigint,
    payload      jsonb NOT NULL,
    created      timestamptz NOT NULL DEFAULT now(),
    attempts     integer NOT NULL DEFAULT 0,
    next_attempt timestamptz NOT NULL DEFAULT now(),
    delivered    timestamptz,
    given_up     timestamptz,
    last_error   text,
    PRIMARY KEY (repository, id),
    FOREIGN KEY (repository, alert) REFERENCES store.alert ON DELETE CASCADE
);
COMMENT ON TABLE store.outbox IS
    'Messages written in the transaction that caused them and sent afterwards, so that none is lost.';
CREATE INDEX outbox_waiting ON store.outbox (next_attempt) WHERE delivered IS NULL AND given_up IS NULL;

-- Who may do what ---------------------------------------------------------------------------------

CREATE TABLE store.token (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name      text NOT NULL,
    hash      text NOT NULL UNIQUE CHECK (hash ~ '^[0-9a-f]{64}$'),
    scope     text NOT NULL CHECK (scope IN ('admin', 'runner', 'submit', 'read')),
    created   timestamptz NOT NULL DEFAULT now(),
    expires   timestamptz,
    revoked   timestamptz,
    last_used timestamptz
);
COMMENT ON COLUMN store.token.hash IS 'SHA-256 of the token, which is shown once and never stored.';

CREATE TABLE store.login_code (
    hash    text PRIMARY KEY CHECK (hash ~ '^[0-9a-f]{64}$'),
    scope   text NOT NULL CHECK (scope IN ('admin', 'submit', 'read')),
    created timestamptz NOT NULL DEFAULT now(),
    expires timestamptz NOT NULL,
    used    timestamptz
);
COMMENT ON TABLE store.login_code IS 'One-time codes that a browser exchanges for a session.';

CREATE TABLE store.session (
    hash    text PRIMARY KEY CHECK (hash ~ '^[0-9a-f]{64}$'),
    scope   text NOT NULL CHECK (scope IN ('admin', 'submit', 'read')),
    created timestamptz NOT NULL DEFAULT now(),
    expires timestamptz NOT NULL
);
COMMENT ON COLUMN store.session.hash IS 'SHA-256 of the cookie.';

CREATE TABLE store.audit_log (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT now(),
    who     text NOT NULL,
    action  text NOT NULL,
    object  text NOT NULL DEFAULT '',
    address text,
    detail  jsonb
);
COMMENT ON TABLE store.audit_log IS 'Who did what; rows are only added.';
REVOKE UPDATE, DELETE ON store.audit_log FROM hakperf_collector;
