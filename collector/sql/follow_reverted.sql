-- Run $2 of repository $1 found its commit faster. Where that commit takes back one whose alert is not
-- closed, the alert is closed.
WITH ended AS (
    UPDATE store.alert a
    SET state = 'closed', changed = now(),
        closed_reason = format('reverted by %s, which is faster again', left(c.sha, 10))
    FROM store.run u
    JOIN store.commit c ON c.repository = u.repository AND c.sha = u.head
    WHERE u.repository = $1::integer AND u.id = $2::uuid
      AND a.repository = u.repository AND a.head = c.reverts AND a.state <> 'closed'
    RETURNING a.repository, a.id, a.closed_reason
)
INSERT INTO store.alert_event (repository, alert, who, action, note)
SELECT repository, id, 'hakperf', 'closed', closed_reason FROM ended
