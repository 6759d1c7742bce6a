-- COMPARISON of run $2 of repository $1, without its sentences.
WITH run AS (
    SELECT * FROM store.run WHERE repository = $1::integer AND id = $2::uuid
), figure AS (
    -- The figures of both arms side by side.
    SELECT m.workload, k.name, k.unit, k.better,
           max(m.median) FILTER (WHERE m.arm = 'head') AS head,
           max(m.median) FILTER (WHERE m.arm = 'base') AS base
    FROM store.measurement m
    JOIN store.metric k ON k.id = m.metric
    WHERE m.repository = $1::integer AND m.run = $2::uuid AND m.arm IN ('head', 'base')
    GROUP BY m.workload, k.name, k.unit, k.better
), counter AS (
    SELECT workload,
           json_agg(json_build_object('name', substr(name, 9), 'base', base, 'head', head)
                    ORDER BY name) FILTER (WHERE name LIKE 'counter:%') AS list,
           json_agg(json_build_object('name', substr(name, 9), 'base', base, 'head', head)
                    ORDER BY name) FILTER (WHERE name LIKE 'syscall:%') AS syscalls
    FROM figure
    WHERE (name LIKE 'counter:%' OR name LIKE 'syscall:%') AND head IS DISTINCT FROM base
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
), leaf AS (
    -- Where each arm spent its time: the share of the samples whose innermost function it was.
    SELECT p.workload, p.arm, substring(line from '([^; ]+) [0-9]+$') AS name,
           sum(substring(line from '[0-9]+$')::double precision)
               / sum(sum(substring(line from '[0-9]+$')::double precision))
                     OVER (PARTITION BY p.workload, p.arm) AS share,
           p.samples
    FROM store.profile p
    CROSS JOIN LATERAL string_to_table(p.folded, E'\n') AS line
    WHERE p.repository = $1::integer AND p.run = $2::uuid AND p.arm IN ('head', 'base')
      AND p.folded IS NOT NULL AND line ~ ' [0-9]+$'
    GROUP BY p.workload, p.arm, 3, p.samples
), hot AS (
    SELECT workload, name, coalesce(sum(share) FILTER (WHERE arm = 'base'), 0) AS base,
           coalesce(sum(share) FILTER (WHERE arm = 'head'), 0) AS head,
           row_number() OVER (PARTITION BY workload ORDER BY abs(
               coalesce(sum(share) FILTER (WHERE arm = 'head'), 0)
               - coalesce(sum(share) FILTER (WHERE arm = 'base'), 0)) DESC, name) AS place
    FROM leaf
    WHERE EXISTS (SELECT FROM store.profile b WHERE b.repository = $1::integer AND b.run = $2::uuid
                    AND b.workload = leaf.workload AND b.arm <> leaf.arm AND b.folded IS NOT NULL
                    AND b.arm IN ('head', 'base'))
    GROUP BY workload, name
), profile AS (
    SELECT workload, json_agg(json_build_object('name', name, 'base', base, 'head', head)
                              ORDER BY place) AS list
    FROM hot
    WHERE place <= 10 AND abs(head - base) >= 0.02
    GROUP BY workload
), judged AS (
    SELECT c.*, k.name, k.unit, k.better, f.head, f.base,
           CASE WHEN c.scale = 'log' AND f.base IS DISTINCT FROM 0 THEN exp(c.estimate) - 1
                WHEN c.base_value <> 0 THEN c.estimate / c.base_value END AS change,
           CASE WHEN c.scale = 'log' AND f.base IS DISTINCT FROM 0 THEN exp(c.low) - 1
                WHEN c.base_value <> 0 THEN c.low / c.base_value END AS change_low,
           CASE WHEN c.scale = 'log' AND f.base IS DISTINCT FROM 0 THEN exp(c.high) - 1
                WHEN c.base_value <> 0 THEN c.high / c.base_value END AS change_high
    FROM store.comparison c
    JOIN store.metric k ON k.id = c.metric
    LEFT JOIN figure f ON f.workload = c.workload AND f.name = k.name
    WHERE c.repository = $1::integer AND c.run = $2::uuid
), metrics AS (
    SELECT workload, json_agg(json_build_object(
        'metric', name, 'unit', unit, 'better', better, 'verdict', verdict, 'size', size,
        'base_value', base, 'head_value', head, 'change', change, 'low', change_low,
        'high', change_high, 'gates', gates, 'decides', decides,
        'stands_out', CASE WHEN gates THEN verdict IN ('regressed', 'improved')
                           ELSE adjusted <= 0.05 END
    ) ORDER BY decides DESC, gates DESC, name) AS list
    FROM judged
    GROUP BY workload
), ran AS (
    SELECT c.workload, json_build_object(
        'missing', c.missing, 'lines_changed', c.changed, 'lines_of_code', c.code,
        'lines_executed', c.executed,
        'functions', (SELECT count(*) FROM store.coverage_function f
                      WHERE f.repository = c.repository AND f.run = c.run AND f.workload = c.workload),
        'functions_executed', (SELECT count(*) FROM store.coverage_function f
                               WHERE f.repository = c.repository AND f.run = c.run
                                 AND f.workload = c.workload AND f.executed)) AS found
    FROM store.coverage c
    WHERE c.repository = $1::integer AND c.run = $2::uuid
), workload AS (
    SELECT json_agg(json_build_object(
        'workload', w.name,
        'verdict', c.verdict,
        'size', c.size,
        'metric', c.name,
        'unit', c.unit,
        'better', c.better,
        'base_value', c.base,
        'head_value', c.head,
        'change', c.change,
        'low', c.change_low,
        'high', c.change_high,
        'pairs', c.pairs,
        'detectable', exp(c.detectable) - 1,
        'reason', c.reason,
        'kernel_share', json_build_object('base', s.base, 'head', s.head),
        'ace_failures', json_build_object('base', a.base, 'head', a.head),
        'instructions', CASE WHEN i.base IS NOT NULL OR i.head IS NOT NULL
                             THEN json_build_object('base', i.base, 'head', i.head) END,
        'metrics', m.list,
        'counters', coalesce(n.list, '[]'),
        'syscalls', coalesce(n.syscalls, '[]'),
        'profile', coalesce(p.list, '[]'),
        'coverage', v.found,
        'shipped', CASE WHEN e.shipped_pairs > 0 THEN json_build_object(
            'change', exp(e.shipped_estimate) - 1, 'low', exp(e.shipped_low) - 1,
            'high', exp(e.shipped_high) - 1, 'pairs', e.shipped_pairs,
            'layout_suspect', e.layout_suspect) END,
        'configuration', coalesce(o.list, '[]')
    ) ORDER BY w.name) AS list
    FROM judged c
    JOIN store.workload w ON w.repository = c.repository AND w.id = c.workload
    LEFT JOIN figure s ON s.workload = c.workload AND s.name = 'kernel_share'
    LEFT JOIN figure a ON a.workload = c.workload AND a.name = 'ace_failures'
    LEFT JOIN figure i ON i.workload = c.workload AND i.name = 'instructions_per_op'
    LEFT JOIN metrics m ON m.workload = c.workload
    LEFT JOIN counter n ON n.workload = c.workload
    LEFT JOIN profile p ON p.workload = c.workload
    LEFT JOIN ran v ON v.workload = c.workload
    LEFT JOIN configuration o ON o.workload = c.workload
    LEFT JOIN store.run_workload e ON e.repository = c.repository AND e.run = c.run
        AND e.workload = c.workload
    WHERE c.decides
)
SELECT json_build_object(
    'verdict', store.holding(r.verdict, r.confirmation),
    'size', CASE WHEN r.confirmation IS DISTINCT FROM 'refuted' THEN r.size END,
    'confirmation', r.confirmation,
    'base', CASE WHEN b.sha IS NOT NULL THEN json_build_object(
        'sha', b.sha, 'short', left(b.sha, 7), 'subject', b.subject) END,
    'head', json_build_object('sha', h.sha, 'short', left(h.sha, 7), 'subject', h.subject),
    'against_parent', r.against_parent,
    'run', r.id,
    'status', r.status,
    'reason', r.failure_message,
    'coverage', (SELECT ran.found FROM ran WHERE ran.workload = 0),
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
