-- Suspects of repository $1 that wait for job $2: id, workload, low, high, budget, and whether the
-- last evidence put exactly low and high side by side.
SELECT s.id, s.workload, s.low, s.high, s.budget, s.evidence,
       EXISTS (SELECT FROM store.run u WHERE u.repository = s.repository AND u.id = s.evidence
                                         AND u.base = s.low AND u.head = s.high)
FROM store.suspect s
WHERE s.repository = $1::integer AND s.job = $2::bigint AND s.state = 'measuring'
ORDER BY s.id
FOR UPDATE
