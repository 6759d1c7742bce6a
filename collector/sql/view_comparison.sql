-- COMPARISON of run $2 of repository $1, without its sentences.
WITH run AS (
    SELECT * FROM store.run WHERE repository = $1::integer AND id = $2::uuid
), figure AS (
    -- The figures of both arms side by side.
    SELECT m.workload, k.name,
           max(m.median) FILTER (WHERE m.arm = 'head') AS head,
           max(m.median) FILTER (WHERE m.arm = 'base') AS base
    FROM store.measurement m
    JOIN store.metric k ON k.id = m.metric
    WHERE m.repository = $1::integer AND m.run = $2::uuid AND m.arm IN ('head', 'base')
    GROUP BY m.workload, k.name
), counter AS (
    SELECT workload,
           json_agg(json_build_object('name', substr(name, 9), 'base', base, 'head', head)
                    ORDER BY name) AS list
    FROM figure
    WHERE name LIKE 'counter:%' AND head IS DISTINCT FROM base
    GROUP BY workload
), option AS (
    SELECT x.workload, o.name, o.head, o.base
    FROM store.run_workload x
    LEFT JOIN store.configuration h ON h.repository = x.repository AND h.hash = x.head_configuration
    LEFT JOIN store.configuration b ON b.repository = x.repository AND b.hash = x.base_configuration
    CROSS JOIN LATERAL (
        SELECT coalesce(hv.key, bv.key) AS name,
               (hv.value ->> 'value') || CASE WHEN (hv.value -> 'ignored')::boolean
                                              THEN ' (ignored)' ELSE '' END AS head,
               (bv.value ->> 'value') || CASE WHEN (bv.value -> 'ignored')::boolean
                                              THEN ' (ignored)' ELSE '' END AS base
        FROM jsonb_each(h.options) hv
        FULL JOIN jsonb_each(b.options) bv USING (key)
    ) o
    WHERE x.repository = $1::integer AND x.run = $2::uuid
      AND x.head_configuration IS DISTINCT FROM x.base_configuration
      AND o.head IS DISTINCT FROM o.base
), configuration AS (
    SELECT workload,
           json_agg(json_build_object('name', name, 'base', base, 'head', head)
                    ORDER BY name) AS list
    FROM option
    GROUP BY workload
), workload AS (
    SELECT json_agg(json_build_object(
        'workload', w.name,
        'verdict', c.verdict,
        'size', c.size,
        'metric', k.name,
        'unit', k.unit,
        'better', k.better,
        'base_value', p.base,
        'head_value', p.head,
        'change', CASE WHEN p.base <> 0 THEN exp(c.estimate) - 1 END,
        'low', CASE WHEN p.base <> 0 THEN exp(c.low) - 1 END,
        'high', CASE WHEN p.base <> 0 THEN exp(c.high) - 1 END,
        'pairs', c.pairs,
        'detectable', exp(c.detectable) - 1,
        'reason', c.reason,
        'kernel_share', json_build_object('base', s.base, 'head', s.head),
        'ace_failures', json_build_object('base', a.base, 'head', a.head),
        'counters', coalesce(n.list, '[]'),
        'configuration', coalesce(o.list, '[]')
    ) ORDER BY w.name) AS list
    FROM store.comparison c
    JOIN store.workload w ON w.repository = c.repository AND w.id = c.workload
    JOIN store.metric k ON k.id = c.metric
    LEFT JOIN figure p ON p.workload = c.workload AND p.name = k.name
    LEFT JOIN figure s ON s.workload = c.workload AND s.name = 'kernel_share'
    LEFT JOIN figure a ON a.workload = c.workload AND a.name = 'ace_failures'
    LEFT JOIN counter n ON n.workload = c.workload
    LEFT JOIN configuration o ON o.workload = c.workload
    WHERE c.repository = $1::integer AND c.run = $2::uuid
)
SELECT json_build_object(
    'verdict', r.verdict,
    'size', r.size,
    'base', CASE WHEN b.sha IS NOT NULL THEN json_build_object(
        'sha', b.sha, 'short', left(b.sha, 7), 'subject', b.subject) END,
    'head', json_build_object('sha', h.sha, 'short', left(h.sha, 7), 'subject', h.subject),
    'against_parent', r.against_parent,
    'run', r.id,
    'status', r.status,
    'reason', r.failure_message,
    'workloads', coalesce(workload.list, '[]'),
    'machine', json_build_object('fingerprint', r.machine, 'facts', m.facts),
    'sandbox', r.sandbox,
    'warnings', to_json(r.warnings),
    'reproduce', r.reproduce,
    'measured', to_char(r.finished, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
FROM run r
CROSS JOIN workload
JOIN store.commit h ON h.repository = r.repository AND h.sha = r.head
LEFT JOIN store.commit b ON b.repository = r.repository AND b.sha = r.base
JOIN store.machine m ON m.repository = r.repository AND m.fingerprint = r.machine
