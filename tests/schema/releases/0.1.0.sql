-- A database as version 0.1.0 left it (migrations 1 to 4, two runs stored by its own collector),
-- written by its pg_dump. Upgrading it must give the schema of a fresh database.
-- PostgreSQL database dump
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE SCHEMA hakperf;
ALTER SCHEMA hakperf OWNER TO hakperf_owner;
COMMENT ON SCHEMA hakperf IS 'Documented views and functions for psql, Grafana and scripts. They keep their columns.';
CREATE SCHEMA store;
ALTER SCHEMA store OWNER TO hakperf_owner;
COMMENT ON SCHEMA store IS 'Tables of the collector. Not an interface: use the views of schema hakperf.';
CREATE FUNCTION hakperf.series(repository text, workload text, metric text DEFAULT 'throughput'::text) RETURNS TABLE(committed timestamp with time zone, commit text, subject text, value double precision, low double precision, high double precision, n integer, machine text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    SELECT c.committed, left(c.sha, 7), c.subject, x.median, x.low, x.high, x.n,
           left(u.machine, 12)
    FROM store.repository r
    JOIN store.commit c ON c.repository = r.id AND c.mainline
    JOIN store.workload w ON w.repository = r.id AND w.name = series.workload
    JOIN store.metric m ON m.name = series.metric
    CROSS JOIN LATERAL (
        SELECT x.*, u.machine
        FROM store.run u
        JOIN store.measurement x ON x.repository = u.repository AND x.run = u.id
            AND x.workload = w.id AND x.metric = m.id AND x.arm = 'head'
        WHERE u.repository = r.id AND u.head = c.sha AND u.status = 'measured'
        ORDER BY u.stored DESC LIMIT 1
    ) x
    CROSS JOIN LATERAL (SELECT x.machine) u
    WHERE r.name = series.repository
    ORDER BY c.position
$$;
ALTER FUNCTION hakperf.series(repository text, workload text, metric text) OWNER TO hakperf_owner;
COMMENT ON FUNCTION hakperf.series(repository text, workload text, metric text) IS 'One metric of one workload along the main line, oldest first: SELECT * FROM hakperf.series(''hakmem'', ''random_mixed/8192'', ''kernel_share'').';
CREATE FUNCTION store.make_partitions(months integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
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
ALTER FUNCTION store.make_partitions(months integer) OWNER TO hakperf_owner;
COMMENT ON FUNCTION store.make_partitions(months integer) IS 'Makes missing monthly partitions of sample_set; returns how many.';
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE store.alert (
    repository integer NOT NULL,
    id bigint NOT NULL,
    run uuid NOT NULL,
    head text NOT NULL,
    workload integer NOT NULL,
    metric integer NOT NULL,
    change double precision NOT NULL,
    low double precision,
    high double precision,
    sentence text NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    created timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT alert_state_check CHECK ((state = ANY (ARRAY['open'::text, 'acknowledged'::text, 'closed'::text])))
);
ALTER TABLE store.alert OWNER TO hakperf_owner;
COMMENT ON COLUMN store.alert.change IS 'Fraction, head / base - 1; low and high likewise.';
CREATE TABLE store.commit (
    repository integer NOT NULL,
    sha text NOT NULL,
    parents text[] DEFAULT '{}'::text[] NOT NULL,
    "position" bigint NOT NULL,
    mainline boolean DEFAULT false NOT NULL,
    author text NOT NULL,
    author_email text DEFAULT ''::text NOT NULL,
    subject text NOT NULL,
    committed timestamp with time zone NOT NULL,
    patch_id text,
    paths text[],
    watched boolean DEFAULT true NOT NULL,
    seen timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT commit_position_check CHECK (("position" >= 0)),
    CONSTRAINT commit_sha_check CHECK ((sha ~ '^([0-9a-f]{40}|[0-9a-f]{64})$'::text))
);
ALTER TABLE store.commit OWNER TO hakperf_owner;
COMMENT ON COLUMN store.commit."position" IS 'Number of first parents behind it: 0 for a root.';
COMMENT ON COLUMN store.commit.mainline IS 'Whether it lies on the first-parent history of the default ref.';
COMMENT ON COLUMN store.commit.patch_id IS 'git patch-id of its change against the first parent; NULL for merges and roots.';
COMMENT ON COLUMN store.commit.paths IS 'Paths that differ from the first parent; NULL where not asked for.';
COMMENT ON COLUMN store.commit.watched IS 'Whether it touches a watched path and so is measured.';
CREATE TABLE store.repository (
    id integer NOT NULL,
    name text NOT NULL,
    url text NOT NULL,
    default_ref text,
    suite_hash text,
    looked timestamp with time zone,
    look_error text,
    created timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT repository_name_check CHECK ((name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'::text))
);
ALTER TABLE store.repository OWNER TO hakperf_owner;
COMMENT ON COLUMN store.repository.default_ref IS 'The ref whose first-parent history is shown, such as refs/heads/main; NULL until the first look.';
COMMENT ON COLUMN store.repository.suite_hash IS 'The suite in force; NULL before one was applied.';
COMMENT ON COLUMN store.repository.looked IS 'When its mirror was last compared with ref_tip.';
CREATE TABLE store.workload (
    repository integer NOT NULL,
    id integer NOT NULL,
    name text NOT NULL,
    hash text NOT NULL,
    CONSTRAINT workload_hash_check CHECK ((hash ~ '^[0-9a-f]{64}$'::text))
);
ALTER TABLE store.workload OWNER TO hakperf_owner;
COMMENT ON COLUMN store.workload.hash IS 'Of all that is executed: another hash is another series.';
CREATE VIEW hakperf.alerts AS
 SELECT r.name AS repository,
    a.created,
    a.state,
    "left"(a.head, 7) AS commit,
    c.subject,
    w.name AS workload,
    round((((100)::double precision * a.change))::numeric, 2) AS change_percent,
    a.sentence,
    a.id AS alert,
    a.run
   FROM (((store.alert a
     JOIN store.repository r ON ((r.id = a.repository)))
     JOIN store.commit c ON (((c.repository = a.repository) AND (c.sha = a.head))))
     JOIN store.workload w ON (((w.repository = a.repository) AND (w.id = a.workload))))
  ORDER BY a.created DESC, a.id DESC;
ALTER TABLE hakperf.alerts OWNER TO hakperf_owner;
COMMENT ON VIEW hakperf.alerts IS 'What a person has to look at, newest first.';
CREATE TABLE store.arm (
    repository integer NOT NULL,
    run uuid NOT NULL,
    name text NOT NULL,
    sha text,
    artifact_hash text,
    code_hash text,
    compiler text,
    build_seconds double precision,
    cached boolean NOT NULL,
    log text,
    CONSTRAINT arm_name_check CHECK ((name = ANY (ARRAY['head'::text, 'base'::text, 'control'::text])))
);
ALTER TABLE store.arm OWNER TO hakperf_owner;
COMMENT ON COLUMN store.arm.code_hash IS 'After symbols, debug data and the build id were stripped: equal means identical.';
CREATE TABLE store.run (
    repository integer NOT NULL,
    id uuid NOT NULL,
    stored timestamp with time zone DEFAULT now() NOT NULL,
    job bigint NOT NULL,
    attempt integer NOT NULL,
    kind text NOT NULL,
    head text NOT NULL,
    base text,
    against_parent boolean NOT NULL,
    suite_hash text NOT NULL,
    status text NOT NULL,
    verdict text,
    size text,
    decided_by integer,
    failure_stage text,
    failure_arm text,
    failure_message text,
    failure_log text,
    started timestamp with time zone NOT NULL,
    finished timestamp with time zone NOT NULL,
    runner text NOT NULL,
    runner_version text NOT NULL,
    machine text NOT NULL,
    sandbox text NOT NULL,
    driver_sha text,
    driver_hash text,
    warnings text[] DEFAULT '{}'::text[] NOT NULL,
    reproduce text NOT NULL,
    CONSTRAINT run_check CHECK (((status = 'failed'::text) = (failure_stage IS NOT NULL))),
    CONSTRAINT run_check1 CHECK (((failure_stage IS NULL) = (failure_message IS NULL))),
    CONSTRAINT run_check2 CHECK (((size IS NOT NULL) = (verdict = ANY (ARRAY['regressed'::text, 'improved'::text])))),
    CONSTRAINT run_failure_stage_check CHECK ((failure_stage = ANY (ARRAY['source'::text, 'build'::text, 'run'::text, 'validity'::text, 'runner'::text]))),
    CONSTRAINT run_sandbox_check CHECK ((sandbox = ANY (ARRAY['bwrap'::text, 'none'::text]))),
    CONSTRAINT run_size_check CHECK ((size = ANY (ARRAY['small'::text, 'relevant'::text]))),
    CONSTRAINT run_status_check CHECK ((status = ANY (ARRAY['measured'::text, 'identical'::text, 'failed'::text]))),
    CONSTRAINT run_verdict_check CHECK ((verdict = ANY (ARRAY['regressed'::text, 'improved'::text, 'equivalent'::text, 'inconclusive'::text, 'identical'::text, 'failed'::text])))
);
ALTER TABLE store.run OWNER TO hakperf_owner;
COMMENT ON TABLE store.run IS 'All samples of one job on one machine; failed runs stay.';
COMMENT ON COLUMN store.run.stored IS 'When it arrived; the month of its samples.';
COMMENT ON COLUMN store.run.against_parent IS 'Whether base is the first parent of head, or head has no parent.';
COMMENT ON COLUMN store.run.verdict IS 'The worst of its workloads, as the collector computed it; NULL where there was no base to compare with.';
COMMENT ON COLUMN store.run.decided_by IS 'The workload whose verdict that is; NULL where nothing was timed.';
CREATE VIEW hakperf.builds AS
 SELECT r.name AS repository,
    u.finished AS measured,
    "left"(a.sha, 7) AS commit,
    a.name AS arm,
    a.compiler,
    a.build_seconds,
    a.cached,
    "left"(a.code_hash, 12) AS code,
    a.log,
    a.sha,
    a.run
   FROM ((store.arm a
     JOIN store.run u ON (((u.repository = a.repository) AND (u.id = a.run))))
     JOIN store.repository r ON ((r.id = a.repository)))
  ORDER BY u.stored DESC, a.name;
ALTER TABLE hakperf.builds OWNER TO hakperf_owner;
COMMENT ON VIEW hakperf.builds IS 'The builds that took part in each run, newest first. Builds of the same code are the same program, whatever the sources.';
CREATE TABLE store.comparison (
    repository integer NOT NULL,
    run uuid NOT NULL,
    workload integer NOT NULL,
    metric integer NOT NULL,
    verdict text NOT NULL,
    size text,
    reason text,
    pairs integer DEFAULT 0 NOT NULL,
    estimate double precision,
    low double precision,
    high double precision,
    z double precision,
    detectable double precision,
    CONSTRAINT comparison_check CHECK (((size IS NOT NULL) = (verdict = ANY (ARRAY['regressed'::text, 'improved'::text])))),
    CONSTRAINT comparison_check1 CHECK (((low <= estimate) AND (estimate <= high))),
    CONSTRAINT comparison_pairs_check CHECK ((pairs >= 0)),
    CONSTRAINT comparison_size_check CHECK ((size = ANY (ARRAY['small'::text, 'relevant'::text]))),
    CONSTRAINT comparison_verdict_check CHECK ((verdict = ANY (ARRAY['regressed'::text, 'improved'::text, 'equivalent'::text, 'inconclusive'::text, 'identical'::text, 'failed'::text])))
);
ALTER TABLE store.comparison OWNER TO hakperf_owner;
COMMENT ON TABLE store.comparison IS 'Head against base for one workload and metric. estimate, low, high and detectable are log ratios.';
COMMENT ON COLUMN store.comparison.low IS 'NULL where the pairs were too few for a bound; likewise high.';
CREATE TABLE store.metric (
    id integer NOT NULL,
    name text NOT NULL,
    unit text NOT NULL,
    better text NOT NULL,
    text text DEFAULT ''::text NOT NULL,
    CONSTRAINT metric_better_check CHECK ((better = ANY (ARRAY['higher'::text, 'lower'::text, 'neither'::text])))
);
ALTER TABLE store.metric OWNER TO hakperf_owner;
CREATE VIEW hakperf.comparisons AS
 SELECT r.name AS repository,
    u.finished AS measured,
    "left"(u.base, 7) AS base,
    "left"(u.head, 7) AS head,
    w.name AS workload,
    m.name AS metric,
    c.verdict,
    c.size,
    round((((100)::double precision * (exp(c.estimate) - (1)::double precision)))::numeric, 2) AS change_percent,
    round((((100)::double precision * (exp(c.low) - (1)::double precision)))::numeric, 2) AS low_percent,
    round((((100)::double precision * (exp(c.high) - (1)::double precision)))::numeric, 2) AS high_percent,
    c.pairs,
    round((((100)::double precision * (exp(c.detectable) - (1)::double precision)))::numeric, 2) AS detectable_percent,
    c.reason,
    c.run
   FROM ((((store.comparison c
     JOIN store.run u ON (((u.repository = c.repository) AND (u.id = c.run))))
     JOIN store.repository r ON ((r.id = c.repository)))
     JOIN store.workload w ON (((w.repository = c.repository) AND (w.id = c.workload))))
     JOIN store.metric m ON ((m.id = c.metric)))
  ORDER BY u.stored DESC, w.name, m.name;
ALTER TABLE hakperf.comparisons OWNER TO hakperf_owner;
COMMENT ON VIEW hakperf.comparisons IS 'Head against base for every run, workload and deciding metric, newest first. The change lies between low and high; detectable is what such a run would have shown nine times in ten.';
CREATE TABLE store.configuration (
    repository integer NOT NULL,
    hash text NOT NULL,
    options jsonb NOT NULL,
    CONSTRAINT configuration_hash_check CHECK ((hash ~ '^[0-9a-f]{64}$'::text))
);
ALTER TABLE store.configuration OWNER TO hakperf_owner;
COMMENT ON TABLE store.configuration IS 'Effective configurations of the library under test, each stored once by its content.';
CREATE TABLE store.run_workload (
    repository integer NOT NULL,
    run uuid NOT NULL,
    workload integer NOT NULL,
    status text NOT NULL,
    failure_stage text,
    failure_arm text,
    failure_message text,
    failure_log text,
    margin double precision NOT NULL,
    layout_sd double precision NOT NULL,
    max_pairs integer NOT NULL,
    coin_seed bigint NOT NULL,
    pairs integer NOT NULL,
    first_arm text NOT NULL,
    second_arm text NOT NULL,
    pair_seed bigint[] NOT NULL,
    pair_order smallint[] NOT NULL,
    pair_layout integer[] NOT NULL,
    head_configuration text,
    base_configuration text,
    CONSTRAINT run_workload_check CHECK (((status = 'failed'::text) = (failure_stage IS NOT NULL))),
    CONSTRAINT run_workload_check1 CHECK (((cardinality(pair_seed) = pairs) AND (cardinality(pair_order) = pairs) AND (cardinality(pair_layout) = pairs))),
    CONSTRAINT run_workload_status_check CHECK ((status = ANY (ARRAY['measured'::text, 'failed'::text])))
);
ALTER TABLE store.run_workload OWNER TO hakperf_owner;
COMMENT ON COLUMN store.run_workload.pair_order IS '0: the arm named first ran first in this pair.';
CREATE VIEW hakperf.configurations AS
 SELECT r.name AS repository,
    u.finished AS measured,
    "left"(u.head, 7) AS head,
    w.name AS workload,
    side.arm,
    o.key AS option,
    (o.value ->> 'value'::text) AS value,
    (o.value ->> 'source'::text) AS source,
    ((o.value -> 'ignored'::text))::boolean AS ignored,
    x.run
   FROM ((((((store.run_workload x
     JOIN store.run u ON (((u.repository = x.repository) AND (u.id = x.run))))
     JOIN store.repository r ON ((r.id = x.repository)))
     JOIN store.workload w ON (((w.repository = x.repository) AND (w.id = x.workload))))
     CROSS JOIN LATERAL ( VALUES ('head'::text,x.head_configuration), ('base'::text,x.base_configuration)) side(arm, hash))
     JOIN store.configuration c ON (((c.repository = x.repository) AND (c.hash = side.hash))))
     CROSS JOIN LATERAL jsonb_each(c.options) o(key, value))
  ORDER BY u.stored DESC, w.name, side.arm, o.key;
ALTER TABLE hakperf.configurations OWNER TO hakperf_owner;
COMMENT ON VIEW hakperf.configurations IS 'The effective configuration that the library under test reported in each run: one row an option, with its source (default or environment) and whether that build ignores it.';
CREATE TABLE store.job (
    repository integer NOT NULL,
    id bigint NOT NULL,
    kind text NOT NULL,
    head text NOT NULL,
    base text,
    suite_hash text NOT NULL,
    priority integer DEFAULT 0 NOT NULL,
    state text DEFAULT 'queued'::text NOT NULL,
    fence bigint DEFAULT 0 NOT NULL,
    attempt integer DEFAULT 0 NOT NULL,
    runner text,
    run uuid,
    lease_until timestamp with time zone,
    progress jsonb,
    reason text,
    created timestamp with time zone DEFAULT now() NOT NULL,
    started timestamp with time zone,
    finished timestamp with time zone,
    CONSTRAINT job_check CHECK (((state <> 'running'::text) OR ((runner IS NOT NULL) AND (run IS NOT NULL) AND (lease_until IS NOT NULL)))),
    CONSTRAINT job_check1 CHECK (((finished IS NOT NULL) = (state = ANY (ARRAY['done'::text, 'dead'::text])))),
    CONSTRAINT job_kind_check CHECK ((kind = ANY (ARRAY['commit'::text, 'compare'::text]))),
    CONSTRAINT job_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'running'::text, 'done'::text, 'dead'::text])))
);
ALTER TABLE store.job OWNER TO hakperf_owner;
COMMENT ON COLUMN store.job.priority IS 'Higher goes first; of equals the lower id.';
COMMENT ON COLUMN store.job.fence IS 'Grows with every claim; results and heartbeats with an older one are refused.';
COMMENT ON COLUMN store.job.run IS 'The run that the present claim produces, or the last one produced.';
COMMENT ON COLUMN store.job.reason IS 'Why it is dead, or why the last attempt ended without a result.';
CREATE TABLE store.measurement (
    repository integer NOT NULL,
    run uuid NOT NULL,
    workload integer NOT NULL,
    metric integer NOT NULL,
    arm text NOT NULL,
    n integer NOT NULL,
    median double precision,
    low double precision,
    high double precision,
    missing text,
    CONSTRAINT measurement_arm_check CHECK ((arm = ANY (ARRAY['head'::text, 'base'::text, 'control'::text]))),
    CONSTRAINT measurement_check CHECK (((median IS NULL) = (missing IS NOT NULL))),
    CONSTRAINT measurement_check1 CHECK (((low IS NULL) = (high IS NULL))),
    CONSTRAINT measurement_n_check CHECK ((n >= 0))
);
ALTER TABLE store.measurement OWNER TO hakperf_owner;
COMMENT ON TABLE store.measurement IS 'One figure an arm and metric: the median of its samples with a 95 % interval, or a single value. Kept for ever.';
COMMENT ON COLUMN store.measurement.missing IS 'Why there is no value.';
CREATE VIEW store.commit_state AS
 SELECT c.repository,
    c.sha,
    c."position",
    c.mainline,
    c.parents,
    c.author,
    c.subject,
    c.committed,
        CASE
            WHEN ((run.id IS NOT NULL) AND (run.status <> 'failed'::text)) THEN
            CASE
                WHEN (run.verdict = 'failed'::text) THEN 'failed'::text
                ELSE run.status
            END
            WHEN (job.state = ANY (ARRAY['queued'::text, 'running'::text])) THEN job.state
            WHEN ((run.id IS NOT NULL) OR (job.state = 'dead'::text)) THEN 'failed'::text
            WHEN (NOT c.watched) THEN 'unwatched'::text
            ELSE 'unmeasured'::text
        END AS state,
    run.id AS run,
    run.verdict,
    run.size,
    shown.workload AS workload_id,
    ( SELECT w.name
           FROM store.workload w
          WHERE ((w.repository = c.repository) AND (w.id = shown.workload))) AS workload,
    compared.estimate,
    compared.low,
    compared.high,
    figure.throughput,
    figure.kernel_share,
    figure.ace_failures,
    COALESCE(run.failure_message, compared.reason,
        CASE
            WHEN (run.id IS NULL) THEN job.reason
            ELSE NULL::text
        END) AS reason
   FROM (((((store.commit c
     LEFT JOIN LATERAL ( SELECT r.repository,
            r.id,
            r.stored,
            r.job,
            r.attempt,
            r.kind,
            r.head,
            r.base,
            r.against_parent,
            r.suite_hash,
            r.status,
            r.verdict,
            r.size,
            r.decided_by,
            r.failure_stage,
            r.failure_arm,
            r.failure_message,
            r.failure_log,
            r.started,
            r.finished,
            r.runner,
            r.runner_version,
            r.machine,
            r.sandbox,
            r.driver_sha,
            r.driver_hash,
            r.warnings,
            r.reproduce
           FROM store.run r
          WHERE ((r.repository = c.repository) AND (r.head = c.sha) AND r.against_parent)
          ORDER BY r.stored DESC
         LIMIT 1) run ON (true))
     LEFT JOIN LATERAL ( SELECT j.state,
            j.reason
           FROM store.job j
          WHERE ((j.repository = c.repository) AND (j.head = c.sha) AND (j.kind = 'commit'::text))
          ORDER BY (j.state = ANY (ARRAY['queued'::text, 'running'::text])) DESC, j.id DESC
         LIMIT 1) job ON (true))
     LEFT JOIN LATERAL ( SELECT COALESCE(run.decided_by, ( SELECT x.workload
                   FROM store.run_workload x
                  WHERE ((x.repository = c.repository) AND (x.run = run.id))
                  ORDER BY x.workload
                 LIMIT 1)) AS workload) shown ON (true))
     LEFT JOIN LATERAL ( SELECT k.estimate,
            k.low,
            k.high,
            k.reason
           FROM (store.comparison k
             JOIN store.metric m ON (((m.id = k.metric) AND (m.name = 'throughput'::text))))
          WHERE ((k.repository = c.repository) AND (k.run = run.id) AND (k.workload = shown.workload))) compared ON (true))
     LEFT JOIN LATERAL ( SELECT max(x.median) FILTER (WHERE (m.name = 'throughput'::text)) AS throughput,
            max(x.median) FILTER (WHERE (m.name = 'kernel_share'::text)) AS kernel_share,
            max(x.median) FILTER (WHERE (m.name = 'ace_failures'::text)) AS ace_failures
           FROM (store.metric m
             JOIN store.measurement x ON (((x.repository = c.repository) AND (x.run = run.id) AND (x.workload = shown.workload) AND (x.metric = m.id) AND (x.arm = 'head'::text))))
          WHERE (m.name = ANY (ARRAY['throughput'::text, 'kernel_share'::text, 'ace_failures'::text]))) figure ON (true));
