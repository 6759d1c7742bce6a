-- The workloads of run $2 of repository $1 as they were executed ($3), and how head compares with
-- base in each ($4).
WITH otherwise AS (
    -- Judged by another metric than so far. In one order everywhere.
    SELECT w.id, m.id AS metric
    FROM json_to_recordset($3::json) AS x(name text, hash text, metric text)
    JOIN store.workload w ON w.repository = $1::integer AND w.name = x.name AND w.hash = x.hash
    JOIN store.metric m ON m.name = x.metric
    WHERE w.metric <> m.id
    ORDER BY w.id
    FOR NO KEY UPDATE OF w
), known AS (
    UPDATE store.workload w SET metric = o.metric FROM otherwise o
    WHERE w.repository = $1::integer AND w.id = o.id
), executed AS (
    INSERT INTO store.run_workload (
        repository, run, workload, status, failure_stage, failure_arm, failure_message,
        failure_log, margin, layout_sd, max_pairs, coin_seed, pairs, first_arm, second_arm,
        pair_seed, pair_order, pair_layout, head_configuration, base_configuration,
        drift_p, order_p, wall_over_cpu, repeated, metric,
        shipped_pairs, shipped_estimate, shipped_low, shipped_high, layout_suspect)
    SELECT $1::integer, $2::uuid, w.id, x.status, x.failure ->> 'stage', x.failure ->> 'arm',
           x.failure ->> 'message', x.failure ->> 'log', p.margin, p.layout_sd, p.max_pairs,
           p.coin_seed, q.count, q.first, q.second, q.seed, q.first_ran, q.layout,
           x.head_configuration, x.base_configuration, v.drift_p, v.order_p, v.wall_over_cpu,
           v.repeated, m.id, h.pairs, h.estimate, h.low, h.high, h.suspect
    FROM json_to_recordset($3::json) AS x(
        name text, hash text, metric text, status text, failure json, plan json, pairs json,
        head_configuration text, base_configuration text, validity json, shipped json),
    json_to_record(coalesce(x.validity, '{}')) AS v(
        drift_p double precision, order_p double precision, wall_over_cpu double precision,
        repeated boolean),
    json_to_record(coalesce(x.shipped, '{}')) AS h(
        pairs integer, estimate double precision, low double precision, high double precision,
        suspect boolean),
    json_to_record(x.plan) AS p(
        margin double precision, layout_sd double precision, max_pairs integer, coin_seed bigint),
    json_to_record(x.pairs) AS q(
        count integer, first text, second text, seed bigint[], first_ran smallint[],
        layout integer[]),
    store.workload w, store.metric m
    WHERE w.repository = $1::integer AND w.name = x.name AND w.hash = x.hash AND m.name = x.metric
)
INSERT INTO store.comparison (
    repository, run, workload, metric, verdict, size, reason, pairs, estimate, low, high, z,
    detectable, scale, gates, decides, base_value, head_value, adjusted)
SELECT $1::integer, $2::uuid, w.id, m.id, x.verdict, x.size, x.reason, x.pairs, x.estimate, x.low,
       x.high, x.z, x.detectable, x.scale, x.gates, x.decides, x.base_value, x.head_value, x.adjusted
FROM json_to_recordset($4::json) AS x(
    name text, hash text, metric text, verdict text, size text, reason text, pairs integer,
    estimate double precision, low double precision, high double precision, z double precision,
    detectable double precision, scale text, gates boolean, decides boolean,
    base_value double precision, head_value double precision, adjusted double precision)
JOIN store.workload w ON w.repository = $1::integer AND w.name = x.name AND w.hash = x.hash
JOIN store.metric m ON m.name = x.metric
