-- Did it run, of run $2 of repository $1. $3: the coverage of the run and of each of its workloads
-- (name and hash, null for the run itself).
WITH part AS MATERIALIZED (
    SELECT coalesce(w.id, 0) AS workload, x.coverage
    FROM json_to_recordset($3::json) AS x(name text, hash text, coverage json)
    LEFT JOIN store.workload w
        ON w.repository = $1::integer AND w.name = x.name AND w.hash = x.hash
    WHERE x.name IS NULL OR w.id IS NOT NULL
), whole AS (
    INSERT INTO store.coverage (repository, run, workload, changed, code, executed, missing)
    SELECT $1::integer, $2::uuid, p.workload, l.changed, l.code, l.executed, c.missing
    FROM part p,
    json_to_record(p.coverage) AS c(lines json, missing text)
    LEFT JOIN LATERAL json_to_record(CASE WHEN json_typeof(c.lines) = 'object' THEN c.lines END)
        AS l(changed integer, code integer, executed integer) ON true
)
INSERT INTO store.coverage_function (repository, run, workload, file, name, line, executed, calls)
SELECT $1::integer, $2::uuid, p.workload, f.file, f.name, f.line, f.executed, f.calls
FROM part p,
json_to_recordset(p.coverage -> 'functions') AS f(
    file text, name text, line integer, executed boolean, calls bigint)