ALTER TABLE store.commit_state OWNER TO hakperf_owner;
COMMENT ON VIEW store.commit_state IS 'Each commit with its last run against its parent and the figures of the workload that decided.';
CREATE VIEW hakperf.history AS
 SELECT r.name AS repository,
    c.committed,
    "left"(c.sha, 7) AS commit,
    c.subject,
    c.state,
    c.verdict,
    c.size,
    c.workload,
    round((((100)::double precision * (exp(c.estimate) - (1)::double precision)))::numeric, 2) AS change_percent,
    round(c.throughput) AS throughput,
    round((c.kernel_share)::numeric, 4) AS kernel_share,
    c.ace_failures,
    c.reason,
    c.sha,
    c.run
   FROM (store.commit_state c
     JOIN store.repository r ON ((r.id = c.repository)))
  WHERE c.mainline
  ORDER BY c.committed DESC, c."position" DESC;
ALTER TABLE hakperf.history OWNER TO hakperf_owner;
COMMENT ON VIEW hakperf.history IS 'Commits of the main line, newest first, each with its last verdict against its parent and the figures of the workload that decided it.';
COMMENT ON COLUMN hakperf.history.state IS 'unwatched, unmeasured, queued, running, measured, identical or failed';
COMMENT ON COLUMN hakperf.history.verdict IS 'regressed, improved, equivalent, inconclusive, identical or failed; NULL where nothing was compared';
COMMENT ON COLUMN hakperf.history.size IS 'small or relevant, of regressed and improved';
COMMENT ON COLUMN hakperf.history.change_percent IS 'change of throughput against the parent; negative is slower';
COMMENT ON COLUMN hakperf.history.throughput IS 'operations per CPU-second of the steady part, median of the samples';
COMMENT ON COLUMN hakperf.history.kernel_share IS 'share of CPU time spent in the kernel, 0 to 1';
COMMENT ON COLUMN hakperf.history.ace_failures IS 'ACE allocation failures of all causes in one long execution';
CREATE VIEW hakperf.jobs AS
 SELECT r.name AS repository,
    j.id AS job,
    j.kind,
    "left"(j.head, 7) AS head,
    "left"(j.base, 7) AS base,
    j.state,
    j.attempt,
    j.runner,
    j.created,
    j.started,
    j.finished,
    j.reason
   FROM (store.job j
     JOIN store.repository r ON ((r.id = j.repository)))
  ORDER BY j.id DESC;
