-- Run $2 of repository $1 found its commit faster. Where that commit takes back one whose alert is not
-- resolved, the alert is.
SELECT store.alert_act(a.id, 'resolved', 'hakperf', NULL,
                       format('reverted by %s, which is faster again', left(c.sha, 10)), 'reverted')
FROM store.run u
JOIN store.commit c ON c.repository = u.repository AND c.sha = u.head
JOIN store.alert a ON a.repository = u.repository AND a.head = c.reverts AND a.state <> 'resolved'
WHERE u.repository = $1::integer AND u.id = $2::uuid AND a.kind = 'regression'
