-- Makes job $1 wait again where it was given up or cancelled, with all its attempts before it. As
-- queue_cancel.sql: → the state it was in, its repository, whether it waits now. A unique violation
-- where the same job waits or runs already.
WITH found AS (
    SELECT repository, id, state FROM store.job WHERE id = $1::bigint FOR UPDATE
), again AS (
    UPDATE store.job j
    SET state = 'queued', finished = NULL, attempt = 0, reason = NULL, progress = NULL,
        lease_until = NULL
    FROM found
    WHERE j.repository = found.repository AND j.id = found.id
      AND found.state IN ('dead', 'cancelled')
    RETURNING j.id
)
SELECT found.state, r.name, EXISTS (SELECT FROM again)
FROM found JOIN store.repository r ON r.id = found.repository