ALTER TABLE hakperf.jobs OWNER TO hakperf_owner;
COMMENT ON VIEW hakperf.jobs IS 'Work that waits, runs or ended, newest first.';
CREATE TABLE store.machine (
    repository integer NOT NULL,
    fingerprint text NOT NULL,
    facts jsonb NOT NULL,
    first_seen timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT machine_fingerprint_check CHECK ((fingerprint ~ '^[0-9a-f]{64}$'::text))
);
ALTER TABLE store.machine OWNER TO hakperf_owner;
CREATE VIEW hakperf.machines AS
 SELECT r.name AS repository,
    "left"(m.fingerprint, 12) AS machine,
    m.first_seen,
    m.facts
   FROM (store.machine m
     JOIN store.repository r ON ((r.id = m.repository)))
  ORDER BY m.first_seen DESC;
ALTER TABLE hakperf.machines OWNER TO hakperf_owner;
COMMENT ON VIEW hakperf.machines IS 'Machines that measured, with the facts that identify them: another kernel or processor is another machine.';
CREATE VIEW hakperf.measurements AS
 SELECT r.name AS repository,
    u.finished AS measured,
    "left"(u.head, 7) AS head,
    w.name AS workload,
    m.name AS metric,
    x.arm,
    x.median AS value,
    x.low,
    x.high,
    x.n,
    m.unit,
    m.better,
    x.missing,
    u.head AS sha,
    x.run
   FROM ((((store.measurement x
     JOIN store.run u ON (((u.repository = x.repository) AND (u.id = x.run))))
     JOIN store.repository r ON ((r.id = x.repository)))
     JOIN store.workload w ON (((w.repository = x.repository) AND (w.id = x.workload))))
     JOIN store.metric m ON ((m.id = x.metric)))
  ORDER BY u.stored DESC, w.name, m.name, x.arm;
ALTER TABLE hakperf.measurements OWNER TO hakperf_owner;
COMMENT ON VIEW hakperf.measurements IS 'Every figure of every run, newest first: the median of its samples with a 95 % interval, or a single value. Counters of the library are metrics called counter:NAME. A missing value is NULL with its reason.';
CREATE VIEW hakperf.runs AS
 SELECT r.name AS repository,
    u.finished AS measured,
    "left"(u.head, 7) AS head,
    "left"(u.base, 7) AS base,
    u.status,
    u.verdict,
    u.size,
    (u.finished - u.started) AS duration,
    u.runner,
    "left"(u.machine, 12) AS machine,
    u.sandbox,
    u.failure_stage,
    u.failure_message,
    u.failure_log,
    cardinality(u.warnings) AS warnings,
    u.reproduce,
    u.head AS head_sha,
    u.base AS base_sha,
    u.id AS run
   FROM (store.run u
     JOIN store.repository r ON ((r.id = u.repository)))
  ORDER BY u.stored DESC;
