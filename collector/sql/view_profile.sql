-- Profiles of run $2 of repository $1, of workload $3 or of all: PROFILES, with the share of the
-- samples that each function was innermost in, the largest gain first.
WITH kept AS (
    SELECT p.*, w.name
    FROM store.profile p
    JOIN store.workload w ON w.repository = p.repository AND w.id = p.workload
    WHERE p.repository = $1::integer AND p.run = $2::uuid AND w.name = coalesce($3, w.name)
), leaf AS (
    SELECT k.workload, k.arm, substring(line from '([^; ]+) [0-9]+$') AS name,
           sum(substring(line from '[0-9]+$')::double precision)
               / sum(sum(substring(line from '[0-9]+$')::double precision))
                     OVER (PARTITION BY k.workload, k.arm) AS share
    FROM kept k
    CROSS JOIN LATERAL string_to_table(k.folded, E'\n') AS line
    WHERE line ~ '[^; ] [0-9]+$'
    GROUP BY k.workload, k.arm, 3
), side AS (
    SELECT workload, name, coalesce(sum(share) FILTER (WHERE arm = 'base'), 0) AS base,
           coalesce(sum(share) FILTER (WHERE arm = 'head'), 0) AS head
    FROM leaf
    GROUP BY workload, name
), difference AS (
    SELECT workload, json_agg(json_build_object('name', name, 'base', base, 'head', head)
                              ORDER BY head - base DESC, name) AS list
    FROM side
    GROUP BY workload
), arms AS (
    SELECT workload, name, json_agg(json_build_object(
               'arm', arm, 'event', event, 'frequency', frequency, 'samples', samples,
               'lost', lost, 'missing', missing, 'folded', folded)
               ORDER BY arm = 'head' DESC, arm) AS list
    FROM kept
    GROUP BY workload, name
)
SELECT json_build_object('run', $2::uuid, 'workloads', coalesce(json_agg(json_build_object(
           'workload', a.name, 'arms', a.list, 'functions', coalesce(d.list, '[]'))
           ORDER BY a.name), '[]'))
FROM arms a
LEFT JOIN difference d ON d.workload = a.workload
