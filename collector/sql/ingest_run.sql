-- One run and its arms. $1 repository, $2 the result document without its workloads, $3 what the
-- collector knows and found: kind, head, base, against_parent, status, verdict, size, failure (of a
-- void run), decided_by (name and hash of a workload). → when it was stored
WITH doc AS (
    SELECT * FROM json_to_record($2::json) AS d(
        run uuid, job bigint, attempt integer, suite_hash text, failure json, started timestamptz,
        finished timestamptz, runner json, machine json, sandbox text, driver json, arms json,
        warnings text[], reproduce text, preflight jsonb)
), found AS (
    SELECT * FROM json_to_record($3::json) AS f(
        kind text, head text, base text, against_parent boolean, status text, verdict text,
        size text, failure json, workload_name text, workload_hash text)
), stored AS (
    INSERT INTO store.run (
        repository, id, job, attempt, kind, head, base, against_parent, suite_hash, status,
        verdict, size, decided_by, failure_stage, failure_arm, failure_message, failure_log,
        started, finished, runner, runner_version, machine, sandbox, driver_sha, driver_hash,
        warnings, reproduce, preflight, epoch)
    SELECT $1::integer, d.run, d.job, d.attempt, f.kind, f.head, f.base, f.against_parent,
           d.suite_hash, f.status, f.verdict, f.size,
           (SELECT w.id FROM store.workload w
            WHERE w.repository = $1::integer AND w.name = f.workload_name
              AND w.hash = f.workload_hash),
           x ->> 'stage', x ->> 'arm', x ->> 'message', x ->> 'log',
           d.started, d.finished, d.runner ->> 'name', d.runner ->> 'version',
           d.machine ->> 'fingerprint', d.sandbox, d.driver ->> 'sha', d.driver ->> 'hash',
           d.warnings, d.reproduce, d.preflight,
           CASE WHEN f.status = 'measured' THEN store.enter_epoch(
               $1::integer, d.runner ->> 'name', d.machine ->> 'fingerprint',
               (SELECT a ->> 'compiler' FROM json_array_elements(d.arms) a
                WHERE a ->> 'name' = 'head'), d.driver ->> 'hash', f.head,
               (SELECT a ->> 'sha' FROM json_array_elements(d.arms) a
                WHERE a ->> 'name' = 'reference')) END
    FROM doc d, found f, coalesce(f.failure, d.failure) x
    RETURNING id, stored
), arms AS (
    INSERT INTO store.arm (repository, run, name, sha, artifact_hash, code_hash, compiler,
                           build_seconds, cached, log)
    SELECT $1::integer, d.run, a.name, a.sha, a.artifact_hash, a.code_hash, a.compiler,
           a.build_seconds, a.cached, a.log
    FROM doc d, json_to_recordset(d.arms) AS a(
        name text, sha text, artifact_hash text, code_hash text, compiler text,
        build_seconds double precision, cached boolean, log text)
)
SELECT stored FROM stored