ALTER TABLE hakperf.runs OWNER TO hakperf_owner;
COMMENT ON VIEW hakperf.runs IS 'Every run, newest first, failed ones included, with the command line that repeats it.';
ALTER TABLE store.alert ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME store.alert_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE store.audit_log (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    who text NOT NULL,
    action text NOT NULL,
    object text DEFAULT ''::text NOT NULL,
    address text,
    detail jsonb
);
ALTER TABLE store.audit_log OWNER TO hakperf_owner;
COMMENT ON TABLE store.audit_log IS 'Who did what; rows are only added.';
ALTER TABLE store.audit_log ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME store.audit_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
ALTER TABLE store.job ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME store.job_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE store.login_code (
    hash text NOT NULL,
    scope text NOT NULL,
    created timestamp with time zone DEFAULT now() NOT NULL,
    expires timestamp with time zone NOT NULL,
    used timestamp with time zone,
    CONSTRAINT login_code_hash_check CHECK ((hash ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT login_code_scope_check CHECK ((scope = ANY (ARRAY['admin'::text, 'submit'::text, 'read'::text])))
);
ALTER TABLE store.login_code OWNER TO hakperf_owner;
COMMENT ON TABLE store.login_code IS 'One-time codes that a browser exchanges for a session.';
ALTER TABLE store.metric ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME store.metric_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE store.migration (
    number integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT migration_checksum_check CHECK ((checksum ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT migration_number_check CHECK ((number > 0))
);
ALTER TABLE store.migration OWNER TO hakperf_owner;
COMMENT ON TABLE store.migration IS 'Which migrations were applied, with the SHA-256 of each file.';
CREATE TABLE store.outbox (
    repository integer NOT NULL,
    id bigint NOT NULL,
    kind text NOT NULL,
    alert bigint,
    payload jsonb NOT NULL,
    created timestamp with time zone DEFAULT now() NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_attempt timestamp with time zone DEFAULT now() NOT NULL,
    delivered timestamp with time zone,
    given_up timestamp with time zone,
    last_error text,
    CONSTRAINT outbox_kind_check CHECK ((kind = 'alert'::text))
);
ALTER TABLE store.outbox OWNER TO hakperf_owner;
COMMENT ON TABLE store.outbox IS 'Messages written in the transaction that caused them and sent afterwards, so that none is lost.';
ALTER TABLE store.outbox ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME store.outbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE store.ref_tip (
    repository integer NOT NULL,
    ref text NOT NULL,
    sha text NOT NULL,
    seen timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE store.ref_tip OWNER TO hakperf_owner;
COMMENT ON TABLE store.ref_tip IS 'Where each ref pointed at the last look; what differs in the mirror is new.';
ALTER TABLE store.repository ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME store.repository_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE store.runner (
    name text NOT NULL,
    version text NOT NULL,
    first_seen timestamp with time zone DEFAULT now() NOT NULL,
    seen timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE store.runner OWNER TO hakperf_owner;
CREATE TABLE store.sample_set (
    repository integer NOT NULL,
    stored timestamp with time zone NOT NULL,
    run uuid NOT NULL,
    workload integer NOT NULL,
    metric integer NOT NULL,
    arm text NOT NULL,
    samples double precision[] NOT NULL
)
PARTITION BY RANGE (stored);
ALTER TABLE store.sample_set OWNER TO hakperf_owner;
COMMENT ON TABLE store.sample_set IS 'The samples behind a measurement, one a process execution in the order of the pairs; dropped by the month.';
CREATE TABLE store.sample_set_202611 (
    repository integer NOT NULL,
    stored timestamp with time zone NOT NULL,
    run uuid NOT NULL,
    workload integer NOT NULL,
    metric integer NOT NULL,
    arm text NOT NULL,
    samples double precision[] NOT NULL
);
ALTER TABLE store.sample_set_202611 OWNER TO hakperf_owner;
CREATE TABLE store.sample_set_202612 (
    repository integer NOT NULL,
    stored timestamp with time zone NOT NULL,
    run uuid NOT NULL,
    workload integer NOT NULL,
    metric integer NOT NULL,
    arm text NOT NULL,
    samples double precision[] NOT NULL
);
ALTER TABLE store.sample_set_202612 OWNER TO hakperf_owner;
CREATE TABLE store.sample_set_202701 (
    repository integer NOT NULL,
    stored timestamp with time zone NOT NULL,
    run uuid NOT NULL,
    workload integer NOT NULL,
    metric integer NOT NULL,
    arm text NOT NULL,
    samples double precision[] NOT NULL
);
ALTER TABLE store.sample_set_202701 OWNER TO hakperf_owner;
CREATE TABLE store.sample_set_202702 (
    repository integer NOT NULL,
    stored timestamp with time zone NOT NULL,
    run uuid NOT NULL,
    workload integer NOT NULL,
    metric integer NOT NULL,
    arm text NOT NULL,
    samples double precision[] NOT NULL
);
ALTER TABLE store.sample_set_202702 OWNER TO hakperf_owner;
CREATE TABLE store.sample_set_default (
    repository integer NOT NULL,
    stored timestamp with time zone NOT NULL,
    run uuid NOT NULL,
    workload integer NOT NULL,
    metric integer NOT NULL,
    arm text NOT NULL,
    samples double precision[] NOT NULL
);
ALTER TABLE store.sample_set_default OWNER TO hakperf_owner;
CREATE TABLE store.session (
    hash text NOT NULL,
    scope text NOT NULL,
    created timestamp with time zone DEFAULT now() NOT NULL,
    expires timestamp with time zone NOT NULL,
    CONSTRAINT session_hash_check CHECK ((hash ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT session_scope_check CHECK ((scope = ANY (ARRAY['admin'::text, 'submit'::text, 'read'::text])))
);
ALTER TABLE store.session OWNER TO hakperf_owner;
COMMENT ON COLUMN store.session.hash IS 'SHA-256 of the cookie.';
CREATE TABLE store.suite (
    repository integer NOT NULL,
    hash text NOT NULL,
    name text NOT NULL,
    document jsonb NOT NULL,
    driver_sha text NOT NULL,
    driver_subject text DEFAULT ''::text NOT NULL,
    created timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT suite_driver_sha_check CHECK ((driver_sha ~ '^([0-9a-f]{40}|[0-9a-f]{64})$'::text)),
    CONSTRAINT suite_hash_check CHECK ((hash ~ '^[0-9a-f]{64}$'::text))
);
ALTER TABLE store.suite OWNER TO hakperf_owner;
COMMENT ON COLUMN store.suite.driver_sha IS 'The commit that driver.rev stood for when the suite was applied.';
CREATE TABLE store.token (
    id bigint NOT NULL,
    name text NOT NULL,
    hash text NOT NULL,
    scope text NOT NULL,
    created timestamp with time zone DEFAULT now() NOT NULL,
    expires timestamp with time zone,
    revoked timestamp with time zone,
    last_used timestamp with time zone,
    CONSTRAINT token_hash_check CHECK ((hash ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT token_scope_check CHECK ((scope = ANY (ARRAY['admin'::text, 'runner'::text, 'submit'::text, 'read'::text])))
);
ALTER TABLE store.token OWNER TO hakperf_owner;
COMMENT ON COLUMN store.token.hash IS 'SHA-256 of the token, which is shown once and never stored.';
ALTER TABLE store.token ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME store.token_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
ALTER TABLE store.workload ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME store.workload_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
ALTER TABLE ONLY store.sample_set ATTACH PARTITION store.sample_set_202611 FOR VALUES FROM ('2026-11-01 00:00:00+00') TO ('2026-12-01 00:00:00+00');
ALTER TABLE ONLY store.sample_set ATTACH PARTITION store.sample_set_202612 FOR VALUES FROM ('2026-12-01 00:00:00+00') TO ('2027-01-01 00:00:00+00');
ALTER TABLE ONLY store.sample_set ATTACH PARTITION store.sample_set_202701 FOR VALUES FROM ('2027-01-01 00:00:00+00') TO ('2027-02-01 00:00:00+00');
ALTER TABLE ONLY store.sample_set ATTACH PARTITION store.sample_set_202702 FOR VALUES FROM ('2027-02-01 00:00:00+00') TO ('2027-03-01 00:00:00+00');
ALTER TABLE ONLY store.sample_set ATTACH PARTITION store.sample_set_default DEFAULT;
-- Data for Name: alert; Type: TABLE DATA; Schema: store; Owner: hakperf_owner
INSERT INTO store.alert OVERRIDING SYSTEM VALUE VALUES (1, 1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', '8c1f2e08a960aaef81d7b2d4521929579f3541e6', 1, 10, -0.3095927424554461, -0.3212403469651769, -0.29778410290588364, '8c1f2e0 is 31 % slower than its parent on random_mixed/8192 (interval 29.8 to 32.1 %, 64 pairs): sys.munmap from 3 to 74,112, kernel share from 2 % to 32 %, ACE failures from 0 to 73,385, HAKMEM_KEEP_EMPTY from 8 to 0.', 'open', '2026-11-25 18:08:47.204493+00');
-- Data for Name: arm; Type: TABLE DATA; Schema: store; Owner: hakperf_owner
INSERT INTO store.arm VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 'head', '8c1f2e08a960aaef81d7b2d4521929579f3541e6', '4a4a87979cf53f0627b5d3d6ebd9cd6f984f91dfc6d7b1318f7c5a5fb796c9d5', 'cacca3b6ecaf0a339803e520f708766089ec705f1ca3cc7384fe6b2551c8cec9', 'GCC: (Debian 12.2.0-14+deb12u1) 12.2.0', 3.412, false, 'cc -O2 -c tiny.c
');
INSERT INTO store.arm VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 'base', '1405df66cbe219b0bf6355bc3d60361a8376b6b4', '56d67128419427a6b98a8a2d3db90caeaca9925204c78629e6a85fd473109e3d', '68793181c1a51b4128292d9d52281f85495c39a4048ba89feb1eab0aae6ea2a3', 'GCC: (Debian 12.2.0-14+deb12u1) 12.2.0', NULL, true, NULL);
INSERT INTO store.arm VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 'control', NULL, NULL, NULL, NULL, NULL, false, NULL);
INSERT INTO store.arm VALUES (1, 'b1a7c9de-0f35-4e5b-9a41-6d2c8e7f5a10', 'head', '3d5be026fc4e78a0bcc50ba12b882769afbf4a8c', NULL, NULL, NULL, 1.207, false, 'cc -O2 -c tiny.c
tiny.c:118:5: error: expected '';'' before ''return''
make: *** [Makefile:31: tiny.o] Error 1
');
INSERT INTO store.arm VALUES (1, 'b1a7c9de-0f35-4e5b-9a41-6d2c8e7f5a10', 'base', '8c1f2e08a960aaef81d7b2d4521929579f3541e6', '4a4a87979cf53f0627b5d3d6ebd9cd6f984f91dfc6d7b1318f7c5a5fb796c9d5', 'cacca3b6ecaf0a339803e520f708766089ec705f1ca3cc7384fe6b2551c8cec9', 'GCC: (Debian 12.2.0-14+deb12u1) 12.2.0', NULL, true, NULL);
-- Data for Name: audit_log; Type: TABLE DATA; Schema: store; Owner: hakperf_owner
-- Data for Name: commit; Type: TABLE DATA; Schema: store; Owner: hakperf_owner
INSERT INTO store.commit VALUES (1, '1405df66cbe219b0bf6355bc3d60361a8376b6b4', '{}', 0, true, 'A', '', 'Count ACE failures by cause', '2026-11-22 20:00:00+00', NULL, NULL, true, '2026-11-25 18:08:47.169332+00');
INSERT INTO store.commit VALUES (1, '8c1f2e08a960aaef81d7b2d4521929579f3541e6', '{1405df66cbe219b0bf6355bc3d60361a8376b6b4}', 1, true, 'A', '', 'Return empty slabs to the system at once', '2026-11-22 20:10:00+00', NULL, NULL, true, '2026-11-25 18:08:47.169332+00');
INSERT INTO store.commit VALUES (1, '3d5be026fc4e78a0bcc50ba12b882769afbf4a8c', '{8c1f2e08a960aaef81d7b2d4521929579f3541e6}', 2, true, 'B', '', 'Forget a semicolon', '2026-11-22 20:19:00+00', NULL, NULL, true, '2026-11-25 18:08:47.169332+00');
-- Data for Name: comparison; Type: TABLE DATA; Schema: store; Owner: hakperf_owner
INSERT INTO store.comparison VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 10, 'regressed', 'relevant', NULL, 64, -0.3704736271816208, -0.38748818605269236, -0.35351437652070167, -6.955004890239533, 0.022863455603961306);
-- Data for Name: configuration; Type: TABLE DATA; Schema: store; Owner: hakperf_owner
INSERT INTO store.configuration VALUES (1, '11f9fd3ba4fb34ceb148617bbeeb419201bdfdc9614cf75ed3ca7742f80cdde5', '{"HAKMEM_ACE_TRACE": {"value": null, "source": "default", "ignored": true}, "HAKMEM_KEEP_EMPTY": {"value": "8", "source": "default", "ignored": false}, "HAKMEM_TINY_USE_SUPERSLAB": {"value": "1", "source": "environment", "ignored": false}}');
INSERT INTO store.configuration VALUES (1, '4503151458fc8b4c65b379f683b48007139ffb81267f9733c6c28dd88a4263e0', '{"HAKMEM_ACE_TRACE": {"value": null, "source": "default", "ignored": true}, "HAKMEM_KEEP_EMPTY": {"value": "0", "source": "default", "ignored": false}, "HAKMEM_TINY_USE_SUPERSLAB": {"value": "1", "source": "environment", "ignored": false}}');
-- Data for Name: job; Type: TABLE DATA; Schema: store; Owner: hakperf_owner
INSERT INTO store.job OVERRIDING SYSTEM VALUE VALUES (1, 17, 'commit', '8c1f2e08a960aaef81d7b2d4521929579f3541e6', '1405df66cbe219b0bf6355bc3d60361a8376b6b4', '5655954f296a2e5d44a39ac19a6b4fdbfc76da2b26f6be7e1fb05b837168e1e4', 0, 'done', 1, 1, 'bench-1', '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', NULL, NULL, NULL, '2026-11-25 18:08:47.169332+00', '2026-11-25 18:08:47.169332+00', '2026-11-25 18:08:47.204493+00');
INSERT INTO store.job OVERRIDING SYSTEM VALUE VALUES (1, 18, 'commit', '3d5be026fc4e78a0bcc50ba12b882769afbf4a8c', '8c1f2e08a960aaef81d7b2d4521929579f3541e6', '5655954f296a2e5d44a39ac19a6b4fdbfc76da2b26f6be7e1fb05b837168e1e4', 0, 'done', 1, 1, 'bench-1', 'b1a7c9de-0f35-4e5b-9a41-6d2c8e7f5a10', NULL, NULL, NULL, '2026-11-25 18:08:47.169332+00', '2026-11-25 18:08:47.169332+00', '2026-11-25 18:08:47.246133+00');
-- Data for Name: login_code; Type: TABLE DATA; Schema: store; Owner: hakperf_owner
-- Data for Name: machine; Type: TABLE DATA; Schema: store; Owner: hakperf_owner
INSERT INTO store.machine VALUES (1, '66b6a2e26e77e75c001b609010c9f7ef6f65fed8c78acf45469ec0483393e3a1', '{"cpu": "AMD EPYC 7763 64-Core Processor", "smt": true, "arch": "x86_64", "cores": 2, "kernel": "6.1.0-38-amd64", "governor": null, "memory_mib": 7936}', '2026-11-25 18:08:47.204493+00');
-- Data for Name: measurement; Type: TABLE DATA; Schema: store; Owner: hakperf_owner
INSERT INTO store.measurement VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 10, 'head', 64, 11405141, 11375228, 11444694, NULL);
INSERT INTO store.measurement VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 10, 'base', 64, 16536668, 16497923, 16579983, NULL);
INSERT INTO store.measurement VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 10, 'control', 16, 21055178, 20959515, 21124597, NULL);
INSERT INTO store.measurement VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 5, 'head', 64, 0.030688, 0.030582, 0.030769, NULL);
INSERT INTO store.measurement VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 5, 'base', 64, 0.021165, 0.02111, 0.021215, NULL);
INSERT INTO store.measurement VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 5, 'control', 16, 0.016623, 0.016568, 0.016699, NULL);
INSERT INTO store.measurement VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 8, 'head', 63, 41204, 41196, 41204, NULL);
INSERT INTO store.measurement VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 8, 'base', 64, 43820, 43816, 43820, NULL);
INSERT INTO store.measurement VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 8, 'control', 16, 9122, 9112, 9124, NULL);
INSERT INTO store.measurement VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 7, 'head', 64, 0.318, NULL, NULL, NULL);
INSERT INTO store.measurement VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 7, 'base', 64, 0.021, NULL, NULL, NULL);
INSERT INTO store.measurement VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 7, 'control', 16, 0.012, NULL, NULL, NULL);
INSERT INTO store.measurement VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 6, 'head', 1, 11402216, NULL, NULL, NULL);
INSERT INTO store.measurement VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 6, 'base', 1, 16498210, NULL, NULL, NULL);
INSERT INTO store.measurement VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 6, 'control', 1, 20987311, NULL, NULL, NULL);
INSERT INTO store.measurement VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 1, 'head', 1, 73385, NULL, NULL, NULL);
INSERT INTO store.measurement VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 1, 'base', 1, 0, NULL, NULL, NULL);
INSERT INTO store.measurement VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 2, 'head', 1, 73385, NULL, NULL, NULL);
INSERT INTO store.measurement VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 2, 'base', 1, 0, NULL, NULL, NULL);
INSERT INTO store.measurement VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 3, 'head', 1, 74112, NULL, NULL, NULL);
INSERT INTO store.measurement VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 3, 'base', 1, 3, NULL, NULL, NULL);
INSERT INTO store.measurement VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 4, 'head', 1, 5000213, NULL, NULL, NULL);
INSERT INTO store.measurement VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 4, 'base', 1, 5000213, NULL, NULL, NULL);
INSERT INTO store.measurement VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 9, 'head', 0, NULL, NULL, NULL, 'not supported by this machine');
INSERT INTO store.measurement VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 9, 'base', 0, NULL, NULL, NULL, 'not supported by this machine');
-- Data for Name: metric; Type: TABLE DATA; Schema: store; Owner: hakperf_owner
INSERT INTO store.metric OVERRIDING SYSTEM VALUE VALUES (1, 'ace_failures', 'count', 'lower', 'ACE allocation failures of all causes in one long execution');
INSERT INTO store.metric OVERRIDING SYSTEM VALUE VALUES (2, 'counter:ace.fail.threshold', 'count', 'neither', '');
INSERT INTO store.metric OVERRIDING SYSTEM VALUE VALUES (3, 'counter:sys.munmap', 'count', 'neither', '');
INSERT INTO store.metric OVERRIDING SYSTEM VALUE VALUES (4, 'counter:tiny.alloc', 'count', 'neither', '');
INSERT INTO store.metric OVERRIDING SYSTEM VALUE VALUES (5, 'cpu', 's', 'lower', 'CPU time of the timed region, draining included');
INSERT INTO store.metric OVERRIDING SYSTEM VALUE VALUES (6, 'headline', 'ops/s', 'higher', 'operations per second of wall time in one long execution');
INSERT INTO store.metric OVERRIDING SYSTEM VALUE VALUES (7, 'kernel_share', 'fraction', 'lower', 'share of CPU time spent in the kernel, over all samples of the run');
INSERT INTO store.metric OVERRIDING SYSTEM VALUE VALUES (8, 'peak_rss', 'KiB', 'lower', 'peak resident memory (VmHWM)');
INSERT INTO store.metric OVERRIDING SYSTEM VALUE VALUES (9, 'perf:cycles', 'count', 'neither', '');
INSERT INTO store.metric OVERRIDING SYSTEM VALUE VALUES (10, 'throughput', 'ops/cpu-s', 'higher', 'operations per CPU-second of the steady part');
-- Data for Name: migration; Type: TABLE DATA; Schema: store; Owner: hakperf_owner
INSERT INTO store.migration VALUES (1, '0001_roles.sql', '7ba36e78651b3e4f0cb0a3d7ed9f04b0be572344e2160225dfc8ddbd0bf68de6', '2026-11-25 18:08:46.64601+00');
INSERT INTO store.migration VALUES (2, '0002_tables.sql', '84632e462e318a2359f1a6deaba757e0fbfe9cb3c802bae29d7c1b4495aebbc6', '2026-11-25 18:08:46.665861+00');
INSERT INTO store.migration VALUES (3, '0003_views.sql', '14cc7889a19ec47f12c732046df804cc5f0eb0287cf76b419a0923cf4bf45f11', '2026-11-25 18:08:46.768947+00');
INSERT INTO store.migration VALUES (4, '0004_newest_runs.sql', 'e3862072055b978cdb70a8be3b01c7922aafab7fc2c06c4b6ff5f049db320c3a', '2026-11-25 18:08:46.786383+00');
-- Data for Name: outbox; Type: TABLE DATA; Schema: store; Owner: hakperf_owner
INSERT INTO store.outbox OVERRIDING SYSTEM VALUE VALUES (1, 1, 'alert', 1, '{"low": -0.32124034696517689, "run": "4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71", "base": {"sha": "1405df66cbe219b0bf6355bc3d60361a8376b6b4", "short": "1405df6", "subject": "Count ACE failures by cause"}, "high": -0.29778410290588364, "size": "relevant", "alert": 1, "event": "regressed", "pairs": 64, "change": -0.3095927424554461, "commit": {"sha": "8c1f2e08a960aaef81d7b2d4521929579f3541e6", "short": "8c1f2e0", "subject": "Return empty slabs to the system at once"}, "metric": "throughput", "address": "/#repo=hakmem&base=1405df66cbe219b0bf6355bc3d60361a8376b6b4&head=8c1f2e08a960aaef81d7b2d4521929579f3541e6", "verdict": "regressed", "sentence": "8c1f2e0 is 31 % slower than its parent on random_mixed/8192 (interval 29.8 to 32.1 %, 64 pairs): sys.munmap from 3 to 74,112, kernel share from 2 % to 32 %, ACE failures from 0 to 73,385, HAKMEM_KEEP_EMPTY from 8 to 0.", "workload": "random_mixed/8192", "repository": "hakmem"}', '2026-11-25 18:08:47.204493+00', 0, '2026-11-25 18:08:47.204493+00', NULL, NULL, NULL);
-- Data for Name: ref_tip; Type: TABLE DATA; Schema: store; Owner: hakperf_owner
INSERT INTO store.ref_tip VALUES (1, 'refs/heads/main', '3d5be026fc4e78a0bcc50ba12b882769afbf4a8c', '2026-11-25 18:08:47.169332+00');
-- Data for Name: repository; Type: TABLE DATA; Schema: store; Owner: hakperf_owner
INSERT INTO store.repository OVERRIDING SYSTEM VALUE VALUES (1, 'hakmem', '/srv/git/hakmem.git', 'refs/heads/main', '5655954f296a2e5d44a39ac19a6b4fdbfc76da2b26f6be7e1fb05b837168e1e4', NULL, NULL, '2026-11-25 18:08:47.169332+00');
-- Data for Name: run; Type: TABLE DATA; Schema: store; Owner: hakperf_owner
INSERT INTO store.run VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', '2026-11-25 18:08:47.204493+00', 17, 1, 'commit', '8c1f2e08a960aaef81d7b2d4521929579f3541e6', '1405df66cbe219b0bf6355bc3d60361a8376b6b4', true, '5655954f296a2e5d44a39ac19a6b4fdbfc76da2b26f6be7e1fb05b837168e1e4', 'measured', 'regressed', 'relevant', 1, NULL, NULL, NULL, NULL, '2026-11-22 20:14:05.12+00', '2026-11-22 20:14:41.907+00', 'bench-1', '0.1.0', '66b6a2e26e77e75c001b609010c9f7ef6f65fed8c78acf45469ec0483393e3a1', 'bwrap', 'fdda0c46f953c1a45bdc520849be1e4edf4e228c', '572d7d506a339640e27a73badec55d1e46180a14c25ea4a98f399544c9c9d9eb', '{"the frequency governor of CPU 1 cannot be read"}', 'hakperf-runner measure --suite hakmem --head 8c1f2e08a960aaef81d7b2d4521929579f3541e6 --base 1405df66cbe219b0bf6355bc3d60361a8376b6b4');
INSERT INTO store.run VALUES (1, 'b1a7c9de-0f35-4e5b-9a41-6d2c8e7f5a10', '2026-11-25 18:08:47.246133+00', 18, 1, 'commit', '3d5be026fc4e78a0bcc50ba12b882769afbf4a8c', '8c1f2e08a960aaef81d7b2d4521929579f3541e6', true, '5655954f296a2e5d44a39ac19a6b4fdbfc76da2b26f6be7e1fb05b837168e1e4', 'failed', 'failed', NULL, NULL, 'build', 'head', 'building head (3d5be02) failed: make: exit code 2', 'cc -O2 -c tiny.c
tiny.c:118:5: error: expected '';'' before ''return''
make: *** [Makefile:31: tiny.o] Error 1
', '2026-11-22 20:20:00+00', '2026-11-22 20:20:02.25+00', 'bench-1', '0.1.0', '66b6a2e26e77e75c001b609010c9f7ef6f65fed8c78acf45469ec0483393e3a1', 'bwrap', NULL, NULL, '{}', 'hakperf-runner measure --suite hakmem --head 3d5be026fc4e78a0bcc50ba12b882769afbf4a8c --base 8c1f2e08a960aaef81d7b2d4521929579f3541e6');
-- Data for Name: run_workload; Type: TABLE DATA; Schema: store; Owner: hakperf_owner
INSERT INTO store.run_workload VALUES (1, '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 'measured', NULL, NULL, NULL, NULL, 0.01, 0.0045, 1536, 2718281828, 64, 'head', 'base', '{42,43,44,42,43,44,42,43,44,42,43,44,42,43,44,42,43,44,42,43,44,42,43,44,42,43,44,42,43,44,42,43,44,42,43,44,42,43,44,42,43,44,42,43,44,42,43,44,42,43,44,42,43,44,42,43,44,42,43,44,42,43,44,42}', '{0,0,1,1,1,0,1,1,1,1,0,0,0,0,1,0,1,0,1,0,1,1,0,0,1,0,1,0,1,1,0,1,1,1,0,0,0,0,0,0,1,0,1,1,0,0,0,0,0,0,1,0,0,0,1,0,1,0,1,1,1,0,0,1}', '{0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,60,61,62,63}', '4503151458fc8b4c65b379f683b48007139ffb81267f9733c6c28dd88a4263e0', '11f9fd3ba4fb34ceb148617bbeeb419201bdfdc9614cf75ed3ca7742f80cdde5');
-- Data for Name: runner; Type: TABLE DATA; Schema: store; Owner: hakperf_owner
INSERT INTO store.runner VALUES ('bench-1', '0.1.0', '2026-11-25 18:08:47.169332+00', '2026-11-25 18:08:47.169332+00');
-- Data for Name: sample_set_202611; Type: TABLE DATA; Schema: store; Owner: hakperf_owner
INSERT INTO store.sample_set_202611 VALUES (1, '2026-11-25 18:08:47.204493+00', '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 10, 'head', '{11323078,11416103,11479906,11246169,11234499,11408906,11602305,11485110,11365741,11259389,11467446,11375178,11196763,11548534,11528081,11462306,11286781,11295199,11445477,11413742,11471127,11443941,11346063,11444694,11501477,11479251,11221761,11508567,11514326,11384909,11346296,11418599,11292517,11512061,11500555,11420472,11395344,11375228,11375304,11590688,11298361,11402052,11517270,11288659,11354069,11583947,11342704,11353225,11307393,11333359,11441144,11384664,11384473,11408230,11552665,11401415,11475160,11483619,11497671,11361028,11484918,11369248,11383121,11344560}');
INSERT INTO store.sample_set_202611 VALUES (1, '2026-11-25 18:08:47.204493+00', '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 10, 'base', '{16505808,16597886,16509382,16498706,16424912,16510918,16669944,16587412,16660939,16566382,16583886,16558753,16336586,16639144,16597280,16596372,16333550,16327247,16429760,16480331,16573168,16531005,16599031,16459446,16573558,16583813,16457178,16742618,16603307,16680155,16462074,16447772,16495228,16523743,16612363,16566325,16482831,16421685,16474043,16683025,16439560,16565885,16587696,16357745,16542331,16693263,16294790,16497923,16523777,16438443,16596201,16529040,16360755,16635856,16616834,16650015,16709386,16579983,16550827,16380614,16610367,16463103,16482190,16384739}');
INSERT INTO store.sample_set_202611 VALUES (1, '2026-11-25 18:08:47.204493+00', '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 10, 'control', '{20983570,21051615,21095909,21010126,21124597,21094882,21311595,21058741,20945861,20954117,21008034,21148568,20959515,21067874,21285595,20625298}');
INSERT INTO store.sample_set_202611 VALUES (1, '2026-11-25 18:08:47.204493+00', '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 5, 'head', '{0.03091,0.030658,0.030488,0.031122,0.031154,0.030678,0.030166,0.030474,0.030794,0.031085,0.030521,0.030769,0.031259,0.030307,0.030361,0.030535,0.03101,0.030987,0.03058,0.030665,0.030511,0.030584,0.030848,0.030582,0.030431,0.03049,0.031189,0.030412,0.030397,0.030742,0.030847,0.030652,0.030994,0.030403,0.030433,0.030647,0.030714,0.030769,0.030768,0.030197,0.030978,0.030696,0.030389,0.031005,0.030826,0.030214,0.030857,0.030828,0.030953,0.030882,0.030591,0.030743,0.030744,0.03068,0.030296,0.030698,0.030501,0.030478,0.030441,0.030807,0.030475,0.030785,0.030747,0.030852}');
INSERT INTO store.sample_set_202611 VALUES (1, '2026-11-25 18:08:47.204493+00', '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 5, 'base', '{0.021205,0.021087,0.0212,0.021214,0.021309,0.021198,0.020996,0.0211,0.021007,0.021127,0.021105,0.021137,0.021424,0.021035,0.021088,0.021089,0.021428,0.021437,0.021303,0.021237,0.021118,0.021172,0.021086,0.021264,0.021118,0.021105,0.021267,0.020905,0.02108,0.020983,0.021261,0.021279,0.021218,0.021182,0.021069,0.021127,0.021234,0.021313,0.021246,0.020979,0.02129,0.021128,0.0211,0.021397,0.021158,0.020967,0.021479,0.021215,0.021182,0.021292,0.021089,0.021175,0.021393,0.021039,0.021063,0.021021,0.020946,0.02111,0.021147,0.021367,0.021071,0.02126,0.021235,0.021361}');
INSERT INTO store.sample_set_202611 VALUES (1, '2026-11-25 18:08:47.204493+00', '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 5, 'control', '{0.01668,0.016626,0.016591,0.016659,0.016568,0.016592,0.016423,0.01662,0.01671,0.016703,0.01666,0.01655,0.016699,0.016613,0.016443,0.016969}');
INSERT INTO store.sample_set_202611 VALUES (1, '2026-11-25 18:08:47.204493+00', '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 8, 'head', '{41200,41200,41200,41196,41188,NULL,41188,41208,41196,41208,41196,41200,41212,41208,41192,41204,41188,41192,41204,41196,41192,41208,41204,41188,41212,41204,41196,41208,41212,41188,41208,41212,41196,41204,41196,41192,41196,41212,41192,41204,41204,41212,41204,41196,41208,41192,41204,41212,41212,41212,41212,41192,41212,41192,41212,41200,41208,41212,41192,41192,41204,41200,41196,41208}');
INSERT INTO store.sample_set_202611 VALUES (1, '2026-11-25 18:08:47.204493+00', '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 8, 'base', '{43816,43824,43820,43828,43820,43816,43828,43820,43808,43820,43808,43820,43820,43804,43828,43816,43828,43808,43820,43804,43828,43828,43808,43808,43808,43816,43820,43824,43804,43820,43804,43812,43824,43820,43820,43820,43816,43828,43828,43804,43820,43804,43808,43808,43812,43804,43828,43804,43820,43816,43820,43804,43828,43804,43816,43812,43820,43820,43820,43820,43808,43824,43812,43816}');
INSERT INTO store.sample_set_202611 VALUES (1, '2026-11-25 18:08:47.204493+00', '4f0c6a52-9d1e-4b7a-8c33-2f6f0c1d9e71', 1, 8, 'control', '{9124,9124,9132,9120,9124,9112,9128,9124,9116,9124,9112,9132,9120,9112,9120,9108}');
-- Data for Name: sample_set_202612; Type: TABLE DATA; Schema: store; Owner: hakperf_owner
-- Data for Name: sample_set_202701; Type: TABLE DATA; Schema: store; Owner: hakperf_owner
-- Data for Name: sample_set_202702; Type: TABLE DATA; Schema: store; Owner: hakperf_owner
-- Data for Name: sample_set_default; Type: TABLE DATA; Schema: store; Owner: hakperf_owner
-- Data for Name: session; Type: TABLE DATA; Schema: store; Owner: hakperf_owner
-- Data for Name: suite; Type: TABLE DATA; Schema: store; Owner: hakperf_owner
INSERT INTO store.suite VALUES (1, '5655954f296a2e5d44a39ac19a6b4fdbfc76da2b26f6be7e1fb05b837168e1e4', 'hakmem', '{"name": "hakmem", "driver": {"rev": "fdda0c46f953c1a45bdc520849be1e4edf4e228c", "recipe": {"commands": [["make", "-C", "allocator", "BUILD={out}", "bench"]], "artifacts": ["bench/bench_random_mixed_system"]}}, "format": "hakperf-suite-v1", "limits": {"disk_mib": 512, "processes": 64, "memory_mib": 2048}, "recipe": {"commands": [["make", "-C", "allocator", "-j{jobs}", "BUILD={out}"]], "artifacts": ["lib/libhakmem.so"], "timeout_s": 600, "environment": {"CFLAGS": "-O2"}}, "preload": "lib/libhakmem.so", "workloads": [{"name": "random_mixed/8192", "seeds": [42, 43, 44], "program": "bench/bench_random_mixed_system", "threads": 1, "arguments": ["{iterations}", "8192", "{seed}"], "max_pairs": 1536, "timeout_s": 60, "iterations": 400000, "environment": {"HAKMEM_TINY_USE_SUPERSLAB": "1"}, "headline_iterations": 10000000}], "repository": {"url": "/srv/git/hakmem.git", "name": "hakmem", "watch": ["allocator/"], "branches": ["main"]}, "statistics": {"variable": "HAKMEM_STATS_FILE"}}', 'fdda0c46f953c1a45bdc520849be1e4edf4e228c', 'Benchmark driver', '2026-11-25 18:08:47.169332+00');
-- Data for Name: token; Type: TABLE DATA; Schema: store; Owner: hakperf_owner
-- Data for Name: workload; Type: TABLE DATA; Schema: store; Owner: hakperf_owner
INSERT INTO store.workload OVERRIDING SYSTEM VALUE VALUES (1, 1, 'random_mixed/8192', 'b3b4829246efdeaf69369a50fde705633042ee3f4e3eb8abec2cbc940d63ed5a');
SELECT pg_catalog.setval('store.alert_id_seq', 1, true);
SELECT pg_catalog.setval('store.audit_log_id_seq', 1, false);
SELECT pg_catalog.setval('store.job_id_seq', 1, false);
SELECT pg_catalog.setval('store.metric_id_seq', 10, true);
SELECT pg_catalog.setval('store.outbox_id_seq', 1, true);
SELECT pg_catalog.setval('store.repository_id_seq', 1, true);
SELECT pg_catalog.setval('store.token_id_seq', 1, false);
SELECT pg_catalog.setval('store.workload_id_seq', 1, true);
ALTER TABLE ONLY store.alert
    ADD CONSTRAINT alert_pkey PRIMARY KEY (repository, id);
ALTER TABLE ONLY store.alert
    ADD CONSTRAINT alert_repository_run_key UNIQUE (repository, run);
ALTER TABLE ONLY store.arm
    ADD CONSTRAINT arm_pkey PRIMARY KEY (repository, run, name);
ALTER TABLE ONLY store.audit_log
    ADD CONSTRAINT audit_log_pkey PRIMARY KEY (id);
ALTER TABLE ONLY store.commit
    ADD CONSTRAINT commit_pkey PRIMARY KEY (repository, sha);
ALTER TABLE ONLY store.comparison
    ADD CONSTRAINT comparison_pkey PRIMARY KEY (repository, run, workload, metric);
ALTER TABLE ONLY store.configuration
    ADD CONSTRAINT configuration_pkey PRIMARY KEY (repository, hash);
ALTER TABLE ONLY store.job
    ADD CONSTRAINT job_pkey PRIMARY KEY (repository, id);
ALTER TABLE ONLY store.login_code
    ADD CONSTRAINT login_code_pkey PRIMARY KEY (hash);
ALTER TABLE ONLY store.machine
    ADD CONSTRAINT machine_pkey PRIMARY KEY (repository, fingerprint);
ALTER TABLE ONLY store.measurement
    ADD CONSTRAINT measurement_pkey PRIMARY KEY (repository, run, workload, metric, arm);
ALTER TABLE ONLY store.metric
    ADD CONSTRAINT metric_name_key UNIQUE (name);
ALTER TABLE ONLY store.metric
    ADD CONSTRAINT metric_pkey PRIMARY KEY (id);
ALTER TABLE ONLY store.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (number);
ALTER TABLE ONLY store.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (repository, id);
ALTER TABLE ONLY store.ref_tip
    ADD CONSTRAINT ref_tip_pkey PRIMARY KEY (repository, ref);
ALTER TABLE ONLY store.repository
    ADD CONSTRAINT repository_name_key UNIQUE (name);
ALTER TABLE ONLY store.repository
    ADD CONSTRAINT repository_pkey PRIMARY KEY (id);
ALTER TABLE ONLY store.run
    ADD CONSTRAINT run_pkey PRIMARY KEY (repository, id);
ALTER TABLE ONLY store.run_workload
    ADD CONSTRAINT run_workload_pkey PRIMARY KEY (repository, run, workload);
ALTER TABLE ONLY store.runner
    ADD CONSTRAINT runner_pkey PRIMARY KEY (name);
ALTER TABLE ONLY store.sample_set
    ADD CONSTRAINT sample_set_pkey PRIMARY KEY (repository, stored, run, workload, metric, arm);
ALTER TABLE ONLY store.sample_set_202611
    ADD CONSTRAINT sample_set_202611_pkey PRIMARY KEY (repository, stored, run, workload, metric, arm);
ALTER TABLE ONLY store.sample_set_202612
    ADD CONSTRAINT sample_set_202612_pkey PRIMARY KEY (repository, stored, run, workload, metric, arm);
ALTER TABLE ONLY store.sample_set_202701
    ADD CONSTRAINT sample_set_202701_pkey PRIMARY KEY (repository, stored, run, workload, metric, arm);
ALTER TABLE ONLY store.sample_set_202702
    ADD CONSTRAINT sample_set_202702_pkey PRIMARY KEY (repository, stored, run, workload, metric, arm);
ALTER TABLE ONLY store.sample_set_default
    ADD CONSTRAINT sample_set_default_pkey PRIMARY KEY (repository, stored, run, workload, metric, arm);
ALTER TABLE ONLY store.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (hash);
ALTER TABLE ONLY store.suite
    ADD CONSTRAINT suite_pkey PRIMARY KEY (repository, hash);
ALTER TABLE ONLY store.token
    ADD CONSTRAINT token_hash_key UNIQUE (hash);
ALTER TABLE ONLY store.token
    ADD CONSTRAINT token_pkey PRIMARY KEY (id);
ALTER TABLE ONLY store.workload
    ADD CONSTRAINT workload_pkey PRIMARY KEY (repository, id);
ALTER TABLE ONLY store.workload
    ADD CONSTRAINT workload_repository_name_hash_key UNIQUE (repository, name, hash);
CREATE INDEX alert_created ON store.alert USING btree (created DESC);
CREATE UNIQUE INDEX alert_once ON store.alert USING btree (repository, head) WHERE (state <> 'closed'::text);
CREATE INDEX commit_mainline ON store.commit USING btree (repository, "position" DESC) WHERE mainline;
CREATE INDEX commit_newest ON store.commit USING btree (committed DESC, "position" DESC) WHERE mainline;
CREATE INDEX commit_patch ON store.commit USING btree (repository, patch_id) WHERE (patch_id IS NOT NULL);
CREATE INDEX job_head ON store.job USING btree (repository, head);
CREATE INDEX job_id ON store.job USING btree (id);
CREATE INDEX job_leases ON store.job USING btree (lease_until) WHERE (state = 'running'::text);
CREATE UNIQUE INDEX job_once ON store.job USING btree (repository, kind, head, COALESCE(base, ''::text)) WHERE (state = ANY (ARRAY['queued'::text, 'running'::text]));
CREATE INDEX job_waiting ON store.job USING btree (priority DESC, id) WHERE (state = 'queued'::text);
CREATE INDEX outbox_waiting ON store.outbox USING btree (next_attempt) WHERE ((delivered IS NULL) AND (given_up IS NULL));
CREATE INDEX run_head ON store.run USING btree (repository, head, stored DESC);
CREATE INDEX run_newest ON store.run USING btree (stored DESC);
CREATE INDEX run_stored ON store.run USING btree (repository, stored DESC);
ALTER INDEX store.sample_set_pkey ATTACH PARTITION store.sample_set_202611_pkey;
ALTER INDEX store.sample_set_pkey ATTACH PARTITION store.sample_set_202612_pkey;
ALTER INDEX store.sample_set_pkey ATTACH PARTITION store.sample_set_202701_pkey;
ALTER INDEX store.sample_set_pkey ATTACH PARTITION store.sample_set_202702_pkey;
ALTER INDEX store.sample_set_pkey ATTACH PARTITION store.sample_set_default_pkey;
ALTER TABLE ONLY store.alert
    ADD CONSTRAINT alert_metric_fkey FOREIGN KEY (metric) REFERENCES store.metric(id);
ALTER TABLE ONLY store.alert
    ADD CONSTRAINT alert_repository_run_fkey FOREIGN KEY (repository, run) REFERENCES store.run(repository, id) ON DELETE CASCADE;
ALTER TABLE ONLY store.alert
    ADD CONSTRAINT alert_repository_workload_fkey FOREIGN KEY (repository, workload) REFERENCES store.workload(repository, id);
ALTER TABLE ONLY store.arm
    ADD CONSTRAINT arm_repository_run_fkey FOREIGN KEY (repository, run) REFERENCES store.run(repository, id) ON DELETE CASCADE;
ALTER TABLE ONLY store.commit
    ADD CONSTRAINT commit_repository_fkey FOREIGN KEY (repository) REFERENCES store.repository(id) ON DELETE CASCADE;
ALTER TABLE ONLY store.comparison
    ADD CONSTRAINT comparison_metric_fkey FOREIGN KEY (metric) REFERENCES store.metric(id);
ALTER TABLE ONLY store.comparison
    ADD CONSTRAINT comparison_repository_run_fkey FOREIGN KEY (repository, run) REFERENCES store.run(repository, id) ON DELETE CASCADE;
ALTER TABLE ONLY store.comparison
    ADD CONSTRAINT comparison_repository_workload_fkey FOREIGN KEY (repository, workload) REFERENCES store.workload(repository, id);
ALTER TABLE ONLY store.configuration
    ADD CONSTRAINT configuration_repository_fkey FOREIGN KEY (repository) REFERENCES store.repository(id) ON DELETE CASCADE;
ALTER TABLE ONLY store.job
    ADD CONSTRAINT job_repository_base_fkey FOREIGN KEY (repository, base) REFERENCES store.commit(repository, sha);
ALTER TABLE ONLY store.job
    ADD CONSTRAINT job_repository_fkey FOREIGN KEY (repository) REFERENCES store.repository(id) ON DELETE CASCADE;
ALTER TABLE ONLY store.job
    ADD CONSTRAINT job_repository_head_fkey FOREIGN KEY (repository, head) REFERENCES store.commit(repository, sha);
ALTER TABLE ONLY store.job
    ADD CONSTRAINT job_repository_suite_hash_fkey FOREIGN KEY (repository, suite_hash) REFERENCES store.suite(repository, hash);
ALTER TABLE ONLY store.machine
    ADD CONSTRAINT machine_repository_fkey FOREIGN KEY (repository) REFERENCES store.repository(id) ON DELETE CASCADE;
ALTER TABLE ONLY store.measurement
    ADD CONSTRAINT measurement_metric_fkey FOREIGN KEY (metric) REFERENCES store.metric(id);
ALTER TABLE ONLY store.measurement
    ADD CONSTRAINT measurement_repository_run_workload_fkey FOREIGN KEY (repository, run, workload) REFERENCES store.run_workload(repository, run, workload) ON DELETE CASCADE;
ALTER TABLE ONLY store.outbox
    ADD CONSTRAINT outbox_repository_alert_fkey FOREIGN KEY (repository, alert) REFERENCES store.alert(repository, id) ON DELETE CASCADE;
ALTER TABLE ONLY store.outbox
    ADD CONSTRAINT outbox_repository_fkey FOREIGN KEY (repository) REFERENCES store.repository(id) ON DELETE CASCADE;
ALTER TABLE ONLY store.ref_tip
    ADD CONSTRAINT ref_tip_repository_fkey FOREIGN KEY (repository) REFERENCES store.repository(id) ON DELETE CASCADE;
ALTER TABLE ONLY store.repository
    ADD CONSTRAINT repository_id_suite_hash_fkey FOREIGN KEY (id, suite_hash) REFERENCES store.suite(repository, hash);
ALTER TABLE ONLY store.run
    ADD CONSTRAINT run_repository_base_fkey FOREIGN KEY (repository, base) REFERENCES store.commit(repository, sha);
ALTER TABLE ONLY store.run
    ADD CONSTRAINT run_repository_decided_by_fkey FOREIGN KEY (repository, decided_by) REFERENCES store.workload(repository, id);
ALTER TABLE ONLY store.run
    ADD CONSTRAINT run_repository_fkey FOREIGN KEY (repository) REFERENCES store.repository(id) ON DELETE CASCADE;
ALTER TABLE ONLY store.run
    ADD CONSTRAINT run_repository_head_fkey FOREIGN KEY (repository, head) REFERENCES store.commit(repository, sha);
ALTER TABLE ONLY store.run
    ADD CONSTRAINT run_repository_job_fkey FOREIGN KEY (repository, job) REFERENCES store.job(repository, id);
ALTER TABLE ONLY store.run
    ADD CONSTRAINT run_repository_machine_fkey FOREIGN KEY (repository, machine) REFERENCES store.machine(repository, fingerprint);
ALTER TABLE ONLY store.run
    ADD CONSTRAINT run_repository_suite_hash_fkey FOREIGN KEY (repository, suite_hash) REFERENCES store.suite(repository, hash);
ALTER TABLE ONLY store.run_workload
    ADD CONSTRAINT run_workload_repository_base_configuration_fkey FOREIGN KEY (repository, base_configuration) REFERENCES store.configuration(repository, hash);
ALTER TABLE ONLY store.run_workload
    ADD CONSTRAINT run_workload_repository_head_configuration_fkey FOREIGN KEY (repository, head_configuration) REFERENCES store.configuration(repository, hash);
ALTER TABLE ONLY store.run_workload
    ADD CONSTRAINT run_workload_repository_run_fkey FOREIGN KEY (repository, run) REFERENCES store.run(repository, id) ON DELETE CASCADE;
ALTER TABLE ONLY store.run_workload
    ADD CONSTRAINT run_workload_repository_workload_fkey FOREIGN KEY (repository, workload) REFERENCES store.workload(repository, id);
ALTER TABLE ONLY store.suite
    ADD CONSTRAINT suite_repository_fkey FOREIGN KEY (repository) REFERENCES store.repository(id) ON DELETE CASCADE;
ALTER TABLE ONLY store.workload
    ADD CONSTRAINT workload_repository_fkey FOREIGN KEY (repository) REFERENCES store.repository(id) ON DELETE CASCADE;
GRANT USAGE ON SCHEMA hakperf TO hakperf_collector;
GRANT USAGE ON SCHEMA hakperf TO hakperf_reader;
GRANT USAGE ON SCHEMA store TO hakperf_collector;
REVOKE ALL ON FUNCTION hakperf.series(repository text, workload text, metric text) FROM PUBLIC;
GRANT ALL ON FUNCTION hakperf.series(repository text, workload text, metric text) TO hakperf_collector;
GRANT ALL ON FUNCTION hakperf.series(repository text, workload text, metric text) TO hakperf_reader;
REVOKE ALL ON FUNCTION store.make_partitions(months integer) FROM PUBLIC;
GRANT ALL ON FUNCTION store.make_partitions(months integer) TO hakperf_collector;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE store.alert TO hakperf_collector;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE store.commit TO hakperf_collector;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE store.repository TO hakperf_collector;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE store.workload TO hakperf_collector;
GRANT SELECT ON TABLE hakperf.alerts TO hakperf_collector;
GRANT SELECT ON TABLE hakperf.alerts TO hakperf_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE store.arm TO hakperf_collector;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE store.run TO hakperf_collector;
GRANT SELECT ON TABLE hakperf.builds TO hakperf_collector;
GRANT SELECT ON TABLE hakperf.builds TO hakperf_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE store.comparison TO hakperf_collector;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE store.metric TO hakperf_collector;
GRANT SELECT ON TABLE hakperf.comparisons TO hakperf_collector;
GRANT SELECT ON TABLE hakperf.comparisons TO hakperf_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE store.configuration TO hakperf_collector;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE store.run_workload TO hakperf_collector;
GRANT SELECT ON TABLE hakperf.configurations TO hakperf_collector;
GRANT SELECT ON TABLE hakperf.configurations TO hakperf_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE store.job TO hakperf_collector;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE store.measurement TO hakperf_collector;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE store.commit_state TO hakperf_collector;
GRANT SELECT ON TABLE hakperf.history TO hakperf_collector;
GRANT SELECT ON TABLE hakperf.history TO hakperf_reader;
GRANT SELECT ON TABLE hakperf.jobs TO hakperf_collector;
GRANT SELECT ON TABLE hakperf.jobs TO hakperf_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE store.machine TO hakperf_collector;
GRANT SELECT ON TABLE hakperf.machines TO hakperf_collector;
GRANT SELECT ON TABLE hakperf.machines TO hakperf_reader;
GRANT SELECT ON TABLE hakperf.measurements TO hakperf_collector;
GRANT SELECT ON TABLE hakperf.measurements TO hakperf_reader;
GRANT SELECT ON TABLE hakperf.runs TO hakperf_collector;
GRANT SELECT ON TABLE hakperf.runs TO hakperf_reader;
GRANT USAGE ON SEQUENCE store.alert_id_seq TO hakperf_collector;
GRANT SELECT,INSERT ON TABLE store.audit_log TO hakperf_collector;
GRANT USAGE ON SEQUENCE store.audit_log_id_seq TO hakperf_collector;
GRANT USAGE ON SEQUENCE store.job_id_seq TO hakperf_collector;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE store.login_code TO hakperf_collector;
GRANT USAGE ON SEQUENCE store.metric_id_seq TO hakperf_collector;
GRANT SELECT ON TABLE store.migration TO hakperf_collector;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE store.outbox TO hakperf_collector;
GRANT USAGE ON SEQUENCE store.outbox_id_seq TO hakperf_collector;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE store.ref_tip TO hakperf_collector;
GRANT USAGE ON SEQUENCE store.repository_id_seq TO hakperf_collector;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE store.runner TO hakperf_collector;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE store.sample_set TO hakperf_collector;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE store.sample_set_202611 TO hakperf_collector;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE store.sample_set_202612 TO hakperf_collector;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE store.sample_set_202701 TO hakperf_collector;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE store.sample_set_202702 TO hakperf_collector;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE store.sample_set_default TO hakperf_collector;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE store.session TO hakperf_collector;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE store.suite TO hakperf_collector;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE store.token TO hakperf_collector;
GRANT USAGE ON SEQUENCE store.token_id_seq TO hakperf_collector;
GRANT USAGE ON SEQUENCE store.workload_id_seq TO hakperf_collector;
ALTER DEFAULT PRIVILEGES FOR ROLE hakperf_owner IN SCHEMA hakperf GRANT ALL ON FUNCTIONS  TO hakperf_collector;
ALTER DEFAULT PRIVILEGES FOR ROLE hakperf_owner IN SCHEMA hakperf GRANT ALL ON FUNCTIONS  TO hakperf_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE hakperf_owner IN SCHEMA hakperf GRANT SELECT ON TABLES  TO hakperf_collector;
ALTER DEFAULT PRIVILEGES FOR ROLE hakperf_owner IN SCHEMA hakperf GRANT SELECT ON TABLES  TO hakperf_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE hakperf_owner IN SCHEMA store GRANT USAGE ON SEQUENCES  TO hakperf_collector;
ALTER DEFAULT PRIVILEGES FOR ROLE hakperf_owner IN SCHEMA store GRANT SELECT,INSERT,DELETE,UPDATE ON TABLES  TO hakperf_collector;
ALTER DEFAULT PRIVILEGES FOR ROLE hakperf_owner REVOKE ALL ON FUNCTIONS  FROM PUBLIC;
-- PostgreSQL database dump complete
