-- Renews the lease of job $1 by $4 seconds under fence $2 and notes its progress ($3). No row: the
-- lease was lost. Nobody waits for the disk: a crash that takes the last second back makes a lease
-- end a second earlier.
WITH lazily AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true)
), renewed AS (
    UPDATE store.job
    SET lease_until = now() + make_interval(secs => $4::integer), progress = $3::jsonb
    WHERE id = $1::bigint AND fence = $2::bigint AND state = 'running'
    RETURNING runner
)
UPDATE store.runner SET seen = now() FROM renewed, lazily WHERE name = renewed.runner RETURNING 1
