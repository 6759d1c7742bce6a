-- What the untimed passes of run $2 of repository $1 found out: PASSES.
WITH figure AS (
    SELECT m.workload, k.name, k.unit, k.better,
           max(m.median) FILTER (WHERE m.arm = 'head') AS head,
           max(m.median) FILTER (WHERE m.arm = 'base') AS base,
           max(m.median) FILTER (WHERE m.arm = 'control') AS control,
           max(m.missing) FILTER (WHERE m.arm IN ('head', 'base')) AS missing
    FROM store.measurement m
    JOIN store.metric k ON k.id = m.metric
    WHERE m.repository = $1::integer AND m.run = $2::uuid
    GROUP BY m.workload, k.name, k.unit, k.better
), figures AS (
    SELECT workload,
           json_agg(json_build_object(
               'metric', name, 'unit', unit, 'better', better, 'base', base, 'head', head,
               'control', control, 'missing', missing) ORDER BY name) AS list
    FROM figure
    WHERE name NOT LIKE 'counter:%' AND name NOT LIKE 'syscall:%'
    GROUP BY workload
), kinds AS (
    SELECT workload,
           json_agg(json_build_object('name', substr(name, 9), 'base', base, 'head', head)
                    ORDER BY greatest(head, base) DESC NULLS LAST, name)
               FILTER (WHERE name LIKE 'syscall:%') AS syscalls,
           json_agg(json_build_object('name', substr(name, 9), 'base', base, 'head', head)
                    ORDER BY name) FILTER (WHERE name LIKE 'counter:%') AS counters
    FROM figure
    GROUP BY workload
), memory AS (
    SELECT workload,
           json_agg(json_build_object('arm', arm, 'seconds', to_json(seconds),
                                      'kib', to_json(kib), 'missing', missing)
                    ORDER BY arm = 'head' DESC, arm) AS list
    FROM store.rss
    WHERE repository = $1::integer AND run = $2::uuid
    GROUP BY workload
), function AS (
    SELECT json_agg(json_build_object('file', file, 'name', name, 'line', line,
                                      'executed', executed, 'calls', calls)
                    ORDER BY executed, file, line) AS list
    FROM store.coverage_function
    WHERE repository = $1::integer AND run = $2::uuid AND workload = 0
), workload AS (
    SELECT json_agg(json_build_object(
               'workload', w.name,
               'configuration', json_build_object('base', b.options, 'head', h.options),
               'figures', coalesce(f.list, '[]'),
               'syscalls', coalesce(k.syscalls, '[]'),
               'counters', coalesce(k.counters, '[]'),
               'memory', coalesce(m.list, '[]')) ORDER BY w.name) AS list
    FROM store.run_workload x
    JOIN store.workload w ON w.repository = x.repository AND w.id = x.workload
    LEFT JOIN store.configuration h ON h.repository = x.repository AND h.hash = x.head_configuration
    LEFT JOIN store.configuration b ON b.repository = x.repository AND b.hash = x.base_configuration
    LEFT JOIN figures f ON f.workload = x.workload
    LEFT JOIN kinds k ON k.workload = x.workload
    LEFT JOIN memory m ON m.workload = x.workload
    WHERE x.repository = $1::integer AND x.run = $2::uuid
)
SELECT json_build_object('functions', coalesce(function.list, '[]'),
                         'workloads', coalesce(workload.list, '[]'))
FROM function, workload
