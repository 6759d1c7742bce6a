-- Calls off job $1 where it waits or runs: its runner finds its lease lost. → the state it was in,
-- its repository and the state it is in; no row for an unknown job. The row is locked first, so
-- that the state which is told is the one that was changed.
WITH found AS (
    SELECT repository, id, state FROM store.job WHERE id = $1::bigint FOR UPDATE
), ended AS (
    UPDATE store.job j
    SET state = 'cancelled', finished = now(), fence = j.fence + 1, lease_until = NULL,
        progress = NULL, reason = format('cancelled by %s', $2::text)
    FROM found
    WHERE j.repository = found.repository AND j.id = found.id
      AND found.state IN ('queued', 'running')
    RETURNING j.id
)
SELECT found.state, r.name, EXISTS (SELECT FROM ended)
FROM found JOIN store.repository r ON r.id = found.repository
