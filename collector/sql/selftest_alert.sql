-- The service is sick: self-test $2 of repository $1 failed on workload $3 in metric $9 (id) with change
-- $4, low $5, high $6 (fractions), in words $7, figures $8. No row where that is known already.
INSERT INTO store.alert (repository, run, head, workload, metric, change, low, high, sentence, kind,
                         detail)
SELECT u.repository, u.id, u.head, w.id, t.id, $4::double precision, $5::double precision,
       $6::double precision, $7, 'selftest', $8::jsonb
FROM store.run u
JOIN store.run_workload x ON x.repository = u.repository AND x.run = u.id
JOIN store.workload w ON w.repository = x.repository AND w.id = x.workload AND w.name = $3
JOIN store.metric t ON t.id = $9::integer
WHERE u.repository = $1::integer AND u.id = $2::uuid
  AND NOT EXISTS (SELECT FROM store.alert a
                  WHERE a.repository = u.repository AND a.kind = 'selftest' AND a.state <> 'resolved'
                    AND a.detail ->> 'test' = u.kind)
ON CONFLICT DO NOTHING
RETURNING id
