-- The last run of repository $1 that measured $3 against $2, and the job that waits or runs or died
-- for them.
SELECT (SELECT u.id FROM store.run u
        WHERE u.repository = $1::integer AND u.base = $2 AND u.head = $3
          AND u.kind NOT IN ('confirm', 'aa', 'canary')
        -- A step of a search measures one workload only.
        ORDER BY u.kind = 'bisect', u.stored DESC LIMIT 1),
       j.id, j.state
FROM (VALUES (1)) one(row)
LEFT JOIN LATERAL (
    SELECT j.id, j.state FROM store.job j
    WHERE j.repository = $1::integer AND j.base = $2 AND j.head = $3 AND j.state <> 'done'
      AND j.kind NOT IN ('confirm', 'aa', 'canary')
    ORDER BY j.id DESC LIMIT 1
) j ON true
