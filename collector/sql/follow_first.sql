-- What run $2 of repository $1 found relevantly regressed, and how often confirming it was tried.
SELECT w.name, m.name, c.estimate, u.confirmation,
       (SELECT count(*) FROM store.job j
        WHERE j.repository = u.repository AND j.confirms = u.id), u.against_parent OR u.kind = 'bisect'
FROM store.comparison c
JOIN store.run u ON u.repository = c.repository AND u.id = c.run
JOIN store.workload w ON w.repository = c.repository AND w.id = c.workload
JOIN store.metric m ON m.id = c.metric
WHERE c.repository = $1::integer AND c.run = $2::uuid AND c.gates
  AND c.verdict = 'regressed' AND c.size = 'relevant'
ORDER BY w.name, m.name
