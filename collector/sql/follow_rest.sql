-- Job $2 of repository $1 did not find again what it was asked about: the workloads with a relevant
-- regression that no job of the same run was asked about yet are looked at then, in the same code
-- layouts, whose builds are kept. No row where none is left.
INSERT INTO store.job (repository, kind, head, base, suite_hash, priority, position, only_runner,
                       plan, confirms)
SELECT j.repository, j.kind, j.head, j.base, j.suite_hash, j.priority, j.position, j.only_runner,
       j.plan || jsonb_build_object('workloads', rest.names), j.confirms
FROM store.job j
CROSS JOIN LATERAL (
    SELECT jsonb_agg(DISTINCT w.name) AS names
    FROM store.comparison c
    JOIN store.workload w ON w.repository = c.repository AND w.id = c.workload
    WHERE c.repository = j.repository AND c.run = j.confirms AND c.gates
      AND c.verdict = 'regressed' AND c.size = 'relevant'
      AND NOT EXISTS (SELECT FROM store.job o
                      WHERE o.repository = j.repository AND o.confirms = j.confirms
                        AND o.plan -> 'workloads' ? w.name)
) rest
WHERE j.repository = $1::integer AND j.id = $2::bigint AND rest.names IS NOT NULL
RETURNING id
